-- Two workers: the clock sends a number every second, the greeter says hello to each.
return {
  name = "hello",
  channels = { ticks = { capacity = 8 } },
  workers = {
    clock = { module = "workers.clock", sends = { "ticks" }, after = { "greeter" }, args = { every = 1 } },
    greeter = { module = "workers.greeter", receives = { "ticks" } },
  },
}
