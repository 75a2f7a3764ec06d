local M = {}

-- Lives for a moment, in which its state grows, and fails.
function M.run(_, ctx)
  local grown = {}
  for i = 1, 1000 do grown[i] = { i } end
  if #grown > 0 and ctx:sleep(ctx.args.life) then return nil, "its time is over" end
  return true
end

return M
