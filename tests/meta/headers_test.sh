#!/usr/bin/env bash
# The public headers, each alone, in every language that people include them from.
set -u
cd "$CHIEF_SOURCE" || exit 1
number=0 failed=0

# check NAME WANTED COMMAND…: WANTED is the exit status, 0 or 1.
check() {
    local name=$1 wanted=$2 output status=0
    shift 2
    output=$("$@" 2>&1) || status=1
    number=$((number + 1))
    if [[ $status -eq $wanted ]]; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        printf '%s\n' "$output" | sed 's/^/  # /'
        failed=1
    fi
}

# shellcheck disable=SC2317 # called through check
compile() { # LANGUAGE COMPILER STANDARD HEADER
    "$2" -x "$1" -std="$3" -pedantic -Wall -Wextra -Werror -fsyntax-only \
        -Icore/include -Ibindings/lua/include -include "$4" /dev/null
}

bad=$(mktemp --suffix=.h)
trap 'rm -f "$bad"' EXIT
echo 'struct empty {};' >"$bad"
check "self-check: what is no C99" 1 compile c gcc c99 "$bad"

for header in core/include/chief.h bindings/lua/include/chief_lua.h; do
    name=${header##*/}
    for compiler in gcc clang; do
        for standard in c99 c11 c17; do
            check "$name as $standard by $compiler" 0 compile c $compiler $standard "$name"
        done
    done
    for compiler in g++ clang++; do
        for standard in c++11 c++14 c++17 c++20; do
            check "$name as $standard by $compiler" 0 compile c++ $compiler $standard "$name"
        done
    done
done
exit "$failed"
