local load = require "load"

local M = {}

local function by_one(ch, n, count)
  local sum, seen = 0, 0
  for value in ch:iter() do
    seen = seen + 1
    sum = count(sum, value, seen)
    if seen == n then break end
  end
  return sum
end

local function in_batches(ch, n, count, batch)
  local sum, seen = 0, 0
  while seen < n do
    local many = assert(ch:recv_many(batch))
    for i = 1, #many do sum = count(sum, many[i], seen + i) end
    seen = seen + #many
  end
  return sum
end

-- Each of several receives the same number of messages.
function M.run(_, ctx)
  local args = ctx.args
  local ch = ctx:channel("ch")
  local _, count = load[args.kind](args.seed)
  local sum = args.batch > 0 and in_batches(ch, args.share, count, args.batch) or by_one(ch, args.share, count)
  assert(ctx:channel("sums"):send(sum))
  return true
end

return M
