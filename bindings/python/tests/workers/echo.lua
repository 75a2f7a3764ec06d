-- Answers each call with what it was asked, and each message with the same to its sender.
local M = {}

function M.run(_, ctx)
  for value, info in ctx:iter() do
    if info.kind == "call" then
      info:reply(value)
    else
      ctx:send(info.sender, value)
    end
  end
  return true
end

return M
