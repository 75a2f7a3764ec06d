local app_folder = require "app_folder"
local cli = require "chief.cli"
local core = require "chief.core"

local function collector()
  local parts = {}
  return { write = function(_, ...)
    for _, part in ipairs({ ... }) do parts[#parts + 1] = part end
  end, text = function() return table.concat(parts) end }
end

-- Runs the command in this process, with its output taken: code, stdout, stderr.
local function chief(...)
  local stdout, stderr = io.stdout, io.stderr
  local out, err = collector(), collector()
  io.stdout, io.stderr = out, err -- luacheck: ignore 122
  local ok, code = pcall(cli.run, { ... })
  io.stdout, io.stderr = stdout, stderr -- luacheck: ignore 122
  assert(ok, code)
  return code, out.text(), err.text()
end

local root = app_folder.make({
  ["app.lua"] = [[
    return { name = "two", workers = { a = { module = "workers.a" }, b = { module = "workers.a" } } }]],
  ["named.lua"] = [[
    return { require_names = true, workers = { a = { module = "workers.a" } } }]],
  ["wrong.lua"] = [[
    return { keep = 1, workers = { a = { module = "workers.a", grce = 1 } } }]],
  ["workers/a.lua"] = "return { run = function() return true end }",
})
local app, named, wrong = root .. "/app.lua", root .. "/named.lua", root .. "/wrong.lua"
teardown(function() app_folder.remove(root) end)

describe("chief", function()
  it("alone shows its usage and is used wrongly", function()
    local code, out, err = chief()
    assert.equal(64, code)
    assert.equal("", out)
    assert.matches("^Usage: chief .*\n   run .*\n   check ", err)
  end)

  it("--version", function()
    local code, out, err = chief("--version")
    assert.same({ 0, "chief " .. core.version .. "\n", "" }, { code, out, err })
    for _, arguments in ipairs({ { "--version", "--json" }, { "--json", "--version" } }) do
      code, out = chief(table.unpack(arguments))
      assert.same({ 0, { name = "chief", version = core.version } }, { code, core.json_decode(out) })
    end
  end)

  it("--help goes to stdout", function()
    for _, arguments in ipairs({ { "--help" }, { "-h" }, { "run", "--help" }, { "check", "-h" },
      { "help" }, { "help", "run" } }) do
      local code, out, err = chief(table.unpack(arguments))
      assert.equal(0, code)
      assert.matches("^Usage: chief", out)
      assert.equal("", err)
    end
    local codes = {}
    for code in select(2, chief("--help")):match("Exit codes: .*$"):gmatch("%d+") do codes[#codes + 1] = code end
    assert.same({ "0", "1", "64", "70", "75", "78" }, codes)
    assert.matches("%-%-log%-format FORMAT", select(2, chief("run", "--help")))
    assert.equal(select(2, chief("run", "--help")), select(2, chief("help", "run")))
    local text = select(2, chief("run", "--help")):gsub("%s+", " ")
    assert.matches("is logged: debug, info, warn, error or off%.", text)
    assert.matches("It is logged: text or json%.", (text:gsub("How it", "It")))
  end)

  it("says what is wrong with the arguments, and how they are right", function()
    for message, arguments in pairs({
      ["unknown command 'frob'; there are: check, run"] = { "frob" },
      ["unknown command 'frob'; there are: check, run\n"] = { "help", "frob" },
      ["missing argument 'APP'"] = { "run" },
      ["unknown option '--frob'"] = { "run", app, "--frob" },
      ["argument for option '--log-level' must be one of"] = { "run", app, "--log-level", "loud" },
    }) do
      local code, out, err = chief(table.unpack(arguments))
      assert.equal(64, code)
      assert.equal("", out)
      assert.equal("chief: " .. message, err:sub(1, #message + 7))
      assert.matches("\n\nUsage: chief", err)
    end
  end)

  it("says what to install when argparse is missing", function()
    local loaded, searchers = package.loaded.argparse, package.searchers
    package.loaded.argparse, package.searchers = nil, {} -- luacheck: ignore 122
    local code, _, err = chief("--version")
    package.loaded.argparse, package.searchers = loaded, searchers -- luacheck: ignore 122
    assert.equal(78, code)
    assert.matches("apt%-get install lua%-argparse", err)
    assert.matches("luarocks %-%-lua%-version 5%.4 install argparse", err)
  end)
end)

describe("chief run", function()
  it("names the first worker that is none, and those there are", function()
    local code, out, err = chief("run", app, "a", "nosuch", "neither")
    assert.equal(64, code)
    assert.equal("", out)
    assert.matches("^chief: invalid service name nosuch.*a, b", err)
  end)

  it("wants names where the app says so", function()
    local code, _, err = chief("run", named)
    assert.equal(64, code)
    assert.matches("has require_names: name the workers to run; there are: a\n$", err)
  end)

  it("refuses an isolation that is none", function()
    local code, _, err = chief("run", app, "--isolation", "cloud")
    assert.equal(64, code)
    assert.equal('chief: --isolation: should be "thread", "fiber" or "process", got "cloud"\n', err)
  end)

  it("tells every mistake of the app file first", function()
    local code, out, err = chief("run", wrong, "nosuch")
    assert.equal(78, code)
    assert.equal("", out)
    assert.matches("wrong%.lua: keep: should be true or false, got 1\n", err)
    assert.matches('wrong%.lua: workers%.a%.grce: unknown key "grce"; did you mean "grace"%?', err)
    assert.matches("\n2 mistakes in [^\n]*wrong%.lua\n$", err)
  end)
end)

describe("chief run --json", function()
  it("prints what is wrong as JSON, on stdout", function()
    local code, out, err = chief("run", "--json", wrong)
    assert.same({ 78, "" }, { code, err })
    assert.equal(2, #core.json_decode(out).problems)
    for _, arguments in ipairs({ { app, "nosuch" }, { named }, { app, "--isolation", "cloud" }, { "" } }) do
      code, out, err = chief("run", "--json", table.unpack(arguments))
      assert.same({ 64, "" }, { code, err })
      local said = core.json_decode(out)
      assert.is_false(said.ok)
      assert.equal(arguments[1], said.file)
      assert.is_string(said.message)
    end
    assert.equal("chief: the app file's name is empty\n", select(3, chief("run", "")))
  end)
end)

describe("chief check", function()
  it("shows the configuration on stdout", function()
    local code, out, err = chief("check", app)
    assert.equal(0, code)
    assert.matches("^[^\n]*app%.lua: no mistakes; two, 2 workers, 0 channels\n", out)
    assert.equal("", err)
  end)

  it("tells mistakes on stderr", function()
    local code, out, err = chief("check", wrong)
    assert.equal(78, code)
    assert.equal("", out)
    assert.matches("\n2 mistakes in ", err)
  end)

  it("--json prints one or the other on stdout", function()
    local code, out, err = chief("check", "--json", wrong)
    assert.equal(78, code)
    assert.equal("", err)
    local said = core.json_decode(out)
    assert.is_false(said.ok)
    assert.equal(2, #said.problems)
    assert.equal(wrong, said.problems[1].file)
    assert.equal("keep", said.problems[1].key)
    assert.equal("should be true or false, got 1", said.problems[1].message)
    code, out = chief("check", "--json", app)
    assert.equal(0, code)
    assert.is_true(core.json_decode(out).ok)
  end)

  it("knows the app's workers", function()
    local code, _, err = chief("check", app, "nosuch")
    assert.equal(64, code)
    assert.matches("invalid service name nosuch", err)
  end)
end)
