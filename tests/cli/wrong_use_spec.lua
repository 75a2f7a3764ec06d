-- What a person gets wrong, with the real command: the exit code, and a sentence that says what would be right.
local app_folder = require "app_folder"
local command = dofile((os.getenv("CHIEF_SOURCE") or ".") .. "/tests/cli/command.lua")

local WORKER = "return { run = function() return true end }"

-- Both commands say the same about the same mistake, exit 78 and print nothing else.
local function refused(files, ...)
  local root = app_folder.make(files)
  local said = {}
  for _, verb in ipairs({ "check", "run" }) do
    local code, out, err = command.run(root, verb, "app.lua")
    assert.equal(78, code, err)
    assert.equal("", out)
    for _, expected in ipairs({ ... }) do assert.is_truthy(err:find(expected, 1, true), err) end
    said[verb] = err
  end
  assert.equal(said.check, said.run)
  app_folder.remove(root)
end

local function with_worker(code) return {
  ["app.lua"] = 'return { workers = { api = { module = "workers.api" } } }', ["workers/api.lua"] = code,
} end

describe("an app file", function()
  it("is missing", function() refused({}, "app.lua: cannot be read: No such file or directory") end)

  it("is not a table", function()
    refused({ ["app.lua"] = "return 'app'" }, 'app.lua: should return a table such as', 'got "app"')
    refused({ ["app.lua"] = "local app = {}" }, "got nil; is there a return at the end of the file?")
  end)

  it("has a typo in a key", function()
    refused({ ["app.lua"] = 'return { worklers = {} }' },
      'app.lua: worklers: unknown key "worklers"; did you mean "workers"? known: channels')
  end)

  it("has a syntax error", function()
    refused({ ["app.lua"] = "return {\n  name = = 1,\n}" }, "app.lua:2: syntax error: unexpected symbol near '='")
  end)

  it("raises while loading", function()
    refused({ ["app.lua"] = "\nerror('no database')" }, "app.lua:2: raised while loading: no database")
  end)

  it("has two workers with one name", function()
    refused({ ["app.lua"] = [[return { workers = {
      { name = "api", module = "workers.api" }, { name = "api", module = "workers.api" } } }]],
      ["workers/api.lua"] = WORKER }, 'app.lua: workers[2].name: "api" is taken by workers[1]')
    refused({ ["app.lua"] = 'return { workers = {\n  api = { module = "workers.api" },\n'
      .. '  api = { module = "workers.api", grace = 3 },\n} }', ["workers/api.lua"] = WORKER },
      'app.lua:3: "api" is written twice in one table, first in line 2, and that one would be lost')
  end)

  it("asks for an isolation that is none", function()
    refused({ ["app.lua"] = [[return { workers = {
      api = { module = "workers.api", isolation = "fibre" } } }]],
      ["workers/api.lua"] = WORKER },
      'app.lua: workers.api.isolation: should be "thread", "fiber" or "process", got "fibre"; did you mean "fiber"?')
  end)

  it("has workers that wait for each other", function()
    refused({ ["app.lua"] = [[return { workers = {
      a = { module = "workers.api", after = { "b" } }, b = { module = "workers.api", after = { "a" } } } }]],
      ["workers/api.lua"] = WORKER }, "app.lua: workers.a.after: is a circle in which none could start: a → b → a")
  end)

  it("waits for a worker that is not there", function()
    refused({ ["app.lua"] = [[return { workers = { a = { module = "workers.api", after = { "db" } } } }]],
      ["workers/api.lua"] = WORKER }, 'app.lua: workers.a.after[1]: no worker is called "db"; known: a')
  end)
end)

describe("a worker", function()
  it("does not exist", function()
    refused({ ["app.lua"] = 'return { workers = { api = { module = "workers.api" } } }' },
      'app.lua: workers.api.module: no module "workers.api" found: there should be ./workers/api.lua')
  end)

  it("has a syntax error", function()
    refused(with_worker("\nlocal function = 1"), "app.lua: workers.api.module: ./workers/api.lua:2: <name> expected")
  end)

  it("raises while loading", function()
    refused(with_worker("\nerror('no database')"), "app.lua: workers.api.module: ", "workers/api.lua:2: no database")
  end)

  it("has no run", function() refused(with_worker("return { init = function() end }"), "app.lua: workers.api.module: ",
    "run") end)

  it("returns nothing", function() refused(with_worker("local M = {}"), "app.lua: workers.api.module: ") end)

  it("defines init with a colon", function()
    refused(with_worker("local M = {} function M:init() end function M.run() end return M"),
      "app.lua: workers.api.module: ", "init")
  end)

  it("is a table where a name belongs", function()
    refused({ ["app.lua"] = 'return { workers = { api = { module = { run = function() end } } } }' },
      "app.lua: workers.api.module: is a table: give the module's name")
  end)

  it("is a function that captures a local", function()
    refused({ ["app.lua"] = [[
      local db = {}
      return { workers = { api = { module = function() return db end } } }]] }, "app.lua: workers.api.module: ", "db")
  end)
end)

describe("the command", function()
  local root = app_folder.make({ ["app.lua"] = 'return { workers = { api = { module = "workers.api" } } }',
    ["workers/api.lua"] = WORKER })
  teardown(function() app_folder.remove(root) end)

  it("alone shows its usage", function()
    local code, out, err = command.run(root)
    assert.equal(64, code)
    assert.equal("", out)
    assert.matches("^Usage: chief", err)
  end)

  it("is given a worker that is none", function()
    local code, out, err = command.run(root, "run", "app.lua", "api", "nosuch")
    assert.equal(64, code)
    assert.equal("", out)
    assert.matches("invalid service name nosuch.*api", err)
  end)

  it("is given a replica that is none", function()
    local code, _, err = command.run(root, "run", "app.lua", "api/1")
    assert.equal(64, code)
    assert.matches("invalid service name api/1; there are: api\n", err)
  end)

  it("is given an option that is none", function()
    local code, _, err = command.run(root, "run", "app.lua", "--frob")
    assert.equal(64, code)
    assert.matches("unknown option '%-%-frob'", err)
  end)

  it("is asked for an isolation that is none", function()
    local code, _, err = command.run(root, "run", "app.lua", "--isolation", "fibre")
    assert.equal(64, code)
    assert.matches('should be "thread", "fiber" or "process", got "fibre"; did you mean "fiber"', err)
  end)

  it("says its version", function()
    local code, out = command.run(root, "--version")
    assert.equal(0, code)
    assert.matches("^chief %d+%.%d+%.%d+\n$", out)
  end)

  it("checks the examples", function()
    local code, out, err = command.run(root, "check", command.source .. "/examples/simulate/app.lua")
    assert.equal(0, code, err)
    assert.matches("shop, 4 workers", out)
    code, out, err = command.run(root, "check", command.source .. "/examples/hello/app.lua")
    assert.equal(0, code, err)
    assert.matches("hello, 2 workers, 1 channel", out)
  end)
end)
