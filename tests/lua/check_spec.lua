local App = require "chief.app"
local Problems = require "chief.problems"
local columns = require "chief.columns"
local configuration = require "chief.configuration"
local core = require "chief.core"

local function waits() return true end

local function app_of(given)
  local problems = Problems.new()
  local app = App.check(given, problems)
  assert.equal("", problems:text())
  app.file = "app.lua"
  return app
end

local GIVEN = {
  name = "pictures",
  force_stop_timeout = 20,
  channels = { uploads = { capacity = 8, delivery = "at_least_once", max_deliveries = 0 } },
  workers = {
    api = { module = waits, sends = { "uploads" }, after = { "resizer" }, restart = "always", grace = 3 },
    resizer = { module = waits, receives = { "uploads" }, restart = { delay = 0.5 }, ready = "explicit" },
    ticker = { module = waits },
  },
}

local function by_name(list)
  local result = {}
  for _, item in ipairs(list) do result[item.name] = item end
  return result
end

describe("the effective configuration", function()
  it("says what the application says of itself", function()
    local given = { name = "pictures", workers = { api = { module = waits } } }
    assert.matches("^app%.lua: no mistakes; pictures, 1 worker,", configuration.text(configuration.of(app_of(given))))
    given.info = { version = "1.2.3" }
    assert.matches("no mistakes; pictures 1%.2%.3, 1 worker,", configuration.text(configuration.of(app_of(given))))
    given.info = { build = "5f3c2a1", tag = "staging", version = "2" }
    local of = configuration.of(app_of(given))
    assert.matches("pictures 2 %(build 5f3c2a1, tag staging%), 1 worker,", configuration.text(of))
    assert.same(given.info, core.json_decode(configuration.json(of)).info)
  end)

  it("has every default filled in", function()
    local of = configuration.of(app_of(GIVEN))
    assert.equal(20, of.force_stop_timeout)
    assert.equal(30, of.init_timeout)
    assert.equal(5, of.hook_timeout)
    assert.equal(0.1, of.force_time)
    assert.is_false(of.keep)
    assert.same({ level = "info", format = "text" }, of.log)
    local uploads = of.channels[1]
    assert.equal("block", uploads.overflow)
    assert.equal(16777216, uploads.max_message)
    assert.same({ "api" }, uploads.sends)
    assert.same({ "resizer" }, uploads.receives)
  end)

  it("says who is restarted, how, and by whose word", function()
    local workers = by_name(configuration.of(app_of(GIVEN)).workers)
    assert.same({ policy = "always", delay = 0.1, factor = 2, max_delay = 30, jitter = 0.2, from = "app file" },
      workers.api.restart)
    assert.equal(0.5, workers.resizer.restart.delay)
    assert.equal("on_failure", workers.resizer.restart.policy)
    assert.same({ policy = "never", from = "default" }, workers.ticker.restart)
  end)

  it("takes the module's word where the app file says nothing", function()
    local app = app_of(GIVEN)
    app.workers[3].found = { restart_on_fail = true, ready = true }
    local ticker = by_name(configuration.of(app).workers).ticker
    assert.equal("on_failure", ticker.restart.policy)
    assert.equal("module", ticker.restart.from)
    assert.equal("explicit", ticker.ready)
  end)

  it("has the level of each worker, among those that run", function()
    local workers = by_name(configuration.of(app_of(GIVEN)).workers)
    assert.equal(2, workers.api.level)
    assert.equal(1, workers.resizer.level)
    local alone = configuration.of(app_of(GIVEN), { "api" })
    assert.equal(1, #alone.workers)
    assert.equal(1, alone.workers[1].level)
    assert.same({ "channel uploads: resizer, its receiver, does not run here" }, alone.warnings)
  end)

  it("has the replicas, or those that would run", function()
    local given = { workers = { db = { module = waits, count = 2 }, api = { module = waits, after = { "db/2" } } } }
    local workers = by_name(configuration.of(app_of(given)).workers)
    assert.equal(2, workers.db.count)
    assert.same({ "db/1", "db/2" }, workers.db.replicas)
    assert.equal(1, workers.api.count)
    assert.is_nil(workers.api.replicas)
    assert.equal(2, workers.api.level)
    assert.matches("app%.lua: no mistakes; chief, 3 workers, 0 channels\n.*\n1 +db ×2 +function",
      configuration.text(configuration.of(app_of(given))))
    local some = configuration.of(app_of(given), { "db/2" })
    assert.same({ "db/2" }, some.workers[1].replicas)
    assert.matches("chief, 1 worker, .*\n1 +db/2 +function", configuration.text(some))
  end)

  it("is JSON", function()
    local read = core.json_decode(configuration.json(configuration.of(app_of(GIVEN))))
    assert.is_true(read.ok)
    assert.equal("pictures", read.name)
    assert.equal("resizer", read.workers[1].after[1])
    assert.equal("always", read.workers[1].restart.policy)
    assert.equal(8, read.channels[1].capacity)
  end)
end)

describe("the configuration for people", function()
  local text = configuration.text(configuration.of(app_of(GIVEN)))

  it("lists the workers in the order they start", function()
    local order = {}
    for name in text:gmatch("\n%d +(%S+)") do order[#order + 1] = name end
    assert.same({ "resizer", "ticker", "api" }, order)
  end)

  it("says what is restarted and what not", function()
    assert.matches("restarted after a failure: +resizer\n", text)
    assert.matches("restarted always: +api\n", text)
    assert.matches("not restarted: +ticker\n", text)
    assert.matches("resizer .* on failure, after 0%.5 s, then ×2 up to 30 s\n", text)
  end)

  it("says who is given up when, and who is critical", function()
    local given = { workers = { db = { module = function() end, critical = true, no_restart_codes = { 2, 64 },
      restart = { max_restarts = 5 } } } }
    local of = configuration.of(app_of(given))
    assert.equal(30, of.workers[1].restart.window)
    assert.is_true(of.workers[1].critical)
    assert.same({ 2, 64 }, of.workers[1].no_restart_codes)
    local shown = configuration.text(of)
    assert.matches("on failure, .* up to 30 s, 5 in 30 s at most, not after exit code 2, 64\n", shown)
    assert.matches("critical, given up ends all: +db\n", shown)
  end)

  it("shows the groups and the budget", function()
    local given = { restart_budget = { max_restarts = 9 },
      groups = { g = { policy = "one_for_all", workers = { "b", "a" } } },
      workers = { a = { module = function() end }, b = { module = function() end } } }
    local of = configuration.of(app_of(given))
    assert.same({ { name = "g", policy = "one_for_all", workers = { "b", "a" } } }, of.groups)
    assert.same({ max_restarts = 9, window = 60 }, of.restart_budget)
    local shown = configuration.text(of)
    assert.matches("GROUP +RESTARTS +WORKERS\ng +one for all +b, a\n", shown)
    assert.matches("more than 9 restarts of all together in 60 s end it with exit code 70\n", shown)
    assert.is_nil(shown:find(" \n"))
  end)

  it("shows the limits, a worker's own before those for all", function()
    local of = configuration.of(app_of { memory_limit = "64MB", watchdog = 2.5, workers = {
      a = { module = function() end, memory_limit = "1 MiB" }, b = { module = function() end, watchdog = false },
      c = { module = function() end, memory_limit = false, watchdog = false }, } })
    assert.equal(1024 * 1024, of.workers[1].memory_limit)
    assert.matches("WORKER +MEMORY +WATCHDOG\na +1 MiB +2%.5 s\nb +64 MiB +%-\n\n", configuration.text(of))
    assert.is_nil(text:find("WATCHDOG"))
    local plugin = App.check({ watchdog = 1, workers = { p = { native = "p.so" } } }, Problems.new(), nil, false)
    assert.is_nil(plugin.workers[1].options.watchdog)
  end)

  it("says when it ends", function()
    assert.matches("a stop takes 20 s at most; ends when nothing is left to run\n", text)
  end)

  it("shows the channels", function()
    assert.matches("\nuploads +8 +block +at_least_once +no limit +%- +16 MiB +api +resizer\n", text)
    local shown = configuration.text(configuration.of(app_of {
      channels = { once = {}, five = { delivery = "at_least_once", dead = "once" }, two = { delivery = "at_least_once",
        max_deliveries = 2 } },
      workers = { a = { module = function() return true end } },
    }))
    assert.matches("\nfive +64 +block +at_least_once +5 +to once ", shown)
    assert.matches("\nonce +64 +block +at_most_once +1 +dropped ", shown)
    assert.matches("\ntwo +64 +block +at_least_once +2 +dropped ", shown)
  end)

  it("has no white space at the end of a line", function() assert.is_nil(text:find(" \n")) end)

  it("warns", function()
    local alone = configuration.text(configuration.of(app_of(GIVEN), { "api" }))
    assert.matches("\nwarning: channel uploads: resizer, its receiver, does not run here\n$", alone)
  end)
end)

describe("columns", function()
  it("are as wide as their widest cell, counted in letters", function()
    assert.equal("A   B\n×2  b\n", columns.render({ { "A", "B" }, { "×2", "b" } }))
    assert.equal("A     B\nlong  b\n", columns.render({ { "A", "B" }, { "long", "b" } }))
  end)
end)
