-- Mailboxes: sending to a worker, broadcasting, calls.
local stage = require "stage"

local function running(run)
  return ("local M = {}\nfunction M.run(self, ctx)\nlocal out = ctx:channel('out')\n%s\nend\nreturn M"):format(run)
end

local echo = running "for v, info in ctx:iter() do info:reply(v) end"

describe("a mailbox", function()
  it("receives from the host and from workers, with who and how", function()
    stage.with({
      w = running [[
        for v, info in ctx:iter() do out:send { v, info.sender, info.kind, info.channel, info.deliveries } end]],
      other = running "assert(ctx:send('w', 'hi')) assert(ctx:send_many('w', { 1, 2 }) == 2) ctx:recv()",
    }, function(s)
      assert.same({ "hi", "other", "message", "", 1 }, (s:next()))
      assert.equal(1, (s:next())[1])
      assert.equal(2, (s:next())[1])
      assert.is_true(s.core:send("w", { x = 1 }))
      assert.same({ { x = 1 }, "", "message", "", 1 }, (s:next()))
    end)
  end)

  it("is read with a timeout", function()
    stage.with({ w = running "out:send { select(3, ctx:recv(0)), select(3, ctx:recv(0.001)) }" }, function(s)
      assert.same({ "would_block", "timeout" }, (s:next()))
    end)
  end)

  it("keeps what comes between two runs", function()
    stage.with({ w = running [[
      if ctx.generation == 1 then error "first" end
      for v in ctx:iter() do out:send(v) end]] }, function(s)
      s:wait("w", "failed")
      assert.is_true(s.core:send("w", "for the second"))
      assert.equal("for the second", s:next())
    end, { w = { restart = { policy = "on_failure", delay = 0.05 } } })
  end)

  it("is not there for a worker that is not", function()
    stage.with({ w = running [[
      out:send { select(3, ctx:send("nobody", 1)), select(3, ctx:call("nobody", 1)) }
      out:send { pcall(ctx.send, ctx, "w"), pcall(ctx.send, ctx, "w", print), pcall(ctx.call, ctx, "w", nil) }]] },
      function(s)
        assert.same({ "not_found", "not_found" }, (s:next()))
        assert.same({ false, false, false }, { table.unpack((s:next()), 1, 3) })
        assert.equal("not_found", select(3, s.core:send("nobody", 1)))
        assert.equal("not_found", select(3, s.core:call("nobody", 1)))
      end)
  end)
end)

describe("a broadcast", function()
  it("reaches every other worker", function()
    local listener = running "for v, info in ctx:iter() do out:send { ctx.name, v, info.kind, info.sender } end"
    stage.with({ a = listener, b = listener,
      c = running "ctx:recv() out:send(ctx:broadcast 'all') ctx:recv()" }, function(s)
      for _, name in ipairs { "a", "b", "c" } do s:wait(name, "run") end
      s.core:send("c", "now")
      local seen = {}
      for _ = 1, 3 do
        local report = s:next()
        if report == 2 then seen.count = report
        else
          assert.same({ "all", "broadcast", "c" }, { table.unpack(report, 2) })
          seen[report[1]] = true
        end
      end
      assert.same({ a = true, b = true, count = 2 }, seen)
      assert.equal(3, s.core:broadcast "from the host")
    end)
  end)
end)

describe("a call", function()
  it("brings the answer", function()
    stage.with({ echo = echo, w = running "out:send { ctx:call('echo', { n = 1 }, 20), ctx:call('echo', false) }" },
      function(s)
        assert.same({ { n = 1 }, false }, (s:next()))
        assert.equal("x", s.core:call("echo", "x", stage.LIMIT))
      end)
  end)

  it("brings the callee's failure", function()
    stage.with({ w = running "for _, info in ctx:iter() do info:fail('no luck') end" }, function(s)
      assert.same({ nil, "no luck", "call_failed", n = 3 }, table.pack(s.core:call("w", 1, stage.LIMIT)))
    end)
  end)

  it("ends without an answer when the callee takes the next message, or ends", function()
    stage.with({ w = running "ctx:recv() ctx:recv(0) out:send 'took' ctx:recv() return nil, 'ended'" }, function(s)
      assert.equal("no_reply", select(3, s.core:call("w", 1, stage.LIMIT)))
      assert.equal("took", s:next())
      local _, message, code = s.core:call("w", 2, stage.LIMIT)
      assert.equal("no reply", message)
      assert.equal("no_reply", code)
    end)
  end)

  it("times out, and its late answer is refused", function()
    stage.with({ w = running [[
      local _, info = ctx:recv()
      out:send "got"
      ctx:channel("go"):recv()
      out:send { select(3, info:reply "late") }]] }, function(s)
      s.go = s.core:channel "go"
      assert.equal("timeout", select(3, s.core:call("w", 1, 0.01)))
      assert.equal("got", s:next())
      s.go:send "go"
      assert.same({ "not_found" }, (s:next()))
      assert.equal(1, s.core:late_replies())
    end, { channels = { "go" } })
  end)

  it("is answered once, and only a call can be", function()
    stage.with({ w = running [[
      local _, info = ctx:recv()
      info:reply "once"
      out:send { select(3, info:reply "twice") }
      _, info = ctx:recv()
      out:send { select(2, info:reply "x") }
      out:send { select(2, info:fail "x") }
      out:send { pcall(info.reply, info), pcall(info.reply, info, print), pcall(info.reply, {}, 1) }]] }, function(s)
      assert.equal("once", s.core:call("w", 1, stage.LIMIT))
      assert.same({ "not_found" }, (s:next()))
      s.core:send("w", "no call")
      assert.equal("this message is not a call", (s:next())[1])
      assert.equal("this message is not a call", (s:next())[1])
      assert.same({ false, false, false }, { table.unpack((s:next()), 1, 3) })
    end)
  end)

  it("to oneself is refused", function()
    stage.with({ w = running "out:send { select(3, ctx:call('w', 1)) }" }, function(s)
      assert.same({ "deadlock" }, (s:next()))
    end)
  end)
end)
