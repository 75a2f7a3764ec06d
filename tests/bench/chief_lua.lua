-- Lua workers of one chief: lua5.4 chief_lua.lua --isolation I --work W --messages N --seed S. Prints lines of
-- «work value unit checksum»; ends with 69 where the work or the isolation is not to be had.
local chief = require "chief"
local uv = require "luv" -- for its clock

local folder = arg[0]:match("^(.*)/") or "."
package.path = folder .. "/workers/?.lua;" .. package.path

local o = { isolation = "thread", work = "oneway-int", messages = "100000", seed = "1" }
for i = 1, #arg, 2 do o[arg[i]:match("^%-%-(%l+)$") or error("what is " .. arg[i] .. "?")] = arg[i + 1] end
local messages, seed = math.tointeger(tonumber(o.messages)), math.tointeger(tonumber(o.seed))

local function now() return uv.hrtime() / 1e9 end

local function say(value, unit, sum) print(("%s %.3f %s %d"):format(o.work, value, unit, sum)) end

local function unavailable(reason)
  io.stderr:write(reason, "\n")
  os.exit(69, true)
end

local function resident_kib()
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^VmRSS:%s*(%d+)")
    if kib then return tonumber(kib) end
  end
end

local function make(options)
  options.name, options.log = "bench", chief.log { level = "off" }
  local c = chief.new(options)
  assert(c:add_channel("ch", { capacity = 1024 }))
  assert(c:add_channel("sums", { capacity = 16384 }))
  return c
end

local function add(c, name, module, options)
  options.isolation = o.isolation ~= "thread" and o.isolation or nil
  local right, ok, message = pcall(c.add_worker, c, name, module, options)
  if not right or not ok then unavailable(tostring(right and message or ok)) end
end

local function sum_of(c, n)
  local sums, sum = c:channel("sums"), 0
  for _ = 1, n do sum = sum + assert(sums:recv(300)) end
  return sum
end

local function finish(c)
  assert(c:stop())
  assert(c:join())
  c:close()
end

-- From the launch until the last sum is here.
local function timed(c, receivers)
  assert(c:init_workers())
  local begun = now()
  assert(c:launch())
  local sum = sum_of(c, receivers)
  local took = now() - begun
  finish(c)
  return took, sum
end

local function stream(kind, senders, receivers, batch)
  return function()
    local c, n = make {}, messages // 4 * 4
    for i = 1, receivers do
      add(c, "receiver" .. i, "receiver",
        { args = { kind = kind, seed = seed, share = n // receivers, batch = batch } })
    end
    for i = 1, senders do
      add(c, "sender" .. i, "sender",
        { args = { kind = kind, seed = seed, messages = n, from = i, step = senders, batch = batch } })
    end
    local took, sum = timed(c, receivers)
    say(n / took, "msg/s", sum)
  end
end

local works = {
  ["oneway-int"] = stream("int", 1, 1, 0),
  ["oneway-str64"] = stream("str64", 1, 1, 0),
  ["oneway-table"] = stream("table", 1, 1, 0),
  ["batch-int"] = stream("int", 1, 1, 100),
  ["batch-str64"] = stream("str64", 1, 1, 100),
  ["batch-table"] = stream("table", 1, 1, 100),
  ["fanin-int"] = stream("int", 4, 1, 0),
  ["fanout-int"] = stream("int", 1, 4, 0),
}

function works.pingpong()
  local c = make {}
  local args = { messages = messages, seed = seed }
  add(c, "ponger", "ponger", { args = args })
  add(c, "pinger", "pinger", { args = args })
  local took, sum = timed(c, 1)
  say(took / messages * 1e6, "us", sum)
end

-- All alive at once, each waiting for a message; then each answers one.
local function crowd(n, rest)
  local c, took = make {}, {}
  local memory, begun = resident_kib(), now()
  for i = 1, n do add(c, "idler-" .. i, "idler", { args = {} }) end
  assert(c:init_workers())
  assert(c:launch())
  assert(c:wait_ready(300))
  took.start = now() - begun
  took.kib = resident_kib() - memory
  local asking = now()
  c:states_json()
  took.states = now() - asking
  if rest then
    local clock = os.clock() -- of all threads
    uv.sleep(rest * 1000)
    took.rest = os.clock() - clock
  end
  for i = 1, n do assert(c:send("idler-" .. i, (i * 7 + seed) % 1000003)) end
  took.sum = sum_of(c, n)
  local stopping = now()
  finish(c)
  took.stop, took.whole = now() - stopping, now() - begun
  return took
end

function works.spawn()
  local took = crowd(messages)
  say((took.whole - took.states) / messages * 1e6, "us", took.sum)
end

works["idle-10k"] = function()
  local took = crowd(messages)
  say(took.start / messages * 1e6, "us", took.sum)
  say(took.kib / messages, "KiB", took.sum)
end

works["idle-100k"] = works["idle-10k"]

works["rest-10k"] = function()
  local took = crowd(messages, 10)
  say(took.rest * 1e6, "us", took.sum)
end

works["stop-10k"] = function()
  local took = crowd(messages)
  say(took.stop * 1e6, "us", took.sum)
end
works["stop-1k"] = works["stop-10k"]
works["stop-100"] = works["stop-10k"]

works["states-10k"] = function()
  local took = crowd(messages)
  say(took.states * 1e6, "us", took.sum)
end

-- From the end of one life to the beginning of the next, with a fresh state for each.
function works.restart()
  local c = make {}
  local at_once = { policy = "on_failure", delay = 0, jitter = 0 }
  add(c, "flapper", "flapper", { args = { messages = messages }, restart = at_once })
  local took, sum = timed(c, 1)
  say(took / messages * 1e6, "us", sum)
end

-- What the stop of a worker that loops takes beyond its grace, and whether it has closed what it had.
local function stop_looper()
  local grace = 0.02
  local c = make {}
  add(c, "looper", "looper", { args = {}, grace = grace })
  assert(c:init_workers())
  assert(c:launch())
  assert(c:wait_ready(60))
  local begun = now()
  assert(c:stop())
  c:join()
  local took = now() - begun - grace
  local closed = c:channel("sums"):recv(0) or 0
  c:close()
  return took, closed
end

function works.interrupt()
  local took, closed = stop_looper()
  say(took * 1e6, "us", closed)
end

-- A process closes nothing more; that it has gone is what counts.
function works.kill()
  if o.isolation ~= "process" then unavailable("only a process is killed") end
  local took, closed = stop_looper()
  say(took * 1e6, "us", closed + 1)
end

local function crunch(n)
  local c = make {}
  for i = 1, n do add(c, "cruncher" .. i, "cruncher", { args = { messages = messages, seed = seed } }) end
  return timed(c, n)
end

-- A worker that could be interrupted, next to the same loop in the interpreter alone.
works["cpu-one"] = function()
  local took, sum = crunch(1)
  say(took * 1e6, "us", sum)
end

-- Twice the work in as much time is 2.
works["cpu-scaling"] = function()
  local one, sum = crunch(1)
  local two = crunch(2)
  say(2 * one / two, "x", sum)
end

local run = works[o.work] or unavailable("there is no work " .. o.work)
run()
