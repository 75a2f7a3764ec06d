local M = {}

function M.run(_, ctx)
  if ctx.generation <= ctx.args.failures then return nil, "once more" end
  return true
end

return M
