-- Stands for a database: it says itself when it can be used.
local M = { ready = true }

function M.run(_, ctx)
  ctx:ready()
  for question, info in ctx:iter() do info:reply({ "answer to", question }) end
  return true
end

return M
