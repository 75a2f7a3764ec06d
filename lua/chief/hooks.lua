-- What a program wants done after the last worker has stopped: functions that run in the caller's own thread, the
-- last one added first, all together under one time limit. A hook is interrupted where it runs Lua code; C code that
-- blocks in a hook cannot be interrupted.
local core = require "chief.core"

-- How many instructions pass between two looks at the clock: some microseconds.
local INTERVAL = 10000

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

-- Once the limit is over every look raises again, so that a pcall in a loop does not outlive it.
local function within(limit, timeout, hook)
  local function look()
    if limit:done() then error(("shutdown hook did not end within %g s"):format(timeout), 2) end
  end
  local old, mask, count = debug.gethook()
  debug.sethook(look, "", INTERVAL)
  local ok, traceback = xpcall(hook.run, debug.traceback, table.unpack(hook.args, 1, hook.args.n))
  debug.sethook(old, mask, count)
  return ok, traceback
end

---Runs the hooks, each of them once however often this is called.
---@param timeout number seconds for all of them
function Hooks:run(timeout)
  local limit = core.context(nil, timeout)
  while #self.list > 0 do
    local hook = table.remove(self.list)
    local ok, traceback = within(limit, timeout, hook)
    if not ok then self.complain("shutdown hook failed", { traceback = tostring(traceback) }) end
  end
end

return Hooks
