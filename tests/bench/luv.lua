-- Threads of luv that talk over socket pairs, with the work of tests/bench/README.md: --work W --messages N --seed S.
local uv = require "luv"

local o = { work = "oneway-int", messages = "100000", seed = "1" }
for i = 1, #arg, 2 do o[arg[i]:match("^%-%-(%l+)$") or error("what is " .. arg[i] .. "?")] = arg[i + 1] end
local messages, seed = math.tointeger(tonumber(o.messages)), math.tointeger(tonumber(o.seed))

local function say(value, unit, sum) print(("%s %.3f %s %d"):format(o.work, value, unit, sum)) end

-- Of blocking descriptors: a stream keeps no borders, so messages of one size are cut out of what comes.
local function pair()
  local fds = assert(uv.socketpair("stream", nil, { nonblock = false }, { nonblock = false }))
  return fds[1], fds[2]
end

local function read_all(fd, n, size, take)
  local rest, seen = "", 0
  while seen < n do
    rest = rest .. assert(uv.fs_read(fd, 65536))
    local at = 1
    while #rest - at + 1 >= size do
      seen = seen + 1
      take(rest, at, seen)
      at = at + size
    end
    rest = rest:sub(at)
  end
end

local function stream(size, sender, take)
  local n, mine, other = messages // 4 * 4, pair()
  local begun, sum = uv.hrtime(), 0
  local thread = assert(uv.new_thread(sender, other, n, seed))
  read_all(mine, n, size, function(text, at, i) sum = sum + take(text, at, i) end)
  local took = (uv.hrtime() - begun) / 1e9
  thread:join()
  say(n / took, "msg/s", sum)
end

local works = {}

works["oneway-int"] = function()
  stream(8, function(fd, n, start)
    local luv = require "luv"
    for i = 1, n do assert(luv.fs_write(fd, string.pack("<i8", (i * 7 + start) % 1000003))) end
  end, function(text, at) return (string.unpack("<i8", text, at)) end)
end

works["oneway-str64"] = function()
  stream(64, function(fd, n, start)
    local luv, strings = require "luv", {}
    for k = 0, 15 do strings[k] = string.char(97 + (k + start) % 26):rep(64) end
    for i = 1, n do assert(luv.fs_write(fd, strings[i & 15])) end
  end, function(text, at, i) return 64 + (i & 63 == 0 and text:byte(at) or 0) end)
end

function works.pingpong()
  local mine, other = pair()
  local begun, sum = uv.hrtime(), 0
  local thread = assert(uv.new_thread(function(fd, n)
    local luv = require "luv"
    for _ = 1, n do assert(luv.fs_write(fd, luv.fs_read(fd, 8))) end
  end, other, messages))
  for i = 1, messages do
    assert(uv.fs_write(mine, string.pack("<i8", (i * 7 + seed) % 1000003)))
    sum = sum + string.unpack("<i8", assert(uv.fs_read(mine, 8)))
  end
  local took = (uv.hrtime() - begun) / 1e3
  thread:join()
  say(took / messages, "us", sum)
end

-- One after the other: threads that are alive together would each hold several descriptors.
function works.spawn()
  local mine, other = pair()
  local begun, sum = uv.hrtime(), 0
  for i = 1, messages do
    local thread = assert(uv.new_thread(function(fd)
      local luv = require "luv"
      luv.fs_write(fd, luv.fs_read(fd, 8))
    end, other))
    assert(uv.fs_write(mine, string.pack("<i8", (i * 7 + seed) % 1000003)))
    sum = sum + string.unpack("<i8", assert(uv.fs_read(mine, 8)))
    thread:join()
  end
  say((uv.hrtime() - begun) / 1e3 / messages, "us", sum)
end

local run = works[o.work]
if not run then
  io.stderr:write("there is no work ", o.work, "\n")
  os.exit(69)
end
run()
