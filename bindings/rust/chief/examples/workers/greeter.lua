local M = {}

function M.run(_, ctx)
  for name, info in ctx:iter() do info:reply("hello " .. name .. ", from Lua") end
  return true
end

return M
