-- `require "chief"` from a Lua program: a chief's life, its events, its hooks, and what a program gets wrong.
local app_folder = require "app_folder"
local chief = require "chief"

local root = app_folder.make({
  ["spec_waits.lua"] = "return { run = function(_, ctx) while ctx:sleep(3600) do end return true end }",
  ["spec_ends.lua"] = "return { run = function() return true end }",
  ["spec_raises.lua"] = "return { run = function() error('oops') end }",
  ["spec_echo.lua"] = [[
    return { run = function(_, ctx)
      for value, info in ctx:iter() do info:reply({ ctx.name, value }) end
      return true
    end }]],
  ["spec_no_run.lua"] = "return {}",
  ["spec_colon.lua"] = "local M = {} function M:init() end function M.run() end return M",
  ["spec_stuck.lua"] = "return { run = function(_, ctx) ctx:ready() while true do end end }",
  ["app.lua"] = [[
    return { name = "loaded", log = { level = "off" }, channels = { jobs = {} },
      workers = { one = { module = "spec_ends" }, two = { module = "spec_ends", after = { "one" } } } }]],
})
local path = package.path
setup(function() package.path = root .. "/?.lua;" .. path end)
teardown(function()
  package.path = path
  app_folder.remove(root)
end)

local QUIET = { level = "off" }

local function new(options)
  options = options or {}
  options.log = options.log or QUIET
  return chief.new(options)
end

-- A chief that ends when this worker has.
local function one(module, options)
  local c = new({ exit_when_done = true })
  assert(c:add_worker("one", module, options))
  return c
end

local function run(c)
  assert(c:init_workers())
  return c:start()
end

describe("join with a limit", function()
  -- The last event comes a moment before the chief has stopped.
  it("sees the end however close it is", function()
    for _ = 1, 100 do
      local c = new()
      assert(c:add_worker("one", "spec_ends"))
      assert(c:init_workers())
      assert(c:launch())
      assert(c:stop())
      assert.same({ true }, { c:join(10) })
      c:close()
    end
  end)
end)

describe("replicas", function()
  local c
  setup(function()
    c = new()
    assert(c:add_worker("echo", "spec_echo", { count = 3 }))
    assert(c:add_worker("last", "spec_waits", { after = { "echo" } }))
    assert(c:init_workers())
    assert(c:launch())
    assert(c:wait("last", "run", 10))
  end)
  teardown(function() c:close() end)

  it("are workers with numbers, in order", function()
    local names = {}
    for i, status in ipairs(c:status()) do names[i] = status.name end
    assert.same({ "echo/1", "echo/2", "echo/3", "last" }, names)
  end)

  it("are meant by their name", function()
    assert.is_true(c:wait("echo", "run", 0))
    assert.is_true(c:is_enabled("echo"))
    assert.same({ ["echo/1"] = "run", ["echo/2"] = "run", ["echo/3"] = "run" }, c:states("echo"))
    assert.same({ ["echo/2"] = "run" }, c:states("echo/2"))
    local ok, message, code = c:states("ech")
    assert.is_nil(ok)
    assert.equal("invalid service name ech; there are: echo (echo/1 … echo/3), last", message)
    assert.equal("not_found", code)
  end)

  it("answer in turn", function()
    local asked = {}
    for i = 1, 6 do asked[i] = c:call("echo", i, 10)[1] end
    assert.same({ "echo/1", "echo/2", "echo/3", "echo/1", "echo/2", "echo/3" }, asked)
    assert.equal("echo/3", c:call("echo/3", 1, 10)[1])
    assert.equal(4, c:broadcast("x"))
  end)

  it("are stopped, started and removed as one or one by one", function()
    assert.is_true(c:stop("echo/2"))
    assert.is_true(c:wait("echo/2", "stopped", 10))
    assert.same({ nil, "worker echo is not in that state yet", "would_block" }, { c:wait("echo", "run", 0) })
    assert.is_true(c:start("echo"))
    assert.is_true(c:wait("echo", "run", 10))
    assert.is_true(c:restart("echo"))
    assert.is_true(c:wait("echo", "run", 10))
    assert.is_true(c:remove("echo"))
    local removed = 0
    repeat
      for _, event in ipairs(assert(c:take_events(64, 10))) do
        if event.kind == "removed" then removed = removed + 1 end
      end
    until removed == 3
    assert.is_true(c:add_worker("echo", "spec_echo", { count = 2 }))
    assert.is_true(c:wait("echo", "run", 10))
  end)

  it("get no numbers from a program", function()
    assert.error_matches(function() c:add_worker("echo/4", "spec_echo") end, "only count gives numbers")
    assert.error_matches(function() c:add_worker("x", "spec_echo", { count = 0 }) end, "count: should be a number")
  end)
end)

describe("require \"chief\"", function()
  it("has what a program needs, and does not need argparse", function()
    assert.matches("^%d+%.%d+%.%d+$", chief.version)
    for _, name in ipairs({ "new", "load", "log", "channel", "rule", "pool", "context", "map", "pack", "unpack" }) do
      assert.equal("function", type(chief[name]), name)
    end
    assert.equal("run", chief.state.to_string(6))
  end)

  it("checks what it is given", function()
    assert.error_matches(function() chief.new({ nme = "x" }) end,
      'chief%.new: nme: unknown key "nme"; did you mean "name"%?')
    assert.error_matches(function() chief.new({ isolation = "process" }) end, "unknown key")
    assert.error_matches(function() chief.new(7) end, "chief%.new: should be a table")
    assert.error_matches(function() chief.log({ level = "loud" }) end, 'chief%.log: level: should be "debug"')
    assert.error_matches(function() chief.channel("a", { size = 1 }) end, 'unknown key "size"')
  end)

  it("blames the line that called it", function()
    local ok, message = pcall(function() chief.new({ nme = "x" }) end)
    assert.is_false(ok)
    assert.matches("api_spec%.lua:%d+: chief%.new", message)
  end)
end)

describe("a chief", function()
  it("has a name", function()
    local c = new({ name = "my-app" })
    assert.equal("my-app", c:name())
    assert.equal("chief my-app", tostring(c))
    c:close()
  end)

  it("says of itself what it was told, and when it started", function()
    local c = new({ name = "shop", info = { version = "1.2.3", build = "5f3c2a1" } })
    assert.same({ name = "shop", version = "1.2.3", build = "5f3c2a1" }, c:info())
    assert.truthy(c:states_json():find('"app":{"name":"shop","version":"1.2.3","build":"5f3c2a1"', 1, true))
    local before = os.time()
    assert(c:add_worker("one", "spec_ends"))
    c:exit_when_done()
    assert.is_true(run(c))
    local info = c:info()
    assert.equal("integer", math.type(info.pid))
    assert.is_true(info.started >= before and info.started <= os.time() + 1)
    assert.error_matches(function() new({ info = { version = 1.2 } }) end,
      'info%.version: should be a text such as "1%.2%.3", got 1%.2')
    assert.error_matches(function() new({ info = { versoin = "1" } }) end, 'did you mean "version"')
    assert.error_matches(function() new({ info = "1.2.3" }) end, "info: should be a table")
  end)

  it("runs a module to its end", function()
    local c = one("spec_ends")
    assert.is_true(run(c))
    assert.same({ one = "stopped" }, c:states())
    assert.equal(0, c:exit_code())
    assert.is_true(c:has_stopped())
  end)

  it("runs a function", function()
    local c = one(function(ctx)
      if ctx.args.word ~= "hello" then error("no arguments") end
      return true
    end, { args = { word = "hello" } })
    assert.is_true(run(c))
  end)

  it("tells a failure, its traceback in the status", function()
    local c = one("spec_raises")
    local ok, message, code = run(c)
    assert.is_nil(ok)
    assert.equal("string", type(message))
    assert.equal("failed", code)
    assert.equal(1, c:exit_code())
    local status = c:status()[1]
    assert.equal("one", status.name)
    assert.equal("failed", status.state)
    assert.equal("lua_error", status.reason)
    assert.matches("spec_raises%.lua:1: oops", status.error)
    assert.matches("stack traceback", status.traceback)
  end)

  it("is not started before init_workers", function()
    local c = one("spec_ends")
    local ok, _, code = c:start()
    assert.is_nil(ok)
    assert.equal("not_initialized", code)
    c:close()
  end)

  it("runs only the workers that were enabled by name", function()
    local c = new({ exit_when_done = true })
    assert(c:add_worker("one", "spec_ends"))
    assert(c:add_worker("two", "spec_ends"))
    assert.is_true(c:is_enabled("two"))
    assert.is_true(c:enable_workers("one"))
    assert.is_true(c:is_enabled("one"))
    assert.is_false(c:is_enabled("two"))
    assert.is_true(run(c))
    assert.equal("stopped", c:states().one)
    assert.not_equal("stopped", c:states().two)
  end)

  it("refuses an unknown name and lists those there are", function()
    local c = one("spec_ends")
    local ok, message, code = c:enable_workers("one", "nosuch")
    assert.is_nil(ok)
    assert.matches("^invalid service name nosuch.*one", message)
    assert.equal("not_found", code)
    ok, message = c:run_all("nosuch")
    assert.is_nil(ok)
    assert.matches("invalid service name nosuch", message)
    c:close()
  end)

  it("wants a name when nothing is enabled by default", function()
    local c = one("spec_ends")
    assert.is_true(c:enable_by_default(false) ~= nil)
    local ok, _, code = c:init_workers()
    assert.is_nil(ok)
    assert.equal("not_enabled", code)
    c:close()
  end)

  it("runs all, or those named", function()
    local c = one("spec_ends")
    assert.is_true(c:run_all())
    c = one("spec_ends")
    assert.is_true(c:run_all("one"))
    c = one("spec_ends")
    assert.is_true(c:run_all({ "one" }))
  end)

  it("stops when its parent context is done", function()
    local c = new()
    assert(c:add_worker("one", "spec_waits"))
    local parent = chief.context()
    assert(c:init_workers())
    assert(c:launch(parent))
    assert(c:wait("one", "run", 10))
    parent:cancel("enough")
    assert.is_true(c:join())
    assert.equal("stopped", c:states().one)
  end)

  it("says that it still runs when a join is too short", function()
    local c = new()
    assert(c:add_worker("one", "spec_waits"))
    assert(c:init_workers())
    assert(c:launch())
    local ok, message, code = c:join(0.01)
    assert.same({ nil, "still running", "timeout" }, { ok, message, code })
    assert.is_true(c:stop())
    assert.is_true(c:join())
  end)

  it("names who had to be abandoned", function()
    local c = new({ force_stop_timeout = 0.05 })
    assert(c:add_worker("one", "spec_stuck"))
    assert(c:init_workers())
    assert(c:launch())
    assert(c:wait("one", "run", 10))
    c:stop()
    local ok, message, code = c:join()
    assert.is_nil(ok)
    assert.equal("timeout", code)
    assert.matches("Graceful exit timeout exceeded.*one", message)
    assert.equal(75, c:exit_code())
  end)

  it("gives values to its context at any time", function()
    local c = one("spec_ends")
    assert.is_true(c:add_value("region", "north"))
    assert.equal("north", c:value("region"))
    assert.is_nil(c:value("nothing"))
    c:close()
  end)
end)

describe("a running chief", function()
  local c

  before_each(function()
    c = new()
    assert(c:add_worker("echo", "spec_echo"))
    assert(c:init_workers())
    assert(c:launch())
    assert(c:wait_ready(10))
  end)

  after_each(function()
    c:stop()
    c:join()
  end)

  it("starts, stops and restarts one worker by its name", function()
    assert.is_true(c:stop("echo"))
    assert.is_true(c:wait("echo", "stopped", 10))
    assert.is_true(c:start("echo"))
    assert.is_true(c:wait("echo", "run", 10))
    assert.is_true(c:restart("echo"))
    assert.is_true(c:wait("echo", "run", 10))
  end)

  it("refuses to start one that runs, and one that is not there", function()
    local ok, message, code = c:start("echo")
    assert.is_nil(ok)
    assert.equal("string", type(message))
    assert.equal("wrong_state_change", code)
    ok, message, code = c:start("nosuch")
    assert.is_nil(ok)
    assert.matches("nosuch", message)
    assert.equal("not_found", code)
    assert.equal("run", c:states().echo)
  end)

  it("takes another worker", function()
    assert.is_true(c:add("two", "spec_echo"))
    assert.is_true(c:wait("two", "run", 10))
    local ok, _, code = c:add("two", "spec_echo")
    assert.is_nil(ok)
    assert.equal("exists", code)
  end)

  it("removes one", function()
    assert.is_true(c:remove("echo"))
    repeat
      local events = assert(c:take_events(64, 10))
      local removed = false
      for _, event in ipairs(events) do removed = removed or event.kind == "removed" end
    until removed
    assert.is_nil(c:states().echo)
  end)

  it("answers calls of the host", function()
    assert.same({ "echo", { 1, 2 } }, c:call("echo", { 1, 2 }, 10))
    local ok, _, code = c:send("nosuch", 1)
    assert.is_nil(ok)
    assert.equal("not_found", code)
  end)

  it("knows its states as JSON", function() assert.matches('"name":"echo","state":"run"', c:states_json()) end)
end)

describe("adding a worker", function()
  local c

  before_each(function() c = new() end)
  after_each(function() c:close() end)

  it("refuses a second one of that name and keeps the first", function()
    assert(c:add_worker("one", "spec_ends"))
    local ok, message, code = c:add_worker("one", "spec_raises")
    assert.is_nil(ok)
    assert.matches("one", message)
    assert.equal("exists", code)
    assert.equal(1, #c:status())
  end)

  it("says what is wrong with the module", function()
    local wrong = { spec_nosuch = "spec_nosuch.*not found", spec_no_run = "no run", spec_colon = "colon" }
    for module, expected in pairs(wrong) do
      local ok, message, code = c:add_worker("one", module)
      assert.is_nil(ok)
      assert.matches(expected, message)
      assert.equal("string", type(code))
    end
    assert.same({}, c:status())
  end)

  it("refuses a table where a name belongs, and a function that captures", function()
    assert.error_matches(function() c:add_worker("one", { run = print }) end,
      'add_worker%("one"%): is a table: give the module\'s name')
    assert.error_matches(function() c:add_worker("one", function() return root end) end, "root")
    assert.error_matches(function() c:add_worker("one", { native = 1 }) end, "native: should be the path")
    assert.error_matches(function() c:add_worker("a b", "spec_ends") end, 'add_worker%("a b"%): should be a name')
    assert.error_matches(function() c:add_worker("one", "spec_ends", { restrat = 1 }) end, 'did you mean "restart"%?')
  end)

  it("shows where it was called wrongly", function()
    local wrongs = { { "one", { run = print } }, { "one", function() return root end }, { "one", { native = 1 } },
      { "a b", "spec_ends" }, { "one", "spec_ends", { restrat = 1 } } }
    for _, wrong in ipairs(wrongs) do
      local ok, message = pcall(function()
        c:add_worker(table.unpack(wrong))
        return nil -- else the call would be a tail call, which has no place
      end)
      assert.is_false(ok)
      assert.matches("^[^\n]*api_spec%.lua:%d+: add_worker%(", message)
    end
  end)

  it("refuses a plug-in that does not exist", function()
    local ok, _, code = c:add_worker("one", { native = root .. "/nosuch.so" })
    assert.is_nil(ok)
    assert.equal("not_found", code)
  end)
end)

describe("events", function()
  it("come to the handlers in the waiting thread, in order", function()
    local c = one("spec_ends")
    local states, all = {}, 0
    c:on("state", function(event) states[#states + 1] = event.state end)
    c:on("*", function() all = all + 1 end)
    assert.is_true(run(c))
    assert.same({ "initialized", "run", "stopped" }, { table.unpack(states, #states - 2) })
    assert.is_true(all > #states)
  end)

  it("are not lost to a handler that raises", function()
    local c = one("spec_ends")
    local heard = 0
    c:on("state", function() error("oops") end)
    c:on("state", function() heard = heard + 1 end)
    assert.is_true(run(c))
    assert.is_true(heard >= 3)
  end)

  it("are of kinds there are", function()
    local c = one("spec_ends")
    assert.error_matches(function() c:on("sttae", print) end,
      'on: no event and no level is called sttae; did you mean "state"%?')
    assert.error_matches(function() c:on("state", 1) end, "on: the handler should be a function")
    c:close()
  end)

  it("are heard by level, each by those of its level and below", function()
    local c = one("spec_raises")
    local heard = { debug = {}, info = {}, warn = {}, error = {} }
    for level, list in pairs(heard) do c:on(level, function(event) list[#list + 1] = event.level end) end
    local all = 0
    c:on("*", function() all = all + 1 end)
    assert.is_nil((run(c)))
    assert.same({ "error", "error" }, heard.error) -- the failure, and the end that tells it
    assert.same({ "error", "warn", "error" }, heard.warn) -- given up
    assert.is_true(#heard.info >= #heard.warn and #heard.debug > #heard.info)
    assert.equal(all, #heard.debug)
    assert.error_matches(function() c:on("off", print) end, "no event and no level is called off")
  end)

  it("below the level take no room", function()
    local c = new({ exit_when_done = true, event_level = "error", event_capacity = 2 })
    assert(c:add_worker("one", "spec_raises"))
    local seen = {}
    c:on("*", function(event) seen[#seen + 1] = event.kind end)
    assert.is_nil((run(c)))
    assert.same({ "state", "stopped" }, seen)
    assert.equal(0, c:events_dropped())
    assert.error_matches(function() new({ event_level = "loud" }) end, 'event_level: should be "debug"')
    assert.error_matches(function() c:event_level("lous") end, "event_level: should be")
    assert.is_true(c:event_level("off"))
  end)

  it("are walked through from a level on, within a time for each", function()
    local c = one("spec_raises")
    assert(c:init_workers())
    local before = {}
    for event in c:events({ level = "warn", timeout = 0 }) do before[#before + 1] = event.kind end
    assert.same({}, before)
    assert(c:launch())
    local kinds = {}
    for event in c:events({ level = "warn" }) do kinds[#kinds + 1] = event.kind end
    assert.same({ "state", "given_up", "stopped" }, kinds)
    assert.is_nil((c:join()))
    assert.error_matches(function() c:events({ levle = "warn" }) end, 'unknown key "levle"; did you mean "level"')
  end)

  it("can be walked through", function()
    local c = one("spec_ends")
    assert(c:init_workers())
    assert(c:launch())
    local last
    for event in c:events() do last = event.kind end
    assert.equal("stopped", last)
    assert.is_true(c:join())
  end)
end)

describe("joining with a time limit", function()
  it("does not take the last event for the end", function()
    for _ = 1, 200 do
      local c = one("spec_ends")
      assert(c:init_workers())
      assert(c:launch())
      assert.is_true(c:join(10))
    end
  end)
end)

describe("shutdown hooks", function()
  it("run after the last worker, the last one first, with their arguments, once", function()
    local c = one("spec_ends")
    local ran = {}
    c:on_shutdown(function(word) ran[#ran + 1] = word .. " " .. c:states().one end, "first")
    c:on_shutdown(function(word) ran[#ran + 1] = word end, "second")
    assert.is_true(run(c))
    c:join()
    assert.same({ "second", "first stopped" }, ran)
  end)

  it("are no reason to forget the others when one raises", function()
    local c = one("spec_ends")
    local ran = false
    c:on_shutdown(function() ran = true end)
    c:on_shutdown(function() error("oops") end)
    assert.is_true(run(c))
    assert.is_true(ran)
  end)

  it("are interrupted at their time limit, also in a loop of pcalls", function()
    local c = chief.new({ exit_when_done = true, hook_timeout = 0.05, log = QUIET })
    assert(c:add_worker("one", "spec_ends"))
    c:on_shutdown(function()
      while true do pcall(function() for _ = 1, 100 do end end) end
    end)
    assert.is_true(run(c))
  end)
end)

describe("chief.load", function()
  it("makes the chief of an app file", function()
    local c = assert(chief.load(root .. "/app.lua"))
    assert.equal("loaded", c:name())
    c:exit_when_done()
    assert.is_true(run(c))
    assert.same({ one = "stopped", two = "stopped" }, c:states())
  end)

  it("takes a table as an app file returns it", function()
    local c = assert(chief.load({ log = QUIET, workers = { one = { module = "spec_ends" } } }))
    assert.is_true(c:exit_when_done())
    assert.is_true(run(c))
  end)

  it("tells every mistake", function()
    local c, message, code = chief.load({ keep = 1, workers = { one = { module = "spec_ends", grce = 1 } } })
    assert.is_nil(c)
    assert.equal("invalid", code)
    assert.matches("keep: should be true or false, got 1\nworkers%.one%.grce: unknown key", message)
  end)

  it("wants a path or a table", function()
    assert.error_matches(function() chief.load(7) end, "chief%.load: should be the path of an app file or a table")
  end)
end)
