-- A whole life in little: loads, inits, uses what a worker has, fails once, and ends well when it is stopped.
local chief = require "chief.core"

-- A finalizer that Lua has no memory to call is never called, which is Lua's own affair: they are called at the end.
collectgarbage "stop"

local M = { restart_on_fail = true }

function M.init(ctx)
  ctx.log:with_field("part", "init"):debug("begins", { generation = ctx.generation, odd = {} })
  return { jobs = ctx:channel "jobs", done = ctx:channel "done", args = ctx.args }
end

local function use_everything(ctx, job)
  local path <close> = setmetatable({}, { __close = function() return chief.pack "closed" end })
  assert(path and chief.unpack(chief.pack(job)).list[2] == "two")
  ctx:states()
  ctx:value "nothing"
  ctx:send(ctx.name, { job.text:rep(3), ["key"] = 1.5 })
  ctx:broadcast(true)
  local value, info = ctx:recv(0)
  assert(value == nil or info.sender == ctx.name)
  ctx:sleep(0)
end

function M.run(self, ctx)
  for job, info in self.jobs:iter() do
    use_everything(ctx, job)
    if info.deliveries == 1 then error(setmetatable({}, { __tostring = function() return "fails once" end })) end
    local ok, message = self.done:send { job.text, coroutine.wrap(function() coroutine.yield(self.args[1]) end)() }
    if not ok then return nil, message end
  end
  return true
end

return M
