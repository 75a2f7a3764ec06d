-- What run_all waits for when a program sets a locker: a function in the caller's own thread, whose return begins the
-- graceful stop. While it waits through its ctx, events go to the handlers.
local core = require "chief.core"
local guarded = require "chief.guarded"

---What a locker is given. It is done, with the reason, when the chief begins to stop for another reason.
---@class chief.LockerCtx
---@field private _core userdata
---@field private _stop chief.core.Context
---@field private _deliver fun()
local Ctx = { __name = "chief.locker" }
Ctx.__index = Ctx

---@return boolean
function Ctx:done() return self._stop:done() end

---@return string?
function Ctx:reason() return self._stop:reason() end

---Readable from the moment it is done, for a loop of the program's own.
---@return integer fd
function Ctx:fd() return self._stop:fd() end

---A value of the chief's context.
---@param key string
function Ctx:value(key) return self._stop:get(key) end

---Waits until it is done; meanwhile events go to the handlers.
---@param timeout number? seconds
---@return true? done
---@return string? message
---@return string? code "timeout"
function Ctx:wait(timeout)
  local limit = timeout and core.context(nil, timeout)
  self._deliver()
  while not self._stop:done() do
    if limit and limit:done() then return nil, "timed out", "timeout" end
    self._core:wait_events(limit and limit:remaining())
    self._deliver()
  end
  return true
end

---Waits for so long; meanwhile events go to the handlers.
---@param seconds number
---@return true? slept nil when it is done
---@return string? message
---@return string? code "cancelled"
function Ctx:sleep(seconds)
  if self:wait(seconds) then return nil, self:reason(), "cancelled" end
  return true
end

function Ctx.__tostring() return "chief.locker" end

local locker = {}

-- Answers why the locker has to end: it was told that the chief has stopped and goes on for too long.
local function too_late(inner, patience)
  local limit
  return function()
    if not inner:has_stopped() then return nil end
    limit = limit or core.context(nil, patience)
    return limit:done() and ("locker did not end within %g s of the chief's end"):format(patience) or nil
  end
end

---Calls the locker and waits for its return.
---@param inner userdata chief.core's chief, launched
---@param fn fun(ctx: chief.LockerCtx): any
---@param deliver fun() hands the events that wait to their handlers
---@param patience number seconds that it may go on after the chief's end
---@return true? ok
---@return string? message with the traceback when it raised
function locker.run(inner, fn, deliver, patience)
  local ctx = setmetatable({ _core = inner, _stop = inner:stop_context(), _deliver = deliver }, Ctx)
  local ok, result, message = guarded.call(fn, table.pack(ctx), too_late(inner, patience), "locker")
  if not ok then return nil, result end
  if result == nil and message ~= nil or result == false then return nil, tostring(message or "it returned false") end
  return true
end

return locker
