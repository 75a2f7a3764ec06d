#!/usr/bin/env bash
# The tests of the binding for Node, as TAP. Called by ctest as bindings/node; arguments are parts of the names of tests.
# CHIEF_BUILD: a build tree. CHIEF_SANITIZE=address: that tree is instrumented, and so is the addon.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
CHIEF_BUILD=$(cd "${CHIEF_BUILD:-$here/../../build/dev}" && pwd)
export CHIEF_BUILD CHIEF_NODE_ADDON=$CHIEF_BUILD/bindings/node/chief.node

lua5.4 "$here/../../bindings/parity.lua" node --check

if [[ ${CHIEF_SANITIZE:-} == thread ]]; then
    echo "ok 1 - nothing # SKIP Node is not made for ThreadSanitizer"
    echo "1..1"
    exit 0
fi

CFLAGS="-g -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror"
if [[ ${CHIEF_SANITIZE:-} == address ]]; then
    CFLAGS+=" -fsanitize=address,undefined -fno-omit-frame-pointer"
fi
CFLAGS=$CFLAGS node "$here/build.js" --out "$CHIEF_NODE_ADDON"

preload=()
if [[ ${CHIEF_SANITIZE:-} == address ]]; then
    # Node and V8 keep much until their end, so leaks are looked for by counting (tests/leaks.test.js).
    preload=(env "LD_PRELOAD=$(gcc -print-file-name=libasan.so)" "ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0")
fi
exec "${preload[@]}" node --expose-gc --test-reporter=tap "$here/tests/run.js" "$@"
