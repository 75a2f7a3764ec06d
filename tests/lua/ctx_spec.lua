-- ctx: what a worker is given. Its channels and mailbox are in the specs of those.
local stage = require "stage"

local function running(run)
  return ("local M = {}\nfunction M.run(self, ctx)\nlocal out = ctx:channel('out')\n%s\nend\nreturn M"):format(run)
end

describe("ctx", function()
  it("says who the worker is", function()
    stage.with({ w = running "out:send { ctx.name, ctx.generation, tostring(ctx), ctx.nothing == nil }" }, function(s)
      assert.same({ "w", 1, "chief.ctx (w)", true }, (s:next()))
    end)
  end)

  it("has the args, decoded once", function()
    local args = { port = 8080, tags = { "a", "b" }, ratio = 0.5 }
    stage.with({ w = running "out:send { ctx.args, rawequal(ctx.args, ctx.args) }" }, function(s)
      assert.same({ args, true }, (s:next()))
    end, { w = { args = args } })
  end)

  it("has the same args and log however often it is asked, and its methods beside them", function()
    stage.with({ w = running [[
      local args, log, looks = ctx.args, ctx.log, 0
      for _ = 1, 200 do
        if rawequal(ctx.args, args) and rawequal(ctx.log, log) and ctx.name == "w" and not ctx:done() then
          looks = looks + 1
        end
      end
      out:send { looks, ctx.args.port, ctx.nothing == nil }]] }, function(s)
      assert.same({ 200, 8080, true }, (s:next()))
    end, { w = { args = { port = 8080 } } })
  end)

  it("has empty args where none were given, and false where that was", function()
    stage.with({ w = running "out:send(ctx.args.port == nil)" }, function(s) assert.is_true(s:next()) end)
    stage.with({ w = running "out:send { ctx.args }" }, function(s) assert.same({ false }, (s:next())) end,
      { w = { args = false } })
  end)

  it("is the same in init and in run", function()
    stage.with({ w = [[
      local M = {}
      function M.init(ctx) return { ctx = ctx, out = ctx:channel "out" } end
      function M.run(self, ctx) self.out:send(rawequal(self.ctx, ctx)) end
      return M]] }, function(s) assert.is_true(s:next()) end)
  end)

  it("logs", function()
    stage.with({ w = running [[
      ctx.log:info("hello", { n = 1 })
      ctx.log:with_field("k", "v"):warn "x"
      out:send(rawequal(ctx.log, ctx.log))]] }, function(s) assert.is_true(s:next()) end)
  end)

  it("takes no fields and no other object", function()
    stage.with({ w = running [[
      out:send { pcall(function() ctx.x = 1 end), pcall(ctx.done, out), pcall(ctx.done), pcall(ctx.sleep, ctx, -1),
        pcall(ctx.sleep, ctx, 0 / 0), pcall(ctx.sleep, ctx), pcall(ctx.recv, ctx, "soon") }]] }, function(s)
      local result = s:next()
      for i = 1, 12 do assert.is_not.equal(true, result[i]) end
    end)
  end)
end)

describe("a stop", function()
  -- FAULTS 23
  it("ends every wait of a worker at once", function()
    local waits = {
      sleep = "local ok, message, code = ctx:sleep(1000)",
      recv = "local ok, message, code = ctx:recv()",
      channel = "local ok, message, code = ctx:channel('never'):recv()",
      select = "local ok, message, code = ctx:select({ ctx:channel('never'), ctx })",
      call = "local ok, message, code = ctx:call('sleep', 1)",
      iter = "local ok, message, code = nil, 'cancelled', 'cancelled' for v in ctx:iter() do error(v) end",
    }
    local s = stage.new((function()
      local files = {}
      for name, text in pairs(waits) do
        files[name .. ".lua"] = running(text ..
          " out:send({ ctx.name, message, code, ctx:done(), ctx:err(), ctx:reason() ~= nil }, 5)")
      end
      return files
    end)())
    assert(s.core:add_channel "never")
    for name in pairs(waits) do assert(s:add(name)) end
    s:start()
    for name in pairs(waits) do s:wait(name, "run") end
    local _, message, code = s:stop()
    assert.is_nil(code, message)
    local seen = {}
    for _ = 1, 6 do
      local report = s:next()
      local name = table.remove(report, 1)
      if name == "call" then report[1], report[2] = "cancelled", "cancelled" end -- or its callee ended first
      assert.same({ "cancelled", "cancelled", true, "cancelled", true }, report)
      seen[name] = true
    end
    for name in pairs(waits) do assert.is_true(seen[name]) end
    s:close()
  end)

  it("is readable on ctx:fd()", function()
    stage.with({ w = running [[
      local cqueues = require "cqueues"
      local loop = cqueues.new()
      out:send(ctx:fd() == ctx:fd())
      loop:wrap(function()
        cqueues.poll({ pollfd = ctx:fd(), events = "r" })
        out:send(ctx:done())
      end)
      assert(loop:loop())]] }, function(s)
      assert.is_true(s:next())
      assert.is_true(s:stop())
      assert.is_true(s:next())
    end)
  end)

  it("comes from the context above, with its reason", function()
    local core = require "chief.core"
    local parent = core.context()
    parent:set("from above", 7)
    local s = stage.new { ["w.lua"] = running [[
      out:send(ctx:value "from above")
      ctx:recv()
      out:send { ctx.context:done(), ctx.context:reason() }]] }
    assert(s:add "w")
    assert(s.core:init_workers())
    assert(s.core:launch(parent))
    assert.equal(7, s:next())
    parent:cancel "the power goes"
    assert.is_true((s:next())[1])
    assert.is_true(s.core:join(stage.LIMIT))
    s:close()
  end)
end)

describe("sleep", function()
  it("says true when the time has passed", function()
    stage.with({ w = running "out:send { ctx:sleep(0.001), ctx:sleep(0) }" }, function(s)
      assert.same({ true, true }, (s:next()))
    end)
  end)
end)

describe("states", function()
  it("are those of all workers by name", function()
    stage.with({ a = running "ctx:recv() out:send(ctx:states())", b = running "return false" }, function(s)
      s:wait("b", "failed")
      s.core:send("a", "go on")
      assert.same({ a = "run", b = "failed" }, (s:next()))
    end)
  end)
end)

describe("value", function()
  it("is nil where there is none, and a log where there is one", function()
    stage.with({ w = running "out:send { ctx:value 'none' == nil, tostring(ctx:value 'chief-log'), ctx:value 'b' }" },
      function(s)
        local report = s:next()
        assert.is_true(report[1])
        assert.matches("^chief.log: ", report[2])
        assert.equal("\0\xff", report[3])
      end, { values = { b = "\0\xff" } })
  end)
end)
