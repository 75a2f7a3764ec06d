-- One worker module, unchanged, in every host: under `chief run`, under require "chief", and in a C program, which is
-- tests/host/test_chief_lua.c.
local app_folder = require "app_folder"
local chief = require "chief"
local command = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/cli/command.lua")

local folder = command.source .. "/tests/host" -- with workers/echo.lua

local ASKER = [[
return { run = function(_, ctx)
  local answer = assert(ctx:call("echo", 7, 60))
  ctx.log:info("answered", answer)
  return true
end }]]

describe("the worker of the C program's test", function()
  it("runs in a Lua program", function()
    local path = package.path
    package.path = folder .. "/?.lua;" .. path
    local c = chief.new({ log = { level = "off" } })
    assert(c:add_worker("echo", "workers.echo", { args = { factor = 3 } }))
    package.path = path
    assert(c:init_workers())
    assert(c:launch())
    assert.same({ value = 21, generation = 1, worker = "echo" }, (c:call("echo", 7, 60)))
    c:stop()
    assert.is_true(c:join(60))
    c:close()
  end)

  it("runs under chief run", function()
    local file = assert(io.open(folder .. "/workers/echo.lua", "rb"))
    local app = [[return { workers = {
      echo = { module = "workers.echo", args = { factor = 3 } },
      asker = { module = "workers.asker", after = { "echo" } },
    } }]]
    local root = app_folder.make({
      ["app.lua"] = app, ["workers/echo.lua"] = file:read("a"), ["workers/asker.lua"] = ASKER })
    file:close()
    local running = command.start(root, "run", "app.lua")
    running:read_until("answered worker=asker generation=1 value=21 worker=echo")
    running:signal("TERM")
    local code, text = running:finish()
    app_folder.remove(root)
    assert.equal(0, code, text)
  end)
end)

-- LuaJIT, and with it OpenResty and Neovim: another Lua is in the process already, so that ours can't be.
describe("a program whose Lua is LuaJIT", function()
  local advice = "run `chief run app.lua` as a process of its own beside it"

  local function luajit(text, ...)
    local script = os.tmpname()
    local file = assert(io.open(script, "w"))
    file:write(text)
    file:close()
    local words = { "luajit", script }
    for _, argument in ipairs { ... } do words[#words + 1] = app_folder.quote(argument) end
    local pipe = assert(io.popen("LUA_PATH=" .. app_folder.quote(command.source .. "/lua/?/init.lua") .. " LUA_CPATH="
      .. app_folder.quote(os.getenv("CHIEF_BUILD") .. "/lua/?.so") .. " " .. table.concat(words, " ") .. " 2>&1"))
    local said = pipe:read("a")
    pipe:close()
    os.remove(script)
    return said
  end

  it("is told by require what to do instead", function()
    local said = luajit [[print(select(2, pcall(require, "chief")))]]
    assert.truthy(said:find("^chief needs Lua 5%.4, and this program's is LuaJIT 2"), said)
    assert.truthy(said:find(advice, 1, true), said)
  end)

  it("is told so by libchief-lua, which Lua 5.4 comes with", function()
    if (os.getenv("CHIEF_SANITIZE") or "") ~= "" then return end -- the interpreter has not loaded its runtime
    local said = luajit([[
      local ffi = require "ffi"
      ffi.cdef "int chief_lua_open(void *); const char *chief_last_error(void);"
      ffi.cdef "typedef struct chief chief; int chief_new(chief **, const void *); void chief_free(chief *);"
      ffi.cdef "int chief_lua_add_worker(chief *, const char *, const char *, const void *);"
      local lib, c = ffi.load(arg[1]), ffi.new("chief *[1]")
      assert(lib.chief_new(c, nil) == 0)
      print(lib.chief_lua_add_worker(c[0], "x", "x", nil), ffi.string(lib.chief_last_error()))
      lib.chief_free(c[0])
    ]], os.getenv("CHIEF_BUILD") .. "/lib/libchief-lua.so")
    assert.truthy(said:find("^%-1021\tchief needs Lua 5%.4"), said)
    assert.truthy(said:find(advice, 1, true), said)
  end)
end)
