local M = {}

function M.run(_, ctx)
  for _ in ctx:iter() do end -- until it is stopped
  return true
end

return M
