// A worker in JavaScript that asks one in Lua, until Ctrl-C: node example/hello.js
"use strict";
const path = require("node:path");
const { Chief } = require("..");

const chief = new Chief({ name: "hello" });

chief.addLuaWorker("greeter", "greeter", { path: path.join(__dirname, "workers/?.lua") });

chief.addWorker("visitor", async (context) => {
  for (let n = 1; ; n++) {
    const answer = await context.call("greeter", { name: "Node", n });
    context.log.info(answer.text, { by: answer.by });
    await context.sleep(1000); // ends at once when the worker is asked to stop
  }
}, { after: ["greeter"], restart: "on_failure" });

chief.run().then((code) => {
  process.exitCode = code;
});
