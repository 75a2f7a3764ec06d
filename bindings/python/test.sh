#!/usr/bin/env bash
# The tests of the binding for Python, as TAP. Called by ctest as bindings/python; arguments are tests as unittest names them.
# CHIEF_BUILD: a build tree. CHIEF_SANITIZE=address: that tree is instrumented, and leaks of the library are looked for.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${CHIEF_BUILD:-$here/../../build/dev}
python=${CHIEF_PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=python3

export CHIEF_LIBRARY=$build/lib/libchief.so PYTHONPATH=$here/src${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPYCACHEPREFIX=$build/python PYTHONDEVMODE=${PYTHONDEVMODE-}

lua5.4 "$here/../parity.lua" python --check

if [ "${CHIEF_SANITIZE:-}" = thread ]; then
    echo "ok 1 - nothing # SKIP the interpreter is not made for ThreadSanitizer"
    echo "1..1"
    exit 0
fi

if [ "${CHIEF_SANITIZE:-}" != address ]; then
    exec "$python" "$here/tests/run.py" "$@"
fi

# The interpreter keeps much until its end, so the report counts where the library itself has allocated.
report=$(mktemp)
trap 'rm -f "$report" "$report".*' EXIT
code=0
LD_PRELOAD=$(gcc -print-file-name=libasan.so) PYTHONMALLOC=malloc \
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=1:log_path=$report" LSAN_OPTIONS=exitcode=0 \
    "$python" "$here/tests/run.py" "$@" || code=$?
if grep -qs "ERROR: AddressSanitizer" "$report".*; then
    cat "$report".*
    exit 1
fi
if grep -hs "#[0-4] .*libchief" "$report".*; then
    echo "not ok - the library has leaked"
    exit 1
fi
exit "$code"
