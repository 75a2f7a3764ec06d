// A small test harness: named cases, one after the other, reported as TAP; and waiting for a condition with a deadline.
import { setTimeout as pause } from "node:timers/promises";

const slow = Number(process.env.CHIEF_TEST_SLOW || 1);
const cases = [];

export function test(name, body) {
  cases.push({ name, body });
}

export class Skip extends Error {}

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

export function equal(got, wanted, what) {
  check(got === wanted, `${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);
}

// Asks until `question` answers something true, and gives that back.
export async function until(what, question, seconds = 20) {
  const deadline = Date.now() + seconds * 1000 * slow;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds * slow} s`);
    await pause(20);
  }
}

export async function run() {
  const only = process.argv[2];
  let failed = 0, number = 0;
  for (const { name, body } of cases) {
    if (only && !name.includes(only)) continue;
    number++;
    const cleanups = [];
    try {
      await body((cleanup) => cleanups.unshift(cleanup));
      console.log(`ok ${number} - ${name}`);
    } catch (error) {
      if (error instanceof Skip) {
        console.log(`ok ${number} - ${name} # SKIP ${error.message}`);
      } else {
        failed++;
        console.log(`not ok ${number} - ${name}`);
        console.log(String(error.stack).replace(/^/gm, "# "));
      }
    }
    for (const cleanup of cleanups) await cleanup();
  }
  console.log(`1..${number}`);
  process.exitCode = failed === 0 ? 0 : 1;
}
