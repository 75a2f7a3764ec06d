-- The `chief` command. What was asked for goes to stdout; mistakes and the log go to stderr.
local core = require "chief.core"
local App = require "chief.app"
local arguments = require "chief.arguments"
local build = require "chief.build"
local configuration = require "chief.configuration"
local options = require "chief.options"

local CLEAN, FAILED, USAGE, CONFIGURATION = 0, 1, 64, 78

-- Which exit code says that a chief could not be started for this reason.
local NOT_STARTED = { not_enabled = USAGE, not_found = CONFIGURATION, cycle = CONFIGURATION, invalid = CONFIGURATION }

local cli = {}

local function complain(text) io.stderr:write(text) end

local function count_text(problems, file)
  return ("%d mistake%s in %s\n"):format(#problems, #problems == 1 and "" or "s", file)
end

-- What is wrong about the command's arguments or the start, where --json asks for that too.
local function refuse(asked, text)
  if asked.json then io.stdout:write(core.json_encode({ ok = false, file = asked.app, message = text }) .. "\n")
  else complain(("chief: %s\n"):format(text)) end
end

local function problems_json(problems, file)
  local list = {}
  for i, problem in ipairs(problems) do
    list[i] = { file = problem.file, line = problem.line, key = problem.key, message = problem.message }
  end
  return core.json_encode({ ok = false, file = file, problems = list }) .. "\n"
end

-- The application when there is no mistake in it and each name is one of its workers; else the exit code.
local function load(asked)
  if asked.app == "" then
    refuse(asked, "the app file's name is empty")
    return nil, USAGE
  end
  local app, problems = App.load(asked.app, asked.isolation)
  if not app then
    if asked.json then io.stdout:write(problems_json(problems, asked.app))
    else complain(problems:text() .. "\n" .. count_text(problems, asked.app)) end
    return nil, CONFIGURATION
  end
  local ok, message = core.rule(app:replicas()):validate(asked.workers)
  if ok then return app end
  refuse(asked, message)
  return nil, USAGE
end

local function check(asked)
  local app, code = load(asked)
  if not app then return code end
  local found = configuration.of(app, asked.workers)
  io.stdout:write(asked.json and configuration.json(found) or configuration.text(found))
  return CLEAN
end

local function check_isolation(asked)
  local mistake = asked.isolation and options.mistakes(options.isolation, asked.isolation)[1]
  if not mistake then return true end
  refuse(asked, "--isolation: " .. mistake.message)
  return false
end

-- A worker has to be named where the app says so: what would run otherwise is nothing.
local function check_named(app, asked)
  if not app.settings.require_names or #asked.workers > 0 then return true end
  local names = table.concat(app:names(), ", ")
  refuse(asked, ("%s has require_names: name the workers to run; there are: %s"):format(asked.app, names))
  return false
end

local function logger(app, asked)
  local given = app.settings.log or {}
  local format = asked.log_format or (asked.json and "json") or given.format
  return core.log({ level = asked.log_level or given.level, format = format })
end

local function start(app, asked)
  local log = logger(app, asked)
  local c, message, code = build.chief(app, { log = log, exit_when_done = not (app.settings.keep or asked.keep) })
  if not c then
    refuse(asked, ("%s: %s"):format(asked.app, message))
    return NOT_STARTED[code] or FAILED
  end
  local ok
  -- A wrapper may send its signal twice: the second must not end a program that is just ending by the first.
  ok, message, code = c:run_with(asked.workers, { stop = true, hup = true, usr2 = true, last = true })
  if ok or c:has_stopped() then return c:exit_code() end
  refuse(asked, message)
  return NOT_STARTED[code] or FAILED
end

local function run(asked)
  if not check_isolation(asked) then return USAGE end
  local app, code = load(asked)
  if not app then return code end
  if not check_named(app, asked) then return USAGE end
  return start(app, asked)
end

local COMMANDS = { run = run, check = check }

---Does what the arguments say.
---@param args string[]
---@return integer code the exit code
function cli.run(args)
  local asked = arguments.read(args, core.version)
  if asked.shown then
    io.stdout:write(asked.shown)
    return CLEAN
  end
  if asked.wrong or asked.missing then
    complain(asked.wrong or asked.missing)
    return asked.wrong and USAGE or CONFIGURATION
  end
  return COMMANDS[asked.command](asked)
end

---The whole program; its caller ends the process with the code, without waiting for an abandoned worker.
---@param args string[]
---@return integer code
function cli.main(args)
  -- Who reads our output may go away; that is an error of the write, not the end of the workers.
  core.ignore_sigpipe()
  return cli.run(args)
end

return cli
