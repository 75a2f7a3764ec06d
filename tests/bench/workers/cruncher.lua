local M = {}

function M.run(_, ctx)
  local x = ctx.args.seed
  for _ = 1, ctx.args.messages do x = (x * 1103515245 + 12345) & 0x7fffffff end
  assert(ctx:channel("sums"):send(x))
  return true
end

return M
