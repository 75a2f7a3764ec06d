-- The names of a worker that there is several times: `count = 2` makes "resizer/1" and "resizer/2" of "resizer".

local replicas = {}

---The name without the number of a replica, and that number: "resizer" and 2 of "resizer/2", "api" of "api".
---@param name string
---@return string stem
---@return integer? number
function replicas.split(name)
  local stem, number = name:match("^(.*)/([1-9]%d*)$")
  return stem or name, math.tointeger(number)
end

---What the workers of an entry are called: one of the name itself, of several each.
---@param name string
---@param count integer?
---@return string[]
function replicas.names(name, count)
  if (count or 1) == 1 then return { name } end
  local names = {}
  for number = 1, count do names[number] = ("%s/%d"):format(name, number) end
  return names
end

---Whether `name` means the worker that is called `full`: by its own name, or as one of the replicas.
---@param name string
---@param full string
---@return boolean
function replicas.means(name, full) return name == full or name == replicas.split(full) end

---Those of some statuses that a name means, and the names of all.
---@param statuses chief.Status[]
---@param name string
---@return chief.Status[] meant
---@return string[] names
function replicas.select(statuses, name)
  local meant, names = {}, {}
  for i, status in ipairs(statuses) do
    names[i] = status.name
    if replicas.means(name, status.name) then meant[#meant + 1] = status end
  end
  return meant, names
end

return replicas
