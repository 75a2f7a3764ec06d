-- Says that it runs, and never ends by itself.
local M = {}

function M.run(_, ctx)
  assert(ctx:channel("begun"):send(true))
  while true do end
end

return M
