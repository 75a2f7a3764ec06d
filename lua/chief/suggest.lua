-- The name somebody probably meant: the nearest of those there are.

local suggest = {}

-- How many letters must be put in, left out, changed or swapped with their neighbour to make `b` of `a`.
local function distance(a, b)
  local before, last = {}, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, last = last, row
  end
  return last[#b]
end

-- One mistake in three letters is still a slip of the finger, and so is a word not typed to its end; more is another
-- word.
local function is_near(steps, name, candidate)
  return steps <= math.max(1, #name // 3) or #name >= 3 and candidate:sub(1, #name) == name
end

---The known name that is nearest to `name`, nil when none is near. Of two as near, the first.
---@param name string
---@param known string[]
---@return string?
function suggest.nearest(name, known)
  local best, least
  for _, candidate in ipairs(known) do
    local steps = distance(name:lower(), candidate:lower())
    if is_near(steps, name, candidate) and (not least or steps < least) then best, least = candidate, steps end
  end
  return best
end

---The end of a sentence about an unknown name: `; did you mean "workers"? known: channels, workers`.
---@param name string
---@param known string[]
---@return string
function suggest.hint(name, known)
  local nearest = suggest.nearest(name, known)
  local meant = nearest and ('; did you mean "%s"?'):format(nearest) or ";"
  return ("%s known: %s"):format(meant, table.concat(known, ", "))
end

return suggest
