local Problems = require "chief.problems"
local options = require "chief.options"
local schema = require "chief.schema"
local suggest = require "chief.suggest"

-- What a check says about a value, one line for each mistake.
local function said(check, value)
  local problems = Problems.new()
  check(value, "it", problems)
  return problems:text()
end

describe("a name somebody misspelt", function()
  local known = { "after", "args", "restart", "workers" }

  it("is taken for the nearest", function()
    assert.equal("workers", suggest.nearest("worklers", known))
    assert.equal("workers", suggest.nearest("wrokers", known))
    assert.equal("after", suggest.nearest("After", known))
    assert.equal("restart", suggest.nearest("restar", known))
  end)

  it("is taken for none when it is another word", function()
    assert.is_nil(suggest.nearest("fruit", known))
    assert.is_nil(suggest.nearest("x", known))
    assert.is_nil(suggest.nearest("", known))
  end)

  it("is told with what there is", function()
    assert.equal('; did you mean "workers"? known: after, args, restart, workers', suggest.hint("worklers", known))
    assert.equal("; known: after, args, restart, workers", suggest.hint("fruit", known))
  end)
end)

describe("the path of a key", function()
  it("reads as in Lua", function()
    assert.equal("workers.api", Problems.join("workers", "api"))
    assert.equal('workers["my-api"]', Problems.join("workers", "my-api"))
    assert.equal("workers[3]", Problems.join("workers", 3))
    assert.equal("name", Problems.join("", "name"))
    assert.equal("workers[true]", Problems.join("workers", true))
  end)

  it("is found with what is below it, and not by a part of a word", function()
    local problems = Problems.new()
    problems:add("workers.api.module", "wrong")
    assert.is_true(problems:has("workers.api"))
    assert.is_true(problems:has("workers.api.module"))
    assert.is_false(problems:has("workers.ap"))
    assert.is_false(problems:has("workers.api.mod"))
  end)
end)

describe("a worker's options", function()
  it("are all accepted together", function()
    local problems = Problems.new()
    local checked = options.worker({
      args = { port = 8080 }, after = { "db" }, sends = { "a" }, receives = { "b" }, ready = "explicit", grace = 0,
      start_timeout = 1.5, isolation = "thread", count = 2,
      restart = { policy = "always", delay = 0, factor = 1, max_delay = 1, jitter = 0, max_restarts = 0, window = 5 },
      critical = true, no_restart_codes = { 2, 255 },
    }, "it", problems)
    assert.equal("", problems:text())
    assert.equal("always", checked.restart.policy)
    assert.same({ "db" }, checked.after)
  end)

  it("have a count of 1 or more", function()
    for _, count in ipairs({ 0, 1.5, 65536, "2" }) do
      assert.matches("^it%.count: should be a number of replicas from 1 to 65535, got ",
        said(options.worker, { count = count }))
    end
  end)

  it("may name one of several replicas", function()
    assert.equal("", said(options.worker, { after = { "db/2" } }))
    assert.matches('^it%.after%[1%]: "db/0": only count gives numbers to workers',
      said(options.worker, { after = { "db/0" } }))
    assert.matches('^it%.after%[1%]: should be a name', said(options.worker, { after = { "/2" } }))
    assert.matches('^it%.sends%[1%]: "db/2": only count', said(options.worker, { sends = { "db/2" } }))
  end)

  it("name the nearest key", function()
    assert.equal('it.restrat: unknown key "restrat"; did you mean "restart"? known: after, args, count, critical, '
      .. "cron, every, first, grace, isolation, libraries, memory_limit, no_restart_codes, on_exit, process, ready, "
      .. "receives, restart, sends, start_timeout, tz, watchdog",
      said(options.worker, { restrat = "never" }))
  end)

  it("refuse an isolation that is none", function()
    assert.equal('it.isolation: should be "thread", "fiber" or "process", got "cloud"',
      said(options.worker, { isolation = "cloud" }))
  end)

  it("take limits, and false for none", function()
    for _, value in ipairs({ 65536, "64KB", "64 MiB", "1G", false }) do
      assert.equal("", said(options.worker, { memory_limit = value }))
    end
    for _, value in ipairs({ 0, 65535, "63KB", "64mb", "much", 1e5 + 0.5, -1, true }) do
      assert.matches('^it%.memory_limit: should be a number of bytes, or a size such as "64MB", 64 KB or more, or '
        .. "false for none, got ", said(options.worker, { memory_limit = value }))
    end
    for _, value in ipairs({ 0.01, 1, 3600, false }) do
      assert.equal("", said(options.worker, { watchdog = value }))
    end
    for _, value in ipairs({ 0, -1, "1s", true, math.huge, 0 / 0 }) do
      assert.matches("^it%.watchdog: should be false for none, or a number of seconds, 0%.01 or more, got ",
        said(options.worker, { watchdog = value }))
    end
  end)

  it("refuse a plug-in's limits", function()
    assert.equal("it.libraries: is for workers in Lua, not for plug-ins\n"
      .. "it.memory_limit: is for workers in Lua, not for plug-ins\n"
      .. "it.watchdog: is for workers in Lua, not for plug-ins",
      said(options.entry, { native = "x.so", libraries = "eager", memory_limit = "1MB", watchdog = 1 }))
    assert.equal("", said(options.entry, { native = "x.so", memory_limit = false, watchdog = false }))
  end)

  it("refuse times that are none", function()
    for _, value in ipairs({ -1, 0 / 0, math.huge, "1s", true }) do
      assert.matches("^it%.grace: should be a number of seconds, 0 or more, got ",
        said(options.worker, { grace = value }))
    end
  end)

  it("say what was given where a list belongs", function()
    assert.equal('it.after: should be a list of workers\' names such as { "db" }, got "db"',
      said(options.worker, { after = "db" }))
    assert.equal('it.after: should be a list of workers\' names such as { "db" }, got a table',
      said(options.worker, { after = { db = true } }))
    assert.equal('it.after[2]: "db" is listed twice', said(options.worker, { after = { "db", "db" } }))
    assert.matches("^it%.sends%[1%]: should be a name of 1 to 64 letters", said(options.worker, { sends = { "a b" } }))
  end)

  it("refuse exit codes that are none", function()
    assert.equal("it.no_restart_codes: should be a list of exit codes such as { 2 }, got 2",
      said(options.worker, { no_restart_codes = 2 }))
    assert.equal("it.no_restart_codes[2]: should be an exit code from 1 to 255, got 256",
      said(options.worker, { no_restart_codes = { 3, 256 } }))
    assert.equal("it.critical: should be true or false, got 1", said(options.worker, { critical = 1 }))
  end)

  it("refuse arguments that cannot be sent, with their path", function()
    assert.matches("^it%.args: can't send a function %(at .*on_done%)$",
      said(options.worker, { args = { on_done = print } }))
  end)

  it("tell every mistake", function()
    local text = said(options.worker, { grace = -1, ready = true, restart = { delay = "x", policy = "sometimes" } })
    assert.equal(4, select(2, text:gsub("[^\n]+", "")))
  end)

  it("refuse what is no table", function()
    assert.equal('it: should be a table such as { restart = "on_failure" }, got "on_failure"',
      said(options.worker, "on_failure"))
  end)
end)

describe("restart", function()
  it("is a word or a table, which means on_failure", function()
    local problems = Problems.new()
    assert.same({ policy = "never" }, options.restart("never", "it", problems))
    assert.same({ policy = "on_failure", delay = 1 }, options.restart({ delay = 1 }, "it", problems))
    assert.equal(0, #problems)
  end)

  it("refuses other words and types", function()
    assert.equal('it: should be "never", "on_failure" or "always", got "on-failure"; did you mean "on_failure"?',
      said(options.restart, "on-failure"))
    assert.equal('it: should be "never", "on_failure", "always" or a table such as { delay = 0.1 }, got true',
      said(options.restart, true))
    assert.equal("it.factor: should be a number, 1 or more, got 0.5", said(options.restart, { factor = 0.5 }))
    assert.equal("it.jitter: should be a share from 0 to 1, got 2", said(options.restart, { jitter = 2 }))
  end)

  it("refuses a delay above the longest", function()
    assert.equal("it.delay: should be at most max_delay (30 s, its default), got 60",
      said(options.restart, { delay = 60 }))
    assert.equal("it.delay: should be at most max_delay (1 s), got 2",
      said(options.restart, { delay = 2, max_delay = 1 }))
    assert.equal("", said(options.restart, { delay = 60, max_delay = 60 }))
  end)

  it("refuses an intensity that is none", function()
    assert.equal("", said(options.restart, { max_restarts = 3, window = 5 }))
    assert.equal("it.window: limits nothing without max_restarts: say how many restarts in it",
      said(options.restart, { window = 5 }))
    assert.equal("it.max_restarts: should be a number of restarts from 0 to 65536, got -1",
      said(options.restart, { max_restarts = -1 }))
    assert.equal("it.max_restarts: should be a number of restarts from 0 to 65536, got 1.5",
      said(options.restart, { max_restarts = 1.5 }))
    assert.equal("it.window: should be a number of seconds, 0 or more, got -1",
      said(options.restart, { max_restarts = 1, window = -1 }))
  end)
end)

describe("a restart budget", function()
  it("says how many in which time", function()
    local function budget(given) return said(options.chief, { restart_budget = given }) end
    assert.equal("", budget({ max_restarts = 0, window = 1 }))
    assert.equal("it.restart_budget.max_restarts: is missing: say how many restarts all workers together may have",
      budget({ window = 1 }))
    assert.equal("it.restart_budget: should be a table such as { max_restarts = 100, window = 60 }, got 5", budget(5))
  end)
end)

describe("what runs", function()
  it("is a module's name", function()
    assert.equal("", said(options.module, "workers.api"))
    assert.equal("", said(options.module, "my_worker"))
    assert.equal('it: should be the name of a module, as for require, such as "workers.api", got "workers/api.lua"',
      said(options.module, "workers/api.lua"))
    assert.matches("^it: should be the name of a module", said(options.module, ""))
    assert.matches("^it: should be the name of a module, or a function, got 3$", said(options.module, 3))
  end)

  it("is no table: the module's name belongs there", function()
    assert.matches("^it: is a table: give the module's name", said(options.module, { run = print }))
  end)

  it("is a function that captures nothing", function()
    assert.equal("", said(options.module, function(ctx) return ctx:sleep(1) end))
    local database = {}
    assert.matches("database", said(options.module, function() return database end))
  end)
end)

describe("a channel's options", function()
  it("are all accepted together", function()
    assert.equal("", said(options.channel, { capacity = 1, overflow = "drop_oldest", delivery = "at_least_once",
      max_deliveries = 0, dead = "morgue", max_message = 1024 }))
  end)

  it("refuse what cannot be", function()
    assert.equal("it.capacity: should be a number of messages from 1 to 4294967295, got 0",
      said(options.channel, { capacity = 0 }))
    assert.equal("it.capacity: should be a number of messages from 1 to 4294967295, got 1.5",
      said(options.channel, { capacity = 1.5 }))
    assert.equal('it.overflow: should be "block", "drop_oldest" or "fail", got "drop"; did you mean "drop_oldest"?',
      said(options.channel, { overflow = "drop" }))
    assert.equal('it.max_message: should be a number of bytes, 1 or more, got "16MB"',
      said(options.channel, { max_message = "16MB" }))
    assert.equal("it.transport: not in this version yet", said(options.channel, { transport = "nats" }))
  end)
end)

describe("a mistake in a program", function()
  it("is an error that names the call", function()
    local ok, message = pcall(function() options.demand(options.channel, { capacty = 1 }, 'add_channel("a")') end)
    assert.is_false(ok)
    assert.matches('add_channel%("a"%): capacty: unknown key "capacty"; did you mean "capacity"%?', message)
  end)

  it("shows a long value cut, and no control characters", function()
    assert.equal('"' .. ("x"):rep(40) .. '…"', schema.describe(("x"):rep(100)))
    assert.equal('"a?b"', schema.describe("a\27b"))
  end)
end)
