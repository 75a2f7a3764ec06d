-- Needs a C module.
local lfs = require "lfs"

local M = {}

function M.run(_, ctx) ctx.log:info(lfs.currentdir()) end

return M
