-- Answers each call with the name that it brings, and with its own.
local M = {}

function M.run(_, ctx)
  for question, info in ctx:iter() do info:reply(question.name .. ", " .. ctx.name) end
  return true
end

return M
