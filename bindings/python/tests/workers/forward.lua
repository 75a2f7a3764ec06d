-- Hands on what comes by `there` to `back`.
local M = {}

function M.run(_, ctx)
  local back = ctx:channel("back")
  for value in ctx:channel("there"):iter() do
    local ok, message = back:send(value)
    if not ok then return nil, message end
  end
  return true
end

return M
