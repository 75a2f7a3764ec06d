local M = {}

function M.run(_, ctx)
  if ctx.generation <= ctx.args.messages then return nil, "once more" end
  assert(ctx:channel("sums"):send(ctx.generation))
  return true
end

return M
