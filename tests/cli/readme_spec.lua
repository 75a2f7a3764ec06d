-- What the README shows a newcomer works when it is typed off.
local app_folder = require "app_folder"
local command = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/cli/command.lua")

-- The Lua examples that begin with a comment that is their path.
local function examples()
  local file = assert(io.open(command.source .. "/README.md", "rb"))
  local text = file:read("a")
  file:close()
  local files = {}
  for block in text:gmatch("\n```lua\n(.-\n)```") do
    local path = block:match("^%-%- (%S+%.lua)[^\n]*\n")
    if path then files[path] = block end
  end
  return files
end

describe("the README", function()
  local root
  before_each(function() root = app_folder.make(examples()) end)
  after_each(function() app_folder.remove(root) end)

  it("shows an app in which there is no mistake", function()
    local code, out, err = command.run(root, "check", "app.lua")
    assert.equal(0, code, err)
    assert.matches("no mistakes; chief, 2 workers, 1 channel", out)
    assert.is_nil(out:find("warning", 1, true))
  end)

  it("shows an app that runs until Ctrl-C", function()
    local running = command.start(root, "run", "app.lua")
    running:read_until("hello worker=greeter to=\"?guest 1")
    running:signal("INT")
    local code, text = running:finish()
    assert.equal(0, code, text)
    assert.matches("worker stopped worker=door.*worker stopped worker=greeter", text)
  end)
end)

describe("the hello example", function()
  local folder = command.source .. "/examples/hello"

  it("is two workers in twenty lines", function()
    local lines = 0
    for _, file in ipairs({ "app.lua", "workers/clock.lua", "workers/greeter.lua" }) do
      for _ in io.lines(folder .. "/" .. file) do lines = lines + 1 end
    end
    assert.is_true(lines <= 20, lines)
  end)

  it("runs until Ctrl-C, the clock stopping first", function()
    local running = command.start(folder, "run", "app.lua")
    running:read_until("hello worker=greeter tick=1$")
    running:signal("INT")
    local code, text = running:finish()
    assert.equal(0, code, text)
    assert.matches("worker stopped worker=clock.*worker stopped worker=greeter", text)
  end)
end)
