-- Channels, from the host's side and from a worker's.
local core = require "chief.core"
local stage = require "stage"

local function running(run)
  return ("local M = {}\nfunction M.run(self, ctx)\nlocal out = ctx:channel('out')\n%s\nend\nreturn M"):format(run)
end

-- A stage with channels of these options beside its workers.
local function with_channels(channels, modules, body, options)
  local files = {}
  for name, text in pairs(modules) do files[name .. ".lua"] = text end
  local s = stage.new(files)
  local function play()
    for name, given in pairs(channels) do
      assert(s.core:add_channel(name, given))
      s[name] = assert(s.core:channel(name))
    end
    for name in pairs(modules) do assert(s:add(name, options and options[name])) end
    s:start()
    body(s)
  end
  local ok, message = xpcall(play, debug.traceback)
  s:close()
  if not ok then error(message, 0) end
end

describe("a channel of the host", function()
  it("gives what was sent, in order, with who sent it", function()
    local ch = core.channel("jobs", { capacity = 3 })
    assert.equal("jobs", ch.name)
    assert.equal("chief.channel (jobs)", tostring(ch))
    for i = 1, 3 do assert.is_true(ch:send { n = i }) end
    assert.equal(3, ch:len())
    assert.equal("would_block", select(3, ch:try_send(4)))
    assert.equal("timeout", select(3, ch:send(4, 0.001)))
    for i = 1, 3 do
      local value, info = ch:recv(1)
      assert.same({ n = i }, value)
      assert.same({ "", "message", "jobs", 1 }, { info.sender, info.kind, info.channel, info.deliveries })
      assert.is_nil(info.nothing)
    end
    assert.equal("would_block", select(3, ch:try_recv()))
    assert.equal("timeout", select(3, ch:recv(0.001)))
  end)

  it("gives numbers and strings of every size as they were", function()
    local ch, values = core.channel("jobs", { capacity = 1 }), { true, false, 0.5, -0.0, 1 / 0 }
    for bits = 0, 63 do
      for _, near in ipairs { -1, 0, 1 } do
        values[#values + 1] = (1 << bits) + near
        values[#values + 1] = -(1 << bits) + near
      end
    end
    for _, n in ipairs { 0, 1, 31, 32, 33, 122, 123, 124, 125, 126, 127, 128, 129, 255, 256, 4095, 4096, 4097,
      65535, 65536, 65537, 1 << 20 } do
      values[#values + 1] = ("s"):rep(n)
      values[#values + 1] = ("\xff"):rep(n)
    end
    for _, value in ipairs(values) do
      assert(ch:send(value))
      local got = ch:recv(1)
      assert.equal(value, got)
      assert.equal(math.type(value), math.type(got))
    end
  end)

  it("refuses to send nothing, and what is no value of a message", function()
    local ch = core.channel "jobs"
    assert.has_error(function() ch:send() end, "bad argument #1 to 'send' (value expected)")
    assert.has_error(function() ch:send(nil) end, "can't send nil; send false or {}")
    assert.has_error(function() ch:send(print) end, "can't send a function")
    assert.equal(0, ch:len())
  end)

  it("makes no new info for a message like one before", function()
    local a, b = core.channel "a", core.channel "b"
    local function receive(ch, value)
      assert(ch:send(value))
      return select(2, ch:recv(1))
    end
    local first = { receive(a, 1), receive(b, 1) }
    for i = 1, 100 do -- until each has its table of methods
      receive(a, i)
      receive(b, i)
    end
    collectgarbage() collectgarbage "stop"
    local before = collectgarbage "count"
    for _, ch in ipairs { a, b } do -- by turns they might take each other's place in the cache
      for i = 1, 1000 do receive(ch, i) end
    end
    local made = collectgarbage "count" - before
    collectgarbage "restart"
    assert.is_true(made < 1, made .. " KiB of garbage")
    assert.same({ "a", "b" }, { first[1].channel, first[2].channel })
    assert.same({ "a", "b" }, { receive(a, 1).channel, receive(b, 1).channel })
  end)

  it("sends false, and everything but nil", function()
    local ch = core.channel "c"
    for _, value in ipairs { false, true, 0, -1, 1.5, "", "\xff\0", {} } do
      ch:send(value)
      assert.same(value, (ch:recv(0)))
    end
    assert.has_error(function() ch:send(nil) end)
    assert.has_error(function() ch:send() end)
    assert.equal(0, ch:len())
  end)

  it("sends nothing when something in it cannot be sent", function()
    local ch = core.channel "c"
    local ok, message = pcall(ch.send, ch, { tags = { 1, 2, print } })
    assert.is_false(ok)
    assert.equal("can't send a function (at .tags[3])", message)
    ok, message = pcall(ch.send_many, ch, { 1, { x = print } })
    assert.is_false(ok)
    assert.equal("can't send a function (at [2].x)", message)
    assert.equal(0, ch:len())
  end)

  it("sends and receives many at once", function()
    local ch = core.channel("c", { capacity = 5 })
    assert.equal(3, ch:send_many { "a", "b", "c" })
    assert.equal(0, ch:send_many {})
    local ok, _, code, sent = ch:send_many({ 1, 2, 3 }, 0)
    assert.is_nil(ok)
    assert.equal("would_block", code)
    assert.equal(2, sent)
    local values, infos, bad = ch:recv_many(4)
    assert.same({ "a", "b", "c", 1 }, values)
    assert.equal(4, #infos)
    assert.equal("c", infos[1].channel)
    assert.is_nil(bad)
    assert.same({ 2 }, (ch:recv_many()))
    assert.equal("would_block", select(3, ch:recv_many(10, 0)))
    assert.has_error(function() ch:recv_many(0) end)
    assert.has_error(function() ch:send_many "x" end)
  end)

  it("gives what is queued when it is closed, then says so", function()
    local ch = core.channel "c"
    ch:send_many { 1, 2 }
    ch:close()
    ch:close()
    assert.equal("closed", select(3, ch:send(3)))
    local seen = {}
    for value, info in ch:iter() do seen[#seen + 1] = value + info.deliveries end
    assert.same({ 2, 3 }, seen)
    assert.same({ nil, "closed", "closed" }, { nil, (select(3, ch:recv())), (select(3, ch:recv(0))) })
  end)

  it("overflows by its policy", function()
    local oldest = core.channel("c", { capacity = 2, overflow = "drop_oldest" })
    for i = 1, 5 do assert.is_true(oldest:send(i)) end
    assert.same({ 4, 5 }, (oldest:recv_many()))
    local failing = core.channel("c", { capacity = 1, overflow = "fail" })
    assert.is_true(failing:send(1))
    assert.equal("full", select(3, failing:send(2)))
    local small = core.channel("c", { max_message = 10 })
    assert.equal("too_big", select(3, small:send(("x"):rep(11))))
  end)

  it("counts", function()
    local ch = core.channel("c", { capacity = 2, overflow = "drop_oldest" })
    for i = 1, 3 do ch:send(i) end
    ch:recv()
    local stats = ch:stats()
    assert.same({ 3, 1, 1, 1, 2 }, { stats.sent, stats.received, stats.queued, stats.dropped, stats.capacity })
  end)

  it("has a descriptor", function()
    local ch = core.channel "c"
    local fd = ch:fd()
    assert.is_true(fd >= 0)
    assert.equal(fd, ch:fd())
  end)

  it("acknowledges by itself", function()
    local ch = core.channel("c", { delivery = "at_least_once" })
    ch:send(1)
    ch:recv()
    ch:ack()
    assert.equal(1, ch:stats().acknowledged)
  end)

  it("refuses options of the wrong kind", function()
    for _, options in ipairs { { capacity = "1" }, { capacity = -1 }, { overflow = "burst" }, { delivery = 1 }, 7,
      { capacity = 1 << 40 }, { max_deliveries = -1 } } do
      assert.has_error(function() core.channel("c", options) end)
    end
    assert.equal("invalid", select(3, core.channel "no good"))
  end)

  it("outlives its chief", function()
    local c = core.chief { log = core.log { level = "off" } }
    c:add_channel "c"
    local ch = c:channel "c"
    c:close()
    assert.equal("chief.channel (c)", tostring(ch))
    assert.equal(0, ch:len())
    assert.equal("not_found", select(3, core.chief():channel "nosuch"))
  end)
end)

describe("a channel of a worker", function()
  it("says who sent", function()
    stage.with({ w = running "out:send 'x'" }, function(s)
      local _, info = s:next()
      assert.equal("w", info.sender)
      assert.equal("out", info.channel)
    end)
  end)

  it("gives with each message its own sender and channel, whoever sent the one before", function()
    local sender = running [[
      for _, name in ipairs { "a1", "a2" } do assert(ctx:channel(name):send "x") end
      out:send "sent"]]
    local receiver = running [[
      local a1, a2 = ctx:channel "a1", ctx:channel "a2"
      local function hear(ch)
        local _, info = ch:recv()
        out:send(("%s by %s, %d"):format(info.sender, info.channel, info.deliveries))
      end
      ctx:recv()
      for _ = 1, 3 do
        hear(a1)
        hear(a2)
      end]]
    with_channels({ a1 = {}, a2 = {} }, { r = receiver, s1 = sender, t1 = sender }, function(s)
      for _ = 1, 2 do assert.equal("sent", s:next()) end
      for _, ch in ipairs { s.a1, s.a2 } do assert(ch:send "x") end
      assert(s.core:send("r", "go"))
      local count = {}
      for _ = 1, 6 do
        local said = s:next()
        count[said] = (count[said] or 0) + 1
      end
      local each = { ["s1 by a1, 1"] = 1, ["t1 by a1, 1"] = 1, [" by a1, 1"] = 1, ["s1 by a2, 1"] = 1,
        ["t1 by a2, 1"] = 1, [" by a2, 1"] = 1 }
      assert.same(each, count)
    end)
  end)

  it("is only there when it was declared; else those there are listed", function()
    with_channels({ uploads = {} }, { w = running "out:send(select(2, pcall(ctx.channel, ctx, 'uplods')))" },
      function(s)
        local message = s:next()
        assert.matches("uplods", message)
        assert.matches("uploads", message)
        assert.matches("out", message)
      end)
  end)

  it("gives all that was accepted before it stops", function()
    with_channels({ jobs = { capacity = 1000 } }, { w = running [[
      local jobs, sum = ctx:channel "jobs", 0
      out:send "up"
      ctx:recv()
      for job in jobs:iter() do sum = sum + job end
      out:send(sum)]] }, function(s)
      assert.equal("up", s:next())
      local expected = 0
      for i = 1, 500 do
        s.jobs:send(i)
        expected = expected + i
      end
      assert.is_true(s:stop())
      assert.equal(expected, s:next())
    end)
  end)

  it("waits in a send until there is room", function()
    with_channels({ narrow = { capacity = 1 } }, {
      from = running "local ch = ctx:channel 'narrow' for i = 1, 200 do assert(ch:send(i)) end",
      to = running [[
        local n = 0
        for i in ctx:channel("narrow"):iter() do
          n = n + 1
          assert(i == n)
          if n == 200 then out:send(n) end
        end]],
    }, function(s) assert.equal(200, s:next()) end)
  end)

  it("waits with a large string until there is room for it", function()
    with_channels({ narrow = { capacity = 1 } }, {
      from = running [[
        local ch = ctx:channel "narrow"
        for i = 1, 20 do
          assert(ch:send(("\xff"):rep(4000) .. ("x"):rep(i * 5000)))
          assert(ch:send(("é"):rep(2500 + i)))
        end]],
      to = running [[
        local ch = ctx:channel "narrow"
        for i = 1, 20 do
          assert(ch:recv() == ("\xff"):rep(4000) .. ("x"):rep(i * 5000))
          collectgarbage()
          assert(ch:recv() == ("é"):rep(2500 + i))
        end
        out:send "all"]],
    }, function(s) assert.equal("all", s:next()) end)
  end)

  -- FAULTS 37, 38, 48
  it("brings the job in hand back, flagged, when its receiver dies inside iter", function()
    with_channels({ jobs = { delivery = "at_least_once" } }, { w = running [[
      for job, info in ctx:channel("jobs"):iter() do
        out:send { job, info.deliveries }
        if info.deliveries == 1 and job == 2 then error "died" end
      end]] }, function(s)
      s.jobs:send_many { 1, 2, 3 }
      assert.same({ 1, 1 }, (s:next()))
      assert.same({ 2, 1 }, (s:next()))
      assert.same({ 2, 2 }, (s:next()))
      assert.same({ 3, 1 }, (s:next()))
      assert.is_true(s:stop())
      local stats = s.jobs:stats()
      assert.same({ 3, 3, 0, 0, 1 }, { stats.sent, stats.acknowledged, stats.queued, stats.dropped, stats.redelivered })
    end, { w = { restart = { policy = "on_failure", delay = 0.001 } } })
  end)

  it("drops and counts the job in hand where that is the policy", function()
    with_channels({ jobs = {} }, { w = running [[
      for job in ctx:channel("jobs"):iter() do
        out:send(job)
        if job == 1 then return nil, "died" end
      end]] }, function(s)
      s.jobs:send_many { 1, 2 }
      assert.equal(1, s:next())
      assert.equal(2, s:next())
      s:stop()
      local stats = s.jobs:stats()
      assert.same({ 2, 1, 1 }, { stats.sent, stats.acknowledged, stats.dropped })
    end, { w = { restart = { policy = "on_failure", delay = 0.001 } } })
  end)

  it("keeps what was acknowledged", function()
    with_channels({ jobs = { delivery = "at_least_once" } }, { w = running [[
      local jobs = ctx:channel "jobs"
      local values = jobs:recv_many(1)
      out:send(values)
      if ctx.generation == 1 then error "before" end
      jobs:ack()
      if ctx.generation == 2 then error "after" end]] }, function(s)
      s.jobs:send(1)
      assert.same({ 1 }, (s:next()))
      assert.same({ 1 }, (s:next()))
      s.jobs:send(3)
      assert.same({ 3 }, (s:next()))
    end, { w = { restart = { policy = "on_failure", delay = 0.001 } } })
  end)

  it("is selected from with others, and with the mailbox", function()
    with_channels({ a = {}, b = {} }, { w = running [[
      local a, b = ctx:channel "a", ctx:channel "b"
      while true do
        local value, info = ctx:select({ a, b, ctx }, 20)
        if value == nil then return nil, info end
        out:send { value, info.channel, info.kind }
      end]] }, function(s)
      s.b:send "from b"
      assert.same({ "from b", "b", "message" }, (s:next()))
      s.core:send("w", "to w")
      assert.same({ "to w", "", "message" }, (s:next()))
      s.a:send "from a"
      assert.same({ "from a", "a", "message" }, (s:next()))
    end)
  end)

  it("is selected from only in earnest", function()
    with_channels({ a = {} }, { w = running [[
      local a = ctx:channel "a"
      local none = table.pack(ctx:select({ a }, 0))
      out:send { none[3], pcall(ctx.select, ctx, {}), pcall(ctx.select, ctx, { a, 7 }), pcall(ctx.select, ctx, a) }]] },
      function(s)
        local report = s:next()
        assert.equal("would_block", report[1])
        assert.same({ false, false, false }, { report[2], report[3], report[4] })
      end)
  end)

  it("serves a worker from within a coroutine and a finalizer", function()
    with_channels({ a = {} }, { w = running [[
      local a = ctx:channel "a"
      setmetatable({}, { __gc = function() a:try_recv() a:send "finalized" end })
      collectgarbage()
      coroutine.wrap(function() out:send((a:recv())) end)()]] },
      function(s) assert.equal("finalized", s:next()) end)
  end)
end)
