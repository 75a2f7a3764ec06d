-- Makes the reference of the Lua interface, in Markdown, of the annotations in the files named:
--   lua5.4 reference.lua FILE… > lua.md
-- It warns, and fails, where an annotation is none that it knows or names a parameter that the function has not.

local warnings = 0

local function warn(path, number, ...)
  warnings = warnings + 1
  io.stderr:write(("%s:%d: %s\n"):format(path, number, table.concat({ ... }, " ")))
end

-- A type may hold blanks in brackets, in strings and around `|`: where it ends in the text.
local function split_type(text)
  local depth, i = 0, 1
  while i <= #text do
    local c = text:sub(i, i)
    if c:find("[%(<{%[]") then depth = depth + 1 end
    if c:find("[%)>}%]]") then depth = depth - 1 end
    if c == " " and depth == 0 and not text:sub(1, i - 1):find("[|:,]$") and not text:find("^ *|", i) then break end
    i = i + 1
  end
  return text:sub(1, i - 1), (text:sub(i):gsub("^%s+#?%s*", ""))
end

local function described(text) return text ~= "" and (": " .. text) or "" end
local function code(text) return "`" .. text .. "`" end

local out = {}
local function put(line) out[#out + 1] = line end

local handlers = {}

function handlers.class(block, text)
  local name, rest = text:match("^([%w_.]+)%s*(.*)$")
  local parent, more = rest:match("^:%s*([%w_.]+)%s*(.*)$")
  block.title = name .. (parent and ", all of " .. code(parent) .. " and:" or "")
  block.text[#block.text + 1] = more or rest
end

function handlers.alias(block, text)
  local name, rest = text:match("^([%w_.]+)%s*(.*)$")
  block.title = name
  if rest ~= "" then block.text[#block.text + 1] = code(rest) end
end

function handlers.field(block, text)
  local name, rest = text:match("^(%S+)%s+(.*)$")
  local kind, more = split_type(rest)
  block.items[#block.items + 1] = ("%s %s%s"):format(code(name), code(kind), described(more))
end

function handlers.param(block, text)
  local name, rest = text:match("^([%w_.]+%??)%s+(.*)$")
  local kind, more = split_type(rest)
  block.params[#block.params + 1] = name:gsub("%?$", "")
  block.items[#block.items + 1] = ("%s %s%s"):format(code(name), code(kind), described(more))
end

handlers["return"] = function(block, text)
  local kind, more = split_type(text)
  block.returns[#block.returns + 1] = code(kind) .. (more ~= "" and " " .. more or "")
end

-- What is inside only.
function handlers.package(block) block.hidden = true end
handlers.private = handlers.package

for _, silent in ipairs { "meta", "type", "overload", "generic", "cast", "diagnostic", "nodiscard", "async" } do
  handlers[silent] = function() end
end

local function new_block() return { text = {}, items = {}, returns = {}, params = {} } end

local function flush(block, heading)
  if block.hidden then return end
  put(("\n%s %s\n"):format(heading, block.title))
  local text = table.concat(block.text, " "):gsub("^%s+", ""):gsub("%s+$", "")
  if text ~= "" then put(text .. "\n") end
  for _, item in ipairs(block.items) do put("- " .. item) end
  if #block.returns > 0 then put("\nReturns " .. table.concat(block.returns, ", ")) end
end

local function has_parameter(parameters, name)
  for parameter in parameters:gmatch("[%w_.]+") do
    if parameter == name then return true end
  end
  return false
end

local function end_block(block, path, number, line)
  local name, parameters = line:match("^function ([%w_.:]+)(%b())")
  if name then
    block.title = ("`%s%s`"):format(name, parameters)
    for _, param in ipairs(block.params) do
      if not has_parameter(parameters, param) then warn(path, number, name, "has no parameter", param) end
    end
    flush(block, "###")
  elseif block.title then
    flush(block, "##")
  end
end

local function read(path)
  local block, number = new_block(), 0
  for line in io.lines(path) do
    number = number + 1
    local keyword, text = line:match("^%-%-%-@(%l+)%s*(.*)$")
    if keyword and not handlers[keyword] then
      warn(path, number, "what is @" .. keyword .. "?")
    elseif keyword then
      if block.title and (keyword == "alias" or keyword == "class") then -- one right after another
        flush(block, "##")
        block = new_block()
      end
      handlers[keyword](block, text)
    elseif line:find("^%-%-%-|") then
      local value, more = line:match("^%-%-%-|%s*(%S+)%s*#?%s*(.*)$")
      block.items[#block.items + 1] = code(value) .. described(more)
    elseif line:find("^%-%-%-") then
      block.text[#block.text + 1] = line:match("^%-%-%-%s*(.*)$")
    elseif not line:find("^%-%-") then
      end_block(block, path, number, line)
      block = new_block()
    end
  end
end

put("# The Lua interface")
for _, path in ipairs(arg) do read(path) end
print((table.concat(out, "\n"):gsub("\n\n\n+", "\n\n")))
os.exit(warnings == 0)
