#!/usr/bin/env bash
# The libraries keep what tests/abi/baseline promises; and the comparison that says so can fail.
set -u
here=$CHIEF_SOURCE/tests/abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0 failed=0

# expect NAME STATUS PATTERN COMMAND…: its exit status, and what it has to print (nothing else, where that is empty).
expect() {
    local name=$1 wanted=$2 pattern=$3 output status=0
    shift 3
    output=$("$@" 2>&1) || status=$?
    number=$((number + 1))
    if [[ $status -eq $wanted ]] && { [[ -n $pattern ]] && grep -q -- "$pattern" <<<"$output" || [[ $pattern == "$output" ]]; }; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        printf '%s\n' "$output" | sed 's/^/  # /'
        failed=1
    fi
}

# Two versions of a small library, by what the second one has and the first has not.
library() {
    local folder=$work/$1 flags=("${@:2}")
    mkdir -p "$folder/include"
    cat >"$folder/include/sample.h" <<'END'
typedef struct chief_bytes {
    int len;
#ifdef LONGER_BYTES
    int more;
#endif
} chief_bytes;
typedef struct chief_sample {
    unsigned size;
    int first;
#ifdef IN_BETWEEN
    int between;
#endif
    long second;
#ifdef LONGER
    long third;
#endif
} chief_sample;
int chief_use(const chief_sample *sample, chief_bytes bytes);
#ifdef ADDED
int chief_more(void);
#endif
END
    cat >"$folder/sample.c" <<'END'
#include "sample.h"
#ifdef GONE
#define chief_use chief_used
#endif
int chief_use(const chief_sample *sample, chief_bytes bytes) { return sample->first + bytes.len; }
#ifdef ADDED
int chief_more(void) { return 1; }
#endif
END
    gcc -g -shared -fPIC "-I$folder/include" "${flags[@]}" "$folder/sample.c" -o "$folder/sample.so" &&
        abidw --exported-interfaces-only --headers-dir "$folder/include" "$folder/sample.so" --out-file "$folder/libchief.abi"
    nm -D --defined-only "$folder/sample.so" | awk '{ print $3 }' | sort >"$folder/symbols.txt"
    echo "CHIEF_SAMPLE ${CONSTANT:-1}" >"$folder/constants.txt"
}

if [[ $(uname -m) == x86_64 ]]; then
    library first
    library same
    library longer -DLONGER
    library between -DIN_BETWEEN
    library bytes -DLONGER_BYTES
    library added -DADDED
    library gone -DGONE
    CONSTANT=2 library constant
    # shellcheck disable=SC2317 # called through expect
    compare() { "$here/compare.sh" "$work/first" "$work/$1"; }
    expect "self-check: nothing has changed" 0 "" compare same
    expect "self-check: a structure with its size has grown" 0 "added: member long" compare longer
    expect "self-check: a function was added" 0 "added: chief_more" compare added
    expect "self-check: a member in between" 1 "incompatible: libchief.abi" compare between
    expect "self-check: a structure without its size has grown" 1 "incompatible: libchief.abi" compare bytes
    expect "self-check: a function is gone" 1 "incompatible: gone or changed: chief_use" compare gone
    expect "self-check: a constant has another value" 1 "incompatible: gone or changed: CHIEF_SAMPLE 1" compare constant
fi

mkdir "$work/now"
expect "this build can be described" 0 "" "$here/describe.sh" "$CHIEF_BUILD" "$CHIEF_SOURCE" "$work/now"
if output=$("$here/compare.sh" "$here/baseline" "$work/now"); then
    number=$((number + 1))
    echo "ok $number - this build keeps what tests/abi/baseline promises"
else
    number=$((number + 1)) failed=1
    echo "not ok $number - this build keeps what tests/abi/baseline promises (docs/abi.md says what to do)"
fi
[[ -z $output ]] || printf '%s\n' "$output" | sed 's/^/  # /'

# The number of the ABI has one home, chief.h; the names that linkers see follow it.
abi=$(sed -n 's/^CHIEF_ABI //p' "$work/now/constants.txt")
expect "the libraries' names bear the ABI's number" 0 "libchief-lua.so.$abi libchief.so.$abi" \
    bash -c "cut -d' ' -f1 '$work/now/symbols.txt' | sort -u | xargs"
expect "and so do the versions of their symbols" 0 "CHIEF_$abi CHIEF_LUA_$abi" \
    bash -c "cut -d' ' -f3 '$work/now/symbols.txt' | sort -u | xargs"
exit "$failed"
