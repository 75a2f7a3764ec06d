-- An application as it is written down: what an app file says, checked as a whole.
local core = require "chief.core"
local Problems = require "chief.problems"
local graph = require "chief.graph"
local groups = require "chief.groups"
local options = require "chief.options"
local replicas = require "chief.replicas"
local schema = require "chief.schema"
local search = require "chief.search"
local source = require "chief.source"
local suggest = require "chief.suggest"

---@class chief.AppWorker
---@field name string
---@field key string where it stands in the file, "workers.api"
---@field module string|function|nil
---@field native string? the path of a C plug-in
---@field app string? the app file of an application inside this one
---@field found table? what chief.core saw in the module
---@field names string[] what its replicas are called; of a single one the name itself
---@field options table what add_worker takes

---@class chief.AppChannel
---@field name string
---@field key string
---@field options table

---@class chief.App
---@field file string?
---@field folder string? where its modules are looked for first
---@field name string?
---@field settings table the checked top level
---@field workers chief.AppWorker[] in registration order
---@field channels chief.AppChannel[] by name
---@field groups chief.AppGroup[] by name
local App = {}
App.__index = App

local Worker = {}
Worker.__index = Worker

---Those of its replicas that are meant by these names; without names all.
---@param names string[]?
---@return string[]
function Worker:chosen(names)
  if not names or #names == 0 then return self.names end
  local result = {}
  for _, full in ipairs(self.names) do
    for _, name in ipairs(names) do
      if replicas.means(name, full) then
        result[#result + 1] = full
        break
      end
    end
  end
  return result
end

---The workers in its `after`, without the numbers of replicas.
---@return string[]
function Worker:waits_for()
  local names = {}
  for i, name in ipairs(self.options.after or {}) do names[i] = replicas.split(name) end
  return names
end

local function add_worker(app, name, key, entry)
  local worker = setmetatable({ name = name, key = key, module = entry.module, native = entry.native,
    app = entry.app, options = entry },
    Worker)
  worker.names = replicas.names(name, entry.count)
  entry.name, entry.module, entry.native, entry.app = nil, nil, nil, nil
  app.workers[#app.workers + 1] = worker
end

local function read_map(app, workers, problems)
  for _, name in ipairs(schema.sorted_keys(workers)) do
    local key = Problems.join("workers", name)
    local entry = schema.name(name, key, problems) and options.entry(workers[name], key, problems)
    if entry then add_worker(app, name, key, entry) end
  end
end

local function read_list(app, workers, problems)
  local first = {}
  for i, given in ipairs(workers) do
    local key = Problems.join("workers", i)
    local entry = options.named_entry(given, key, problems)
    local name = entry and entry.name
    if name and first[name] then
      problems:add(Problems.join(key, "name"), ('"%s" is taken by %s; each worker needs a name of its own'):format(name,
        first[name]))
    elseif name then
      first[name] = key
      add_worker(app, name, key, entry)
    end
  end
end

local function shape_of(workers)
  local listed, named = false, false
  for key in pairs(workers) do
    if math.type(key) == "integer" then listed = true else named = true end
  end
  if listed and named then return "mixed" end
  return listed and "list" or named and "map" or "empty"
end

local function read_workers(app, workers, problems)
  if workers == nil then return end -- told as missing
  local example = 'such as workers = { api = { module = "workers.api" } }'
  if type(workers) ~= "table" then
    return schema.refuse(workers, "workers", problems, "a table of workers, " .. example)
  end
  local shape = shape_of(workers)
  if shape == "map" then return read_map(app, workers, problems) end
  if shape == "list" then return read_list(app, workers, problems) end
  local mixed = 'has both workers by name and a list: write all as api = { … }, or all as { name = "api", … }'
  problems:add("workers", shape == "mixed" and mixed or "names no worker: say what runs, " .. example)
end

local function read_channels(app, channels, problems)
  if channels == nil then return end
  if type(channels) ~= "table" then
    return schema.refuse(channels, "channels", problems, "a table such as { uploads = { capacity = 64 } }")
  end
  for _, name in ipairs(schema.sorted_keys(channels)) do
    local key = Problems.join("channels", name)
    local given = channels[name]
    if math.type(name) == "integer" then
      local such = type(given) == "string" and given or "uploads"
      problems:add(key, ("has no name: write %s = {}"):format(such))
    else
      local right = schema.name(name, key, problems) and options.channel(given, key, problems)
      app.channels[#app.channels + 1] = { name = name, key = key, options = right or {} }
    end
  end
end

local function names_of(list)
  local names, known = {}, {}
  for i, item in ipairs(list) do names[i], known[item.name] = item.name, item end
  return names, known
end

local function check_name(name, key, known, names, what, problems)
  if known[name] then return end
  local hint = #names > 0 and suggest.hint(name, names) or "; there is none"
  problems:add(key, ('no %s is called "%s"%s'):format(what, name, hint))
end

local function check_names(list, key, ...)
  for i, name in ipairs(list or {}) do check_name(name, Problems.join(key, i), ...) end
end

-- Of a worker that is right, `name/2` is known where it has two replicas.
local function check_replica(name, key, known, problems)
  local stem, number = replicas.split(name)
  local worker = known[stem]
  if not number or type(worker) ~= "table" or worker.names[number] == name then return stem end
  local there = #worker.names == 1 and "has no count, so it is alone" or
    ("has a count of %d"):format(#worker.names)
  problems:add(key, ('"%s" is none of the workers: %s %s'):format(name, stem, there))
  return stem
end

local function check_workers(list, key, known, names, problems)
  for i, name in ipairs(list or {}) do
    local at = Problems.join(key, i)
    check_name(check_replica(name, at, known, problems), at, known, names, "worker", problems)
  end
end

local function check_circles(app, names, problems)
  local after, known = {}, {}
  for _, worker in ipairs(app.workers) do
    after[worker.name], known[worker.name] = worker:waits_for(), worker
  end
  for _, circle in ipairs(graph.circles(names, after)) do
    local key = Problems.join(known[circle[1]].key, "after")
    problems:add(key, ("is a circle in which none could start: %s"):format(table.concat(circle, " → ")))
  end
  groups.check(app.groups, names, after, problems)
end

local function check_dead(app, names, known, problems)
  for _, channel in ipairs(app.channels) do
    local dead, key = channel.options.dead, Problems.join(channel.key, "dead")
    if dead == channel.name then
      problems:add(key, "names the channel itself: a dead message would come back for ever")
    elseif dead then
      check_name(dead, key, known, names, "channel", problems)
    end
  end
end

-- Where an entry was wrong its name still counts as known: what else it says is told when that is right.
local function known_workers(app, workers)
  local names, known = names_of(app.workers)
  for key, entry in pairs(type(workers) == "table" and workers or {}) do
    local name = type(key) == "string" and key or type(entry) == "table" and entry.name
    if type(name) == "string" and not known[name] then
      known[name] = true
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names, known
end

local function check_whole(app, given, problems)
  local channel_names, channels = names_of(app.channels)
  local worker_names, workers = known_workers(app, given.workers)
  for _, worker in ipairs(app.workers) do
    local function key(field) return Problems.join(worker.key, field) end
    check_workers(worker.options.after, key("after"), workers, worker_names, problems)
    check_names(worker.options.sends, key("sends"), channels, channel_names, "channel", problems)
    check_names(worker.options.receives, key("receives"), channels, channel_names, "channel", problems)
  end
  for _, group in ipairs(app.groups) do
    check_workers(group.options.workers, Problems.join(group.key, "workers"), workers, worker_names, problems)
  end
  check_circles(app, worker_names, problems)
  check_dead(app, channel_names, channels, problems)
end

-- Where each worker runs: as it says itself, else as its application does. Plug-ins have no fibers, and what is said
-- for all is no mistake for them.
local function settle_isolation(app, problems)
  for _, worker in ipairs(app.workers) do
    local own, general = worker.options.isolation, app.settings.isolation
    if worker.native and own == "fiber" then
      problems:add(Problems.join(worker.key, "isolation"), options.PLUGIN_IN_FIBER)
    end
    if worker.native and general == "fiber" then general = nil end
    if worker.app then
      worker.options.inside, general = app.inside, nil
    end
    worker.options.isolation = own or general or "thread"
    if worker.options.isolation ~= "process" then options.no_process(worker.options, worker.key, problems) end
  end
end

-- What the application sets for all, unless a worker says something else. Plug-ins have no such limits.
local function settle_limits(app)
  for _, worker in ipairs(app.workers) do
    for _, limit in ipairs({ "libraries", "memory_limit", "watchdog" }) do
      if not worker.native and not worker.app and worker.options[limit] == nil then
        worker.options[limit] = app.settings[limit]
      end
    end
  end
end

local function check_plugin(app, worker, problems)
  local path, message = search.plugin(worker.native, app.folder)
  if not path then return problems:add(Problems.join(worker.key, "native"), message) end
  worker.native = path
end

-- In a list of mistakes where it happened is enough: neither how it came there nor each folder that was looked in.
local function shorten(message)
  return (message:gsub("\nstack traceback:.*$", ""):gsub(":?\n\tno f[^\n]*", ""))
end

local function check_module(app, worker, problems)
  local path, cpath = search.paths(app.folder)
  local found, message = core.inspect({ module = worker.module, path = path, cpath = cpath })
  if not found then
    local missing = search.missing(worker.module, app.folder)
    return problems:add(Problems.join(worker.key, "module"), missing or shorten(message))
  end
  worker.found = found
end

local DEEPEST = 8
local depth = 0

-- An application inside this one is checked like this one; what is wrong there is told with its own file.
local function check_app(app, worker, problems)
  local path = worker.app
  if app.folder and path:sub(1, 1) ~= "/" then path = app.folder .. "/" .. path end
  worker.app = path
  local key = Problems.join(worker.key, "app")
  if depth >= DEEPEST then
    return problems:add(key, ("is inside another more than %d times: does it contain itself?"):format(DEEPEST))
  end
  depth = depth + 1
  local ok, _, found = pcall(App.load, path, app.inside)
  depth = depth - 1
  if not ok then error(_, 0) end
  for _, problem in ipairs(found) do problems[#problems + 1] = problem end
end

local function check_code(app, problems)
  for _, worker in ipairs(app.workers) do
    if problems:has(Problems.join(worker.key, "module")) or problems:has(Problems.join(worker.key, "native")) then
      goto next -- already known to be wrong
    end
    if worker.native then check_plugin(app, worker, problems)
    elseif worker.app then check_app(app, worker, problems)
    elseif type(worker.module) == "string" then check_module(app, worker, problems) end
    ::next::
  end
end

---Checks a table as an app file returns it.
---@param given table
---@param problems chief.Problems gets every mistake
---@param file string? the file it came from
---@param code boolean? false: what runs is not looked at
---@param inside string? where the workers of applications inside this one run, whatever their files say
---@return chief.App
function App.check(given, problems, file, code, inside)
  local folder = file and search.folder_of(file)
  local app = setmetatable({ file = file, folder = folder, inside = inside, workers = {}, channels = {} }, App)
  app.settings = options.app(given, "", problems) or {}
  app.name = app.settings.name
  read_channels(app, given.channels, problems)
  read_workers(app, given.workers, problems)
  app.groups = groups.read(given.groups, problems)
  check_whole(app, given, problems)
  settle_isolation(app, problems)
  settle_limits(app)
  if code ~= false then check_code(app, problems) end
  return app
end

-- A worker's entry without what it says of where it runs, as far as that is right.
local function elsewhere(entry, isolation)
  local copy = setmetatable({}, getmetatable(entry))
  for field, value in pairs(entry) do copy[field] = value end
  if #options.mistakes(options.isolation, entry.isolation) == 0 then copy.isolation = nil end
  if isolation ~= "process" and #options.mistakes(options.process, entry.process) == 0 then copy.process = nil end
  return copy
end

-- The same with another isolation; a mistake that stands in its place is still found by who looks at the file itself.
local function everywhere(given, isolation)
  local copy, workers = {}, given.workers
  for key, value in pairs(given) do copy[key] = value end
  copy.isolation = isolation
  if type(workers) ~= "table" then return copy end
  copy.workers = {}
  for key, entry in pairs(workers) do
    copy.workers[key] = entry
    if type(entry) == "table" then copy.workers[key] = elsewhere(entry, isolation) end
  end
  return copy
end

---The application in an app file, or every mistake in it.
---@param file string
---@param isolation string? where all of its workers run, whatever the file says
---@return chief.App? app
---@return chief.Problems problems
function App.load(file, isolation)
  local problems = Problems.new(file)
  local given = source.load(file, problems)
  local function read()
    return App.check(isolation and everywhere(given, isolation) or given, problems, file, nil, isolation)
  end
  local app = given and source.guard(problems, read)
  return #problems == 0 and app or nil, problems
end

---The application in a file, or of a table as an app file returns it, without a look at what its workers run; nil and
---the problems when there are mistakes in it.
---@param given string|table
---@param where string the call, for one who gives something else
---@return chief.App? app
---@return chief.Problems problems
function App.read(given, where)
  local file = type(given) == "string" and given or nil
  if not file and type(given) ~= "table" then
    error(("%s: should be the path of an app file or a table, got a %s"):format(where, type(given)), 3)
  end
  local problems = Problems.new(file)
  if file then given = source.load(file, problems) end
  local app = given and App.check(given, problems, file, false)
  return #problems == 0 and app or nil, problems
end

---Its workers' names, in registration order.
---@return string[]
function App:names() return (names_of(self.workers)) end

---The same with each replica.
---@return string[]
function App:replicas()
  local names = {}
  for _, worker in ipairs(self.workers) do table.move(worker.names, 1, #worker.names, #names + 1, names) end
  return names
end

---The workers of these names, in registration order; without names all.
---@param chosen string[]?
---@return chief.AppWorker[]
function App:select(chosen)
  if not chosen or #chosen == 0 then return self.workers end
  local result = {}
  for _, worker in ipairs(self.workers) do
    if #worker:chosen(chosen) > 0 then result[#result + 1] = worker end
  end
  return result
end

---Who says of each channel that it uses it so: users("sends").uploads is { "api" }.
---@param field "sends"|"receives"
---@param workers chief.AppWorker[]?
---@return table<string, string[]>
function App:users(field, workers)
  local users = {}
  for _, channel in ipairs(self.channels) do users[channel.name] = {} end
  for _, worker in ipairs(workers or self.workers) do
    for _, channel in ipairs(worker.options[field] or {}) do
      if users[channel] then table.insert(users[channel], worker.name) end
    end
  end
  return users
end

local function absent(channel, all, here, used, role)
  if not used or #all == 0 or #here > 0 then return nil end
  local who = #all == 1 and ("its %s, does"):format(role) or ("its %ss, do"):format(role)
  return ("channel %s: %s, %s not run here"):format(channel, table.concat(all, " and "), who)
end

---What is odd when only these workers run: a channel whose other end does not.
---@param chosen string[]?
---@return string[]
function App:warnings(chosen)
  local here = self:select(chosen)
  local senders, receivers = self:users("sends"), self:users("receives")
  local sends, receives = self:users("sends", here), self:users("receives", here)
  local warnings = {}
  for _, channel in ipairs(self.channels) do
    local name = channel.name
    warnings[#warnings + 1] = absent(name, senders[name], sends[name], #receives[name] > 0, "sender")
    warnings[#warnings + 1] = absent(name, receivers[name], receives[name], #sends[name] > 0, "receiver")
  end
  return warnings
end

return App
