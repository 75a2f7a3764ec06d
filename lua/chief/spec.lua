-- What chief.core takes for a worker, made from what a person wrote and options.lua has checked.
local core = require "chief.core"
local process = require "chief.process"
local search = require "chief.search"

local spec = {}

local function set(...)
  local result = {}
  for _, name in ipairs { ... } do result[name] = true end
  return result
end

local COPIED = set("args", "restart", "after", "sends", "receives", "grace", "start_timeout", "ready", "count",
  "isolation", "process", "critical", "no_restart_codes", "every", "first", "cron", "tz", "on_exit")
local LIMITS = set("libraries", "memory_limit", "watchdog") -- false: none

-- A module's name, { native = path }, or a function, whose code goes over without its surroundings.
local function put_code(result, module)
  if type(module) == "string" then result.module = module
  elseif type(module) == "table" then result.native, result.app = module.native, module.app
  else
    local code = core.function_spec(module)
    result.chunk, result.chunkname = code.chunk, code.chunkname
  end
end

-- A child that starts in another folder looks for modules where this program would.
local function put_process(result, name)
  local command, message = process.command(name)
  if not command then return nil, message end
  result.program = command
  if result.process and result.process.cwd then
    local folder = core.folder()
    result.path, result.cpath = process.absolute(result.path, folder), process.absolute(result.cpath, folder)
    if result.native then result.native = process.absolute(result.native, folder) end
  end
  return result
end

---@param name string
---@param module string|function|table
---@param options table checked
---@param folder string? where modules are looked for before package.path
---@return table? spec
---@return string? message
---@return string? code
function spec.worker(name, module, options, folder)
  local result = {}
  put_code(result, module)
  result.path, result.cpath = search.paths(folder)
  for field, value in pairs(options) do
    if COPIED[field] then result[field] = value
    elseif LIMITS[field] then result[field] = value or nil end
  end
  if result.app then
    -- It runs in a thread, whatever its own workers do.
    result.isolation, result.inside, result.libraries = nil, options.inside, nil
    return result
  end
  local moves = result.restart and result.restart.isolate_after
  if result.isolation ~= "process" and not result.on_exit and not moves then return result end
  local found, message = put_process(result, name)
  if found or (result.isolation ~= "process" and not moves) then return result end -- on_exit can't isolate it then
  return nil, message, "not_found"
end

return spec
