// Starts the real service through $CHIEF and talks to it.
import { execFileSync, spawn } from "node:child_process";
import { createConnection, createServer } from "node:net";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { check, equal, until } from "./harness.mjs";

export const here = dirname(fileURLToPath(import.meta.url));
export const app = join(here, "../../examples/image-service/app.lua");
const chief = (process.env.CHIEF || join(here, "../../dev") + " chief").split(" ");

export function newFolder(after) {
  const folder = mkdtempSync(join(tmpdir(), "image-service-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

// The bytes of a made-up picture; the same seed gives the same ones.
export function sample(type, width, height, seed = 1, grain = 32) {
  const words = [join(here, "picture.lua"), "sample", type, width, height, seed, grain];
  return execFileSync("lua5.4", words.map(String), { maxBuffer: 64e6 });
}

export function probe(bytes) {
  const line = execFileSync("lua5.4", [join(here, "picture.lua"), "probe"], { input: bytes, encoding: "utf8" });
  const [type, width, height] = line.trim().split("\t");
  return { type, width: Number(width), height: Number(height) };
}

// What a file says; "" for one that is not there any more.
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export class Service {
  // `options`: app, data, port, env, options (of chief run), workers (names to run), prefix (a command before chief).
  // Ends with the test.
  static async start(after, options = {}) {
    const service = new Service();
    service.port = options.port || await freePort();
    service.data = options.data || newFolder(after);
    service.url = `http://127.0.0.1:${service.port}`;
    service.log = "";
    const words = [...(options.prefix || []), ...chief, "run", options.app || app, ...(options.options || []),
      ...(options.workers || [])];
    const env = { ...process.env, PORT: String(service.port), DATA_DIR: service.data, ...options.env };
    service.child = spawn(words[0], words.slice(1), { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [service.child.stdout, service.child.stderr]) {
      stream.on("data", (bytes) => { service.log += bytes; });
    }
    service.ended = new Promise((done) => service.child.on("exit", (code, signal) => {
      service.code = code ?? signal;
      done(service.code);
    }));
    after(async () => {
      if (service.code === undefined) service.child.kill("SIGKILL");
      await service.ended;
    });
    return service;
  }

  static async ready(after, options) {
    const service = await Service.start(after, options);
    await service.says(/listening/, 40);
    return service;
  }

  async says(pattern, seconds) {
    await until(`the log says ${pattern}`, () => {
      if (pattern.test(this.log)) return true;
      check(this.code === undefined, `the service ended with ${this.code}:\n${this.log}`);
    }, seconds).catch((error) => { throw new Error(`${error.message}\n${this.log}`); });
  }

  // The processes that a worker and its replicas are in now, by the name that their chief has started them with.
  processes(worker) {
    const tasks = `/proc/${this.child.pid}/task`;
    const children = readdirSync(tasks).flatMap((task) => read(join(tasks, task, "children")).split(" "));
    return children.filter((pid) => pid !== "" && read(`/proc/${pid}/cmdline`).split("\0").includes(worker)).map(Number);
  }

  async stop(signal = "SIGINT") {
    this.child.kill(signal);
    return this.ended;
  }

  get(path, options) {
    return fetch(this.url + path, options);
  }

  post(body, headers = {}) {
    return this.get("/images", { method: "POST", body, headers });
  }

  // Posts a picture that has to be accepted: what the 201 says.
  async accept(body) {
    const response = await this.post(body);
    const text = await response.text();
    equal(response.status, 201, `status (${text.trim()})`);
    return JSON.parse(text);
  }

  // The thumbnail, as soon as it is there.
  thumb(image, seconds = 20) {
    return until(`the thumbnail of ${image.id}`, async () => {
      const response = await this.get(image.thumb);
      const bytes = Buffer.from(await response.arrayBuffer());
      if (response.status === 202) return null;
      equal(response.status, 200, `status of the thumbnail (${bytes.subarray(0, 200)})`);
      return bytes;
    }, seconds).catch((error) => { throw new Error(`${error.message}\n${this.log.slice(-3000)}`); });
  }

  // What is left in the folders where pictures wait.
  leftovers() {
    return ["incoming", "thumbs"].flatMap((name) => readdirSync(join(this.data, name)));
  }
}

// Sends raw bytes (strings, buffers; a number is a pause in ms) and gives back all that is answered until the close.
export function raw(port, pieces, { half = false, seconds = 15 } = {}) {
  return new Promise((done, fail) => {
    const socket = createConnection(port, "127.0.0.1");
    const chunks = [];
    const timer = setTimeout(() => {
      socket.destroy();
      fail(new Error("the connection was not closed"));
    }, seconds * 1000);
    socket.on("data", (bytes) => chunks.push(bytes));
    socket.on("error", () => {});
    socket.on("close", () => { clearTimeout(timer); done(Buffer.concat(chunks).toString("latin1")); });
    socket.on("connect", () => {
      for (const piece of pieces) socket.write(piece);
      if (half) socket.end();
    });
  });
}
