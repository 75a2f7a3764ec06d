// log: a logger of chief's.
"use strict";
const native = require("./native");
const { levels } = require("./options");

function flat(fields) {
  const list = [];
  for (const [key, value] of Object.entries(fields ?? {})) list.push(key, shown(value));
  return list;
}

// What no field can hold is shown as text.
function shown(value) {
  if (value === null || value === undefined || Buffer.isBuffer(value)) return value;
  if (value instanceof Error) return value.message;
  return typeof value === "object" || typeof value === "function" || typeof value === "symbol" ? String(value) : value;
}

class Logger {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  debug(message, fields) {
    native.logWrite(this.#handle, levels.debug, String(message), flat(fields));
  }

  info(message, fields) {
    native.logWrite(this.#handle, levels.info, String(message), flat(fields));
  }

  warn(message, fields) {
    native.logWrite(this.#handle, levels.warn, String(message), flat(fields));
  }

  error(message, fields) {
    native.logWrite(this.#handle, levels.error, String(message), flat(fields));
  }

  // A logger with these fields more.
  with(fields) {
    return new Logger(native.logWith(this.#handle, flat(fields)));
  }

  set level(name) {
    native.logSetLevel(this.#handle, levels[name] ?? 0);
  }
}

// The options as the addon reads them: a sink gets records as objects.
function logOptions(log) {
  if (log?.sink === undefined) return log;
  const names = Object.fromEntries(Object.entries(levels).map(([name, number]) => [number, name]));
  const sink = (level, time, [message, ...rest]) => {
    const fields = {};
    for (let i = 0; i + 1 < rest.length; i += 2) fields[rest[i]] = rest[i + 1];
    log.sink({ level: names[level], time: new Date(time), message, fields });
  };
  return { ...log, sink };
}

module.exports = { Logger, logOptions };
