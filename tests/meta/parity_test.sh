#!/usr/bin/env bash
# For each row of docs/parity.md with a function: when that function is replaced by one that returns 0, the test which the
# row names has to fail. The function is made weak in a copy of the library, and the replacement is linked before it.
set -euo pipefail
source=${CHIEF_SOURCE:-$PWD}
build=${CHIEF_BUILD:-$source/build/dev}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# «function test» lines; a row may name several functions, separated by commas.
rows() {
    awk -F'|' '/^\| `/ { gsub(/[(]/, ",", $3); gsub(/[`) ]/, "", $3); gsub(/[` ]/, "", $6)
        n = split($3, names, ","); for (i = 1; i <= n; i++) if (names[i] ~ /^chief_[a-z_]+$/) print names[i], $6 }' \
        "$source/docs/parity.md"
}

compile_test() {
    local folder
    for folder in core faults; do
        if [[ -f $source/tests/$folder/$1.c ]]; then
            gcc -std=c11 -D_GNU_SOURCE -I"$source/core/include" -I"$source/core/src" -I"$source/tests/core" \
                -c "$source/tests/$folder/$1.c" -o "$work/$1.o"
            return
        fi
    done
    echo "docs/parity.md names no test: $1" >&2
    return 1
}

# link TEST PROGRAM LIBRARY…
link() {
    gcc -o "$2" "$work/$1.o" "${@:3}" -lcmocka -luv -lcjson -lm -lpthread 2>"$2.log"
}

number=0
failed=0
answer() {
    number=$((number + 1))
    echo "$1 $number - $2"
    if [[ $1 != ok ]]; then failed=1; fi
}

# A test that waits for a signal would take a TERM for it.
passes() { timeout -s KILL "${2:-10}" "$1" >/dev/null 2>&1; }

for test in $(rows | cut -d' ' -f2 | sort -u); do
    compile_test "$test"
    link "$test" "$work/$test" "$build/lib/libchief.a"
    if passes "$work/$test" $((10 * ${CHIEF_TEST_SLOW:-1})); then answer ok "self-check: $test passes as it is"; else answer "not ok" "self-check: $test"; fi
done

# Says «ok …» or «not ok …» of one row into a file of its own.
look() {
    local function=$1 test=$2 at=$work/$1-$2
    objcopy --weaken-symbol="$function" "$build/lib/libchief.a" "$at.a"
    echo "long $function(void); long $function(void) { return 0; }" | gcc -x c -c - -o "$at.o"
    if ! link "$test" "$at" "$at.o" "$at.a"; then
        echo "not ok $function: $(tail -n 1 "$at.log")"
    elif passes "$at"; then
        echo "not ok $function may return 0 and $test does not see it"
    else
        echo "ok $function is missed by $test"
    fi >"$at.said"
    rm -f "$at.a" "$at"
}

# Several at a time: most of them hang until their time is over.
running=0
while read -r function test; do
    if [[ $running -ge 6 ]]; then
        wait -n
        running=$((running - 1))
    fi
    look "$function" "$test" &
    running=$((running + 1))
done < <(rows)
wait
while read -r function test; do
    read -r said <"$work/$function-$test.said"
    if [[ $said == ok* ]]; then answer ok "${said#ok }"; else answer "not ok" "${said#not ok }"; fi
done < <(rows)
echo "1..$number"
exit $failed
