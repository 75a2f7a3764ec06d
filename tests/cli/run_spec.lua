-- `chief run` as a process: how it ends, by itself and by signals, and what a person sees of it.
local app_folder = require "app_folder"
local command = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/cli/command.lua")

local root

-- An app file of workers by name; each file of a worker says what it does.
local function app(text, workers)
  local files = { ["app.lua"] = text }
  for name, code in pairs(workers or {}) do files["workers/" .. name .. ".lua"] = code end
  root = app_folder.make(files)
  return root
end

local WAITS = "return { run = function(_, ctx) while ctx:sleep(3600) do end return true end }"
local ENDS = "return { run = function() return true end }"
local RAISES = "return { run = function() error('oops') end }"
local STUCK = [[
return { run = function(_, ctx)
  ctx.log:info("stuck")
  while true do end
end }]]

local ONE = 'return { workers = { one = { module = "workers.one" } } }'

local CREW = [[return { workers = {
  crew = { module = "workers.crew", count = 3 }, other = { module = "workers.crew" } } }]]

-- The names of those that became ready, sorted.
local function ready(text)
  local names = {}
  for line in text:gmatch("[^\n]+") do
    if line:find("worker ready", 1, true) then names[#names + 1] = line:match("worker=(%S+)") end
  end
  table.sort(names)
  return names
end

describe("chief run", function()
  after_each(function()
    if root then app_folder.remove(root) end
    root = nil
  end)

  for _, signal in ipairs({ "TERM", "INT" }) do
    it("ends cleanly at SIG" .. signal, function()
      local running = command.start(app(ONE, { one = WAITS }), "run", "app.lua")
      running:read_until("worker ready")
      running:signal(signal)
      local code, text = running:finish()
      assert.equal(0, code, text)
      assert.matches("worker stopped", text)
    end)
  end

  -- FAULTS 18: wrappers send their signal twice. However late the second comes, it is the same stop.
  it("ends cleanly at a volley of signals", function()
    app(ONE, { one = WAITS })
    for _ = 1, 10 do
      local running = command.start(root, "run", "app.lua")
      running:read_until("worker ready")
      running:signal("INT", 500)
      local code, text = running:finish()
      assert.equal(0, code, text)
    end
  end)

  it("runs all workers as fibers when asked to, on as many threads as the app says", function()
    local where = [[return { run = function(_, ctx)
      local names
      local function count()
        local list = io.popen("cat /proc/" .. io.open("/proc/self/stat"):read("n") .. "/task/*/comm")
        names = {}
        for name in list:lines() do names[name] = (names[name] or 0) + 1 end
        return names["chief-fibers"] or 0
      end
      -- A thread has its name when it has begun.
      for _ = 1, 500 do
        local n = count()
        if n == 0 or n >= 3 then break end
        ctx:sleep(0.01)
      end
      ctx.log:info(("fibers: %d, own: %s"):format(names["chief-fibers"] or 0, names[ctx.name] or 0))
      return true
    end }]]
    local text = [[return { fiber_threads = 3, workers = {
      one = { module = "workers.one", isolation = "thread" }, two = { module = "workers.one" } } }]]
    app(text, { one = where })
    local _, _, log = command.run(root, "run", "app.lua")
    assert.matches("fibers: 0, own: 1 worker=one", log)
    assert.matches("fibers: 0, own: 1 worker=two", log)
    _, _, log = command.run(root, "run", "app.lua", "--isolation", "fiber")
    assert.matches("fibers: [3-9], own: 0 worker=one", log)
    assert.matches("fibers: [3-9], own: 0 worker=two", log)
  end)

  it("logs as JSON when asked to", function()
    local code, out, err = command.run(app(ONE, { one = ENDS }), "run", "--json", "app.lua")
    assert.same({ 0, "" }, { code, out })
    assert.matches('"message":"worker ready"', err)
    for line in err:gmatch("[^\n]+") do assert.matches('^{"time":.*}$', line) end
  end)

  it("runs replicas by their name and one by one", function()
    app(CREW, { crew = ENDS })
    local code, _, err = command.run(root, "run", "app.lua", "crew")
    assert.equal(0, code, err)
    assert.same({ "crew/1", "crew/2", "crew/3" }, ready(err))
    code, _, err = command.run(root, "run", "app.lua", "crew/2", "other")
    assert.equal(0, code, err)
    assert.same({ "crew/2", "other" }, ready(err))
    code, _, err = command.run(root, "run", "app.lua", "crew/4")
    assert.equal(64, code)
    assert.matches("invalid service name crew/4; there are: crew %(crew/1 … crew/3%), other", err)
  end)

  it("ends by itself when nothing is left to run", function()
    local code, out, err = command.run(app(ONE, { one = ENDS }), "run", "app.lua")
    assert.equal(0, code, err)
    assert.equal("", out)
  end)

  it("exits 1 when a worker had failed, and shows where", function()
    local code, _, err = command.run(app(ONE, { one = RAISES }), "run", "app.lua")
    assert.equal(1, code, err)
    assert.matches("error +worker failed", err)
    assert.matches("workers/one%.lua:1: oops", err)
    assert.matches("stack traceback:", err)
  end)

  it("says that nothing is left, and stays where the app says keep", function()
    local text = 'return { keep = true, workers = { one = { module = "workers.one" } } }'
    local running = command.start(app(text, { one = RAISES }), "run", "app.lua")
    running:read_until("nothing left to run %(1 failed: one%)")
    running:signal("TERM")
    assert.equal(1, (running:finish()))
  end)

  it("runs only those named, and warns of the other end of a channel", function()
    local text = [[
      return { channels = { jobs = {} }, workers = {
        maker = { module = "workers.one", sends = { "jobs" } },
        taker = { module = "workers.one", receives = { "jobs" } },
      } }]]
    local code, _, err = command.run(app(text, { one = ENDS }), "run", "app.lua", "taker")
    assert.equal(0, code, err)
    assert.equal(1, select(2, err:gsub("warn +channel jobs: maker, its sender, does not run here", "")))
    assert.is_nil(err:find("worker=maker", 1, true))
  end)

  for _, isolation in ipairs { "thread", "fiber", "process" } do
    it("forces at a second signal, names who was interrupted, and exits 75: " .. isolation, function()
      local running = command.start(app(ONE, { one = STUCK }), "run", "app.lua", "--isolation", isolation)
      running:read_until("stuck")
      running:signal("TERM")
      running:read_until("stopping")
      -- A second signal counts from 500 ms on; sooner it is the same stop, as terminals and wrappers send two.
      os.execute("sleep 0.6")
      running:signal("TERM")
      local code, text = running:finish()
      assert.equal(75, code, text)
      assert.matches("worker interrupted.* worker=one.*the stop was forced", text)
    end)
  end

  it("drains the rest and exits 70 when a critical worker is given up (FAULTS 9)", function()
    local text = [[
      return { on_shutdown = function() io.stderr:write("hook\n") end, workers = {
        low = { module = "workers.drains" },
        high = { module = "workers.drains", after = { "low" } },
        db = { module = "workers.raises", after = { "high" }, critical = true,
          restart = { delay = 0, max_restarts = 2, window = 60 } },
      } }]]
    local code, _, err = command.run(app(text, { raises = RAISES, drains = [[
      return { run = function(_, ctx)
        while ctx:sleep(3600) do end
        ctx.log:info("drained")
        return true
      end }]] }), "run", "app.lua")
    assert.equal(70, code, err)
    assert.equal(3, select(2, err:gsub("worker failed", "")), err)
    assert.matches('worker given up: it will not be restarted .*error="given up: 3 failures in 60%.0 s: .-oops', err)
    assert.matches('stopping .*why="critical worker db given up: 3 failures in 60%.0 s: .-oops', err)
    assert.matches("drained worker=high.*drained worker=low.*hook", err)
    assert.matches('error +stopped .*error="critical worker db given up: 3 failures in 60%.0 s', err)
  end)

  it("exits 70 when the restarts of all together are too many", function()
    local text = [[
      return { restart_budget = { max_restarts = 3, window = 60 }, workers = {
        one = { module = "workers.one", restart = { delay = 0 } },
        two = { module = "workers.one", restart = { delay = 0 } },
      } }]]
    local code, _, err = command.run(app(text, { one = RAISES }), "run", "app.lua")
    assert.equal(70, code, err)
    assert.matches('why="restart budget spent, worker %w+ given up: all together were to be restarted more than '
      .. '3 times in 60%.0 s: .-oops', err)
  end)

  local SHORT = 'return { force_stop_timeout = 0.2, workers = { one = { module = "workers.one" } } }'

  it("interrupts who does not end in time, and exits 75", function()
    local running = command.start(app(SHORT, { one = STUCK }), "run", "app.lua")
    running:read_until("stuck")
    running:signal("TERM")
    assert.equal(75, (running:finish()))
  end)

  -- FAULTS 17
  it("abandons who can't be interrupted, says where it was, and exits 75 in time", function()
    if os.getenv("CHIEF_SANITIZE") == "thread" then return end -- no signal arrives there (tests/faults)
    local deep = [[return { run = function(self, ctx)
      ctx.log:info("stuck")
      return ("a"):rep(40):find((".-"):rep(30) .. "b")
    end }]]
    -- Where it is, the signals of the interrupt find out, once the thread has been given a processor.
    local text_of = SHORT:gsub("return {", "return { force_time = 1,")
    local running = command.start(app(text_of, { one = deep }), "run", "app.lua")
    running:read_until("stuck")
    running:signal("TERM")
    local code, text = running:finish()
    assert.equal(75, code, text)
    assert.matches("Graceful exit timeout exceeded: one %(in C %(find%), called from [^ ]*one.lua:3%)", text)
  end)

  it("logs SIGHUP and goes on; SIGUSR2 puts the states into the log", function()
    local running = command.start(app(ONE, { one = WAITS }), "run", "app.lua")
    running:read_until("worker ready")
    running:signal("HUP")
    running:read_until("HUP")
    running:signal("USR2")
    running:read_until('one')
    running:signal("TERM")
    assert.equal(0, (running:finish()))
  end)

  it("survives a reader that goes away", function()
    local folder = app(ONE, { one = ENDS })
    local line = "cd %s && { %s check app.lua; echo $? >code; } | true"
    assert(os.execute(line:format(app_folder.quote(folder), command.program)))
    local file = assert(io.open(folder .. "/code"))
    assert.equal("0", file:read("l"))
    file:close()
  end)

  it("logs JSON, and only what the level lets through", function()
    local _, _, err = command.run(app(ONE, { one = RAISES }), "run", "app.lua", "--log-format", "json",
      "--log-level", "error")
    for line in err:gmatch("[^\n]+") do assert.matches('^{"time":"[^"]+","level":"error",.*}$', line) end
    assert.matches('"error":"[^"]*oops', err)
  end)

  it("runs the app's shutdown hook after the last worker", function()
    local text = [[
      return { workers = { one = { module = "workers.one" } },
        on_shutdown = function() io.stderr:write(require("lib.words").bye, "\n") end }]]
    local folder = app(text, { one = "return { run = function(_, ctx) ctx.log:info('worked') return true end }" })
    assert(os.execute("mkdir " .. folder .. "/lib"))
    local file = assert(io.open(folder .. "/lib/words.lua", "w"))
    file:write('return { bye = "goodbye" }')
    file:close()
    local code, _, err = command.run(folder, "run", "app.lua")
    assert.equal(0, code, err)
    assert.matches("worked.*goodbye", err)
  end)

  it("passes arguments and runs functions of the app file", function()
    local text = [[
      return { workers = { one = { args = { word = "hello" },
        module = function(ctx) ctx.log:info(ctx.args.word) return true end } } }]]
    local code, _, err = command.run(app(text), "run", "app.lua")
    assert.equal(0, code, err)
    assert.matches("info +hello", err)
  end)
end)
