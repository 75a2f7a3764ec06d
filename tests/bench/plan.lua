-- Which works there are, how much of each, who does it, and what others reached on a machine of this kind.
local plan = {}

-- In the order in which they are run. Each contender does the same amount; a run takes some seconds at most. Those with
-- `who` are done by these alone, and only when they are asked for: they take long, or two gigabytes. Those with `only`
-- are nothing for others.
plan.works = {
  { name = "oneway-int", messages = 400000, says = "one sender, one receiver, integers, one at a time" },
  { name = "oneway-str64", messages = 400000, says = "the same with strings of 64 bytes" },
  { name = "oneway-table", messages = 100000, says = "the same with { id, name, tags = five strings }" },
  { name = "batch-int", messages = 1600000, says = "integers, a hundred in one send_many and recv_many" },
  { name = "batch-str64", messages = 1000000, says = "strings of 64 bytes, a hundred at a time" },
  { name = "batch-table", messages = 200000, says = "tables, a hundred at a time" },
  { name = "fanin-int", messages = 400000, says = "four senders, one receiver, integers" },
  { name = "fanout-int", messages = 400000, says = "one sender, four receivers, integers" },
  { name = "binding-oneway", messages = 200000, says = "from and to another language, integers, one by one" },
  { name = "binding-batch", messages = 400000, says = "the same, a hundred in one send_many and recv_many" },
  { name = "pingpong", messages = 40000, says = "there and back, each" },
  { name = "spawn", messages = 1000, says = "start, init, a message answered, stop: each of 1,000" },
  { name = "idle-10k", messages = 10000, says = "10,000 that wait for a message: start and memory of each" },
  { name = "stop-10k", messages = 10000, says = "the stop of those, together" },
  { name = "stop-1k", messages = 1000, says = "the stop of 1,000, together" },
  { name = "stop-100", messages = 100, says = "the stop of 100, together: as many processes as are sane here" },
  { name = "states-10k", messages = 10000, says = "the states of 10,000 as JSON, once" },
  { name = "idle-100k", messages = 100000, says = "100,000 of them", who = { "chief-fiber", "go" } },
  { name = "rest-10k", messages = 10000, says = "processor time of 10,000 that wait, in ten seconds",
    who = { "chief-fiber", "chief-thread" } },
  { name = "restart", messages = 300, says = "from a failure until it runs again, without a delay" },
  { name = "interrupt", messages = 1, says = "the end of a worker that loops, beyond its grace, cleanup run" },
  { name = "kill", messages = 1, says = "the end of a process that loops, beyond its grace",
    only = { "chief-process" } },
  { name = "cpu-one", messages = 20000000, says = "one that computes; floor-lua is the interpreter alone" },
  { name = "cpu-scaling", messages = 20000000, says = "two that compute, over one" },
}

-- `figures`: what it reached on another machine of this kind, so that one that was built or driven badly is seen;
-- a rate, or microseconds.
plan.contenders = {
  { name = "chief-fiber", command = "$LUA $BENCH/chief_lua.lua --isolation fiber" },
  { name = "chief-thread", command = "$LUA $BENCH/chief_lua.lua --isolation thread" },
  { name = "chief-process", command = "$LUA $BENCH/chief_lua.lua --isolation process",
    works = { "oneway-int", "oneway-str64", "oneway-table", "pingpong", "restart", "stop-100" } },
  { name = "chief-c", command = "$OUT/chief_c",
    works = { "oneway-int", "oneway-str64", "fanin-int", "fanout-int", "binding-oneway", "binding-batch", "pingpong",
      "restart" } },
  { name = "python", command = "$OUT/python", needs = "$OUT/python", works = { "binding-oneway", "binding-batch" } },
  { name = "node", command = "$OUT/node", needs = "$OUT/node", works = { "binding-oneway", "binding-batch" } },
  { name = "go-binding", command = "$OUT/go-binding", needs = "$OUT/go-binding",
    works = { "binding-oneway", "binding-batch" } },
  { name = "rust", command = "$OUT/rust", needs = "$OUT/rust", works = { "binding-oneway", "binding-batch" } },
  { name = "go", command = "$OUT/go", needs = "$OUT/go",
    works = { "oneway-int", "oneway-str64", "oneway-table", "batch-int", "batch-str64", "batch-table", "fanin-int",
      "fanout-int", "pingpong", "spawn", "idle-10k",
      "stop-10k", "stop-1k", "cpu-scaling" },
    figures = { ["oneway-int"] = 21.7e6, ["oneway-str64"] = 6.4e6, ["oneway-table"] = 7.6e6, ["fanin-int"] = 18e6,
      pingpong = 0.25 } },
  { name = "erlang", command = "erl -noshell -pa $OUT -s contender main -extra", needs = "$OUT/contender.beam",
    works = { "oneway-int", "oneway-str64", "oneway-table", "batch-int", "batch-str64", "batch-table", "fanin-int",
      "fanout-int", "pingpong", "spawn", "idle-10k",
      "stop-10k", "stop-1k", "restart", "cpu-scaling" },
    figures = { ["oneway-int"] = 4.2e6, ["oneway-str64"] = 1.9e6, ["oneway-table"] = 2.8e6, ["fanin-int"] = 2.5e6,
      pingpong = 0.73 } },
  { name = "luv", command = "lua5.4 $BENCH/luv.lua", works = { "oneway-int", "oneway-str64", "pingpong", "spawn" },
    figures = { ["oneway-int"] = 0.28e6, ["oneway-str64"] = 0.28e6, pingpong = 35 } },
  { name = "floor-ring", command = "$OUT/floors --floor ring", works = { "oneway-int", "oneway-str64" },
    figures = { ["oneway-str64"] = 16.3e6 } },
  { name = "floor-queue", command = "$OUT/floors --floor queue", works = { "oneway-int", "oneway-str64" },
    figures = { ["oneway-int"] = 1.7e6, ["oneway-str64"] = 1.7e6 } },
  { name = "floor-futex", command = "$OUT/floors --floor futex", works = { "pingpong" },
    figures = { pingpong = 19.8 } },
  { name = "floor-state", command = "$OUT/floors --floor state", works = { "spawn" },
    figures = { spawn = 92 } },
  { name = "floor-crowd", command = "$OUT/floors --floor crowd", works = { "spawn" } },
  { name = "floor-lua", command = "lua5.4 $BENCH/plain.lua",
    works = { "oneway-int", "oneway-str64", "oneway-table", "batch-int", "batch-str64", "batch-table", "cpu-one" } },
}

-- Less than this much of a figure is flagged.
plan.least = 0.7

function plan.find(name)
  for _, work in ipairs(plan.works) do
    if work.name == name then return work end
  end
end

function plan.names()
  local names = {}
  for i, work in ipairs(plan.works) do names[i] = work.name end
  return table.concat(names, " ")
end

local function lists(names, name)
  for _, one in ipairs(names) do
    if one == name then return true end
  end
  return false
end

-- Who names no works does all but those of the bindings.
function plan.does(contender, name)
  local work = plan.find(name)
  local who = work.who or work.only
  if who then return lists(who, contender.name) end
  if not contender.works then return not name:find("^binding%-") end
  return lists(contender.works, name)
end

-- Those that are done when none is asked for.
function plan.usual()
  local usual = {}
  for _, work in ipairs(plan.works) do
    if not work.who then usual[#usual + 1] = work end
  end
  return usual
end

-- Whether the median is too far from what this contender reaches.
function plan.is_low(contender, work, median, unit)
  local figure = contender.figures and contender.figures[work]
  if not figure or unit == "KiB" then return false end
  if unit == "msg/s" then return median < plan.least * figure end
  return figure < plan.least * median
end

return plan
