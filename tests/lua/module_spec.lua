-- What is said about a worker's module before it runs, and the rest of chief.core that needs no worker.
local core = require "chief.core"
local app_folder = require "app_folder"

local function inspect(text, module)
  local folder = app_folder.make { ["w.lua"] = text }
  local found, message, code = core.inspect { module = module or "w", path = folder .. "/?.lua;" .. package.path }
  app_folder.remove(folder)
  return found, message, code, folder
end

local function refused(text, pattern)
  local found, message, code = inspect(text)
  assert.is_nil(found)
  assert.matches(pattern, message)
  assert.equal("invalid", code)
end

describe("inspect", function()
  it("tells what a module has", function()
    local found, _, _, folder = inspect "local M = {} function M.run() end return M"
    assert.same({ run = true, init = false, restart_on_fail = false, ready = false, file = folder .. "/w.lua" }, found)
    found = inspect [[
      local M = { restart_on_fail = true, ready = true }
      function M.init(ctx) return {} end
      function M:run(ctx) end
      return M]]
    assert.is_true(found.init and found.restart_on_fail and found.ready)
    found = inspect "return { run = function() end, restart_on_fail = function(m) return m.run ~= nil end }"
    assert.is_true(found.restart_on_fail)
  end)

  it("lists where a module was looked for", function()
    local found, message = core.inspect { module = "no.such", path = "./a/?.lua;./b/?.lua", cpath = "./c/?.so" }
    assert.is_nil(found)
    assert.equal("module 'no.such' not found; looked for:\n  ./a/no/such.lua\n  ./b/no/such.lua", message)
  end)

  it("tells a module that is missing from one that requires a missing one", function()
    refused('require "no.such" return {}', "^module 'w' raised while loading: .*module 'no.such' not found")
  end)

  it("gives file and line of a syntax error", function()
    refused("local M = {}\nfunction M.run(\nreturn M", "^[^\n]*/w.lua:3: [^\n]*$")
  end)

  it("gives the traceback of what raises while loading", function()
    refused("local function deep() error('boom') end\ndeep()", "raised while loading: .*w.lua:1: boom\nstack traceback")
    refused("error(setmetatable({}, { __tostring = function() return 'an object' end }))", "loading: an object")
    refused("error(nil)", "loading: %(error object is a nil value%)")
    refused("error(setmetatable({}, { __tostring = function() error('again') end }))", "whose __tostring raises")
  end)

  it("refuses what is no worker, saying what would be one", function()
    refused("local M = {}", "returned a boolean, not a table: forgot `return M`%?")
    refused("return false", "returned a boolean, not a table")
    refused("return 'text'", "returned a string, not a table$")
    refused("return {}", "has no run; a worker is a module with function M.run%(self, ctx%)")
    refused("return { run = 1 }", "run should be a function, not a number")
    refused("return { run = print, init = true }", "init should be a function, not a boolean")
    refused("return { run = print, ready = 'yes' }", "ready should be true or false")
    refused("return { run = print, restart_on_fail = 'yes' }", "restart_on_fail should be true, false or a function")
    refused("return { run = print, restart_on_fail = function() error('x') end }", "w.lua:1: x")
  end)

  it("refuses functions with the wrong first parameter", function()
    refused("local M = { run = print } function M:init(ctx) end return M",
      "w.lua: init is written with a colon, so it gets ctx as self; write function M.init%(ctx%)")
    refused("local M = {} function M.run(ctx) end return M", "run gets %(self, ctx%)")
    assert.is_table((inspect "local M = {} function M.run(ctx, ...) end return M"))
    assert.is_table((inspect "local M = {} function M:run() end return M"))
  end)

  it("leaves this state as it was", function()
    inspect "x = 1; string.format = nil; package.loaded.y = 2; os.exit = nil; return { run = print }"
    assert.is_nil(rawget(_G, "x"))
    assert.is_function(string.format)
    assert.is_nil(package.loaded.y)
  end)

  it("ends no program", function()
    refused("os.exit(3)", "exit 3")
    refused("os.setlocale('C')", "os.setlocale would change the locale")
  end)

  it("needs a module or a chunk", function()
    assert.has_error(function() core.inspect {} end)
    assert.has_error(function() core.inspect { module = "a", chunk = "b" } end)
    assert.has_error(function() core.inspect { module = {} } end, "module should be a string, not a table")
  end)
end)

describe("function_spec", function()
  it("takes a function that captures nothing", function()
    local spec = core.function_spec(function(ctx) print(ctx) end)
    assert.is_string(spec.chunk)
    assert.matches("module_spec.lua", spec.chunkname)
    assert.is_true(core.inspect(spec).run)
  end)

  it("names the local that one captures", function()
    local port = 8080
    local ok, message = pcall(core.function_spec, function() return port end)
    assert.is_false(ok)
    assert.matches("^the function uses the local 'port' from around it", message)
    assert.is_false((pcall(core.function_spec, print)))
    assert.is_false((pcall(core.function_spec, {})))
  end)
end)

describe("state", function()
  local state = core.state

  it("has its numbers", function()
    assert.same({ wrong_state_change = -1, null = 1, disabled = 2, present = 3, enabled = 4, initialized = 5, run = 6,
      stopped = 7, failed = 8 }, state.numbers)
  end)

  it("is read and written in every form", function()
    for name, number in pairs(state.numbers) do
      assert.equal(name, state.to_string(number))
      assert.equal(name, state.to_string(name))
      assert.is_true(state.validate(name))
      assert.is_true(state.validate(number))
      assert.equal('"' .. name .. '"', state.to_json(number))
      assert.equal(name, state.from_json('"' .. name .. '"'))
      assert.equal(name, state.value(number))
      assert.equal(name, state.scan(number))
      assert.equal(name, state.scan(name))
    end
  end)

  it("refuses what is none", function()
    assert.equal("WorkerState(9)", state.to_string(9))
    assert.is_nil(state.value(9))
    for _, wrong in ipairs { 0, 9, -2, 1 << 40, "runs" } do
      local ok, message, code = state.validate(wrong)
      assert.is_nil(ok)
      assert.is_string(message)
      assert.equal("invalid_state", code)
      assert.is_nil((state.to_json(wrong)))
      assert.is_nil((state.scan(wrong)))
    end
    for _, wrong in ipairs { true, 1.5, {} } do assert.equal("invalid_state", select(3, state.scan(wrong))) end
    assert.equal("invalid_state", select(3, state.scan(nil)))
    assert.equal("invalid_state", select(3, state.from_json '"runs"'))
    assert.equal("invalid_state", select(3, state.from_json "6"))
    assert.equal("bad_data", select(3, state.from_json "{"))
  end)

  it("changes only as it may", function()
    assert.equal("run", state.transition("initialized", "run"))
    assert.same({ nil, "a worker can't go from run to enabled", "wrong_state_change", n = 3 },
      table.pack(state.transition("run", "enabled")))
    assert.has_error(function() state.transition("runs", "run") end)
  end)
end)

describe("rule", function()
  it("names the first unknown and those there are", function()
    local rule = core.rule { "resizer", "api" }
    assert.is_true(rule:validate { "api" })
    assert.is_true(rule:validate {})
    local ok, message, code = rule:validate { "api", "foo", "bar" }
    assert.is_nil(ok)
    assert.equal("invalid service name foo; there are: api, resizer", message)
    assert.equal("not_found", code)
    assert.same({ "api", "resizer" }, rule:available())
  end)

  it("keeps the names under another message", function()
    local rule = core.rule({ "a" }, "no worker"):error "no such thing"
    assert.matches("^no such thing b", (select(2, rule:validate { "b" })))
    assert.same({ "a" }, rule:available())
    assert.matches("^no worker b", (select(2, core.rule({ "a" }, "no worker"):validate { "b" })))
    assert.has_error(function() core.rule { 1 } end)
    assert.has_error(function() core.rule() end)
  end)
end)

describe("context", function()
  it("is cancelled with its parents", function()
    local parent = core.context()
    local child = core.context(parent)
    assert.is_false(child:done())
    assert.is_nil(child:err())
    assert.is_nil(child:reason())
    assert.same({ nil, "the context is not done", "would_block", n = 3 }, table.pack(child:wait(0)))
    parent:cancel "enough"
    assert.is_true(child:done())
    assert.equal("cancelled", child:err())
    assert.equal("enough", child:reason())
    local long = core.context()
    long:cancel(("because "):rep(1000))
    assert.equal(("because "):rep(1000), long:reason())
    assert.is_true(child:wait(10))
    assert.is_true(child:fd() >= 0)
  end)

  it("has a deadline", function()
    local context = core.context(0.001)
    assert.is_true(context:wait(10))
    assert.equal("timeout", context:err())
    assert.equal(0, context:remaining())
    assert.is_nil(core.context():remaining())
    assert.is_true(core.context(nil, 60):remaining() > 50)
    assert.has_error(function() core.context(nil, -1) end)
  end)

  it("keeps values, which the contexts below see", function()
    local parent = core.context()
    local child = core.context(parent)
    for _, value in ipairs { true, false, 7, 1.5, "bytes\0\xff", "" } do
      assert.is_true(parent:set("k", value))
      assert.equal(value, child:get "k")
      assert.equal(math.type(value), math.type(child:get "k"))
    end
    assert.is_nil(child:get "other")
    assert.is_true(parent:set("k", nil))
    assert.is_nil(child:get "k")
    assert.has_error(function() parent:set("k", {}) end)
  end)

  it("gives a log back as a log", function()
    local context = core.context()
    assert.is_true(context:set("chief-log", core.log { level = "off" }))
    collectgarbage()
    context:get("chief-log"):info("nobody hears this", { x = 1 })
    assert.matches("^chief.log: ", tostring(context:get "chief-log"))
  end)
end)

describe("options", function()
  it("are what the table itself has", function()
    local inherited = setmetatable({}, { __index = function(_, key) return key == "capacity" and 1 or nil end })
    local channel <close> = core.channel("c", inherited)
    assert.equal(64, channel:stats().capacity)
    local computed = setmetatable({}, { __index = function() return "m" .. os.clock() end })
    assert.has_error(function() core.inspect(computed) end)
  end)
end)

describe("log", function()
  it("shows fields as they were, whatever their __tostring does to the table", function()
    local log = core.log { level = "off" }
    for round = 1, 20 do
      local fields = {}
      for i = 1, 20 do fields["key" .. i] = ("value"):rep(100) .. i .. round end
      fields.object = setmetatable({}, { __tostring = function()
        for i = 1, 20 do fields["key" .. i] = nil end
        collectgarbage()
        return "object"
      end })
      log:with_fields(fields):info "x"
    end
  end)

  it("writes fields in order, of any kind", function()
    local script = [[
      local core = require "chief.core"
      local log = core.log{ level = "debug", format = "json" }:with_field("app", "x"):with_fields{ b = 1, a = true }
      log:debug("hello", { z = 1.5, list = setmetatable({}, { __tostring = function() return "T" end }) })
      log:set_level "warn"
      log:info "not this"
      log:error(42)
    ]]
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write(script)
    file:close()
    local pipe = assert(io.popen((os.getenv "CHIEF_LUA" or "lua5.4") .. " " .. name .. " 2>&1"))
    local first, second, third = pipe:read("l", "l", "l")
    pipe:close()
    os.remove(name)
    local record = core.json_decode(first)
    assert.equal("debug", record.level)
    assert.same({ "hello", "x", true, 1, 1.5, "T" },
      { record.message or record.msg, record.app, record.a, record.b, record.z, record.list })
    assert.equal("error", core.json_decode(second).level)
    assert.is_nil(third)
  end)

  it("refuses what is no option", function()
    assert.has_error(function() core.log { level = "loud" } end)
    assert.has_error(function() core.log { format = "xml" } end)
    assert.has_error(function() core.log {}:info("x", { [1] = 2 }) end)
  end)
end)

describe("objects", function()
  it("are closed once, or more often, and then say so", function()
    for _, make in ipairs { core.context, core.pool, core.log, core.chief } do
      local object = make()
      object:close()
      object:close()
      assert.has_error(function() return (object.done or object.states or object.info)(object, "x") end)
    end
  end)

  it("refuse one of another kind", function()
    assert.has_error(function() core.context().cancel(core.pool()) end)
    assert.has_error(function() core.context(core.pool()) end)
    assert.is_false(getmetatable(core.context()))
  end)

  it("are closed by a closing variable", function()
    local context
    do
      local scoped <close> = core.context()
      context = scoped
    end
    assert.has_error(function() context:done() end)
  end)

  -- Who is asked often gets a table of methods.
  it("answer the same however often they are asked", function()
    local fresh, busy = core.channel "c", core.channel "c"
    for i = 1, 1000 do
      assert(busy:send(i))
      assert.equal(i, (busy:recv(1)))
    end
    for _, key in ipairs { "send", "recv", "iter", "name", "nothing", 1, true } do
      assert.equal(fresh[key], busy[key])
    end
    assert.equal(tostring(fresh), tostring(busy))
    assert.is_false(getmetatable(busy))
    assert.has_error(function() busy.name = "d" end)
    local misuses = {
      function(ch) ch.send(1) end, function(ch) ch.send(core.context(), 1) end, function(ch) ch:send() end,
    }
    for _, use in ipairs(misuses) do
      assert.same({ pcall(use, fresh) }, { pcall(use, busy) })
    end
    do
      local scoped <close> = busy
      assert.equal("c", scoped.name)
    end
    assert.equal("chief.channel (closed)", tostring(busy))
    assert.has_error(function() return busy.name end, "bad argument #1 to '?' (the handle is closed)")
    assert.has_error(function() busy:send(1) end)
  end)

  it("are collected, also those that were asked often", function()
    local seen = setmetatable({}, { __mode = "k" })
    for _ = 1, 3 do
      local busy = core.channel "c"
      for _ = 1, 1000 do busy:len() end
      seen[busy] = true
    end
    collectgarbage() collectgarbage()
    assert.is_nil(next(seen))
  end)
end)

describe("pool", function()
  local function worker(run, init) return { run = run, init = init } end

  it("takes a worker through its states", function()
    local pool, seen = core.pool(), nil
    local given = worker(function(self, ctx)
      seen = { self.n, ctx.name, ctx.generation, ctx:done(), ctx:states().a }
      return true
    end, function() return { n = 7 } end)
    assert.equal("disabled", pool:get_state "a")
    assert.is_true(pool:set_worker("a", given))
    assert.equal("exists", select(3, pool:set_worker("a", given)))
    assert.equal(given, pool:get_worker "a")
    assert.equal("not_found", select(3, pool:get_worker "b"))
    assert.equal("present", pool:get_state "a")
    assert.equal("not_initialized", select(3, pool:run_exec "a"))
    assert.equal("enabled", pool:enable "a")
    assert.is_true(pool:is_enabled "a")
    assert.equal("wrong_state_change", select(3, pool:start "a"))
    assert.equal("initialized", pool:init("a", core.context()))
    assert.is_true(pool:run_exec "a")
    assert.same({ 7, "a", 1, false, "run" }, seen)
    assert.equal("stopped", pool:get_state "a")
    assert.is_false(pool:is_alive "a")
    assert.equal("disabled", pool:disable "a")
    assert.equal("stopped", pool:set_state("a", "stopped"))
    assert.has_error(function() pool:set_state("a", "no state") end)
    assert.same({ "a" }, { pool:states()[1].name })
    assert.matches('^{"seq":', pool:states_json())
  end)

  it("logs what it refuses", function()
    local log = core.log { level = "off" }
    local pool = core.pool()
    assert.is_true(pool:set_log(log))
    assert.is_true(pool:set_log())
    assert.is_true(pool:set_log(log))
    assert.has_error(function() pool:set_log "stderr" end)
    assert.is_true(pool:set_worker("a", worker(print)))
    local before = select(2, pool:states())
    assert.equal("wrong_state_change", select(3, pool:start "a"))
    assert.equal(before + 1, (select(2, pool:states())))
  end)

  it("keeps what functions raise and return as the worker's failure", function()
    local pool = core.pool()
    local function fails(name, run, init, step)
      assert(pool:set_worker(name, worker(run, init)))
      assert(pool:enable(name))
      local ok, message, code
      if step == "init" then ok, message, code = pool:init(name)
      else
        assert.equal("initialized", pool:init(name))
        ok, message, code = pool:run_exec(name)
      end
      assert.is_nil(ok)
      assert.equal("failed", code)
      assert.equal("failed", pool:get_state(name))
      return message
    end
    assert.matches("boom", fails("a", function() error "boom" end))
    assert.matches("no luck", fails("b", function() return nil, "no luck" end))
    assert.matches("run returned false", fails("c", function() return false end))
    assert.matches("early", fails("d", print, function() error "early" end, "init"))
    assert.matches("init returned a number", fails("e", print, function() return 1 end, "init"))
    assert.matches("yield", fails("f", function() coroutine.yield() end))
  end)

  it("runs again after a failure, and one worker inside another", function()
    local pool, runs = core.pool(), 0
    pool:set_worker("inner", worker(function() runs = runs + 1 end))
    pool:set_worker("outer", worker(function()
      pool:enable "inner"
      pool:init "inner"
      assert(pool:run_exec "inner")
      error "after it"
    end))
    pool:enable "outer"
    coroutine.wrap(function()
      for _ = 1, 2 do
        assert.equal("initialized", pool:init "outer")
        assert.is_nil((pool:run_exec "outer"))
      end
    end)()
    assert.equal(2, runs)
  end)

  it("ends what a worker was given with the worker", function()
    local pool, kept = core.pool(), nil
    pool:set_worker("a", worker(function(_, ctx) kept = ctx end))
    pool:enable "a"
    pool:init "a"
    assert(pool:run_exec "a")
    assert.has_error(function() kept:done() end, "the worker of this object has ended")
    assert.matches("ended", tostring(kept))
  end)

  it("is not closed under a worker that runs", function()
    local pool = core.pool()
    pool:set_worker("a", worker(function() pool:close() end))
    pool:enable "a"
    pool:init "a"
    assert.matches("a worker of the pool runs", (select(2, pool:run_exec "a")))
    pool:close()
    assert.has_error(function() pool:states() end)
  end)

  it("never runs what was not initialised", function()
    local pool = core.pool()
    pool:set_worker("a", worker(function() error "ran" end))
    assert.equal("initialized", pool:set_state("a", "initialized"))
    local ok, message = pool:run_exec "a"
    assert.is_nil(ok)
    assert.not_matches("ran", message)
  end)

  it("needs a run", function()
    assert.has_error(function() core.pool():set_worker("a", {}) end)
    assert.has_error(function() core.pool():set_worker("a", { run = print, init = 1 }) end)
    assert.equal("invalid", select(3, core.pool():set_worker("no good", worker(print))))
  end)
end)

describe("the module", function()
  it("says which library it is", function()
    assert.matches("^%d+%.%d+%.%d+$", core.version)
    assert.equal(0, core.abi)
    assert.is_boolean(core.isatty(0))
  end)

  it("leaves children the default of SIGPIPE", function()
    core.ignore_sigpipe()
    core.ignore_sigpipe()
    local pipe = assert(io.popen("grep SigIgn /proc/self/status"))
    local ignored = tonumber(pipe:read("a"):match("%x+$") or pipe:read("a"), 16) or 0
    pipe:close()
    assert.equal(0, ignored & (1 << 12))
  end)
end)

describe("the annotations", function()
  local source = os.getenv("CHIEF_SOURCE") or "."

  -- The functions declared for each name in types/core.lua.
  local function declared()
    local file = assert(io.open(source .. "/types/core.lua"))
    local found = {}
    for line in file:lines() do
      local owner, name = line:match("^function (%w+)[.:]([%w_]+)%(")
      if owner then
        found[owner] = found[owner] or {}
        found[owner][name] = true
      end
    end
    file:close()
    return found
  end

  local function functions(t)
    local names = {}
    for name, value in pairs(t) do if type(value) == "function" then names[name] = true end end
    return names
  end

  -- The methods behind an object's __index, which lists them when it is asked for what it is a closure over.
  local function methods(object)
    local index = debug.getmetatable(object).__index
    return functions(index(object, select(2, debug.getupvalue(index, 1))))
  end

  it("name every function there is, and no other", function()
    local pool = core.pool()
    local ctx
    pool:set_worker("w", { run = function(_, given) ctx = given end })
    pool:enable "w"
    pool:init "w"
    pool:run_exec "w"
    local channel = core.channel "c"
    channel:send(1)
    local _, info = channel:recv()
    assert.same({
      core = functions(core), state = functions(core.state), Rule = methods(core.rule {}), Pool = methods(pool),
      Context = methods(core.context()), Log = methods(core.log()), Channel = methods(channel), Info = methods(info),
      Ctx = methods(ctx), Chief = methods(core.chief()), Simulation = methods(core.simulation()),
    }, declared())
  end)
end)
