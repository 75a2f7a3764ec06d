-- An application as a worker of another.
local app_folder = require "app_folder"
local chief = require "chief"

local LIMIT = 10 * (tonumber(os.getenv("CHIEF_TEST_SLOW")) or 1)

local OUTER = [[
return {
  workers = {
    shop = { app = "shop/app.lua", restart = { delay = 0.01 } },
    last = { module = "waits", after = { "shop" } },
  },
}]]

local WAITS = "return { run = function(_, ctx) ctx:sleep(math.huge) return true end }"

local FILES = {
  ["app.lua"] = OUTER,
  ["waits.lua"] = WAITS,
  ["shop/app.lua"] = [[
    return { workers = { till = { module = "till" }, door = { module = "till", after = { "till" } } } }]],
  ["shop/till.lua"] = WAITS,
}

local function with(changes)
  local files = {}
  for path, text in pairs(FILES) do files[path] = text end
  for path, text in pairs(changes or {}) do files[path] = text end
  return files
end

describe("an application inside another", function()
  local root

  local function load(changes)
    root = app_folder.make(with(changes))
    return chief.load(root .. "/app.lua")
  end

  local function started(changes)
    local c <const> = assert(load(changes))
    c:event_level("debug")
    finally(function() c:close() end)
    assert(c:init_workers(chief.log { level = "off" }))
    assert(c:launch())
    return c
  end

  after_each(function() app_folder.remove(root) end)

  it("is ready when all inside are, and stops with the one outside", function()
    local c = started()
    assert(c:wait_ready(LIMIT))
    assert.same({ shop = "run", last = "run" }, c:states())
    assert.same({ till = "run", door = "run" }, c:nested_states("shop"))
    assert(c:stop())
    assert(c:join(LIMIT))
    assert.equal(0, c:exit_code())
    local _, _, code = c:nested_states("shop")
    assert.equal("would_block", code)
  end)

  it("fails as what is inside does, and its next life reads the file anew", function()
    local c = started {
      ["shop/till.lua"] = [[
        return { run = function(_, ctx)
          local file = io.open(ctx.args.mark)
          if file then file:close() ctx:sleep(math.huge) return true end
          assert(io.open(ctx.args.mark, "w")):close()
          error("the till is stuck")
        end }]],
      ["shop/app.lua"] = [[
        local here = debug.getinfo(1, "S").source:match("^@(.*)/")
        return { workers = { till = { module = "till", args = { mark = here .. "/mark" } } } }]],
    }
    local failed
    repeat
      for _, event in ipairs(assert(c:take_events(64, LIMIT))) do
        if event.worker == "shop" and event.kind == "state" and event.state == "failed" then failed = event end
      end
    until failed
    assert.equal("worker failed: till", failed.error)
    assert(c:wait("shop", "run", LIMIT))
    assert.equal(1, c:status("shop")[1].restarts)
    assert(c:stop())
    assert(c:join(LIMIT))
  end)

  it("runs its hooks when the last of its workers has stopped", function()
    local c = started {
      ["shop/app.lua"] = [[
        local here = debug.getinfo(1, "S").source:match("^@(.*)/")
        return { workers = { till = { module = "till" } }, on_shutdown = function()
          local file <close> = assert(io.open(here .. "/hook", "w"))
          file:write("ran")
        end }]],
    }
    assert(c:wait_ready(LIMIT))
    assert(c:stop())
    assert(c:join(LIMIT))
    local file <close> = assert(io.open(root .. "/shop/hook"))
    assert.equal("ran", file:read("a"))
  end)

  it("may be added by a program, and says what is wrong when it is", function()
    root = app_folder.make(with())
    local c <close> = chief.new { log = { level = "off" } }
    assert(c:add_chief("shop", root .. "/shop/app.lua"))
    assert.has_error(function() c:add_chief("two", root .. "/shop/app.lua", { every = 3 }) end)
    assert.has_error(function() c:add_chief("three", {}) end)
    local _, message, code = c:add_chief("shop", root .. "/shop/app.lua")
    assert.equal("exists", code, message)
    assert(c:init_workers())
    assert(c:launch())
    assert(c:wait_ready(LIMIT))
    assert.same({ till = "run", door = "run" }, c:nested_states("shop"))
  end)

  it("has its mistakes told with its own file", function()
    local c, message = load {
      ["shop/app.lua"] = "return { workers = { till = { modul = 'till' } } }",
    }
    assert.is_nil(c)
    assert.matches('/shop/app.lua: workers.till.modul: unknown key "modul"; did you mean "module"', message)
    assert.matches("/shop/app.lua: workers.till.module: is missing", message)
  end)

  it("has to be there", function()
    local c, message = load { ["app.lua"] = "return { workers = { shop = { app = 'none.lua' } } }" }
    assert.is_nil(c)
    assert.matches("none.lua", message)
  end)

  it("can't contain itself, nor say what its own file says", function()
    local c, message = load {
      ["app.lua"] = "return { workers = { me = { app = 'app.lua' }, w = { app = 'shop/app.lua', every = 2 } } }",
    }
    assert.is_nil(c)
    assert.matches("does it contain itself?", message, 1, true)
    assert.matches("workers.w.every: is not for an application inside another", message)
  end)
end)
