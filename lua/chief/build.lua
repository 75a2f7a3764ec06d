-- Makes the chief of an application that has been written down.
local App = require "chief.app"
local Chief = require "chief.chief"
local Problems = require "chief.problems"
local search = require "chief.search"

local build = {}

local SETTINGS = { "force_stop_timeout", "init_timeout", "hook_timeout", "force_time", "fiber_threads", "require_names",
  "restart_budget", "info" }

local function add_parts(c, app)
  for _, channel in ipairs(app.channels) do
    local ok, message, code = c:add_channel(channel.name, channel.options)
    if not ok then return nil, ("channel %s: %s"):format(channel.name, message), code end
  end
  for _, worker in ipairs(app.workers) do
    local module = worker.native and { native = worker.native } or worker.app and { app = worker.app } or worker.module
    local ok, message, code = c:add_checked(worker.name, module, worker.options, app.folder)
    if not ok then return nil, ("worker %s: %s"):format(worker.name, message), code end
  end
  for _, group in ipairs(app.groups) do
    local ok, message, code = c:add_group(group.name, group.options)
    if not ok then return nil, message, code end
  end
  return true
end

---The chief of an application without mistakes.
---@param app chief.App
---@param more chief.Options? what stands above the app file's own settings
---@return chief.Chief? chief
---@return string? message
---@return string? code
function build.chief(app, more)
  local settings = { name = app.name, log = app.settings.log }
  for _, key in ipairs(SETTINGS) do settings[key] = app.settings[key] end
  for key, value in pairs(more or {}) do settings[key] = value end
  local c = Chief.new(settings)
  local ok, message, code = add_parts(c, app)
  if not ok then
    c:close()
    return nil, message, code
  end
  local hook = app.settings.on_shutdown
  -- What the hook requires is found where the app file found it.
  if hook then c:on_shutdown(search.within, app.folder, hook) end
  return c
end

---The chief of an app file or of a table as an app file returns it. It ends as the app's `keep` says only under
---the command; a program sets exit_when_done.
---@param given string|table
---@return chief.Chief? chief
---@return string? message every mistake, one a line
---@return string? code
function build.load(given)
  local app, problems
  if type(given) == "table" then
    problems = Problems.new()
    app = App.check(given, problems)
  elseif type(given) == "string" then
    app, problems = App.load(given)
  else
    error("chief.load: should be the path of an app file or a table, got a " .. type(given), 3)
  end
  if #problems > 0 then return nil, problems:text(), "invalid" end
  return build.chief(app)
end

return build
