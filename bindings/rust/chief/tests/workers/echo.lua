-- Answers each call with what it was asked, and ends when it is to stop.
local M = {}

function M.run(_, ctx)
  for question, info in ctx:iter() do
    if question == "fail" then info:fail("no answer to that") else info:reply(question) end
  end
  return true
end

return M
