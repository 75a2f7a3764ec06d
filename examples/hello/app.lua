return { -- the clock sends a number every second, the greeter says hello to each
  name = "hello",
  channels = { ticks = { capacity = 8 } },
  workers = {
    clock = { module = "workers.clock", sends = { "ticks" }, after = { "greeter" } },
    greeter = { module = "workers.greeter", receives = { "ticks" } },
  },
}
