local function run(_, ctx) -- ends when it is asked to stop and there is no tick left
  for count in ctx:channel("ticks"):iter() do ctx.log:info("hello", { tick = count }) end
end
return { run = run }
