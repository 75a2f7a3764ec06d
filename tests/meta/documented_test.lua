-- Every public function has a comment right before it that says what it does, on which thread, and whether it blocks.
local lib = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/meta/lib.lua")

local threads = { any = true, owner = true, worker = true }
local blocks = { never = true, timeout = true, forever = true }

local function declarations(text)
  local found, position = {}, 1
  while true do
    local from, to, declaration = text:find("\nCHIEF_API%s+([^;]*);", position)
    if not from then return found end
    found[#found + 1] = { name = declaration:match("([%w_]+)%s*%("), before = text:sub(1, from),
      kind = declaration:match("^(.-)[%w_]+%s*%(") or "" }
    position = to
  end
end

-- What a function can answer, for those whose answer is a code or a state.
local function says_its_errors(comment)
  return comment:find("Errors:", 1, true) or comment:find("CHIEF_E%u") or comment:find("CHIEF_WORKER_WRONG", 1, true)
    or comment:find("[01] %(?[wou]") or comment:find("exit: 0 ", 1, true) or comment:find("returns `code`", 1, true)
    or comment:find("As chief_", 1, true) or comment:find("never fails", 1, true)
end

-- Whose a returned pointer is. What comes by an out parameter is the caller's, as the head of the header says.
local function says_whose(comment, kind)
  return kind:find("^const char %*") or comment:find("[Bb]orrowed") or comment:find("returns its argument", 1, true)
    or comment:find("the library's", 1, true)
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
      local kind = declaration.kind:gsub("%s+$", "")
      if (kind == "int" or kind == "chief_state_t") and not in_group and not says_its_errors(comment) then
        complain("says no Errors")
      end
      if kind:find("%*$") and not says_whose(comment, kind) then complain("does not say whose its result is") end
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
lib.refuses("a code without its errors", check((good:gsub("void chief_x", "int chief_x"))))
lib.accepts("a code with its errors",
  check((good:gsub("void chief_x", "int chief_x"):gsub(" %*/", " * Errors: CHIEF_EINVAL.\n */"))))
lib.refuses("a pointer that is nobody's", check((good:gsub("void chief_x", "chief_thing *chief_x"))))
lib.refuses("no CHIEF_API", undeclared("void chief_x(void);\n"))

for _, path in ipairs({ "core/include/chief.h", "bindings/lua/include/chief_lua.h" }) do
  if lib.exists(path) then
    local text = lib.read(path)
    lib.accepts(path .. " is documented", check(text))
    lib.accepts(path .. " exports all it declares", undeclared(text))
    lib.accepts(path .. " declares something", #declarations(text) > 0 and {} or { "nothing found" })
  end
end

-- Each error code is provoked by a test, in C by its name where something is compared with it, in Lua by its word.
local function unprovoked(codes, texts)
  local complaints = {}
  for _, code in ipairs(codes) do
    local found
    for _, text in ipairs(texts) do
      found = found or text:find("[,=] CHIEF_" .. code .. "%f[^%w_]")
    end
    if not found then complaints[#complaints + 1] = "no test is answered with CHIEF_" .. code end
  end
  return complaints
end

local codes, texts = {}, {}
for code in lib.read("core/include/chief.h"):gmatch("X%((E%u+), %-%d+,") do codes[#codes + 1] = code end
for _, path in ipairs(lib.files("^tests/%l+/test_[%w_]*%.c$")) do texts[#texts + 1] = lib.read(path) end
lib.refuses("a code that no test names", unprovoked({ "ENOSUCH" }, texts))
lib.refuses("a code that is only made", unprovoked({ "EINVAL" }, { "return fail(CHIEF_EINVAL);" }))
lib.accepts("there are codes", #codes > 20 and {} or { "none found" })
lib.accepts("every error code is provoked by a test", unprovoked(codes, texts))
lib.finish()
