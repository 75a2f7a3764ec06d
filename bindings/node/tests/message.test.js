"use strict";
const assert = require("node:assert/strict");
const { Channel, pack, unpack } = require("..");
const { test, quiet, modules, code, limit } = require("./kit");

const values = [
  true, false, 0, -1, 1.5, 2 ** 53 - 1, -(2 ** 53 - 1), 9223372036854775807n, -9223372036854775808n, 1e300, -0, Infinity,
  "", "text", "ä€😀", "x".repeat(65536), [], [1, [2, [3]]], [null, 1], {}, { a: 1, b: { c: [true] } }, { "": 0 },
  Buffer.from([0, 255, 1]), new Map([[1, "one"], [true, "yes"], ["s", 2]]), { ["__proto__"]: 1 },
];

test("values come back as they were", () => {
  for (const value of values) assert.deepEqual(unpack(pack(value)), value);
  assert.equal(Object.is(unpack(pack(-0)), -0), true);
  assert.ok(Number.isNaN(unpack(pack(NaN))));
  assert.deepEqual(unpack(pack({ a: undefined, b: 1 })), { b: 1 });
  assert.deepEqual(unpack(pack(new Uint8Array([1, 2]))), Buffer.from([1, 2]));
  assert.deepEqual(unpack(pack("y".repeat(65537))), Buffer.from("y".repeat(65537)));
  assert.equal(Object.getPrototypeOf(unpack(pack({ ["__proto__"]: { evil: true } }))), Object.prototype);
});

test("what can't be sent is refused with its place", () => {
  const cycle = { tags: [] };
  cycle.tags.push(cycle);
  let deep = [];
  for (let i = 0; i < 200; i++) deep = [deep];
  const refused = [
    [undefined, /can't send nil/], [null, /can't send nil/], [{ tags: [1, 2, () => {}] }, /can't send a function \(at \.tags\[3\]\)/],
    [cycle, /can't send a cycle \(at \.tags\[1\]\)/], [{ at: new Date() }, /can't send a Date \(at \.at\)/],
    [[Symbol("x")], /a symbol \(at \[1\]\)/], [2n ** 64n, /a BigInt beyond 64 bits/], [new Set(), /a Set/],
    [new Float64Array(2), /a Float64Array/], [deep, /deeper than 100/], [new Map([[{}, 1]]), /a key/],
  ];
  for (const [value, text] of refused) {
    assert.throws(() => pack(value), (error) => code("invalid")(error) && text.test(error.message), String(text));
  }
  assert.throws(() => unpack(Buffer.from([0xc1])), code("bad_data"));
  assert.throws(() => unpack("text"), code("invalid"));
});

test("a Lua worker gets and gives native values", async (t) => {
  const c = quiet(t);
  c.addLuaWorker("echo", "echo", modules(t, {
    echo: "return { run = function(_, ctx) for v, info in ctx:iter() do info:reply(v) end return true end }",
  }));
  await c.start();
  for (const value of values) {
    const odd = Object.is(value, -0) || value instanceof Map || Array.isArray(value) && value[0] === null; // not in Lua
    const same = odd ? value : await c.call("echo", value, limit);
    if (typeof value !== "object" || !Object.hasOwn(value, "__proto__")) assert.deepEqual(same, value);
  }
});

test("calls are answered, refused, or end without an answer", async (t) => {
  const c = quiet(t);
  c.addWorker("callee", async (context) => {
    for await (const message of context) {
      if (message.value === "fail") message.fail("I will not");
      else if (message.value !== "ignore") message.reply({ to: message.sender, kind: message.kind, value: message.value });
      assert.equal(message.kind, "call");
    }
  });
  const answers = [];
  c.addWorker("caller", async (context) => {
    answers.push(await context.call("callee", [1]));
    answers.push(await context.call("callee", "fail").catch((error) => `${error.code}: ${error.message}`));
    const late = context.call("callee", "ignore").catch((error) => error.code);
    answers.push((await context.call("callee", 2)).value, await late);
    answers.push(await context.call("nobody", 1).catch((error) => error.code));
  });
  await c.start();
  await c.waitState("caller", "stopped", limit);
  assert.deepEqual(answers, [
    { to: "caller", kind: "call", value: [1] }, "call_failed: I will not", 2, "no_reply", "not_found",
  ]);
  assert.equal((await c.call("callee", "from outside", limit)).to, "");
});

test("a message that is no call can't be answered", async (t) => {
  const c = quiet(t);
  c.addWorker("w", async (context) => {
    const message = await context.recv();
    message.reply(1);
  });
  await c.start();
  await c.send("w", "x");
  await c.waitState("w", "failed", limit);
  assert.match(c.status("w").error, /is no call/);
});

test("a worker does several things at a time", async (t) => {
  const c = quiet(t);
  c.addChannel("in").addChannel("full", { capacity: 1 });
  const seen = [];
  c.addWorker("w", async (context) => {
    const full = context.channel("full");
    await full.send(1);
    const sends = Promise.all([full.send(2), full.send(3)]); // they wait for room
    const receives = context.channel("in").recv();
    const sleeps = context.sleep(5).then(() => seen.push("slept"));
    seen.push((await receives).value);
    await Promise.all([sends, sleeps]);
  });
  await c.start();
  const full = c.channel("full");
  await c.channel("in").send("in");
  const got = [];
  for (let i = 0; i < 3; i++) got.push((await full.recv(limit)).value);
  await c.waitState("w", "stopped", limit);
  assert.deepEqual(got, [1, 2, 3]);
  assert.deepEqual(seen.sort(), ["in", "slept"]);
});

test("a timeout ends a wait, and 0 does not wait", async (t) => {
  const c = quiet(t);
  c.addChannel("ch", { capacity: 1 });
  const seen = [];
  c.addWorker("w", async (context) => {
    const ch = context.channel("ch");
    const code = (promise) => promise.then(() => "ok", (error) => error.code);
    seen.push(await code(ch.recv({ timeout: 0 })), await code(ch.recv({ timeout: 5 })), await code(ch.send(1)));
    seen.push(await code(ch.send(2, { timeout: 0 })), await code(ch.send(2, { timeout: 5 })));
    seen.push(await code(context.recv({ timeout: 1 })), await code(context.recv({ timeout: -1 })));
  });
  await c.start();
  await c.waitState("w", "stopped", limit);
  assert.deepEqual(seen, ["would_block", "timeout", "ok", "would_block", "timeout", "timeout", "invalid"]);
  const ch = c.channel("ch");
  await assert.rejects(ch.send(2, { timeout: 0 }), code("would_block"));
  await assert.rejects(ch.send(2, { timeout: 5 }), code("timeout"));
  assert.equal((await ch.recv({ timeout: 0 })).value, 1);
  await assert.rejects(ch.recv({ timeout: 0 }), code("would_block"));
  await assert.rejects(ch.recv({ timeout: 5 }), code("timeout"));
  ch.close();
  await assert.rejects(ch.recv(), code("closed"));
  await assert.rejects(ch.send(1), code("closed"));
});

test("select takes from the first that has something", async (t) => {
  const c = quiet(t);
  c.addChannel("a").addChannel("b");
  const seen = [];
  c.addWorker("w", async (context) => {
    const a = context.channel("a"), b = context.channel("b");
    for (let i = 0; i < 3; i++) {
      const { channel, message } = await context.select([a, b, null]);
      seen.push(`${channel?.name ?? "mailbox"} ${message.value}`);
    }
  });
  await c.channel("b").send(1);
  await c.start();
  await c.waitReady(limit);
  await c.send("w", 2);
  await c.channel("a").send(3);
  await c.waitState("w", "stopped", limit);
  assert.deepEqual(seen.sort(), ["a 3", "b 1", "mailbox 2"]);
});

test("what a failing worker holds comes back, acknowledged it is gone", async (t) => {
  const c = quiet(t);
  c.addChannel("jobs", { delivery: "at_least_once" });
  const seen = [];
  c.addWorker("w", async (context) => {
    const jobs = context.channel("jobs");
    for await (const job of jobs) {
      seen.push(`${job.value} ${job.deliveries}`);
      if (job.value === 2) await jobs.ack();
      if (job.deliveries === 1 && job.value < 3) throw new Error("not yet");
      if (job.value === 3) break;
    }
  }, { restart: { delay: 0 } });
  await c.channel("jobs").sendMany([1, 2, 3]);
  await c.start();
  await c.waitState("w", "stopped", limit);
  assert.deepEqual(seen, ["1 1", "1 2", "2 1", "3 1"]);
});

test("a stop in the middle gives back what is in hand", async (t) => {
  const c = quiet(t);
  c.addChannel("jobs", { delivery: "at_least_once" }).addChannel("done", { capacity: 1 });
  const begun = new Promise((resolve) => c.addWorker("w", async (context) => {
    for await (const job of context.channel("jobs")) {
      resolve();
      await context.sleep(3600000);
      await context.channel("done").send(job.value);
    }
  }));
  await c.channel("jobs").send("precious");
  await c.start();
  await begun;
  c.stop();
  await c.join();
  assert.equal(c.channel("jobs").length, 1);
});

test("data comes before the end", async (t) => {
  const c = quiet(t);
  c.addChannel("ch");
  let sum = 0, first;
  const begun = new Promise((resolve) => (first = resolve));
  c.addWorker("w", async (context) => {
    for await (const message of context.channel("ch")) {
      first();
      sum += message.value;
      await new Promise(setImmediate);
    }
  });
  await c.channel("ch").sendMany(Array.from({ length: 64 }, (_, i) => i));
  await c.start();
  await begun;
  c.stop();
  await c.join();
  assert.equal(sum, 2016);
});

test("bytes of one's own are sent raw, and others' are no value", async (t) => {
  const ch = new Channel("alone", { capacity: 4 });
  await ch.send(Buffer.from([0xc1, 1]), { raw: true });
  await ch.send(Buffer.from([0xc1]), { raw: true });
  assert.deepEqual((await ch.recv({ raw: true })).value, Buffer.from([0xc1, 1]));
  const message = await ch.recv();
  assert.throws(() => message.value, code("bad_data"));
  await assert.rejects(ch.send("text", { raw: true }), code("invalid"));
  t.diagnostic(JSON.stringify(ch.stats));
  assert.equal(ch.stats.sent, 2);
});

test("a broadcast reaches every worker", async (t) => {
  const c = quiet(t);
  let got = 0;
  for (const name of ["a", "b", "c"]) c.addWorker(name, async (context) => {
    const message = await context.recv();
    if (message.kind === "broadcast") got += message.value;
  });
  await c.start();
  await c.waitReady(limit);
  assert.equal(c.broadcast(1), 3);
  for (const name of ["a", "b", "c"]) await c.waitState(name, "stopped", limit);
  assert.equal(got, 3);
});
