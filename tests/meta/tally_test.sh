#!/usr/bin/env bash
# The count that ./dev test closes with: what counts as a test, and that nothing that failed is lost.
set -u
tally=$CHIEF_SOURCE/tests/tally.lua
log=$(mktemp)
trap 'rm -f "$log"' EXIT
number=0 failed=0

# expect NAME WANTED, the log on standard input
expect() {
    local found
    cat >"$log"
    found=$(lua5.4 "$tally" "$log" 2>/dev/null)
    number=$((number + 1))
    if [[ $found == "$2" ]]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1: $found, not $2"
        failed=1
    fi
}

expect "cmocka, both kinds" "3 2" <<'END'
1: [  PASSED  ] 3 test(s).
1: [  FAILED  ] 2 test(s), listed below:
1: [  FAILED  ] test_a
1:  2 FAILED TEST(S)
1/1 Test #1: core/test_a ......***Failed    0.01 sec
END
expect "busted, an error is a failure" "5 3" <<'END'
1: 5 successes / 1 failure / 2 errors / 0 pending : 0.1 seconds
1/1 Test #1: lua/a_spec .......***Failed    0.01 sec
END
expect "TAP" "1 1" <<'END'
1: ok 1 - a
1: not ok 2 - b
1/1 Test #1: meta/a_test ......***Failed    0.01 sec
END
expect "lines of two tests in a mix" "2 0" <<'END'
1: ok 1 - a
2: ok 1 - b
2/2 Test #2: meta/b_test ......   Passed    0.01 sec
1/2 Test #1: meta/a_test ......   Passed    0.01 sec
END
expect "a crash after all have passed" "3 1" <<'END'
1: [  PASSED  ] 3 test(s).
1/1 Test #1: core/test_a ......***Exception: SegFault    0.01 sec
END
expect "a time limit" "0 1" <<'END'
1: [==========] Running 3 test(s).
1/1 Test #1: core/test_a ......***Timeout  90.01 sec
END
expect "a program that counts nothing" "1 0" <<'END'
1/1 Test #1: meta/a_test ......   Passed    0.01 sec
END
expect "one that could not be run" "0 1" <<'END'
1/1 Test #1: core/test_a ......***Not Run   0.00 sec
END
exit "$failed"
