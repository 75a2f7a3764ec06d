#!/usr/bin/env bash
# Tests the Go binding over the libraries of the build tree CHIEF_BUILD; prints TAP.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
source_tree=${CHIEF_SOURCE:-$(cd ../.. && pwd)}
export CHIEF_BUILD=${CHIEF_BUILD:-$source_tree/build/dev}
count=0

ok() {
    count=$((count + 1))
    echo "ok $count - $1"
}

not_ok() {
    count=$((count + 1))
    echo "not ok $count - $1"
    failed=1
}

# Runs a command, whose output is only shown when it fails.
check() {
    local name=$1 log
    shift
    if log=$("$@" 2>&1); then
        ok "$name"
    else
        not_ok "$name"
        printf '%s\n' "$log" | sed 's/^/# /'
    fi
}

# shellcheck disable=SC2317 # by check
same() {
    [[ $1 == "$2" ]] || { echo "should be «$2», got «$1»" && false; }
}

# Go's tests as lines of TAP; what a failed one said follows it.
tap() {
    awk -v n="$count" '
        /^=== / { next }
        /^--- (PASS|FAIL|SKIP): / {
            line = ($2 == "FAIL:" ? "not ok " : "ok ") (++n) " - " $3 ($2 == "SKIP:" ? " # SKIP" : "")
            print line; next
        }
        { print "# " $0 }'
}

export CHIEF_LUA_WORKER=${CHIEF_LUA_WORKER:-$CHIEF_BUILD/libexec/chief/chief-lua-worker}

# Go's race detector is a sanitizer of its own, and no other fits beside it.
sanitizer=(-race)
case ${CHIEF_SANITIZE:-} in
    address*) sanitizer=(-asan) ;;
    thread*)
        echo "ok 1 - Go # SKIP a library under ThreadSanitizer does not go into a Go program; the ordinary run has Go's own"
        exit 0
        ;;
esac

# The program in the README, as it is there.
# shellcheck disable=SC2016,SC2317 # fences of Markdown; by check
readme() {
    mkdir -p "$CHIEF_BUILD/go/readme"
    sed -n '/^```go$/,/^```$/{/^```/d;p}' README.md >"$CHIEF_BUILD/go/readme/main.go"
    same "$(bash ./go.sh run "$CHIEF_BUILD/go/readme/main.go" 2>"$CHIEF_BUILD/go/readme/log")" "resized 7"
}

failed=0
check "gofmt changes nothing" same "$(gofmt -l .)" ""
check "the parity table is whole" "${LUA:-lua5.4}" "$source_tree/bindings/parity.lua" go --check
check "go vet finds nothing" bash ./go.sh vet ./...
[[ -n ${CHIEF_SANITIZE:-} ]] || check "the program in the README runs" readme
bash ./go.sh test "${sanitizer[@]}" -count=1 -timeout 10m -v ./... 2>&1 | tap || failed=1
exit "$failed"
