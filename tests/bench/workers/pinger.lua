local M = {}

function M.run(_, ctx)
  local sum = 0
  for i = 1, ctx.args.messages do
    assert(ctx:send("ponger", (i * 7 + ctx.args.seed) % 1000003))
    sum = sum + assert(ctx:recv())
  end
  assert(ctx:channel("sums"):send(sum))
  return true
end

return M
