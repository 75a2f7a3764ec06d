-- FAULTS 46: luv ends the whole process when a callback raises; in a worker only that worker fails.
local stage = require "stage"

local SLOW = tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1

local function with(body, play, options)
  local text = [[
    local uv = require "luv"
    return { run = function(self, ctx)
      local out = ctx:channel("out")
      local function after(ms, f) local timer = uv.new_timer() timer:start(ms, 0, f) return timer end
      %s
    end }]]
  stage.with({ w = text:format(body) }, play, options)
end

describe("a luv worker", function()
  it("46: fails when a callback raises, with the text and the traceback", function()
    with("after(1, function() error('boom') end) uv.run() out:send('survived') return true", function(s)
      local status = s:wait("w", "failed")
      assert.equal("lua_error", status.reason)
      assert.matches("w%.lua:%d+: boom$", status.error)
      assert.matches("stack traceback:.*w%.lua:%d+.*luv%.run", status.traceback)
      assert.equal(0, s.out:len())
    end)
  end)

  it("46: fails although it runs the loop again and again, under pcall", function()
    with("after(1, function() error(setmetatable({}, { __tostring = function() return 'object' end })) end)\n"
      .. "while true do pcall(uv.run, 'once') end", function(s)
      assert.equal("object", s:wait("w", "failed").error)
    end)
  end)

  it("46: keeps a long text whole", function()
    with("after(1, function() error(('x'):rep(1000), 0) end) uv.run()", function(s)
      assert.equal(("x"):rep(1000), s:wait("w", "failed").error)
    end)
  end)

  it("46: runs again, and its neighbours know nothing", function()
    with("if ctx.generation == 1 then after(1, function() error('boom') end) else out:send('again') end\n"
      .. "after(1, function() end) uv.run() return true", function(s)
      assert.equal("again", s:next())
    end, { w = { restart = { policy = "on_failure", delay = 0.001 } } })
  end)

  it("has callbacks with arguments and results, and coroutines that go on in them", function()
    with([[
      coroutine.wrap(function()
        local co = coroutine.running()
        local timer = after(1, function(...) coroutine.resume(co, select("#", ...)) end)
        out:send(coroutine.yield())
        timer:close(function() out:send("closed") end)
      end)()
      local work = uv.new_work(function(a, b) return a + b end, function(sum) out:send(sum) end)
      work:queue(1, 2)
      uv.run()
      return true]], function(s)
      local seen = { tostring(s:next()), tostring(s:next()), tostring(s:next()) }
      table.sort(seen)
      assert.same({ "0", "3.0", "closed" }, seen) -- luv's numbers are floats
      s:wait("w", "stopped")
    end)
  end)

  it("ends when it is stopped while a callback loops", function()
    if os.getenv("CHIEF_SANITIZE") == "thread" then return end -- no signal arrives there
    with("after(1, function() out:send('in') while true do end end) uv.run() out:send('survived')", function(s)
      assert.equal("in", s:next())
      assert(s.core:stop_worker("w"))
      local status = s:wait("w", "stopped")
      assert.equal("killed", status.reason)
      assert.equal(0, s.out:len())
    end, { w = { grace = 0.01 }, force_time = 2 * SLOW })
  end)

  it("is told by require as ever when there is no luv", function()
    local text = [[
      local cpath = package.cpath
      package.cpath = ""
      local ok, message = pcall(require, "luv")
      assert(not ok and message:find("module 'luv' not found", 1, true), message)
      package.cpath = cpath
      local uv = require "luv"
      return { run = function(self, ctx)
        local timer = uv.new_timer()
        timer:start(1, 0, function() error("boom", 0) end)
        uv.run()
      end }]]
    stage.with({ w = text }, function(s) assert.equal("boom", s:wait("w", "failed").error) end)
  end)
end)
