// errors: what chief refuses, as an Error with a code that is one word.
"use strict";

class ChiefError extends Error {
  // `code`: "timeout", "closed", "cancelled", "not_found", "invalid" … as everywhere in chief.
  constructor(code, message) {
    super(message);
    this.name = "ChiefError";
    this.code = code;
  }
}

function makeError(code, message) {
  return new ChiefError(code, message);
}

module.exports = { ChiefError, makeError };
