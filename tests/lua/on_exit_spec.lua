-- on_exit: a policy in Lua. What it is told and what its answers do is seen in a simulation; what bounds it, in a chief
-- that runs.
local app_folder = require "app_folder"
local chief = require "chief"
local core = require "chief.core"
local process = require "chief.process"
local stage = require "stage"

local function started(worker, more)
  worker.module = "nowhere"
  local app = { workers = { w = worker } }
  for key, value in pairs(more or {}) do app[key] = value end
  local sim = assert(chief.simulate(app))
  assert.is_true(sim:start())
  sim:take()
  return sim
end

-- What was told since the last time, in words.
local function told(sim)
  local words = {}
  for _, event in ipairs(sim:take()) do
    local word = event.kind == "state" and event.state or event.kind
    if event.kind == "note" then word = event.error end
    words[#words + 1] = event.delay and ("%s %g"):format(word, event.delay) or word
  end
  return table.concat(words, "; ")
end

describe("on_exit in a simulation", function()
  it("gives the delay in seconds", function()
    local sim = started { on_exit = function() return 2.5 end }
    sim:fail("w", "boom")
    assert.equal("failed; restart 2.5", told(sim))
    sim:advance(2.5)
    assert.equal("initialized; run; ready", told(sim))
  end)

  it("leaves the delay to restart", function()
    local sim = started { on_exit = function() return "restart" end, restart = { delay = 3, jitter = 0 } }
    sim:fail("w", "boom")
    assert.equal("failed; restart 3", told(sim))
  end)

  it("gives up, also what would be restarted", function()
    local sim = started { on_exit = function() return "give_up" end, restart = "always" }
    sim:fail("w", "boom")
    assert.matches("^failed; given_up", told(sim))
    assert.equal("given_up", sim:status("w")[1].phase)
  end)

  it("isolates", function()
    local sim = started { on_exit = function() return "isolate" end, restart = { delay = 1, jitter = 0 } }
    sim:fail("w", "boom")
    assert.equal("failed; on_exit isolates it: from now on it has a process of its own; restart 1", told(sim))
  end)

  it("is told why and what was before", function()
    local sim = started { on_exit = function(reason, history)
      local first, last = history[1], history[#history]
      if history.failures < 2 then return 0 end
      error(("%s %s %d/%d/%d %s %g %g %g"):format(reason, history.worker, #history, history.failures,
        history.restarts, history.error, first.ago, first.up, last.up), 0)
    end }
    sim:advance(4)
    sim:fail("w", "one")
    sim:advance(0)
    sim:advance(5)
    sim:take()
    sim:fail("w", "two", "lua_error")
    assert.matches("on_exit: lua_error w 2/2/1 two 5 4 5: what its restart policy says is done", told(sim))
  end)

  it("is asked about a clean end, too", function()
    local sim = started { on_exit = function(reason) return reason == "ok" and 1 or "give_up" end }
    sim:finish("w")
    assert.equal("stopped; restart 1", told(sim))
  end)

  it("is a function of a module, found in the application's folder", function()
    local folder = app_folder.make {
      ["policies/patient.lua"] = "local M = {} function M.wait(_, h) return 10 * h.failures end return M",
      ["app.lua"] = [[return { workers = { w = { module = "w", on_exit = "policies.patient.wait" } } }]],
    }
    local sim = assert(chief.simulate(folder .. "/app.lua"))
    sim:start()
    sim:take()
    sim:fail("w", "boom")
    assert.equal("failed; restart 10", told(sim))
  end)

  local function leaves_it(message, policy)
    local sim = started { on_exit = policy, restart = { delay = 7, jitter = 0 } }
    sim:fail("w", "boom")
    local text = told(sim)
    assert.matches("^failed; on_exit: .*: what its restart policy says is done; restart 7$", text)
    assert.matches(message, text)
  end

  it("leaves it to the restart options when its answer is none", function()
    local should = "it should return \"restart\", \"give_up\", \"isolate\" or a delay in seconds, not "
    leaves_it(should .. "nil", function() end)
    leaves_it(should .. "maybe", function() return "maybe" end)
    leaves_it(should .. "%-1", function() return -1 end)
    leaves_it(should .. "inf", function() return math.huge end)
    leaves_it("nan", function() return 0 / 0 end)
  end)

  it("leaves it to the restart options when it raises", function()
    leaves_it("on_exit_spec%.lua:%d+: oh", function() error("oh") end)
    leaves_it("it raised what is no text", function() error({}) end)
    leaves_it("module 'policies' not found", "policies.no_such")
  end)

  it("has ten milliseconds, whatever it catches", function()
    leaves_it("it took more than 10 ms", function() while true do end end)
    leaves_it("it took more than 10 ms", function()
      while true do pcall(function() while true do end end) end
    end)
  end)

  it("has a mebibyte", function()
    leaves_it("it took more than 1 MiB", function() return ("x"):rep(2 ^ 21) end)
    leaves_it("it took more than 1 MiB", function()
      local halves = { ("x"):rep(2 ^ 19), ("y"):rep(2 ^ 19) }
      return #halves
    end)
  end)

  it("sees neither files, nor the system, nor what another call left", function()
    leaves_it("nil nil nil nil nil", function()
      error(("%s %s %s %s %s"):format(io, os, debug, coroutine, left), 0) -- luacheck: ignore
    end)
    local sim = started { on_exit = function()
      count = (count or 0) + 1 -- luacheck: ignore
      return count -- luacheck: ignore
    end }
    sim:fail("w", "one")
    sim:advance(1)
    sim:take()
    sim:fail("w", "two")
    assert.equal("failed; restart 1", told(sim))
  end)

  it("does not decide about what a limit has decided", function()
    local sim = started { on_exit = function() return 0 end, restart = { max_restarts = 1, window = 60 } }
    sim:fail("w", "one")
    sim:advance(0)
    sim:take()
    sim:fail("w", "two")
    assert.matches("^failed; given_up", told(sim))
  end)
end)

describe("on_exit as an option", function()
  local function problem(on_exit)
    local ok, message = chief.simulate { workers = { w = { module = "nowhere", on_exit = on_exit } } }
    assert.is_nil(ok)
    return message
  end

  it("is refused when it captures a local", function()
    local local_one = 1
    assert.matches("on_exit.*the function uses the local 'local_one'", problem(function() return local_one end))
  end)

  it("is refused when it names no function of a module", function()
    assert.matches('on_exit.*should be a module and its function, such as "policies%.patient", got "patient"',
      problem("patient"))
    assert.matches("on_exit", problem(5))
  end)
end)

describe("on_exit in a chief", function()
  local function policy(fn) return core.function_spec(fn) end

  it("restarts in a fresh state", function()
    stage.with({ w = [[return { run = function(_, ctx)
      count = (count or 0) + 1
      ctx:channel("out"):send(count)
      error("boom")
    end }]] }, function(s)
      assert.same({ 1, 1, 1 }, { (s:next()), (s:next()), (s:next()) })
      s:wait("w", "failed")
    end, { w = { on_exit = policy(function(_, history) return history.failures < 3 and 0 or "give_up" end) } })
  end)

  it("moves it into a process of its own", function()
    stage.with({ w = [[return { run = function(_, ctx)
      local file = assert(io.open("/proc/self/stat"))
      ctx:channel("out"):send(file:read("n"))
      file:close()
      error("boom")
    end }]] }, function(s)
      local file = assert(io.open("/proc/self/stat"))
      local pid = file:read("n")
      file:close()
      assert.equal(pid, (s:next()))
      assert.not_equal(pid, (s:next()))
    end, { w = {
      isolation = "thread",
      program = assert(process.command("w")),
      on_exit = policy(function(_, history) return history.failures < 2 and "isolate" or "give_up" end),
    } })
  end)

  it("decides about an application inside another, too", function()
    local folder = app_folder.make {
      ["w.lua"] = "return { run = function() return nil, 'boom' end }",
      ["inner.lua"] = "return { workers = { w = { module = 'w', critical = true } } }",
    }
    local c <close> = chief.new { log = { level = "off" }, exit_when_done = true }
    assert(c:add_chief("inner", folder .. "/inner.lua", {
      on_exit = function(_, history) return history.failures < 3 and 0 or "give_up" end,
    }))
    assert(c:init_workers())
    assert(c:launch())
    assert.is_nil((c:join(stage.LIMIT)))
    assert.equal(2, c:status("inner")[1].restarts)
  end)
end)
