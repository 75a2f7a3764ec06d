-- A locker in Lua: what run_all waits for instead of signals, in the program's own thread.
local app_folder = require "app_folder"
local chief = require "chief"

local root = app_folder.make({
  ["spec_waits.lua"] = "return { run = function(_, ctx) while ctx:sleep(3600) do end return true end }",
  ["spec_ends.lua"] = "return { run = function() return true end }",
  ["spec_raises.lua"] = "return { run = function() error('oops') end }",
})
local path = package.path
setup(function() package.path = root .. "/?.lua;" .. path end)
teardown(function()
  package.path = path
  app_folder.remove(root)
end)

local function new(options)
  options = options or {}
  options.log = { level = "off" }
  local c = chief.new(options)
  assert(c:add_worker("one", "spec_waits"))
  return c
end

describe("a locker", function()
  it("begins the graceful stop by returning", function()
    local c = new({ name = "locked" })
    local state, why
    c:on("stopping", function(event) why = event.error end)
    c:set_locker(function(ctx)
      assert(c:wait("one", "run", 10))
      state = c:states().one
      assert.is_false(ctx:done())
      assert.is_nil(ctx:reason())
      assert.equal("integer", math.type(ctx:fd()))
      assert.equal("chief.locker", tostring(ctx))
    end)
    assert.is_true(c:run_all())
    assert.equal("run", state)
    assert.equal("the locker returned", why)
    assert.same({ one = "stopped" }, c:states())
  end)

  it("may be given to run_all, beside names", function()
    local c = new()
    assert(c:add_worker("two", "spec_waits"))
    local states
    assert.is_true(c:run_all({ "two", locker = function()
      assert(c:wait("two", "run", 10))
      states = c:states()
    end }))
    assert.same({ one = "disabled", two = "run" }, states)
  end)

  it("lets events go to the handlers while it waits through its ctx", function()
    local c = new()
    local heard, at_the_end = {}, nil
    c:on("ready", function(event) heard[#heard + 1] = event.worker end)
    c:set_locker(function(ctx)
      while #heard == 0 do
        assert.is_true(ctx:sleep(0.001))
      end
      at_the_end = #heard
      local ok, message, code = ctx:wait(0)
      assert.is_nil(ok)
      assert.equal("timed out", message)
      assert.equal("timeout", code)
    end)
    assert.is_true(c:run_all())
    assert.same({ "one" }, heard)
    assert.equal(1, at_the_end)
  end)

  it("is woken by an event, not by a clock", function()
    local c = new()
    local woken
    c:on("ready", function() c:stop("one") end)
    c:on("state", function(event) if event.state == "stopped" then woken = true; c:stop() end end)
    c:set_locker(function(ctx) assert.is_true(ctx:wait()) end)
    assert.is_true(c:run_all())
    assert.is_true(woken)
  end)

  it("is told when the chief stops for another reason", function()
    local c = new()
    local answers
    c:add_value("colour", "blue")
    c:set_locker(function(ctx)
      assert(c:stop())
      assert.is_true(ctx:wait())
      answers = { ctx:done(), ctx:reason(), ctx:value("colour"), select(3, ctx:sleep(1)) }
    end)
    assert.is_true(c:run_all())
    assert.same({ true, "asked to stop", "blue", "cancelled" }, answers)
  end)

  it("is told when the chief has ended by itself, at any event level", function()
    local c = chief.new({ log = { level = "off" }, exit_when_done = true, event_level = "off" })
    assert(c:add_worker("one", "spec_raises"))
    local told
    c:set_locker(function(ctx) told = ctx:wait() end)
    local ok, message, code = c:run_all()
    assert.is_nil(ok)
    assert.equal("worker failed: one", message)
    assert.equal("failed", code)
    assert.is_true(told)
  end)

  it("that raises or returns nil and a message stops the chief, and that is the answer", function()
    for _, locker in ipairs({ function() error("oops") end, function() return nil, "oops" end }) do
      local c = new()
      local why
      c:on("stopping", function(event) why = event.error end)
      c:set_locker(locker)
      local ok, message, code = c:run_all()
      assert.is_nil(ok)
      assert.matches("^locker failed: .*oops", message)
      assert.equal("failed", code)
      assert.equal("the locker failed", why)
      assert.same({ one = "stopped" }, c:states())
    end
  end)

  it("that yields has failed", function()
    local c = new()
    c:set_locker(function() coroutine.yield() end)
    local _, message = c:run_all()
    assert.matches("locker yielded", message)
  end)

  it("that goes on after the chief's end is interrupted", function()
    local c = new({ hook_timeout = 0.01 })
    c:set_locker(function()
      c:stop()
      while true do pcall(function() while true do end end) end
    end)
    local ok, message = c:run_all()
    assert.is_nil(ok)
    assert.matches("locker did not end within 0%.01 s of the chief's end", message)
  end)

  it("is a function", function()
    local c = new()
    assert.error_matches(function() c:set_locker("x") end, 'set_locker: should be a function, got "x"')
    assert.equal(c, c:set_locker(nil))
    c:close()
  end)
end)
