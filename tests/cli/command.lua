-- Runs the real command as a process: the one in $CHIEF, else `./dev chief`.
local app_folder = require "app_folder"

local command = {}

-- A command is started in other folders, so a path that is relative to this one would not do.
local function here()
  local pipe = assert(io.popen("cd " .. app_folder.quote(os.getenv("CHIEF_SOURCE") or ".") .. " && pwd"))
  local path = pipe:read("l")
  pipe:close()
  return path
end

command.source = here()
local program = os.getenv("CHIEF") or app_folder.quote(command.source .. "/dev") .. " chief"
command.program = program

local function line_of(arguments)
  local parts = { program }
  for _, argument in ipairs(arguments) do parts[#parts + 1] = app_folder.quote(argument) end
  return table.concat(parts, " ")
end

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

---Runs it to its end: the exit code, stdout and stderr.
---@param folder string where it is started
---@param ... string
function command.run(folder, ...)
  local out, err = os.tmpname(), os.tmpname()
  local _, how, code = os.execute(("cd %s && %s >%s 2>%s"):format(app_folder.quote(folder), line_of({ ... }), out, err))
  local stdout, stderr = read_file(out), read_file(err)
  os.remove(out)
  os.remove(err)
  return how == "exit" and code or how .. code, stdout, stderr
end

---@class Running
local Running = {}
Running.__index = Running

---Starts it and goes on; both outputs come by :read_until().
function command.start(folder, ...)
  local line = ("cd %s && { %s 2>&1 & pid=$!; echo $pid; wait $pid; echo exit code $?; }"):format(
    app_folder.quote(folder), line_of({ ... }))
  local pipe = assert(io.popen(line))
  return setmetatable({ pipe = pipe, pid = pipe:read("l"), seen = {} }, Running)
end

---Reads to the first line that matches. Its end is an error that shows what was printed.
function Running:read_until(pattern)
  for line in self.pipe:lines() do
    self.seen[#self.seen + 1] = line
    if line:find(pattern) then return line end
  end
  error(("no line matches %s in:\n%s"):format(pattern, table.concat(self.seen, "\n")), 2)
end

---Sends it the signal, or that many at once, of which the last may come too late.
---@param name string
---@param times integer?
function Running:signal(name, times)
  local kill = ("kill -%s %s"):format(name, self.pid)
  if times then kill = ("for i in $(seq %d); do %s 2>/dev/null || break; done"):format(times, kill) end
  assert(os.execute(kill))
end

---Reads to the end: the exit code and all that was printed.
function Running:finish()
  local code = self:read_until("^exit code %d+$"):match("%d+")
  self.pipe:close()
  return math.tointeger(code), table.concat(self.seen, "\n")
end

return command
