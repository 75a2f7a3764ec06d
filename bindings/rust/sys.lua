-- Writes chief-sys/src/generated.rs, and what its test needs, from chief.h and chief_lua.h:
-- `lua5.4 bindings/rust/sys.lua`; with --check it only says whether they are what the headers say. The headers are
-- regular, so that a few patterns read all of them; what fits none is an error here and no gap there.
local root = (arg[0]:match("^(.*/)[^/]*$") or "./") .. "../.."
local OUT = root .. "/bindings/rust/chief-sys/src/generated.rs"
local LAYOUTS = root .. "/bindings/rust/chief-sys/tests/layouts.in"
local HEADERS = { "core/include/chief.h", "bindings/lua/include/chief_lua.h" }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local scalars = {
  int = "c_int", char = "c_char", void = "c_void", double = "f64", size_t = "usize", int32_t = "i32",
  uint32_t = "u32",
  int64_t = "i64", uint64_t = "u64",
}

-- Rust's own words, which are names in C.
local words = {
  as = "r#as", ["in"] = "r#in", ["move"] = "r#move", ref = "r#ref", type = "r#type", ["where"] = "r#where",
}

local function squeeze(text)
  return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

-- «const char *const *names» is its base, then a star for each pointer; each `const` belongs to what is left of it.
local function pointer(text)
  local base, stars = text:match("^([^*]*)(.*)$")
  local constant = base:find("%f[%w]const%f[%W]") ~= nil
  local name = squeeze(base:gsub("%f[%w]const%f[%W]", ""):gsub("%f[%w]struct%f[%W]", ""):gsub("%f[%w]enum%f[%W]", ""))
  local result = scalars[name] or name
  for star in stars:gmatch("%*[^*]*") do
    result = (constant and "*const " or "*mut ") .. result
    constant = star:find("const") ~= nil
  end
  return result
end

local parameters

local function callback(returns, list)
  local result = returns == "void" and "" or " -> " .. pointer(returns)
  return ('Option<unsafe extern "C" fn(%s)%s>'):format(parameters(list), result)
end

-- A declaration of one thing: its name and its type. A parameter may have no name.
local function declaration(text)
  local returns, name, list = text:match("^(.-)%(%*([%w_]+)%)%((.*)%)$")
  if returns then return name, callback(squeeze(returns), list) end
  local front, last = text:match("^(.-)([%w_]+)$")
  if not front or squeeze(front) == "" or squeeze(front) == "const" then return "_", pointer(text) end
  return last, pointer(front)
end

-- Splits at commas outside parentheses.
local function split(list)
  local parts, depth, from = {}, 0, 1
  for at, char in list:gmatch("()([(),])") do
    depth = depth + (char == "(" and 1 or char == ")" and -1 or 0)
    if char == "," and depth == 0 then
      parts[#parts + 1] = list:sub(from, at - 1)
      from = at + 1
    end
  end
  parts[#parts + 1] = list:sub(from)
  return parts
end

function parameters(list)
  local parts = {}
  if squeeze(list) == "void" then return "" end
  for i, text in ipairs(split(list)) do
    local name, kind = declaration(squeeze(text))
    parts[i] = (words[name] or name) .. ": " .. kind
  end
  return table.concat(parts, ", ")
end

local lines, functions, layouts = {}, {}, {}

local function put(format, ...)
  lines[#lines + 1] = format:format(...)
end

local function constants(body)
  local value = -1
  for name, given in body:gmatch("([%w_]+)%s*=?%s*(%-?%d*)") do
    value = math.tointeger(tonumber(given)) or value + 1
    put("pub const %s: i32 = %d;", name, value)
  end
end

local function members(name, body)
  put("#[repr(C)]\n#[derive(Clone, Copy, Debug)]\npub struct %s {", name)
  local names = {}
  for text in body:gmatch("([^;]+);") do
    local member, kind = declaration(squeeze(text))
    put("    pub %s: %s,", words[member] or member, kind)
    names[#names + 1] = words[member] or member
  end
  put("}")
  layouts[#layouts + 1] = ("    %s: %s;"):format(name, table.concat(names, " "))
end

local function define(name, value)
  if value:match('^"') then
    put("pub const %s: &str = %s;", name, value)
  elseif value == "INT64_MIN" then
    put("pub const %s: i64 = i64::MIN;", name)
  else
    put("pub const %s: i64 = %s;", name, value:match("%-?%d+"))
  end
end

local function errors(text)
  for name, number in text:gmatch("X%((E%u+), (%-%d+)") do put("pub const CHIEF_%s: i32 = %s;", name, number) end
end

-- One thing at file level, without comments; the patterns are tried in this order.
local function statement(text)
  local name, body = text:match("^enum ([%w_]+) {(.*)}$")
  if name then return constants(body) end
  name, body = text:match("^typedef struct ([%w_]+) {(.*)} [%w_]+$")
  if name then return members(name, body) end
  name = text:match("^typedef struct ([%w_]+) [%w_]+$")
  if not name and not text:find("chief_process") then name = text:match("^struct ([%w_]+)$") end
  if name then return put("#[repr(C)]\npub struct %s {\n    _private: [u8; 0],\n}", name) end
  if text == "struct chief_process" then return end
  name, body = text:match("^typedef ([%w_]+) ([%w_]+)$")
  if name then return put("pub type %s = %s;", body, scalars[name]) end
  local returns, kind, list = text:match("^typedef (.-)%(%*([%w_]+)%)%((.*)%)$")
  if returns then return put("pub type %s = %s;", kind, callback(squeeze(returns), list)) end
  returns, name, list = text:match("^CHIEF_API (.-)([%w_]+)%((.*)%)$")
  if not returns then error("bindings/rust/sys.lua does not understand: " .. text) end
  local result = squeeze(returns) == "void" and "" or " -> " .. pointer(squeeze(returns))
  functions[#functions + 1] = ("    pub fn %s(%s)%s;"):format(name, parameters(list), result)
end

-- Cuts the text at semicolons outside braces.
local function statements(text)
  local depth, from = 0, 1
  for at, char in text:gmatch("()([{};])") do
    depth = depth + (char == "{" and 1 or char == "}" and -1 or 0)
    if char == ";" and depth == 0 then
      statement(squeeze(text:sub(from, at - 1)))
      from = at + 1
    end
  end
end

local function header(path)
  local text = read(root .. "/" .. path):gsub("/%*.-%*/", " "):gsub("\\\n", " ")
  errors(text)
  for name, value in text:gmatch("\n#define (CHIEF_[%u_]+) +([^%s][^\n]*)") do
    if not name:find("_API$") and not value:find("^X%(") then define(name, squeeze(value)) end
  end
  text = text:gsub("\nenum chief_error {.-\n};", "\nenum chief_error { CHIEF_OK = 0 };"):gsub("\n#[^\n]*", "\n")
  text = text:gsub("\n#[^\n]*", "\n"):gsub('extern "C" {', "")
  statements(text:gsub("\n}\n", "\n"):gsub("\n}%s*$", "\n"):gsub("\n }%s*\n", "\n"))
end

put("// Written by bindings/rust/sys.lua from chief.h and chief_lua.h, whose comments say what each of these is.")
put("use std::os::raw::{c_char, c_int, c_void};\n")
header(HEADERS[1])
put('\n#[link(name = "chief")]\nextern "C" {\n%s\n}\n', table.concat(functions, "\n"))
functions = {}
header(HEADERS[2])
put('\n#[link(name = "chief-lua")]\nextern "C" {\n%s\n}', table.concat(functions, "\n"))

local function bring(path, text)
  if arg[1] == "--check" then
    local there = io.open(path, "rb")
    if there and there:read("a") == text then return end
    io.stderr:write(path, " is not what the headers say; run lua5.4 bindings/rust/sys.lua\n")
    os.exit(1)
  end
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

bring(OUT, table.concat(lines, "\n") .. "\n")
bring(LAYOUTS, "// Written by bindings/rust/sys.lua: the structures of the headers and their members.\nlayouts! {\n"
  .. table.concat(layouts, "\n") .. "\n}\n")
