-- Sends the squares of the numbers up to args.count, then closes the channel.
local M = {}

function M.run(_, ctx)
  local numbers = ctx:channel("numbers")
  for n = 1, ctx.args.count do assert(numbers:send({ of = n, value = n * n })) end
  numbers:close()
  return true
end

return M
