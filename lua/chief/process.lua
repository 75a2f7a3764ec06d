-- The program that hosts a worker in a process of its own: what was installed beside the library or, where chief came
-- as a rock, the interpreter that runs this program, told to find chief.child where this program found chief.
local core = require "chief.core"

local process = {}

-- LuaJIT is one too, but has no chief.core.
local function is_interpreter(path)
  local name = path:match("[^/]*$"):gsub(" %(deleted%)$", "")
  return name:find("^lua[%d.-]*$") ~= nil
end

---The Lua interpreter that this program runs in.
---@return string? path
---@return string? message
function process.interpreter()
  local given = os.getenv("CHIEF_LUA_INTERPRETER")
  if given and given ~= "" then return given end
  local path = core.executable()
  if path and is_interpreter(path) then return path end
  return nil, ('a worker in a process needs a Lua interpreter, and this program (%s) is none: name one in the '
    .. 'environment variable CHIEF_LUA_INTERPRETER'):format(path or "?")
end

local function absolute(list, folder)
  return (list:gsub("[^;]+", function(template)
    if template:sub(1, 1) == "/" or not folder then return nil end
    return folder .. "/" .. template
  end))
end
process.absolute = absolute

---The command that hosts a worker, nil where the core knows a program of its own for that.
---@param name string the worker's, to be seen in a list of processes
---@return string[]? command
---@return string? message
function process.command(name)
  local program, message, code = core.worker_program()
  if code then return nil, message end
  if program then return { program, name } end
  local interpreter
  interpreter, message = process.interpreter()
  if not interpreter then return nil, message end
  local folder = core.folder()
  local setup = ("package.path, package.cpath = %q, %q"):format(absolute(package.path, folder),
    absolute(package.cpath, folder))
  -- "-" is the standard input, /dev/null there; chief.child ends the process before that is read.
  return { interpreter, "-e", setup, "-l", "chief.child", "-", name }
end

return process
