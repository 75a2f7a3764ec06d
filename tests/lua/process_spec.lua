-- The program that hosts a worker in a process of its own.
local core = require "chief.core"
local process = require "chief.process"

describe("the command of a worker's process", function()
  it("is the interpreter that runs this program, with its paths", function()
    local command = assert(process.command("resizer"))
    assert.matches("lua", command[1])
    assert.same("-e", command[2])
    assert.same({ "-l", "chief.child", "-", "resizer" }, table.move(command, 4, 7, 1, {}))
    local path, cpath = package.path, package.cpath
    package.path, package.cpath = "gone", "gone"
    assert(load(command[3]))()
    local set, cset = package.path, package.cpath
    package.path, package.cpath = path, cpath
    assert.same(process.absolute(path, core.folder()), set)
    assert.same(process.absolute(cpath, core.folder()), cset)
  end)

  it("names an interpreter that the environment gives", function()
    local getenv = os.getenv
    os.getenv = function(name) -- luacheck: ignore
      return name == "CHIEF_LUA_INTERPRETER" and "/opt/lua" or getenv(name)
    end
    local command = process.command("api")
    os.getenv = getenv -- luacheck: ignore
    assert.same("/opt/lua", command[1])
  end)

  it("needs an interpreter", function()
    local executable, getenv = core.executable, os.getenv
    core.executable = function() return "/usr/bin/nvim" end
    os.getenv = function() end -- luacheck: ignore
    local command, message = process.command("api")
    core.executable, os.getenv = executable, getenv -- luacheck: ignore
    assert.is_nil(command)
    assert.same("a worker in a process needs a Lua interpreter, and this program (/usr/bin/nvim) is none: name one in "
      .. "the environment variable CHIEF_LUA_INTERPRETER", message)
  end)

  it("makes relative paths absolute", function()
    assert.same("/a/?.lua;/x/./?.lua;/x/b/?.lua", process.absolute("/a/?.lua;./?.lua;b/?.lua", "/x"))
    assert.same("./?.lua", process.absolute("./?.lua", nil))
  end)
end)
