-- Many workers that wait for a message, and what they own: no descriptor, in threads as in fibers. CHIEF_CROWD is how
-- many there are (default 300); `./dev test stress` has 10,000. What memory each takes is measured by the bench
-- (idle-10k).
local stage = require "stage"
local uv = require "luv"

local MANY = tonumber(os.getenv("CHIEF_CROWD")) or 300

local MODULES = {
  ["idler.lua"] = [[
    return { run = function(_, ctx)
      local out = ctx:channel("out")
      for message in ctx:iter() do out:send(message) end
    end }]],
  ["asker.lua"] = [[
    return { run = function(_, ctx)
      local out = ctx:channel("out")
      for message in ctx:iter() do
        if message == "ask" then ctx:fd() end
        out:send(message)
      end
    end }]],
}

local function descriptors()
  local n, scan = 0, assert(uv.fs_scandir("/proc/self/fd"))
  while uv.fs_scandir_next(scan) do n = n + 1 end
  return n
end

-- Calls `body` while `n` workers run.
local function with(module, isolation, n, body)
  local s = stage.new(MODULES)
  local ok, message = xpcall(function()
    for i = 1, n do assert(s:add("w" .. i, { module = module, isolation = isolation, grace = 10 * stage.LIMIT })) end
    s:start()
    assert(s.core:wait_ready(10 * stage.LIMIT))
    body(s)
    assert(s.core:stop())
    assert(s.core:join(10 * stage.LIMIT))
  end, debug.traceback)
  s:close()
  assert(ok, message)
end

-- How many descriptors there are while so many wait: each has answered, and waits again.
local function while_they_wait(isolation, n)
  local owned
  with("idler", isolation, n, function(s)
    for round = 1, 2 do
      for i = 1, n do assert(s.core:send("w" .. i, round)) end
      for _ = 1, n do assert.equal(round, (s:next())) end
    end
    owned = descriptors()
  end)
  return owned
end

describe("a crowd of workers that wait", function()
  for _, isolation in ipairs({ "thread", "fiber" }) do
    it(("owns no descriptor: %s"):format(isolation), function()
      assert.equal(while_they_wait(isolation, 2), while_they_wait(isolation, MANY))
    end)
  end
end)

describe("a descriptor that wakes", function()
  it("of a channel is made when it is asked for, and once", function()
    with("idler", "thread", 1, function(s)
      local before = descriptors()
      assert(s.out:fd())
      assert.equal(before + 1, descriptors())
      assert(s.out:fd())
      assert.equal(before + 1, descriptors())
    end)
  end)

  it("of a worker's stop is made when it is asked for, and once", function()
    with("asker", "thread", 1, function(s)
      local function after(message)
        assert(s.core:send("w1", message))
        assert.equal(message, (s:next()))
        return descriptors()
      end
      local before = after("wait")
      assert.equal(before + 1, after("ask"))
      assert.equal(before + 1, after("ask"))
    end)
  end)
end)
