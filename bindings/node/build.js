#!/usr/bin/env node
// Builds the addon: node build.js [--out FILE]. It needs a C compiler and Node's headers, and no tool of npm's.
//
// libchief is found by pkg-config, else in a build tree: CHIEF_BUILD, or build/release and build/dev of the repository that
// this folder is in. Where there is none, the repository builds its own.
"use strict";
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const here = __dirname;
const repository = path.resolve(here, "../..");

function fail(text) {
  console.error(`chief: ${text}`);
  process.exit(1);
}

function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
}

function isTree(folder) {
  return fs.existsSync(path.join(folder, "lib/libchief-lua.so"));
}

function treeFlags(folder) {
  const lib = path.join(folder, "lib");
  return {
    cflags: [`-I${repository}/core/include`, `-I${repository}/bindings/lua/include`],
    libs: [`-L${lib}`, "-lchief-lua", "-lchief", `-Wl,-rpath,${lib}`],
  };
}

function installedFlags() {
  try {
    const ask = (what) => run("pkg-config", [what, "libchief-lua", "libchief"]).trim().split(/\s+/);
    const folder = run("pkg-config", ["--variable=libdir", "libchief"]).trim();
    return { cflags: ask("--cflags"), libs: [...ask("--libs"), `-Wl,-rpath,${folder}`] };
  } catch {
    return null;
  }
}

// Where libchief is, as flags for the compiler.
function findChief() {
  if (process.env.CHIEF_BUILD) {
    if (!isTree(process.env.CHIEF_BUILD)) fail(`CHIEF_BUILD is ${process.env.CHIEF_BUILD}, which has no lib/libchief-lua.so`);
    return treeFlags(process.env.CHIEF_BUILD);
  }
  const installed = installedFlags();
  if (installed) return installed;
  const trees = ["release", "dev"].map((name) => path.join(repository, "build", name));
  const tree = trees.find(isTree);
  if (tree) return treeFlags(tree);
  if (!fs.existsSync(path.join(repository, "dev"))) fail("libchief is not installed: pkg-config does not know libchief-lua");
  execFileSync(path.join(repository, "dev"), ["build", "release"], { stdio: ["ignore", "ignore", "inherit"] });
  return treeFlags(trees[0]);
}

// Node's headers: beside the program, as its own packages and Debian's libnode-dev have them, or npm's node-api-headers.
function findHeaders() {
  const folders = [path.resolve(process.execPath, "../../include/node"), "/usr/include/node", "/usr/include/nodejs/src"];
  try {
    folders.push(require("node-api-headers").include_dir);
  } catch {
    // not installed, and seldom needed
  }
  const found = folders.find((folder) => fs.existsSync(path.join(folder, "node_api.h")));
  if (!found) fail("Node's headers are missing: apt-get install libnode-dev, or npm install node-api-headers");
  return found;
}

// How it is made: where this or a source has changed since, it is made again.
function recipe(args) {
  return args.filter((arg) => !arg.endsWith(`.${process.pid}`)).join("\n");
}

function isFresh(out, args) {
  const made = `${out}.made`;
  if (!fs.existsSync(out) || !fs.existsSync(made) || fs.readFileSync(made, "utf8") !== recipe(args)) return false;
  const folders = [path.join(here, "src"), path.join(repository, "core/include"), path.join(repository, "bindings/lua/include")];
  const files = folders.filter(fs.existsSync).flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)));
  const time = fs.statSync(out).mtimeMs;
  return files.every((file) => fs.statSync(file).mtimeMs <= time);
}

function main() {
  const at = process.argv.indexOf("--out");
  const out = at > 0 ? path.resolve(process.argv[at + 1]) : path.join(here, "build/chief.node");
  const sources = fs.readdirSync(path.join(here, "src")).filter((name) => name.endsWith(".c"));
  const chief = findChief();
  const flags = (process.env.CFLAGS || "-O2 -g").split(/\s+/).filter(Boolean);
  const headers = findHeaders();
  const made = `${out}.${process.pid}`;
  const args = [
    "-std=c11", "-D_GNU_SOURCE", "-fPIC", "-fvisibility=hidden", "-pthread", ...flags, "-isystem", headers,
    ...chief.cflags, ...sources.map((name) => path.join(here, "src", name)), "-shared", "-o", made, ...chief.libs, "-lm",
  ];
  if (isFresh(out, args)) return;
  fs.mkdirSync(path.dirname(out), { recursive: true });
  try {
    run(process.env.CC || "cc", args);
  } catch (error) {
    fail(`the addon can't be built:\n${error.stderr || error.message}`);
  }
  fs.renameSync(made, out); // a program that has the old one loaded keeps it
  fs.writeFileSync(`${out}.made`, recipe(args));
}

main();
