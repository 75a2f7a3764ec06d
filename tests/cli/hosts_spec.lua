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
