-- Answers each call with a greeting.
local M = {}

function M.run(_, ctx)
  for question, info in ctx:iter() do
    info:reply { text = ("hello %s, for the %d. time"):format(question.name, question.n), by = ctx.name }
  end
  return true
end

return M
