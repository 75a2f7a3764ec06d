-- chief.simulate: what it takes, what it tells, and what a test gets wrong. examples/simulate shows it at work.
local app_folder = require "app_folder"
local chief = require "chief"

local FLAKY = { module = "nowhere.flaky", restart = { delay = 0.1, jitter = 0 } }

local function simulate(workers, options, more)
  local app = { workers = workers }
  for key, value in pairs(more or {}) do app[key] = value end
  return assert(chief.simulate(app, options))
end

local function started(...)
  local sim = simulate(...)
  assert.is_true(sim:start())
  sim:take()
  return sim
end

-- Events as words: "a failed", "restart a 0.1".
local function words(events)
  local list = {}
  for i, event in ipairs(events) do
    local text = event.kind == "state" and event.state or event.kind
    list[i] = event.worker and ("%s %s"):format(event.worker, text) or text
    if event.delay then list[i] = ("%s %g"):format(list[i], event.delay) end
  end
  return list
end

-- The error is one of the line in this file that asked.
local function raises(pattern, ask)
  local ok, message = pcall(ask)
  assert.is_false(ok)
  assert.matches("simulate_spec%.lua:%d+: " .. pattern, message)
end

describe("a simulation", function()
  it("loads no module", function()
    local workers = { a = FLAKY, b = { native = "/nowhere/plugin.so" }, c = { module = function() os.exit(1) end } }
    local sim = started(workers)
    assert.same({ a = "run", b = "run", c = "run" }, sim:states())
  end)

  it("is made from an app file", function()
    local root = app_folder.make({ ["app.lua"] = 'return { workers = { a = { module = "no.such" } } }' })
    local sim = assert(chief.simulate(root .. "/app.lua"))
    app_folder.remove(root)
    assert.is_true(sim:start())
    assert.equal("run", sim:state("a"))
  end)

  it("tells every mistake of the app, as chief.load does", function()
    local sim, message, code = chief.simulate({ workers = { a = { module = "m", restrat = 1, after = { "b" } } } })
    assert.is_nil(sim)
    assert.matches('workers%.a%.restrat: unknown key.*\nworkers%.a%.after%[1%]: no worker is called "b"', message)
    assert.equal("invalid", code)
    sim, message = chief.simulate("/nowhere/app.lua")
    assert.is_nil(sim)
    assert.matches("/nowhere/app%.lua: cannot be read", message)
    sim, message = chief.simulate({ workers = { a = { module = "m", after = { "b" } },
      b = { module = "m", after = { "a" } } } })
    assert.is_nil(sim)
    assert.matches("a circle in which none could start", message)
  end)

  it("takes what a module says of itself from the options", function()
    local workers = { a = { module = "m" }, b = { module = "m", restart = "never" } }
    local sim = started(workers, { modules = { a = { restart_on_fail = true, ready = true },
      b = { restart_on_fail = true } } })
    sim:ready("a")
    sim:fail("a")
    sim:fail("b")
    assert.same({ "waiting", "given_up" }, { sim:status("a")[1].phase, sim:status("b")[1].phase })
    local none, message = chief.simulate({ workers = workers }, { modules = { c = {} } })
    assert.is_nil(none)
    assert.equal('modules: no worker is called "c"', message)
  end)

  it("runs some of the workers", function()
    local sim = started({ a = { module = "m", count = 2 }, b = { module = "m", after = { "a" } } },
      { workers = { "a/2", "b" } })
    assert.same({ ["a/1"] = "disabled", ["a/2"] = "run", b = "run" }, sim:states())
    local none, message, code = chief.simulate({ workers = { a = FLAKY } }, { workers = { "c" } })
    assert.is_nil(none)
    assert.equal("invalid service name c; there are: a", message)
    assert.equal("not_found", code)
  end)

  it("has the same delays each time, and others with another seed", function()
    local function delays(seed)
      local list, sim = {}, started({ a = { module = "m", restart = "on_failure" } }, { seed = seed })
      for i = 1, 5 do
        sim:fail("a")
        list[i] = sim:next()
      end
      return list
    end
    assert.same(delays(), delays())
    assert.same(delays(7), delays(7))
    assert.not_same(delays(), delays(7))
  end)

  it("keeps what it told", function()
    local sim = started({ a = FLAKY })
    sim:fail("a", "boom")
    assert.same({ "a failed", "a restart 0.1" }, words(sim:take()))
    assert.same({}, sim:take())
    sim:advance(0.1)
    assert.same({ "a initialized", "a run", "a ready" }, words(sim:take()))
    assert.equal(10, #sim:events())
    local failed = sim:events()[6]
    assert.same({ "boom", "error", "run", 1 }, { failed.error, failed.reason, failed.previous, failed.generation })
  end)

  it("has a clock that is told", function()
    local sim = started({ a = FLAKY })
    assert.equal(0, sim:now())
    assert.is_nil(sim:deadline())
    assert.is_nil(sim:next())
    sim:advance(1.5)
    sim:fail("a")
    assert.equal(1.6, sim:deadline())
    sim:advance(0.099)
    assert.equal("failed", sim:state("a"))
    sim:advance(0.001)
    assert.equal("run", sim:state("a"))
    assert.equal(1.6, sim:now())
    assert.equal("chief.simulation at 1.6 s", tostring(sim))
  end)

  it("passes many deadlines at once, in their order", function()
    local sim = started({ a = FLAKY, b = { module = "m", restart = { delay = 0.3, jitter = 0 } } })
    sim:fail("b")
    sim:fail("a")
    sim:take()
    sim:advance(3600)
    assert.same({ "a initialized", "a run", "a ready", "b initialized", "b run", "b ready" }, words(sim:take()))
  end)

  it("fails inits", function()
    local sim = simulate({ a = FLAKY })
    sim:fail_init("a", "no port", 2)
    assert.is_true(sim:start())
    sim:take()
    assert.equal("no port", sim:status("a")[1].error)
    sim:advance(1)
    assert.same({ "a failed", "a restart 0.2", "a initialized", "a run", "a ready" }, words(sim:take()))
  end)

  it("stops, forces and abandons", function()
    local sim = started({ a = FLAKY, busy = { module = "m", grace = 2 }, stuck = { module = "m", grace = 1 } })
    sim:behave("busy", "busy")
    sim:behave("stuck", "stuck")
    sim:signal()
    assert.same({ "stopping", "a stopped" }, words(sim:take()))
    sim:advance(1.1)
    assert.same({ "stuck forced", "stuck failed", "stuck abandoned" }, words(sim:take()))
    assert.is_nil(sim:exit_code())
    sim:advance(1)
    assert.same({ "busy forced", "busy stopped", "stopped" }, words(sim:take()))
    assert.equal(75, sim:exit_code())
    assert.is_true(sim:has_stopped())
  end)

  it("ends as `chief run` would", function()
    local sim = started({ a = FLAKY })
    sim:finish("a")
    assert.equal(0, sim:exit_code())
    sim = started({ a = { module = "m" } })
    sim:fail("a")
    assert.equal(1, sim:exit_code())
    sim = started({ a = FLAKY }, nil, { keep = true })
    sim:finish("a")
    assert.is_nil(sim:exit_code())
    sim:stop()
    assert.equal(0, sim:exit_code())
  end)

  it("knows groups and the budget of the whole", function()
    local sim = started({ db = FLAKY, api = FLAKY }, nil, {
      groups = { both = { policy = "one_for_all", workers = { "db", "api" } } },
      restart_budget = { max_restarts = 1, window = 60 },
    })
    sim:fail("api")
    assert.same({ "api failed", "api restart 0.1", "db restart 0.1", "db stopped", "db initialized", "db run",
      "db ready" }, words(sim:take()))
    sim:advance(0.1)
    assert.equal("run", sim:state("api"))
    sim:fail("db")
    assert.equal(70, sim:exit_code())
  end)

  it("looks at exit codes", function()
    local sim = started({ a = { module = "m", restart = "on_failure", no_restart_codes = { 2 } } })
    sim:exit("a", 1)
    assert.equal("exit 1", sim:status("a")[1].error)
    sim:advance(1)
    sim:exit("a", 2)
    assert.equal("given_up", sim:status("a")[1].phase)
    sim = started({ a = FLAKY })
    sim:exit("a", 0)
    assert.equal("stopped", sim:state("a"))
  end)

  it("takes requests, and answers as a chief does", function()
    local sim = started({ a = FLAKY, crew = { module = "m", count = 2 } })
    assert.is_true(sim:stop("crew"))
    assert.equal("stopped", sim:state("crew"))
    assert.is_true(sim:start("crew/1"))
    assert.equal("stopped", sim:state("crew"))
    assert.is_true(sim:start("crew"))
    assert.equal("run", sim:state("crew"))
    assert.is_true(sim:restart("a"))
    assert.equal(2, sim:status("a")[1].generation)
    assert.is_true(sim:add_worker("late", { after = { "a" }, count = 2 }))
    assert.equal("run", sim:state("late/2"))
    assert.is_true(sim:remove("late"))
    local ok, message, code = sim:start("a")
    assert.is_nil(ok)
    assert.equal("worker a: run to run is not a legal change", message)
    assert.equal("wrong_state_change", code)
    ok, message, code = sim:stop("late")
    assert.is_nil(ok)
    assert.equal("invalid service name late; there are: a, crew (crew/1, crew/2)", message)
    assert.equal("not_found", code)
  end)

  it("tells what a real chief tells", function()
    local workers = { a = { module = "spec_ends", after = { "b" } }, b = { module = "spec_ends", count = 2 } }
    local root = app_folder.make({ ["spec_ends.lua"] = [[
      return { ready = true, run = function(_, ctx) ctx:ready() ctx:recv() return true end }]] })
    local path = package.path
    package.path = root .. "/?.lua;" .. path
    local c = assert(chief.load({ log = { level = "off" }, workers = workers }))
    package.path = path
    local told = {}
    local function note(event)
      local about = event.worker or ""
      told[about] = told[about] or {}
      table.insert(told[about], ("%s %s %s %d"):format(event.kind, event.state or "-", event.reason or "-",
        event.generation))
    end
    c:on("*", note)
    assert(c:init_workers())
    assert(c:launch())
    assert(c:wait_ready(10))
    c:stop()
    assert(c:join(10))
    c:close()
    app_folder.remove(root)
    local real
    real, told = told, {}
    local sim = simulate(workers, { modules = { a = { ready = true }, b = { ready = true } } }, { keep = true })
    assert(sim:start())
    for _, name in ipairs({ "b/1", "b/2", "a" }) do sim:ready(name) end
    sim:stop()
    for _, event in ipairs(sim:events()) do note(event) end
    assert.same(real, told)
  end)
end)

describe("a test that is wrong", function()
  local sim
  before_each(function() sim = started({ a = FLAKY, crew = { module = "m", count = 2 } }) end)

  local function says(pattern, method, ...)
    local arguments = table.pack(...)
    raises(pattern, function()
      sim[method](sim, table.unpack(arguments, 1, arguments.n))
    end)
  end

  it("asks for a worker that is none", function()
    says("fail: invalid service name ap; there are: a, crew %(crew/1, crew/2%)", "fail", "ap")
    says("finish: invalid service name ap;", "finish", "ap")
    says("fail_init: invalid service name ap;", "fail_init", "ap")
    says("behave: invalid service name ap;", "behave", "ap", "busy")
    says("status: invalid service name ap;", "status", "ap")
    says("fail: worker crew has replicas: say which, such as crew/1", "fail", "crew")
  end)

  it("asks too much of a worker", function()
    sim:fail("a")
    says("fail: worker a does not run: it is failed %(waiting%)", "fail", "a")
    says("finish: worker a does not run", "finish", "a")
    says("ready: worker crew/1 is ready when it runs", "ready", "crew/1")
    says('behave: should be "obeys", "busy" or "stuck", got "calm"', "behave", "a", "calm")
    says("exit: should be an exit code, got \"x\"", "exit", "crew/1", "x")
  end)

  it("turns the clock back", function()
    says("advance: time does not go backwards", "advance", -0.1)
    says("advance: should be a number of seconds, got \"1\"", "advance", "1")
    assert.equal(0, sim:now())
  end)

  it("starts twice, or not", function()
    local ok, message, code = sim:start()
    assert.is_nil(ok)
    assert.equal("the simulation was started before", message)
    assert.equal("busy", code)
    sim = simulate({ a = FLAKY })
    says("stop: the simulation has not been started", "stop")
    says("fail: worker a does not run: it is present %(idle%)", "fail", "a")
  end)

  it("gives what is no app and no option", function()
    raises("chief%.simulate: should be the path of an app file or a table, got a number", function()
      assert(chief.simulate(5))
    end)
    raises('chief%.simulate: sed: unknown key "sed"; did you mean "seed"%?', function()
      assert(chief.simulate({}, { sed = 1 }))
    end)
  end)
end)
