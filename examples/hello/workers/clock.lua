-- Sends 1, 2, 3 … to whoever receives ticks.
local M = { restart_on_fail = true }

function M.init(ctx)
  return { ticks = ctx:channel("ticks"), every = ctx.args.every, count = 0 }
end

function M:run(ctx)
  while ctx:sleep(self.every) do -- ends when the worker is asked to stop
    self.count = self.count + 1
    local ok, message = self.ticks:send(self.count)
    if not ok then return nil, message end
  end
  return true
end

return M
