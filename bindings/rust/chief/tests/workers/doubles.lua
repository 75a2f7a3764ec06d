-- Receives numbers and sends their doubles.
local M = {}

function M.run(_, ctx)
  local doubled = ctx:channel("doubled")
  for number in ctx:channel("numbers"):iter() do
    local ok, message = doubled:send(number * 2)
    if not ok then return nil, message end
  end
  doubled:close()
  return true
end

return M
