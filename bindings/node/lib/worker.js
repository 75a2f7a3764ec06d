// worker: what a worker in JavaScript sees of its chief, and how its lives are led.
"use strict";
const native = require("./native");
const options = require("./options");
const { ChiefError } = require("./errors");
const { Message } = require("./message");
const { Channel, until, BATCH } = require("./channel");
const { Logger } = require("./log");

// The numbers of enum request_kind.
const RECV = 0, SEND = 1, CALL = 2, BROADCAST = 3, SLEEP = 4, ACK = 5, READY = 6, STATES = 7;

// A channel in a worker's hands: what is received is in hand until the next is asked for, or `ack`.
class WorkerChannel {
  #life;
  #handle;

  constructor(life, handle) {
    this.#life = life;
    this.#handle = handle;
  }

  static handleOf(channel) {
    return channel === null ? null : channel.#handle;
  }

  get name() {
    return native.channelName(this.#handle);
  }

  get length() {
    return native.channelLen(this.#handle);
  }

  get stats() {
    return native.channelStats(this.#handle);
  }

  async send(value, { timeout, raw = false } = {}) {
    await native.lifeAsk(this.#life, SEND, this.#handle, value, options.timeout("timeout", timeout), 0, raw);
  }

  async sendMany(values, { timeout, raw = false } = {}) {
    const list = [...values];
    if (list.length === 0) return;
    const limit = options.timeout("timeout", timeout);
    await native.lifeAsk(this.#life, SEND, this.#handle, list, limit, list.length, raw);
  }

  async recv({ timeout, raw = false } = {}) {
    const limit = options.timeout("timeout", timeout);
    return new Message(await native.lifeAsk(this.#life, RECV, this.#handle, undefined, limit, 0, raw));
  }

  async recvMany(max = BATCH, { timeout, raw = false } = {}) {
    const limit = options.timeout("timeout", timeout);
    const taken = await native.lifeAsk(this.#life, RECV, this.#handle, undefined, limit, max, raw);
    return taken.map((parts) => new Message(parts));
  }

  batches(max = BATCH, { raw = false } = {}) {
    return until(() => this.recvMany(max, { raw }));
  }

  [Symbol.asyncIterator]() {
    return until(() => this.recv());
  }

  // Acknowledges all that the worker holds from this channel.
  async ack() {
    await native.lifeAsk(this.#life, ACK, this.#handle, undefined, -1, 0, false);
  }

  close() {
    native.channelClose(this.#handle);
  }
}

class WorkerContext {
  #life;
  #chief;
  #context;
  #stop = new AbortController();
  #channels = new Map();

  constructor(life, chief, [name, generation, args, context, log]) {
    this.#life = life;
    this.#chief = chief;
    this.#context = context;
    this.name = name;
    this.generation = generation;
    this.args = args;
    this.log = new Logger(log);
  }

  static cancel(context, reason) {
    context.#stop.abort(new ChiefError("cancelled", reason));
  }

  // Aborted when the worker is asked to stop; its reason is an error with chief's.
  get signal() {
    return this.#stop.signal;
  }

  #ask(kind, target, value, timeout, max, raw) {
    return native.lifeAsk(this.#life, kind, target, value, options.timeout("timeout", timeout), max, raw);
  }

  // One of the chief's channels. An unknown name throws, and the error lists those there are.
  channel(name) {
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = new WorkerChannel(this.#life, native.getChannel(this.#chief, name));
      this.#channels.set(name, channel);
    }
    return channel;
  }

  // To another worker's mailbox.
  async send(to, value, { timeout, raw = false } = {}) {
    await this.#ask(SEND, to, value, timeout, 0, raw);
  }

  async sendMany(to, values, { timeout, raw = false } = {}) {
    const list = [...values];
    if (list.length > 0) await this.#ask(SEND, to, list, timeout, list.length, raw);
  }

  // To every other worker, without waiting; resolves to how many took it.
  broadcast(value, { raw = false } = {}) {
    return this.#ask(BROADCAST, null, value, undefined, 0, raw);
  }

  // Asks another worker and resolves to its answer.
  call(to, value, { timeout, raw = false } = {}) {
    return this.#ask(CALL, to, value, timeout, 0, raw);
  }

  // The next message of the own mailbox.
  async recv({ timeout, raw = false } = {}) {
    return new Message(await this.#ask(RECV, null, undefined, timeout, 0, raw));
  }

  async recvMany(max = BATCH, { timeout, raw = false } = {}) {
    return (await this.#ask(RECV, null, undefined, timeout, max, raw)).map((parts) => new Message(parts));
  }

  [Symbol.asyncIterator]() {
    return until(() => this.recv());
  }

  // The first message of several channels, in this order of preference; null among them is the own mailbox.
  async select(channels, { timeout, raw = false } = {}) {
    const handles = channels.map((channel) => WorkerChannel.handleOf(channel));
    const taken = await this.#ask(RECV, handles, undefined, timeout, 0, raw);
    const [index, parts] = handles.length > 1 ? taken : [0, taken];
    return { channel: channels[index], index, message: new Message(parts) };
  }

  // Ends early, with an error, when the worker is asked to stop.
  async sleep(milliseconds) {
    await this.#ask(SLEEP, null, undefined, milliseconds, 0, false);
  }

  // Says that the worker is ready, where it was added with ready: "explicit".
  async ready() {
    await this.#ask(READY, null, undefined, undefined, 0, false);
  }

  states() {
    return this.#ask(STATES, null, undefined, undefined, 0, false);
  }

  // A value of the chief's context (chief.addValue); undefined where there is none.
  value(key) {
    return native.contextGet(this.#context, key);
  }

  // Milliseconds until its deadline; undefined where there is none.
  get remaining() {
    return native.contextRemaining(this.#context);
  }
}

// A worker as an object: a function is one that only runs; a class is made anew for each life.
function shape(name, worker) {
  if (typeof worker === "function" && /^class\b/.test(Function.prototype.toString.call(worker))) return ofClass(name, worker);
  if (typeof worker === "function") return { run: (context) => worker(context) };
  if (worker === null || typeof worker !== "object" || typeof worker.run !== "function") {
    throw new ChiefError("invalid", `worker ${JSON.stringify(name)} should be a function, a class or an object with run(context)`);
  }
  return {
    restartOnFail: worker.restartOnFail,
    init: (context) => worker.init?.(context),
    run: (context, instance) => worker.run(context, instance),
    fini: (instance) => worker.fini?.(instance),
  };
}

function ofClass(name, Worker) {
  if (typeof Worker.prototype.run !== "function") {
    throw new ChiefError("invalid", `the class of worker ${JSON.stringify(name)} has no method run(context)`);
  }
  return {
    restartOnFail: Worker.restartOnFail,
    init: async (context) => {
      const made = new Worker(context);
      await made.init?.(context);
      return made;
    },
    run: (context, instance) => instance.run(context),
    fini: (instance) => instance.fini?.(),
  };
}

// Runs one part of a life and tells the addon what it has come to.
async function runPart(life, context, work) {
  try {
    await work();
    native.lifeSettle(life, false, false);
  } catch (error) {
    const asked = context.signal.aborted && error instanceof ChiefError && error.code === "cancelled";
    if (asked) native.lifeSettle(life, true, true);
    else native.lifeSettle(life, true, false, textOf(error), String(error?.stack ?? ""));
  }
}

function textOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  return text === "" ? String(error?.name ?? "failed") : text;
}

// The function that the addon tells of each part of each life.
function leaderOf(chief, worker) {
  const lives = new Map();
  const parts = {
    init: (life, known) => runPart(life, known.context, async () => (known.instance = await worker.init?.(known.context))),
    run: (life, known) => runPart(life, known.context, () => worker.run(known.context, known.instance)),
    fini: (life, known) => runPart(life, known.context, () => worker.fini?.(known.instance)),
    over: (life) => lives.delete(life),
    cancel: (life, known, [reason]) => WorkerContext.cancel(known.context, reason),
  };
  return (what, life, ...more) => {
    if (what === "init") lives.set(life, { context: new WorkerContext(life, chief, more) });
    const known = lives.get(life);
    if (known) parts[what](life, known, more);
  };
}

module.exports = { WorkerContext, WorkerChannel, leaderOf, shape, Channel };
