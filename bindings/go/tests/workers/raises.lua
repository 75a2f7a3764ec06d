-- Fails at once.
local function deeper() error("on purpose") end

return { run = function() deeper() end }
