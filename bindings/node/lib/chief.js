// chief: a chief from its options to its end.
"use strict";
const { EventEmitter } = require("node:events");
const native = require("./native");
const options = require("./options");
const { ChiefError } = require("./errors");
const { Channel } = require("./channel");
const { EventStream } = require("./events");
const { logOptions } = require("./log");
const { leaderOf, shape } = require("./worker");

const GROUPS = { one_for_one: 1, one_for_all: 2, rest_for_one: 3 };
const STATES = { null: 1, disabled: 2, present: 3, enabled: 4, initialized: 5, run: 6, stopped: 7, failed: 8 };
const FORCE_AFTER = 500; // ms: a second signal is taken for another wish from then on

function numberOf(where, names, name) {
  if (Object.hasOwn(names, name)) return names[name];
  throw new ChiefError("invalid", `${where} should be one of ${Object.keys(names).join(", ")}, got ${JSON.stringify(name)}`);
}

// Runs a named set of workers. Its events are those of an EventEmitter by their kinds ("state", "ready", "restart" …), and
// all of them are "event"; `events()` gives them to `for await`.
class Chief extends EventEmitter {
  #handle;
  #poll;
  #streams = new Set();
  #calls = new Set(); // those that the library has not answered
  #running = false; // it keeps the process alive
  #referenced = true;
  #initialized = false;
  #launched = false;
  #closing;
  #ended = {};

  constructor(given) {
    super();
    const made = options.chief(given);
    this.#handle = native.chiefNew({ ...made, log: logOptions(made.log) });
    this.#ended.promise = new Promise((resolve) => (this.#ended.resolve = resolve));
  }

  // ---- what it is made of ----

  // A worker in JavaScript: a function (context), a class, or an object with run(context, instance) and perhaps
  // init(context), fini(instance) and restartOnFail.
  addWorker(name, worker, given) {
    const made = shape(name, worker);
    const read = { isolation: 2, ...options.worker(name, given) }; // it takes no thread while it waits
    native.addWorker(this.#handle, name, leaderOf(this.#handle, made), made.restartOnFail === true, read);
    return this;
  }

  // A worker that is a Lua module.
  addLuaWorker(name, module, given) {
    native.addLuaWorker(this.#handle, name, module, options.lua(name, given));
    return this;
  }

  // A worker that is a C plug-in, by the path of its shared object.
  addPlugin(name, path, given) {
    native.addPlugin(this.#handle, name, path, options.plugin(name, given));
    return this;
  }

  // A worker that is a program which lives a chief's worker (options.process.argv).
  addProcess(name, given) {
    native.addProcess(this.#handle, name, { process: {}, ...options.process(name, given) });
    return this;
  }

  addGroup(name, policy, names) {
    native.addGroup(this.#handle, name, numberOf("the policy of a group", GROUPS, policy), names);
    return this;
  }

  addChannel(name, given) {
    native.addChannel(this.#handle, name, options.channel(name, given));
    return this;
  }

  channel(name) {
    return new Channel(native.getChannel(this.#handle, name));
  }

  enableWorkers(...names) {
    native.enableWorkers(this.#handle, names.flat());
    return this;
  }

  isEnabled(name) {
    return native.isEnabled(this.#handle, name);
  }

  enableByDefault(yes) {
    native.setEnableByDefault(this.#handle, Boolean(yes));
    return this;
  }

  set forceStopTimeout(milliseconds) {
    native.setForceStopTimeout(this.#handle, options.timeout("forceStopTimeout", milliseconds));
  }

  set exitWhenDone(yes) {
    native.setExitWhenDone(this.#handle, Boolean(yes));
  }

  set eventLevel(name) {
    native.setEventLevel(this.#handle, numberOf("the level", options.levels, name));
  }

  // A value that every worker sees (context.value in JavaScript), at any time.
  addValue(key, value) {
    native.addValue(this.#handle, key, value);
    return this;
  }

  value(key) {
    return native.contextGet(native.context(this.#handle), key);
  }

  get name() {
    return native.name(this.#handle);
  }

  get info() {
    return native.info(this.#handle);
  }

  // ---- its life ----

  // Runs init of every worker that waits for no other, and resolves when all have answered.
  async initWorkers() {
    this.#initialized = true;
    try {
      await this.#call(() => native.initWorkers(this.#handle));
    } catch (error) {
      if (error.code !== "busy") this.#initialized = false;
      throw error;
    }
  }

  // Lets the workers run. `signal`, when it is aborted, stops the chief.
  launch({ signal } = {}) {
    const parent = signal ? native.contextNew() : undefined;
    native.launch(this.#handle, parent);
    this.#launched = true;
    this.#poll = native.pollStart(native.eventsFd(this.#handle), () => this.#takeEvents());
    this.#setRunning(true);
    if (signal) this.#follow(signal, parent);
    return this;
  }

  #follow(signal, parent) {
    const cancel = () => native.contextCancel(parent, String(signal.reason?.message ?? signal.reason ?? "aborted"));
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel, { once: true });
    this.#ended.promise.then(() => signal.removeEventListener("abort", cancel));
  }

  // initWorkers and launch; resolves when the workers have been let run.
  async start(given) {
    await this.initWorkers();
    return this.launch(given);
  }

  // Resolves when it has stopped; rejects when that did not go well: "timeout" names who had to be forced, "failed" who
  // has failed.
  async join() {
    if (!this.#launched) throw new ChiefError("not_initialized", "this chief has not been launched");
    await this.#ended.promise;
    if (this.#ended.error) throw this.#ended.error;
  }

  // Enables the workers named (none: as by default), runs them until SIGTERM or SIGINT, or until `until` resolves or
  // `signal` is aborted, and resolves to the exit code. A second signal, half a second later or more, forces.
  async run({ names = [], signal, until } = {}) {
    if (names.length > 0) this.enableWorkers(names);
    const forget = until ? () => {} : this.#catchSignals();
    let failure;
    try {
      await this.start({ signal });
      until?.(this.signal).catch((error) => (failure = error)).finally(() => this.#ended.error ?? this.#stopQuietly());
      await this.#ended.promise;
    } finally {
      forget();
    }
    if (failure) throw failure;
    return this.exitCode;
  }

  #stopQuietly() {
    if (!native.hasStopped(this.#handle)) native.stop(this.#handle);
  }

  #catchSignals() {
    let first;
    const take = (name) => {
      const now = performance.now();
      first ??= now;
      if (now - first >= FORCE_AFTER) native.forceStop(this.#handle);
      else if (now === first) native.stop(this.#handle, name);
    };
    const names = ["SIGTERM", "SIGINT"];
    for (const name of names) process.on(name, take);
    return () => names.forEach((name) => process.off(name, take));
  }

  // Aborted when the chief begins to stop.
  get signal() {
    if (!this.stopSignal) {
      const controller = new AbortController();
      const context = native.stopContext(this.#handle);
      const poll = native.pollStart(native.contextFd(context), () => {
        native.pollStop(poll);
        controller.abort(new ChiefError("cancelled", native.contextReason(context) ?? "stopped"));
      });
      Object.defineProperty(this, "stopSignal", { value: controller.signal });
    }
    return this.stopSignal;
  }

  // Asks for a graceful stop; `join` says when it is over.
  stop(why) {
    native.stop(this.#handle, why);
    return this;
  }

  forceStop() {
    native.forceStop(this.#handle);
    return this;
  }

  // Stops it, if it runs, and lets go of it. Nothing else can be asked of it then.
  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    if (this.#launched) {
      this.#stopQuietly();
      await this.#ended.promise;
    }
    await Promise.allSettled([...this.#calls]);
    this.#endStreams();
    await native.chiefFree(this.#handle);
  }

  // How the program should exit, once it has stopped: 0, 1 a worker has failed, 70 a critical one was given up, 75 a worker
  // had to be forced.
  get exitCode() {
    return this.#ended.exitCode ?? native.exitCode(this.#handle);
  }

  get stopped() {
    return this.#ended.over === true;
  }

  // A running chief keeps the process alive; after unref it does not, until ref.
  unref() {
    this.#referenced = false;
    this.#hold();
    return this;
  }

  ref() {
    this.#referenced = true;
    this.#hold();
    return this;
  }

  #setRunning(yes) {
    this.#running = yes;
    if (yes) running.add(this);
    else running.delete(this);
    this.#hold();
  }

  #held = false;

  #hold() {
    const wanted = this.#running && this.#referenced;
    if (wanted !== this.#held) native.hold(wanted);
    this.#held = wanted;
  }

  // ---- its workers ----

  startWorker(name) {
    native.startWorker(this.#handle, name);
  }

  stopWorker(name) {
    native.stopWorker(this.#handle, name);
  }

  restartWorker(name) {
    native.restartWorker(this.#handle, name);
  }

  removeWorker(name) {
    native.removeWorker(this.#handle, name);
  }

  // Resolves when the worker, or each of its replicas, is in that state.
  waitState(name, state, { timeout } = {}) {
    const number = numberOf("the state", STATES, state);
    return this.#call(() => native.waitState(this.#handle, name, number, options.timeout("timeout", timeout)));
  }

  // Resolves when every enabled worker is ready.
  waitReady({ timeout } = {}) {
    return this.#call(() => native.waitReady(this.#handle, options.timeout("timeout", timeout)));
  }

  // Where a worker is now.
  traceback(name) {
    return this.#call(() => native.traceback(this.#handle, name));
  }

  // The states of all workers at one moment: { seq, workers: [{ name, state, phase … }] }
  get states() {
    return native.states(this.#handle);
  }

  get statesJson() {
    return native.statesJson(this.#handle);
  }

  status(name) {
    return this.states.workers.find((worker) => worker.name === name);
  }

  // ---- messages from outside ----

  async send(to, value, { timeout, raw = false } = {}) {
    await this.#call(() => native.send(this.#handle, to, value, options.timeout("timeout", timeout), raw));
  }

  // Resolves to the answer.
  call(to, value, { timeout, raw = false } = {}) {
    return this.#call(() => native.call(this.#handle, to, value, options.timeout("timeout", timeout), raw));
  }

  // To every worker, without waiting: how many took it.
  broadcast(value, { raw = false } = {}) {
    return native.broadcast(this.#handle, value, raw);
  }

  async #call(start) {
    const promise = start();
    if (promise === undefined) return undefined;
    this.#calls.add(promise);
    try {
      return await promise;
    } finally {
      this.#calls.delete(promise);
    }
  }

  // ---- events ----

  // All events from now on, for `for await`; it ends with the chief.
  events() {
    const stream = new EventStream(() => this.#streams.delete(stream));
    if (this.#ended.over) stream.end();
    else this.#streams.add(stream);
    return stream;
  }

  get eventsDropped() {
    return native.eventsDropped(this.#handle);
  }

  get lateReplies() {
    return native.lateReplies(this.#handle);
  }

  #takeEvents() {
    for (;;) {
      const events = native.takeEvents(this.#handle);
      if (events === null) return this.#end();
      if (events.length === 0) return undefined;
      for (const event of events) this.#tell(event);
    }
  }

  #tell(event) {
    for (const stream of this.#streams) stream.push(event);
    this.emit(event.kind, event);
    this.emit("event", event);
  }

  async #end() {
    native.pollStop(this.#poll);
    try {
      await native.join(this.#handle);
    } catch (error) {
      this.#ended.error = error;
    }
    this.#setRunning(false);
    this.#ended.over = true;
    this.#ended.exitCode = native.exitCode(this.#handle);
    this.#endStreams();
    this.#ended.resolve();
  }

  #endStreams() {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }
}

if (Symbol.asyncDispose) Chief.prototype[Symbol.asyncDispose] = Chief.prototype.close;

// Nobody has to hold on to a chief that runs.
const running = new Set();

module.exports = { Chief };
