-- What a program wants done after the last worker has stopped: functions that run in the caller's own thread, the
-- last one added first, all together under one time limit. A hook is interrupted where it runs Lua code; C code that
-- blocks in a hook cannot be interrupted.
local core = require "chief.core"
local guarded = require "chief.guarded"

---@class chief.Hooks
---@field complain fun(message: string, fields: table)
local Hooks = {}
Hooks.__index = Hooks

---@param complain fun(message: string, fields: table) is told of a hook that failed
---@return chief.Hooks
function Hooks.new(complain) return setmetatable({ complain = complain, list = {} }, Hooks) end

---@param hook function
function Hooks:add(hook, ...)
  if type(hook) ~= "function" then error("on_shutdown: should be a function, got a " .. type(hook), 3) end
  table.insert(self.list, { run = hook, args = table.pack(...) })
end

---Runs the hooks, each of them once however often this is called.
---@param timeout number seconds for all of them
function Hooks:run(timeout)
  local limit = core.context(nil, timeout)
  local function over()
    return limit:done() and ("shutdown hook did not end within %g s"):format(timeout) or nil
  end
  while #self.list > 0 do
    local hook = table.remove(self.list)
    local ok, traceback = guarded.call(hook.run, hook.args, over, "shutdown hook")
    if not ok then self.complain("shutdown hook failed", { traceback = traceback }) end
  end
end

return Hooks
