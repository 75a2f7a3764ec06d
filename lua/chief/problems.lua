-- The mistakes found in one configuration, in the order they were found: each with the file, the key it is about
-- and a sentence that says what would be right.

---@class chief.Problem
---@field file string? the file the mistake is in
---@field line integer? its line, where it is known
---@field key string the path of the key, "workers.api.restart.delay"; "" for the whole
---@field message string

---@class chief.Problems
---@field [integer] chief.Problem
---@field file string?
local Problems = {}
Problems.__index = Problems

---@param file string? what the mistakes are in
---@return chief.Problems
function Problems.new(file) return setmetatable({ file = file }, Problems) end

---The path of a key below another: join("workers", "my-api") is `workers["my-api"]`.
---@param where string
---@param key any
---@return string
function Problems.join(where, key)
  if math.type(key) == "integer" then return ("%s[%d]"):format(where, key) end
  if type(key) ~= "string" then return ("%s[%s]"):format(where, tostring(key)) end
  if not key:find("^[%a_][%w_]*$") then return ("%s[%q]"):format(where, key) end
  return where == "" and key or where .. "." .. key
end

---@param key string
---@param message string
---@param line integer?
function Problems:add(key, message, line)
  self[#self + 1] = { file = self.file, line = line, key = key, message = message }
end

---Whether there is a problem with the key itself or with something below it.
---@param key string
---@return boolean
function Problems:has(key)
  for _, problem in ipairs(self) do
    local rest = problem.key:sub(1, #key) == key and problem.key:sub(#key + 1)
    if rest and (rest == "" or rest:find("^[.[]")) then return true end
  end
  return false
end

---A problem as one line: `app.lua:3: workers.api: …`.
---@param problem chief.Problem
---@return string
function Problems.line(problem)
  local parts = {}
  if problem.file then
    parts[1] = problem.line and ("%s:%d"):format(problem.file, problem.line) or problem.file
  end
  if problem.key ~= "" then parts[#parts + 1] = problem.key end
  parts[#parts + 1] = problem.message
  return table.concat(parts, ": ")
end

---All of them, one a line.
---@return string
function Problems:text()
  local lines = {}
  for i, problem in ipairs(self) do lines[i] = Problems.line(problem) end
  return table.concat(lines, "\n")
end

return Problems
