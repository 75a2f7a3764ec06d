-- Who wants to hear which events. A handler that raises is told in the log and keeps nobody from hearing.
local suggest = require "chief.suggest"

local KINDS = { "abandoned", "forced", "given_up", "hook_timeout", "message_dropped", "note", "ready", "removed",
  "restart", "signal", "state", "stopped", "stopping", "wrong_state_change" }

local known = { ["*"] = true }
for _, kind in ipairs(KINDS) do known[kind] = true end

---@class chief.Handlers
---@field by_kind table<string, function[]>
---@field complain fun(message: string, fields: table)
local Handlers = {}
Handlers.__index = Handlers

---@param complain fun(message: string, fields: table) is told of a handler that raised
---@return chief.Handlers
function Handlers.new(complain) return setmetatable({ by_kind = {}, complain = complain }, Handlers) end

---@param kind string an event's kind, or "*" for all
---@param handler fun(event: chief.Event)
function Handlers:add(kind, handler)
  if not known[kind] then
    local hint = type(kind) == "string" and suggest.hint(kind, KINDS) or "; known: " .. table.concat(KINDS, ", ")
    error(("on: no event is called %s%s"):format(tostring(kind), hint), 3)
  end
  if type(handler) ~= "function" then error("on: the handler should be a function, got a " .. type(handler), 3) end
  self.by_kind[kind] = self.by_kind[kind] or {}
  table.insert(self.by_kind[kind], handler)
end

local function call_each(self, handlers, event)
  for _, handler in ipairs(handlers or {}) do
    local ok, traceback = xpcall(handler, debug.traceback, event)
    if not ok then self.complain("event handler failed", { event = event.kind, traceback = tostring(traceback) }) end
  end
end

---@param events chief.Event[]
function Handlers:deliver(events)
  for _, event in ipairs(events) do
    call_each(self, self.by_kind[event.kind], event)
    call_each(self, self.by_kind["*"], event)
  end
end

return Handlers
