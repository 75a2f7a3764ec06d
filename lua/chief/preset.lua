-- Ready-made ways to say what runs: what chief.job, chief.cron and chief.func return. Such a table stands in an app
-- file like any other worker, and goes to add_worker in the place of a module.
local options = require "chief.options"
local schema = require "chief.schema"

local preset = {}

---@class chief.Preset: chief.AppEntry
local Preset = { __name = "chief.preset" }

-- The entry of what a person gave for a call, where `run` says what runs.
local function make(given, where, level)
  local entry = {}
  for key, value in pairs(given) do entry[key] = value end
  entry.module, entry.run = entry.run, nil
  options.demand(options.entry, entry, where, level + 1)
  return setmetatable(entry, Preset)
end

local function check_table(given, where, example, level)
  if type(given) ~= "table" then
    error(("%s: should be a table such as %s, got %s"):format(where, example, schema.describe(given)), level + 1)
  end
  if given.run == nil then
    error(("%s: run: is missing: say what runs, such as run = \"workers.sweep\""):format(where), level + 1)
  end
end

---A worker that runs every so many seconds, one run after the other.
---@param given chief.Job
---@return chief.Preset
function preset.job(given)
  check_table(given, "chief.job", '{ every = 5, run = "workers.sweep" }', 2)
  if given.every == nil then error("chief.job: every: is missing: say how many seconds, such as every = 5", 2) end
  return make(given, "chief.job", 2)
end

---A worker that runs at the times a cron expression names, one run after the other.
---@param given chief.Cron
---@return chief.Preset
function preset.cron(given)
  check_table(given, "chief.cron", '{ cron = "30 2 * * *", run = "workers.report" }', 2)
  if given.cron == nil then error('chief.cron: cron: is missing: say when, such as cron = "@daily"', 2) end
  return make(given, "chief.cron", 2)
end

---A function as a worker. It may capture no local, since it runs in a state of its own.
---@param run fun(ctx: chief.Ctx): any
---@param given chief.WorkerOptions?
---@return chief.Preset
function preset.func(run, given)
  if type(run) ~= "function" then
    error("chief.func: should be a function, got " .. schema.describe(run), 2)
  end
  local entry = { run = run }
  for key, value in pairs(given or {}) do entry[key] = value end
  return make(entry, "chief.func", 2)
end

---@param value any
---@return boolean
function preset.is(value) return getmetatable(value) == Preset end

---What runs and its options, those given beside it standing above the preset's.
---@param value chief.Preset
---@param given table?
---@return string|function module
---@return table options
function preset.split(value, given)
  local result = {}
  for key, field in pairs(value) do result[key] = field end
  for key, field in pairs(given or {}) do result[key] = field end
  result.module = nil
  return value.module, result
end

return preset
