-- FAULTS 41 and 42 for Lua workers, in threads and in processes: the memory limit and the watchdog. What ends a worker
-- in a loop comes by a signal, which does not arrive under ThreadSanitizer.
local stage = require "stage"

local SLOW = tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1
local MIB = 1024 * 1024

local function where_signals_arrive(name, body)
  if os.getenv("CHIEF_SANITIZE") == "thread" then return pending(name) end
  it(name, body)
end

-- A module whose run says "go" and then is this.
local function module(body)
  return ([[
    local M = {}
    function M.run(self, ctx)
      local out = ctx:channel("out")
      out:send("go")
      %s
    end
    return M]]):format(body)
end

-- One that answers what it is sent, to see that it goes on.
local ECHO = [[return { run = function(self, ctx)
  for value in ctx:iter() do ctx:channel("out"):send(value) end
  return true
end }]]

-- Runs the worker `w` beside one that answers, until `w` has failed, and gives `check` its status.
local function fails(body, limits, check)
  limits.force_time = nil
  stage.with({ w = module(body), echo = ECHO }, function(s)
    assert.equal("go", s:next())
    local status = s:wait("w", "failed")
    assert(s.core:send("echo", "still there"))
    local value = s:next()
    while value ~= "still there" do value = s:next() end
    assert.equal("run", s:status("echo").state)
    check(status, s)
  end, { w = limits })
end

local function is_over_limit(status)
  assert.equal("memory_limit", status.reason, status.error)
  assert.matches("^memory limit: [%d.]+ MiB in use.*, 2%.0 MiB allowed$", status.error)
end

describe("41: a worker over its memory limit", function()
  local LIMIT = { memory_limit = 2 * MIB }

  local function over(name, body, check)
    it(name, function()
      fails(body, LIMIT, function(status, s)
        is_over_limit(status)
        if check then check(status, s) end
      end)
    end)
  end

  over("fails with where it was, and the others live", [[
    local all = {}
    while true do all[#all + 1] = { #all } end]], function(status)
    assert.matches("stack traceback:.*w%.lua:6", status.traceback)
  end)
  over("is kept alive by no pcall", [[
    local all = {}
    while true do pcall(function() while true do all[#all + 1] = ("x"):rep(1000) .. #all end end) end]])
  over("is kept alive by no coroutine", [[
    local all = {}
    while true do
      coroutine.resume(coroutine.create(function() while true do all[#all + 1] = { #all } end end))
    end]])
  over("fails when it is refused what is far more", [[
    while true do pcall(string.rep, "x", 1e9) end]])
  over("fails in a single call of C", [[
    return table.concat(setmetatable({}, { __index = function() return "" end }), ("x"):rep(65536), 1, 1e6)]])
  over("fails in coroutines of its own", [[
    local all = {}
    while true do
      local co = coroutine.wrap(function() coroutine.yield() end)
      co()
      all[#all + 1] = co
    end]])
  over("has its __close handlers run", [[
    local all = {}
    local c <close> = setmetatable({}, { __close = function() out:send(("closed"):rep(100)) end })
    while true do all[#all + 1] = { #all } end]], nil)

  it("says so in its init, too", function()
    local s = stage.new({ ["w.lua"] = [[return {
      init = function() local all = {} while true do all[#all + 1] = { #all } end end,
      run = function() return true end }]] })
    assert(s:add("w", LIMIT))
    s:start()
    local status = s:wait("w", "failed")
    assert.equal("init_error", status.reason)
    assert.matches("^memory limit: ", status.error)
    s:close()
  end)

  it("is told of its end by a restart with an empty state", function()
    stage.with({ w = module [[
      local all = {}
      if ctx.generation == 1 then while true do all[#all + 1] = { #all } end end
      out:send(collectgarbage("count") * 1024)
      return true]] }, function(s)
      assert.equal("go", s:next())
      assert.equal("go", s:next())
      assert.is_true(s:next() < MIB / 4)
      s:wait("w", "stopped")
    end, { w = { memory_limit = 2 * MIB, restart = { policy = "on_failure", delay = 0 } } })
  end)
end)

describe("a worker within its memory limit", function()
  local function lives(name, body, limit)
    it(name, function()
      stage.with({ w = module(body) }, function(s)
        assert.equal("go", s:next())
        local status = s:wait("w", "stopped")
        assert.is_nil(status.error)
      end, { w = { memory_limit = limit or 2 * MIB } })
    end)
  end

  lives("may make any amount of garbage", [[
    for i = 1, 2e5 do local t = { ("x"):rep(100) .. i } end
    return true]])
  lives("may make garbage that has finalizers", [[
    local n = 0
    for i = 1, 2e4 do setmetatable({ ("x"):rep(1000) .. i }, { __gc = function(t) n = n + #t end }) end
    return n > 0 or nil, "no finalizer was called"]])
  lives("may make garbage in coroutines", [[
    for i = 1, 100 do
      coroutine.wrap(function() for j = 1, 1000 do local t = { ("x"):rep(100) .. j } end end)()
    end
    return true]])
  lives("may have had the collector stopped", [[
    collectgarbage("stop")
    for i = 1, 1e5 do local t = { ("x"):rep(100) .. i } end
    return true]])
  lives("may use the generational collector", [[
    collectgarbage("generational")
    for i = 1, 1e5 do local t = { ("x"):rep(100) .. i } end
    return true]])
  lives("keeps the hooks that it has set", [[
    local lines = 0
    debug.sethook(function() lines = lines + 1 end, "l")
    for i = 1, 1e5 do
      local t = { ("x"):rep(100) .. i }
    end
    return lines > 1e5 or nil, "the hook was lost after " .. lines]])
  lives("may have most of it", [[
    local most = {}
    for i = 1, 1500 do most[i] = ("x"):rep(1000) .. i end
    for i = 1, 3e4 do local t = { ("x"):rep(100) .. i } end
    return #most == 1500]])
end)

local TIME = 0.2 * math.min(SLOW, 4)

describe("42: a worker with a watchdog", function()
  local function stalls(name, body, check)
    where_signals_arrive(name, function()
      fails(body, { watchdog = TIME }, function(status, s)
        assert.equal("watchdog", status.reason, status.error)
        check(status, s)
      end)
    end)
  end

  stalls("fails where it was when it stalls", "while true do end", function(status)
    assert.equal(("watchdog: no call of the chief's within %g s"):format(TIME), status.error)
    assert.matches("stack traceback:.*w%.lua:5", status.traceback)
  end)
  stalls("is kept alive by no pcall", "while true do pcall(function() while true do end end) end", function(status)
    assert.matches("^watchdog: ", status.error)
  end)
  where_signals_arrive("fails in time", function()
    local best = math.huge
    for _ = 1, 10 do
      stage.with({ w = module "while true do end" }, function(s)
        assert.equal("go", s:next())
        local begun, ended
        while not ended do
          for _, event in ipairs(assert(s.core:take_events(100, stage.LIMIT))) do
            if event.kind == "ready" then begun = event.time end
            if event.kind == "state" and event.state == "failed" then ended = event.time end
          end
        end
        best = math.min(best, ended - begun)
      end, { w = { watchdog = 1 } })
      if best <= 1.1 then break end
    end
    assert.is_true(best >= 1 and best <= 1 + 0.1 * SLOW, ("%g s"):format(best))
  end)

  local function lives(name, body)
    it(name, function()
      stage.with({ w = module(body) }, function(s)
        assert.equal("go", s:next())
        s.core:wait_state("w", "stopped", 6 * stage.LIMIT) -- on a busy machine processor time takes long
        local status = s:status("w")
        assert.same({ "stopped" }, { status.state, status.error })
      end, { w = { watchdog = TIME } })
    end)
  end

  lives("is not failed for being busy when it comes back to calls", ([[
    local over = os.clock() + %g -- of processor time, which takes no less than that
    while os.clock() < over do
      for i = 1, 1e5 do end
      ctx:err()
    end
    return true]]):format(3 * TIME))
  lives("is not failed for waiting in a call", ("ctx:sleep(%g) return true"):format(3 * TIME))

  -- The last one, since what is abandoned keeps a core busy as long as this process lives.
  stalls("is abandoned, and named with its line, in a function of C's that does not return", [[
    return (("a"):rep(500000)):find((".-"):rep(40) .. "b")]], function(status)
    assert.matches("^watchdog: .*: in C %(find%), called from .*w%.lua:5$", status.error)
    assert.matches("stack traceback:.*w%.lua:5", status.traceback)
    assert.equal(stage.ISOLATION == "process" and "given_up" or "abandoned", status.phase)
  end)
end)
