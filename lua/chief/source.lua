-- Runs an app file and says where it went wrong: it is missing, does not compile, raises, or returns no table.
local search = require "chief.search"
local schema = require "chief.schema"
local twice = require "chief.twice"

local source = {}

-- Lua cuts a long chunk name in its messages, so the line is taken out and the file is named by us.
local function split_message(message)
  local line, text = message:match("^[^\n]-:(%d+): (.*)$")
  return text or message, math.tointeger(line)
end

local function read(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local text, failure = file:read("a")
  file:close()
  if not text then return nil, failure end
  return text
end

local function tell_twice(text, problems)
  for _, found in ipairs(twice.find(text)) do
    problems:add("", ("%q is written twice in one table, first in line %d, and that one would be lost; "
      .. "give each a name of its own"):format(found.key, found.first), found.line)
  end
end

local function compile(path, problems)
  local text, reason = read(path)
  if not text then
    local why = tostring(reason):gsub("^.*: ", "")
    problems:add("", "cannot be read: " .. why)
    return nil
  end
  -- A first line that begins with # is the kernel's (#!/usr/bin/env chief); Lua's own loadfile leaves it out, too.
  text = text:gsub("^#[^\n]*", "")
  local chunk, message = load(text, "@" .. path, "t")
  if chunk then
    tell_twice(text, problems)
    return chunk
  end
  local sentence, line = split_message(message)
  problems:add("", "syntax error: " .. sentence, line)
  return nil
end

-- The line of the file that was being run: also where a module that the file requires raised.
local function current_line(path)
  for level = 2, 200 do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    if info.source == "@" .. path and info.currentline > 0 then return info.currentline end
  end
end

local function text_of(raised)
  if type(raised) == "string" then return raised end
  local made = getmetatable(raised)
  if type(made) == "table" and made.__tostring then return tostring(raised) end
  return ("error object is %s"):format(schema.describe(raised))
end

local function run(chunk, path, folder, problems)
  local line
  local function note(raised)
    line = current_line(path)
    return text_of(raised)
  end
  local ok, result = search.within(folder, xpcall, chunk, note, path)
  if ok then return result, true end
  local sentence, own_line = split_message(result)
  local here = own_line == line and line
  problems:add("", "raised while loading: " .. (here and sentence or result), line)
end

---The table an app file returns; nil when it does not, and the problems say why.
---@param path string
---@param problems chief.Problems
---@return table?
function source.load(path, problems)
  local chunk = compile(path, problems)
  if not chunk then return nil end
  local result, ran = run(chunk, path, search.folder_of(path), problems)
  if not ran or type(result) == "table" then return result end
  local hint = result == nil and "; is there a return at the end of the file?" or ""
  problems:add("", ("should return a table such as { name = …, workers = { … } }, got %s%s"):format(
    schema.describe(result), hint))
end

---Calls what reads the table of an app file, whose metamethods are code of that file's, too; nil, and the problems say
---why, when it raises.
---@param problems chief.Problems
---@param reader function
---@return any
function source.guard(problems, reader, ...)
  local ok, result = xpcall(reader, text_of, ...)
  if ok then return result end
  problems:add("", "raised while it was read: " .. split_message(result))
end

return source
