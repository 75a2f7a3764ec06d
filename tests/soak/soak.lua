-- Restarts, adds, removes, kills, messages, calls and stops at random, in all isolations at once. What a chief uses has
-- to stay as it was after the warm-up, and each message has to arrive:
--   lua5.4 soak.lua [--seconds N] [--seed S] [--slow FACTOR] [--plugin PATH]
-- The plug-in (tests/plugins/actor.c) is what workers in C are.
local chief = require "chief"
local uv = require "luv" -- for its clock and its signals

local folder = arg[0]:match("^(.*)/") or "."
package.path = folder .. "/workers/?.lua;" .. package.path

local o = { seconds = "600", seed = tostring(os.time()), slow = "1" }
for i = 1, #arg, 2 do
  local key = arg[i]:match("^%-%-(%l+)$")
  if key ~= "plugin" and (not o[key] or not tonumber(arg[i + 1])) then
    io.stderr:write("usage: soak.lua [--seconds N] [--seed S] [--slow FACTOR] [--plugin PATH]\n")
    os.exit(64)
  end
  o[key] = arg[i + 1]
end
local seconds, seed, slow = tonumber(o.seconds), math.tointeger(tonumber(o.seed)), tonumber(o.slow)
math.randomseed(seed)
print(("soak: --seed %d, %g s"):format(seed, seconds))

-- Where workers run, and which of them are in C.
local PLACES = { "thread", "fiber", "process" }
if o.plugin then table.move({ "c-thread", "c-process" }, 1, 2, 4, PLACES) end
local LIMIT = 30 * slow -- seconds that nothing may take
local KEPT_THREADS = 16 -- at most, that a chief keeps for the next lives
local PATIENCE = 0.5 -- of a call to somebody who may have been stopped

local function now() return uv.hrtime() / 1e9 end

-- ---- what a chief uses ----

local function entries(path)
  local n, scan = 0, assert(uv.fs_scandir(path))
  while uv.fs_scandir_next(scan) do n = n + 1 end
  return n
end

local function resident_kib()
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^VmRSS:%s*(%d+)")
    if kib then return math.tointeger(tonumber(kib)) end
  end
end

local function use()
  collectgarbage()
  return { descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task"), kib = resident_kib() }
end

-- ---- the application ----

local c = chief.new { name = "soak", log = chief.log { level = "off" } }
assert(c:add_channel("into", { capacity = 64, delivery = "at_least_once", max_deliveries = 0 }))
assert(c:add_channel("out", { capacity = 64 }))

local AT_ONCE = { policy = "on_failure", delay = 0.001, max_delay = 0.01 }
local C_STEPS = { echo = "echo", pump = "pump into out", flapper = "reserve out;fail" }

local function add(name, kind, place)
  local options = { restart = AT_ONCE, grace = LIMIT, isolation = place:match("%l+$") }
  if place:find("^c%-") then
    options.args = C_STEPS[kind]
    return c:add_worker(name, { native = o.plugin }, options)
  end
  if kind == "flapper" then options.args = { life = place == "process" and 0.3 or 0.02 } end
  return c:add_worker(name, kind, options)
end

local steady = {} -- the names of those that are never removed
for _, place in ipairs(PLACES) do
  for _, kind in ipairs { "echo", "pump", "flapper" } do
    local name = kind .. "-" .. place
    assert(add(name, kind, place))
    steady[#steady + 1] = name
  end
end
assert(c:init_workers())
assert(c:launch())
assert(c:wait_ready(LIMIT))

-- ---- messages ----

local into, out = c:channel("into"), c:channel("out")
local sent, outstanding, n_outstanding, arrived = 0, {}, 0, 0

local function take(timeout)
  local v = out:recv(timeout)
  if not v then return false end
  arrived = arrived + 1
  if outstanding[v] then n_outstanding = n_outstanding - 1 end
  outstanding[v] = nil
  return true
end

local function messages()
  for _ = 1, math.random(40) do
    if into:try_send(sent + 1) then
      sent = sent + 1
      outstanding[sent], n_outstanding = true, n_outstanding + 1
    end
  end
  while take(0) do end -- what is taken makes room
end

-- What was lost on the way out with a pump that ended in the middle of a send was not acknowledged, and comes again.
local function drain()
  local deadline = now() + LIMIT
  while n_outstanding > 0 do
    assert(now() < deadline, ("%d messages have not arrived"):format(n_outstanding))
    take(0.1)
  end
  local s = into:stats()
  assert(s.sent == s.received + s.queued + s.dropped and s.received == s.acknowledged + s.in_hand and s.dropped == 0,
    "the counters of the channel add up")
end

-- ---- what happens ----

local counts = {}
local function count(what) counts[what] = (counts[what] or 0) + 1 end

local ALLOWED = { timeout = true, not_found = true, no_reply = true, busy = true, wrong_state_change = true,
  canceled = true, closed = true, not_enabled = true }

local function allow(what, ok, message, code)
  count(what)
  if not ok then assert(ALLOWED[code], ("%s: %s (%s)"):format(what, message, code)) end
  return ok
end

local function any(kind)
  return kind .. "-" .. PLACES[math.random(#PLACES)]
end

-- One that was stopped while it waited for its restart stays failed.
local ENDED = { stopped = true, failed = true, disabled = true }
local function ended(name)
  local deadline = now() + LIMIT
  while not ENDED[c:status(name)[1].state] do
    assert(now() < deadline, name .. " does not end")
    take(0.002) -- a pump may have to send what it has in hand
  end
end

-- One that was stopped in its init is disabled.
local function start(name)
  if c:status(name)[1].state == "disabled" then assert(c:enable_worker(name)) end
  allow("starts", c:start_worker(name))
end

local acts = {}

function acts.call()
  local question = math.random(1000)
  local answer, message, code = c:call(any("echo"), question, PATIENCE)
  allow("calls", answer, message, code)
  assert(answer == nil or answer == question, "an answer belongs to its question")
end

function acts.fail() allow("failures", c:send(any("echo"), "fail", 0)) end
function acts.broadcast() allow("broadcasts", c:broadcast("to all")) end
function acts.restart() allow("restarts", c:restart_worker(steady[math.random(#steady)])) end

function acts.stop_and_start()
  local name = any(math.random(2) == 1 and "echo" or "pump")
  if allow("stops", c:stop_worker(name)) then ended(name) end
  if ENDED[c:status(name)[1].state] then start(name) end
end

local added = 0
function acts.add_and_remove()
  added = added + 1
  local name = "guest-" .. added
  assert(add(name, "echo", PLACES[math.random(#PLACES)]))
  count("adds")
  if math.random(2) == 1 then allow("calls", c:call(name, added, PATIENCE)) end
  allow("removes", c:remove_worker(name))
end

-- A process is killed from outside.
local function children()
  local found, scan = {}, assert(uv.fs_scandir("/proc/self/task"))
  for task in uv.fs_scandir_next, scan do
    local file = io.open("/proc/self/task/" .. task .. "/children") -- a thread may have ended meanwhile
    local pids = file and file:read("a") or ""
    if file then file:close() end
    for pid in pids:gmatch("%d+") do found[#found + 1] = math.tointeger(tonumber(pid)) end
  end
  return found
end

local killed = {} -- true by pid, since it was quiet

function acts.kill()
  local all = children()
  local pid = all[math.random(math.max(1, #all))]
  if pid and uv.kill(pid, 9) == 0 then
    killed[pid] = true
    count("kills")
  end
end

local WEIGHTS = { call = 8, fail = 3, broadcast = 1, restart = 3, stop_and_start = 2, add_and_remove = 2, kill = 1 }
local wheel = {}
for name, weight in pairs(WEIGHTS) do
  for _ = 1, weight do wheel[#wheel + 1] = name end
end
table.sort(wheel) -- pairs has no order, and a seed should mean the same every time

local function go_on_until(time)
  while now() < time do
    messages()
    acts[wheel[math.random(#wheel)]]()
  end
end

-- ---- quiet ----

-- Whether any of those that were killed is there still.
local function is_dying()
  for _, child in ipairs(children()) do
    if killed[child] then return true end
  end
  return false
end

-- The processes of those that stay up. Those that were killed a moment ago may be there still, and count for those that
-- come after them.
local function await_processes()
  local expected, deadline = 0, now() + LIMIT
  for _, place in ipairs(PLACES) do expected = expected + (place:find("process") and 2 or 0) end
  while #children() ~= expected or is_dying() do
    assert(now() < deadline, ("%d processes and not %d"):format(#children(), expected))
    take(0.01)
  end
end

-- That a process has ended is known to the chief a little later than to us: until then its worker is still said to run,
-- and a flapper's that is not quite gone may stand for it. At rest nothing changes for half a second.
local function await_rest()
  local before, same = nil, 0
  while same < 20 do
    await_processes()
    local descriptors = use().descriptors
    before, same = descriptors, descriptors == before and same + 1 or 0
    take(0.025)
  end
  killed = {}
end

-- Everybody is up but the flappers.
local function quieten()
  for _, place in ipairs(PLACES) do allow("stops", c:stop_worker("flapper-" .. place)) end
  for _, place in ipairs(PLACES) do ended("flapper-" .. place) end
  for _, name in ipairs(steady) do
    if not name:find("flapper") and c:status(name)[1].phase == "idle" then start(name) end
  end
  drain()
  await_rest()
  for _, kind in ipairs { "echo", "pump" } do
    for _, place in ipairs(PLACES) do assert(c:wait(kind .. "-" .. place, "run", LIMIT)) end
  end
end

local function wake()
  for _, place in ipairs(PLACES) do start("flapper-" .. place) end
end

-- What there is, for whoever has to find out who left it behind.
local function tell()
  local pid = ("%d"):format(uv.os_getpid()) -- luv gives a float
  os.execute("ls -l /proc/" .. pid .. "/fd | sed 's/.* -> //' | sort | uniq -c")
  os.execute("ps -o pid,ppid,pgid,stat,etimes,args --ppid " .. pid)
  for _, status in ipairs(c:status()) do
    print(("  %s %s %s %d"):format(status.name, status.state, status.phase, status.generation))
  end
end

-- Waits until there are no more descriptors and threads than there may be, for as long as anything may take.
local function compare(base)
  local deadline, threads = now() + LIMIT, base.threads + KEPT_THREADS
  local at = use()
  while (at.descriptors > base.descriptors or at.threads > threads) and now() < deadline do
    uv.sleep(20)
    at = use()
  end
  print(("  %d descriptors, %d threads, %d KiB; %d sent, %d arrived"):format(at.descriptors, at.threads, at.kib, sent,
    arrived))
  if at.descriptors > base.descriptors or at.threads > threads then tell() end
  assert(at.descriptors <= base.descriptors, "descriptors are left behind")
  assert(at.threads <= threads, "threads are left behind")
  assert(at.kib <= base.kib + math.max(base.kib // 4, 8192), "memory grows")
end

local begun = now()
go_on_until(begun + seconds / 4)
quieten()
local base = use()
print(("  %d descriptors, %d threads, %d KiB after the warm-up"):format(base.descriptors, base.threads, base.kib))
for part = 2, 4 do
  wake()
  go_on_until(begun + part * seconds / 4)
  quieten()
  compare(base)
end

local stopping = now()
assert(c:stop())
c:join(LIMIT) -- its answer is that a flapper's last life had failed
local took, code = now() - stopping, c:exit_code()
assert(c:has_stopped() and code <= 1, ("the stop ends with %d"):format(code))
c:close()
local names = {}
for name in pairs(counts) do names[#names + 1] = name end
table.sort(names)
for i, name in ipairs(names) do names[i] = counts[name] .. " " .. name end
print(("soak: %s; the stop took %.0f ms"):format(table.concat(names, ", "), took * 1000))
