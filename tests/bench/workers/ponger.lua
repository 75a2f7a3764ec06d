local M = {}

function M.run(_, ctx)
  for _ = 1, ctx.args.messages do
    local v = assert(ctx:recv())
    assert(ctx:send("pinger", v))
  end
  return true
end

return M
