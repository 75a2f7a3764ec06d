// The page at / as a person uses it, in a real browser.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { check, equal, run, test } from "./harness.mjs";
import { newFolder, sample, Service } from "./service.mjs";

// Screenshots are kept where PICTURES says, for who wants to look at them.
const pictures = process.env.PICTURES;

async function shown(after, options) {
  const service = await Service.ready(after, options);
  const browser = await Browser.start(after);
  const page = await browser.open(service.url + "/");
  page.shoot = async (name) => pictures && page.screenshot(join(pictures, `${name}.png`));
  return { service, page };
}

function files(after, contents) {
  const folder = newFolder(after);
  return Object.entries(contents).map(([name, bytes]) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  });
}

const thumbnails = 'document.querySelectorAll("#pictures img").length';
const loaded = (count) => `[...document.querySelectorAll("#pictures img")].filter((image) => image.complete &&
  Math.max(image.naturalWidth, image.naturalHeight) === 320).length === ${count}`;
const card = (text) => `[...document.querySelectorAll("#pictures li")].some((card) => card.innerText.includes(${
  JSON.stringify(text)}))`;

test("a picture that is chosen gets its thumbnail, and is there after a reload", async (after) => {
  const { service, page } = await shown(after);
  equal(await page.value(thumbnails), 0, "thumbnails at first");
  await page.shoot("empty");
  await page.choose("#drop input", files(after, { "holiday.jpg": sample("jpeg", 1600, 1200) }));
  await page.until(loaded(1));
  check(await page.value(card("holiday.jpg")), "the card has no name");
  check(await page.value("document.querySelector('#pictures progress') === null"), "the bar is still there");
  await page.shoot("chosen");
  await page.goto(service.url + "/?again");
  await page.until(loaded(1));
  check(await page.value(card("1600 × 1200")), "the list does not show the size");
  equal(page.complaints.join("\n"), "", "complaints of the browser");
});

test("pictures that are dropped get their thumbnails", async (after) => {
  const { page } = await shown(after);
  const dropped = files(after, {
    "wide.jpg": sample("jpeg", 1600, 400), "tall.png": sample("png", 300, 900), "square.webp": sample("webp", 500, 500),
    "tiny.png": sample("png", 8, 8),
  });
  await page.drop("#drop", dropped, async () => {
    check(await page.value('document.querySelector("#drop").className === "over"'), "the drop zone does not light up");
    await page.shoot("dragged");
  });
  await page.until(loaded(4));
  check(await page.value('document.querySelector("#drop").className === ""'), "the drop zone is still lit");
  const shapes = await page.value(`[...document.querySelectorAll(".frame")].map((frame) =>
    (frame.offsetWidth / frame.offsetHeight).toFixed(1)).join()`);
  equal(shapes, "1.3,1.3,1.3,1.3", "width to height of the frames");
  await page.shoot("dropped");
  equal(page.complaints.join("\n"), "", "complaints of the browser");
});

test("a picture that is pasted gets its thumbnail", async (after) => {
  const { page } = await shown(after);
  const bytes = sample("png", 640, 480).toString("base64");
  await page.value(`(() => {
    const bytes = Uint8Array.from(atob("${bytes}"), (letter) => letter.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
  })()`);
  await page.until(loaded(1));
});

test("what is refused says why, beside those that are not", async (after) => {
  const { page } = await shown(after, { env: { MAX_BYTES: "300000" } });
  const broken = sample("jpeg", 800, 600);
  await page.choose("#drop input", files(after, {
    "letter.jpg": "Dear Sir or Madam", "empty.jpg": "", "large.jpg": Buffer.alloc(300001),
    "broken.jpg": broken.subarray(0, broken.length - 2000), "good.jpg": sample("jpeg", 640, 480),
  }));
  await page.until(loaded(1));
  for (const reason of ["neither a JPEG nor a PNG nor a WebP", "the body is empty", "300001 bytes, more than the 300000",
    "the picture ends before"]) await page.until(card(reason));
  await page.shoot("refused");
});

test("a service that goes away is said, and what waits is shown when it is back", async (after) => {
  const { service, page } = await shown(after, { workers: ["api"] });
  await page.choose("#drop input", files(after, { "waits.jpg": sample("jpeg", 640, 480) }));
  await page.until('document.querySelectorAll("#pictures .wait").length === 1 && document.querySelector("progress") === null');
  await service.stop();
  await page.until(card("the service cannot be reached, still trying"));
  await page.choose("#drop input", files(after, { "late.jpg": sample("jpeg", 640, 480) }));
  await page.until('document.querySelectorAll("#pictures .failed").length === 1');
  await page.shoot("away");
  await Service.ready(after, { port: service.port, data: service.data });
  await page.until(loaded(1));
  await page.shoot("back");
});

await run();
