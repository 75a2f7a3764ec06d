local M = {}

-- Passes on what comes in; the one in hand goes back when it ends before that.
function M.run(_, ctx)
  local out = ctx:channel("out")
  for v in ctx:channel("into"):iter() do
    local ok, message = out:send(v)
    if not ok then return nil, message end
  end
  return true
end

return M
