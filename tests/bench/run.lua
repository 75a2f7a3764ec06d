-- Runs the contenders by turns and prints the medians: lua5.4 run.lua RUNS NAME COMMAND [NAME COMMAND …]
local runs = tonumber(arg[1])
local results, order = {}, {}

local function keep(who, work, value, unit)
  local key = work .. "\0" .. who
  if not results[key] then
    results[key] = { who = who, work = work, unit = unit }
    order[#order + 1] = results[key]
  end
  table.insert(results[key], tonumber(value))
end

local function run(who, command)
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    local work, value, unit = line:match("^(%S+) (%S+) (%S+)$")
    assert(work, "not a result: " .. line)
    keep(who, work, value, unit)
  end
  assert(pipe:close(), command .. " failed")
end

for _ = 1, runs do
  for i = 2, #arg, 2 do run(arg[i], arg[i + 1]) end
end

table.sort(order, function(a, b)
  if a.work ~= b.work then return a.work < b.work end
  return a.who < b.who
end)
local legend = {
  ["oneway-8-bytes"] = "one worker sends to another over a channel of 1,024, 8 bytes each, copied",
  ["oneway-int"] = "the same with integers; in Lua each is packed and unpacked",
  pingpong = "a call to another worker and its answer; in Go over two channels",
  restart = "from one life of a worker that fails to the next, without a delay; each in a thread and state of its own",
  spawn = "add, init, start and stop 1,000 workers: each",
  memory = "resident memory of each of those, waiting for a message",
}

print(string.format("%-16s %-10s %14s %14s %14s  %s", "WORK", "WHO", "MEDIAN", "LEAST", "MOST", "UNIT"))
for _, r in ipairs(order) do
  table.sort(r)
  print(string.format("%-16s %-10s %14.2f %14.2f %14.2f  %s", r.work, r.who, r[(#r + 1) // 2], r[1], r[#r], r.unit))
end

print()
local told = {}
for _, r in ipairs(order) do
  if legend[r.work] and not told[r.work] then print(string.format("%-16s %s", r.work, legend[r.work])) end
  told[r.work] = true
end
