-- The worker host: what a module's init and run get, what becomes of what they return and raise, and what a state of
-- their own means.
local core = require "chief.core"
local app_folder = require "app_folder"
local stage = require "stage"

-- A worker whose run is this text, without a restart.
local function running(run)
  return ("local M = {}\nfunction M.run(self, ctx)\n%s\nend\nreturn M"):format(run)
end

-- The status of a worker that fails, or ends, with this run.
local function status_of(run, state)
  local status
  stage.with({ w = running(run) }, function(s) status = s:wait("w", state or "failed") end)
  return status
end

local function init_status(init)
  local status
  local text = ("local M = {}\nfunction M.init(ctx)\n%s\nend\nfunction M.run() end\nreturn M"):format(init)
  stage.with({ w = text }, function(s) status = s:wait("w", "failed") end)
  return status
end

local function events_of(s)
  s:stop()
  local list = {}
  repeat
    local some = s.core:take_events(100, 0)
    table.move(some or {}, 1, #(some or {}), #list + 1, list)
  until not some
  return list
end

describe("the instance", function()
  it("is what init returns, with the module's methods", function()
    stage.with({ w = [[
      local M = { greeting = "hello" }
      function M.init(ctx) return { name = ctx.name } end
      function M:say() return self.greeting .. " " .. self.name end
      function M:run(ctx) ctx:channel("out"):send(self:say()) end
      return M]] }, function(s) assert.equal("hello w", s:next()) end)
  end)

  it("is a fresh table where init returns nothing, or is not there", function()
    for _, init in ipairs { "", "M.init = function() end", "M.init = function() return nil end",
      "M.init = function() return true end" } do
      stage.with({ w = ("local M = {} %s function M:get() return 7 end\n"):format(init) ..
        "function M.run(self, ctx) ctx:channel('out'):send { self:get(), rawequal(self, M) } end return M" },
        function(s) assert.same({ 7, false }, (s:next())) end)
    end
  end)

  it("keeps a metatable of its own", function()
    stage.with({ w = [[
      local M = {}
      function M.init() return setmetatable({}, { __index = { own = 1 } }) end
      function M.run(self, ctx) ctx:channel("out"):send { self.own, self.run == nil } end
      return M]] }, function(s) assert.same({ 1, true }, (s:next())) end)
  end)

  it("may be the module itself", function()
    stage.with({ w = [[
      local M = {}
      function M.init() return M end
      function M.run(self, ctx) ctx:channel("out"):send(self.nothing == nil) end
      return M]] }, function(s) assert.is_true(s:next()) end)
  end)

  it("is made anew in a fresh state at every restart", function()
    stage.with({ w = [[
      counter = (counter or 0) + 1
      string.format = counter == 1 and string.format or nil
      local M = { restart_on_fail = true }
      function M.init() return { n = 0 } end
      function M.run(self, ctx)
        self.n = self.n + 1
        ctx:channel("out"):send { counter, self.n, ctx.generation }
        string.format = nil
        debug.sethook(function() end, "l")
        getmetatable("").__index = nil
        if ctx.generation < 3 then error "again" end
      end
      return M]] }, function(s)
      for generation = 1, 3 do assert.same({ 1, 1, generation }, (s:next())) end
      assert.equal(2, s:wait("w", "stopped").restarts)
    end, { w = { restart = { policy = "on_failure", delay = 0.001, jitter = 0 } } })
  end)
end)

describe("the end of run", function()
  it("has the module as its file is now", function()
    local text = "return { run = function(_, ctx) ctx:channel('out'):send '%s' ctx:recv() error 'again' end }"
    local s = stage.new { ["w.lua"] = text:format "old" }
    assert(s:add("w", { restart = { policy = "on_failure", delay = 0, jitter = 0 } }))
    s:start()
    for _, now in ipairs { "old", "new", "odd", "odd" } do
      assert.equal(now, (s:next()))
      if now ~= "odd" then
        local file = assert(io.open(s.folder .. "/w.lua", "w"))
        file:write(text:format(now == "old" and "new" or "odd"))
        file:close()
      end
      s.core:send("w", true)
    end
    s:close()
  end)

  it("is clean unless it says otherwise", function()
    for _, ending in ipairs { "", "return", "return true", "return nil", "return 5", "return nil, nil", "return {}" } do
      assert.equal("ok", status_of(ending, "stopped").reason)
    end
  end)

  it("is a failure by nil and why, or by false", function()
    local cases = {
      { "return nil, 'no luck'", "no luck" }, { "return false", "run returned false" },
      { "return false, 'why'", "why" }, { "return nil, 42", "42" },
      { "return nil, setmetatable({}, { __tostring = function() return 'object' end })", "object" },
      { "return nil, {}", "(error object is a table value)" },
    }
    for _, case in ipairs(cases) do
      local status = status_of(case[1])
      assert.equal(case[2], status.error)
      assert.equal("error", status.reason)
      assert.is_nil(status.traceback)
    end
  end)

  -- FAULTS 34
  it("is a failure by whatever was raised, with the traceback", function()
    local cases = {
      { "error 'boom'", "w.lua:3: boom" }, { "error('boom', 0)", "^boom$" },
      { "error()", "error object is a nil value" },
      { "error { code = 1 }", "error object is a table value" },
      { "local x = nil + 1", "attempt to perform arithmetic" },
      { "error(setmetatable({}, { __tostring = function() return 'object' end }))", "^object$" },
      { "error(setmetatable({}, { __tostring = function() error 'again' end }))", "whose __tostring raises" },
      { "error(setmetatable({}, { __tostring = function() return {} end }))", "whose __tostring raises" },
      { "coroutine.wrap(function() error 'inside' end)()", "w.lua:3: inside" },
      { "local function f() return f() + 1 end f()", "stack overflow" },
      { "coroutine.yield()", "outside a coroutine" }, { "ctx:nosuch()", "nosuch" },
    }
    for _, case in ipairs(cases) do
      local status = status_of(case[1])
      assert.matches(case[2], status.error)
      assert.equal("lua_error", status.reason)
      assert.matches("^stack traceback:", status.traceback)
      assert.matches("w.lua:3", status.traceback)
    end
  end)

  it("keeps the failure in the status after the restart, and in the event", function()
    stage.with({ w = [[
      local M = { restart_on_fail = true }
      function M.run(_, ctx)
        if ctx.generation == 1 then error "first" end
        ctx:channel("out"):send "second"
        ctx:sleep(1000)
      end
      return M]] }, function(s)
      assert.equal("second", s:next())
      local status = s:wait("w", "run")
      assert.matches("first", status.error)
      assert.matches("^stack traceback:", status.traceback)
      local found
      for _, event in ipairs(events_of(s)) do found = found or event.state == "failed" and event end
      assert.matches("first", found.error)
      assert.matches("w.lua:3", found.traceback)
      assert.equal("lua_error", found.reason)
    end, { w = { restart = { delay = 0.001 } } })
  end)

  -- FAULTS 8
  it("is cancelled, which is a failure only when nobody asked", function()
    local status = status_of("return nil, 'cancelled'")
    assert.equal("cancelled", status.reason)
    stage.with({ w = running "return ctx:recv()" }, function(s)
      s:wait("w", "run")
      assert.is_true(s:stop())
      assert.equal("stopped", s:status("w").state)
    end)
  end)

  it("closes what is to be closed and runs finalizers", function()
    stage.with({ w = running [[
      local out = ctx:channel "out"
      local mark <close> = setmetatable({}, { __close = function() out:send "closed" end })
      kept = setmetatable({}, { __gc = function() pcall(out.send, out, "late") end })
      error "x"]] }, function(s)
      assert.equal("closed", s:next())
      s:wait("w", "failed")
      assert.is_nil((s.out:try_recv()))
    end)
  end)
end)

describe("a failing init", function()
  -- FAULTS 2
  it("fails the start, and run is not called", function()
    local cases = {
      { "return nil, 'no disk'", "no disk" }, { "return false", "init returned false" }, { "error 'boom'", "boom" },
      { "return 7", "init returned a number" }, { "ctx:channel 'nosuch'", "nosuch" },
    }
    for _, case in ipairs(cases) do
      local status = init_status(case[1])
      assert.matches(case[2], status.error)
      assert.equal("init_error", status.reason)
      assert.equal(1, status.generation)
    end
  end)

  it("gives the traceback of what it raised", function()
    assert.matches("w.lua:3", init_status("error 'boom'").traceback)
  end)

  -- FAULTS 6
  it("is tried again, and the third init runs", function()
    stage.with({ w = [[
      local M = {}
      function M.init(ctx) if ctx.generation < 3 then error "not yet" end end
      function M.run(_, ctx) ctx:channel("out"):send(ctx.generation) end
      return M]] }, function(s) assert.equal(3, s:next()) end,
      { w = { restart = { policy = "on_failure", delay = 0.001 } } })
  end)

  it("tells that the module is gone since it was added", function()
    local s = stage.new { ["w.lua"] = running "" }
    assert.is_true(s:add "w")
    os.remove(s.folder .. "/w.lua")
    s:start()
    assert.matches("^module 'w' not found; looked for:\n", s:wait("w", "failed").error)
    s:close()
  end)
end)

describe("a worker's state", function()
  it("has the libraries, and the paths it was given", function()
    stage.with({ w = running [[
      ctx:channel("out"):send { type(io.open), type(coroutine.close), type(debug.traceback), type(utf8.char),
        package.path, package.cpath }]] }, function(s)
      assert.same({ "function", "function", "function", "function", s.folder .. "/?.lua;" .. package.path,
        package.cpath }, (s:next()))
    end)
  end)

  it("has the same chief.core, and chief", function()
    stage.with({ w = running [[
      local core = require "chief.core"
      ctx:channel("out"):send { core.version, require("chief").version, core.unpack(core.pack "x") }]] },
      function(s) assert.same({ core.version, core.version, "x" }, (s:next())) end)
  end)

  it("ends alone by os.exit, and has no os.setlocale", function()
    assert.equal("exit 3", status_of("os.exit(3)").error)
    assert.equal("exit 0", status_of("os.exit()").error)
    assert.equal("exit 1", status_of("os.exit(false)").error)
    assert.matches("os.setlocale would change", status_of("os.setlocale('C')").error)
  end)

  it("is given up by an exit code that is final (FAULTS 14)", function()
    stage.with({ w = running "if ctx.generation < 3 then os.exit(4) end os.exit(256 + 3)" }, function(s)
      local events
      repeat
        events = s.core:take_events(1, stage.LIMIT)
      until events[1].kind == "given_up"
      assert.equal("given up: its exit code 3 is one of no_restart_codes: exit 259", events[1].error)
      local status = s:status("w")
      assert.equal(3, status.generation)
      assert.equal(2, status.restarts)
      assert.equal("given_up", status.phase)
      assert.equal("its exit code 3 is one of no_restart_codes", status.why)
      assert.equal("exit 259", status.error)
    end, { w = { restart = { delay = 0 }, no_restart_codes = { 3, 5 } } })
  end)

  it("loads C modules, again and again", function()
    stage.with({ w = [[
      local lfs = require "lfs"
      local M = { restart_on_fail = true }
      function M.run(_, ctx)
        ctx:channel("out"):send(lfs.currentdir())
        if ctx.generation < 5 then error "again" end
      end
      return M]] }, function(s)
      local first = s:next()
      for _ = 2, 5 do assert.equal(first, (s:next())) end
    end, { w = { restart = { delay = 0.001 } } })
  end)

  it("is closed with C modules whose code goes on in another worker", function()
    stage.with({
      a = 'local lfs = require "lfs" ' .. running 'ctx:recv() ctx:channel("out"):send(lfs.currentdir() ~= nil)',
      b = 'local lfs = require "lfs" ' .. running 'return lfs.currentdir() ~= nil',
    }, function(s)
      s:wait("b", "stopped")
      s.core:send("a", "go on")
      assert.is_true(s:next())
    end)
  end)
end)

describe("a function as a worker", function()
  local function run_function(f)
    local s = stage.new {}
    assert(s.core:add_worker("w", core.function_spec(f)))
    s:start()
    return s
  end

  it("gets its ctx, or self and ctx", function()
    local s = run_function(function(ctx) ctx:channel("out"):send(ctx.name) end)
    assert.equal("w", s:next())
    s:close()
    s = run_function(function(self, ctx) ctx:channel("out"):send(type(self)) end)
    assert.equal("table", s:next())
    s:close()
  end)

  it("fails with its file and line", function()
    local s = run_function(function() error "boom" end)
    assert.matches("host_spec.lua:%d+: boom", s:wait("w", "failed").error)
    s:close()
  end)
end)

describe("adding", function()
  it("refuses a bad module in full, and a bad name", function()
    local s = stage.new { ["bad.lua"] = "return {}", ["good.lua"] = running "" }
    local ok, message, code = s:add "bad"
    assert.is_nil(ok)
    assert.matches("bad.lua: the module has no run", message)
    assert.equal("invalid", code)
    assert.is_true(s:add "good")
    assert.equal("exists", select(3, s:add "good"))
    assert.equal("invalid", select(3, s.core:add_worker("no good", s:spec "good")))
    assert.equal(1, #s.core:states())
    s:close()
  end)

  it("looks at a module once while its file is the same, and once more when that has changed", function()
    local s = stage.new { ["counted.lua"] = [[
      local f <close> = assert(io.open(debug.getinfo(1, "S").source:sub(2) .. ".looks", "a"))
      f:write "."
      return { run = function() return true end }
    ]] }
    local function looks()
      local f <close> = assert(io.open(s.folder .. "/counted.lua.looks"))
      return #f:read "a"
    end
    local ends, n = os.time() + stage.LIMIT, 0
    local before
    repeat -- only a file that has not changed for some milliseconds is known
      n, before = n + 1, n > 0 and looks() or 0
      assert(s:add("w" .. n, { module = "counted" }))
    until looks() == before or os.time() > ends
    assert.equal(before, looks())
    for i = 1, 5 do assert(s:add("more" .. i, { module = "counted" })) end
    assert.equal(before, looks())
    local f <close> = assert(io.open(s.folder .. "/counted.lua", "w"))
    f:write "return { run = 1 }"
    f:flush()
    local _, message = s:add("late", { module = "counted" })
    assert.matches("counted.lua: run should be a function", message)
    os.remove(s.folder .. "/counted.lua.looks")
    s:close()
  end)

  it("takes over restart_on_fail, unless the options say otherwise", function()
    local text = "local M = { restart_on_fail = true } function M.run() error 'x' end return M"
    stage.with({ w = text }, function(s) assert.equal(0, s:wait("w", "failed").restarts) end,
      { w = { restart = "never" } })
  end)

  it("takes over ready", function()
    stage.with({ w = [[
      local M = { ready = true }
      function M.run(_, ctx) ctx:channel("out"):send "up" ctx:recv() ctx:ready() ctx:recv() end
      return M]] }, function(s)
      s:next()
      assert.equal("starting", s:status("w").phase)
      assert.is_nil((s.core:wait_ready(0)))
      s.core:send("w", "be ready")
      assert.is_true(s.core:wait_ready(stage.LIMIT))
      assert.equal("up", s:status("w").phase)
    end)
  end)

  it("refuses args that cannot be sent", function()
    local s = stage.new { ["w.lua"] = running "" }
    assert.has_error(function() s:add("w", { args = { f = print } }) end)
    assert.is_nil(s:status "w")
    s:close()
  end)

  it("refuses options of the wrong type", function()
    local s = stage.new { ["w.lua"] = running "" }
    for _, more in ipairs { { after = "x" }, { after = { 1 } }, { grace = "1" }, { grace = -1 },
      { restart = "sometimes" },
      { restart = { delay = "1" } }, { restart = { policy = "no" } }, { ready = "later" }, { native = 1 } } do
      assert.has_error(function() s:add("w", more) end)
    end
    s:close()
  end)

  it("works while the chief runs", function()
    stage.with({ w = running "ctx:recv()" }, function(s)
      assert(s:add("late", { module = "w" }))
      s:wait("late", "run")
    end)
  end)

  it("says which file is no plug-in", function()
    local s = stage.new {}
    local ok, message, code = s.core:add_worker("w", { native = s.folder .. "/nosuch.so" })
    assert.is_nil(ok)
    assert.matches("nosuch.so", message)
    assert.equal("not_found", code)
    s:close()
  end)
end)

describe("a plug-in", function()
  local code = [[
    #include <chief.h>
    static const chief_api *api;
    static int run(chief_worker *ctx, void *instance) {
        chief_channel *out;
        chief_bytes args = api->worker_args(ctx);
        (void)instance;
        if (api->worker_channel(ctx, "out", &out) != CHIEF_OK) return 1;
        api->channel_send(out, ctx, args.data, args.len, -1);
        api->channel_send(out, ctx, "\xc1", 1, -1);
        api->worker_set_error(ctx, CHIEF_REASON_ERROR, "had enough", 0);
        return 1;
    }
    int chief_plugin_v1(const chief_api *given, chief_worker_ops *out);
    int chief_plugin_v1(const chief_api *given, chief_worker_ops *out) {
        api = given;
        out->run = run;
        return CHIEF_OK;
    }
  ]]

  it("runs in C, with args and messages as a Lua worker has them", function()
    local s = stage.new { ["plugin.c"] = code }
    local source = os.getenv("CHIEF_SOURCE") or "."
    assert(os.execute(("cc -shared -fPIC -I'%s/core/include' -o '%s/plugin.so' '%s/plugin.c'"):format(source, s.folder,
      s.folder)))
    assert(s.core:add_worker("c", { native = s.folder .. "/plugin.so", args = { port = 80 } }))
    s:start()
    local value, info = s:next()
    assert.same({ port = 80 }, value)
    assert.equal("c", info.sender)
    -- FAULTS 39: bytes that are no MessagePack are told, and the next message is received.
    local _, message, code_word = s.out:recv(stage.LIMIT)
    assert.matches("not a valid message: the byte c1", message)
    assert.equal("bad_data", code_word)
    assert.equal("had enough", s:wait("c", "failed").error)
    s:close()
  end)
end)

describe("a chief", function()
  it("is collected with its workers running", function()
    local s = stage.new { ["w.lua"] = running "ctx:recv()" }
    assert(s:add "w")
    s:start()
    s:wait("w", "run")
    local gone = setmetatable({ s.core }, { __mode = "v" })
    s.core:stop()
    s.core = nil
    collectgarbage()
    collectgarbage()
    assert.is_nil(gone[1])
    app_folder.remove(s.folder)
  end)

  it("ends by itself when asked to", function()
    stage.with({ w = running "return true" }, function(s)
      assert.is_true(s.core:join(stage.LIMIT))
      assert.equal(0, s.core:exit_code())
      assert.is_true(s.core:has_stopped())
    end, { exit_when_done = true })
  end)

  -- FAULTS 15; a process is never abandoned, and a sleep ends by its TERM
  local where_threads_are = stage.ISOLATION == "process" and function() end or it
  where_threads_are("names the worker that it had to abandon", function()
    local s = stage.new({ ["w.lua"] = running "ctx:channel('out'):send(1) os.execute('sleep 2')" },
      { force_stop_timeout = 0.05 })
    assert(s:add "w")
    s:start():next()
    local ok, message, code = s:stop()
    assert.is_nil(ok)
    assert.matches("^Graceful exit timeout exceeded: .*w", message)
    assert.equal("timeout", code)
    assert.equal(75, s.core:exit_code())
    s:close()
  end)

  it("gives values to workers, also later", function()
    stage.with({ w = running [[
      local out = ctx:channel "out"
      out:send { ctx:value "early", ctx:value "late" or "not yet" }
      ctx:recv()
      out:send(ctx:value "late")]] }, function(s)
      assert.same({ 1, "not yet" }, (s:next()))
      assert.is_true(s.core:add_value("late", "now"))
      s.core:send("w", "look")
      assert.equal("now", s:next())
    end, { values = { early = 1 } })
  end)

  it("lets its pool be looked at, not written", function()
    stage.with({ w = running "ctx:recv()" }, function(s)
      local pool = s.core:pool()
      s:wait("w", "run")
      assert.equal("run", pool:get_state "w")
      assert.is_true(pool:is_alive "w")
      assert.equal("busy", select(3, pool:stop "w"))
      assert.equal("busy", select(3, pool:set_worker("x", { run = print })))
      s.core:close()
      assert.has_error(function() pool:get_state "w" end)
    end)
  end)

  it("tells its life in events", function()
    stage.with({ w = running "return true" }, function(s)
      s:wait("w", "stopped")
      local states = {}
      for _, event in ipairs(events_of(s)) do
        if event.kind == "state" then states[#states + 1] = event.state end
      end
      assert.same({ "present", "enabled", "initialized", "run", "stopped" }, states)
      assert.equal("closed", select(3, s.core:take_events(1, 0)))
      assert.equal(0, s.core:events_dropped())
      assert.is_true(s.core:events_fd() >= 0)
    end)
  end)
end)
