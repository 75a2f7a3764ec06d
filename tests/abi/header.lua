-- Reads a public header for the tests of the ABI:
--   lua5.4 header.lua constants HEADER…   a C program that prints every constant and its value
--   lua5.4 header.lua fields HEADER…      a C table of the fields of the structures that begin with their size
--   lua5.4 header.lua next HEADER         the header as a later version could have it: every structure longer
local header = {}

function header.code(text)
  return (text:gsub("/%*.-%*/", ""))
end

-- The structures that begin with their size, in the order of the header: { name =, body = }.
function header.structures(text)
  local found = {}
  for name, body in text:gmatch("\ntypedef struct (chief[%w_]*) (%b{}) %1;") do
    if header.code(body):find("^{%s*uint32_t size;") then found[#found + 1] = { name = name, body = body } end
  end
  return found
end

-- The members of a structure: { name =, type = }; a pointer to a function has the type "function".
function header.members(body)
  local found = {}
  for member in header.code(body:sub(2, -2)):gmatch("%s*([^;]+);") do
    local called = member:match("%(%*([%w_]+)%)")
    local kind, name = member:match("^(.-)([%w_]+)$")
    if called then kind, name = "function", called end
    found[#found + 1] = { name = name, type = (kind:gsub("%s+", " "):gsub(" $", "")) }
  end
  return found
end

local function add_constants(names, text)
  for name in text:gmatch("\n#define (CHIEF_[A-Z_]+) [%w\"(]") do names[#names + 1] = name end
  for name in text:gmatch("X%((%u+), %-%d+,") do names[#names + 1] = "CHIEF_" .. name end
  for body in header.code(text):gmatch("\nenum chief_[%w_]+ (%b{})") do
    for name in body:gmatch("(CHIEF_[%u%d_]+) =") do names[#names + 1] = name end
  end
end

function header.constants(texts)
  local names, lines = {}, { "#include <chief_lua.h>", "#include <inttypes.h>", "#include <stdio.h>",
    "static void integer(const char *name, int64_t value) { printf(\"%s %\" PRId64 \"\\n\", name, value); }",
    "static void text(const char *name, const char *value) { printf(\"%s \\\"%s\\\"\\n\", name, value); }",
    "#define SHOW(x) _Generic((x), char *: text, const char *: text, default: integer)(#x, (x))",
    "int main(void) {" }
  for _, text in ipairs(texts) do add_constants(names, text) end
  table.sort(names)
  for _, name in ipairs(names) do
    if name ~= "CHIEF_API" and name ~= "CHIEF_VERSION" and name ~= "CHIEF_X" then
      lines[#lines + 1] = ("    SHOW(%s);"):format(name)
    end
  end
  lines[#lines + 1] = "    return 0;\n}"
  return table.concat(lines, "\n")
end

function header.fields(texts)
  local lines = {}
  for _, structure in ipairs(header.structures(table.concat(texts))) do
    for _, member in ipairs(header.members(structure.body)) do
      lines[#lines + 1] = ("FIELD(%s, %s, %s)"):format(structure.name, member.name,
        member.type == "int64_t" and "INT64" or "OTHER")
    end
  end
  return table.concat(lines, "\n")
end

function header.next(text)
  for _, structure in ipairs(header.structures(text)) do
    local from, to = text:find(structure.body, 1, true)
    text = text:sub(1, from) .. text:sub(from + 1, to - 1) .. "    uint64_t later_number;\n    void *later_pointer;\n"
      .. text:sub(to)
  end
  return text
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

if arg and arg[0] and arg[0]:find("header%.lua$") then
  local texts = {}
  for i = 2, #arg do texts[#texts + 1] = read(arg[i]) end
  print(header[arg[1]](arg[1] == "next" and texts[1] or texts))
end
return header
