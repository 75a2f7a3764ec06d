-- Who wants to hear which events. A handler that raises is told in the log and keeps nobody from hearing.
local suggest = require "chief.suggest"

local KINDS = { "abandoned", "forced", "given_up", "hook_timeout", "message_dropped", "note", "ready", "removed",
  "restart", "signal", "state", "stopped", "stopping", "wrong_state_change" }

local LEVELS = { "debug", "info", "warn", "error" }

local known, words = { ["*"] = true }, {}
for _, kind in ipairs(KINDS) do
  known[kind] = true
  words[#words + 1] = kind
end
local rank = {}
for i, level in ipairs(LEVELS) do
  known[level], rank[level] = true, i
  words[#words + 1] = level
end

---@class chief.Handlers
---@field by_kind table<string, function[]> also by level and by "*"
---@field complain fun(message: string, fields: table)
local Handlers = {}
Handlers.__index = Handlers

---@param complain fun(message: string, fields: table) is told of a handler that raised
---@return chief.Handlers
function Handlers.new(complain) return setmetatable({ by_kind = {}, complain = complain }, Handlers) end

---Whether an event is of this level or above.
---@param event chief.Event
---@param level chief.Level
---@return boolean
function Handlers.reaches(event, level) return (rank[event.level] or 0) >= (rank[level] or math.huge) end

---@param kind string an event's kind, a level for all from there on, or "*" for all
---@param handler fun(event: chief.Event)
function Handlers:add(kind, handler)
  if not known[kind] then
    local hint = type(kind) == "string" and suggest.hint(kind, words) or "; known: " .. table.concat(words, ", ")
    error(("on: no event and no level is called %s%s"):format(tostring(kind), hint), 3)
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
    for _, level in ipairs(LEVELS) do
      if Handlers.reaches(event, level) then call_each(self, self.by_kind[level], event) end
    end
    call_each(self, self.by_kind["*"], event)
  end
end

return Handlers
