-- The same app tells the same events wherever its workers run.
local stage = require "stage"

local MODULES = {
  fails = [[
    return { restart_on_fail = true, run = function(_, ctx)
      if ctx.generation < 3 then error("failure " .. ctx.generation, 0) end
      ctx:sleep(0.001)
      return true
    end }]],
  refuses = [[
    return { run = function(_, ctx)
      coroutine.wrap(function() ctx:sleep(0.001) end)()
      return nil, "had enough"
    end }]],
  late = [[
    local M = { restart_on_fail = true }
    function M.init(ctx)
      ctx:sleep(0.001)
      if ctx.generation == 1 then return nil, "not yet" end
    end
    function M.run(_, ctx) ctx:recv() end
    return M]],
  exits = "return { run = function() os.exit(7) end }",
  explicit = [[
    return { ready = true, run = function(_, ctx)
      ctx:sleep(0.001)
      ctx:ready()
      for _ in ctx:iter() do end
    end }]],
  cancels = "return { run = function(_, ctx) return ctx:recv(0.001) or nil, 'cancelled' end }",
}

local OPTIONS = {
  fails = { restart = { delay = 0.001, jitter = 0 } },
  late = { restart = { delay = 0.001, jitter = 0 } },
  explicit = { after = { "fails" } },
}

local ENDS = { fails = "stopped", refuses = "failed", late = "run", exits = "failed", explicit = "run",
  cancels = "failed" }

-- What is told of each worker, in its order; the workers among each other have none.
local function told(events)
  local of = {}
  for _, e in ipairs(events) do
    if e.worker then
      of[e.worker] = of[e.worker] or {}
      table.insert(of[e.worker], table.concat({ e.kind, e.previous or "", e.state or "", e.generation or 0,
        e.reason or "", (e.error or ""):gsub("/tmp/[^:]*/", "") }, "|"))
    end
  end
  return of
end

local function play(isolation)
  local result
  local options = {}
  for name in pairs(MODULES) do
    options[name] = { isolation = isolation }
    for key, value in pairs(OPTIONS[name] or {}) do options[name][key] = value end
  end
  stage.with(MODULES, function(s)
    for name, state in pairs(ENDS) do
      repeat local status = s:wait(name, state) -- «late» fails before it runs
      until status.generation >= (name == "fails" and 3 or name == "late" and 2 or 1)
    end
    local events, ready = {}, {}
    local function take(timeout)
      for _, event in ipairs(s.core:take_events(1000, timeout) or {}) do
        events[#events + 1] = event
        if event.kind == "ready" then ready[event.worker] = true end
      end
    end
    repeat take(stage.LIMIT) until ready.explicit and ready.late
    s:stop()
    take(0)
    result = told(events)
  end, options)
  return result
end

describe("an app", function()
  it("tells the same events in threads, fibers and processes", function()
    local threads = play "thread"
    for name in pairs(MODULES) do assert.is_true(#threads[name] >= 3, name) end
    assert.same(threads, play "fiber")
    -- A child that is to end looks for leaks first there, for long.
    if (os.getenv("CHIEF_SANITIZE") or "") ~= "" then return end
    assert.same(threads, play "process")
  end)
end)
