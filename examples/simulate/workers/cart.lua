-- Asks the database now and then.
local M = {}

function M.run(_, ctx)
  while ctx:sleep(1) do
    local answer, message = ctx:call("db", ctx.name, 1)
    if not answer then return nil, message end
  end
  return true
end

return M
