-- Says hello to each tick.
local M = {}

function M.run(_, ctx)
  for count in ctx:channel("ticks"):iter() do
    ctx.log:info("hello", { tick = count })
  end
  return true
end

return M
