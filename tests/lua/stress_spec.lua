-- Lua workers in threads, fibers and processes, or mixed, at one channel: 1 to 8 senders and receivers, capacities of
-- 1, 2 and 1024, every way to send and to receive; the channel is closed, all are stopped, workers die, or those in
-- processes are killed. Between the mixed ones a worker in C passes on what comes in some rounds. Each message is
-- numbered, and counted here.
--
-- The seed of a round says all of its shape: seeds that follow each other lead through the whole matrix in SHAPES
-- rounds. CHIEF_STRESS_SEED is where to begin (else the clock says it), CHIEF_STRESS_ROUNDS how many rounds («all»:
-- the matrix once), CHIEF_STRESS_MS (default 2000) for how long otherwise. A failure names its seed. Senders and
-- receivers in C, and kills in the middle of a call: core/test_matrix.c.
local stage = require "stage"

-- Its numbers go on in the next life; what it has sent in this one is told before it dies.
local SENDER = [[
local M = {}
function M.run(_, ctx)
  local ch, me, random = ctx:channel("ch"), ctx.args.number, ctx.args.seed + ctx.generation * 7919
  local before = ctx.generation * 1000
  local sent = 0
  local function below(n)
    random = (random * 1103515245 + 12345) & 0x7fffffff
    return (random >> 8) % n
  end
  local ways = {
    function() return ch:send({ me, before + sent + 1 }) and 1 or nil end,
    function() return ch:send({ me, before + sent + 1 }, below(3) / 1000) and 1 or 0 end,
    function() return ch:try_send({ me, before + sent + 1 }) and 1 or 0 end,
    function()
      local list = {}
      for i = 1, 1 + below(10) do list[i] = { me, before + sent + i } end
      local n, _, _, part = ch:send_many(list, below(2) == 0 and 0.001 or nil)
      return n or part
    end,
    function() return coroutine.wrap(function() return ch:send({ me, before + sent + 1 }) and 1 or nil end)() end,
  }
  while sent < ctx.args.messages and not ctx:done() do
    local n = ways[1 + below(#ways)]()
    if not n then break end -- closed, or stopped
    sent = sent + n
    if n == 0 and below(2) == 0 then ctx:sleep(0.0002) end
    if ctx.args.dies and ctx.generation < 4 and below(60) == 0 then
      ctx:channel("out"):send({ "sent", sent, false })
      if ctx.args.killed then os.execute("kill -KILL $PPID") end
      error("dies")
    end
  end
  ctx:channel("out"):send({ "sent", sent, true })
end
return M
]]

local RECEIVER = [[
local M = {}
local seed
function M.run(_, ctx)
  local ch, out = ctx:channel(ctx.args.from), ctx:channel("out")
  seed = ctx.args.seed + ctx.generation * 7919
  local function below(n)
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n
  end
  local function take(value, info)
    out:send({ "got", ctx.name, ctx.generation, value[1], value[2], info.deliveries })
    if ctx.args.dies and ctx.generation < 20 and below(100) == 0 then
      if ctx.args.killed then os.execute("kill -KILL $PPID") end
      error("dies")
    end
  end
  local function one(value, info, code)
    if value ~= nil then take(value, info) end
    return value ~= nil or code == "timeout" or code == "would_block"
  end
  local ways = {
    function() return one(ch:recv()) end,
    function() return one(ch:recv(below(3) / 1000)) end,
    function() return one(ch:try_recv()) end,
    function() return one(ctx:select({ ch })) end,
    function() return one(ctx:select({ ctx, ch }, 0.002)) end,
    function() return coroutine.wrap(function() return one(ch:recv()) end)() end,
    function()
      local values, infos, code = ch:recv_many(1 + below(20), below(2) == 0 and 0.001 or nil)
      for i, value in ipairs(values or {}) do take(value, infos[i]) end
      return values ~= nil or code == "timeout" or code == "would_block"
    end,
    function()
      local n = 0
      for value, info in ch:iter() do
        take(value, info)
        n = n + 1
        if n == 10 then return true end
      end
      return false
    end,
  }
  while ways[1 + below(#ways)]() do end
end
return M
]]

local function generator(seed)
  return function(n)
    seed = (seed * 6364136223846793005 + 1442695040888963407) & math.maxinteger
    return (seed >> 33) % n
  end
end

local CAPACITIES = { 1, 2, 1024 }
local ENDINGS = { "all", "close", "stop", "die", "kill" }
local PLACES = { "thread", "fiber", "process", "mixed" }
local MOST = 8
local SHAPES = MOST * MOST * #CAPACITIES * #ENDINGS * #PLACES

-- The seed's place in the matrix; the factor has no divisor in common with SHAPES, so that each shape comes.
local function shape(seed)
  local at = seed % SHAPES * 2371 % SHAPES
  local function digit(n)
    local i = at % n
    at = at // n
    return 1 + i
  end
  return { seed = seed, senders = digit(MOST), receivers = digit(MOST), capacity = CAPACITIES[digit(#CAPACITIES)],
    place = PLACES[digit(#PLACES)], ending = ENDINGS[digit(#ENDINGS)], workers = {} }
end

-- What a round is, all of it by its seed.
local function make_round(seed)
  local below = generator(seed)
  for _ = 1, 4 do below(2) end
  local round = shape(seed)
  round.delivery = below(2) == 0 and "at_most_once" or "at_least_once"
  round.after = below(round.senders * 100)
  local dies = round.ending == "die" or round.ending == "kill"
  if round.place == "mixed" and (dies or round.ending == "all") then
    round.pump = ({ "thread", "process" })[1 + below(3)]
  end
  round.last = round.pump and "mid" or "ch"
  local function add(kind, i)
    local place = round.place == "mixed" and PLACES[1 + below(3)] or round.place
    table.insert(round.workers, { kind = kind, name = kind .. i, isolation = place,
      args = { number = i, seed = below(1 << 30), messages = 1 + below(200), dies = dies, from = round.last,
        killed = round.ending == "kill" and place == "process" } })
  end
  for i = 1, round.senders do add("s", i) end
  for i = 1, round.receivers do add("r", i) end
  return round
end

local function add_workers(s, round)
  for _, worker in ipairs(round.workers) do
    assert(s:add(worker.name, { module = worker.kind == "s" and "sender" or "receiver", args = worker.args,
      isolation = worker.isolation, restart = { delay = 0 }, grace = stage.LIMIT }))
  end
  if not round.pump then return end
  assert(s.core:add_worker("pump", { native = os.getenv("CHIEF_BUILD") .. "/tests/plugins/actor.so",
    args = "pump ch mid", isolation = round.pump, grace = stage.LIMIT }))
end

-- All messages that a receiver has from one sender, delivered the first time, come in order; nobody has one of them
-- twice but by a second delivery. How often that came is kept in `seen`.
local function check_got(report, seen, last)
  local _, who, generation, from, number, deliveries = table.unpack(report)
  local key = from * 1000000 + number
  local life = ("%s.%d from %d"):format(who, generation, from)
  assert(deliveries > (seen[key] or 0), life .. ": twice the same delivery")
  seen[key] = deliveries
  if deliveries > 1 then return end
  assert(number > (last[life] or 0), life .. ": out of order")
  last[life] = number
end

-- What came last is closed once all has gone into it.
local function all_stopped(s, round, ends)
  local states = {}
  for _, status in ipairs((s.core:states())) do states[status.name] = status.state end
  if os.time() > ends then
    local lines = {}
    for name, state in pairs(states) do
      lines[#lines + 1] = ("%s %s: %s"):format(name, state, s.core:traceback(name))
    end
    error("workers do not end: " .. table.concat(lines, "\n"))
  end
  if states.pump == "stopped" then s.core:channel("mid"):close() end
  for _, worker in ipairs(round.workers) do
    if states[worker.name] ~= "stopped" then return false end
  end
  return true
end

-- Reads reports until each sender has told how much it sent, closing or stopping in between.
local function play(s, round)
  local ch = assert(s.core:channel("ch"))
  local accepted, told, got, seen, last = 0, 0, 0, {}, {}
  local function read(report)
    if report[1] == "sent" then
      accepted, told = accepted + report[2], told + (report[3] and 1 or 0)
    else
      got = got + 1
      check_got(report, seen, last)
    end
  end
  while told < round.senders do
    read((s:next()))
    if got == round.after and round.ending == "close" then ch:close() end
    if got == round.after and round.ending == "stop" then s.core:stop() end
  end
  ch:close()
  local ends = os.time() + stage.LIMIT
  while not all_stopped(s, round, ends) do
    local report = s.out:recv(0.001)
    if report then read(report) end
  end
  s:stop()
  for _ = 1, s.out:len() do read((s:next())) end
  local arrived = 0
  for _ in pairs(seen) do arrived = arrived + 1 end
  return accepted, arrived
end

local function sums(s, name)
  local stats = s.core:channel(name):stats()
  assert.equal(stats.sent, stats.acknowledged + stats.queued + stats.dropped)
  assert.equal(0, stats.in_hand)
  return stats
end

local function check(round)
  local s = stage.new({ ["sender.lua"] = SENDER, ["receiver.lua"] = RECEIVER })
  local ok, message = xpcall(function()
    for _, name in ipairs({ "ch", round.pump and "mid" or nil }) do
      assert(s.core:add_channel(name, { capacity = round.capacity, delivery = round.delivery, max_deliveries = 0 }))
    end
    add_workers(s, round)
    s:start()
    local accepted, arrived = play(s, round)
    assert.equal(accepted, sums(s, "ch").sent)
    local stats = sums(s, round.last)
    assert.equal(accepted, stats.sent)
    -- What a receiver has in hand when it dies is dropped, or comes to another; it says nothing of the rest of a batch.
    local lost = stats.sent - stats.queued - arrived
    local dies = round.ending == "die" or round.ending == "kill"
    local may_drop = dies and round.delivery == "at_most_once"
    assert(lost >= 0 and lost <= (may_drop and stats.dropped or 0), ("%d lost, %d dropped"):format(lost, stats.dropped))
    if not may_drop then assert.equal(0, stats.dropped) end
  end, debug.traceback)
  s:close()
  assert(ok, ("CHIEF_STRESS_SEED=%d (%d to %d, %s, %s, %s, capacity %d): %s"):format(round.seed, round.senders,
    round.receivers, round.place, round.ending, round.delivery, round.capacity, tostring(message)))
end

describe("a channel", function()
  it("loses, doubles and disorders nothing whoever is at it", function()
    local seed = tonumber(os.getenv("CHIEF_STRESS_SEED")) or os.time() * 1000
    local rounds = os.getenv("CHIEF_STRESS_ROUNDS")
    rounds = rounds == "all" and SHAPES or tonumber(rounds)
    local ends = os.time() + (tonumber(os.getenv("CHIEF_STRESS_MS")) or 2000) / 1000
    print(("# CHIEF_STRESS_SEED=%d"):format(seed))
    local played = 0
    repeat
      check(make_round(seed + played))
      played = played + 1
    until played == rounds or not rounds and os.time() >= ends
    print(("# %d rounds of the %d there are"):format(played, SHAPES))
  end)
end)
