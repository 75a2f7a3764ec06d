-- The chief as a Lua program sees it: chief.core's, with checked options, handlers for its events and shutdown hooks.
local core = require "chief.core"
local Handlers = require "chief.handlers"
local Hooks = require "chief.hooks"
local locker = require "chief.locker"
local options = require "chief.options"
local preset = require "chief.preset"
local replicas = require "chief.replicas"
local schema = require "chief.schema"
local spec = require "chief.spec"

-- How many events are taken at once.
local BATCH = 64
local HOOK_TIMEOUT = 5

---@class chief.Chief
---@field private _core userdata
---@field private _log userdata?
---@field private _handlers chief.Handlers
---@field private _hooks chief.Hooks
---@field private _hook_timeout number
---@field private _locker function?
local Chief = { __name = "chief" }
Chief.__index = Chief

---A chief without workers.
---@param given chief.Options?
---@return chief.Chief
function Chief.new(given)
  local settings = options.demand(options.chief, given == nil and {} or given, "chief.new")
  if type(settings.log) == "table" then settings.log = core.log(settings.log) end
  local self = setmetatable({}, Chief)
  self._core = assert(core.chief(settings))
  self._log = settings.log
  self._hook_timeout = settings.hook_timeout or HOOK_TIMEOUT
  local function complain(message, fields) self:log():error(message, fields) end
  self._handlers, self._hooks = Handlers.new(complain), Hooks.new(complain)
  return self
end

---The logger that the chief was given, else one to stderr.
function Chief:log()
  self._log = self._log or core.log({}):with_field("service", "worker-chief")
  return self._log
end

-- What is raised here, as by options.demand, is the mistake of who called the method.
local function is_plugin(module, where)
  if type(module) ~= "table" or module.native == nil then return false end
  if type(module.native) == "string" then return true end
  error(where .. ": native: should be the path of a C plug-in, got " .. schema.describe(module.native), 3)
end

---Adds a worker; while the chief runs it is started as its dependencies allow.
---@param name string
---@param module string|function|{native: string}|chief.Preset a module's name, a function that captures nothing, a C
---plug-in, or what chief.job, chief.cron or chief.func made
---@param given chief.WorkerOptions?
---@return true? ok
---@return string? message
---@return string? code
function Chief:add_worker(name, module, given)
  local where = ("add_worker(%s)"):format(schema.describe(name))
  options.demand(schema.name, name, where)
  if preset.is(module) then module, given = preset.split(module, given) end
  if not is_plugin(module, where) then options.demand(options.module, module, where) end
  local checked = options.demand(options.worker, given == nil and {} or given, where)
  if type(module) == "table" then options.demand(options.plugin_limits, checked, where) end
  if checked.isolation ~= "process" then options.demand(options.no_process, checked, where) end
  if checked.isolation == "fiber" and type(module) == "table" then
    error(("%s: isolation: %s"):format(where, options.PLUGIN_IN_FIBER), 2)
  end
  return self:add_checked(name, module, checked)
end

---Adds a worker whose options have been checked.
---@package
---@param name string
---@param module string|function|table
---@param checked table
---@param folder string? where its modules are looked for first
function Chief:add_checked(name, module, checked, folder)
  local ok
  local made, message, code = spec.worker(name, module, checked, folder)
  if made and made.app then ok, message, code = self._core:add_chief(name, made)
  elseif made then ok, message, code = self._core:add_worker(name, made) end
  if ok then return true end
  -- A program that does not look at the answer would run without the worker and never know.
  self:log():error("worker not added", { worker = name, error = message })
  return nil, message, code
end

Chief.add = Chief.add_worker

---Adds an application as a worker: each of its lives is a chief of its own that runs the app file. It is ready when all
---inside are, fails as the application does, and its stop is the application's. Channels and mailboxes are its own.
---@param name string
---@param app string the path of its app file
---@param given chief.WorkerOptions? of those that a Lua worker has: after, restart, grace, start_timeout, critical,
---count, no_restart_codes
---@return true? ok
---@return string? message
---@return string? code
function Chief:add_chief(name, app, given)
  local where = ("add_chief(%s)"):format(schema.describe(name))
  options.demand(schema.name, name, where)
  options.demand(options.nested_app, app, where)
  local checked = options.demand(options.nested, given == nil and {} or given, where)
  return self:add_checked(name, { app = app }, checked)
end

---What a chief inside another one hands over to the worker that it is.
---@package
---@return userdata core
---@return function? hooks
function Chief:inside()
  local hooks = #self._hooks.list > 0 and function() self._hooks:run(self._hook_timeout) end or nil
  return self._core, hooks
end

---Adds a channel that every worker can ask for by its name.
---@param name string
---@param given chief.ChannelOptions?
---@return true? ok
---@return string? message
---@return string? code
function Chief:add_channel(name, given)
  local where = ("add_channel(%s)"):format(schema.describe(name))
  options.demand(schema.name, name, where)
  return self._core:add_channel(name, options.demand(options.channel, given == nil and {} or given, where))
end

---Makes a group of workers that are restarted together, in the order they are listed; before init_workers.
---@param name string
---@param given chief.GroupOptions
---@return true? ok
---@return string? message
---@return string? code
function Chief:add_group(name, given)
  local where = ("add_group(%s)"):format(schema.describe(name))
  options.demand(schema.name, name, where)
  local checked = options.demand(options.group, given, where)
  return self._core:add_group(name, checked.policy, checked.workers)
end

---Enables some workers: all of them or, when a name is unknown, none. Names one by one or as one list.
---@param ... string|string[]
---@return true? ok
---@return string? message
---@return string? code
function Chief:enable_workers(...)
  local first = ...
  return self._core:enable_workers(type(first) == "table" and first or { ... })
end

---Whether every worker is enabled when none is named; on at first.
---@param on boolean? nil: on
function Chief:enable_by_default(on) return self._core:set_enable_by_default(on ~= false) end

---The limit of the whole stop.
---@param seconds number
function Chief:force_stop_timeout(seconds)
  options.demand(schema.number("a number of seconds", 0), seconds, "force_stop_timeout")
  return self._core:set_force_stop_timeout(seconds)
end

---Whether the chief ends by itself when nothing runs and nothing is scheduled.
---@param on boolean? nil: on
function Chief:exit_when_done(on) return self._core:set_exit_when_done(on ~= false) end

---The least level of the events that are kept, at any time: one below it takes no room and is not counted as dropped.
---@param level chief.Level "off" keeps none
function Chief:event_level(level)
  options.demand(options.level, level, "event_level")
  return self._core:set_event_level(level)
end

---Calls a handler for each event of a kind, of a level or above ("debug" to "error"), or for all ("*"), in the thread
---that waits in start, join or run_all.
---@param kind chief.EventKind|chief.Level|"*"
---@param handler fun(event: chief.Event)
---@return chief.Chief self
function Chief:on(kind, handler)
  self._handlers:add(kind, handler)
  return self
end

---Calls a function with these arguments after the last worker has stopped, in the thread that waits for that.
---@param hook function
---@return chief.Chief self
function Chief:on_shutdown(hook, ...)
  self._hooks:add(hook, ...)
  return self
end

---Runs the inits of the workers that wait for no other, and waits for them.
---@param log userdata? the logger for this application
---@return true? ok
---@return string? message
---@return string? code
function Chief:init_workers(log)
  self._log = log or self._log
  return self._core:init_workers(log)
end

---Lets the workers run, and returns.
---@param parent userdata? a context: when it is done, the chief stops
---@return true? ok
---@return string? message
---@return string? code
function Chief:launch(parent) return self._core:launch(parent) end

---Gives run_all something else to wait for than SIGTERM and SIGINT, which are not caught then: a function in the
---caller's own thread, whose return begins the graceful stop. While it waits in ctx:wait and ctx:sleep, events go to
---the handlers.
---@param fn (fun(ctx: chief.LockerCtx): any)? nil puts the signals back
---@return chief.Chief self
function Chief:set_locker(fn)
  if fn ~= nil and type(fn) ~= "function" then
    error("set_locker: should be a function, got " .. schema.describe(fn), 2)
  end
  self._locker = fn
  return self
end

-- Hands events to the handlers until none will come any more, which is said, or the limit is over.
local function spend(self, limit)
  local events, _, code
  repeat
    events, _, code = self._core:take_events(BATCH, limit and limit:remaining())
    if events then self._handlers:deliver(events) end
  until not events
  return code == "closed"
end

---Waits until the chief has stopped, and spends the wait handing events to the handlers.
---@param timeout number? seconds; nil: however long it takes
---@return true? ok nil also when a worker's last run had failed ("failed") or had to be abandoned ("timeout")
---@return string? message
---@return string? code
function Chief:join(timeout)
  local _, message, code = self._core:join(0)
  if code == "not_initialized" then return nil, message, code end
  local over = spend(self, timeout and core.context(nil, timeout))
  -- The last event comes a moment before the chief has stopped: then join does not wait for long.
  if timeout and not over and not self._core:has_stopped() then return nil, "still running", "timeout" end
  local ok
  ok, message, code = self._core:join()
  self._hooks:run(self._hook_timeout)
  if ok then return true end
  return nil, message, code
end

---With a worker's name: asks for that worker to be started. Else launches all and waits until the chief has stopped.
---@param parent userdata|string|nil
---@return true? ok
---@return string? message
---@return string? code
function Chief:start(parent)
  if type(parent) == "string" then return self._core:start_worker(parent) end
  local ok, message, code = self:launch(parent)
  if not ok then return nil, message, code end
  return self:join()
end

---Initialises and starts the workers named (none: as by default) and waits for the end, with these signals caught.
---@package
---@param names string[]
---@param signals table as catch_signals takes them
---@return true? ok
---@return string? message
---@return string? code
function Chief:run_with(names, signals)
  local ok, message, code = self._core:catch_signals(signals)
  if ok and #names > 0 then ok, message, code = self._core:enable_workers(names) end
  if ok then ok, message, code = self:init_workers() end
  if not ok then return nil, message, code end
  return self:start()
end

-- As run_with, with the locker instead of signals.
local function run_locked(self, names)
  local ok, message, code = self._core:catch_signals({})
  if ok and #names > 0 then ok, message, code = self._core:enable_workers(names) end
  if ok then ok, message, code = self:init_workers() end
  if ok then ok, message, code = self:launch() end
  if not ok then return nil, message, code end
  local function deliver() spend(self, core.context(nil, 0)) end
  local unlocked, why = locker.run(self._core, self._locker, deliver, self._hook_timeout)
  if not unlocked then self:log():error("locker failed", { error = why }) end
  self._core:stop_because(unlocked and "the locker returned" or "the locker failed")
  ok, message, code = self:join()
  if ok and not unlocked then return nil, "locker failed: " .. why, "failed" end
  return ok, message, code
end

---Runs until SIGTERM or SIGINT; a second one, 500 ms or more after the first, forces. With a locker it waits for that
---instead.
---@param ... string|{ locker: function? } the workers to run, one by one or as one list; none: as by default
---@return true? ok
---@return string? message
---@return string? code
function Chief:run_all(...)
  local first = ...
  local names = type(first) == "table" and first or { ... }
  if names.locker ~= nil then self:set_locker(names.locker) end
  local ok, message, code
  if self._locker then ok, message, code = run_locked(self, names)
  else ok, message, code = self:run_with(names, { stop = true }) end
  -- The last line of a main program is often os.exit(c:run_all() and 0 or 1), which would keep the reason to itself.
  if not ok and not self._core:has_stopped() then self:log():error("not started", { error = message }) end
  return ok, message, code
end

---With a name: asks for that worker to be stopped. Else asks for a graceful stop of everything.
---@param name string?
---@return true? ok
---@return string? message
---@return string? code
function Chief:stop(name)
  if name ~= nil then return self._core:stop_worker(name) end
  return self._core:stop()
end

---Asks for a worker to be stopped, if it runs, and started again.
---@param name string
function Chief:restart(name) return self._core:restart_worker(name) end

---Asks for a worker to be stopped and forgotten.
---@param name string
function Chief:remove(name) return self._core:remove_worker(name) end

---What is known of each worker, or of those that a name means, in registration order.
---@param name string? all of its replicas, where it has some
---@return chief.Status[]? statuses
---@return string? message
---@return string? code
function Chief:status(name)
  local statuses = self._core:states()
  if name == nil then return statuses end
  local meant, names = replicas.select(statuses, name)
  local ok, message, code = core.rule(names):validate { name }
  if not ok then return nil, message, code end
  return meant
end

---The state of each worker by its name, or of those that a name means.
---@param name string? all of its replicas, where it has some
---@return table<string, chief.State>? states
---@return string? message
---@return string? code
function Chief:states(name)
  local statuses, message, code = self:status(name)
  if not statuses then return nil, message, code end
  local states = {}
  for _, status in ipairs(statuses) do states[status.name] = status.state end
  return states
end

---The state of each worker inside one that is an application itself.
---@param name string
---@return table<string, chief.State>? states
---@return string? message
---@return string? code "would_block" while it does not live
function Chief:nested_states(name)
  local statuses, message, code = self._core:nested_states(name)
  if not statuses then return nil, message, code end
  local states = {}
  for _, status in ipairs(statuses) do states[status.name] = status.state end
  return states
end

---A value of the chief's context.
---@param key string
function Chief:value(key) return self._core:context():get(key) end

---Waits until a worker is in a state.
---@param name string
---@param state chief.State
---@param timeout number?
---@return true? ok
---@return string? message
---@return string? code
function Chief:wait(name, state, timeout) return self._core:wait_state(name, state, timeout) end

---The events that come, one after the other, for a loop of the program's own; ends after the last one. With a level
---only those from there on; what is to take no room is said by event_level.
---@param given number|{ level: chief.Level?, timeout: number? }|nil a number: how long to wait for each
---@return fun(): chief.Event?
function Chief:events(given)
  local asked = type(given) == "table" and options.demand(options.events, given, "events") or { timeout = given }
  local level = asked.level or "debug"
  local taken, next_one = {}, 1
  local function take(limit)
    if not taken[next_one] then
      taken, next_one = self._core:take_events(BATCH, limit and limit:remaining()) or {}, 1
    end
    next_one = next_one + 1
    return taken[next_one - 1]
  end
  return function()
    local limit = asked.timeout and core.context(nil, asked.timeout)
    local event
    repeat event = take(limit) until not event or Handlers.reaches(event, level)
    return event
  end
end

-- These are chief.core's as they are; types/chief.lua says what they take.
local SAME = { "channel", "enable_worker", "is_enabled", "force_stop", "start_worker", "stop_worker",
  "restart_worker", "remove_worker", "wait_ready", "states_json", "traceback", "info", "context", "add_value",
  "exit_code", "send", "call", "broadcast", "take_events", "events_dropped", "late_replies", "events_fd",
  "has_stopped", "catch_signals", "close" }

for _, method in ipairs(SAME) do
  Chief[method] = function(self, ...)
    local inner = self._core
    return inner[method](inner, ...)
  end
end

---The application's name.
---@return string
function Chief:name() return self._core:name() end

function Chief:__tostring() return "chief " .. self:name() end

-- The core's own finalizer would do; closing by hand makes `local c <close>` stop at the end of its block.
function Chief:__close() self._core:close() end

return Chief
