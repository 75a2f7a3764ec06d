#!/usr/bin/env bash
# Tests the crates as cargo does and tells it in TAP: ok N - …; the exit code says whether all is well. With
# CHIEF_BINDINGS_FULL=1 the long tests are run at their full size.
set -euo pipefail

source=${CHIEF_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${CHIEF_BUILD:-$source/build/dev}
export CHIEF_SOURCE=$source CHIEF_BUILD=$build
export CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=$build/rust
export LD_LIBRARY_PATH=$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Debian's own toolchain is the oldest that has to do; where there is another as well, it goes first.
export PATH=/usr/bin:$PATH
skipped_tests=()
# The tests, but not cargo, run with the sanitizer's runtime before everything else; what they leave behind is an error.
if [[ ${CHIEF_SANITIZE:-} == address* ]]; then
    runtime=$("${CC:-cc}" -print-file-name=libasan.so)
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${host}_RUNNER=env LD_PRELOAD=$runtime"
    skipped_tests=(--skip image_service) # whose modules in C are not built then
fi
cd "$source/bindings/rust"

count=0
failed=0
say() { # ok|not ok, what
    count=$((count + 1))
    echo "$1 $count - $2"
    [[ $1 == ok ]] || failed=1
}

check() { # what, command …
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then
        say ok "$what"
    else
        say "not ok" "$what"
        printf '%s\n' "$output"
    fi
}

check "what chief-sys declares is what the headers say" lua5.4 sys.lua --check
if [[ -f $source/bindings/parity.lua ]]; then
    check "every export is bound or skipped with a reason" lua5.4 "$source/bindings/parity.lua" rust --check
fi

if command -v rustfmt >/dev/null; then
    check "the code is formatted" cargo fmt --check
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
cargo test --offline --quiet --no-run >"$log" 2>&1 || status=$?
[[ $status -eq 0 ]] || cat "$log"
if [[ $status -eq 0 ]]; then
    cargo test --offline --no-fail-fast -- "${skipped_tests[@]}" >"$log" 2>&1 || status=$?
    while read -r line; do
        [[ $line =~ ^test\ (.*)\ \.\.\.\ (.*)$ ]] || continue
        case ${BASH_REMATCH[2]} in
            ok) say ok "${BASH_REMATCH[1]}" ;;
            ignored*) ;;
            *) say "not ok" "${BASH_REMATCH[1]}" ;;
        esac
    done <"$log"
    if [[ $status -eq 0 ]]; then
        say ok "the test programs end well"
    else
        say "not ok" "the test programs end well"
        sed -n '/^failures:/,$p;/^=.*ERROR:/,$p' "$log" | head -200
    fi
fi
[[ $status -eq 0 ]] || failed=1
if command -v cargo-clippy >/dev/null; then
    check "clippy finds nothing" cargo clippy --offline --quiet --all-targets -- -D warnings
fi
echo "1..$count"
exit "$failed"
