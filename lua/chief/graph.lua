-- Who waits for whom: the order in which workers start, and the circles in which none ever would.

local graph = {}

-- The first circle that is met going from `name` along `after`, as its names in order; nil when there is none.
local function walk(name, after, done, path, at)
  if done[name] then return nil end
  if at[name] then
    local circle = table.move(path, at[name], #path, 1, {})
    circle[#circle + 1] = name
    return circle
  end
  path[#path + 1] = name
  at[name] = #path
  local circle
  for _, other in ipairs(after[name] or {}) do
    circle = circle or (after[other] and walk(other, after, done, path, at))
  end
  path[#path], at[name] = nil, nil
  done[name] = true
  return circle
end

---The circles in `after`, each as the names along it, the first one again at the end. A circle that shares
---workers with one already told may be left out.
---@param names string[]
---@param after table<string, string[]> for each name those it waits for
---@return string[][]
function graph.circles(names, after)
  local circles, done = {}, {}
  for _, name in ipairs(names) do
    local circle = walk(name, after, done, {}, {})
    if circle then
      circles[#circles + 1] = circle
      for _, member in ipairs(circle) do done[member] = true end
    end
  end
  return circles
end

---The level of each worker: 1 waits for nobody, each other is one above the highest it waits for. There must be no
---circle; a name that is not in `names` is not waited for.
---@param names string[]
---@param after table<string, string[]>
---@return table<string, integer>
function graph.levels(names, after)
  local here, levels = {}, {}
  for _, name in ipairs(names) do here[name] = true end
  local function level(name)
    if levels[name] then return levels[name] end
    local highest = 0
    for _, other in ipairs(after[name] or {}) do
      if here[other] then highest = math.max(highest, level(other)) end
    end
    levels[name] = highest + 1
    return levels[name]
  end
  for _, name in ipairs(names) do level(name) end
  return levels
end

return graph
