// The image service's workers, which are written in Lua, run from Node.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const zlib = require("node:zlib");
const { make, source } = require("../example/image-service");
const { test, quiet, limit } = require("./kit");

const built = fs.existsSync(path.join(source, "native/image_native.so"));

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// A picture in one colour.
function png(width, height) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(3 * width, Buffer.from([0x20, 0x80, 0xff]))]);
  const rows = zlib.deflateSync(Buffer.concat(Array(height).fill(row)));
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([magic, chunk("IHDR", header), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
}

function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "chief-images-"));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// A sink, and the promise of a record in it.
function watch() {
  const records = [];
  let look = () => {};
  return {
    sink: (record) => {
      records.push(record);
      look();
    },
    wait: (message, worker) => new Promise((resolve) => {
      look = () => {
        const found = records.find((one) => one.message === message && one.fields.worker === worker);
        if (found) resolve(found);
      };
      look();
    }),
  };
}

test("a resizer in Lua works for a worker in JavaScript", { skip: !built }, async (t) => {
  const data = folder(t), log = watch();
  const c = quiet(t, { log: { sink: log.sink } });
  c.addChannel("uploads").addChannel("thumbs").addChannel("got");
  c.addLuaWorker("resizer", "workers.resizer", {
    path: `${source}/?.lua;;`, args: { data_dir: data, side: 320, max_pixels: 1 << 20, run: "now", resizers: 1 },
  });
  c.addWorker("uploader", async (context) => {
    for await (const message of context.channel("thumbs")) {
      const thumb = await fs.promises.readFile(`${data}/thumbs/${message.value.id}`);
      await context.channel("got").send([message.sender, message.value.id, thumb.subarray(0, 8)]);
    }
  });
  await c.start();
  const record = { id: "0".repeat(20), state: "accepted", type: "png", bytes: 1, width: 64, height: 48, run: "now" };
  fs.writeFileSync(`${data}/records/${record.id}.json`, JSON.stringify(record));
  fs.writeFileSync(`${data}/incoming/${record.id}`, png(64, 48));
  await c.channel("uploads").send({ id: record.id });
  const got = await c.channel("got").recv(limit);
  assert.deepEqual(got.value, ["resizer", record.id, Buffer.from("\x89PNG\r\n\x1a\n", "latin1")]);
  await c.channel("uploads").send(7);
  const failed = await log.wait("worker failed", "resizer");
  assert.equal(failed.fields.reason, "lua_error");
  assert.match(c.status("resizer").traceback, /resizer\.lua:/);
});

test("the whole image service takes a picture and stops", { skip: !built }, async (t) => {
  const port = await freePort(), log = watch();
  const c = make(port, folder(t), { resizers: 1, log: { sink: log.sink } });
  t.after(() => c.close());
  await c.start();
  await c.waitReady(limit);
  const url = `http://127.0.0.1:${port}/images`;
  const posted = await (await fetch(url, { method: "POST", body: png(640, 480) })).json();
  assert.equal((await log.wait("stored", "uploader")).fields.id, posted.id);
  const thumb = Buffer.from(await (await fetch(`http://127.0.0.1:${port}${posted.thumb}`)).arrayBuffer());
  assert.equal(thumb.subarray(1, 4).toString(), "PNG");
  assert.equal((await fetch(url, { method: "POST", body: "no picture at all" })).status, 415);
  c.stop();
  await c.join();
  assert.equal(c.exitCode, 0);
});
