// policy: what follows a worker's end, decided by a function of the program's.
"use strict";

const ANSWERS = { default: 0, restart: 1, give_up: 3, isolate: 4 };
const DELAY = 2;

// What the library tells of an end, as an object.
function exitOf([worker, error, failures, restarts, ...ends]) {
  const history = [];
  for (let i = 0; i < ends.length; i += 5) {
    const [generation, reason, code, time, up] = ends.slice(i, i + 5);
    history.push({ generation, reason, code, time, up });
  }
  return { worker, error, failures, restarts, history, reason: history.at(-1)?.reason };
}

function answerOf(answer) {
  if (answer === undefined) return [ANSWERS.default, 0];
  if (typeof answer === "number" && answer >= 0) return [DELAY, Math.ceil(answer)];
  if (Object.hasOwn(ANSWERS, answer)) return [ANSWERS[answer], 0];
  const words = Object.keys(ANSWERS).join(", ");
  throw new TypeError(`onExit should answer with one of ${words}, or a delay in milliseconds, got ${String(answer)}`);
}

// The function that the addon asks; the other may give a promise.
function deciderOf(decide) {
  const native = require("./native");
  return async (question, about) => {
    try {
      native.policyAnswer(question, ...answerOf(await decide(exitOf(about))));
    } catch (error) {
      native.policyAnswer(question, -1, 0, String(error?.message ?? error));
    }
  };
}

module.exports = { deciderOf };
