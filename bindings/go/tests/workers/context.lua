-- Answers each call with the value of the context that has that name.
local M = {}

function M.run(_, ctx)
  for name, info in ctx:iter() do info:reply(ctx:value(name)) end
  return true
end

return M
