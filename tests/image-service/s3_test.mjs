// The image service over a real S3-compatible server (s3rver), which is stopped for 5 s in the middle.
import { spawn } from "node:child_process";
import { createServer, request as httpRequest } from "node:http";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { check, equal, run, test, until } from "./harness.mjs";
import { freePort, newFolder, probe, sample, Service } from "./service.mjs";
import { wrong } from "./signature.mjs";

const BUCKET = "pictures", OUTAGE_MS = 5000;
const ACCESS_KEY = "S3RVER", SECRET_KEY = "S3RVER"; // the account that s3rver has

class Server {
  constructor(folder, port) {
    Object.assign(this, { folder, port });
  }

  async start() {
    const words = ["-d", this.folder, "-a", "127.0.0.1", "-p", String(this.port), "--configure-bucket", BUCKET];
    this.child = spawn(process.execPath, [process.env.S3RVER, ...words], { stdio: "ignore" });
    this.ended = new Promise((done) => this.child.on("exit", done));
    await until("s3rver answers", () => {
      check(this.child.exitCode === null, `s3rver ended with ${this.child.exitCode}`);
      return fetch(`http://127.0.0.1:${this.port}/`).then(() => true, () => false);
    });
  }

  async stop() {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  read(key) {
    return readFileSync(join(this.folder, BUCKET, `${key}._S3rver_object`));
  }
}

// Stands before the server: checks the signatures, which s3rver does not, and counts for each key the statuses its PUTs
// were answered with. While the server is away it breaks the connection off, as an unreachable server does.
class Gate {
  constructor(target) {
    this.target = target;
    this.puts = new Map();
    this.broken = 0;
    this.server = createServer((incoming, outgoing) => this.forward(incoming, outgoing));
  }

  async start() {
    await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  async forward(incoming, outgoing) {
    const { method, url, headers } = incoming;
    const pieces = [];
    for await (const piece of incoming) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const code = wrong(incoming, body, ACCESS_KEY, SECRET_KEY);
    if (code) return outgoing.writeHead(403).end(`<Error><Code>${code}</Code></Error>`);
    const onward = httpRequest({ host: "127.0.0.1", port: this.target, method, path: url, headers }, (response) => {
      if (method === "PUT") this.puts.set(url, [...(this.puts.get(url) || []), response.statusCode]);
      outgoing.writeHead(response.statusCode, response.headers);
      response.pipe(outgoing);
    });
    onward.on("error", () => {
      this.broken++;
      incoming.socket.destroy();
    });
    onward.end(body);
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }
}

async function start(after) {
  const folder = join(newFolder(after), "s3");
  mkdirSync(folder);
  const server = new Server(folder, await freePort());
  await server.start();
  after(() => server.stop());
  const gate = new Gate(server.port);
  await gate.start();
  after(() => gate.stop());
  const env = {
    S3_ENDPOINT: gate.url, S3_BUCKET: BUCKET, S3_REGION: "us-east-1",
    S3_ACCESS_KEY: ACCESS_KEY, S3_SECRET_KEY: SECRET_KEY,
  };
  return { server, gate, env };
}

test("pictures are stored in S3, and an outage of 5 s loses none", async (after) => {
  const { server, gate, env } = await start(after);
  const service = await Service.ready(after, { env });
  const sent = [];
  const send = async (seed) => {
    const body = sample("jpeg", 640, 480, seed);
    sent.push({ body, image: await service.accept(body) });
  };
  for (let seed = 1; seed <= 5; seed++) await send(seed);
  await service.thumb(sent[0].image);
  await server.stop();
  for (let seed = 6; seed <= 10; seed++) await send(seed);
  await pause(OUTAGE_MS);
  check(gate.broken > 0, "nothing was tried while the server was away");
  await server.start();
  for (const { image } of sent) equal(probe(await service.thumb(image, 40)).width, 320, "width of a thumbnail");
  for (const { image, body } of sent) {
    check(server.read(`originals/${image.id}.jpg`).equals(body), `${image.id} was stored with other bytes`);
    const original = Buffer.from(await (await service.get(image.url)).arrayBuffer());
    check(original.equals(body), `${image.id} comes back with other bytes`);
  }
  equal(await service.stop(), 0, "exit code");
  equal(service.leftovers().length, 0, "files left");
  equal(gate.puts.size, 20, "keys that were put");
  for (const [key, statuses] of gate.puts) equal(statuses.join(), "200", `PUTs of ${key}`);
  console.log(`# 20 objects, ${gate.broken} attempts during the outage, one PUT answered for each object`);
});

test("a stop during an outage leaves the pictures to the next start", async (after) => {
  const { server, env } = await start(after);
  const service = await Service.ready(after, { env: { ...env, DRAIN_TIMEOUT: "1" } });
  await server.stop();
  const body = sample("jpeg", 640, 480);
  const image = await service.accept(body);
  await service.says(/not available/);
  await service.stop();
  await server.start();
  const next = await Service.ready(after, { env, data: service.data });
  await next.thumb(image);
  check(server.read(`originals/${image.id}.jpg`).equals(body), "stored with other bytes");
  equal(await next.stop(), 0, "exit code");
});

test("a wrong secret key is said, and nothing is lost", async (after) => {
  const { server, env } = await start(after);
  const service = await Service.ready(after, { env: { ...env, S3_SECRET_KEY: "wrong" } });
  const image = await service.accept(sample("jpeg", 640, 480));
  await service.says(/S3 answered 403 SignatureDoesNotMatch/);
  equal(await service.ended, 70, "exit code");
  const next = await Service.ready(after, { env, data: service.data });
  await next.thumb(image);
  check(server.read(`thumbs/${image.id}.jpg`).length > 0, "no thumbnail");
});

test("an incomplete configuration is said", async (after) => {
  const service = await Service.start(after, { env: { S3_BUCKET: BUCKET, S3_ENDPOINT: "http://127.0.0.1:1" } });
  await service.says(/S3 needs S3_ACCESS_KEY as well/, 40);
});

await run();
