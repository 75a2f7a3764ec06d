-- FAULTS 16 and 17 for Lua workers in threads, os.exit, and looking at a worker without ending anything. Under
-- ThreadSanitizer signals do not arrive in code that it does not know, such as Lua's: there tests/host call what
-- the signals do.
local stage = require "stage"

local SLOW = tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1
local GRACE = 0.05
local FORCE_TIME = 0.1 * SLOW -- as long as chief's own where the tests run at full speed
-- For those that are to end by themselves: on a machine that is busy with others their thread may not run for long.
local LONG_FORCE_TIME = 20 * FORCE_TIME
local TRIES = 30 -- of what is bound to milliseconds: one of them has the processor to itself

local function where_signals_arrive(name, body)
  if os.getenv("CHIEF_SANITIZE") == "thread" then return pending(name) end
  it(name, body)
end

-- Before each body: closer(what, more) is a value whose __close reports that it is entered, calls `more` and reports
-- that it is done.
local PRELUDE = [[
local out
local function closer(what, more)
  return setmetatable({}, { __close = function()
    out:send("enter " .. what)
    if more then more() end
    out:send("done " .. what)
  end })
end
local function spin() while true do end end
local function body(self, ctx)
  %s
end
return { run = function(self, ctx)
  out = ctx:channel("out")
  out:send("go")
  return body(self, ctx)
end }]]

-- Starts a worker, stops it, and gives its status, what its closers said, and how long it lived after its grace. What
-- it uses is loaded before it says that it is there, so that its grace is all for the body.
local function end_one(body, check, uses)
  local took
  local loads = uses and ("require %q\n"):format(uses) or ""
  stage.with({ w = loads .. PRELUDE:format(body) }, function(s)
    assert.equal("go", s:next())
    assert(s.core:stop_worker("w"))
    assert(s.core:wait_state("w", "stopped", stage.LIMIT) or s:status("w").state == "failed")
    local said, forced, ended = {}, nil, nil
    while not ended do
      for _, event in ipairs(assert(s.core:take_events(100, stage.LIMIT))) do
        if event.kind == "forced" then forced = event end
        if event.kind == "state" and event.previous == "run" then ended = event end
      end
    end
    for _ = 1, s.out:len() do said[#said + 1] = s:next() end
    assert(forced, "it was not interrupted")
    took = ended.time - forced.time
    check(s:status("w"), said, s)
  end, { w = { grace = GRACE }, force_time = LONG_FORCE_TIME })
  return took
end

local function is_dead(status)
  assert.equal("stopped", status.state, status.error)
  assert.equal("killed", status.reason)
  assert.equal(("interrupted: did not end within its grace of %g s"):format(GRACE), status.error)
  assert.matches("stack traceback:.*w%.lua:", status.traceback)
end

-- Each __close is entered within 70 ms of the first raise, which is a time limit, too: the best of its tries counts.
local function dies(name, body, expected, uses)
  where_signals_arrive("16: " .. name, function()
    local best, said = math.huge, nil
    for _ = 1, TRIES do
      local took = end_one(body, function(status, words)
        is_dead(status)
        said = words
      end, uses)
      best = math.min(best, took)
      if took <= 0.1 * SLOW and pcall(assert.same, expected or {}, said) then return end
    end
    assert.same(expected or {}, said)
    assert.is_true(best <= 0.1 * SLOW, ("%g s"):format(best))
  end)
end

describe("an interrupted worker", function()
  dies("in a loop", "while true do end")
  dies("under nested pcalls", [[
    while true do
      pcall(function()
        while true do xpcall(function() while true do pcall(spin) end end, function(m) return "handled: " .. m end) end
      end)
    end]])
  dies("under a pcall of C's", [[
    local sort = table.sort
    while true do pcall(function() sort({ 1, 2, 3 }, spin) end) end]])
  dies("in a coroutine", [[
    local c <close> = closer "main"
    coroutine.resume(coroutine.create(function()
      local inner <close> = closer "co"
      while true do end
    end))
    spin()]], { "enter co", "done co", "enter main", "done main" })
  dies("in coroutines by create in create", [[
    coroutine.resume(coroutine.create(function()
      local c <close> = closer "outer"
      coroutine.resume(coroutine.create(function()
        local d <close> = closer "inner"
        spin()
      end))
      spin()
    end))
    spin()]], { "enter inner", "done inner", "enter outer", "done outer" })
  dies("in coroutines by wrap in wrap, each under pcall", [[
    pcall(coroutine.wrap(function()
      local c <close> = closer "outer"
      pcall(coroutine.wrap(function()
        local d <close> = closer "inner"
        while true do pcall(spin) end
      end))
      spin()
    end))
    spin()]], { "enter inner", "done inner", "enter outer", "done outer" })
  dies("in two coroutines that resume each other", [[
    local a, b
    a = coroutine.create(function()
      local c <close> = closer "a"
      while true do coroutine.resume(b) end
    end)
    b = coroutine.create(function()
      local d <close> = closer "b"
      while true do coroutine.resume(a) end
    end)
    while true do coroutine.resume(a) end]], { "enter b", "done b", "enter a", "done a" })
  dies("in a __close", [[
    local a <close> = closer "a"
    local b <close> = closer("b", spin)
    spin()]], { "enter b", "enter a", "done a" })
  dies("in many a __close that never returns", [[
    local a <close> = closer("a", spin)
    local b <close> = closer("b", spin)
    local c <close> = closer("c", spin)
    local d <close> = closer("d", spin)
    local e <close> = closer("e", spin)
    local f <close> = closer("f", spin)
    spin()]], { "enter f", "enter e", "enter d", "enter c", "enter b", "enter a" })
  dies("in a coroutine.close", [[
    local co = coroutine.create(function()
      local c <close> = closer("c", spin)
      coroutine.yield()
    end)
    coroutine.resume(co)
    local d <close> = closer "d"
    coroutine.close(co)
    spin()]], { "enter c", "enter d", "done d" })
  dies("in a coroutine of cqueues", [[
    local cq = require("cqueues").new()
    cq:wrap(function()
      local c <close> = closer "c"
      while true do pcall(spin) end
    end)
    while true do pcall(function() cq:loop() end) end]], { "enter c", "done c" }, "cqueues")
  dies("in a callback that can't yield, in a coroutine", [[
    coroutine.wrap(function()
      local c <close> = closer "c"
      string.gsub("x", "x", spin)
    end)()]], { "enter c", "done c" })
  dies("reading from a pipe", [[
    local c <close> = closer "c"
    local pipe = io.popen("exec sleep 30 2>/dev/null")
    while true do pipe:read(1) end]], { "enter c", "done c" })

  where_signals_arrive("16: in two coroutines of which one waits for the other, whichever runs", function()
    end_one([[
      local b = coroutine.create(function()
        local d <close> = closer "b"
        while true do coroutine.yield() end
      end)
      local a = coroutine.create(function()
        local c <close> = closer "a"
        while true do coroutine.resume(b) end
      end)
      while true do coroutine.resume(a) end]], function(status, said)
      is_dead(status)
      table.sort(said)
      assert.same({ "done a", "done b", "enter a", "enter b" }, said)
    end)
  end)

  where_signals_arrive("16: gives each __close 15 ms", function()
    if SLOW > 1 then return end -- its milliseconds are the processor's
    local best
    for _ = 1, TRIES do
      end_one([[
        local a <close> = closer("a", function() local t = os.clock() while os.clock() - t < 0.002 do end end)
        spin()]], function(status, said)
        is_dead(status)
        best = said
      end)
      if best[2] == "done a" then return end
    end
    assert.same({ "enter a", "done a" }, best)
  end)

  local function resident()
    local file <close> = assert(io.open("/proc/self/statm"))
    return select(2, file:read("n", "n")) * 4096
  end

  where_signals_arrive("16: gives its memory back", function()
    if SLOW > 1 then return end -- sanitizers and valgrind keep it for a while; they say themselves what is lost
    local text = PRELUDE:format [[
      local blocks = {}
      for i = 1, 2 do blocks[i] = ("x"):rep(40 * 1024 * 1024) end -- so large that malloc keeps nothing of them
      out:send("full")
      spin()]]
    local full, back
    stage.with({ w = text }, function(s)
      s:next()
      assert.equal("full", s:next())
      full = resident()
      assert(s.core:stop_worker("w"))
      s:wait("w", "stopped")
      s:stop()
      back = resident()
    end, { w = { grace = 0 }, force_time = 5 * LONG_FORCE_TIME })
    assert.is_true(full - back > 72 * 1024 * 1024, ("%d and %d bytes"):format(full, back))
  end)

  where_signals_arrive("is told from an init that does not end", function()
    local text = "return { init = function() while true do end end, run = function() end }"
    stage.with({ w = text }, function(s)
      local status = s:status("w")
      assert.equal("failed", status.state)
      assert.equal("init_error", status.reason)
      assert.equal("interrupted: init did not end within 0.05 s", status.error)
    end, { init_timeout = 0.05, force_time = LONG_FORCE_TIME })
  end)

  where_signals_arrive("runs again in a fresh state", function()
    stage.with({ w = PRELUDE:format "if ctx.generation == 1 then spin() end ctx:recv()" }, function(s)
      s:next()
      assert(s.core:restart_worker("w"))
      assert.equal("go", s:next())
      assert.equal(2, s:wait("w", "run").generation)
    end, { w = { grace = 0.01 }, force_time = LONG_FORCE_TIME })
  end)
end)

describe("an abandoned worker", function()
  -- False where the worker had not got from its «go» to the body when its time was over.
  local function try_to_abandon(body, place)
    local was_there = true
    stage.with({ w = PRELUDE:format(body) }, function(s)
      s:next()
      local ok, message, code = s:stop()
      assert.is_nil(ok)
      assert.equal("timeout", code)
      assert.equal(75, s.core:exit_code())
      was_there = not message:find("after ch:send", 1, true)
      if not was_there then return end
      assert.matches("^Graceful exit timeout exceeded: w %(" .. place .. "%)$", message)
      local status = s:status("w")
      assert.equal("failed", status.state)
      assert.matches("^did not end within its grace: " .. place .. "$", status.error)
      assert.matches("stack traceback:.*w%.lua:", status.traceback)
    end, { force_stop_timeout = GRACE, force_time = FORCE_TIME })
    return was_there
  end

  local function abandoned(body, place)
    for _ = 1, TRIES do
      if try_to_abandon(body, place) then return end
    end
    error("it never got into its body in time")
  end

  -- Each ends by itself, in a while, so that its thread does not go on beyond the test.
  where_signals_arrive("17: in a C function that does not return", function()
    abandoned([[
      os.execute("exec sleep " .. 2 * ]] .. SLOW .. " .. ' >/dev/null 2>&1')",
      "in C %(execute%), called from [^ ]*/w%.lua:%d+")
  end)
  where_signals_arrive("17: in a __gc that does not return", function()
    abandoned(([[
      setmetatable({}, { __gc = function() local t = os.time() + %d while os.time() < t do end end })
      collectgarbage()]]):format(3 * SLOW), "in C %([%w_]+%), called from [^ ]*/w%.lua:%d+")
  end)
end)

describe("os.exit", function()
  local function exits(body)
    stage.with({ w = PRELUDE:format(body) }, function(s)
      s:next()
      local status = s:wait("w", "failed")
      assert.equal("exit 3", status.error)
      assert.matches("stack traceback:.*w%.lua:", status.traceback)
      assert.equal(0, s.out:len())
    end)
  end

  it("is caught by no pcall", function()
    exits("pcall(function() pcall(os.exit, 3) out:send 'survived' end) out:send 'survived'")
  end)
  it("is caught by no coroutine", function()
    exits([[
      print(coroutine.resume(coroutine.create(function() pcall(os.exit, 3) out:send "survived" end)))
      out:send "survived"]])
    exits("pcall(coroutine.wrap(function() os.exit(3) end)) out:send 'survived'")
  end)
  -- Each __close has 15 ms, in which its thread may not run on a busy machine.
  it("lets __close run", function()
    local said
    for _ = 1, TRIES do
      said = {}
      stage.with({ w = PRELUDE:format "local c <close> = closer 'c' os.exit(3)" }, function(s)
        s:wait("w", "failed")
        for _ = 1, s.out:len() do said[#said + 1] = s:next() end
      end)
      if #said == 3 then break end
    end
    assert.same({ "go", "enter c", "done c" }, said)
  end)
end)

describe("looking at a worker", function()
  -- Until the text is as expected: a look may come a moment before the worker is there.
  local function await_look(s, pattern)
    local text
    local deadline = os.time() + stage.LIMIT
    repeat
      text = s.core:traceback("w")
      if text and text:find(pattern) then return text end
    until os.time() > deadline
    error(("%s: %s"):format(pattern, text))
  end

  where_signals_arrive("shows the line and the traceback, and ends nothing", function()
    stage.with({ w = PRELUDE:format [[
      local function deep() local n = 0 while not ctx:done() do n = n + 1 end return n end
      local co = coroutine.wrap(function() local n = deep() return n end)
      out:send(co() > 0)]] }, function(s)
      s:next()
      for _ = 1, 20 do
        local text = await_look(s, "^in Lua, at [^ ]*/w%.lua:%d+\nstack traceback:\n.*w%.lua:%d+: in upvalue 'deep'")
        assert.matches("\nresumed by\nstack traceback:.*w%.lua:%d+: in function <", text)
      end
      assert.equal("run", s:status("w").state)
      assert.is_true(s:stop())
      assert.is_true(s:next())
    end)
  end)

  where_signals_arrive("keeps the worker's own hook", function()
    stage.with({ w = PRELUDE:format [[
      local calls = 0
      debug.sethook(function() calls = calls + 1 end, "", 100)
      while not ctx:done() do end
      local before = calls
      for i = 1, 10000 do end
      out:send(calls - before >= 99)]] }, function(s)
      s:next()
      for _ = 1, 5 do await_look(s, "^in Lua") end
      assert.is_true(s:stop())
      assert.is_true(s:next())
    end)
  end)

  where_signals_arrive("names the chief's call that it waits in", function()
    local calls = {
      ["ctx:recv"] = "ctx:recv()",
      ["ctx:sleep"] = "ctx:sleep(1000)",
      ["ctx:select"] = "ctx:select({ ctx })",
      ["ch:recv"] = "ctx:channel('in'):recv()",
      ["ch:iter"] = "for _ in ctx:channel('in'):iter() do end",
    }
    for name, call in pairs(calls) do
      stage.with({ w = PRELUDE:format(call) }, function(s)
        s:next()
        local text = await_look(s, "^in " .. name .. ", called from [^ ]*/w%.lua:%d+\nstack traceback:\n")
        assert.matches("w%.lua:%d+", text)
        assert.is_true(s:stop())
      end, { channels = { "in" } })
    end
  end)

  where_signals_arrive("names the C function it is in, and ends no call that can be restarted", function()
    local fifo = os.tmpname()
    os.remove(fifo)
    assert(os.execute("mkfifo " .. fifo))
    finally(function() os.remove(fifo) end)
    stage.with({ w = PRELUDE:format(([[
      local pipe = io.popen("cat %s")
      out:send(pipe:read("l"))]]):format(fifo)) }, function(s)
      s:next()
      local text = await_look(s, "^in C %(read%), called from [^ ]*/w%.lua:%d+")
      assert.matches("stack traceback:", text)
      for _ = 1, 3 do s.core:traceback("w") end
      local writer <close> = assert(io.open(fifo, "w"))
      assert(writer:write("done\n"))
      writer:flush()
      assert.equal("done", s:next())
    end)
  end)

  it("says who does not run and who is not there", function()
    stage.with({ w = PRELUDE:format "" }, function(s)
      s:wait("w", "stopped")
      local text, message, code = s.core:traceback("w")
      assert.is_nil(text)
      assert.equal("worker w does not run now", message)
      assert.equal("would_block", code)
      code = select(3, s.core:traceback("nosuch"))
      assert.equal("not_found", code)
    end)
  end)
end)
