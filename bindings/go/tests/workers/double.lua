-- Doubles the number of each job.
local M = {}

function M.run(_, ctx)
  local done = ctx:channel("done")
  for job in ctx:channel("jobs"):iter() do
    assert(done:send({ number = job.number * ctx.args.by, By = "Lua" }))
  end
  return true
end

return M
