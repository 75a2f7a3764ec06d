-- CMake, the rockspec and the disk have the same files, the rock the same defines.
local lib = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/meta/lib.lua")

local function cmake_lists(text)
  local lists = {}
  for name, body in text:gmatch("set%((CHIEF_[A-Z_]+)%s*(.-)%)") do
    lists[name] = {}
    for path in body:gmatch("%S+") do table.insert(lists[name], path) end
  end
  return lists
end

local function join(...)
  local all = {}
  for _, list in ipairs({ ... }) do
    for _, item in ipairs(list) do all[#all + 1] = item end
  end
  return all
end

local function compare(wanted, found, where)
  local complaints, has, known = {}, {}, {}
  for _, item in ipairs(found) do
    if has[item] then table.insert(complaints, where .. " lists " .. item .. " twice") end
    has[item] = true
  end
  for _, item in ipairs(wanted) do
    known[item] = true
    if not has[item] then table.insert(complaints, where .. " lacks " .. item) end
  end
  for item in pairs(has) do
    if not known[item] then table.insert(complaints, where .. " has " .. item .. ", which is not there") end
  end
  return complaints
end

local function module_name(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function rock_modules(modules)
  local list = {}
  for name, source in pairs(modules) do
    if type(source) == "string" then list[#list + 1] = name .. " = " .. source end
  end
  return list
end

lib.refuses("a missing file", compare({ "a.c", "b.c" }, { "a.c" }, "list"))
lib.refuses("a file too many", compare({ "a.c" }, { "a.c", "b.c" }, "list"))
lib.refuses("a file listed twice", compare({ "a.c" }, { "a.c", "a.c" }, "list"))

local cmake = cmake_lists(lib.read("cmake/sources.cmake"))
lib.accepts("core/src is listed",
  compare(lib.files("^core/src/.*%.c$"), cmake.CHIEF_CORE_SOURCES, "CHIEF_CORE_SOURCES"))
lib.accepts("bindings/lua is listed", compare(lib.files("^bindings/lua/.*%.c$"),
  join(cmake.CHIEF_LUA_SOURCES, cmake.CHIEF_PROGRAM_SOURCES), "CHIEF_LUA_SOURCES and CHIEF_PROGRAM_SOURCES"))
lib.accepts("lua/ is listed", compare(lib.files("^lua/.*%.lua$"), cmake.CHIEF_LUA_MODULES, "CHIEF_LUA_MODULES"))
lib.accepts("lua/ holds only Lua", compare({}, lib.files("^lua/.*%.[^l][^/]*$"), "lua/"))

local rock = {}
assert(load(lib.read("chief-scm-1.rockspec"), "rockspec", "t", rock))()
local core = rock.build.modules["chief.core"]
lib.accepts("the rock's C files are CMake's",
  compare(join(cmake.CHIEF_CORE_SOURCES, cmake.CHIEF_LUA_SOURCES), core.sources, "the rockspec"))

local wanted = {}
for _, path in ipairs(cmake.CHIEF_LUA_MODULES) do wanted[#wanted + 1] = module_name(path) .. " = " .. path end
lib.accepts("the rock's Lua files are CMake's", compare(wanted, rock_modules(rock.build.modules), "the rockspec"))

local defines = lib.read("cmake/flags.cmake"):match("target_compile_definitions%(chief_flags INTERFACE ([^)]*)%)")
  .. " " .. lib.read("cmake/lua.cmake"):match("target_compile_definitions%(lua_module PRIVATE ([^)]*)%)")
local expected = { "NDEBUG" } -- in CMake by the build type
for define in defines:gmatch("%S+") do expected[#expected + 1] = define end
lib.accepts("the rock's defines are CMake's", compare(expected, core.defines, "the rockspec"))
lib.finish()
