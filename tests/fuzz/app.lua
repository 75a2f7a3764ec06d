-- One input of fuzz_app: the first byte says whether the rest is a table (MessagePack) or the text of an app file.
-- Returns a function that raises what must not be.
local is_exhausted, FILE = ...

local App = require "chief.app"
local Problems = require "chief.problems"
local configuration = require "chief.configuration"
local core = require "chief.core"

-- A text may do what it likes but for what reaches out of this program, or never ends.
local EXHAUSTED = "too long"
local write, protected, open = io.open, pcall, io.open
local rep, xprotected, compile = string.rep, xpcall, load

local function unless_exhausted(...)
  if is_exhausted() then error(EXHAUSTED, 0) end
  return ...
end

function pcall(...) return unless_exhausted(protected(...)) end
function xpcall(...) return unless_exhausted(xprotected(...)) end
function load(chunk, name, _, ...) return compile(chunk, name, "t", ...) end
function string.rep(s, n, ...)
  if type(n) == "number" and n * #tostring(s) > 1e6 then error "resulting string too large" end
  return rep(s, n, ...)
end
io = { open = function(path) return open(path, "rb") end }
os = { clock = os.clock, date = os.date, getenv = os.getenv, time = os.time }
debug = { getinfo = debug.getinfo, traceback = debug.traceback }
string.dump, loadfile, dofile, collectgarbage, print = nil, nil, nil, nil, nil

-- What MessagePack has no form for and an app file has.
local FORMS = {
  ["@function"] = function() end,
  ["@infinite"] = math.huge,
  ["@not a number"] = 0 / 0,
  ["@float 3"] = 3.0,
  ["@coroutine"] = coroutine.create(function() end),
}

local function with_forms(value, depth)
  if type(value) == "string" then return FORMS[value] or value end
  if type(value) ~= "table" or depth > 20 then return value end
  local result = {}
  for key, item in pairs(value) do result[key] = with_forms(item, depth + 1) end
  return result
end

local function check_problems(problems)
  for _, problem in ipairs(problems) do
    assert(type(problem.key) == "string" and type(problem.message) == "string" and problem.message ~= "")
    assert(not problem.message:find("lua/chief/", 1, true), problem.message)
  end
  assert(#problems == 0 or #problems:text() > 0)
end

-- What passed the check can be shown and chosen from.
local function use(app)
  local of = configuration.of(app)
  assert(#configuration.text(of) > 0 and #configuration.json(of) > 0)
  for _, name in ipairs(app:names()) do assert(#app:select { name } == 1) end
  app:warnings()
  app:replicas()
end

local function check_table(bytes)
  local given = core.unpack(bytes)
  if type(given) ~= "table" then return end
  local problems = Problems.new()
  local app = App.check(with_forms(given, 0), problems)
  check_problems(problems)
  if #problems == 0 then use(app) end
end

local function check_text(text)
  local file <close> = assert(write(FILE, "wb"))
  file:write(text)
  file:close()
  local app, problems = App.load(FILE)
  check_problems(problems)
  assert((app == nil) == (#problems > 0))
  if app then use(app) end
end

return function(bytes)
  if bytes:byte() == 0x74 then check_text(bytes:sub(2)) else check_table(bytes:sub(2)) end -- "t"
end
