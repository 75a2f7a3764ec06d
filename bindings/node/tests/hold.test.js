// What must hold under load and at the end: many messages, many lives, collections at any point, ends at any point.
"use strict";
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const path = require("node:path");
const { Worker } = require("node:worker_threads");
const { Chief } = require("..");
const { test, quiet, modules, ms, full, code, limit } = require("./kit");

const MESSAGES = 1e6;
const BATCH = 1000;

test("a million messages go from one worker to another", async (t) => {
  const c = quiet(t);
  c.addChannel("ch", { capacity: 4 * BATCH });
  c.addWorker("from", async (context) => {
    const ch = context.channel("ch");
    for (let i = 0; i < MESSAGES; i += BATCH) await ch.sendMany(Array.from({ length: BATCH }, (_, k) => i + k));
    ch.close();
  });
  let n = 0, sum = 0;
  c.addWorker("to", async (context) => {
    for await (const batch of context.channel("ch").batches(BATCH)) {
      for (const message of batch) sum += message.value;
      n += batch.length;
    }
  });
  await c.start();
  await c.waitState("to", "stopped", { timeout: ms(30000) });
  assert.equal(n, MESSAGES);
  assert.equal(sum, (MESSAGES * (MESSAGES - 1)) / 2);
});

test("messages go one at a time", async (t) => {
  const count = full ? 1e6 : 2e4;
  const c = quiet(t);
  c.addChannel("ch");
  c.addWorker("from", async (context) => {
    for (let i = 0; i < count; i++) await context.channel("ch").send(i);
    context.channel("ch").close();
  });
  let next = 0;
  c.addWorker("to", async (context) => {
    for await (const message of context.channel("ch")) assert.equal(message.value, next++);
  });
  await c.start();
  await c.waitState("to", "stopped", { timeout: ms(full ? 300000 : 30000) });
  assert.equal(next, count);
});

test("a thousand starts and stops", async (t) => {
  const c = quiet(t);
  let lives = 0;
  c.addWorker("w", { init: () => ++lives, run: (context) => context.recv() });
  await c.start();
  await c.waitState("w", "run", limit);
  for (let i = 0; i < 1000; i++) {
    c.stopWorker("w");
    await c.waitState("w", "stopped", limit);
    c.startWorker("w");
    await c.waitState("w", "run", limit);
  }
  assert.equal(c.status("w").generation, 1001);
  assert.equal(lives, 1001);
});

test("chiefs come and go", async () => {
  for (let i = 0; i < 100; i++) {
    const c = new Chief({ log: { level: "off" } });
    c.addWorker("w", (context) => context.recv());
    if (i % 4 > 0) await c.initWorkers();
    if (i % 4 > 1) c.launch();
    if (i % 4 > 2) await c.waitReady(limit);
    await c.close();
  }
});

test("collections at random points take nothing that is used", async (t) => {
  const seed = Number(process.env.CHIEF_SEED || Date.now() % 1e6);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = () => (state = (state * 48271 + 11) % 2147483647) / 2147483647;
  const collect = () => random() < 0.05 && global.gc({ type: random() < 0.8 ? "minor" : "major" });
  const run = async () => {
    const c = new Chief({ log: { level: "off" } });
    c.addChannel("ch", { delivery: "at_least_once" });
    c.addWorker("fails", async (context) => {
      for await (const message of context.channel("ch")) {
        collect();
        if (random() < 0.1) throw new Error("now and then");
        await context.call("answers", message.value);
      }
    }, { restart: { policy: "always", delay: 0 } });
    c.addWorker("answers", async (context) => {
      for await (const message of context) {
        collect();
        message.reply(message.value);
      }
    });
    await c.start();
    for (let i = 0; i < 400; i++) {
      collect();
      await c.channel("ch").send({ i, text: "x".repeat(1000) });
    }
    const events = c.events();
    c.stop();
    for await (const event of events) collect(event);
    if (random() < 0.5) await c.close(); // else it is collected
  };
  for (let i = 0; i < 3; i++) await run();
  global.gc();
});

test("who ignores the stop is abandoned by its name, and the end is not held up", async (t) => {
  const c = quiet(t, { forceStopTimeout: 50 });
  c.addWorker("deaf", () => new Promise(() => {}));
  c.addWorker("good", (context) => context.recv());
  await c.start();
  await c.waitReady(limit);
  c.stop();
  await assert.rejects(c.join(), (error) => code("timeout")(error) && /deaf/.test(error.message) && !/good/.test(error.message));
  assert.equal(c.exitCode, 75);
  assert.equal(c.status("deaf").phase, "abandoned");
});

test("a forced worker's calls fail, and it can end by them", async (t) => {
  const c = quiet(t, { forceStopTimeout: 20, forceTime: ms(2000) });
  const seen = [];
  c.addChannel("full", { capacity: 1 });
  const begun = new Promise((resolve) => c.addWorker("w", async (context) => {
    await context.channel("full").send(1);
    const asked = new Promise((done) => context.signal.addEventListener("abort", done));
    resolve();
    await asked;
    for (let i = 0; i < 3; i++) {
      await context.channel("full").send(2).catch((error) => seen.push(error.code));
    }
  }));
  await c.start();
  await begun;
  c.stop();
  await c.join().catch(() => {});
  assert.equal(seen.length, 3);
  assert.notEqual(c.status("w").phase, "abandoned");
});

test("callbacks come until the end and not after it", async (t) => {
  const c = quiet(t, { log: { sink: () => records++ } });
  let records = 0, events = 0, finis = 0;
  for (let i = 0; i < 20; i++) {
    c.addWorker(`w${i}`, {
      run: async (context) => {
        for (;;) {
          context.log.info("busy");
          await context.sleep(1);
        }
      },
      fini: async () => {
        await new Promise(setImmediate);
        finis++;
      },
    });
  }
  c.on("event", () => events++);
  await c.start();
  await c.waitReady(limit);
  c.stop();
  await c.close();
  assert.equal(finis, 20);
  const after = [records, events];
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([records, events], after);
  assert.ok(records > 20);
});

// ---- the end of the process ----

// Runs a program; resolves to its exit code, and what it has printed.
function program(text) {
  // who looks for leaks at the end can't bear a thread that goes on, as that of an abandoned worker does
  const options = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ""}:detect_leaks=0` };
  const prelude = `const { Chief } = require(${JSON.stringify(path.join(__dirname, ".."))});
    const quiet = (o) => new Chief({ log: { level: "off" }, ...o });`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--expose-gc", "-e", prelude + text], {
      env: { ...process.env, ...options }, stdio: ["ignore", "pipe", "pipe"], timeout: ms(20000),
    });
    let out = "";
    child.stdout.on("data", (data) => (out += data));
    child.stderr.on("data", (data) => (out += data));
    child.on("close", (exit, signal) => resolve({ exit: exit ?? signal, out }));
    program.child = child;
  });
}

const live = `c.addWorker("js", (x) => x.recv()); c.addWorker("deaf", () => new Promise(() => {}));`;

test("a program ends with workers that live", async (t) => {
  const lua = JSON.stringify(modules(t, { spin: "return { run = function() while true do end end }" }));
  const ends = await Promise.all([
    program(`const c = quiet(); ${live} c.start().then(() => process.exit(3));`),
    program(`const c = quiet(); ${live} c.initWorkers().then(() => process.exit(4));`),
    program(`const c = quiet(); ${live} c.initWorkers(); process.exit(5);`),
    program(`const c = quiet({ exitTimeout: 10 }); c.addLuaWorker("spin", "spin", ${lua});
      c.start().then(() => c.waitReady()).then(() => process.exit(6));`),
    program(`const c = quiet(); ${live} c.start().then(() => { throw new Error("uncaught"); });`),
    program(`const c = quiet(); ${live} c.start().then(() => c.unref());`),
    program(`const c = quiet(); c.addChannel("full", { capacity: 1 }); const f = c.channel("full");
      c.start({}).catch(() => {}); f.send(1); f.send(2); f.recv(); f.recv().catch(() => {}); f.recv().catch(() => {});
      c.call("nobody", 1).catch(() => process.exit(7));`),
    program(`quiet(); const c = quiet(); c.addWorker("w", () => {}); c.initWorkers();`),
  ]);
  const outs = ends.map((end) => end.out);
  assert.deepEqual(ends.map((end) => end.exit), [3, 4, 5, 6, 1, 0, 7, 0], outs.join("\n--\n"));
  assert.match(outs[4], /Error: uncaught/);
});

test("a running chief keeps its program alive until a signal", async () => {
  const end = program(`const c = quiet(); c.addWorker("w", async (x) => { console.log("up"); await x.recv(); });
    c.run().then((code) => { console.log("code", code); process.exitCode = 9; });`);
  const { child } = program;
  child.stdout.once("data", () => child.kill("SIGTERM"));
  assert.deepEqual(await end, { exit: 9, out: "up\ncode 0\n" });
});

test("an error in a handler is an uncaught exception, as anywhere in Node", async () => {
  const end = await program(`const c = quiet(); c.addWorker("w", (x) => x.recv());
    c.on("ready", () => { throw new Error("in a handler"); });
    process.on("uncaughtException", (error) => { console.log(error.message); c.stop(); });
    c.start().then(() => c.join()).then(() => console.log("joined"));`);
  assert.deepEqual(end, { exit: 0, out: "in a handler\njoined\n" });
});

test("a Node worker thread has chiefs of its own, and may be terminated", async () => {
  const text = `const { parentPort } = require("node:worker_threads"); const { Chief } = require(${JSON.stringify(path.join(__dirname, ".."))});
    const c = new Chief({ log: { level: "off" } }); ${live}
    c.addChannel("full", { capacity: 1 }); c.channel("full").recv().catch(() => {});
    c.start().then(() => c.waitReady()).then(() => parentPort.postMessage("up"));`;
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(text, { eval: true });
    await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    await worker.terminate();
  }
});
