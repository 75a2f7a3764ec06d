local function run(_, ctx)
  local count = 0
  while ctx:sleep(1) do -- ends when the worker is asked to stop
    count = count + 1
    assert(ctx:channel("ticks"):send(count))
  end
end
return { run = run, restart_on_fail = true }
