-- chief's own options: what may be given for a chief, a worker, a channel and a log. An app file and the calls of
-- `require "chief"` are checked by the same tables, so that both say the same about the same mistake.
local core = require "chief.core"
local Problems = require "chief.problems"
local schedule = require "chief.schedule"
local schema = require "chief.schema"

local options = {}

local function set(...)
  local result = {}
  for _, name in ipairs({ ... }) do result[name] = true end
  return result
end

local seconds = schema.number("a number of seconds", 0)

local RESTART_DELAY, RESTART_MAX_DELAY = 0.1, 30
local MOST_RESTARTS = 65536

local policy = schema.choice({ "never", "on_failure", "always" })

local restart_table = schema.record('{ policy = "on_failure", delay = 0.1 }', {
  policy = policy,
  delay = seconds,
  factor = schema.number("a number", 1),
  max_delay = seconds,
  jitter = schema.number("a share", 0, 1),
  max_restarts = schema.integer("a number of restarts", 0, MOST_RESTARTS),
  window = seconds,
  isolate_after = schema.integer("a number of failures by force", 1),
})

local function check_restart_table(value, key, problems)
  local before = #problems
  local restart = restart_table(value, key, problems)
  if #problems > before then return nil end
  local delay, most = restart.delay or RESTART_DELAY, restart.max_delay or RESTART_MAX_DELAY
  if delay > most then
    local given = restart.max_delay and "" or ", its default"
    local message = ("should be at most max_delay (%g s%s), got %g"):format(most, given, delay)
    problems:add(Problems.join(key, "delay"), message)
  end
  if restart.window and not restart.max_restarts then
    problems:add(Problems.join(key, "window"), "limits nothing without max_restarts: say how many restarts in it")
  end
  restart.policy = restart.policy or "on_failure"
  return restart
end

---How a worker is restarted: a word, or a table which then has a policy.
---@type chief.Check
options.restart = schema.by_type('"never", "on_failure", "always" or a table such as { delay = 0.1 }', {
  string = function(value, key, problems)
    local word = policy(value, key, problems)
    return word and { policy = word }
  end,
  table = check_restart_table,
})

local function check_module_name(value, key, problems)
  if value:find("^[^%s./][^%s/]*$") and not value:find("%.lua$") then return value end
  local name = value:gsub("%.lua$", ""):gsub("^%./", ""):gsub("/", ".")
  local such = name:find("^[^%s.]") and name or "workers.api"
  problems:add(key, ('should be the name of a module, as for require, such as "%s", got %s'):format(such,
    schema.describe(value)))
end

local function check_function(value, key, problems)
  local ok, found = pcall(core.function_spec, value)
  if ok then return value end
  problems:add(key, (tostring(found):gsub("^[^\n]-:%d+: ", "")))
end

local function refuse_table(_, key, problems)
  problems:add(key, 'is a table: give the module\'s name, such as "workers.api"; each worker loads it in its own state')
end

---What runs: the name of a module, or a function that captures nothing.
---@type chief.Check
options.module = schema.by_type("the name of a module, or a function", {
  string = check_module_name,
  ["function"] = check_function,
  table = refuse_table,
})

local function check_policy_name(value, key, problems)
  local module, name = value:match("^([^%s/]+)%.([%a_][%w_]*)$")
  if module then return { module = module, name = name } end
  problems:add(key, ('should be a module and its function, such as "policies.patient", got %s'):format(
    schema.describe(value)))
end

local function check_policy_function(value, key, problems)
  return check_function(value, key, problems) and core.function_spec(value)
end

---What follows a worker's end: a function that captures nothing, or its name in a module.
---@type chief.Check
options.on_exit = schema.by_type('a function, or a module and its function such as "policies.patient"', {
  string = check_policy_name,
  ["function"] = check_policy_function,
})

-- Values that MessagePack cannot carry are named with their path by the core.
local function check_args(value, key, problems)
  local ok, reason = pcall(core.pack, value)
  if ok then return value end
  problems:add(key, reason:match("^bad argument #1 to '[^']*' %((.*)%)$") or reason)
end

---Where a worker runs.
---@type chief.Check
options.isolation = schema.choice({ "thread", "fiber", "process" })

options.PLUGIN_IN_FIBER = '"fiber" is for workers in Lua; a plug-in runs in a "thread" or a "process"'

local SIZE = 'a number of bytes, or a size such as "512MB"'
local UMASK = 'a number as chmod takes it, such as "027"'

local function check_umask(value, key, problems)
  local mask = type(value) == "string" and value:find("^[0-7]+$") and tonumber(value, 8)
  if mask and mask <= tonumber("777", 8) then return mask end
  schema.refuse(value, key, problems, UMASK)
end

local function check_variable(name, value, key, problems)
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") then
    problems:add(key, ("should be a variable's name and its value, such as TZ = \"UTC\", got %s as a name"):format(
      schema.describe(name)))
  elseif type(value) ~= "string" or value:find("\0") then
    schema.refuse(value, Problems.join(key, name), problems, "a string without a NUL")
  else
    return name .. "=" .. value
  end
end

local function check_env(value, key, problems)
  if type(value) ~= "table" then return schema.refuse(value, key, problems, 'a table such as { TZ = "UTC" }') end
  local list = {}
  for _, name in ipairs(schema.sorted_keys(value)) do
    list[#list + 1] = check_variable(name, value[name], key, problems)
  end
  return list
end

local text = schema.type("string", "a string")

---How the process of a worker is started, where it has one. 0 as a limit allows none at all.
---@type chief.Check
options.process = schema.record('{ memory = "512MB", user = "nobody" }', {
  cwd = text,
  user = text,
  group = text,
  umask = check_umask,
  env = check_env,
  memory = schema.size(SIZE),
  cpu = schema.integer("a number of seconds", 0),
  files = schema.integer("a number of descriptors", 0),
  file_size = schema.size(SIZE),
  processes = schema.integer("a number of processes", 0),
  core = schema.size(SIZE),
})

local LEAST_MEMORY = 65536
local LEAST_WATCHDOG = 0.01

-- What the application sets for all of its workers, one of them may be free of.
local function or_false(check)
  return function(value, key, problems)
    if value == false then return false end
    return check(value, key, problems)
  end
end

-- What a Lua worker may have at most.
local limits = {
  memory_limit = or_false(schema.size('a number of bytes, or a size such as "64MB", 64 KB or more, or false for none',
    LEAST_MEMORY)),
  watchdog = or_false(schema.number("false for none, or a number of seconds", LEAST_WATCHDOG)),
}

local libraries = schema.choice({ "lazy", "eager" })

---What is said of a process, of a worker that has none.
---@type chief.Check
function options.no_process(value, key, problems)
  local moves = value.on_exit or (type(value.restart) == "table" and value.restart.isolate_after)
  if value.process and not moves then
    problems:add(Problems.join(key, "process"), 'is for workers in processes: say isolation = "process" as well')
  end
end

local worker_fields = {
  args = check_args,
  after = schema.names("workers' names", schema.worker_name),
  sends = schema.names("channels' names"),
  receives = schema.names("channels' names"),
  restart = options.restart,
  on_exit = options.on_exit,
  ready = schema.choice({ "explicit" }),
  isolation = options.isolation,
  libraries = libraries,
  process = options.process,
  grace = seconds,
  start_timeout = seconds,
  count = schema.integer("a number of replicas", 1, 65535),
  critical = schema.boolean,
  no_restart_codes = schema.list("exit codes such as { 2 }", schema.integer("an exit code", 1, 255)),
}

for name, check in pairs(schedule.fields) do worker_fields[name] = check end
for name, check in pairs(limits) do worker_fields[name] = check end

local function with(fields, more)
  local result = {}
  for name, check in pairs(fields) do result[name] = check end
  for name, check in pairs(more) do result[name] = check end
  return result
end

-- What is right field by field may still not go together.
local function together(record)
  return function(value, key, problems)
    local result = record(value, key, problems)
    if result then schedule.check(value, key, problems) end
    return result
  end
end

---The third argument of add_worker.
---@type chief.Check
options.worker = together(schema.record('{ restart = "on_failure" }', worker_fields))

---The app file of an application inside another.
---@type chief.Check
function options.nested_app(value, key, problems)
  if type(value) == "string" and value ~= "" then return value end
  schema.refuse(value, key, problems, 'the path of an app file, such as "shop/app.lua"')
end

local nested_fields = {}
for _, name in ipairs({ "after", "restart", "on_exit", "grace", "start_timeout", "critical", "count",
  "no_restart_codes" }) do
  nested_fields[name] = worker_fields[name]
end

---The third argument of add_chief.
---@type chief.Check
options.nested = schema.record('{ restart = "on_failure" }', nested_fields)

-- What an application inside another can't have: it has it in its own app file.
local function nested_only(value, key, problems)
  for _, name in ipairs(schema.sorted_keys(value)) do
    if name ~= "app" and name ~= "name" and not nested_fields[name] and worker_fields[name] then
      problems:add(Problems.join(key, name), "is not for an application inside another: its own file says that")
    end
  end
end

local entry_fields = with(worker_fields, {
  module = options.module,
  app = options.nested_app,
  native = schema.type("string", 'the name or path of a C plug-in, such as "native/resizer.so"'),
})

---Only a Lua worker has an allocator and calls that are ours.
---@type chief.Check
function options.plugin_limits(value, key, problems)
  for _, name in ipairs({ "libraries", "memory_limit", "watchdog" }) do
    if value[name] then problems:add(Problems.join(key, name), "is for workers in Lua, not for plug-ins") end
  end
end

local function check_entry(plain)
  local record = together(plain)
  return function(value, key, problems)
    local entry = record(value, key, problems)
    if not entry then return nil end
    local said = {}
    for _, name in ipairs({ "module", "native", "app" }) do
      if value[name] ~= nil then said[#said + 1] = name end
    end
    if #said == 0 then
      problems:add(Problems.join(key, "module"), 'is missing: say what runs, such as module = "workers.api"')
    elseif #said > 1 then
      problems:add(key, ("has both %s and %s: a worker runs one of them"):format(said[1], said[2]))
    end
    if value.app ~= nil then nested_only(value, key, problems) end
    if value.native ~= nil then options.plugin_limits(value, key, problems) end
    return entry
  end
end

local ENTRY = '{ module = "workers.api" }'

---A worker of an app file: its options and what runs.
---@type chief.Check
options.entry = check_entry(schema.record(ENTRY, entry_fields))

---The same in the list form, where the entry has the name.
---@type chief.Check
options.named_entry = check_entry(schema.record('{ name = "api", module = "workers.api" }', with(entry_fields, {
  name = { schema.name, required = 'in a list each worker says its name, such as name = "api"' },
})))

---A group of workers that are restarted together, in the order they are listed.
---@type chief.Check
options.group = schema.record('{ policy = "rest_for_one", workers = { "db", "api" } }', {
  policy = { schema.choice({ "one_for_one", "one_for_all", "rest_for_one" }),
    required = 'say who is restarted along with one that failed, such as policy = "rest_for_one"' },
  workers = { function(value, key, problems)
    local names = schema.names("workers' names", schema.worker_name)(value, key, problems)
    if names and #value == 0 then problems:add(key, 'lists no worker, say workers = { "db", "api" }') end
    return names
  end, required = 'say which, in their order, such as workers = { "db", "api" }' },
})

local UINT32_MAX = 4294967295

---@type chief.Check
options.channel = schema.record("{ capacity = 64 }", {
  capacity = schema.integer("a number of messages", 1, UINT32_MAX),
  overflow = schema.choice({ "block", "drop_oldest", "fail" }),
  delivery = schema.choice({ "at_most_once", "at_least_once" }),
  max_deliveries = schema.integer("a number of deliveries (0: no limit)", 0, UINT32_MAX),
  max_message = schema.integer("a number of bytes", 1),
  dead = schema.name,
}, set("transport", "durable"))

---A least level, of a log or of the events.
---@type chief.Check
options.level = schema.choice({ "debug", "info", "warn", "error", "off" })

---@type chief.Check
options.log = schema.record('{ level = "info", format = "text" }', {
  level = options.level,
  format = schema.choice({ "text", "json" }),
})

local function check_any(value) return value end

local function check_text(example)
  return function(value, key, problems)
    if type(value) == "string" and value ~= "" then return value end
    schema.refuse(value, key, problems, ('a text such as "%s"'):format(example))
  end
end

local chief_fields = {
  name = schema.name,
  force_stop_timeout = seconds,
  init_timeout = seconds,
  hook_timeout = seconds,
  force_time = seconds,
  fiber_threads = schema.integer("a number of threads", 1, 1024),
  require_names = schema.boolean,
  restart_budget = schema.record("{ max_restarts = 100, window = 60 }", {
    max_restarts = { schema.integer("a number of restarts", 0, MOST_RESTARTS),
      required = "say how many restarts all workers together may have" },
    window = seconds,
  }),
  info = schema.record('{ version = "1.2.3" }', {
    version = check_text("1.2.3"),
    build = check_text("5f3c2a1"),
    tag = check_text("staging"),
  }),
}

---The argument of chief.new. `log` may also be a logger that the program made.
---@type chief.Check
options.chief = schema.record('{ name = "my-app" }', with(chief_fields, {
  exit_when_done = schema.boolean,
  seed = schema.integer("a whole number"),
  event_capacity = schema.integer("a number of events", 1, UINT32_MAX),
  event_level = options.level,
  log = schema.by_type('a logger or a table such as { level = "info" }',
    { table = options.log, userdata = check_any }),
}))

local app_later = set("transports", "control")

---The table an app file returns. Its workers and channels are looked at by chief.app, since they hang together.
---@type chief.Check
options.app = schema.record("{ name = …, workers = { … } }", with(chief_fields, {
  isolation = options.isolation,
  libraries = libraries,
  memory_limit = limits.memory_limit,
  watchdog = limits.watchdog,
  workers = { check_any, required = 'say what runs, such as workers = { api = { module = "workers.api" } }' },
  channels = check_any,
  groups = check_any,
  keep = schema.boolean,
  log = options.log,
  on_shutdown = schema.type("function", "a function"),
}), app_later)

---The argument of events.
---@type chief.Check
options.events = schema.record('{ level = "warn" }', { level = options.level, timeout = seconds })

---What is wrong with a value.
---@param check chief.Check
---@param value any
---@return chief.Problems
function options.mistakes(check, value)
  local problems = Problems.new()
  check(value, "", problems)
  return problems
end

---Checks what a program gives; a mistake is an error at the caller's caller.
---@param check chief.Check
---@param value any
---@param where string the call, for the message
---@param level integer? whose mistake it is, as for error; 3: the caller's caller
function options.demand(check, value, where, level)
  local problems = Problems.new(where)
  local result = check(value, "", problems)
  if #problems > 0 then error(problems:text(), level or 3) end
  return result
end

return options
