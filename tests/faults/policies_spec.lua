-- Fault cases about restarts, groups and stops that are told for C workers in test_fault_*.c, for Lua workers wherever
-- they run, each by its number.
local core = require "chief.core"
local stage = require "stage"
local now = require("system").monotime -- comes with busted

local SLOW = tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1
local SOON = { policy = "on_failure", delay = 0.001, jitter = 0 }
local LATER = { policy = "on_failure", delay = 30, max_delay = 60, jitter = 0 }

local function running(run)
  return ("local M = {}\nfunction M.run(self, ctx)\nlocal out = ctx:channel('out')\n%s\nend\nreturn M"):format(run)
end

local WAITS = running "out:send(ctx.name) ctx:recv()"
local FAILS = running "error 'boom'"

-- The events that `choose` gives a word for, up to the end.
local function told(s, choose)
  local words = {}
  repeat
    local some = s.core:take_events(100, 0)
    for _, event in ipairs(some or {}) do words[#words + 1] = choose(event) end
  until not some
  return words
end

local function took(ask)
  local begun = now()
  ask()
  return now() - begun
end

local function best_of_three(measure) return math.min(measure(), measure(), measure()) end

describe("Lua workers", function()
  it("05: wait for their restart each by a timer of its own", function()
    local told_to_fail = running "out:send(ctx.name) error(ctx:recv() or 'stopped')"
    local delay = SLOW > 10 and 1.5 or 0.2 -- so that what follows fits into a rest under valgrind, too
    local after_it = { restart = { policy = "on_failure", delay = delay, factor = 3, jitter = 0 } }
    stage.with({ a = told_to_fail, b = told_to_fail }, function(s)
      for _ = 1, 2 do s:next() end
      s.core:send("a", "x")
      s:wait("a", "failed")
      s.out:recv(0.75 * delay) -- nothing comes: it is towards the end of a's rest
      s.core:send("b", "x")
      for _ = 1, 2 do s:next() end
      s:stop()
      local failed, again = {}, {}
      local delays = told(s, function(event)
        if event.state == "failed" and not again[event.worker] then failed[event.worker] = event.time end
        if event.state == "run" then again[event.worker] = failed[event.worker] and event.time end
        return event.kind == "restart" and event.worker .. event.delay or nil
      end)
      assert.same({ "a" .. delay, "b" .. delay }, { delays[1], delays[2] })
      local late = 0.001 * SLOW -- a failure is told a moment after it is known
      for _, name in ipairs { "a", "b" } do assert.is_true(again[name] - failed[name] >= delay - late) end
      assert.is_true(again.a <= again.b) -- which would be the other way round, had b's failure moved a's timer
    end, { a = after_it, b = after_it })
  end)

  it("06: whose init fails twice run at the third", function()
    stage.with({ w = [[
      local M = {}
      function M.init(ctx)
        if ctx.generation < 3 then return nil, "not yet " .. ctx.generation end
      end
      function M.run(_, ctx)
        ctx:channel("out"):send(ctx.generation)
        ctx:recv()
      end
      return M]] }, function(s)
      assert.equal(3, (s:next()))
      s:stop()
      local words = told(s, function(event)
        return event.kind == "state" and event.state == "failed" and event.reason .. ": " .. event.error or nil
      end)
      assert.same({ "init_error: not yet 1", "init_error: not yet 2" }, words)
    end, { w = { restart = SOON } })
  end)

  it("10: that wait for a restart delay no stop, and do not run again", function()
    local best = best_of_three(function()
      local seconds
      stage.with({ w = FAILS }, function(s)
        s:wait("w", "failed")
        seconds = took(function() s:stop() end)
        assert.equal(1, s:status("w").generation)
      end, { w = { restart = LATER } })
      return seconds
    end)
    assert.is_true(best < 0.05 * SLOW, best)
  end)

  it("11: that can't start hold up no answer", function()
    stage.with({ w = "return { init = function() return nil, 'never' end, run = function() end }" }, function(s)
      s:wait("w", "failed")
      local best = best_of_three(function()
        return took(function() assert.equal("w", s:status("w").name) end)
      end)
      assert.is_true(best < 0.05 * SLOW, best)
      assert.is_true(s.core:stop_worker("w"))
      assert.is_true(s.core:remove_worker("w"))
      local gone
      repeat -- an init that is on its way ends first
        local some = assert(s.core:take_events(100, stage.LIMIT))
        for _, event in ipairs(some) do gone = gone or event.kind == "removed" end
      until gone
      assert.is_nil(s:status("w"))
    end, { w = { restart = SOON } })
  end)

  it("12: of a group rest_for_one start again behind the one that failed", function()
    local MODULE = running [[
      out:send(ctx.name .. ctx.generation)
      for word in ctx:iter() do error(word) end]]
    local s = stage.new { ["m.lua"] = MODULE }
    for _, name in ipairs { "a", "b", "c" } do
      assert(s:add(name, { module = "m", restart = SOON, after = name == "a" and {} or { "a" } }))
    end
    assert(s.core:add_group("g", "rest_for_one", { "a", "b", "c" }))
    s:start()
    local function words(n) -- in any order, as each worker says its own
      local list = {}
      for i = 1, n do list[i] = s:next() end
      table.sort(list)
      return list
    end
    assert.same({ "a1", "b1", "c1" }, words(3))
    assert(s.core:send("b", "boom"))
    assert.same({ "b2", "c2" }, words(2))
    assert.equal(1, s:status("a").generation)
    s:stop()
    s:close()
  end)

  it("13: that are stopped by hand are restarted by no policy", function()
    stage.with({ w = WAITS }, function(s)
      s:next()
      assert.is_true(s.core:stop_worker("w"))
      s:wait("w", "stopped")
      local words = told(s, function(event) return event.kind == "restart" and event.worker or nil end)
      assert.same({}, words)
      assert.equal(1, s:status("w").generation)
    end, { w = { restart = { policy = "always", delay = 0 } } })
  end)

  it("22: stop in exact reverse of what they are after", function()
    local s = stage.new { ["m.lua"] = WAITS }
    assert(s:add("a", { module = "m" }))
    assert(s:add("b", { module = "m", after = { "a" } }))
    assert(s:add("c", { module = "m", after = { "b" } }))
    s:start()
    for _ = 1, 3 do s:next() end
    assert.is_true(s:stop())
    local words = told(s, function(event)
      return event.kind == "state" and event.state == "stopped" and event.worker or nil
    end)
    assert.same({ "c", "b", "a" }, words)
    s:close()
  end)

  it("31: in a circle are refused with their path", function()
    local s = stage.new { ["m.lua"] = WAITS }
    assert(s:add("a", { module = "m", after = { "b" } }))
    assert(s:add("b", { module = "m", after = { "a" } }))
    local ok, message = s.core:init_workers()
    assert.is_nil(ok)
    assert.matches("a → b → a", message)
    s:close()
  end)

  it("33: run on where nobody reads their events", function()
    stage.with({ w = running "if ctx.generation < 100 then error 'boom' end out:send 'there'" }, function(s)
      assert.equal("there", (s:next()))
    end, { w = { restart = { policy = "on_failure", delay = 0, jitter = 0 } } })
  end)

  it("09: that are critical and given up end the others in order", function()
    stage.with({ w = FAILS, other = WAITS }, function(s)
      local ok = s.core:join(stage.LIMIT)
      assert.is_nil(ok)
      assert.equal(70, s.core:exit_code())
      local words = told(s, function(event) return event.kind == "given_up" and event.worker or nil end)
      assert.same({ "w" }, words)
    end, { w = { critical = true } })
  end)

  it("04: over their limit are given up, by on_exit or without", function()
    local function runs(more)
      local generation
      stage.with({ w = FAILS }, function(s)
        assert(s.core:wait_state("w", "failed", stage.LIMIT))
        repeat
          local some = s.core:take_events(100, stage.LIMIT)
          for _, event in ipairs(some or {}) do
            if event.kind == "given_up" then generation = event.generation end
          end
        until generation or not some
      end, { w = more })
      return generation
    end
    local limited = { policy = "on_failure", delay = 0, jitter = 0, max_restarts = 2, window = 600 }
    assert.equal(3, runs { restart = limited })
    assert.equal(3, runs { restart = limited, on_exit = core.function_spec(function() return 0 end) })
    assert.equal(2, runs { on_exit = core.function_spec(function(_, h) return h.failures < 2 and 0 or "give_up" end) })
  end)
end)
