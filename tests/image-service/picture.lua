-- Pictures for the tests that are not written in Lua.
--
--   lua5.4 picture.lua sample TYPE WIDTH HEIGHT SEED [GRAIN]   the bytes, to stdout
--   lua5.4 picture.lua probe                                   «TYPE WIDTH HEIGHT» of the bytes from stdin
package.path = arg[0]:gsub("picture%.lua$", "?.lua") .. ";" .. package.path
require "helper"
local image = require "image_native"

if arg[1] == "sample" then
  io.write((assert(image.sample {
    type = arg[2], width = tonumber(arg[3]), height = tonumber(arg[4]), seed = tonumber(arg[5]),
    grain = tonumber(arg[6]),
  })))
else
  local found = assert(image.probe(io.read("a")))
  print(found.type, found.width, found.height)
end
