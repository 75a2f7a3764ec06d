-- A test of one's own policies: the app decides as it would, but nothing runs, and the clock moves when it is told to.
local core = require "chief.core"
local App = require "chief.app"
local options = require "chief.options"
local replicas = require "chief.replicas"
local schema = require "chief.schema"
local search = require "chief.search"

local SETTINGS = { "force_stop_timeout", "init_timeout", "force_time", "require_names", "restart_budget" }

---@class chief.Simulation
---@field private _core chief.core.Simulation
---@field private _events chief.Event[] all that were told
---@field private _taken integer how many of them were taken
local Simulation = { __name = "chief.simulation" }
Simulation.__index = Simulation

local module_says = schema.record("{ restart_on_fail = true }", {
  restart_on_fail = schema.boolean,
  ready = schema.boolean,
})

local function check_modules(value, key, problems)
  if type(value) ~= "table" then
    return schema.refuse(value, key, problems, "a table such as { api = { restart_on_fail = true } }")
  end
  local says = {}
  for _, name in ipairs(schema.sorted_keys(value)) do
    says[name] = module_says(value[name], key .. "." .. tostring(name), problems)
  end
  return says
end

local check_options = schema.record('{ seed = 1 }', {
  seed = schema.integer("a whole number"),
  workers = schema.names("workers' names", schema.worker_name),
  modules = check_modules,
})

-- What a worker's module says itself stands in for the module, which is not loaded.
local function with_module(given, says, folder)
  local result = {}
  for key, value in pairs(given) do result[key] = value end
  if says and says.restart_on_fail and not given.restart then result.restart = { policy = "on_failure" } end
  if says and says.ready then result.ready = "explicit" end
  result.args, result.isolation = nil, nil
  result.path = search.paths(folder)
  return result
end

local function check_known(modules, app)
  local known = {}
  for _, name in ipairs(app:names()) do known[name] = true end
  for name in pairs(modules or {}) do
    if not known[name] then
      return nil, ("modules: no worker is called %s"):format(schema.describe(name)), "not_found"
    end
  end
  return true
end

local function add_parts(inner, app, given)
  local ok, message, code = check_known(given.modules, app)
  for _, worker in ipairs(ok and app.workers or {}) do
    local says = (given.modules or {})[worker.name]
    ok, message, code = inner:add_worker(worker.name, with_module(worker.options, says, app.folder))
    if not ok then return nil, ("worker %s: %s"):format(worker.name, message), code end
  end
  for _, group in ipairs(ok and app.groups or {}) do
    ok, message, code = inner:add_group(group.name, group.options.policy, group.options.workers)
    if not ok then return nil, ("group %s: %s"):format(group.name, message), code end
  end
  if ok and given.workers then ok, message, code = inner:enable_workers(given.workers) end
  return ok, message, code
end

---The simulation of an application that has been written down.
---@param given string|table
---@param more chief.SimulationOptions?
---@return chief.Simulation? simulation
---@return string? message every mistake, one a line
---@return string? code
function Simulation.new(given, more)
  local asked = options.demand(check_options, more == nil and {} or more, "chief.simulate")
  local app, problems = App.read(given, "chief.simulate")
  if not app then return nil, problems:text(), "invalid" end
  local settings = { name = app.name, seed = asked.seed, exit_when_done = not app.settings.keep }
  for _, key in ipairs(SETTINGS) do settings[key] = app.settings[key] end
  local inner, ok, message, code
  inner, message, code = core.simulation(settings)
  if inner then ok, message, code = add_parts(inner, app, asked) end
  if not ok then return nil, message, code end
  return setmetatable({ _core = inner, _events = {}, _taken = 0 }, Simulation)
end

-- Takes what was told meanwhile, whatever became of the call.
local function listen(self)
  repeat
    local some = assert(self._core:take_events())
    table.move(some, 1, #some, #self._events + 1, self._events)
  until #some == 0
end

-- A test that asks for what cannot be is wrong itself: that is an error where it asks.
local function demand(self, method, ...)
  local ok, message = self._core[method](self._core, ...)
  listen(self)
  if not ok then error(("%s: %s"):format(method, message), 3) end
end

-- What a chief answers to a request is a part of what is tested.
local function request(self, method, name)
  options.demand(schema.worker_name, name, method)
  local ok, message, code = self._core[method](self._core, name)
  listen(self)
  if ok then return true end
  return nil, message, code
end

---Without a name: initialises and launches all. With one: asks for that worker to be started.
---@param name string?
---@return true? ok
---@return string? message
---@return string? code
function Simulation:start(name)
  if name ~= nil then return request(self, "start_worker", name) end
  local ok, message, code = self._core:start()
  listen(self)
  if ok then return true end
  return nil, message, code
end

---Without a name: asks for a graceful stop of everything. With one: asks for that worker to be stopped.
---@param name string?
---@return true? ok
---@return string? message
---@return string? code
function Simulation:stop(name)
  if name ~= nil then return request(self, "stop_worker", name) end
  demand(self, "stop")
  return true
end

---Asks for a worker to be stopped, if it runs, and started again.
---@param name string
---@return true? ok
---@return string? message
---@return string? code
function Simulation:restart(name) return request(self, "restart_worker", name) end

---Asks for a worker to be stopped and forgotten.
---@param name string
---@return true? ok
---@return string? message
---@return string? code
function Simulation:remove(name) return request(self, "remove_worker", name) end

---Adds a worker to the running app.
---@param name string
---@param given chief.WorkerOptions?
---@return true? ok
---@return string? message
---@return string? code
function Simulation:add_worker(name, given)
  local where = ("add_worker(%s)"):format(schema.describe(name))
  options.demand(schema.name, name, where)
  local checked = options.demand(options.worker, given == nil and {} or given, where)
  local ok, message, code = self._core:add_worker(name, with_module(checked))
  listen(self)
  if ok then return true end
  return nil, message, code
end

---Ends the graceful part of a stop: what still runs is forced now.
function Simulation:force_stop() demand(self, "force_stop") end

---A SIGTERM: the first one stops, another one 500 ms or more after it forces.
function Simulation:signal() demand(self, "signal") end

---Lets time pass, with all that falls due in it.
---@param seconds number
function Simulation:advance(seconds)
  options.demand(schema.number("a number of seconds"), seconds, "advance")
  demand(self, "advance", seconds)
end

---Lets time pass until something falls due by itself: a restart, the end of a grace …
---@return number? seconds how long that took; nil when nothing will
function Simulation:next()
  local due, now = self._core:deadline(), self._core:now()
  if not due then return nil end
  local left = math.max(0, due - now)
  demand(self, "advance", left)
  return math.floor(left * 1000 + 0.5) / 1000 -- without the noise of the difference
end

---Seconds since the simulation was made.
---@return number
function Simulation:now() return self._core:now() end

---When something falls due next by itself; nil when nothing will.
---@return number?
function Simulation:deadline() return self._core:deadline() end

---The worker's run fails.
---@param name string
---@param text string? the error
---@param reason chief.Reason? "error"
function Simulation:fail(name, text, reason) demand(self, "fail", name, text, reason) end

---The worker's run ends with an exit code, as a process does, or by os.exit.
---@param name string
---@param code integer 0: cleanly
function Simulation:exit(name, code)
  options.demand(schema.integer("an exit code"), code, "exit")
  if code == 0 then demand(self, "finish", name)
  else demand(self, "fail", name, nil, "error", code) end
end

---The worker's next inits fail.
---@param name string
---@param text string? the error
---@param times integer? 1
function Simulation:fail_init(name, text, times) demand(self, "fail_init", name, text, times) end

---The worker's run returns cleanly; the thread of an abandoned one ends after all.
---@param name string
function Simulation:finish(name) demand(self, "finish", name) end

---The worker says that it is ready, where it has ready = "explicit".
---@param name string
function Simulation:ready(name) demand(self, "ready", name) end

---How the worker takes it to be asked to stop: "obeys" at once, as at first; is "busy" until it is interrupted at the
---end of its grace; or is "stuck", and abandoned then.
---@param name string
---@param how "obeys"|"busy"|"stuck"
function Simulation:behave(name, how)
  options.demand(schema.choice({ "obeys", "busy", "stuck" }), how, "behave")
  demand(self, "behave", name, how)
end

---What is known of each worker, in registration order, or of those that a name means.
---@param name string? all of its replicas, where it has some
---@return chief.Status[]
function Simulation:status(name)
  local statuses = assert(self._core:states())
  if name == nil then return statuses end
  local meant, names = replicas.select(statuses, name)
  if #meant == 0 then options.demand(function(_, key, problems)
    local _, message = core.rule(names):validate({ tostring(name) })
    problems:add(key, message)
  end, name, "status") end
  return meant
end

---The state of each worker by its name.
---@return table<string, chief.State>
function Simulation:states()
  local states = {}
  for _, status in ipairs(self:status()) do states[status.name] = status.state end
  return states
end

---The state of a worker. Of several replicas: "run" when all run, else that of the first that does not.
---@param name string
---@return chief.State
function Simulation:state(name)
  local state
  for _, status in ipairs(self:status(name)) do
    state = status.state
    if state ~= "run" then break end
  end
  return state
end

---All that was told since the start, in the words of a chief's events; `time` is the simulation's.
---@return chief.Event[]
function Simulation:events() return table.move(self._events, 1, #self._events, 1, {}) end

---What was told since the last time.
---@return chief.Event[]
function Simulation:take()
  local taken = table.move(self._events, self._taken + 1, #self._events, 1, {})
  self._taken = #self._events
  return taken
end

---Whether the app has ended.
---@return boolean
function Simulation:has_stopped() return self._core:has_stopped() end

---With which code `chief run` ends; nil while it would go on.
---@return integer?
function Simulation:exit_code() return self._core:has_stopped() and self._core:exit_code() or nil end

function Simulation:__tostring() return ("%s at %g s"):format(Simulation.__name, self._core:now()) end

return Simulation
