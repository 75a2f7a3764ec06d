-- Every public function has a comment right before it that says what it does, on which thread, and whether it blocks.
local lib = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/meta/lib.lua")

local threads = { any = true, owner = true, worker = true }
local blocks = { never = true, timeout = true, forever = true }

local function declarations(text)
  local found, position = {}, 1
  while true do
    local from, to, declaration = text:find("\nCHIEF_API%s+([^;]*);", position)
    if not from then return found end
    found[#found + 1] = { name = declaration:match("([%w_]+)%s*%("), before = text:sub(1, from) }
    position = to
  end
end

-- The comment that ends right where the declaration begins, and whether it begins right after another declaration:
-- then it says only in what it differs from the comment above the group.
local function comment_before(before)
  if not before:find("%*/\n$") then return nil end
  local start
  for at in before:gmatch("()/%*") do start = at end
  return before:sub(start), before:sub(1, start - 1):find(";\n$") ~= nil
end

local function check(text)
  local complaints = {}
  for _, declaration in ipairs(declarations(text)) do
    local comment, in_group = comment_before(declaration.before)
    local function complain(message) complaints[#complaints + 1] = tostring(declaration.name) .. " " .. message end
    if not comment then
      complain("has no comment right before it")
    else
      if not threads[comment:match("@thread (%l+)")] then complain("says no @thread any | owner | worker") end
      if not blocks[comment:match("@blocks (%l+)")] then complain("says no @blocks never | timeout | forever") end
      local summary = comment:gsub("@.*", ""):gsub("[/*%s]", "")
      if #summary < 10 and not in_group then complain("has no summary") end
    end
  end
  return complaints
end

local function undeclared(text)
  local complaints = {}
  for line in text:gmatch("[^\n]+") do
    if line:find("^%a[%w_ *]*chief_[%w_]+%(") and not line:find("^CHIEF_API") and not line:find("typedef")
      and not line:find("^static") then
      complaints[#complaints + 1] = "no CHIEF_API: " .. line
    end
  end
  return complaints
end

local good = "\n/*\n * Frees a thing and all it has.\n * @thread any  @blocks never\n */\n"
  .. "CHIEF_API void chief_x(void);\n"
lib.accepts("a good comment", check(good))
lib.refuses("no comment", check("\nCHIEF_API void chief_x(void);\n"))
lib.refuses("a comment of something else", check(good .. "CHIEF_API void chief_y(void);\n"))
lib.refuses("no @thread", check((good:gsub("@thread any", ""))))
lib.refuses("a word that @blocks does not have", check((good:gsub("never", "seldom"))))
lib.refuses("no summary", check((good:gsub("Frees[^\n]*", ""))))
lib.refuses("no CHIEF_API", undeclared("void chief_x(void);\n"))

for _, path in ipairs({ "core/include/chief.h", "bindings/lua/include/chief_lua.h" }) do
  if lib.exists(path) then
    local text = lib.read(path)
    lib.accepts(path .. " is documented", check(text))
    lib.accepts(path .. " exports all it declares", undeclared(text))
    lib.accepts(path .. " declares something", #declarations(text) > 0 and {} or { "nothing found" })
  end
end
lib.finish()
