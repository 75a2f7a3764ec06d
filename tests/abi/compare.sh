#!/usr/bin/env bash
# compare.sh OLD NEW: two folders that describe.sh filled. Prints what has changed, one line each, and fails when a program
# that was compiled against the old could break on the new: something is gone, or is not what it was. What came along is
# told as «added».
set -uo pipefail
old=$1 new=$2 status=0
rules=$(dirname "${BASH_SOURCE[0]}")/grown.ini

complain() {
    printf 'incompatible: %s\n' "$*"
    status=1
}

# A list with one promise a line: what is not there any more is broken, what was not there before is new.
compare_lists() {
    local line
    while read -r line; do
        complain "gone or changed: $line"
    done < <(comm -23 <(sort "$old/$1") <(sort "$new/$1"))
    comm -13 <(sort "$old/$1") <(sort "$new/$1") | sed 's/^/added: /'
}

# Types and signatures. abidiff's bits: 1 and 2 for its own failure, 4 for any change, 8 for one that breaks for certain;
# in between it says «[C]» or «[D]» of what has changed or gone, and «[A]» of what was added.
compare_types() {
    local report code=0
    report=$(abidiff --suppressions "$rules" "$old/$1" "$new/$1" 2>&1) || code=$?
    if ((code & 3)); then
        complain "$1: $report"
    elif ((code & 8)) || grep -qE '^ *\[[CD]\]' <<<"$report"; then
        complain "$1:"
        printf '%s\n' "$report" | sed 's/^/    /'
    fi
    abidiff "$old/$1" "$new/$1" | sed -nE "s/^ *'(.*)', at offset .* at .*/added: member \\1/p; s/^ *'(.*)', at offset .*/added: member \\1/p" | sort -u
}

compare_lists constants.txt
compare_lists symbols.txt
for library in libchief.abi libchief-lua.abi; do
    if [[ -e $old/$library && -e $new/$library ]]; then
        compare_types "$library"
    fi
done
exit "$status"
