// channel: a channel as the program itself uses it, outside its workers.
"use strict";
const native = require("./native");
const options = require("./options");
const { ChiefError } = require("./errors");
const { Message } = require("./message");

const BATCH = 64;

// A sequence of what `next` resolves to, until there is no more: the channel is closed, or the worker is to stop.
async function* until(next) {
  for (;;) {
    let item;
    try {
      item = await next();
    } catch (error) {
      if (error instanceof ChiefError && (error.code === "closed" || error.code === "cancelled")) return;
      throw error;
    }
    yield item;
  }
}

class Channel {
  #handle;
  #waiting = []; // who wait for a message: { max, raw, resolve, reject, timer }
  #poll;

  constructor(name, given) {
    this.#handle = typeof name === "string" ? native.channelNew(name, options.channel(name, given)) : name;
  }

  static handleOf(channel) {
    return channel.#handle;
  }

  get name() {
    return native.channelName(this.#handle);
  }

  // How many messages are queued now.
  get length() {
    return native.channelLen(this.#handle);
  }

  get stats() {
    return native.channelStats(this.#handle);
  }

  async send(value, { timeout, raw = false } = {}) {
    await native.channelSend(this.#handle, [value], options.timeout("timeout", timeout), raw);
  }

  async sendMany(values, { timeout, raw = false } = {}) {
    await native.channelSend(this.#handle, [...values], options.timeout("timeout", timeout), raw);
  }

  async recv({ timeout, raw = false } = {}) {
    const [message] = await this.#take(1, raw, timeout);
    return message;
  }

  // Between 1 and `max` messages, as many as there are.
  recvMany(max = BATCH, { timeout, raw = false } = {}) {
    return this.#take(max, raw, timeout);
  }

  batches(max = BATCH, { raw = false } = {}) {
    return until(() => this.#take(max, raw));
  }

  [Symbol.asyncIterator]() {
    return until(() => this.recv());
  }

  // No more sends; what is queued is still received.
  close() {
    native.channelClose(this.#handle);
  }

  // An array, undefined when there is nothing now; throws when it is closed and empty.
  #try(max, raw) {
    return native.channelRecv(this.#handle, max, raw)?.map((parts) => new Message(parts));
  }

  async #take(max, raw, timeout) {
    const limit = options.timeout("timeout", timeout);
    const taken = this.#waiting.length === 0 ? this.#try(max, raw) : undefined;
    if (taken) return taken;
    if (limit === 0) throw new ChiefError("would_block", "nothing to do without waiting");
    return this.#wait({ max, raw }, limit);
  }

  #wait(one, limit) {
    return new Promise((resolve, reject) => {
      Object.assign(one, { resolve, reject });
      if (limit > 0) one.timer = setTimeout(() => this.#giveUp(one), limit);
      this.#waiting.push(one);
      native.hold(true);
      this.#watch();
    });
  }

  #watch() {
    if (this.#poll || this.#waiting.length === 0) return;
    this.#poll = native.pollStart(native.channelFd(this.#handle), () => this.#serve());
  }

  #unwatch() {
    if (!this.#poll || this.#waiting.length > 0) return;
    native.pollStop(this.#poll);
    this.#poll = undefined;
  }

  #end(one, settle, value) {
    this.#waiting.splice(this.#waiting.indexOf(one), 1);
    clearTimeout(one.timer);
    native.hold(false);
    settle(value);
    this.#unwatch();
  }

  #giveUp(one) {
    this.#end(one, one.reject, new ChiefError("timeout", "timed out"));
  }

  // The descriptor is readable.
  #serve() {
    while (this.#waiting.length > 0) {
      const one = this.#waiting[0];
      try {
        const taken = this.#try(one.max, one.raw);
        if (!taken) return;
        this.#end(one, one.resolve, taken);
      } catch (error) {
        this.#end(one, one.reject, error);
      }
    }
  }
}

module.exports = { Channel, until, BATCH };
