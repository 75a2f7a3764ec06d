-- The results as a table for the terminal, as JSON, and as a picture.
local plan = require "plan"

local report = {}

-- Rates by thousands; microseconds as they are, so that a row can be compared with the next.
local function number(value, unit)
  if unit == "msg/s" and value >= 1e6 then return ("%.2f M"):format(value / 1e6) end
  if unit == "msg/s" and value >= 1e4 then return ("%.1f k"):format(value / 1e3) end
  return (value < 1000 and "%.2f" or "%.0f"):format(value)
end

local HEADER = "%-13s %-14s %10s %10s %10s  %-6s %7s %8s %9s"

local function is_rate(unit) return unit == "msg/s" or unit == "x" end

-- What Lua workers reach, in fibers or threads, whichever is better.
local function best_of_ours(results, like)
  local best
  for _, r in ipairs(results) do
    local ours = (r.who == "chief-fiber" or r.who == "chief-thread") and r.work == like.work and r.unit == like.unit
    local better = ours and (not best or (r.median > best) == is_rate(r.unit))
    if better then best = r.median end
  end
  return best
end

-- How much that is of what this one does: of its rate, or of its time or memory.
local function ratio(results, r)
  local ours = best_of_ours(results, r)
  return ours and r.median > 0 and ("%.2f"):format(ours / r.median) or "-"
end

function report.print(results, works)
  print(HEADER:format("WORK", "WHO", "MEDIAN", "LEAST", "MOST", "UNIT", "OURS BY", "CPU s", "PEAK KiB"))
  for _, r in ipairs(results) do
    local line = HEADER:format(r.work, r.who, number(r.median, r.unit), number(r.min, r.unit),
      number(r.max, r.unit), r.unit, ratio(results, r), ("%.2f"):format(r.cpu_s), ("%d"):format(r.peak_kib))
    print(line .. (r.low and "  low: less than 0.7 of what it reaches elsewhere" or ""))
  end
  print()
  for _, work in ipairs(works) do print(("%-13s %s"):format(work.name, work.says)) end
  print("OURS BY: the better of chief-fiber and chief-thread, divided by this one")
end

local KEYS = { "work", "who", "unit", "median", "min", "max", "runs", "cpu_s", "peak_kib", "messages", "seed",
  "checksum", "low" }

local function value(v)
  if type(v) == "string" then return ("%q"):format(v) end
  if type(v) == "number" and math.type(v) == "float" then return ("%.6g"):format(v) end
  return tostring(v)
end

local function object(keys, of)
  local parts = {}
  for _, key in ipairs(keys) do
    if of[key] ~= nil then parts[#parts + 1] = ("%q: %s"):format(key, value(of[key])) end
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function list(keys, items)
  local parts = {}
  for i, item in ipairs(items) do parts[i] = "    " .. object(keys, item) end
  return #parts > 0 and "[\n" .. table.concat(parts, ",\n") .. "\n  ]" or "[]"
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
end

function report.write_json(path, results, missing)
  write(path, ('{\n  "results": %s,\n  "missing": %s\n}\n'):format(list(KEYS, results),
    list({ "work", "who", "reason" }, missing)))
end

-- ---- the picture ----

local ROW, LEFT, WIDTH, RIGHT = 18, 120, 480, 110

local function colour(who)
  if who:find("^chief") then return "#2b6cb0" end
  return who:find("^floor") and "#a0aec0" or "#718096"
end

local BAR = [[<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="12" fill="%s"/>]]
local SPREAD = [[<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#1a202c"/><text x="%.1f" y="%d">%s %s</text>]]

local function bar(r, longest, y)
  local width = math.max(1, r.median / longest * WIDTH)
  local least, most = LEFT + r.min / longest * WIDTH, LEFT + r.max / longest * WIDTH
  return BAR:format(LEFT - 6, y + 10, r.who, LEFT, y, width, colour(r.who)) ..
    SPREAD:format(least, most, y + 6, y + 6, most + 6, y + 10, number(r.median, r.unit), r.unit)
end

local TITLE = [[<text x="%d" y="%d"><tspan font-weight="bold">%s</tspan> %s (%s)</text>]]
local PICTURE = [[
<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"
  font-family="sans-serif" font-size="11" fill="#1a202c">
<rect width="100%%" height="100%%" fill="#fff"/>
%s
</svg>
]]
local better = { ["msg/s"] = "longer is better", x = "2 is best" }

-- A ring that never sleeps would make all others short: a floor beyond the longest of them has no bar.
local function bars_of(results, from)
  local first, bars, longest, to = results[from], {}, 0, from
  while results[to] and results[to].work == first.work and results[to].unit == first.unit do
    local r = results[to]
    if not r.who:find("^floor") then longest = math.max(longest, r.max) end
    to = to + 1
  end
  for i = from, to - 1 do
    local r = results[i]
    if r.max <= longest or not r.who:find("^floor") then bars[#bars + 1] = r end
  end
  return bars, longest, to
end

-- One chart for each work and unit, each with a scale of its own.
function report.write_svg(path, results)
  local parts, y, from = {}, 10, 1
  while from <= #results do
    local first = results[from]
    local bars, longest, to = bars_of(results, from)
    parts[#parts + 1] = TITLE:format(LEFT, y + 12, first.work, plan.find(first.work).says,
      better[first.unit] or "shorter is better")
    y = y + ROW
    for _, r in ipairs(bars) do
      parts[#parts + 1] = bar(r, longest, y)
      y = y + ROW
    end
    y, from = y + ROW // 2, to
  end
  local width = LEFT + WIDTH + RIGHT
  write(path, PICTURE:format(width, y, width, y, table.concat(parts, "\n")))
end

return report
