// message: a received message.
"use strict";
const native = require("./native");
const { ChiefError } = require("./errors");

class Message {
  #value;
  #call;
  #bad;

  constructor([value, sender, kind, channel, deliveries, call, bad]) {
    this.#value = value;
    this.#call = call;
    this.#bad = bad;
    this.sender = sender; // the worker that sent it; "" from outside
    this.kind = kind; // "message", "call" or "broadcast"
    this.channel = channel; // "" for a mailbox
    this.deliveries = deliveries; // 1 is a first delivery
  }

  // What was sent. Bytes that are no value of chief's make this throw; `raw` receives those.
  get value() {
    if (this.#bad) throw this.#value;
    return this.#value;
  }

  #answered() {
    const call = this.#call;
    if (call === undefined) throw new ChiefError("not_found", "this message is no call, or it has been answered");
    this.#call = undefined;
    return call;
  }

  // Answers a call.
  reply(value, { raw = false } = {}) {
    const call = this.#answered();
    native.messageReply(call, value, raw);
  }

  // Answers a call with a failure: the caller gets this text.
  fail(text) {
    native.messageFail(this.#answered(), String(text));
  }
}

module.exports = { Message };
