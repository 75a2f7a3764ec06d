local M = {}

function M.run(_, ctx)
  local ch = ctx:channel("ch")
  for i = 1, ctx.args.messages do
    local ok, err = ch:send(i)
    if not ok then return nil, err end
  end
  return true
end

return M
