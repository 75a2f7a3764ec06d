-- What chief.core takes for a worker, made from what a person wrote and options.lua has checked.
local core = require "chief.core"
local search = require "chief.search"

local spec = {}

local COPIED = { "args", "restart", "after", "sends", "receives", "grace", "start_timeout", "ready",
  "count" }

-- A module's name, { native = path }, or a function, whose code goes over without its surroundings.
local function put_code(result, module)
  if type(module) == "string" then result.module = module
  elseif type(module) == "table" then result.native = module.native
  else
    local code = core.function_spec(module)
    result.chunk, result.chunkname = code.chunk, code.chunkname
  end
end

---@param module string|function|table
---@param options table checked
---@param folder string? where modules are looked for before package.path
---@return table
function spec.worker(module, options, folder)
  local result = {}
  put_code(result, module)
  result.path, result.cpath = search.paths(folder)
  for _, field in ipairs(COPIED) do result[field] = options[field] end
  return result
end

return spec
