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
print(string.format("%-16s %-10s %14s %14s %14s  %s", "WORK", "WHO", "MEDIAN", "LEAST", "MOST", "UNIT"))
for _, r in ipairs(order) do
  table.sort(r)
  print(string.format("%-16s %-10s %14.2f %14.2f %14.2f  %s", r.work, r.who, r[(#r + 1) // 2], r[1], r[#r], r.unit))
end
