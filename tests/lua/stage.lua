-- A chief with workers on chief.core, for the specs of the worker host. Workers report through the channel "out", which
-- the spec reads; nothing here waits by sleeping. CHIEF_TEST_ISOLATION says where the workers run, so that one spec is
-- run in each isolation.
local core = require "chief.core"
local process = require "chief.process"
local app_folder = require "app_folder"

local stage = {}
stage.__index = stage

---Seconds in which what is awaited comes on any machine.
stage.LIMIT = 10 * (tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1)

---Where workers run whose spec does not say it: the same specs are run for each place.
stage.ISOLATION = os.getenv("CHIEF_TEST_ISOLATION") or "thread"

---@param modules table<string, string> the text of each module, by the path of its file
function stage.new(modules, options)
  options = options or {}
  local self = setmetatable({}, stage)
  local files = {}
  for path, text in pairs(modules) do files[path] = text end
  self.folder = app_folder.make(files)
  self.core = assert(core.chief {
    name = "stage", log = core.log { level = "off" }, force_stop_timeout = options.force_stop_timeout,
    exit_when_done = options.exit_when_done, force_time = options.force_time, init_timeout = options.init_timeout,
  })
  assert(self.core:add_channel("out", { capacity = 1000 }))
  self.out = assert(self.core:channel("out"))
  return self
end

---The spec of a worker whose module lies in the folder.
function stage:spec(module, more)
  local spec = { isolation = stage.ISOLATION, module = module, path = self.folder .. "/?.lua;" .. package.path }
  for key, value in pairs(more or {}) do spec[key] = value end
  if spec.isolation == "process" then spec.program = assert(process.command(module)) end
  return spec
end

---Adds one worker whose module is `name`.
function stage:add(name, more)
  return self.core:add_worker(name, self:spec(more and more.module or name, more))
end

function stage:start()
  assert(self.core:init_workers())
  assert(self.core:launch())
  return self
end

---The next thing that a worker reported.
function stage:next()
  local value, info = self.out:recv(self.LIMIT)
  assert(value ~= nil, "no report: " .. tostring(info))
  return value, info
end

---Waits for a state and gives the worker's status.
function stage:wait(name, state)
  assert(self.core:wait_state(name, state, self.LIMIT))
  return self:status(name)
end

function stage:status(name)
  for _, status in ipairs((self.core:states())) do
    if status.name == name then return status end
  end
end

---Stops it and gives what join said.
function stage:stop()
  self.core:stop()
  return self.core:join(self.LIMIT)
end

function stage:close()
  self.core:close()
  app_folder.remove(self.folder)
end

---Calls `body` with a started stage of these workers, and closes it whatever happens.
---@param modules table<string, string> the text of each worker's module, by the worker's name
function stage.with(modules, body, options)
  local files = {}
  for name, text in pairs(modules) do files[name .. ".lua"] = text end
  local self = stage.new(files, options)
  local function play()
    for _, name in ipairs(options and options.channels or {}) do assert(self.core:add_channel(name)) end
    for key, value in pairs(options and options.values or {}) do assert(self.core:add_value(key, value)) end
    for name in pairs(modules) do assert(self:add(name, options and options[name])) end
    self:start()
    body(self)
  end
  local ok, message = xpcall(play, debug.traceback)
  self:close()
  if not ok then error(message, 0) end
end

return stage
