// The image service of examples/image-service, whose workers are written in Lua, run from Node:
// node example/image-service.js [PORT [FOLDER]]
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { Chief } = require("..");

const source = path.resolve(__dirname, "../../../examples/image-service");
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_PIXELS = 64000000;

// The chief of the service, with a number of resizers.
function make(port, folder, { resizers = 2, log } = {}) {
  const chief = new Chief({ name: "image-service", log });
  const run = `${Date.now().toString(16)}-${process.pid.toString(16)}`;
  const limited = { policy: "on_failure", maxDelay: 5000, maxRestarts: 5, window: 30000 };
  const lua = (name, options) =>
    chief.addLuaWorker(name, `workers.${name}`, { path: `${source}/?.lua;;`, ...options });
  for (const name of ["uploads", "thumbs"]) {
    chief.addChannel(name, { capacity: 64, delivery: "at_least_once", maxDeliveries: 0 });
  }
  lua("uploader", {
    receives: ["thumbs"], args: { data_dir: folder, drain: 10 }, restart: limited, critical: true,
  });
  lua("resizer", {
    receives: ["uploads"], sends: ["thumbs"], after: ["uploader"], count: resizers,
    args: { data_dir: folder, side: 320, max_pixels: MAX_PIXELS, run, resizers },
    restart: { policy: "on_failure", delay: 500 },
  });
  lua("api", {
    sends: ["uploads"], after: ["resizer"], restart: limited, critical: true,
    args: {
      host: "127.0.0.1", port, data_dir: folder, queue: 64, run, drain: 10, max_bytes: MAX_BYTES, max_pixels: MAX_PIXELS,
      max_connections: 512, idle_timeout: 10, request_timeout: 120,
    },
  });
  return chief;
}

if (require.main === module) {
  const [port = "8080", folder = path.join(source, "data")] = process.argv.slice(2);
  fs.mkdirSync(folder, { recursive: true });
  make(Number(port), folder).run().then((code) => {
    process.exitCode = code;
  });
}

module.exports = { make, source };
