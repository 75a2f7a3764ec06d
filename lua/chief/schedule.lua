-- When a worker runs that does not run all the time: `every` so many seconds, or at the times a cron expression names.
local core = require "chief.core"
local Problems = require "chief.problems"
local schema = require "chief.schema"

local schedule = {}

-- Any expression and any zone, to check the other of the two.
local SOME_CRON, SOME_ZONE = "* * * * *", "UTC"

local function check_cron(value, key, problems)
  if type(value) ~= "string" then
    return schema.refuse(value, key, problems, 'a cron expression such as "30 2 * * mon-fri" or "@daily"')
  end
  local times, message = core.cron_times(value, SOME_ZONE, 0, 0)
  if times then return value end
  problems:add(key, message)
end

local function check_zone(value, key, problems)
  if type(value) ~= "string" then return schema.refuse(value, key, problems, 'a time zone such as "Europe/Berlin"') end
  local times, message = core.cron_times(SOME_CRON, value, 0, 0)
  if times then return value end
  problems:add(key, message)
end

---The fields of a worker's options that say when it runs.
---@type table<string, chief.Check>
schedule.fields = {
  every = schema.number("a number of seconds", 0.001),
  first = schema.choice({ "now", "later" }),
  cron = check_cron,
  tz = check_zone,
}

---What is wrong about the fields together.
---@param given table
---@param key string
---@param problems chief.Problems
function schedule.check(given, key, problems)
  local function add(field, message) problems:add(Problems.join(key, field), message) end
  if given.every ~= nil and given.cron ~= nil then
    add("cron", "is beside every: a worker runs by one of them")
  end
  if given.first ~= nil and given.every == nil then add("first", "says when `every` begins, and there is no every") end
  if given.tz ~= nil and given.cron == nil then add("tz", "says where `cron` is meant, and there is no cron") end
end

---What a person is shown: nil for a worker that runs all the time.
---@param options table checked
---@param from number? seconds since 1970; now
---@return { every: number?, first: string?, cron: string?, tz: string?, next: string[]? }?
function schedule.describe(options, from)
  if options.every then return { every = options.every, first = options.first or "now" } end
  if not options.cron then return nil end
  local found, next_times = core.cron_times(options.cron, options.tz, from) or {}, {}
  for i, each in ipairs(found) do next_times[i] = each.text end
  return { cron = options.cron, tz = options.tz, next = next_times }
end

---@param of table what describe returned
---@return string
function schedule.text(of)
  if of.every then
    return ("every %g s, first %s"):format(of.every, of.first == "later" and "after that" or "at once")
  end
  return ("at %s %s"):format(of.cron, of.tz and "in " .. of.tz or "in the system's time zone")
end

return schedule
