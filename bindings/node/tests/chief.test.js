"use strict";
const assert = require("node:assert/strict");
const chief = require("..");
const { test, quiet, modules, code, limit } = require("./kit");

test("the library runs over Node's own libuv", () => {
  assert.equal(chief.libuv, process.versions.uv);
});

test("a worker in JavaScript lives: init, run, fini", async (t) => {
  const seen = [];
  const c = quiet(t);
  c.addWorker("w", {
    init: (context) => {
      seen.push(`init ${context.name} ${context.generation} ${context.args.size}`);
      return { made: "here" };
    },
    run: async (context, instance) => {
      seen.push(`run ${instance.made}`);
      await context.sleep(1);
    },
    fini: (instance) => seen.push(`fini ${instance.made}`),
  }, { args: { size: 3 } });
  await c.start();
  await c.waitState("w", "stopped", limit);
  c.stop();
  await c.join();
  assert.deepEqual(seen, ["init w 1 3", "run here", "fini here"]);
  assert.equal(c.exitCode, 0);
});

test("a class is made anew for each life", async (t) => {
  let made = 0;
  class Worker {
    static restartOnFail = true;
    constructor() {
      this.number = ++made;
    }
    async run() {
      if (this.number < 3) throw new Error(`life ${this.number}`);
    }
  }
  const c = quiet(t);
  c.addWorker("w", Worker, { restart: { policy: "on_failure", delay: 0 } });
  await c.start();
  await c.waitState("w", "stopped", limit);
  assert.equal(made, 3);
  assert.equal(c.status("w").generation, 3);
});

test("a worker that throws has failed, with its text and its stack", async (t) => {
  const c = quiet(t);
  c.addWorker("w", async function work() {
    throw new TypeError("boom");
  });
  await c.start();
  await c.waitState("w", "failed", limit);
  const status = c.status("w");
  assert.equal(status.error, "boom");
  assert.match(status.traceback, /TypeError: boom\n\s+at work .*chief\.test\.js/);
  assert.equal(status.reason, "error");
  c.stop();
  await assert.rejects(c.join(), code("failed"));
  assert.equal(c.exitCode, 1);
});

test("a failed init is a failure of its own", async (t) => {
  const c = quiet(t);
  c.addWorker("w", { init: () => { throw new Error("no ground"); }, run: () => {} });
  await c.start();
  await c.waitState("w", "failed", limit);
  assert.equal(c.status("w").reason, "init_error");
  assert.equal(c.status("w").error, "no ground");
});

test("a Lua worker fails with its text and traceback", async (t) => {
  const c = quiet(t);
  c.addLuaWorker("w", "bad", modules(t, { bad: "local M = {}\nfunction M.run() error('boom') end\nreturn M\n" }));
  await c.start();
  await c.waitState("w", "failed", limit);
  assert.match(c.status("w").error, /bad\.lua:2: boom/);
  assert.match(c.status("w").traceback, /bad\.lua:2: in function/);
  assert.equal(c.status("w").reason, "lua_error");
});

test("a mistake in a module is told where it is added", (t) => {
  const c = quiet(t);
  assert.throws(() => c.addLuaWorker("w", "wrong", modules(t, { wrong: "return {" })), code("invalid"));
  assert.throws(() => c.addLuaWorker("w", "nowhere"), (error) => error.code === "invalid" && /nowhere/.test(error.message));
});

test("wrong options are refused with what would be right", (t) => {
  const c = quiet(t);
  const says = (text) => (error) => code("invalid")(error) && error.message.includes(text);
  assert.throws(() => new chief.Chief({ nmae: "x" }), says('has no option "nmae"; there are: eventCapacity'));
  assert.throws(() => c.addWorker("w", () => {}, { restart: "sometimes" }), says("never, on_failure, always"));
  assert.throws(() => c.addWorker("w", () => {}, { grace: "1s" }), says('grace should be a number of milliseconds'));
  assert.throws(() => c.addWorker("w", {}), says("should be a function, a class or an object with run"));
  assert.throws(() => c.addChannel("ch", { overflow: "spill" }), says("block, drop_oldest, fail"));
  assert.throws(() => c.addWorker("-w", () => {}), code("invalid"));
  assert.throws(() => c.enableWorkers("w"), code("not_found"));
});

test("a stop wakes who is blocked, and says why", async (t) => {
  const seen = [];
  const ended = {};
  const over = (name) => new Promise((done) => { ended[name] = done; });
  const c = quiet(t);
  const all = ["sleeps", "receives", "asks"].map(over);
  const ends = (name, wait) => c.addWorker(name, async (context) => {
    try {
      await wait(context);
    } catch (error) {
      seen.push(`${name} ${error.code} ${context.signal.reason?.message}`);
      throw error;
    } finally {
      ended[name]();
    }
  });
  ends("sleeps", (context) => context.sleep(3600000));
  ends("receives", (context) => context.recv());
  ends("asks", (context) => context.call("receives2", "?"));
  const asked = new Promise((resolve) => c.addWorker("receives2", async (context) => {
    await context.recv();
    resolve();
    await Promise.all(all); // an end before that of the call would be its answer
  }));
  await c.start();
  await c.waitReady(limit);
  await asked;
  c.stop("enough");
  await c.join();
  assert.deepEqual(seen.sort(), ["asks cancelled the application stops", "receives cancelled the application stops", "sleeps cancelled the application stops"]);
  assert.equal(c.exitCode, 0);
});

test("events come as emitted, and as a sequence that ends with the chief", async (t) => {
  const c = quiet(t);
  const kinds = new Set();
  c.on("ready", (event) => kinds.add(`ready ${event.worker}`));
  c.addWorker("w", (context) => context.recv());
  const events = c.events();
  await c.start();
  await c.waitReady(limit);
  c.stop();
  let last, seq = 0;
  for await (const event of events) {
    assert.ok(event.seq > seq);
    seq = event.seq;
    last = event.kind;
  }
  assert.equal(last, "stopped");
  assert.ok(kinds.has("ready w"));
});

test("an AbortSignal stops a chief", async (t) => {
  const c = quiet(t);
  const abort = new AbortController();
  c.addWorker("w", (context) => context.recv());
  await c.start({ signal: abort.signal });
  await c.waitReady(limit);
  abort.abort(new Error("the parent ends"));
  await c.join();
  assert.equal(c.status("w").state, "stopped");
});

test("the wishes about one worker are followed", async (t) => {
  const c = quiet(t);
  c.addWorker("w", (context) => context.recv());
  await c.start();
  await c.waitState("w", "run", limit);
  assert.throws(() => c.startWorker("w"), code("wrong_state_change"));
  c.stopWorker("w");
  await c.waitState("w", "stopped", limit);
  c.startWorker("w");
  await c.waitState("w", "run", limit);
  assert.equal(c.status("w").generation, 2);
  c.addWorker("late", (context) => context.recv());
  await c.waitState("late", "run", limit);
  await assert.rejects(c.waitState("w", "failed", { timeout: 1 }), code("timeout"));
});

test("values and the log reach a worker and come from it", async (t) => {
  const records = [];
  const c = new chief.Chief({ log: { sink: (record) => records.push(record) } });
  t.after(() => c.close());
  c.addValue("greeting", "hello").addValue("n", 7);
  c.addWorker("w", async (context) => {
    context.log.info(`${context.value("greeting")} ${context.value("n")} ${context.value("none")}`, { part: 1 });
  });
  await c.start();
  await c.waitState("w", "stopped", limit);
  c.stop();
  await c.join();
  const record = records.find((one) => one.message === "hello 7 undefined");
  assert.equal(record.level, "info");
  assert.equal(record.fields.worker, "w");
  assert.equal(record.fields.part, 1);
});

test("onExit decides what follows an end", async (t) => {
  const exits = [];
  const c = quiet(t);
  c.addWorker("w", () => {
    throw new Error("again");
  }, {
    onExit: async (exit) => {
      exits.push(`${exit.worker} ${exit.error} ${exit.failures} ${exit.reason} ${exit.history.length}`);
      return [0, "restart", "give_up"][exit.failures - 1];
    },
    restart: { delay: 0 },
  });
  await c.start();
  const given = new Promise((resolve) => c.on("given_up", resolve));
  await given;
  assert.deepEqual(exits, ["w again 1 error 1", "w again 2 error 2", "w again 3 error 3"]);
});

test("an onExit that answers wrongly, late or by throwing leaves it to the options", async (t) => {
  const c = quiet(t);
  const notes = [];
  const fails = () => {
    throw new Error("again");
  };
  c.on("event", (event) => notes.push(`${event.kind} ${event.error}`));
  c.addWorker("wrong", fails, { onExit: () => "perhaps" });
  c.addWorker("throws", fails, { onExit: () => { throw new Error("no idea"); } });
  c.addWorker("late", fails, { onExit: () => new Promise(() => {}), onExitTimeout: 5 });
  let left = 3;
  const decided = new Promise((resolve) => c.on("given_up", () => --left === 0 && resolve()));
  await c.start();
  await decided;
  c.stop();
  await assert.rejects(c.join(), code("failed"));
  assert.ok(notes.some((text) => /should answer with one of default, restart/.test(text)), notes.join());
  assert.ok(notes.some((text) => /no idea/.test(text)));
});

test("the times of a cron expression are told, across a change of clocks", () => {
  const after = Date.UTC(2026, 2, 28, 0, 0);
  const times = chief.cronTimes("30 2 * * *", { tz: "Europe/Berlin", after, count: 3 });
  assert.deepEqual(times.map((time) => chief.zoneText(time, "Europe/Berlin")),
    ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]);
  assert.throws(() => chief.cronTimes("61 * * * *"), (error) => code("invalid")(error) && /minute should be 0 to 59/.test(error.message));
  assert.throws(() => chief.cronTimes("@daily", { tz: "Nowhere/Else" }), code("not_found"));
});

test("a worker with a schedule runs again and again", async (t) => {
  let runs = 0;
  const c = quiet(t);
  const thrice = new Promise((resolve) => c.addWorker("w", () => {
    if (++runs === 3) resolve();
  }, { schedule: { every: 2 } }));
  await c.start();
  await thrice;
  assert.equal(c.status("w").state, "run");
  assert.equal(c.status("w").generation, 1);
});
