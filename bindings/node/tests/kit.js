// kit: what the tests share.
"use strict";
const node = require("node:test");
const path = require("node:path");
const { Chief, ChiefError } = require("..");

const slow = Number(process.env.CHIEF_TEST_SLOW || 1);
const full = process.env.CHIEF_BINDINGS_FULL === "1";
const repository = path.resolve(__dirname, "../../..");
let parts = [];

// A limit in milliseconds, stretched where everything is slow.
const ms = (limit) => limit * slow;

function test(name, options, body = options) {
  const wanted = parts.length === 0 || parts.some((part) => name.includes(part));
  if (wanted) node.test(name, { timeout: ms(30000), ...(body === options ? {} : options) }, body);
}

// A chief that says nothing, closed at the end of the test.
function quiet(t, options = {}) {
  const chief = new Chief({ log: { level: "off" }, ...options });
  t.after(() => chief.close());
  return chief;
}

// Lua workers written by the test: a folder of modules.
function modules(t, files) {
  const fs = require("node:fs");
  const folder = fs.mkdtempSync(path.join(require("node:os").tmpdir(), "chief-node-"));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, `${name}.lua`), text);
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return { path: path.join(folder, "?.lua") };
}

const code = (word) => (error) => error instanceof ChiefError && error.code === word;
const only = (names) => (parts = names);

module.exports = { test, quiet, modules, ms, full, repository, code, only, limit: { timeout: ms(20000) } };
