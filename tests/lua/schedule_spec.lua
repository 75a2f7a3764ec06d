-- Workers that run by a schedule, and the ready-made ways to say so.
local app_folder = require "app_folder"
local App = require "chief.app"
local Problems = require "chief.problems"
local chief = require "chief"
local configuration = require "chief.configuration"
local core = require "chief.core"

local root = app_folder.make({
  ["spec_counts.lua"] = [[
    return { init = function() return { runs = 0 } end, run = function(self, ctx)
      self.runs = self.runs + 1
      ctx:send("collector", { self.runs, ctx.generation, ctx.args.word or "" })
      if self.runs == ctx.args.fail_at then return nil, "oops" end
      return true
    end }]],
})
local path = package.path
setup(function() package.path = root .. "/?.lua;" .. path end)
teardown(function()
  package.path = path
  app_folder.remove(root)
end)

-- Ends when it has received n messages, which it passes on to the channel `seen`.
local function collector(n)
  return function(ctx)
    local seen = ctx:channel("seen")
    for _ = 1, ctx.args.n do seen:send((ctx:recv())) end
    return true
  end, { args = { n = n } }
end

-- What the first n runs of a worker tell.
local function run(n, worker, options)
  local c = chief.new({ log = { level = "off" } })
  assert(c:add_channel("seen", { capacity = 100 }))
  assert(c:add_worker("collector", collector(n)))
  assert(c:add_worker("job", worker, options))
  assert(c:init_workers())
  assert(c:launch())
  assert(c:wait("collector", "stopped", 10))
  local seen, channel = {}, c:channel("seen")
  for i = 1, n do seen[i] = assert(channel:recv(0)) end
  local states = c:states()
  c:stop()
  c:join()
  return seen, states
end

describe("a scheduled worker", function()
  it("runs again and again in one life", function()
    local seen, states = run(3, "spec_counts", { every = 0.002 })
    assert.same({ { 1, 1, "" }, { 2, 1, "" }, { 3, 1, "" } }, seen)
    assert.equal("run", states.job)
  end)

  it("begins anew when a run fails", function()
    local seen = run(3, "spec_counts", { every = 0.002, args = { fail_at = 2 }, restart = { delay = 0.001 } })
    assert.same({ { 1, 1, "" }, { 2, 1, "" }, { 1, 2, "" } }, seen)
  end)

  it("is a preset, too", function()
    local seen = run(2, chief.job({ every = 0.002, run = "spec_counts", args = { word = "hello" } }))
    assert.same({ { 1, 1, "hello" }, { 2, 1, "hello" } }, seen)
    seen = run(2, chief.job({ every = 3600, run = "spec_counts", args = { word = "hello" } }),
      { every = 0.002, args = { word = "above" } })
    assert.same({ { 1, 1, "above" }, { 2, 1, "above" } }, seen)
    seen = run(1, chief.func(function(ctx) ctx:send("collector", { ctx.args.word }) return true end,
      { args = { word = "func" } }))
    assert.same({ { "func" } }, seen)
    seen = run(2, chief.job({ every = 0.002, run = function(ctx) ctx:send("collector", { ctx.name }) return true end }))
    assert.same({ { "job" }, { "job" } }, seen)
  end)

  it("by cron waits for its time, and a stop ends the wait", function()
    local c = chief.new({ log = { level = "off" } })
    assert(c:add_worker("report", chief.cron({ cron = "0 0 1 1 *", tz = "UTC", run = "spec_counts" })))
    assert(c:init_workers())
    assert(c:launch())
    assert(c:wait_ready(10))
    assert.same({ report = "run" }, c:states())
    c:stop()
    assert.is_true(c:join(10))
  end)
end)

describe("a preset", function()
  it("says at once what is wrong, where it is called", function()
    local function wrong(pattern, fn, ...)
      local ok, message = pcall(fn, ...)
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    wrong('chief%.job: should be a table such as { every = 5, run = "workers%.sweep" }, got 5', chief.job, 5)
    wrong("chief%.job: run: is missing", chief.job, { every = 5 })
    wrong("chief%.job: every: is missing", chief.job, { run = "x" })
    wrong("chief%.job: every: should be a number of seconds, 0%.001 or more, got 0", chief.job,
      { every = 0, run = "x" })
    wrong("chief%.cron: cron: is missing", chief.cron, { run = "x" })
    wrong('chief%.cron: cron: cron "61 %* %* %* %*": minute should be 0 to 59, got 61', chief.cron,
      { cron = "61 * * * *", run = "x" })
    wrong('chief%.cron: tz: no time zone is called "Europe/Berln"', chief.cron,
      { cron = "@daily", tz = "Europe/Berln", run = "x" })
    wrong('chief%.cron: crn: unknown key "crn"; did you mean "cron"', chief.cron,
      { cron = "@daily", crn = 1, run = "x" })
    wrong("chief%.func: should be a function, got \"x\"", chief.func, "x")
    local captured = 1
    wrong("chief%.func: module: .*captured", chief.func, function() return captured end)
    local ok, message = pcall(function() chief.job({ every = 5 }) end)
    assert.is_false(ok)
    assert.matches("schedule_spec%.lua:%d+: chief%.job", message)
    ok, message = pcall(function() local made = chief.job({ every = "5", run = "x" }) return made end)
    assert.is_false(ok)
    assert.matches("schedule_spec%.lua:%d+: chief%.job", message)
  end)
end)

local function check(workers)
  local problems = Problems.new("app.lua")
  local app = App.check({ workers = workers }, problems, nil)
  return app, problems:text()
end

local function does_nothing() return true end

describe("an app file", function()
  it("has the fields of a schedule, and presets", function()
    local app, problems = check({
      sweep = { module = does_nothing, every = 5, first = "later" },
      report = { module = does_nothing, cron = "0 3 * * *", tz = "UTC" },
      made = chief.job({ every = 60, run = does_nothing }),
    })
    assert.equal("", problems)
    app.file = "app.lua"
    local of = configuration.of(app)
    local by_name = {}
    for _, worker in ipairs(of.workers) do by_name[worker.name] = worker end
    assert.same({ every = 5, first = "later" }, by_name.sweep.schedule)
    assert.same({ every = 60, first = "now" }, by_name.made.schedule)
    assert.equal("0 3 * * *", by_name.report.schedule.cron)
    assert.equal(5, #by_name.report.schedule.next)
    for _, time in ipairs(by_name.report.schedule.next) do
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT03:00:00%+00:00$", time)
    end
    local text = configuration.text(of)
    assert.matches("\nWORKER +RUNS +NEXT\nmade +every 60 s, first at once +at once\n" ..
      "report +at 0 3 %* %* %* in UTC +%d%d%d%d[^\n]+03:00:00%+00:00\n" .. (" +%d%d%d%d[^\n]+\n"):rep(4) ..
      "sweep +every 5 s, first after that +5 s after the start\n", text)
    assert.equal("0 3 * * *", core.json_decode(configuration.json(of)).workers[2].schedule.cron)
  end)

  it("is told what does not go together", function()
    local function wrong(pattern, entry)
      entry.module = does_nothing
      local _, problems = check({ job = entry })
      assert.matches(pattern, problems)
    end
    wrong("app.lua: workers%.job%.cron: is beside every: a worker runs by one of them", { every = 5, cron = "@daily" })
    wrong("workers%.job%.first: says when `every` begins, and there is no every", { first = "now" })
    wrong("workers%.job%.tz: says where `cron` is meant, and there is no cron", { tz = "UTC" })
    wrong('workers%.job%.first: should be "now" or "later", got "soon"', { every = 5, first = "soon" })
    wrong('workers%.job%.cron: should be a cron expression such as "30 2 %* %* mon%-fri" or "@daily", got 5',
      { cron = 5 })
    wrong('workers%.job%.tz: should be a time zone such as "Europe/Berlin", got 1', { cron = "@daily", tz = 1 })
  end)
end)

describe("the times of a cron expression", function()
  it("can be asked for", function()
    local times = assert(chief.cron_times("30 2 * * *",
      { tz = "CET-1CEST,M3.5.0,M10.5.0/3", from = 1774702800, n = 2 }))
    assert.same({ { time = 1774746000, text = "2026-03-29T03:00:00+02:00" },
      { time = 1774830600, text = "2026-03-30T02:30:00+02:00" } }, times)
    assert.equal(5, #chief.cron_times("@hourly"))
    assert.same({}, chief.cron_times("@hourly", { n = 0 }))
    local _, message, code = chief.cron_times("@hourl")
    assert.matches("there are @hourly", message)
    assert.equal("invalid", code)
    _, message, code = chief.cron_times("@daily", { tz = "Nosuch/Zone" })
    assert.matches("no time zone is called", message)
    assert.equal("not_found", code)
    assert.error_matches(function() core.cron_times("@daily", nil, 0 / 0) end, "seconds since 1970")
  end)
end)
