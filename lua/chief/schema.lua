-- What a configuration may look like. A check is a function (value, key, problems) that returns the value when it is
-- right and adds problems when it is not; this file makes checks. It knows nothing of chief's own options.
local Problems = require "chief.problems"
local suggest = require "chief.suggest"

---@alias chief.Check fun(value: any, key: string, problems: chief.Problems): any

local schema = {}

local LATER = "not in this version yet"
local LONGEST = 40

---What was given, short enough to stand in a sentence.
---@param value any
---@return string
function schema.describe(value)
  if type(value) == "string" then
    local text = #value > LONGEST and value:sub(1, LONGEST) .. "…" or value
    return ('"%s"'):format((text:gsub("%c", "?")))
  end
  if value == nil or type(value) == "number" or type(value) == "boolean" then return tostring(value) end
  return "a " .. type(value)
end

local function refuse(value, key, problems, expected)
  problems:add(key, ("should be %s, got %s"):format(expected, schema.describe(value)))
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "string" or type(a) == "number") then return a < b end
    return tostring(a) < tostring(b)
  end)
  return keys
end
schema.sorted_keys = sorted_keys

---A value of one Lua type.
---@param name string the type
---@param expected string how it is called in a sentence
---@return chief.Check
function schema.type(name, expected)
  return function(value, key, problems)
    if type(value) == name then return value end
    refuse(value, key, problems, expected)
  end
end

schema.boolean = schema.type("boolean", "true or false")

local function bounds(min, max)
  if min and max then return (" from %s to %s"):format(min, max) end
  if min then return (", %s or more"):format(min) end
  return ""
end

---A number; `what` is its name in a sentence («a number of seconds»).
---@param what string
---@param min number?
---@param max number?
---@return chief.Check
function schema.number(what, min, max)
  local expected = what .. bounds(min, max)
  return function(value, key, problems)
    local right = type(value) == "number" and value == value and math.abs(value) ~= math.huge
    if right and (not min or value >= min) and (not max or value <= max) then return value end
    refuse(value, key, problems, expected)
  end
end

---A whole number; a float without a fraction is one, too.
---@param what string
---@param min integer?
---@param max integer?
---@return chief.Check
function schema.integer(what, min, max)
  local number = schema.number(what, min, max)
  return function(value, key, problems)
    local before = #problems
    if number(value, key, problems) == nil then return nil end
    local whole = math.tointeger(value)
    if not whole and #problems == before then refuse(value, key, problems, what .. bounds(min, max)) end
    return whole
  end
end

local UNITS = { [""] = 1, K = 1024, M = 1024 ^ 2, G = 1024 ^ 3 }

---A number of bytes, or a text such as "64MB", "64M" or "64MiB": K, M and G are 1024 times what is before.
---@param expected string
---@param min integer?
---@return chief.Check
function schema.size(expected, min)
  return function(value, key, problems)
    local bytes = type(value) == "number" and math.tointeger(value)
    if type(value) == "string" then
      local number, unit = value:match("^(%d+) ?([KMG]?)i?B?$")
      bytes = number and math.tointeger(tonumber(number) * UNITS[unit])
    end
    if bytes and bytes >= (min or 0) then return bytes end
    refuse(value, key, problems, expected)
  end
end

local function quoted(words)
  local texts = {}
  for i, word in ipairs(words) do texts[i] = ('"%s"'):format(word) end
  if #texts < 2 then return texts[1] end
  return table.concat(texts, ", ", 1, #texts - 1) .. " or " .. texts[#texts]
end

---One of some words.
---@param words string[]
---@return chief.Check
function schema.choice(words)
  local known = {}
  for _, word in ipairs(words) do known[word] = true end
  return function(value, key, problems)
    if known[value] then return value end
    local nearest = #words > 1 and type(value) == "string" and suggest.nearest(value, words)
    local meant = nearest and ('; did you mean "%s"?'):format(nearest) or ""
    problems:add(key, ("should be %s, got %s%s"):format(quoted(words), schema.describe(value), meant))
  end
end

local function is_name(value) return type(value) == "string" and #value <= 64 and value:find("^[%w_][%w_.-]*$") end

---A worker's, channel's or application's name.
---@type chief.Check
function schema.name(value, key, problems)
  if is_name(value) then return value end
  if type(value) == "string" and is_name(value:match("^(.*)/%d+$")) then
    return problems:add(key, ('"%s": only count gives numbers to workers; write %s = { count = …, … }'):format(value,
      value:match("^(.*)/")))
  end
  refuse(value, key, problems, "a name of 1 to 64 letters, digits, _, . or -, the first no . or -")
end

---The name of a worker where one is referred to, which may be that of a replica: "resizer/2".
---@type chief.Check
function schema.worker_name(value, key, problems)
  local stem = type(value) == "string" and value:match("^(.*)/[1-9]%d*$")
  return is_name(stem) and value or schema.name(value, key, problems)
end

local function is_list(value)
  local n = 0
  for key in pairs(value) do
    if math.type(key) ~= "integer" then return false end
    n = n + 1
  end
  return n == #value
end

---A list; `expected` says of what, with an example («exit codes such as { 2 }»).
---@param expected string
---@param check chief.Check of each item
---@return chief.Check
function schema.list(expected, check)
  return function(value, key, problems)
    if type(value) ~= "table" or not is_list(value) then
      return refuse(value, key, problems, "a list of " .. expected)
    end
    local result = {}
    for i, item in ipairs(value) do result[i] = check(item, Problems.join(key, i), problems) end
    return result
  end
end

---A list of names, each of them once. `what` says whose names they are.
---@param what string
---@param check chief.Check? of each; any name
---@return chief.Check
function schema.names(what, check)
  check = check or schema.name
  return function(value, key, problems)
    if type(value) ~= "table" or not is_list(value) then
      local example = type(value) == "string" and value or "db"
      return refuse(value, key, problems, ('a list of %s such as { "%s" }'):format(what, example))
    end
    local seen, names = {}, {}
    for i, name in ipairs(value) do
      if seen[name] then problems:add(Problems.join(key, i), ('"%s" is listed twice'):format(name)) end
      if check(name, Problems.join(key, i), problems) and not seen[name] then names[#names + 1] = name end
      seen[name] = true
    end
    return names
  end
end

---A table with these fields. `later`: keys that a coming version knows. A field is a check or, where it must be
---there, { check, required = what is missing }.
---@param example string what a right one looks like
---@param fields table<string, chief.Check|table>
---@param later table<string, true>?
---@return chief.Check
function schema.record(example, fields, later)
  local known, needed = sorted_keys(fields), {}
  for _, field in ipairs(known) do
    if type(fields[field]) == "table" and fields[field].required then needed[#needed + 1] = field end
  end
  local function unknown(field, path, problems)
    if type(field) == "string" then
      return problems:add(path, ('unknown key "%s"%s'):format(field, suggest.hint(field, known)))
    end
    problems:add(path, ("a value without a name; known keys: %s"):format(table.concat(known, ", ")))
  end
  local function check_field(field, value, key, problems)
    local path, check = Problems.join(key, field), fields[field]
    if check then return (type(check) == "table" and check[1] or check)(value, path, problems) end
    if later and later[field] then problems:add(path, LATER)
    else unknown(field, path, problems) end
  end
  return function(value, key, problems)
    if type(value) ~= "table" then return refuse(value, key, problems, "a table such as " .. example) end
    local result, before = {}, #problems
    for field, each in pairs(value) do result[field] = check_field(field, each, key, problems) end
    if #problems > before then -- told in the order of their names
      for i = #problems, before + 1, -1 do problems[i] = nil end
      for _, field in ipairs(sorted_keys(value)) do check_field(field, value[field], key, problems) end
    end
    for _, field in ipairs(needed) do
      if value[field] == nil then problems:add(Problems.join(key, field), "is missing: " .. fields[field].required) end
    end
    return result
  end
end

---A check that depends on the type of what is given: { string = check, table = check }.
---@param expected string
---@param by_type table<string, chief.Check>
---@return chief.Check
function schema.by_type(expected, by_type)
  return function(value, key, problems)
    local check = by_type[type(value)]
    if check then return check(value, key, problems) end
    refuse(value, key, problems, expected)
  end
end

schema.refuse = refuse

return schema
