local M = {}

local function deep() error("on purpose") end

function M.run()
  deep()
  return true
end

return M
