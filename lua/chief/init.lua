-- `require "chief"`: runs a named set of workers, keeps them running, and stops them without losing work.
--
--   local chief = require "chief"
--   local c = chief.new { name = "my-app" }
--   c:add_worker("my-awesome-worker", "my_worker", { restart = "on_failure" })
--   os.exit(c:run_all() and 0 or 1)

-- Asked before the module in C is loaded, which fails there without saying why. These lines are read by every Lua.
if _VERSION ~= "Lua 5.4" then
  local jit = rawget(_G, "jit")
  error(("chief needs Lua 5.4, and this program's is %s; run `chief run app.lua` as a process of its own beside it")
    :format(jit and jit.version or _VERSION), 0)
end

local core = require "chief.core"

---@class chief
---@field version string
---@field state chief.core.state the states: to_string, validate, to_json, from_json, value, scan, transition, numbers
---@field rule fun(names: string[], message: string?): chief.core.Rule the worker-exists rule
---@field pool fun(): chief.core.Pool a registry of workers without a chief
---@field context fun(parent: chief.core.Context?, timeout: number?): chief.core.Context
---@field channel fun(name: string, options: chief.ChannelOptions?): chief.core.Channel a channel outside any chief
---@field map fun(t: table?): table a table that is sent as a map, also when it is empty
---@field pack fun(value: any): string a value as MessagePack
---@field unpack fun(bytes: string): any
local chief = {
  version = core.version, state = core.state, rule = core.rule, pool = core.pool, context = core.context,
  map = core.map, pack = core.pack, unpack = core.unpack,
}

---A chief without workers.
---@param options chief.Options?
---@return chief.Chief
function chief.new(options)
  return require("chief.chief").new(options)
end

---A worker that runs every so many seconds: chief.job{ every = 5, run = "workers.sweep" }.
---@param given chief.Job
---@return chief.Preset
function chief.job(given) return require("chief.preset").job(given) end

---A worker that runs at times: chief.cron{ cron = "30 2 * * *", tz = "Europe/Berlin", run = "workers.report" }.
---@param given chief.Cron
---@return chief.Preset
function chief.cron(given) return require("chief.preset").cron(given) end

---A function as a worker.
---@param run fun(ctx: chief.Ctx): any
---@param given chief.WorkerOptions?
---@return chief.Preset
function chief.func(run, given) return require("chief.preset").func(run, given) end

---The next times of a cron expression.
---@param cron string
---@param given { tz: string?, from: number?, n: integer? }? from: seconds since 1970, now; n: how many, 5
---@return { time: integer, text: string }[]? times
---@return string? message
---@return string? code
function chief.cron_times(cron, given)
  given = given or {}
  return core.cron_times(cron, given.tz, given.from, given.n)
end

---A logger: text for people, or JSON lines, to stderr.
---@param given chief.LogOptions?
---@return chief.core.Log
function chief.log(given)
  local options = require "chief.options"
  return core.log(options.demand(options.log, given == nil and {} or given, "chief.log"))
end

---A channel outside any chief, for programs and tests.
---@param name string
---@param given chief.ChannelOptions?
---@return chief.core.Channel
function chief.channel(name, given)
  local options = require "chief.options"
  return core.channel(name, options.demand(options.channel, given == nil and {} or given, "chief.channel"))
end

---The chief of an application: of an app file, or of a table as an app file returns it.
---@param app string|table
---@return chief.Chief? chief
---@return string? message every mistake, one a line
---@return string? code
function chief.load(app)
  return require("chief.build").load(app)
end

---A test of an application's policies: it decides as it would, but runs nothing, and its clock moves when it is told.
---@param app string|table as for chief.load; its modules are not loaded
---@param options chief.SimulationOptions?
---@return chief.Simulation? simulation
---@return string? message every mistake, one a line
---@return string? code
function chief.simulate(app, options)
  return require("chief.simulation").new(app, options)
end

return chief
