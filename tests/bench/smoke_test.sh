#!/usr/bin/env bash
# Each contender that can be built here does each work with a few messages, and all receive the same.
set -euo pipefail

out=$CHIEF_BUILD/bench
bash tests/bench/build.sh "$CHIEF_BUILD" "$out" >/dev/null
log=$(mktemp)
trap 'rm -f "$log" "$log.json" "$log.svg"' EXIT

status=0
lua5.4 tests/bench/run.lua "$out" "$CHIEF_LUA" --runs 2 --messages 60 --seed 3 --json "$log.json" --svg "$log.svg" \
    >"$log" 2>&1 || status=$?
if [[ $status -ne 0 ]]; then
    cat "$log"
    exit 1
fi
lua5.4 - "$log.json" <<'END'
local text = assert(io.open(arg[1])):read("a")
local results = require("cjson").decode(text).results
local seen = {}
for _, r in ipairs(results) do
  assert(r.runs == 2 and r.min <= r.median and r.median <= r.max and r.median > 0, r.work .. " of " .. r.who)
  seen[r.who] = (seen[r.who] or 0) + 1
end
for _, who in ipairs { "chief-thread", "chief-fiber", "chief-process", "chief-c", "luv", "floor-ring", "floor-queue",
  "floor-futex", "floor-state", "floor-crowd", "floor-lua", "python", "rust" } do
  assert(seen[who], who .. " did nothing")
end
END
grep -q "</svg>" "$log.svg"

# A contender that receives something else than the others is found.
mkdir -p "$out/wrong"
cp "$out"/{measure,floors,chief_c} "$out/wrong/"
printf '#!/bin/sh\necho "oneway-int 1 msg/s 1"\n' >"$out/wrong/chief_c"
if lua5.4 tests/bench/run.lua "$out/wrong" "$CHIEF_LUA" --runs 1 --messages 60 oneway-int >"$log" 2>&1; then
    echo "a wrong sum was not noticed"
    exit 1
fi
grep -q "received 1 and\|and chief-c received 1" "$log"
echo "bench: all contenders agree"
