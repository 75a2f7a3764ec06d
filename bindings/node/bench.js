// A contender of tests/bench: numbers from one worker to another, both in JavaScript. --work W --messages N --seed S
"use strict";
const { Chief } = require(".");

const BATCH = 100;
const UNAVAILABLE = 69;

const numberOf = (i, seed) => (i * 7 + seed) % 1000003;

// Each: what sends, and what receives and gives the sum.
const works = {
  "binding-oneway": {
    send: async (ch, messages, seed) => {
      for (let i = 1; i <= messages; i++) await ch.send(numberOf(i, seed));
    },
    receive: async (ch, messages) => {
      let sum = 0;
      for (let i = 0; i < messages; i++) sum += (await ch.recv()).value;
      return sum;
    },
  },
  "binding-batch": {
    send: async (ch, messages, seed) => {
      for (let i = 1; i <= messages; i += BATCH) {
        const n = Math.min(BATCH, messages - i + 1);
        await ch.sendMany(Array.from({ length: n }, (_, k) => numberOf(i + k, seed)));
      }
    },
    receive: async (ch, messages) => {
      let sum = 0;
      for (let seen = 0; seen < messages;) {
        const batch = await ch.recvMany(BATCH);
        seen += batch.length;
        for (const message of batch) sum += message.value;
      }
      return sum;
    },
  },
};

function read(args) {
  const options = {};
  for (let i = 0; i + 1 < args.length; i += 2) options[args[i].slice(2)] = args[i + 1];
  return options;
}

async function main() {
  const options = read(process.argv.slice(2));
  const work = works[options.work];
  if (!work) {
    console.error(`there is no work ${options.work}`);
    return UNAVAILABLE;
  }
  const messages = Math.floor(Number(options.messages) / 4) * 4;
  let sum;
  const chief = new Chief({ name: "bench", exitWhenDone: true, log: { level: "off" } });
  chief.addChannel("ch", { capacity: 1024 });
  chief.addWorker("receiver", async (context) => {
    sum = await work.receive(context.channel("ch"), messages);
  });
  chief.addWorker("sender", (context) => work.send(context.channel("ch"), messages, Number(options.seed)));
  await chief.initWorkers();
  const began = performance.now();
  await chief.launch().join();
  const seconds = (performance.now() - began) / 1000;
  console.log(`${options.work} ${(messages / seconds).toFixed(3)} msg/s ${sum}`);
  await chief.close();
  return 0;
}

main().then((code) => {
  process.exitCode = code;
});
