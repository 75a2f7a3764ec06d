#!/usr/bin/env bash
# The tests of the binding for Node, as TAP. Called by ctest as bindings/node; arguments are parts of the names of tests.
# CHIEF_BUILD: a build tree. CHIEF_SANITIZE=address, and others after it: that tree is instrumented, and so is the addon.
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
if [[ ${CHIEF_SANITIZE:-} == address* ]]; then
    CFLAGS+=" -fsanitize=address,undefined -fno-omit-frame-pointer"
fi
CFLAGS=$CFLAGS node "$here/build.js" --out "$CHIEF_NODE_ADDON"

run=(node --expose-gc --test-reporter=tap "$here/tests/run.js" "$@")
if [[ ${CHIEF_SANITIZE:-} != address* ]]; then
    exec "${run[@]}"
fi

# V8 keeps much until its end, so the report counts where the library or the addon itself has allocated.
report=$(mktemp)
trap 'rm -f "$report" "$report".*' EXIT
code=0
LD_PRELOAD=$(gcc -print-file-name=libasan.so) LSAN_OPTIONS=exitcode=0 \
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=1:log_path=$report" "${run[@]}" || code=$?
if grep -qs "ERROR: AddressSanitizer" "$report".*; then
    cat "$report".*
    exit 1
fi
if grep -hs -A4 "#1 .*\(libchief\|chief\.node\|/core/src/\|/bindings/\)" "$report".*; then
    echo "not ok - the library or the addon has leaked"
    exit 1
fi
exit "$code"
