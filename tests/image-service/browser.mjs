// A headless Chromium, driven over a pair of pipes by the DevTools protocol: only what a test of the page needs.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, until } from "./harness.mjs";

const program = process.env.CHROMIUM || "chromium";

// What a page is asked to do, and what it has complained about.
class Page {
  constructor(browser, session) {
    this.browser = browser;
    this.session = session;
    this.complaints = [];
  }

  call(method, parameters) {
    return this.browser.call(method, parameters, this.session);
  }

  heard(method, { entry, exceptionDetails, args, type }) {
    if (method === "Runtime.exceptionThrown") this.complaints.push(JSON.stringify(exceptionDetails));
    if (method === "Runtime.consoleAPICalled" && type === "error") this.complaints.push(JSON.stringify(args));
    if (method === "Log.entryAdded" && entry.level === "error") this.complaints.push(`${entry.text} ${entry.url}`);
  }

  // The value of an expression in the page; a promise is waited for.
  async value(expression) {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate",
      { expression, awaitPromise: true, returnByValue: true });
    check(!exceptionDetails, `${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  // Waits until an expression is true in the page.
  until(expression, seconds) {
    return until(expression, () => this.value(expression), seconds)
      .catch(async (error) => { throw new Error(`${error.message}\n${await this.value("document.body.innerText")}`); });
  }

  // Chooses files in the dialogue of a file input.
  async choose(selector, files) {
    const { root } = await this.call("DOM.getDocument");
    const { nodeId } = await this.call("DOM.querySelector", { nodeId: root.nodeId, selector });
    check(nodeId !== 0, `there is no ${selector}`);
    await this.call("DOM.setFileInputFiles", { nodeId, files });
  }

  // Drags files over an element and lets go of them there; `over` is called while they are above it.
  async drop(selector, files, over = () => {}) {
    const { x, y } = await this.value(`(() => {
      const box = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    })()`);
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver"]) await this.call("Input.dispatchDragEvent", { type, x, y, data });
    await over();
    await this.call("Input.dispatchDragEvent", { type: "drop", x, y, data });
  }

  async goto(url) {
    await this.call("Page.navigate", { url });
    await this.until(`location.href === ${JSON.stringify(url)} && document.readyState === "complete"`);
  }

  async screenshot(path) {
    const { data } = await this.call("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    writeFileSync(path, Buffer.from(data, "base64"));
  }
}

export class Browser {
  // Ends with the test.
  static async start(after) {
    const browser = new Browser();
    const folder = mkdtempSync(join(tmpdir(), "browser-"));
    browser.child = spawn(program, ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--no-first-run", "--window-size=1100,800", "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
      `--user-data-dir=${folder}`], { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"] });
    browser.log = "";
    browser.child.stderr.on("data", (bytes) => { browser.log += bytes; });
    browser.number = 0;
    browser.answers = new Map();
    browser.pages = new Map();
    browser.unread = "";
    browser.child.stdio[3].on("error", () => {}); // its end is said by `ended`
    browser.child.stdio[4].on("data", (bytes) => browser.read(bytes));
    browser.ended = new Promise((done) => {
      browser.child.on("error", (error) => { browser.end(`${program}: ${error.message}`); done(); });
      browser.child.on("exit", (code) => { browser.end(`${program} ended with ${code}: ${browser.log}`); done(); });
    });
    after(async () => {
      // Asked to, it ends with all its processes; killed, it would leave some that still write into the folder.
      await browser.call("Browser.close").catch(() => {});
      await browser.ended;
      rmSync(folder, { recursive: true, force: true });
    });
    return browser;
  }

  end(why) {
    this.over = new Error(why);
    for (const { fail } of this.answers.values()) fail(this.over);
    this.answers.clear();
  }

  // Messages are JSON texts, each closed by a zero byte.
  read(bytes) {
    this.unread += bytes.toString("utf8");
    const messages = this.unread.split("\0");
    this.unread = messages.pop();
    for (const text of messages) this.heard(JSON.parse(text));
  }

  heard(message) {
    const asked = this.answers.get(message.id);
    this.answers.delete(message.id);
    if (!asked) this.pages.get(message.sessionId)?.heard(message.method, message.params);
    else if (message.error) asked.fail(new Error(`${asked.method}: ${message.error.message}`));
    else asked.done(message.result);
  }

  call(method, params = {}, sessionId) {
    return new Promise((done, fail) => {
      if (this.over) return fail(this.over);
      const id = ++this.number;
      this.answers.set(id, { method, done, fail });
      this.child.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    });
  }

  // A new page that shows `url`.
  async open(url) {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    this.pages.set(sessionId, page);
    for (const domain of ["Page", "Runtime", "Log", "DOM"]) await page.call(`${domain}.enable`);
    await page.goto(url);
    return page;
  }
}
