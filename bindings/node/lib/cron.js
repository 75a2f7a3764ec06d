// cron: when a worker with the option `schedule: { cron, tz }` would run.
"use strict";
const native = require("./native");

// The next `count` times after `after` that the expression names in the zone (none: the system's), as Dates.
function cronTimes(expression, { tz, after = new Date(), count = 1 } = {}) {
  const times = [];
  for (let at = Number(after); times.length < count;) {
    at = native.cronNext(expression, tz, at);
    times.push(new Date(at));
  }
  return times;
}

// A time as clocks show it in the zone: "2026-03-29T03:00:00+02:00".
function zoneText(time, tz) {
  return native.zoneText(tz, Number(time));
}

module.exports = { cronTimes, zoneText };
