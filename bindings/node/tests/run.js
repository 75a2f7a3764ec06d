// Runs all tests in one process; arguments are parts of their names.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const kit = require("./kit");

kit.only(process.argv.slice(2));
for (const name of fs.readdirSync(__dirname).sort()) {
  if (name.endsWith(".test.js")) require(path.join(__dirname, name));
}
