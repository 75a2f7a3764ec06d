-- What the interpreter alone does of a work, without a chief: --work W --messages N --seed S. Of a message that is
-- making it and counting it, and the rate that of the slower of the two.
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

local function timed(work, ...)
  local begun = uv.hrtime()
  local result = work(...)
  return uv.hrtime() - begun, result
end

-- The loops of workers/sender.lua and workers/receiver.lua, by one and in batches.
local function make_each(make, n)
  for i = 1, n do make(i) end
end

local function make_many(make, n)
  for first = 1, n, 100 do
    local many = {}
    for i = first, math.min(first + 99, n) do many[#many + 1] = make(i) end
  end
end

local function count_each(few, n, count)
  local sum = 0
  for i = 1, n do sum = count(sum, few[(i - 1) % 100 + 1], i) end
  return sum
end

local function stream(how, kind)
  local make, count = load[kind](seed)
  local n, few, sum = messages // 4 * 4, {}, 0
  for i = 1, 100 do few[i] = make(i) end
  local making = timed(how == "batch" and make_many or make_each, make, n)
  local counting = timed(count_each, few, n, count)
  for i = 1, n do sum = count(sum, make(i), i) end
  return n / math.max(making, counting) * 1e9, sum
end

local how, kind = o.work:match("^(%l+)%-(%w+)$")
if o.work == "cpu-one" then
  local took, x = timed(compute)
  print(("cpu-one %.3f us %d"):format(took / 1e3, x))
elseif (how == "oneway" or how == "batch") and load[kind] then
  print(("%s %.3f msg/s %d"):format(o.work, stream(how, kind)))
else
  io.stderr:write("there is no work ", o.work, "\n")
  os.exit(69)
end
