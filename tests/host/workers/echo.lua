-- Answers every call with what it got and the args it was given; fails when told to.
local M = { restart_on_fail = true }

function M.init(ctx) return { factor = ctx.args.factor or 1 } end

function M.run(self, ctx)
  for value, info in ctx:iter() do
    if value == "fail" then error "told to fail" end
    info:reply { value = value * self.factor, generation = ctx.generation, worker = ctx.name }
  end
  return true
end

return M
