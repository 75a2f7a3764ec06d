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

-- A hook runs in a coroutine, so that what interrupts it ends with it. Once the limit is over each instruction raises,
-- so that no loop around a pcall outlives it.
local function within(limit, timeout, hook)
  local function look()
    if not limit:done() then return end
    debug.sethook(look, "", 1)
    error(("shutdown hook did not end within %g s"):format(timeout), 2)
  end
  local running = coroutine.create(hook.run)
  debug.sethook(running, look, "", INTERVAL)
  local ok, raised = coroutine.resume(running, table.unpack(hook.args, 1, hook.args.n))
  if ok and coroutine.status(running) == "suspended" then ok, raised = false, "shutdown hook yielded" end
  if ok then return true end
  local traceback = debug.traceback(running, tostring(raised))
  debug.sethook(running)
  coroutine.close(running)
  return false, traceback
end

---Runs the hooks, each of them once however often this is called.
---@param timeout number seconds for all of them
function Hooks:run(timeout)
  local limit = core.context(nil, timeout)
  while #self.list > 0 do
    local hook = table.remove(self.list)
    local ok, traceback = within(limit, timeout, hook)
    if not ok then self.complain("shutdown hook failed", { traceback = traceback }) end
  end
end

return Hooks
