-- What the interpreter alone does of a work, without a chief: --work W --messages N --seed S. Of a message that is making
-- it and counting it, and the rate that of the slower of the two.
local folder = arg[0]:match("^(.*)/") or "."
package.path = folder .. "/workers/?.lua;" .. package.path
local load = require "load"
local uv = require "luv" -- for its clock

local o = {}
for i = 1, #arg, 2 do o[arg[i]:match("^%-%-(%l+)$") or error("what is " .. arg[i] .. "?")] = arg[i + 1] end
local messages, seed = math.tointeger(tonumber(o.messages)), math.tointeger(tonumber(o.seed))

-- The loop of workers/cruncher.lua.
local function compute()
  local x = seed
  for _ = 1, messages do x = (x * 1103515245 + 12345) & 0x7fffffff end
  return x
end

local function timed(work)
  local begun = uv.hrtime()
  local result = work()
  return uv.hrtime() - begun, result
end

-- The loops of workers/sender.lua and workers/receiver.lua.
local function stream(kind)
  local make, count = load[kind](seed)
  local n = messages // 4 * 4
  local few = {}
  for i = 1, 64 do few[i] = make(i) end
  local making = timed(function()
    for i = 1, n do make(i) end
  end)
  local counting = timed(function()
    local sum = 0
    for i = 1, n do sum = count(sum, few[(i - 1 & 63) + 1], i) end
    return sum
  end)
  local sum = 0
  for i = 1, n do sum = count(sum, make(i), i) end
  return n / math.max(making, counting) * 1e9, sum
end

if o.work == "cpu-one" then
  local took, x = timed(compute)
  print(("cpu-one %.3f us %d"):format(took / 1e3, x))
elseif load[o.work:match("^oneway%-(%w+)$")] then
  print(("%s %.3f msg/s %d"):format(o.work, stream(o.work:match("%w+$"))))
else
  io.stderr:write("there is no work ", o.work, "\n")
  os.exit(69)
end
