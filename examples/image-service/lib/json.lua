-- JSON over lua-cjson, for people to read: objects with their names in an order that makes sense, and addresses whose
-- slashes are not escaped. All objects of the service are flat, so this writes no others.
local cjson = require "cjson.safe"

local json = { decode = cjson.decode }

local ranks = {}
for rank, name in ipairs { "id", "url", "thumb", "state", "reason", "type", "bytes", "width", "height" } do
  ranks[name] = rank
end

local function before(a, b)
  local rank_a, rank_b = ranks[a] or math.huge, ranks[b] or math.huge
  if rank_a == rank_b then return a < b end
  return rank_a < rank_b
end

-- A slash is always escaped by cjson, so the two characters never mean anything else.
local function encode_scalar(value)
  return (assert(cjson.encode(value)):gsub("\\/", "/"))
end

-- An object whose names are strings and whose values are no tables.
function json.encode(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names, before)
  for i, name in ipairs(names) do parts[i] = encode_scalar(name) .. ":" .. encode_scalar(object[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- An object with one list of objects in it.
function json.encode_list(name, list)
  local parts = {}
  for i, object in ipairs(list) do parts[i] = json.encode(object) end
  return ("{%s:[%s]}"):format(encode_scalar(name), table.concat(parts, ","))
end

return json
