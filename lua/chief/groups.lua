-- The groups of an application: workers that are restarted together, in the order they are listed.
local Problems = require "chief.problems"
local graph = require "chief.graph"
local options = require "chief.options"
local replicas = require "chief.replicas"
local schema = require "chief.schema"

---@class chief.AppGroup
---@field name string
---@field key string where it stands in the file, "groups.pipeline"
---@field options chief.GroupOptions

local groups = {}

local EXAMPLE = '{ policy = "rest_for_one", workers = { "db", "api" } }'

---The groups as they are written down, by name.
---@param given any
---@param problems chief.Problems
---@return chief.AppGroup[]
function groups.read(given, problems)
  local list = {}
  if given == nil then return list end
  if type(given) ~= "table" then
    schema.refuse(given, "groups", problems, ("a table such as { pipeline = %s }"):format(EXAMPLE))
    return list
  end
  for _, name in ipairs(schema.sorted_keys(given)) do
    local key = Problems.join("groups", name)
    if math.type(name) == "integer" then
      problems:add(key, ("has no name: write pipeline = %s"):format(EXAMPLE))
    else
      local right = schema.name(name, key, problems) and options.group(given[name], key, problems)
      if right then list[#list + 1] = { name = name, key = key, options = right } end
    end
  end
  return list
end

-- Whether both names mean one worker, also as one of several replicas and all of them.
local function meet(a, b) return replicas.means(a, b) or replicas.means(b, a) end

local function check_apart(list, problems)
  local listed = {}
  for _, group in ipairs(list) do
    for i, name in ipairs(group.options.workers or {}) do
      local key = Problems.join(Problems.join(group.key, "workers"), i)
      for _, other in ipairs(listed) do
        if meet(name, other.name) then
          problems:add(key, ('"%s" is in %s, too; a worker is in one group at most'):format(name, other.key))
          break
        end
      end
      listed[#listed + 1] = { name = name, key = key }
    end
  end
end

-- The pairs (before, after) in the order of a group, of different workers.
local function pairs_of(group)
  local list, before = {}, nil
  for _, name in ipairs(group.options.policy ~= "one_for_one" and group.options.workers or {}) do
    local stem = replicas.split(name)
    if before and before ~= stem then list[#list + 1] = { before, stem } end
    before = stem
  end
  return list
end

local function follows(circle, pair)
  for i = 1, #circle - 1 do
    if circle[i] == pair[2] and circle[i + 1] == pair[1] then return true end
  end
  return false
end

-- The group that makes the circle one.
local function guilty(list, circle)
  for _, group in ipairs(list) do
    for _, pair in ipairs(pairs_of(group)) do
      if follows(circle, pair) then return group end
    end
  end
end

local function check_order(list, names, after, problems)
  local both = {}
  for name, others in pairs(after) do both[name] = table.move(others, 1, #others, 1, {}) end
  for _, group in ipairs(list) do
    for _, pair in ipairs(pairs_of(group)) do
      if both[pair[2]] then table.insert(both[pair[2]], pair[1]) end
    end
  end
  for _, circle in ipairs(graph.circles(names, both)) do
    local group = guilty(list, circle)
    if group then
      problems:add(Problems.join(group.key, "workers"),
        ("is an order in which none could start, with what each has in after: %s"):format(table.concat(circle, " → ")))
    end
  end
end

---Checks the groups among each other and against what the workers wait for.
---@param list chief.AppGroup[]
---@param names string[] of all workers
---@param after table<string, string[]>
---@param problems chief.Problems
function groups.check(list, names, after, problems)
  check_apart(list, problems)
  if #graph.circles(names, after) == 0 then check_order(list, names, after, problems) end
end

return groups
