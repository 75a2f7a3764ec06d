-- Answers each number with its square, by mail to who sent it.
local M = {}

function M.run(_, ctx)
  for job, info in ctx:channel("numbers"):iter() do
    local ok, message = ctx:send(info.sender, { number = job.number, square = job.number ^ 2 // 1 | 0 })
    if not ok then return nil, message end
  end
  return true
end

return M
