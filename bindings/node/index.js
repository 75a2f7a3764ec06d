// chief in Node: see README.md.
"use strict";
const native = require("./lib/native");
const { Chief } = require("./lib/chief");
const { Channel } = require("./lib/channel");
const { cronTimes, zoneText } = require("./lib/cron");
const { ChiefError } = require("./lib/errors");
const { Message } = require("./lib/message");

module.exports = {
  Chief,
  Channel,
  ChiefError,
  Message,
  cronTimes,
  zoneText,
  pack: native.pack,
  unpack: native.unpack,
  version: native.version(),
  libuv: native.uvVersion(),
};
