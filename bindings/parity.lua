-- What of chief.h and chief_lua.h a binding has: lua5.4 bindings/parity.lua RUNTIME [--check]
--
-- Writes bindings/RUNTIME/parity.md, a line for each export: where the binding's sources name it, or why it is skipped.
-- The reasons are in bindings/RUNTIME/skipped.txt, each line an export (or its beginning and a `*`), two spaces and the
-- reason. With --check nothing is written: a stale table is then an error. Always errors are an export that is
-- neither bound nor skipped, one that is both, and a line of skipped.txt that skips nothing.
local bindings = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."

local headers = { "core/include/chief.h", "bindings/lua/include/chief_lua.h" }
local endings = { py = true, c = true, h = true, cc = true, js = true, cjs = true, mjs = true, go = true, rs = true }
-- What is made, fetched, or only uses the binding.
local apart = { "/tests?/", "/generated%.%l+$", "/examples?/", "/node_modules/", "/build/", "/target/", "_test%.go$",
  "/parity%.md$" }

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

-- The exports in the order of the headers, and which header each is of.
local function exports()
  local list = {}
  for _, header in ipairs(headers) do
    local text = assert(read(bindings .. "/../" .. header)):gsub("/%*.-%*/", "")
    for declaration in text:gmatch("\nCHIEF_API%s+([^;]*);") do
      list[#list + 1] = { name = declaration:match("([%w_]+)%s*%("), header = header:match("[^/]+$") }
    end
  end
  return list
end

local function is_apart(path)
  for _, pattern in ipairs(apart) do
    if path:find(pattern) then return true end
  end
  return not endings[path:match("%.(%w+)$")]
end

-- The text without its comments, which bind nothing. Go's stay: the C of cgo is in them.
local function code_of(path, text)
  local ending = path:match("%.(%w+)$")
  if ending == "go" then return text end
  if ending == "py" then return (text:gsub("#[^\n]*", "")) end
  return (text:gsub("/%*.-%*/", ""):gsub("//[^\n]*", ""))
end

-- A table from each name that the binding's sources hold to the first file that holds it.
local function names_in(folder)
  local found = {}
  local pipe = assert(io.popen("cd '" .. folder .. "' && find . -type f | LC_ALL=C sort"))
  for line in pipe:lines() do
    local path = line:sub(3)
    if not is_apart("/" .. path) then
      local code = code_of(path, read(folder .. "/" .. path))
      for name in code:gmatch("%f[%w_]chief_[%w_]+") do found[name] = found[name] or path end
    end
  end
  pipe:close()
  return found
end

local function read_skipped(path, problems)
  local list, number = {}, 0
  for line in ((read(path) or "") .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    if line ~= "" and not line:find("^#") then
      local name, reason = line:match("^(chief_[%w_]*%*?)%s%s+(%S.*)$")
      if name then
        local pattern = "^" .. name:gsub("%*$", ".*") .. "$"
        list[#list + 1] = { name = name, pattern = pattern, reason = reason, number = number }
      else
        local text = "%s:%d: should be an export, two spaces and the reason, got: %s"
        problems[#problems + 1] = text:format(path, number, line)
      end
    end
  end
  return list
end

local function reason_for(skipped, name)
  local found
  for _, entry in ipairs(skipped) do
    if name:find(entry.pattern) then
      entry.used, found = true, found or entry.reason
    end
  end
  return found
end

local function row(export, where, skipped, problems)
  local bound, reason = where[export.name], reason_for(skipped, export.name)
  if bound and reason then
    problems[#problems + 1] = ("%s is bound (in %s) and skipped (%s)"):format(export.name, bound, reason)
  elseif not bound and not reason then
    problems[#problems + 1] = export.name .. " is neither bound nor skipped"
  end
  local says = bound and "`" .. bound .. "`" or reason and "skipped: " .. reason or "missing"
  return ("| `%s` | %s | %s |"):format(export.name, export.header, says), bound ~= nil
end

local function make(runtime, problems)
  local folder = bindings .. "/" .. runtime
  local where, skipped = names_in(folder), read_skipped(folder .. "/skipped.txt", problems)
  local rows, n_bound, all = {}, 0, exports()
  for i, export in ipairs(all) do
    local bound
    rows[i], bound = row(export, where, skipped, problems)
    if bound then n_bound = n_bound + 1 end
  end
  for _, entry in ipairs(skipped) do
    if not entry.used then
      problems[#problems + 1] = ("%s/skipped.txt:%d: %s is no export"):format(folder, entry.number, entry.name)
    end
  end
  local head = "# What the binding has\n\nMade by `lua5.4 bindings/parity.lua %s`: each export of the headers, and the"
    .. " first source file that binds it\nor the reason why it is skipped. %d of %d are bound.\n\n"
    .. "| export | header | bound in |\n|---|---|---|\n"
  return folder .. "/parity.md", head:format(runtime, n_bound, #all) .. table.concat(rows, "\n") .. "\n"
end

local function save(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local function main(runtime, flag)
  if not runtime or not runtime:find("^%l+$") or flag and flag ~= "--check" then
    io.stderr:write("usage: lua5.4 bindings/parity.lua RUNTIME [--check]\n")
    return 64
  end
  local problems = {}
  local path, text = make(runtime, problems)
  if not flag then
    save(path, text)
  elseif read(path) ~= text then
    problems[#problems + 1] = ("%s is stale: run lua5.4 bindings/parity.lua %s"):format(path, runtime)
  end
  for _, problem in ipairs(problems) do io.stderr:write(problem, "\n") end
  return #problems == 0 and 0 or 1
end

os.exit(main(arg[1], arg[2]))
