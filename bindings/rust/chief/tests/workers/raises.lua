local function deeper() error("raised in Lua") end

return { run = function() deeper() end }
