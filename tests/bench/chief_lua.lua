-- What Lua workers of one chief reach. Prints lines of «work value unit».
local chief = require "chief"

local messages = tonumber(arg[1]) or 1000000
local folder = arg[0]:match("^(.*)/") or "."
package.path = folder .. "/workers/?.lua;" .. package.path

-- Wall-clock seconds: the monotonic clock as a context's deadline shows it.
local horizon = 1e6
local clock = chief.context(nil, horizon)
local function now() return horizon - clock:remaining() end

local function resident_kib()
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^VmRSS:%s*(%d+)")
    if kib then return tonumber(kib) end
  end
end

local function run(names, n)
  local c = chief.new { name = "bench", exit_when_done = true, log = chief.log { level = "error" } }
  assert(c:add_channel("ch", { capacity = 1024 }))
  for _, name in ipairs(names) do assert(c:add_worker(name, name, { args = { messages = n } })) end
  assert(c:init_workers())
  local begun = now()
  assert(c:start())
  return now() - begun
end

local function spawn(n)
  local c = chief.new { name = "bench", log = chief.log { level = "error" } }
  local memory, begun = resident_kib(), now()
  for i = 1, n do assert(c:add_worker("idler-" .. i, "idler")) end
  assert(c:init_workers())
  assert(c:launch())
  assert(c:wait_ready(60))
  local kib = (resident_kib() - memory) / n
  assert(c:stop())
  assert(c:join())
  return (now() - begun) / n, kib
end

-- From the end of one life to the beginning of the next, with a fresh state for each.
local function restart(failures)
  local c = chief.new { name = "bench", exit_when_done = true, log = chief.log { level = "off" } }
  local at_once = { policy = "on_failure", delay = 0, jitter = 0 }
  assert(c:add_worker("flapper", "flapper", { args = { failures = failures }, restart = at_once }))
  assert(c:init_workers())
  local begun = now()
  assert(c:start())
  return (now() - begun) / failures
end

print(string.format("oneway-int %.0f msg/s", messages / run({ "receiver", "sender" }, messages)))
local calls = messages // 50
print(string.format("pingpong %.2f us", run({ "ponger", "pinger" }, calls) / calls * 1e6))
print(string.format("restart %.0f us", restart(200) * 1e6))
local each, kib = spawn(1000)
print(string.format("spawn %.0f us", each * 1e6))
print(string.format("memory %.0f KiB", kib))
