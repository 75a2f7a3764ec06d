-- Does the shop do what we want when something goes wrong? The app file decides; nothing runs, and no time passes.
local chief = require "chief"

local FOLDER = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."

describe("the shop", function()
  local sim

  before_each(function()
    -- The modules are not loaded, so what workers/db.lua says itself is said here.
    sim = assert(chief.simulate(FOLDER .. "/app.lua", { modules = { db = { ready = true } } }))
    assert(sim:start())
  end)

  it("opens when its database is ready", function()
    assert.equal("enabled", sim:state("cart"))
    sim:ready("db")
    assert.same({ ["cart/1"] = "run", ["cart/2"] = "run", db = "run", till = "run" }, sim:states())
  end)

  it("gives up the till after 5 failures in 30 s, and ends with 70", function()
    sim:ready("db")
    for _ = 1, 4 do
      sim:fail("till", "no paper")
      sim:advance(5)
      assert.equal("run", sim:state("till"))
    end
    sim:fail("till", "no paper")
    assert.equal("failed", sim:state("till"))
    assert.is_true(sim:has_stopped())
    assert.equal(70, sim:exit_code())
  end)

  it("forgets failures of the till that are older", function()
    sim:ready("db")
    for _ = 1, 20 do
      sim:fail("till", "no paper")
      sim:advance(8)
    end
    assert.equal("run", sim:state("till"))
  end)

  it("restarts one cart, more and more slowly, and leaves the other alone", function()
    sim:ready("db")
    local delays = {}
    for _ = 1, 4 do
      sim:fail("cart/1", "wheel")
      delays[#delays + 1] = sim:next()
    end
    assert.same({ 0.1, 0.2, 0.4, 0.8 }, delays)
    assert.equal(5, sim:status("cart/1")[1].generation)
    assert.equal(1, sim:status("cart/2")[1].generation)
  end)

  it("goes on without its database, and waits for it with what starts anew", function()
    sim:ready("db")
    sim:fail("db", "disk", "error")
    sim:fail("cart/2", "no answer")
    sim:advance(0.5)
    assert.equal("waiting", sim:status("cart/2")[1].phase)
    sim:advance(0.5) -- the database runs again, and is not ready
    assert.equal("db", sim:status("cart/2")[1].waiting_for)
    sim:ready("db")
    assert.equal("run", sim:state("cart/2"))
  end)

  it("names who does not stop, and ends with 75", function()
    sim:ready("db")
    sim:behave("cart/1", "stuck")
    sim:stop()
    sim:advance(60)
    assert.equal(75, sim:exit_code())
    local last = sim:events()[#sim:events()]
    assert.equal("stopped", last.kind)
    assert.matches("cart/1", last.error)
  end)

  it("closes the till and the carts before the database", function()
    sim:ready("db")
    sim:take()
    sim:stop()
    local order = {}
    for _, event in ipairs(sim:take()) do
      if event.kind == "state" then order[#order + 1] = event.worker end
    end
    assert.same({ "cart/1", "cart/2", "till", "db" }, order)
  end)
end)
