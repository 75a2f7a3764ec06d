// options: the options of people, checked and in the form that the addon reads. Times are milliseconds.
"use strict";
const { ChiefError } = require("./errors");
const { deciderOf } = require("./policy");

function refuse(where, text) {
  throw new ChiefError("invalid", `${where} ${text}`);
}

function shown(value) {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

// Each type: what a value should be, and its native form (undefined: it is none).
function type(should, convert) {
  return { should, convert };
}
function when(should, test) {
  return type(should, (value) => (test(value) ? value : undefined));
}
function oneOf(names) {
  const words = Object.keys(names);
  return type(`one of ${words.join(", ")}`, (value) => (Object.hasOwn(names, value) ? names[value] : undefined));
}
function object(keys, extra = {}) {
  return { should: "an object", keys, ...extra };
}

const types = {
  text: when("a string", (value) => typeof value === "string"),
  flag: when("true or false", (value) => typeof value === "boolean"),
  count: when("a whole number of 0 or more", isCount),
  milliseconds: type("a number of milliseconds of 0 or more", (value) =>
    isNumber(value) && value >= 0 ? Math.ceil(value) : undefined),
  share: when("a number from 0 to 1", (value) => isNumber(value) && value >= 0 && value <= 1),
  factor: when("a number of 1 or more", (value) => isNumber(value) && value >= 1),
  names: type("an array of strings", (value) => {
    const list = typeof value === "string" ? [value] : value;
    return Array.isArray(list) && list.every((name) => typeof name === "string") ? list : undefined;
  }),
  counts: when("an array of whole numbers", (value) => Array.isArray(value) && value.every(isCount)),
  any: type("a value", (value) => value),
  call: when("a function", (value) => typeof value === "function"),
};

const levels = { debug: 1, info: 2, warn: 3, error: 4, off: 5 };
const policies = { never: 1, on_failure: 2, always: 3 };

const restart = object({
  policy: oneOf(policies), delay: types.milliseconds, factor: types.factor, maxDelay: types.milliseconds,
  jitter: types.share, maxRestarts: types.count, window: types.milliseconds, isolateAfter: types.count,
}, {
  short: (value) => (typeof value === "string" ? { policy: value } : value),
  complete: (made) => ({ policy: policies.on_failure, ...made }),
  should: `an object or one of ${Object.keys(policies).join(", ")}`,
});

const schedule = object({ every: types.milliseconds, later: types.flag, cron: types.text, tz: types.text });

const environment = type("an object of strings", (value) =>
  value !== null && typeof value === "object" ? Object.entries(value).map(([name, text]) => `${name}=${text}`) : undefined);

const processKeys = {
  argv: types.names, env: environment, cwd: types.text, user: types.text, group: types.text, umask: types.count,
  memory: types.count, cpu: types.count, files: types.count, fileSize: types.count, processes: types.count,
  core: types.count, spec: types.text, restartOnFail: types.flag,
};

const isolations = { thread: 1, fiber: 2, process: 3 };

const workerKeys = {
  restart, schedule, after: types.names, sends: types.names, receives: types.names, args: types.any,
  grace: types.milliseconds, startTimeout: types.milliseconds, mailbox: types.count, count: types.count,
  noRestartCodes: types.counts, critical: types.flag, onExit: types.call, onExitTimeout: types.milliseconds,
  ready: type('"explicit" or "run"', (value) => ({ explicit: true, run: false })[value]),
};

const luaKeys = {
  ...workerKeys, isolation: oneOf(isolations), path: types.text, cpath: types.text, memoryLimit: types.count,
  watchdog: types.milliseconds, eagerLibraries: types.flag, process: object(processKeys),
};

const channelKeys = {
  capacity: types.count, overflow: oneOf({ block: 0, drop_oldest: 1, fail: 2 }),
  delivery: oneOf({ at_most_once: 0, at_least_once: 1 }), maxDeliveries: types.count, maxMessage: types.count,
  dead: types.text,
};

const log = object({ level: oneOf(levels), format: oneOf({ text: 0, json: 1 }), sink: types.call });

const chiefKeys = {
  name: types.text, requireNames: types.flag, forceStopTimeout: types.milliseconds, initTimeout: types.milliseconds,
  hookTimeout: types.milliseconds, seed: types.count, eventCapacity: types.count, exitWhenDone: types.flag,
  threadStack: types.count, forceTime: types.milliseconds, eventLevel: oneOf(levels), fiberThreads: types.count,
  maxRestarts: types.count, restartWindow: types.milliseconds, log, exitTimeout: types.milliseconds,
  info: object({ version: types.text, build: types.text, tag: types.text }),
};

function readObject(where, keys, given) {
  if (given === null || typeof given !== "object" || Array.isArray(given)) refuse(where, `should be an object, got ${shown(given)}`);
  const made = {};
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(keys, key)) refuse(where, `has no option ${shown(key)}; there are: ${Object.keys(keys).sort().join(", ")}`);
    if (value !== undefined) made[key] = read(`${where}: ${key}`, keys[key], value);
  }
  return made;
}

function read(where, wanted, given) {
  if (wanted.keys) {
    const whole = wanted.short ? wanted.short(given) : given;
    const made = readObject(where, wanted.keys, whole);
    return wanted.complete ? wanted.complete(made) : made;
  }
  const made = wanted.convert(given);
  if (made === undefined) refuse(where, `should be ${wanted.should}, got ${shown(given)}`);
  return made;
}

function readWorker(where, keys, given) {
  const made = readObject(where, keys, given);
  if (made.ready !== undefined) made.saysReady = made.ready;
  if (made.onExit !== undefined) made.onExit = deciderOf(made.onExit);
  return made;
}

// A timeout in a call: undefined is for ever.
function timeout(where, value) {
  if (value === undefined || value === Infinity) return -1;
  if (!isNumber(value) || value < 0) refuse(where, `should be a number of milliseconds of 0 or more, got ${shown(value)}`);
  return Math.ceil(value);
}

module.exports = {
  levels,
  timeout,
  chief: (given = {}) => readObject("the options of a chief", chiefKeys, given),
  channel: (name, given = {}) => readObject(`channel ${shown(name)}`, channelKeys, given),
  worker: (name, given = {}) => readWorker(`worker ${shown(name)}`, workerKeys, given),
  lua: (name, given = {}) => readWorker(`worker ${shown(name)}`, luaKeys, given),
  plugin: (name, given = {}) =>
    readWorker(`worker ${shown(name)}`, { ...workerKeys, isolation: oneOf(isolations), process: object(processKeys) }, given),
  process: (name, given = {}) => readWorker(`worker ${shown(name)}`, { ...workerKeys, process: object(processKeys) }, given),
};
