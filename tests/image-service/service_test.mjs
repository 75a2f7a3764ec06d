// The image service from outside: what it answers, what it refuses, and that it loses nothing.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { check, equal, run, Skip, test, until } from "./harness.mjs";
import { app, newFolder, probe, raw, sample, Service } from "./service.mjs";

const extensions = { jpeg: "jpg", png: "png", webp: "webp" };
const small = sample("jpeg", 400, 300);

async function refused(response, status, pattern) {
  const text = await response.text();
  equal(response.status, status, `status (${text.trim()})`);
  const { error } = JSON.parse(text);
  check(pattern.test(error), `the error should match ${pattern}, got ${error}`);
}

function stored(service, image, kind, type = "jpeg") {
  return join(service.data, "store", kind, `${image.id}.${extensions[type]}`);
}

function checkStored(service, image, body) {
  const original = stored(service, image, "originals"), thumb = stored(service, image, "thumbs");
  check(existsSync(original), `${image.id} is not stored`);
  check(readFileSync(original).equals(body), `${image.id} was stored with other bytes`);
  check(existsSync(thumb), `${image.id} has no thumbnail`);
}

for (const [type, width, height, thumbWidth, thumbHeight] of [
  ["jpeg", 4000, 3000, 320, 240], ["png", 600, 900, 213, 320], ["webp", 1000, 500, 320, 160],
]) {
  test(`a ${type} comes back with its thumbnail`, async (after) => {
    const service = await Service.ready(after);
    const picture = sample(type, width, height);
    const image = await service.accept(picture);
    equal(image.url, `/images/${image.id}`, "url");
    equal(image.thumb, `/images/${image.id}/thumb`, "thumb");
    const thumb = probe(await service.thumb(image));
    equal(JSON.stringify(thumb), JSON.stringify({ type, width: thumbWidth, height: thumbHeight }), "thumbnail");
    const original = await service.get(image.url);
    equal(original.headers.get("content-type"), `image/${type}`, "content type");
    check(Buffer.from(await original.arrayBuffer()).equals(picture), "the original has other bytes");
    equal(await service.stop(), 0, "exit code");
    equal(service.leftovers().length, 0, "files left");
  });
}

// Of two pictures at once both resizers get one, sooner or later: who waits longest is not promised.
test("both resizers work", async (after) => {
  const service = await Service.ready(after);
  const resizers = () => new Set([...service.log.matchAll(/resized.*worker=(resizer\/\d)/g)].map((match) => match[1]));
  await until("each of two resizers has resized", async () => {
    const images = await Promise.all([1, 2].map((seed) => service.accept(sample("jpeg", 2000, 1500, seed))));
    for (const image of images) await service.thumb(image);
    return resizers().size === 2;
  }, 60);
  equal([...resizers()].sort().join(), "resizer/1,resizer/2", "who resized");
  equal(await service.stop(), 0, "exit code");
  equal(service.leftovers().length, 0, "files left");
});

test("the pictures are listed, page by page", async (after) => {
  const service = await Service.ready(after);
  equal(await (await service.get("/images")).text(), '{"images":[]}\n', "the empty list");
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push((await service.accept(small)).id);
  const all = (await (await service.get("/images")).json()).images;
  equal(all.map((image) => image.id).join(), ids.sort().reverse().join(), "ids");
  equal(all[0].width, 400, "width");
  const first = (await (await service.get("/images?limit=2")).json()).images;
  const second = (await (await service.get(`/images?limit=2&before=${first[1].id}`)).json()).images;
  equal([...first, ...second].map((image) => image.id).join(), ids.join(), "ids over two pages");
  await refused(await service.get("/images?limit=many"), 400, /limit should be/);
  await refused(await service.get("/images?before=yesterday"), 400, /before should be the id/);
});

test("the page is whole by itself", async (after) => {
  const service = await Service.ready(after);
  const response = await service.get("/");
  const text = await response.text();
  equal(response.status, 200, "status");
  check(/^text\/html/.test(response.headers.get("content-type")), "not HTML");
  check(text.includes("Drop pictures here"), "not our page");
  check(!/(src|href)="https?:/.test(text), "the page needs something from elsewhere");
});

test("wrong requests get a clear answer", async (after) => {
  const service = await Service.ready(after, { env: { MAX_BYTES: "300000" } });
  await refused(await service.get("/nothing"), 404, /nothing at \/nothing/);
  await refused(await service.get("/images/0123456789abcdef0123"), 404, /no picture/);
  await refused(await service.get("/images/..%2F..%2Fetc%2Fpasswd"), 404, /no picture/);
  await refused(await service.get("/images/x/thumb"), 404, /no picture/);
  const wrongMethod = await service.get("/images", { method: "DELETE" });
  equal(wrongMethod.headers.get("allow"), "GET, HEAD, OPTIONS, POST", "Allow");
  await refused(wrongMethod, 405, /does not answer DELETE/);
  await refused(await service.post("this is no picture at all"), 415, /neither a JPEG nor a PNG nor a WebP/);
  await refused(await service.post(""), 400, /empty/);
  await refused(await service.post(Buffer.alloc(300001)), 413, /300001 bytes, more than the 300000/);
  await refused(await service.post(small, { "content-type": "multipart/form-data; boundary=x" }), 415, /not a form/);
  equal((await service.get("/images", { method: "HEAD" })).status, 200, "HEAD");
  equal((await (await service.get("/images")).json()).images.length, 0, "pictures");
  equal(service.leftovers().length, 0, "files left");
});

test("a decompression bomb is refused by its header", async (after) => {
  const service = await Service.ready(after);
  const size = Buffer.from([0, 1, 0, 0, 0, 1, 0, 0]);
  const bomb = Buffer.concat([sample("png", 10, 10).subarray(0, 16), size, Buffer.alloc(5000)]);
  await refused(await service.post(bomb), 413, /65536 x 65536 pixels/);
});

test("a picture that turns out to be broken says so", async (after) => {
  const service = await Service.ready(after);
  const picture = sample("jpeg", 800, 600);
  const image = await service.accept(picture.subarray(0, picture.length - 2000));
  const response = await until("the refusal", async () => {
    const answer = await service.get(image.thumb);
    return answer.status !== 202 && answer;
  });
  await refused(response, 410, /refused: the picture ends before/);
  await refused(await service.get(image.url), 410, /refused/);
  const image2 = await service.accept(small);
  await service.thumb(image2);
});

test("a body shorter than its Content-Length is refused, and nothing is kept", async (after) => {
  const service = await Service.ready(after);
  const head = "POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
  const answer = await raw(service.port, [head, small.subarray(0, 3000)], { half: true });
  check(/^HTTP\/1\.1 400 /.test(answer) && answer.includes("ended after 3000 of 100000 bytes"), answer);
  await until("nothing is left", () => service.leftovers().length === 0);
  await service.thumb(await service.accept(small));
});

test("a body longer than its Content-Length is refused, and nothing is kept", async (after) => {
  const service = await Service.ready(after);
  const head = "POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
  const answer = await raw(service.port, [Buffer.concat([Buffer.from(head), small])]);
  check(/^HTTP\/1\.1 400 /.test(answer) && answer.includes("longer than its Content-Length of 1000"), answer);
  await until("nothing is left", () => service.leftovers().length === 0);
});

test("other nonsense on a connection is refused", async (after) => {
  const service = await Service.ready(after, { env: { IDLE_TIMEOUT: "1" } });
  for (const [request, status] of [
    ["hello there\r\n\r\n", 400],
    [`GET /${"a".repeat(20000)} HTTP/1.1\r\n\r\n`, 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(20000)}\r\n\r\n`, 400],
    [`GET / HTTP/1.1\r\nHost: x\r\n${"X-Many: 1\r\n".repeat(200)}\r\n`, 431],
    ["POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400],
    ["POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400],
    ["POST /images HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", 411],
    ["POST /images HTTP/1.1\r\nHost: x\r\n\r\n", 411],
    ["POST /images HTTP/1.1\r\nHo", 408],
  ]) {
    const answer = await raw(service.port, [request]);
    check(answer.startsWith(`HTTP/1.1 ${status} `), `${request.slice(0, 60)}: ${answer.slice(0, 200)}`);
  }
  equal((await service.get("/images")).status, 200, "status");
});

test("a slow client is timed out and keeps nobody waiting", async (after) => {
  const service = await Service.ready(after, { env: { IDLE_TIMEOUT: "2" } });
  const head = "POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
  const slow = Array.from({ length: 50 }, () => raw(service.port, [head, small.subarray(0, 100)]));
  let waiting = true;
  Promise.all(slow).then(() => { waiting = false; });
  await service.thumb(await service.accept(small));
  check(waiting, "the slow clients were gone before the others were served");
  for (const answer of await Promise.all(slow)) {
    check(/^HTTP\/1\.1 408 /.test(answer) && answer.includes("after 100 of 100000 bytes"), answer);
  }
});

test("a full queue answers 503, and what was accepted is stored by the next start", async (after) => {
  const service = await Service.ready(after, { workers: ["api"] });
  const accepted = [];
  let response;
  while ((response = await service.post(small)).status === 201) accepted.push(await response.json());
  equal(accepted.length, 64, "accepted pictures");
  equal(response.headers.get("retry-after"), "1", "Retry-After");
  await refused(response, 503, /try again/);
  equal(service.leftovers().length, 64, "files waiting");
  equal((await service.get(accepted[0].thumb)).status, 202, "status of a thumbnail");
  await service.stop();
  const next = await Service.ready(after, { data: service.data });
  for (const image of accepted) await next.thumb(image);
  equal(await next.stop(), 0, "exit code");
  for (const image of accepted) checkStored(next, image, small);
  equal(next.leftovers().length, 0, "files left");
});

test("a port in use is said", async (after) => {
  const first = await Service.ready(after);
  const second = await Service.start(after, { port: first.port });
  await second.says(new RegExp(`cannot listen on 127\\.0\\.0\\.1:${first.port}: Address already in use; PORT chooses another port`), 40);
  equal(await second.ended, 70, "exit code");
  check(/given up.*worker=api/.test(second.log), second.log);
  await first.thumb(await first.accept(small));
});

test("a host that cannot be is said", async (after) => {
  const service = await Service.start(after, { env: { HOST: "256.0.0.1" } });
  await service.says(/cannot listen on 256\.0\.0\.1:\d+: [^;"]+"/, 40); // why depends on how the machine resolves names
});

test("a second service on one data folder is refused, and leaves it alone", async (after) => {
  const first = await Service.ready(after);
  const waiting = raw(first.port, ["POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", small.subarray(0, 3000)]);
  await until("an upload has begun", () => first.leftovers().length === 1);
  const second = await Service.start(after, { data: first.data });
  await second.says(new RegExp(`the data folder is in use by another image service .*process ${first.child.pid}\\b`), 40);
  const partial = await Service.start(after, { data: first.data, workers: ["api"] });
  await partial.says(/the data folder is in use by another image service .*DATA_DIR chooses another folder/, 40);
  equal(await second.ended, 70, "exit code of the second");
  equal(await partial.ended, 70, "exit code of the partial one");
  check(!/listening/.test(second.log + partial.log), "it listens all the same");
  equal(first.leftovers().length, 1, "files of the upload that has begun");
  await first.thumb(await first.accept(small));
  await first.stop("SIGKILL");
  await waiting;
  const next = await Service.ready(after, { data: first.data });
  await next.thumb(await next.accept(small));
});

test("C modules that are not built are said", async (after) => {
  const folder = newFolder(after), source = dirname(app);
  for (const name of ["app.lua", "lib", "workers"]) cpSync(join(source, name), join(folder, name), { recursive: true });
  const service = await Service.start(after, { app: join(folder, "app.lua") });
  equal(await service.ended, 78, "exit code");
  check(/not built: there should be .*image_native\.so; \.\/dev run builds them/.test(service.log), service.log);
});

test("a data folder that cannot be is said", async (after) => {
  const file = join(newFolder(after), "file");
  writeFileSync(file, "");
  const service = await Service.start(after, { data: join(file, "data") });
  await service.says(/the data folder cannot be used: .*Not a directory/, 40);
  equal(await service.ended, 70, "exit code");
});

test("a data folder without permission is said", async (after) => {
  const folder = newFolder(after);
  const prefix = [];
  if (process.getuid() === 0) {
    try {
      execFileSync("setpriv", ["--reuid=65534", "--clear-groups", "sh", "-c", `test -x ${process.cwd()}`]);
    } catch {
      throw new Skip("another user cannot be taken on");
    }
    prefix.push("setpriv", "--reuid=65534", "--clear-groups");
  }
  chmodSync(folder, 0o555);
  const service = await Service.start(after, { data: join(folder, "data"), prefix });
  await service.says(/the data folder cannot be used: .*Permission denied/, 40);
});

test("a full disk answers 507, keeps nothing half written, and passes", async (after) => {
  const data = newFolder(after);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", data], { stdio: "ignore" });
  } catch {
    throw new Skip("a small tmpfs cannot be mounted");
  }
  after(() => execFileSync("umount", ["-l", data]));
  const service = await Service.ready(after, { data });
  const filler = join(data, "filler");
  const large = sample("jpeg", 1600, 1200, 3, 64);
  check(large.length > 400000, `the picture should be larger than ${large.length} bytes`);
  const kept = await service.accept(large);
  await service.thumb(kept);
  try { writeFileSync(filler, Buffer.alloc(8e6)); } catch { /* until it is full */ }
  await refused(await service.post(large), 507, /no room/);
  equal((await (await service.get("/images")).json()).images.length, 1, "pictures");
  equal(service.leftovers().length, 0, "files left");
  equal(readdirSync(join(data, "records")).length, 1, "records");
  rmSync(filler);
  await service.thumb(await service.accept(large));
  equal(await service.stop(), 0, "exit code");
});

// Posts pictures on several connections until the service goes away; what was answered 201, with the bytes sent.
async function load(service, clients) {
  const accepted = [];
  async function client(number) {
    for (let round = 1; ; round++) {
      const body = sampleFor(number, round);
      let response, image;
      try {
        response = await service.post(body);
        image = await response.json();
      } catch {
        return;
      }
      if (response.status === 201) accepted.push({ image, body });
      else equal(response.status, 503, "status under load");
    }
  }
  const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return { accepted, all };
}

// The same, but who is refused or cut off tries again, as a patient client does, until `over` says so.
async function loadThroughout(service, clients, over) {
  const accepted = [];
  async function client(number) {
    for (let round = 1; !over(); round++) {
      const body = sampleFor(number, round);
      try {
        const response = await service.post(body);
        const image = await response.json();
        if (response.status === 201) accepted.push({ image, body });
      } catch {
        await pause(20);
      }
    }
  }
  const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return { accepted, all };
}

// Different bytes for each picture, without making each anew: a comment segment is put behind the first marker.
function sampleFor(number, round) {
  const note = Buffer.from(`${number}/${round}`);
  const segment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, note.length + 2]), note]);
  return Buffer.concat([small.subarray(0, 2), segment, small.subarray(2)]);
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  test(`${signal} under load: every 201 is stored with its thumbnail`, async (after) => {
    const service = await Service.ready(after);
    const { accepted, all } = await load(service, 8);
    await until("40 pictures are accepted", () => accepted.length >= 40);
    equal(await service.stop(signal), 0, `exit code\n${service.log.slice(-3000)}`);
    await all;
    check(accepted.length >= 40, "accepted pictures");
    for (const { image, body } of accepted) checkStored(service, image, body);
    equal(service.leftovers().length, 0, "files left");
  });
}

test("SIGKILL under load: the next start stores every 201", async (after) => {
  const service = await Service.ready(after);
  const { accepted, all } = await load(service, 8);
  await until("40 pictures are accepted", () => accepted.length >= 40);
  await service.stop("SIGKILL");
  await all;
  const next = await Service.ready(after, { data: service.data });
  for (const { image } of accepted) await next.thumb(image);
  equal(await next.stop(), 0, "exit code");
  for (const { image, body } of accepted) checkStored(next, image, body);
  equal(next.leftovers().length, 0, "files left");
});

test("each of its processes is killed under load: every 201 is stored with its thumbnail", async (after) => {
  const service = await Service.ready(after, { options: ["--isolation", "process"] });
  let over = false;
  after(() => { over = true; });
  const { accepted, all } = await loadThroughout(service, 6, () => over);
  for (let round = 0; round < 3; round++) {
    for (const [worker, count] of [["resizer", 2], ["uploader", 1], ["api", 1]]) {
      const before = accepted.length;
      await until("pictures are accepted", () => accepted.length >= before + 3);
      const all = await until(`${worker} is there`, () => {
        const pids = service.processes(worker);
        return pids.length === count && pids;
      });
      for (const pid of all) process.kill(pid, "SIGKILL");
      await until(`${worker} is there again`, () => {
        const pids = service.processes(worker);
        return pids.length === count && !pids.some((pid) => all.includes(pid));
      });
    }
  }
  over = true;
  await all;
  await until("the last api answers", () => fetch(service.url).then(() => true, () => false));
  for (const { image } of accepted) await service.thumb(image);
  equal(await service.stop(), 0, `exit code\n${service.log.slice(-3000)}`);
  for (const { image, body } of accepted) checkStored(service, image, body);
  check(/worker failed.*killed by signal 9/.test(service.log), "nobody was killed");
});

test("an upload in flight ends when the service is stopped", async (after) => {
  const service = await Service.ready(after);
  const { request } = await import("node:http");
  const sending = request({ port: service.port, host: "127.0.0.1", path: "/images", method: "POST",
    headers: { "content-length": small.length } });
  const answered = new Promise((done, fail) => { sending.on("response", done); sending.on("error", fail); });
  sending.write(small.subarray(0, 1000));
  await until("the upload has begun", () => service.leftovers().length === 1);
  const ended = service.stop();
  await until("nobody is accepted any more", () => fetch(service.url).then(() => false, () => true));
  sending.end(small.subarray(1000));
  const response = await answered;
  equal(response.statusCode, 201, "status");
  equal(response.headers.connection, "close", "Connection");
  let text = "";
  for await (const piece of response) text += piece;
  equal(await ended, 0, "exit code");
  checkStored(service, JSON.parse(text), small);
});

test("an idle connection does not delay a stop", async (after) => {
  const service = await Service.ready(after);
  await (await service.get("/images")).text();
  const silent = raw(service.port, []);
  const began = Date.now();
  equal(await service.stop(), 0, "exit code");
  check(Date.now() - began < 2000 * Number(process.env.CHIEF_TEST_SLOW || 1), `took ${Date.now() - began} ms`);
  await silent;
});

await run();
