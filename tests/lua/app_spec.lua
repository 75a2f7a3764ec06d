local App = require "chief.app"
local Problems = require "chief.problems"
local app_folder = require "app_folder"
local graph = require "chief.graph"

local WORKER = "return { run = function() return true end }\n"

-- What App.load says about these files, the folder's own path left out.
local function load(files)
  local root = app_folder.make(files)
  local app, problems = App.load(root .. "/app.lua")
  app_folder.remove(root)
  local plain = root:gsub("%p", "%%%0")
  return app, (problems:text():gsub(plain .. "/", "")), problems
end

local function said(text, more)
  local files = { ["app.lua"] = text, ["workers/a.lua"] = WORKER, ["workers/b.lua"] = WORKER }
  for path, content in pairs(more or {}) do files[path] = content end
  local _, message = load(files)
  return message
end

-- What is said about a table that an app file could return.
local function checked(given)
  local problems = Problems.new()
  local app = App.check(given, problems)
  return problems:text(), app
end

describe("an app file", function()
  it("is read with its modules beside it", function()
    local app, message = load({
      ["app.lua"] = [[
        local names = require "lib.names"
        return { name = names.app, workers = { a = { module = "workers.a" } } }]],
      ["lib/names.lua"] = 'return { app = "pictures" }',
      ["workers/a.lua"] = "local M = { restart_on_fail = true } function M.run() end return M",
    })
    assert.equal("", message)
    assert.equal("pictures", app.name)
    assert.same({ "a" }, app:names())
    assert.is_true(app.workers[1].found.restart_on_fail)
    package.loaded["lib.names"] = nil
  end)

  it("leaves package.path as it was, also when it raises", function()
    local path, cpath = package.path, package.cpath
    said('error("no")')
    assert.equal(path, package.path)
    assert.equal(cpath, package.cpath)
  end)

  it("may begin with the kernel's line", function()
    assert.equal("", said('#!/usr/bin/env chief\nreturn { workers = { a = { module = "workers.a" } } }'))
  end)

  it("is missing", function()
    local app, problems = App.load("nowhere/app.lua")
    assert.is_nil(app)
    assert.equal("nowhere/app.lua: cannot be read: No such file or directory", problems:text())
  end)

  it("is a folder", function()
    local _, problems = App.load(".")
    assert.equal(".: cannot be read: Is a directory", problems:text())
  end)

  it("has a syntax error, shown with its line", function()
    assert.equal("app.lua:2: syntax error: '}' expected (to close '{' at line 1) near 'workers'",
      said('return { name = "x"\nworkers = {} }'))
  end)

  it("is no compiled code", function()
    assert.matches("^app%.lua: syntax error: attempt to load a binary chunk", said(string.dump(function() end)))
  end)

  it("raises while loading, shown with its line", function()
    assert.equal("app.lua:2: raised while loading: oops", said('\nerror("oops")'))
    assert.equal("app.lua:1: raised while loading: PORT should be a number",
      said('error("PORT should be a number", 0)'))
    assert.equal("app.lua:1: raised while loading: error object is a table", said("error({})"))
    assert.matches("^app%.lua:1: raised while loading: attempt to index a nil value %(global 'nothing'%)$",
      said("return nothing.there"))
  end)

  it("is told of what its metamethods raise", function()
    assert.equal("app.lua: raised while it was read: boom",
      said("return setmetatable({}, { __pairs = function() error('boom', 0) end })"))
    assert.equal("app.lua: raised while it was read: error object is a table",
      said("return setmetatable({}, { __pairs = error })"))
  end)

  it("raises in a module it requires, shown with both lines", function()
    local message = said('\nlocal x = require "lib.bad"\nreturn x', { ["lib/bad.lua"] = "\n\n\nerror('deep')" })
    assert.matches("^app%.lua:2: raised while loading: .*lib/bad%.lua:4: deep", message)
  end)

  it("returns no table", function()
    assert.equal("app.lua: should return a table such as { name = …, workers = { … } }, got nil; is there a return "
      .. "at the end of the file?", said("local app = {}"))
    assert.equal("app.lua: should return a table such as { name = …, workers = { … } }, got 7", said("return 7"))
  end)

  it("has a typo in a key", function()
    local message = said('return { worklers = { a = { module = "workers.a" } } }')
    assert.matches('app%.lua: worklers: unknown key "worklers"; did you mean "workers"%? known: channels, ', message)
    assert.matches("app%.lua: workers: is missing: say what runs", message)
  end)

  it("has a typo in a worker's key", function()
    assert.matches('^app%.lua: workers%.a%.restrat: unknown key "restrat"; did you mean "restart"%?',
      said('return { workers = { a = { module = "workers.a", restrat = "never" } } }'))
  end)

  it("names a module that does not exist", function()
    assert.matches('^app%.lua: workers%.a%.module: no module "workers%.nosuch" found: there should be '
      .. "workers/nosuch%.lua, ", said('return { workers = { a = { module = "workers.nosuch" } } }'))
  end)

  it("names a module with a syntax error, shown with its line", function()
    assert.matches("^app%.lua: workers%.a%.module: .*workers/bad%.lua:2: ",
      said('return { workers = { a = { module = "workers.bad" } } }', { ["workers/bad.lua"] = "\nlocal = 1" }))
  end)

  it("names a module without run", function()
    assert.matches("^app%.lua: workers%.a%.module: .*run",
      said('return { workers = { a = { module = "workers.bad" } } }', { ["workers/bad.lua"] = "return {}" }))
  end)

  it("names a module that raises", function()
    assert.matches("^app%.lua: workers%.a%.module: .*oops",
      said('return { workers = { a = { module = "workers.bad" } } }', { ["workers/bad.lua"] = "error('oops')" }))
  end)

  it("names a module that requires one that does not exist, without every folder that was looked in", function()
    local message = said('return { workers = { a = { module = "workers.bad" } } }',
      { ["workers/bad.lua"] = 'require "nosuchlib"' })
    assert.matches("^app%.lua: workers%.a%.module: .*workers/bad%.lua:1: module 'nosuchlib' not found$", message)
  end)

  it("names a plug-in that does not exist", function()
    assert.matches('workers%.a%.isolation: "fiber" is for workers in Lua',
      said('return { workers = { a = { native = "nosuch.so", isolation = "fiber" } } }'))
    local plain = said('return { isolation = "fiber", workers = { a = { native = "nosuch.so" } } }')
    assert.is_nil(plain:find("isolation"))
    assert.matches('^app%.lua: workers%.a%.native: plug%-in "nosuch%.so" not found',
      said('return { workers = { a = { native = "nosuch.so" } } }'))
  end)

  it("tells every mistake at once", function()
    local _, message, problems = load({
      ["app.lua"] = [[
        return {
          nme = "x", keep = "yes", force_stop_timeout = -1,
          channels = { uploads = { capacty = 1 }, thumbs = { dead = "morgue" } },
          workers = {
            a = { module = "workers.nosuch", restart = { delay = "1s" }, after = { "bb" } },
            b = { module = "workers.b", sends = { "uplods" }, watchdog = 0 },
            c = {},
          },
        }]],
      ["workers/b.lua"] = WORKER,
    })
    local keys = {}
    for i, problem in ipairs(problems) do keys[i] = problem.key end
    table.sort(keys)
    assert.same({ "channels.thumbs.dead", "channels.uploads.capacty", "force_stop_timeout", "keep", "nme",
      "workers.a.after[1]", "workers.a.module", "workers.a.restart.delay", "workers.b.sends[1]",
      "workers.b.watchdog", "workers.c.module" }, keys, message)
    for line in message:gmatch("[^\n]+") do assert.matches("^app%.lua: ", line) end
  end)
end)

describe("an app's workers", function()
  local function waits() return true end

  it("are sorted by name in the map form", function()
    local message, app = checked({ workers = { b = { module = waits }, a = { module = waits } } })
    assert.equal("", message)
    assert.same({ "a", "b" }, app:names())
  end)

  it("keep their order in the list form", function()
    local message, app = checked({ workers = { { name = "b", module = waits }, { name = "a", module = waits } } })
    assert.equal("", message)
    assert.same({ "b", "a" }, app:names())
  end)

  it("have each a name of its own", function()
    assert.equal('workers[3].name: "a" is taken by workers[1]; each worker needs a name of its own',
      (checked({ workers = { { name = "a", module = waits }, { name = "b", module = waits },
        { name = "a", module = waits } } })))
  end)

  it("are checked in the list form like in the map form", function()
    assert.equal('workers[1].name: is missing: in a list each worker says its name, such as name = "api"',
      (checked({ workers = { { module = waits } } })))
    assert.matches('^workers%[1%]%.grce: unknown key "grce"; did you mean "grace"%?',
      (checked({ workers = { { name = "a", module = waits, grce = 1 } } })))
  end)

  it("are no mixture of both forms", function()
    assert.matches("^workers: has both workers by name and a list",
      (checked({ workers = { { name = "a", module = waits }, b = { module = waits } } })))
  end)

  it("are named rightly", function()
    assert.matches('^workers%["a b"%]: should be a name of 1 to 64 letters',
      (checked({ workers = { ["a b"] = { module = waits } } })))
  end)

  it("are not none", function()
    assert.matches("^workers: names no worker", (checked({ workers = {} })))
    assert.matches("^workers: should be a table of workers, .*, got 3$", (checked({ workers = 3 })))
    assert.matches('^workers%.a: should be a table such as { module = "workers%.api" }, got "workers%.a"$',
      (checked({ workers = { a = "workers.a" } })))
  end)

  it("run one thing", function()
    assert.equal('workers.a.module: is missing: say what runs, such as module = "workers.api"',
      (checked({ workers = { a = { grace = 1 } } })))
    assert.matches("^workers%.a: has both module and native",
      (checked({ workers = { a = { module = waits, native = "a.so" } } })))
  end)

  it("wait for workers there are", function()
    assert.equal('workers.a.after[1]: no worker is called "bd"; did you mean "db"? known: a, db',
      (checked({ workers = { a = { module = waits, after = { "bd" } }, db = { module = waits } } })))
  end)

  it("may wait for one that is wrong itself", function()
    assert.equal('workers.b.module: is missing: say what runs, such as module = "workers.api"',
      (checked({ workers = { a = { module = waits, after = { "b" } }, b = {} } })))
  end)

  it("do not wait for each other in a circle", function()
    local function after(...) return { module = waits, after = { ... } } end
    assert.equal("workers.a.after: is a circle in which none could start: a → b → c → a",
      (checked({ workers = { a = after("b"), b = after("c"), c = after("a"), d = after("a") } })))
    assert.equal("workers.a.after: is a circle in which none could start: a → a",
      (checked({ workers = { a = after("a") } })))
    local both = checked({ workers = { a = after("b"), b = after("a"), c = after("d"), d = after("c") } })
    assert.matches("a → b → a", both)
    assert.matches("c → d → c", both)
  end)

  it("use channels there are", function()
    assert.equal('workers.a.sends[1]: no channel is called "uplods"; did you mean "uploads"? known: uploads',
      (checked({ channels = { uploads = {} }, workers = { a = { module = waits, sends = { "uplods" } } } })))
    assert.equal('workers.a.receives[1]: no channel is called "uploads"; there is none',
      (checked({ workers = { a = { module = waits, receives = { "uploads" } } } })))
  end)
end)

describe("an app's channels", function()
  local workers = { a = { module = function() return true end } }

  it("have names", function()
    assert.equal("channels[1]: has no name: write uploads = {}",
      (checked({ channels = { "uploads" }, workers = workers })))
    assert.matches("^channels: should be a table such as", (checked({ channels = "uploads", workers = workers })))
  end)

  it("send dead messages to another channel", function()
    assert.matches('^channels%.a%.dead: no channel is called "morg"; did you mean "morgue"%?',
      (checked({ channels = { a = { dead = "morg" }, morgue = {} }, workers = workers })))
    assert.matches("^channels%.a%.dead: names the channel itself",
      (checked({ channels = { a = { dead = "a" } }, workers = workers })))
  end)
end)

describe("an app's replicas", function()
  local function waits() return true end

  local function with(workers) return checked({ workers = workers }) end

  it("are named as one and one by one", function()
    local message, app = with({
      { name = "db", module = waits, count = 3 }, { name = "api", module = waits, after = { "db", "db/3" }, count = 1 },
    })
    assert.equal("", message)
    assert.same({ "db", "api" }, app:names())
    assert.same({ "db/1", "db/2", "db/3", "api" }, app:replicas())
    assert.same({ "db" }, { app:select({ "db/2", "db/3" })[1].name })
    assert.same({ "db/2", "db/3" }, app.workers[1]:chosen({ "db/3", "db/2" }))
    assert.same({ "db/1", "db/2", "db/3" }, app.workers[1]:chosen({ "db" }))
    assert.same({}, app.workers[1]:chosen({ "api" }))
  end)

  it("that are none are told from what there is", function()
    local workers = { api = { module = waits, after = { "db/3" } }, db = { module = waits, count = 2 } }
    assert.equal('workers.api.after[1]: "db/3" is none of the workers: db has a count of 2', (with(workers)))
    workers.db.count = nil
    assert.equal('workers.api.after[1]: "db/3" is none of the workers: db has no count, so it is alone',
      (with(workers)))
    workers.api.after = { "dbx/1" }
    assert.matches('^workers%.api%.after%[1%]: no worker is called "dbx"; did you mean "db"%?', (with(workers)))
  end)

  it("do not wait for each other", function()
    assert.equal("workers.db.after: is a circle in which none could start: db → db",
      (with({ db = { module = waits, count = 2, after = { "db/1" } } })))
  end)

  it("get their numbers from count alone", function()
    assert.equal('workers["db/1"]: "db/1": only count gives numbers to workers; write db = { count = …, … }',
      (with({ ["db/1"] = { module = waits } })))
  end)
end)

describe("groups", function()
  local function waits() return true end
  local function with(groups, workers)
    return (checked({ groups = groups, workers = workers or {
      a = { module = waits }, b = { module = waits, count = 2 }, c = { module = waits, after = { "b" } } } }))
  end

  it("list workers in an order", function()
    local problems, app = checked({ groups = { g = { policy = "rest_for_one", workers = { "b", "c" } } },
      workers = { b = { module = waits, count = 2 }, c = { module = waits, after = { "b" } } } })
    assert.equal("", problems)
    assert.same({ policy = "rest_for_one", workers = { "b", "c" } }, app.groups[1].options)
    assert.equal("", with({ g = { policy = "one_for_all", workers = { "c", "b/1" } } },
      { b = { module = waits, count = 2 }, c = { module = waits } }))
  end)

  it("say what is missing or wrong", function()
    assert.equal('groups: should be a table such as { pipeline = { policy = "rest_for_one", '
      .. 'workers = { "db", "api" } } }, got "g"', with("g"))
    assert.equal('groups[1]: has no name: write pipeline = { policy = "rest_for_one", workers = { "db", "api" } }',
      with({ { policy = "one_for_all", workers = { "a" } } }))
    assert.equal('groups.g.policy: should be "one_for_one", "one_for_all" or "rest_for_one", got "rest_for_all"; '
      .. 'did you mean "rest_for_one"?', with({ g = { policy = "rest_for_all", workers = { "a" } } }))
    assert.equal('groups.g.policy: is missing: say who is restarted along with one that failed, such as '
      .. 'policy = "rest_for_one"', with({ g = { workers = { "a" } } }))
    assert.equal('groups.g.workers: is missing: say which, in their order, such as workers = { "db", "api" }',
      with({ g = { policy = "one_for_all" } }))
    assert.equal('groups.g.workers: lists no worker, say workers = { "db", "api" }',
      with({ g = { policy = "one_for_all", workers = {} } }))
    assert.matches('^groups%.g%.workers%[1%]: no worker is called "d"',
      with({ g = { policy = "one_for_all", workers = { "d" } } }))
  end)

  it("are apart", function()
    local function two(first, second)
      return with({ g = { policy = "one_for_all", workers = first }, h = { policy = "one_for_one", workers = second } })
    end
    assert.equal('groups.h.workers[2]: "a" is in groups.g.workers[1], too; a worker is in one group at most',
      two({ "a" }, { "c", "a" }))
    assert.equal('groups.h.workers[1]: "b/2" is in groups.g.workers[1], too; a worker is in one group at most',
      two({ "b" }, { "b/2" }))
    assert.equal('groups.h.workers[1]: "b" is in groups.g.workers[1], too; a worker is in one group at most',
      two({ "b/2" }, { "b" }))
    assert.equal("", two({ "b/2" }, { "b/1" }))
  end)

  it("do not contradict what their workers wait for", function()
    assert.equal("groups.g.workers: is an order in which none could start, with what each has in after: "
      .. "b → c → b", with({ g = { policy = "rest_for_one", workers = { "c", "b" } } }))
    assert.equal("", with({ g = { policy = "one_for_one", workers = { "c", "b" } } }))
  end)

  it("are made before the start, and restart together", function()
    local chief = require "chief"
    local c = assert(chief.load({ log = { level = "off" },
      groups = { g = { policy = "rest_for_one", workers = { "first", "second" } } },
      workers = {
        first = { module = function(ctx) ctx:recv() error("oops") end, restart = { delay = 0 } },
        second = { module = function(ctx) while ctx:sleep(3600) do end return true end },
      } }))
    assert(c:init_workers())
    assert.same({ nil, "group h: groups are made before chief_init_workers", "busy" },
      { c:add_group("h", { policy = "one_for_all", workers = { "first" } }) })
    assert(c:launch())
    assert(c:wait("second", "run", 10))
    assert(c:wait("first", "run", 10))
    assert(c:send("first", 1, 10))
    for event in c:events(10) do
      if event.kind == "ready" and event.worker == "second" and event.generation == 2 then break end
      if event.kind == "restart" and event.worker == "second" then
        assert.equal("its group restarts with first", event.error)
      end
    end
    assert.equal(1, c:status()[1].restarts)
    assert.equal(1, c:status()[2].restarts)
    assert.is_true(c:stop())
    assert.is_true(c:join(10))
    c:close()
  end)
end)

describe("some of an app's workers", function()
  local function waits() return true end
  local _, app = checked({
    channels = { uploads = {} },
    workers = {
      api = { module = waits, sends = { "uploads" } }, resizer = { module = waits, receives = { "uploads" } },
    },
  })

  it("are warned of when the other end of a channel does not run", function()
    assert.same({ "channel uploads: api, its sender, does not run here" }, app:warnings({ "resizer" }))
    assert.same({ "channel uploads: resizer, its receiver, does not run here" }, app:warnings({ "api" }))
    assert.same({}, app:warnings({}))
    assert.same({}, app:warnings({ "api", "resizer" }))
  end)
end)

describe("the start order", function()
  it("puts each above the highest it waits for", function()
    local levels = graph.levels({ "a", "b", "c", "d" }, { b = { "a" }, c = { "b", "a" }, d = { "elsewhere" } })
    assert.same({ a = 1, b = 2, c = 3, d = 1 }, levels)
  end)

  it("finds no circle where there is none", function()
    assert.same({}, graph.circles({ "a", "b", "c" }, { a = { "b", "c" }, b = { "c" }, c = {} }))
  end)
end)
