// native: the addon, and what it needs of JavaScript.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { makeError } = require("./errors");

function load() {
  const file = process.env.CHIEF_NODE_ADDON || path.join(__dirname, "../build/chief.node");
  if (!fs.existsSync(file)) throw new Error(`chief's addon is not built: ${file} is missing; node build.js makes it`);
  return require(file);
}

// How an object is sent: undefined for a plain one, the pairs of a Map in a row, or what it is that can't be sent.
function describe(object) {
  if (object instanceof Map) return pairsOf(object);
  if (ArrayBuffer.isView(object)) return `a ${object.constructor.name} (a Buffer or a Uint8Array can be sent)`;
  for (const kind of [Set, Date, RegExp, Promise, Error, WeakMap, WeakSet, ArrayBuffer, URL]) {
    if (object instanceof kind) return `a ${kind.name}`;
  }
  return undefined;
}

function pairsOf(map) {
  const pairs = [];
  for (const [key, value] of map) pairs.push(key, value);
  return pairs;
}

const native = load();
native.setup(makeError, describe);
module.exports = native;
