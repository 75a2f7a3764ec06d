local M = {}

function M.run(_, ctx)
  local ch, n, sum = ctx:channel("ch"), ctx.args.messages, 0
  for _ = 1, n do sum = sum + assert(ch:recv()) end
  if sum ~= n * (n + 1) // 2 then return nil, "the sum of what was received is wrong" end
  return true
end

return M
