-- What was typed after `chief`: the only file that needs argparse.

local arguments = {}

local MISSING = [[
chief needs the Lua module argparse to read its arguments. Install it with one of
  apt-get install lua-argparse
  luarocks --lua-version 5.4 install argparse
]]

local LEVELS = { "debug", "info", "warn", "error", "off" }
local FORMATS = { "text", "json" }

local function one_of(words) return table.concat(words, ", ", 1, #words - 1) .. " or " .. words[#words] end

local function add_help(parser, show)
  parser:add_help(false)
  parser:flag("-h --help", "Show this text."):action(function() show(parser:get_help() .. "\n") end)
end

local function add_command(parser, show, name, description, which)
  local command = parser:command(name, description)
  add_help(command, show)
  command:argument("APP", "The app file."):target("app")
  command:argument("WORKER", which):target("workers"):args("*")
  return command
end

local function add_run(parser, show)
  local run = add_command(parser, show, "run", "Run the workers of an app file until they are told to stop.",
    "Which of its workers; none: all.")
  run:option("--log-level", ("The least that is logged: %s. Else what the app file says, else info.")
    :format(one_of(LEVELS))):argname("LEVEL"):choices(LEVELS)
  run:option("--log-format", ("How it is logged: %s. Else what the app file says, else text.")
    :format(one_of(FORMATS))):argname("FORMAT"):choices(FORMATS)
  run:flag("--json", "Print mistakes and the log as JSON.")
  run:option("--isolation", "Where the workers run, whatever the app file says: thread, fiber or process.")
    :argname("WHERE")
  run:flag("--keep", "Stay when nothing is left to run.")
  return run
end

local function add_check(parser, show)
  local check = add_command(parser, show, "check", "Find every mistake in an app file, or show what it means.",
    "Which of its workers would run; none: all.")
  check:flag("--json", "Print what is found as JSON.")
  return check
end

local EPILOG = [[
Exit codes: 0 clean, 1 a worker had failed, 64 wrong arguments, 70 a critical worker was given up, 75 a worker had to be
forced or abandoned, 78 wrong app file.]]

-- `chief help run` is what people type for `chief run --help`.
local function spelled_out(args)
  if args[1] ~= "help" then return args end
  return { args[2] or "--help", args[2] and "--help" }
end

local function version_text(args, version)
  for _, arg in ipairs(args) do
    if arg == "--json" then return ('{"name":"chief","version":"%s"}\n'):format(version) end
  end
  return ("chief %s\n"):format(version)
end

-- The parser and those of its commands by name. `show` gets the text that was asked for and does not return.
local function make_parsers(argparse, args, version, show)
  local parser = argparse("chief", "Runs workers, keeps them running, stops them without losing work.", EPILOG)
  add_help(parser, show)
  parser:flag("--json", "Show the version as JSON; for other things, after the command.")
  parser:flag("--version", "Show the version."):action(function() show(version_text(args, version)) end)
  parser:command_target("command")
  parser:require_command(false)
  return parser, { run = add_run(parser, show), check = add_check(parser, show) }
end

local function names_of(commands)
  local names = {}
  for name in pairs(commands) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

---Reads the arguments. What comes back has the command's fields, or `shown` (text that was asked for), or `wrong`
---(what is wrong, with the usage), or `missing` (argparse is not installed).
---@param args string[]
---@param version string
---@return table
function arguments.read(args, version)
  local installed, argparse = pcall(require, "argparse")
  if not installed then return { missing = MISSING } end
  local shown
  args = spelled_out(args)
  -- argparse would end the program itself after printing help; raising stops the parsing instead.
  local parser, commands = make_parsers(argparse, args, version, function(text)
    shown = text
    error("shown", 0)
  end)
  local ran, ok, result = pcall(parser.pparse, parser, args)
  if shown then return { shown = shown } end
  if not ran then error(ok, 0) end
  if not ok then
    local usage = (commands[args[1]] or parser):get_usage()
    if result:find("^unknown command") then result = result .. "; there are: " .. names_of(commands) end
    return { wrong = ("chief: %s\n\n%s\n"):format(result, usage) }
  end
  if not result.command then return { wrong = parser:get_help() .. "\n" } end
  return result
end

return arguments
