-- A shop: two carts and a till over a database. Its policies are tested in policy_spec.lua, without running any of it.
return {
  name = "shop",
  workers = {
    db = { module = "workers.db", restart = { delay = 1, jitter = 0 } },
    cart = { module = "workers.cart", count = 2, after = { "db" }, restart = { delay = 0.1, factor = 2, jitter = 0 } },
    till = {
      module = "workers.till", after = { "db" }, critical = true,
      restart = { delay = 0.5, factor = 1, jitter = 0, max_restarts = 4, window = 30 },
    },
  },
}
