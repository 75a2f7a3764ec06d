local M = {}

-- Can be ended by an interrupt only, and says that its cleanup ran.
function M.run(_, ctx)
  local sums = ctx:channel("sums")
  local _ <close> = setmetatable({}, { __close = function() sums:try_send(1) end })
  while true do end
end

return M
