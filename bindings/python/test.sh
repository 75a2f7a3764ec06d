#!/usr/bin/env bash
# The tests of the binding for Python, as TAP. Called by ctest as bindings/python; arguments are tests as unittest names them.
# CHIEF_BUILD: a build tree. CHIEF_SANITIZE=address…: that tree is instrumented, and leaks of the library are looked for.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${CHIEF_BUILD:-$here/../../build/dev}
python=${CHIEF_PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=python3

export CHIEF_LIBRARY=$build/lib/libchief.so PYTHONPATH=$here/src${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPYCACHEPREFIX=$build/python PYTHONDEVMODE=${PYTHONDEVMODE-}

lua5.4 "$here/../parity.lua" python --check

case ${CHIEF_SANITIZE:-} in
    '') exec "$python" "$here/tests/run.py" "$@" ;;
    address*) ;;
    *)
        echo "ok 1 - nothing # SKIP the interpreter is not made for the sanitizer $CHIEF_SANITIZE"
        echo "1..1"
        exit 0
        ;;
esac

# The interpreter keeps much until its end, so of the reports count those where the library has allocated.
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
instrumented() {
    rm -f "$reports"/*
    LD_PRELOAD=$(gcc -print-file-name=libasan.so) PYTHONMALLOC=malloc \
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=1:log_path=$reports/at" LSAN_OPTIONS="${LSAN_OPTIONS:-}:exitcode=0" \
        "$python" "$@"
}
has_leaked() { grep -hsE "^ *#[0-9]+ .*(core/src|bindings/lua)/" "$reports"/*; }

# Many, since the address of one may still be somewhere on the stack.
instrumented -c 'import ctypes; from chief import context; [context._new(ctypes.c_void_p(), None) for _ in range(100)]'
if ! has_leaked >/dev/null; then
    echo "not ok - a leak on purpose is not seen"
    exit 1
fi
code=0
instrumented "$here/tests/run.py" "$@" || code=$?
if grep -qsE "ERROR: AddressSanitizer|runtime error" "$reports"/*; then
    cat "$reports"/*
    exit 1
fi
if has_leaked; then
    echo "not ok - the library has leaked"
    exit 1
fi
exit "$code"
