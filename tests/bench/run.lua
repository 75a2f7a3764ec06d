-- Runs the contenders by turns, so that a machine that drifts drifts for all:
--   lua5.4 run.lua OUT LUA [--runs N] [--messages N] [--seed S] [--only WHO]
--                          [--json FILE] [--svg FILE] [WORK]…
-- OUT is where build.sh has put the programs, LUA the interpreter that finds chief. README.md says what each work
-- is. With --check for OUT only what was typed is looked at.
local folder = arg[0]:match("^(.*)/") or "."
package.path = folder .. "/?.lua;" .. package.path
local plan, report = require "plan", require "report"

local function usage(message)
  io.stderr:write("./dev bench: ", message, "\n")
  os.exit(64)
end

local function whole(name, text)
  local n = math.tointeger(tonumber(text))
  if not n or n < 1 then usage(("%s should be a whole number, got %s"):format(name, text or "nothing")) end
  return n
end

local function read_arguments()
  local o, i = { runs = 5, seed = 1, works = {} }, 3
  while arg[i] do
    local key = arg[i]:match("^%-%-(%l+)$")
    if key == "runs" or key == "messages" or key == "seed" then
      o[key] = whole("--" .. key, arg[i + 1])
    elseif key == "json" or key == "svg" or key == "only" then
      o[key] = arg[i + 1] or usage("--" .. key .. " needs a value")
    elseif key then
      usage("there is no --" .. key)
    else
      local work = plan.find(arg[i])
      o.works[#o.works + 1] = work or usage(("no work %s; there are: %s"):format(arg[i], plan.names()))
    end
    i = i + (key and 2 or 1)
  end
  if #o.works == 0 then o.works = plan.usual() end
  return o
end

local paths = { OUT = arg[1], LUA = arg[2], BENCH = folder }
local function expand(command) return (command:gsub("%$(%u+)", paths)) end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local SECONDS = 120

-- One run of one contender: what it said as { value, unit, checksum, cpu, peak }, or why there is nothing.
local function run(contender, work, o)
  local command = ("%s/measure %d %s --work %s --messages %d --seed %d 2>&1"):format(paths.OUT, SECONDS,
    expand(contender.command), work.name, o.messages or work.messages, o.seed)
  local pipe, said, other, usage_line = assert(io.popen(command)), {}, {}, nil
  for line in pipe:lines() do
    local name, value, unit, sum = line:match("^(%S+) ([%d.-]+) (%S+) (%d+)$")
    local cpu, peak = line:match("^usage (%S+) (%d+)$")
    if cpu then
      usage_line = { tonumber(cpu), math.tointeger(tonumber(peak)) }
    elseif name == work.name then
      said[#said + 1] = { value = tonumber(value), unit = unit, checksum = sum }
    else
      other[#other + 1] = line
    end
  end
  local _, _, code = pipe:close()
  if code == 0 and #said > 0 then
    for _, s in ipairs(said) do s.cpu, s.peak = usage_line[1], usage_line[2] end
    return said
  end
  local reason = code == 124 and ("not done after %d s"):format(SECONDS) or other[1]
  reason = reason or "ended with " .. tostring(code)
  return nil, reason, code == 69
end

local function median(values)
  table.sort(values)
  local n = #values
  return n % 2 == 1 and values[(n + 1) // 2] or (values[n // 2] + values[n // 2 + 1]) / 2
end

local function summarise(contender, work, unit, runs, o)
  local values, cpu, peak = {}, {}, {}
  for i, r in ipairs(runs) do values[i], cpu[i], peak[i] = r.value, r.cpu, r.peak end
  local m = median(values)
  return {
    work = work.name, who = contender.name, unit = unit, median = m, min = values[1], max = values[#values],
    runs = #values, cpu_s = median(cpu), peak_kib = math.floor(median(peak)), messages = o.messages or work.messages,
    seed = o.seed, checksum = runs[1].checksum,
    low = not o.messages and plan.is_low(contender, work.name, m, unit) or nil,
  }
end

-- Everybody has received the same.
local function check_sums(work, kept)
  local sum, first
  for _, k in ipairs(kept) do
    for _, runs in pairs(k.by_unit) do
      for _, r in ipairs(runs) do
        first, sum = first or k.contender.name, sum or r.checksum
        if r.checksum ~= sum then
          local who = k.contender.name
          error(("%s: %s received %s and %s received %s"):format(work.name, first, sum, who, r.checksum), 0)
        end
      end
    end
  end
end

local failed = false

local function keep(k, said)
  for _, s in ipairs(said) do
    if not k.by_unit[s.unit] then
      k.by_unit[s.unit] = {}
      k.units[#k.units + 1] = s.unit
    end
    table.insert(k.by_unit[s.unit], s)
  end
end

local function run_work(work, o, results, missing)
  local kept = {}
  for _, contender in ipairs(plan.contenders) do
    if (not o.only or contender.name:find(o.only, 1, true)) and plan.does(contender, work.name) then
      kept[#kept + 1] = { contender = contender, by_unit = {}, units = {} }
    end
  end
  for _ = 1, o.runs do
    for i = #kept, 1, -1 do
      local k = kept[i]
      local needs = k.contender.needs and expand(k.contender.needs)
      local said, reason, is_absent
      if needs and not exists(needs) then reason, is_absent = "not installed", true
      else said, reason, is_absent = run(k.contender, work, o) end
      if said then keep(k, said)
      else
        missing[#missing + 1] = { work = work.name, who = k.contender.name, reason = reason }
        failed = failed or not is_absent
        table.remove(kept, i)
      end
    end
  end
  check_sums(work, kept)
  local units, seen = {}, {}
  for _, k in ipairs(kept) do
    for _, unit in ipairs(k.units) do
      if not seen[unit] then units[#units + 1] = unit end
      seen[unit] = true
    end
  end
  for _, unit in ipairs(units) do
    for _, k in ipairs(kept) do
      if k.by_unit[unit] then results[#results + 1] = summarise(k.contender, work, unit, k.by_unit[unit], o) end
    end
  end
end

local o, results, missing = read_arguments(), {}, {}
if arg[1] == "--check" then os.exit(0) end
for _, work in ipairs(o.works) do run_work(work, o, results, missing) end
report.print(results, o.works)
for _, m in ipairs(missing) do print(("%-13s %-14s not there: %s"):format(m.work, m.who, m.reason)) end
if o.json then report.write_json(o.json, results, missing) end
if o.svg then report.write_svg(o.svg, results) end
os.exit(failed and 1 or 0)
