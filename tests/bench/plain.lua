-- The loop of workers/cruncher.lua without a chief: --work cpu-one --messages N --seed S.
local uv = require "luv" -- for its clock

local o = {}
for i = 1, #arg, 2 do o[arg[i]:match("^%-%-(%l+)$") or error("what is " .. arg[i] .. "?")] = arg[i + 1] end
if o.work ~= "cpu-one" then
  io.stderr:write("there is no work ", o.work, "\n")
  os.exit(69)
end

local begun = uv.hrtime()
local x = math.tointeger(tonumber(o.seed))
for _ = 1, math.tointeger(tonumber(o.messages)) do x = (x * 1103515245 + 12345) & 0x7fffffff end
print(("cpu-one %.3f us %d"):format((uv.hrtime() - begun) / 1e3, x))
