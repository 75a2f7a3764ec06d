-- The fault cases that are told for C workers in test_fault_*.c, for Lua workers wherever they run, each by its number.
local stage = require "stage"
local now = require("system").monotime -- comes with busted

local SLOW = tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1
local SOON = { policy = "on_failure", delay = 0.001, jitter = 0 }

local function running(run)
  return ("local M = {}\nfunction M.run(self, ctx)\nlocal out = ctx:channel('out')\n%s\nend\nreturn M"):format(run)
end

local WAITS = running "out:send(ctx.name) ctx:recv()"

-- Its life in words: the states, and where a restart was scheduled.
local function life_of(s, name)
  s:stop()
  local list, delays = {}, {}
  repeat
    local some = s.core:take_events(100, 0)
    for _, event in ipairs(some or {}) do
      if event.worker == name and event.kind == "state" then list[#list + 1] = event.state end
      if event.worker == name and event.kind == "restart" then
        list[#list + 1] = "restart"
        delays[#delays + 1] = event.delay
      end
    end
  until not some
  return table.concat(list, " "), delays
end

-- The shortest of three, in seconds: what takes no time may be held up by others.
local function best_of_three(measure)
  local best = math.huge
  for _ = 1, 3 do best = math.min(best, measure()) end
  return best
end

describe("a Lua worker in a thread", function()
  it("01: runs again in a fresh state after the first delay", function()
    stage.with({ w = [[
      counter = (counter or 0) + 1
      local M = {}
      function M.run(self, ctx)
        ctx:channel("out"):send { counter, ctx.generation }
        counter = 7
        if ctx.generation == 1 then error "the first" end
        ctx:recv()
      end
      return M]] }, function(s)
      assert.same({ 1, 1 }, (s:next()))
      assert.same({ 1, 2 }, (s:next()))
      s:wait("w", "run")
      local life, delays = life_of(s, "w")
      assert.equal("present enabled initialized run failed restart initialized run stopped", life)
      assert.same({ 0.05 }, delays)
      assert.is_nil((s.out:try_recv()))
    end, { w = { restart = { policy = "on_failure", delay = 0.05, jitter = 0 } } })
  end)

  it("02: inits once and runs once where restart is never", function()
    local init = "local M = {} function M.init(ctx) ctx:channel('out'):send 'init' %s end "
      .. "function M.run(_, ctx) ctx:channel('out'):send 'run' %s end return M"
    local cases = {
      { init:format("", "return nil, 'no'"), "init run" }, { init:format("", "error 'no'"), "init run" },
      { init:format("error 'no'", ""), "init" }, { init:format("return nil, 'no'", ""), "init" },
    }
    for _, case in ipairs(cases) do
      for _, options in ipairs { {}, { restart = "never" } } do
        stage.with({ w = case[1] }, function(s)
          assert.is_nil((s.core:join(stage.LIMIT)))
          local said = {}
          for value in function() return (s.out:try_recv()) end do said[#said + 1] = value end
          assert.equal(case[2], table.concat(said, " "))
          assert.equal(1, s:status("w").generation)
          assert.equal("failed", s:status("w").state)
        end, { w = options, exit_when_done = true })
      end
    end
  end)

  it("03: fails at once for long, follows the backoff and costs next to nothing", function()
    stage.with({ w = running "error 'at once'" }, function(s)
      local cpu = os.clock()
      assert.equal("timeout", select(3, s.core:join(5)))
      cpu = os.clock() - cpu
      -- Runs at 0, 0.1, 0.3, 0.7, 1.5 and 3.1 s; the next would be at 6.3 s.
      local generation = s:status("w").generation
      assert.is_true(generation >= 4 and generation <= 6, generation)
      assert.is_true(cpu < 0.05 * SLOW, cpu)
      local life = life_of(s, "w")
      assert.equal(generation, select(2, life:gsub("failed", "")))
      assert.is_true(select(2, life:gsub("%S+", "")) <= 5 * generation + 3, life)
    end, { w = { restart = { policy = "on_failure", delay = 0.1, factor = 2, jitter = 0 } } })
  end)

  it("07: that returns is stopped, not restarted, and can be started again", function()
    stage.with({ w = running "out:send(ctx.generation)" }, function(s)
      assert.equal(1, s:next())
      s:wait("w", "stopped")
      assert.is_true(s.core:start_worker "w")
      assert.equal(2, s:next())
      s:wait("w", "stopped")
      assert.equal(0, s:status("w").restarts)
      assert.equal("present enabled initialized run stopped initialized run stopped", (life_of(s, "w")))
    end, { w = { restart = SOON } })
  end)

  it("21: ends a grace of 60 s when it ends", function()
    local best = best_of_three(function()
      local took
      stage.with({ w = running [[
        out:send "up"
        ctx:recv()
        os.execute "sleep 0.05"]] }, function(s)
        s:next()
        local begun = now()
        assert.is_true(s:stop())
        took = now() - begun
      end, { w = { grace = 60 } })
      return took
    end)
    assert.is_true(best < 0.2 * SLOW, best)
  end)

  -- Each wait alone, so that nobody's end ends another's wait.
  local waits = {
    sleep = "ctx:sleep(1000)", mailbox = "ctx:recv()", channel = "ctx:channel('never'):recv()",
    iter = "for _ in ctx:channel('never'):iter() do end", select = "ctx:select { ctx:channel 'never', ctx }",
    call = "ctx:call('deaf', 1)",
    loop = [[
      local cqueues = require "cqueues"
      local loop = cqueues.new()
      loop:wrap(function() cqueues.poll { pollfd = ctx:fd(), events = "r" } end)
      assert(loop:loop())]],
  }
  for name, wait in pairs(waits) do
    it("23: knows of a stop at once in " .. name, function()
      local best = best_of_three(function()
        local took
        stage.with({ w = running("out:send 'up' " .. wait), deaf = running "ctx:sleep(1000)" }, function(s)
          s:next()
          s:wait("deaf", "run")
          local begun = now()
          assert.is_true(s.core:stop_worker "w")
          s:wait("w", "stopped")
          took = now() - begun
        end, { channels = { "never" } })
        return took
      end)
      assert.is_true(best < 0.05 * SLOW, best)
    end)
  end

  it("23: ends its send to a full channel when no receiver is left", function()
    stage.with({
      w = running [[
        local full, ok, message = ctx:channel "full", nil, nil
        repeat ok, message = full:send(1) until not ok
        out:send(message)]],
      reader = running "assert(ctx:channel('full'):recv()) out:send 'read' ctx:recv()",
    }, function(s)
      assert.equal("read", s:next())
      assert.is_true(s.core:stop_worker "w")
      assert.is_true(s.core:stop_worker "reader")
      assert.equal("cancelled", s:next())
      s:wait("w", "stopped")
    end, { channels = { "full" }, w = { grace = 3600 } })
  end)

  it("23: a pipeline that is stopped under load has stored all it accepted", function()
    local s = stage.new {
      ["api.lua"] = running [[
        local jobs, n = ctx:channel "uploads", 0
        while not ctx:done() and jobs:send(n + 1) do
          n = n + 1
          if n == 100 then out:send "under load" end
        end
        out:send { "accepted", n }]],
      ["resizer.lua"] = running [[
        local thumbs = ctx:channel "thumbs"
        for job in ctx:channel("uploads"):iter() do assert(thumbs:send(job)) end]],
      ["uploader.lua"] = running [[
        local n = 0
        for job in ctx:channel("thumbs"):iter() do
          assert(job == n + 1, "out of order")
          n = job
        end
        out:send { "stored", n }]],
    }
    for _, name in ipairs { "uploads", "thumbs" } do
      assert(s.core:add_channel(name, { capacity = 16, delivery = "at_least_once" }))
    end
    assert(s:add "uploader")
    assert(s:add("resizer", { after = { "uploader" } }))
    assert(s:add("api", { after = { "resizer" } }))
    s:start()
    assert.equal("under load", s:next())
    assert.is_true(s:stop())
    local accepted, stored = s:next(), s:next()
    assert.same({ "accepted", "stored" }, { accepted[1], stored[1] })
    assert.equal(accepted[2], stored[2])
    s:close()
  end)

  it("26: is left as it was by what is refused", function()
    stage.with({ w = WAITS }, function(s)
      assert.equal("w", s:next())
      s:wait("w", "run")
      assert.equal("wrong_state_change", select(3, s.core:start_worker "w"))
      assert.equal("not_found", select(3, s.core:start_worker "nosuch"))
      assert.equal("exists", select(3, s:add "w"))
      assert.same({ "run", 1 }, { s:status("w").state, s:status("w").generation })
      assert.equal(1, #s.core:states())
      assert.is_true(s.core:remove_worker "w")
      for _, verb in ipairs { "start_worker", "stop_worker", "restart_worker", "remove_worker" } do
        assert.equal("not_found", select(3, s.core[verb](s.core, "w")))
      end
      repeat local event = s.core:take_events(1, stage.LIMIT)[1] until event.kind == "removed"
      assert.equal(0, #s.core:states())
    end)
  end)

  it("29: may ask for the states in its init, and block there", function()
    local s = stage.new({ ["w.lua"] = [[
      local M = {}
      function M.init(ctx)
        ctx:channel("out"):send(ctx:states())
        ctx:channel("go"):recv()
      end
      function M.run(_, ctx) ctx:recv() end
      return M]] }, { init_timeout = 0.05 })
    assert(s.core:add_channel "go")
    assert(s:add "w")
    assert(s.core:init_workers())
    assert.same({ w = "enabled" }, (s:next()))
    local best = best_of_three(function()
      local begun = now()
      assert.equal("w", s:status("w").name)
      return now() - begun
    end)
    assert.is_true(best < 0.05 * SLOW, best)
    s.core:stop()
    s.core:join(stage.LIMIT)
    s:close()
  end)

  local raised = {
    string = { "error 'boom'", "w.lua:5: boom" }, table = { "error {}", "error object is a table value" },
    ["nil"] = { "error()", "error object is a nil value" },
    object = { "error(setmetatable({}, { __tostring = function() return 'object' end }))", "^object$" },
    coroutine = { "coroutine.wrap(function() error 'inside' end)()", "w.lua:5: inside" },
  }
  for name, case in pairs(raised) do
    it("34: keeps what was raised, also after the restart: " .. name, function()
      local run = "if ctx.generation == 1 then\n" .. case[1] .. " end out:send 'again' ctx:recv()"
      stage.with({ w = running(run) }, function(s)
        assert.equal("again", s:next())
        local status = s:wait("w", "run")
        assert.equal(2, status.generation)
        assert.matches(case[2], status.error)
        assert.matches("^stack traceback:", status.traceback)
        assert.matches("w.lua:5", status.traceback)
      end, { w = { restart = SOON } })
    end)
  end

  it("35: keeps a hundred thousand messages in order", function()
    stage.with({
      from = running [[
        local batch, ch = {}, ctx:channel "many"
        for first = 1, 100000, 50 do
          for i = 0, 49 do batch[i + 1] = first + i end
          if first % 100 == 1 then assert(ch:send_many(batch))
          else for i = 1, 50 do assert(ch:send(batch[i])) end end
        end]],
      to = running [[
        local inversions, n = 0, 0
        for value in ctx:channel("many"):iter() do
          n = n + 1
          if value ~= n then inversions = inversions + 1 end
          if n == 100000 then out:send { n, inversions } end
        end]],
    }, function(s)
      assert.same({ 100000, 0 }, (s.out:recv(4 * stage.LIMIT))) -- from process to process it takes a second or more
    end, { channels = { "many" } })
  end)

  it("36: that never reads leaves its sender waiting, refused or dropping, as the channel says", function()
    local s = stage.new { ["w.lua"] = running "out:send 'up' ctx:sleep(1000)",
      ["sender.lua"] = running [[
        local codes = {}
        for _, name in ipairs { "block", "fail", "drop_oldest" } do
          local sent, ch = 0, ctx:channel(name)
          for i = 1, 1000 do
            local ok, _, code = ch:send(("x"):rep(1000), name == "block" and i > 8 and 0 or nil)
            sent = sent + (ok and 1 or 0)
            codes[name] = code or codes[name]
          end
          out:send { name, sent, ch:len(), ch:stats().dropped, codes[name] or "" }
        end]] }
    for _, overflow in ipairs { "block", "fail", "drop_oldest" } do
      assert(s.core:add_channel(overflow, { capacity = 8, overflow = overflow }))
    end
    assert(s:add "w")
    assert(s:add("sender", { after = { "w" } }))
    s:start()
    assert.equal("up", s:next())
    assert.same({ "block", 8, 8, 0, "would_block" }, (s:next()))
    assert.same({ "fail", 8, 8, 0, "full" }, (s:next()))
    assert.same({ "drop_oldest", 1000, 8, 992, "" }, (s:next()))
    assert.is_true(s:stop())
    s:close()
  end)

  it("48: a message that kills its receiver each time leaves, and the next one is served", function()
    local s = stage.new { ["w.lua"] = running [[
      for job, info in ctx:channel("jobs"):iter() do
        out:send { job, info.deliveries }
        if job == "poison" then error "died" end
      end]] }
    assert(s.core:add_channel "morgue")
    assert(s.core:add_channel("jobs", { delivery = "at_least_once", max_deliveries = 3, dead = "morgue" }))
    assert(s:add("w", { restart = SOON }))
    s:start()
    local jobs = s.core:channel "jobs"
    assert.equal(2, jobs:send_many { "poison", "good" })
    for i = 1, 3 do assert.same({ "poison", i }, (s:next())) end
    assert.same({ "good", 1 }, (s:next()))
    assert.equal("poison", (s.core:channel("morgue"):recv(stage.LIMIT)))
    assert.is_true(s:stop())
    local stats = jobs:stats()
    assert.same({ 2, 1, 1, 0 }, { stats.sent, stats.acknowledged, stats.dropped, stats.queued })
    s:close()
  end)

  -- One in a process is killed and never abandoned: 17 in interrupt_spec and test_fault_processes.
  if stage.ISOLATION == "process" then return end

  it("47: has no second life beside an abandoned one, whose late end changes nothing", function()
    local gate = os.tmpname()
    os.remove(gate)
    assert(os.execute("mkfifo " .. gate))
    stage.with({ w = running("out:send(ctx.generation) os.execute('cat " .. gate .. " >/dev/null')") }, function(s)
      assert.equal(1, s:next())
      assert.is_true(s.core:stop_worker "w")
      s:wait("w", "failed")
      assert.equal("busy", select(3, s.core:start_worker "w"))
      assert.equal("abandoned", s:status("w").phase)
      assert(io.open(gate, "w")):close()
      local answer
      repeat answer = { s.core:start_worker "w" } until answer[3] ~= "busy"
      assert.same({ true }, answer)
      assert.equal(2, s:next())
      assert(io.open(gate, "w")):close()
      s:wait("w", "stopped")
    end, { w = { grace = 0.02, restart = SOON }, force_time = 0.02 })
    os.remove(gate)
  end)
end)
