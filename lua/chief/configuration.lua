-- The effective configuration of an application: what `chief check` shows, with every default filled in.
local core = require "chief.core"
local columns = require "chief.columns"
local graph = require "chief.graph"
local schedule = require "chief.schedule"

local WINDOW = 30
local RESTART = { delay = 0.1, factor = 2, max_delay = 30, jitter = 0.2 }
local CHANNEL = { capacity = 64, overflow = "block", delivery = "at_most_once", max_deliveries = 5,
  max_message = 16 * 1024 * 1024 }
local BUDGET_WINDOW = 60
local TIMEOUTS = { force_stop_timeout = 45, init_timeout = 30, hook_timeout = 5, force_time = 0.1 }
local START_TIMEOUT = 30

local function filled(given, defaults)
  local result = {}
  for key, value in pairs(defaults) do result[key] = value end
  for key, value in pairs(given or {}) do result[key] = value end
  return result
end

-- What the app file says, else what the module says, else never.
local function restart_of(worker)
  local given = worker.options.restart
  if given then
    local restart = given.policy == "never" and { policy = "never" } or filled(given, RESTART)
    if restart.max_restarts then restart.window = restart.window or WINDOW end
    restart.from = "app file"
    return restart
  end
  if worker.found and worker.found.restart_on_fail then
    local restart = filled({ policy = "on_failure" }, RESTART)
    restart.from = "module"
    return restart
  end
  -- A plug-in says it only when it is loaded, and loading is running its code.
  return { policy = worker.native and "plugin" or "never", from = worker.native and "plug-in" or "default" }
end

local function policy_of(on_exit)
  if not on_exit then return nil end
  return on_exit.module and ("%s.%s"):format(on_exit.module, on_exit.name) or "function"
end

local function runs(worker)
  if worker.native or worker.app then return worker.native or worker.app end
  return type(worker.module) == "string" and worker.module or "function"
end

local function levels_of(workers)
  local names, after = {}, {}
  for i, worker in ipairs(workers) do names[i], after[worker.name] = worker.name, worker:waits_for() end
  return graph.levels(names, after)
end

local function describe_worker(worker, level, chosen)
  local given, found = worker.options, worker.found or {}
  return {
    name = worker.name, runs = runs(worker), file = found.file, level = level, after = given.after or {},
    sends = given.sends or {}, receives = given.receives or {}, restart = restart_of(worker),
    ready = (given.ready or found.ready) and "explicit" or "run", isolation = given.isolation,
    process = given.process, grace = given.grace, start_timeout = given.start_timeout or START_TIMEOUT,
    count = #worker.names, replicas = #worker.names > 1 and worker:chosen(chosen) or nil,
    critical = given.critical or false, no_restart_codes = given.no_restart_codes or {},
    schedule = schedule.describe(given), memory_limit = given.memory_limit or nil, watchdog = given.watchdog or nil,
    libraries = given.libraries, on_exit = policy_of(given.on_exit),
  }
end

local function describe_channel(channel, senders, receivers)
  local result = filled(channel.options, CHANNEL)
  result.name, result.sends, result.receives = channel.name, senders[channel.name], receivers[channel.name]
  return result
end

local configuration = {}

---@param app chief.App
---@param chosen string[]? the workers that would run; none: all
---@return table
function configuration.of(app, chosen)
  local workers = app:select(chosen)
  local levels, senders, receivers = levels_of(workers), app:users("sends"), app:users("receives")
  local result = filled(app.settings, TIMEOUTS)
  result.on_shutdown, result.log = nil, filled(app.settings.log, { level = "info", format = "text" })
  result.file, result.name = app.file, app.name or "chief"
  result.keep, result.require_names = app.settings.keep or false, app.settings.require_names or false
  result.workers, result.channels, result.warnings = {}, {}, app:warnings(chosen)
  for i, worker in ipairs(workers) do result.workers[i] = describe_worker(worker, levels[worker.name], chosen) end
  for i, channel in ipairs(app.channels) do result.channels[i] = describe_channel(channel, senders, receivers) end
  result.groups = {}
  for i, group in ipairs(app.groups) do
    result.groups[i] = { name = group.name, policy = group.options.policy, workers = group.options.workers }
  end
  if result.restart_budget then result.restart_budget = filled(result.restart_budget, { window = BUDGET_WINDOW }) end
  return result
end

local function list(names) return #names > 0 and table.concat(names, ", ") or "-" end

local function limit_text(restart, codes)
  local text = ""
  if restart.max_restarts then
    text = (", %d in %g s at most"):format(restart.max_restarts, restart.window)
  end
  if restart.isolate_after then
    text = ("%s, in a process after %d by force"):format(text, restart.isolate_after)
  end
  return #codes > 0 and ("%s, not after exit code %s"):format(text, table.concat(codes, ", ")) or text
end

local function restart_text(restart, codes)
  if restart.policy == "never" then return "never" end
  if restart.policy == "plugin" then return "as the plug-in says" end
  local when = restart.policy == "always" and "always" or "on failure"
  local origin = restart.from == "module" and ", says the module" or ""
  local delays = ("after %g s, then ×%g up to %g s"):format(restart.delay, restart.factor, restart.max_delay)
  return ("%s, %s%s%s"):format(when, delays, limit_text(restart, codes), origin)
end

-- Workers in the order they start: by level, and in one level as they are registered.
local function in_order(workers)
  local ordered, place = table.move(workers, 1, #workers, 1, {}), {}
  for i, worker in ipairs(workers) do place[worker] = i end
  table.sort(ordered, function(a, b)
    if a.level ~= b.level then return a.level < b.level end
    return place[a] < place[b]
  end)
  return ordered
end

-- All of its replicas, or those that would run.
local function name_text(worker)
  if worker.count == 1 then return worker.name end
  if #worker.replicas == worker.count then return ("%s ×%d"):format(worker.name, worker.count) end
  return list(worker.replicas)
end

local function workers_text(workers)
  local rows = { { "LEVEL", "WORKER", "RUNS", "AFTER", "READY", "GRACE", "RESTART" } }
  for _, worker in ipairs(in_order(workers)) do
    local ready = worker.ready == "explicit" and "when it says so" or "when it runs"
    local grace = worker.grace and ("%g s"):format(worker.grace) or "its share"
    rows[#rows + 1] = { tostring(worker.level), name_text(worker), worker.runs, list(worker.after), ready, grace,
      (worker.on_exit and "on_exit, else " or "") .. restart_text(worker.restart, worker.no_restart_codes) }
  end
  return columns.render(rows)
end

local function bytes_text(bytes)
  for _, unit in ipairs({ { "MiB", 1024 * 1024 }, { "KiB", 1024 } }) do
    if bytes % unit[2] == 0 then return ("%d %s"):format(bytes // unit[2], unit[1]) end
  end
  return bytes .. " bytes"
end

-- How often a message is tried, and what becomes of it then.
local function fate_of(channel)
  if channel.delivery == "at_most_once" then return "1", "dropped" end
  if channel.max_deliveries == 0 then return "no limit", "-" end
  return tostring(channel.max_deliveries), channel.dead and "to " .. channel.dead or "dropped"
end

local function channels_text(channels)
  if #channels == 0 then return "" end
  local rows = {
    { "CHANNEL", "CAPACITY", "WHEN FULL", "DELIVERY", "TRIES", "THEN", "MESSAGE", "SENDERS", "RECEIVERS" },
  }
  for _, channel in ipairs(channels) do
    local tries, fate = fate_of(channel)
    rows[#rows + 1] = { channel.name, tostring(channel.capacity), channel.overflow, channel.delivery, tries, fate,
      bytes_text(channel.max_message), list(channel.sends), list(channel.receives) }
  end
  return "\n" .. columns.render(rows)
end

local function groups_text(groups)
  if #groups == 0 then return "" end
  local rows = { { "GROUP", "RESTARTS", "WORKERS" } }
  for _, group in ipairs(groups) do
    rows[#rows + 1] = { group.name, (group.policy:gsub("_", " ")), list(group.workers) }
  end
  return "\n" .. columns.render(rows)
end

local function budget_text(budget)
  if not budget then return "" end
  return ("more than %d restarts of all together in %g s end it with exit code 70\n"):format(budget.max_restarts,
    budget.window)
end

local function schedules_text(workers)
  local rows = { { "WORKER", "RUNS", "NEXT" } }
  for _, worker in ipairs(workers) do
    local when = worker.schedule
    if when then
      local first = when.first == "later" and ("%g s after the start"):format(when.every) or "at once"
      local next_times = when.next or { first }
      rows[#rows + 1] = { worker.name, schedule.text(when), next_times[1] or "-" }
      for i = 2, #next_times do rows[#rows + 1] = { "", "", next_times[i] } end
    end
  end
  return #rows > 1 and "\n" .. columns.render(rows) or ""
end

local function limits_text(workers)
  local rows = { { "WORKER", "MEMORY", "WATCHDOG" } }
  for _, worker in ipairs(workers) do
    local memory, watchdog = worker.memory_limit, worker.watchdog
    if memory or watchdog then
      rows[#rows + 1] = { name_text(worker), memory and bytes_text(memory) or "-",
        watchdog and ("%g s"):format(watchdog) or "-" }
    end
  end
  return #rows > 1 and "\n" .. columns.render(rows) or ""
end

local function summary_text(workers)
  local by_policy = { never = {}, on_failure = {}, always = {}, plugin = {} }
  for _, worker in ipairs(workers) do table.insert(by_policy[worker.restart.policy], worker.name) end
  local rows, critical = {}, {}
  for _, worker in ipairs(workers) do if worker.critical then critical[#critical + 1] = worker.name end end
  if #critical > 0 then rows[1] = { "critical, given up ends all:", list(critical) } end
  for _, row in ipairs({ { "restarted after a failure:", "on_failure" }, { "restarted always:", "always" },
    { "restarted as the plug-in says:", "plugin" }, { "not restarted:", "never" } }) do
    local names = by_policy[row[2]]
    if #names > 0 then rows[#rows + 1] = { row[1], list(names) } end
  end
  local apart = {}
  for _, worker in ipairs(workers) do
    if worker.isolation == "process" then apart[#apart + 1] = worker.name end
  end
  if #apart > 0 then rows[#rows + 1] = { "in processes of their own:", list(apart) } end
  return columns.render(rows)
end

local function end_text(of)
  if of.keep then return "stays when nothing is left to run (keep)" end
  return "ends when nothing is left to run"
end

local function count(n, noun) return ("%d %s%s"):format(n, noun, n == 1 and "" or "s") end

-- «image-service 1.2.3 (build 5f3c2a1, tag staging)»
local function app_text(of)
  local info, more = of.info or {}, {}
  if info.build then more[#more + 1] = "build " .. info.build end
  if info.tag then more[#more + 1] = "tag " .. info.tag end
  local text = info.version and of.name .. " " .. info.version or of.name
  return #more > 0 and ("%s (%s)"):format(text, table.concat(more, ", ")) or text
end

---@param of table what configuration.of returned
---@return string
function configuration.text(of)
  local running = 0
  for _, worker in ipairs(of.workers) do running = running + #(worker.replicas or { worker.name }) end
  local workers, channels = count(running, "worker"), count(#of.channels, "channel")
  local parts = {
    ("%s: no mistakes; %s, %s, %s\n"):format(of.file, app_text(of), workers, channels),
    workers_text(of.workers), channels_text(of.channels) .. groups_text(of.groups) .. schedules_text(of.workers)
      .. limits_text(of.workers),
    summary_text(of.workers),
    budget_text(of.restart_budget) .. ("a stop takes %g s at most; %s%s\n"):format(of.force_stop_timeout, end_text(of),
      of.require_names and "; runs only workers that are named" or ""),
  }
  local text = ("%s\n%s%s\n%s%s"):format(table.unpack(parts))
  for _, warning in ipairs(of.warnings) do text = text .. "warning: " .. warning .. "\n" end
  return text
end

---@param of table
---@return string
function configuration.json(of)
  local copy = { ok = true }
  for key, value in pairs(of) do copy[key] = value end
  return core.json_encode(copy) .. "\n"
end

return configuration
