local M = {}

function M.run(_, ctx)
  for _ = 1, ctx.args.messages do assert(ctx:call("ponger", 1)) end
  return true
end

return M
