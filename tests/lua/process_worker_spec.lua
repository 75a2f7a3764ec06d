-- Lua workers in processes: what is different there from threads. What is the same is told by the specs that run in
-- both.
local core = require "chief.core"
local process = require "chief.process"
local app_folder = require "app_folder"
local chief = require "chief"

local LIMIT = 10 * (tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1)

-- A worker whose run has `out`, the channel that the spec reads.
local function running(body)
  return ([[return { run = function(self, ctx)
    local out = ctx:channel("out")
    %s
    return true
  end }]]):format(body)
end

local c, folder, out

-- A chief that keeps its log, with one worker in a process.
local function start(code, options, job)
  folder = app_folder.make { ["w.lua"] = type(code) == "string" and code or "" }
  package.path = folder .. "/?.lua;" .. package.path
  c = chief.new { name = "test", log = { level = "off" }, force_time = 10 }
  assert(c:add_channel("out"))
  assert(c:add_channel("jobs", { delivery = "at_least_once" }))
  if job then assert(c:channel("jobs"):send(job)) end
  options = options or {}
  options.isolation = options.isolation or "process"
  assert(c:add_worker("w", type(code) == "string" and "w" or code, options))
  out = assert(c:channel("out"))
  assert(c:init_workers())
  assert(c:launch())
end

local function next_report()
  local value, message = out:recv(LIMIT)
  assert(value ~= nil, message)
  return value
end

local function status(name) return c:status(name)[1] end

local function ended()
  assert(c:wait("w", "failed", LIMIT))
  return status("w")
end

describe("a Lua worker in a process", function()
  local path
  before_each(function() path = package.path end)
  after_each(function()
    if c then c:close() end
    if folder then app_folder.remove(folder) end
    c, folder, package.path = nil, nil, path
  end)

  it("has a process of its own", function()
    start(running [[
      local file = io.open("/proc/self/stat")
      out:send(file:read("n"))]])
    local file = assert(io.open("/proc/self/stat"))
    local own = file:read("n")
    file:close()
    local its = next_report()
    assert.is_true(its > 0 and its ~= own)
    assert(c:wait("w", "stopped", LIMIT))
  end)

  it("may be a function", function()
    start(function(ctx)
      ctx:channel("out"):send { name = ctx.name, args = ctx.args }
      return true
    end, { args = { 1, "two" } })
    assert.same({ name = "w", args = { 1, "two" } }, next_report())
  end)

  it("is refused a function that captures a local", function()
    c = chief.new { log = { level = "off" } }
    local captured = 1
    assert.error_matches(function()
      c:add_worker("w", function() return captured end, { isolation = "process" })
    end, "uses the local 'captured'")
  end)

  it("takes the process down with it when it crashes, and nobody else", function()
    start(running [[
      out:send("here")
      os.execute("kill -ABRT $PPID")
      ctx:sleep(60)]])
    assert.equal("here", next_report())
    local its = ended()
    assert.equal("killed", its.reason)
    assert.matches("killed by signal 6", its.error)
  end)

  it("exits with its code", function()
    start(running "os.exit(7)", { restart = "on_failure", no_restart_codes = { 7 } })
    local its = ended()
    assert.equal("lua_error", its.reason)
    assert.equal("exit 7", its.error)
    assert.equal("given_up", its.phase)
  end)

  it("fails with its text and traceback", function()
    start(running "error('oops')")
    local its = ended()
    assert.equal("lua_error", its.reason)
    assert.matches("w%.lua:3: oops$", its.error)
    assert.matches("stack traceback:.*w%.lua:3", its.traceback)
  end)

  it("keeps its memory limit", function()
    start(running [[
      local all = {}
      while true do pcall(function() all[#all + 1] = { #all } end) end]], { memory_limit = "2MB" })
    local its = ended()
    assert.equal("memory_limit", its.reason)
    assert.matches("^memory limit: .*, 2%.0 MiB allowed$", its.error)
    assert.matches("stack traceback:.*w%.lua:4", its.traceback)
  end)

  it("is one from the next life on when it had to be ended by force too often", function()
    start(running [[
      local file = io.open("/proc/self/stat")
      out:send(file:read("n"))
      local all = {}
      if ctx.generation < 3 then while true do all[#all + 1] = { #all } end end]],
      { isolation = "thread", memory_limit = "2MB", process = { env = { MOVED = "yes" } },
        restart = { delay = 0, isolate_after = 2 } })
    local file = assert(io.open("/proc/self/stat"))
    local own = file:read("n")
    file:close()
    assert.equal(own, next_report())
    assert.equal(own, next_report())
    assert.not_equal(own, next_report())
    assert(c:wait("w", "stopped", LIMIT))
  end)

  it("keeps its schedule, and acknowledges with each run", function()
    start(running [[
      self.runs = (self.runs or 0) + 1
      if self.runs == 1 then self.job = ctx:channel("jobs"):recv(0) end
      out:send { self.runs, self.job }]], { every = 0.01 }, "a job")
    for run = 1, 3 do assert.same({ run, "a job" }, next_report()) end
    local stats = assert(c:channel("jobs")):stats()
    assert.equal(1, stats.acknowledged)
    assert(c:stop("w"))
    assert(c:wait("w", "stopped", LIMIT))
  end)

  it("starts as its process is asked to", function()
    start(running [[
      local p = io.popen("pwd; echo $WORD; umask; ulimit -n")
      out:send { p:read("l", "l", "l", "n") }]],
      { process = { cwd = "/", env = { WORD = "said" }, umask = "027", files = 99 } })
    assert.same({ "/", "said", "0027", 99 }, next_report())
  end)

  it("is killed with all that it started when it does not end", function()
    start(running [[
      local p = io.popen("trap '' TERM; echo go; while true; do sleep 1; done")
      out:send(p:read("l"))
      local loop = ("a"):rep(500000)
      loop:find((".-"):rep(40) .. "b")]], { grace = 0.05 })
    assert.equal("go", next_report())
    assert(c:stop("w"))
    assert(c:wait("w", "stopped", LIMIT))
    assert.equal("killed", status("w").reason)
  end)

  it("is not added when its process can't be started", function()
    c = chief.new { log = { level = "off" } }
    assert.error_matches(function()
      c:add_worker("w", function() return true end, { isolation = "process", process = { umask = "9" } })
    end, "process%.umask: should be")
    assert.error_matches(function()
      c:add_worker("w", function() return true end, { process = { files = 9 } })
    end, 'process: is for workers in processes: say isolation = "process" as well')
  end)
end)

describe("what a process prints", function()
  it("is in the log, line by line", function()
    local command = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/cli/command.lua")
    local root = app_folder.make {
      ["app.lua"] = 'return { workers = { one = { module = "one" } } }',
      ["one.lua"] = [[return { run = function()
        print("a line")
        io.stderr:write("a second\n")
        io.write("no newline")
        return true
      end }]],
    }
    local code, shown, log = command.run(root, "run", "app.lua", "--isolation", "process")
    app_folder.remove(root)
    assert.same({ 0, "" }, { code, shown })
    for _, line in ipairs({ "a line", "a second", "no newline" }) do
      assert.matches(line .. "[^\n]*worker=one", log)
    end
  end)
end)

describe("the command of a process", function()
  it("is a program that is there", function()
    local command = assert(process.command("w"))
    local file = assert(io.open(command[1]))
    file:close()
    assert.is_true(core.worker_program() == nil or core.worker_program() == command[1])
  end)
end)
