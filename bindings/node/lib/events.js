// events: the events of a chief as a sequence for `for await`.
"use strict";

const CAPACITY = 4096; // of those that nobody has taken; then the oldest go, which the gap in `seq` shows

class EventStream {
  #events = [];
  #waiting = [];
  #over = false;
  #left;

  constructor(left) {
    this.#left = left;
  }

  push(event) {
    const next = this.#waiting.shift();
    if (next) {
      next({ value: event, done: false });
      return;
    }
    this.#events.push(event);
    if (this.#events.length > CAPACITY) this.#events.shift();
  }

  end() {
    this.#over = true;
    for (const next of this.#waiting.splice(0)) next({ value: undefined, done: true });
  }

  async next() {
    if (this.#events.length > 0) return { value: this.#events.shift(), done: false };
    if (this.#over) return { value: undefined, done: true };
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async return() {
    this.#events.length = 0;
    this.end();
    this.#left();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

module.exports = { EventStream };
