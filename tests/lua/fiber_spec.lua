-- Lua workers as fibers: what is special about them. That they do what workers in threads do is shown by the other
-- specs, which run for them as well (see CMakeLists.txt).
local stage = require "stage"

local SLOW = tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1

local function running(run)
  return ("local M = {}\nfunction M.run(self, ctx)\nlocal out = ctx:channel('out')\n%s\nend\nreturn M"):format(run)
end

local function in_isolation(isolation, options)
  local result = { isolation = isolation }
  for key, value in pairs(options or {}) do result[key] = value end
  return result
end

-- One worker, a fiber.
local function with_fiber(run, body, options)
  stage.with({ w = running(run) }, body, { w = in_isolation("fiber", options) })
end

local function threads()
  local n = 0
  for line in io.lines("/proc/self/status") do n = tonumber(line:match("^Threads:%s*(%d+)")) or n end
  return n
end

-- Whose wait keeps no thread: a hundred of them wait at once, and there are not a hundred threads.
local MANY = 100

local function waits_without_a_thread(wait)
  local before = threads()
  local s = stage.new({ ["w.lua"] = running(wait) })
  local ok, message = xpcall(function()
    assert(s:add("w", { isolation = "fiber", count = MANY }))
    s:start()
    for _ = 1, MANY do assert.equal("waits", s:next()) end
    assert.is_true(threads() < before + MANY / 2)
    for i = 1, MANY do assert(s.core:send("w/" .. i, "go")) end
    for _ = 1, MANY do assert.equal("go", s:next()) end
  end, debug.traceback)
  s:close()
  assert(ok, message)
end

describe("a fiber", function()
  it("waits without a thread", function() waits_without_a_thread "out:send('waits') out:send((ctx:recv()))" end)

  it("waits so in a coroutine of its own, and the resumer does not see it", function()
    waits_without_a_thread [[
      local co = coroutine.create(function(a)
        local inner = coroutine.wrap(function(b)
          out:send("waits")
          coroutine.yield((ctx:recv()))
          return b
        end)
        local got = inner(a)
        assert(inner() == a)
        return got
      end)
      local ok, got = coroutine.resume(co, 7)
      assert(ok and coroutine.status(co) == "dead")
      out:send(got)]]
  end)

  it("waits so under pcall, in a metamethod, an iterator and a __close", function()
    waits_without_a_thread [[
      out:send("waits")
      local got
      local index = setmetatable({}, { __index = function(_, key) return (ctx:recv()) .. key end })
      local function each() local done return function() if done then return end done = true return index[""] end end
      local ok = pcall(function()
        local c <close> = setmetatable({}, { __close = function() ctx:sleep(0.001) got = got .. "" end })
        for value in each() do got = value end
      end)
      assert(ok)
      out:send(got)]]
  end)

  it("waits with its thread where it can't yield, and the others go on", function()
    stage.with({
      a = running [[
        out:send("a waits")
        local text = ("x"):gsub("x", function() return (ctx:recv()) end)
        local list = { 2, 1 }
        table.sort(list, function(x, y) ctx:sleep(0.001) return x < y end)
        out:send(text .. list[1])]],
      b = running "for value in ctx:iter() do ctx:send('a', value) end",
    }, function(s)
      assert.equal("a waits", s:next())
      assert(s.core:send("b", "through b"))
      assert.equal("through b1", s:next())
    end, { a = in_isolation "fiber", b = in_isolation "fiber" })
  end)

  it("waits in init, and while a module of its is loaded", function()
    local s = stage.new({
      ["w.lua"] = [[
        local M = {}
        function M.init(ctx)
          WORKER = ctx
          local before = ctx:channel("early"):recv()
          return { got = before }
        end
        function M.run(self, ctx) ctx:channel("out"):send(self.got .. require("sub").got) end
        return M]],
      ["sub.lua"] = "return { got = (WORKER:recv()) }",
      ["s.lua"] = "return { run = function(_, ctx) ctx:send('w', 'require') end }",
      ["i.lua"] = "return { init = function(ctx) ctx:sleep(0.01) ctx:channel('early'):send('init ') end, run = print }",
    })
    local ok, message = xpcall(function()
      assert(s.core:add_channel("early"))
      for _, name in ipairs({ "w", "s", "i" }) do assert(s:add(name, { isolation = "fiber" })) end
      s:start()
      assert.equal("init require", s:next())
    end, debug.traceback)
    s:close()
    assert(ok, message)
  end)

  it("does not hold up its neighbours, whatever it does", function()
    local modules, options = {}, {}
    for i = 1, 4 do
      modules["spins" .. i] = running "out:send('spins') local n = 0 while not ctx:done() do n = n + 1 end"
      options["spins" .. i] = in_isolation "fiber"
    end
    modules.echo = running "for value in ctx:iter() do out:send(value) end"
    options.echo = in_isolation "fiber"
    stage.with(modules, function(s)
      for _ = 1, 4 do assert.equal("spins", s:next()) end
      for i = 1, 20 do
        assert(s.core:send("echo", i))
        assert.equal(i, (s:next()))
      end
      assert.is_nil(s:status("echo").slow)
      local slow
      repeat -- which the monitor finds within a few hundredths of a second
        slow = 0
        for i = 1, 4 do slow = slow + (s:status("spins" .. i).slow and 1 or 0) end
        assert(s.core:send("echo", 0))
        assert.equal(0, (s:next()))
      until slow >= 2
      assert.matches('"slow":true', s.core:states_json())
    end, options)
  end)

  it("has a main coroutine that can't be yielded from, as in a thread", function()
    local code = [[
      local co, main = coroutine.running()
      local seen = { coroutine.isyieldable(), main, coroutine.status(co), coroutine.isyieldable(co) }
      seen[#seen + 1] = select(2, pcall(coroutine.yield, 1))
      local _, status, close, resume = coroutine.resume(coroutine.create(function()
        return coroutine.status(co), select(2, pcall(coroutine.close, co)), select(2, coroutine.resume(co))
      end))
      for _, each in ipairs({ status, close, resume }) do seen[#seen + 1] = each end
      seen[#seen + 1] = coroutine.wrap(function() return coroutine.isyieldable() end)()
      seen[#seen + 1] = select(2, coroutine.resume(coroutine.create(function() coroutine.yield(1, 2) end)))
      out:send(seen)
      coroutine.yield()]]
    local seen, failures = {}, {}
    for i, isolation in ipairs({ "thread", "fiber" }) do
      stage.with({ w = running(code) }, function(s)
        seen[i] = s:next()
        failures[i] = s:wait("w", "failed").error
      end, { w = in_isolation(isolation) })
    end
    assert.same(seen[1], seen[2])
    assert.equal("attempt to yield from outside a coroutine", seen[2][5])
    assert.equal(failures[1], failures[2])
  end)

  it("says of its waits what a thread says", function()
    local code = [[
      local ch, full = ctx:channel("empty"), ctx:channel("full")
      for i = 1, 64 do full:send(i) end
      local function say(...) out:send(table.concat({ tostring((...)), select(2, ...) }, "|")) end
      say(ch:recv(0.001))
      say(ch:recv_many(10, 0.001))
      say(full:send(1, 0.001))
      say(full:send_many({ 1, 2 }, 0.001))
      say(ctx:recv(0.001))
      say(ctx:select({ ctx, ch }, 0.001))
      say(ctx:select({ ch }, 0.001))
      say(ctx:call("deaf", 1, 0.1)) -- it is to be sent within that
      say(ctx:call("nosuch", 1, 0.001))
      say(ctx:call(ctx.name, 1, 0.001))
      say(ctx:send("nosuch", 1, 0.001))
      say(ctx:sleep(0.001))
      say(ctx:wait_fd(ctx:fd(), "r", 0.001))
      ch:close()
      say(ch:recv(0.001))
      out:send("waits")
      say(ctx:sleep(1000))
      say(ctx:recv(1000))
      say(ctx:call("deaf", 1, 1000))
      say(ctx:wait_fd(ctx:fd(), "r", 1000))
      out:send("end")]]
    local said = {}
    for i, isolation in ipairs({ "thread", "fiber" }) do
      said[i] = {}
      stage.with({ w = running(code), deaf = running "ctx:sleep(1000)" }, function(s)
        repeat
          local text = s:next()
          if text == "waits" then assert(s.core:stop_worker("w")) end
          table.insert(said[i], text)
        until text == "end"
      end, { w = in_isolation(isolation, { grace = stage.LIMIT }), channels = { "empty", "full" } })
    end
    assert.same(said[1], said[2])
    assert.equal('nil|channel "empty": timed out|timeout', said[2][1])
  end)

  it("is seen where it waits", function()
    with_fiber([[
      local function deep() return ctx:recv() end
      out:send("waits")
      coroutine.wrap(function() local value = deep() return value end)()]], function(s)
      assert.equal("waits", s:next())
      local text
      local tries = 0
      repeat -- the report comes before the wait
        text = s.core:traceback("w")
        tries = tries + 1
      until text:find("^in ctx:recv") or tries > 100000
      assert.matches("^in ctx:recv, called from [^\n]*w%.lua:%d+\nstack traceback:\n\t", text)
    end)
  end)

  it("fails with the traceback of the coroutine it failed in, after a wait", function()
    with_fiber([[
      local function deep() ctx:sleep(0.001) error("boom") end
      coroutine.wrap(deep)()]], function(s)
      local status = s:wait("w", "failed")
      assert.matches("w%.lua:%d+: boom$", status.error)
      assert.matches("stack traceback:.*w%.lua:%d+", status.traceback)
    end)
  end)

  it("runs its __close and finalizers when it is stopped in a wait", function()
    with_fiber([[
      local c <close> = setmetatable({}, { __close = function() out:send("closed") end })
      G = setmetatable({}, { __gc = function() pcall(ctx.recv, ctx) end })
      out:send("waits")
      ctx:recv()]], function(s)
      assert.equal("waits", s:next())
      assert.is_true(s:stop())
      assert.equal("closed", s:next())
    end)
  end)

  it("is restarted in a fresh state", function()
    with_fiber([[
      out:send(tostring(rawget(_G, "STAIN")))
      STAIN = true
      ctx:sleep(0.001)
      if ctx.generation < 5 then error("again") end]], function(s)
      for _ = 1, 5 do assert.equal("nil", s:next()) end
      s:wait("w", "stopped")
    end, { restart = { policy = "on_failure", delay = 0.001 } })
  end)

  it("is ended by its start timeout while its init waits, as a thread is", function()
    local text = "local M = {}\nfunction M.init(ctx) ctx:recv() end\nfunction M.run() end\nreturn M"
    local seen = {}
    for i, isolation in ipairs({ "thread", "fiber" }) do
      stage.with({ w = text, x = running "ctx:recv()" }, function(s)
        local status = s:wait("w", "failed")
        seen[i] = { status.state, status.phase, status.reason }
        -- Its wait ends by the cancellation, a moment before the interrupt: its init may have returned in between.
        if status.error ~= "init failed" then assert.matches("^interrupted: init did not end within", status.error) end
      end, { w = in_isolation(isolation), init_timeout = 0.02 * SLOW, force_time = 2 * SLOW })
    end
    assert.same(seen[1], seen[2])
  end)

  -- Each has a question for the next, and the first is asked from here.
  it("is one of ten thousand", function()
    local n = SLOW > 1 and 1000 or 10000
    local s = stage.new({ ["w.lua"] = running "for value in ctx:iter() do out:send(value + ctx.generation) end" })
    local ok, message = xpcall(function()
      assert(s:add("w", { isolation = "fiber", count = n }))
      s:start()
      local sum = 0
      for i = 1, n do
        assert(s.core:send("w/" .. i, i))
        sum = sum + s:next()
      end
      assert.equal(n * (n + 1) // 2 + n, sum)
      assert.is_true(threads() < 200) -- a few, and some that were needed while others were kept
      assert.is_true(s:stop())
    end, debug.traceback)
    s:close()
    assert(ok, message)
  end)
end)

for _, isolation in ipairs({ "thread", "fiber" }) do
  describe("waiting for a descriptor in a " .. isolation, function()
    local function with(run, body) stage.with({ w = running(run) }, body, { w = in_isolation(isolation) }) end

    it("serves a socket until it is stopped", function()
      with([[
        local socket = require "cqueues.socket"
        local listener = socket.listen("127.0.0.1", 0)
        listener:listen()
        out:send(select(3, listener:localname()))
        while ctx:wait_fd(listener:pollfd(), "r") do
          local con = listener:accept({}, 0)
          if con then
            ctx:wait_fd(con:pollfd(), "r")
            out:send((con:xread("*l", nil, 0)))
            con:close()
          end
        end
        out:send("served")]], function(s)
        local port = s:next()
        local socket = require "cqueues.socket"
        for i = 1, 3 do
          local con = socket.connect("127.0.0.1", port)
          con:write("line " .. i .. "\n")
          con:flush()
          assert.equal("line " .. i, s:next())
          con:close()
        end
        assert.is_true(s:stop())
        assert.equal("served", s:next())
      end)
    end)

    it("says for what it is ready, when it is not, and what is no descriptor", function()
      with([[
        local socket = require "cqueues.socket"
        local a, b = socket.pair()
        local fd = a:pollfd()
        local seen = { ctx:wait_fd(fd, "rw"), ctx:wait_fd(fd, "w", 0) }
        seen[#seen + 1] = select(3, ctx:wait_fd(fd, "r", 0))
        seen[#seen + 1] = select(3, ctx:wait_fd(fd, "r", 0.001))
        b:write("x\n")
        b:flush()
        seen[#seen + 1] = ctx:wait_fd(fd, "rw")
        seen[#seen + 1] = select(2, ctx:wait_fd(100000, "r"))
        seen[#seen + 1] = select(2, pcall(ctx.wait_fd, ctx, -1, "r"))
        seen[#seen + 1] = select(2, pcall(ctx.wait_fd, ctx, fd, "x"))
        out:send(seen)]], function(s)
        assert.same({ "w", "w", "would_block", "timeout", "rw", "this descriptor is not open",
          "bad argument #2 to '?' (a descriptor is a number of 0 or more)",
          "bad argument #3 to '?' (invalid option 'x')" }, (s:next()))
      end)
    end)
  end)
end
