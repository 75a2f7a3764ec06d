// chief in Node: see README.md.
"use strict";
const native = require("./lib/native");
const { Chief } = require("./lib/chief");
const { Channel } = require("./lib/channel");
const { ChiefError } = require("./lib/errors");
const { Message } = require("./lib/message");

module.exports = {
  Chief,
  Channel,
  ChiefError,
  Message,
  pack: native.pack,
  unpack: native.unpack,
  version: native.version(),
  libuv: native.uvVersion(),
};
