-- Makes the picture that it is asked for: { type, width, height }.
require "lib.paths"
local image = require "image_native"

local M = {}

function M.run(_, ctx)
  for wish, info in ctx:iter() do info:reply((image.sample(wish))) end
  return true
end

return M
