local load = require "load"

local M = {}

-- `from` and `step` divide the numbers among several senders.
function M.run(_, ctx)
  local args = ctx.args
  local ch, make = ctx:channel("ch"), load[args.kind](args.seed)
  if args.batch == 0 then
    for i = args.from, args.messages, args.step do assert(ch:send(make(i))) end
    return true
  end
  for first = 1, args.messages, args.batch do
    local many = {}
    for i = first, math.min(first + args.batch - 1, args.messages) do many[#many + 1] = make(i) end
    assert(ch:send_many(many))
  end
  return true
end

return M
