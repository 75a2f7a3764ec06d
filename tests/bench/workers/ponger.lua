local M = {}

function M.run(_, ctx)
  for _ = 1, ctx.args.messages do
    local _, info = assert(ctx:recv())
    info:reply(2)
  end
  return true
end

return M
