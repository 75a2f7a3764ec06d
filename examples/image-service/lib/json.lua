-- JSON over lua-cjson: readable addresses (it would write \/ for each slash), and lists that stay lists when empty.
local cjson = require "cjson.safe"

local json = { decode = cjson.decode }

-- A slash is always escaped by cjson, so the two characters never mean anything else.
function json.encode(value)
  return (assert(cjson.encode(value)):gsub("\\/", "/"))
end

-- An object with one list in it, as text.
function json.encode_list(name, list)
  local parts = {}
  for i, value in ipairs(list) do parts[i] = json.encode(value) end
  return ('{"%s":[%s]}'):format(name, table.concat(parts, ","))
end

return json
