-- Fault cases about stops, states and requests that are told for C workers in test_fault_stops.c, test_fault_states.c
-- and test_fault_policies.c, for Lua workers wherever they run, each by its number.
local chief = require "chief"
local stage = require "stage"

local SLOW = tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1
local FLAP = { policy = "on_failure", delay = 0.02, max_delay = 0.02, jitter = 0 }

local function running(run)
  return ("local M = {}\nfunction M.run(self, ctx)\nlocal out = ctx:channel('out')\n%s\nend\nreturn M"):format(run)
end

local WAITS = running "out:send(ctx.name) ctx:recv()"

-- An interrupt is a signal, which ThreadSanitizer puts off for ever.
local ENDS_BY_FORCE = os.getenv("CHIEF_SANITIZE") ~= "thread" or stage.ISOLATION == "process"

describe("Lua workers", function()
  it("19: end once, however often they are stopped", function()
    stage.with({ w = WAITS }, function(s)
      s:next()
      for _ = 1, 100 do s.core:stop() end
      for _ = 1, 10 do assert.is_true(s.core:join(stage.LIMIT)) end
      local stops = {}
      repeat
        local some = s.core:take_events(100, 0)
        for _, event in ipairs(some or {}) do
          if event.kind == "stopping" or event.kind == "stopped" then stops[#stops + 1] = event.kind end
          if event.kind == "state" and event.state == "stopped" then stops[#stops + 1] = event.worker end
        end
      until not some
      assert.same({ "stopping", "w", "stopped" }, stops)
      assert.equal(0, s.core:exit_code())
    end)
  end)

  it("20: have all ended when the hooks run, which have a limit of their own", function()
    local s = stage.new { ["w.lua"] = "return { run = function(_, ctx) ctx:sleep(3600) return true end }" }
    local c = chief.new { hook_timeout = 0.05, log = { level = "off" } }
    local seen, path = {}, package.path
    package.path = s.folder .. "/?.lua;" .. path
    assert(c:add_worker("w", "w", { isolation = stage.ISOLATION }))
    package.path = path
    c:on_shutdown(function() while true do seen.turns = (seen.turns or 0) + 1 end end)
    c:on_shutdown(function() seen.w = c:states().w end)
    assert(c:init_workers())
    assert(c:launch())
    assert(c:wait_ready(stage.LIMIT))
    c:stop()
    assert.is_true(c:join(stage.LIMIT))
    assert.equal("stopped", seen.w)
    assert.is_true(seen.turns > 0)
    s:close()
  end)

  it("27: flap, come and go while their states are read", function()
    local FLAPPERS = 8
    local s = stage.new { ["flap.lua"] = running "error 'at once'", ["wait.lua"] = running "ctx:sleep(3600)" }
    for i = 1, FLAPPERS do assert(s:add("f" .. i, { module = "flap", restart = FLAP })) end
    s:start()
    local failures, last = 0, 0
    for round = 1, stage.ISOLATION == "process" and 8 or 40 do
      local guest = "guest" .. round
      assert(s:add(guest, { module = "wait" }))
      for _ = 1, 100 do
        local there, restarts = {}, 0
        for _, status in ipairs(s.core:states()) do
          there[status.name] = true
          restarts = restarts + status.restarts
          if status.state == "failed" then assert.matches("at once", status.error) end
        end
        for i = 1, FLAPPERS do assert.is_true(there["f" .. i]) end
        assert.is_true(restarts >= last)
        last = restarts
      end
      assert(s.core:remove_worker(guest))
    end
    s.core:stop()
    s.core:join(stage.LIMIT)
    repeat
      local some = s.core:take_events(100, 0)
      for _, event in ipairs(some or {}) do
        if event.kind == "state" and event.state == "failed" then failures = failures + 1 end
      end
    until not some
    assert.is_true(failures >= FLAPPERS)
    s:close()
  end)

  it("28: each run once while all broadcast and others come and go", function()
    local N, ALIVE = stage.ISOLATION == "process" and 12 or 100, 4
    local s = stage.new { ["shout.lua"] = running [[
      out:send(ctx.name)
      while not ctx:done() do
        ctx:broadcast "!"
        ctx:recv(0.001)
      end]] }
    s:start()
    local runs, n = {}, 0
    local function hear()
      local name = s:next()
      runs[name] = (runs[name] or 0) + 1
      n = n + 1
    end
    for i = 1, N do
      assert(s:add("s" .. i, { module = "shout", mailbox_capacity = 16 }))
      while i - n >= ALIVE do hear() end
      if i > ALIVE and runs["s" .. i - ALIVE] then assert(s.core:remove_worker("s" .. i - ALIVE)) end
    end
    while n < N do hear() end
    assert.is_true(s:stop())
    for i = 1, N do assert.equal(1, runs["s" .. i]) end
    assert.is_nil((s.out:try_recv()))
    s:close()
  end)

  it("30: start once when what they are after is ready, which it must become anew", function()
    local s = stage.new { ["b.lua"] = running "out:send(ctx.name .. ctx.generation) ctx:recv()",
      ["a.lua"] = [[
        local M = { ready = true }
        function M.run(_, ctx)
          ctx:channel("out"):send("a" .. ctx.generation)
          ctx:recv()
          ctx:ready()
          ctx:recv()
          if ctx:err() == nil then error "told to" end
        end
        return M]] }
    assert(s:add("a", { restart = { policy = "on_failure", delay = 0, jitter = 0 } }))
    assert(s:add("b", { after = { "a" } }))
    s:start()
    assert.equal("a1", s:next())
    for _ = 1, 3 do assert.is_true(s.core:restart_worker "b") end
    assert.is_nil((s.out:try_recv()))
    s.core:send("a", "ready")
    local first = s:next()
    assert.matches("^b", first)
    s:wait("b", "run")
    s.core:send("a", "fail")
    assert.equal("a2", s:next())
    assert.is_true(s.core:restart_worker "b")
    s:wait("b", "stopped")
    assert.is_nil((s.out:try_recv())) -- a2 has not said that it is ready
    s.core:send("a", "ready")
    assert.matches("^b", s:next())
    assert.is_true(s:stop())
    assert.is_nil((s.out:try_recv()))
    s:close()
  end)

  local it_forces = ENDS_BY_FORCE and it or pending
  it_forces("49: below one that is stuck still drain what it accepted", function()
    local JOBS = 50
    local s = stage.new({
      ["stuck.lua"] = running(([[
        local accepted = ctx:channel "accepted"
        out:send "up"
        ctx:sleep(3600)
        for i = 1, %d do assert(accepted:send(i)) end
        while true do end]]):format(JOBS)),
      ["resizer.lua"] = running [[
        local resized = ctx:channel "resized"
        for job in ctx:channel("accepted"):iter() do assert(resized:send(job)) end]],
      ["store.lua"] = running [[
        local n = 0
        for _ in ctx:channel("resized"):iter() do n = n + 1 end
        out:send(n)]],
    }, { force_stop_timeout = 1 * SLOW })
    assert(s.core:add_channel("accepted", { capacity = JOBS, delivery = "at_least_once" }))
    assert(s.core:add_channel("resized", { capacity = 4, delivery = "at_least_once" }))
    assert(s:add "store")
    assert(s:add("resizer", { after = { "store" } }))
    assert(s:add("stuck", { after = { "resizer" } }))
    s:start()
    assert.equal("up", s:next())
    local ok, message = s:stop()
    assert.is_nil(ok)
    assert.equal("Graceful exit timeout exceeded: stuck", message)
    assert.equal(JOBS, s:next())
    assert.equal(75, s.core:exit_code())
    assert.same({ "stopped", "stopped" }, { s:status("resizer").state, s:status("store").state })
    s:close()
  end)
end)
