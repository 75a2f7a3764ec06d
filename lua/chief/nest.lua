-- An application inside another: what the worker that it is makes of its app file, once for each of its lives.
local App = require "chief.app"
local build = require "chief.build"

---@param file string
---@param isolation string? where all of its workers run, whatever the file says
---@return userdata core the chief
---@return function? hooks runs its shutdown hooks
return function(file, isolation)
  local app, problems = App.load(file, isolation)
  if not app then error(problems:text(), 0) end
  local c, message = build.chief(app)
  if not c then error(message, 0) end
  return c:inside()
end
