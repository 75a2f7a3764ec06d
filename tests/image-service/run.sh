#!/usr/bin/env bash
# Runs the tests of the image service: its parts in plain Lua, then the whole through $CHIEF (default: ./dev chief), at
# the end over a real S3-compatible server. With a word, only those cases of the whole whose name has it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
export CHIEF=${CHIEF:-$root/dev chief}
export CHIEF_SOURCE=$root
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# s3rver is asked for by name, and kept below build/ for the next time.
s3rver() {
    local folder=$root/build/npm script
    script=$folder/node_modules/s3rver/bin/s3rver.js
    if [[ ! -f $script ]] && ! npm install --prefix "$folder" --no-audit --no-fund --loglevel error s3rver@3.7.1 >&2; then
        echo "s3rver could not be installed from npm's registry; by hand: npm install --prefix $folder s3rver@3.7.1" >&2
        return 1
    fi
    echo "$script"
}

status=0
if [[ $# -eq 0 ]]; then
    for spec in "$here"/*_spec.lua; do
        lua5.4 "$(command -v busted)" --output=plainTerminal "$spec" | tee -a "$log" || status=1
    done
fi
node "$here/service_test.mjs" "$@" | tee -a "$log" || status=1
if S3RVER=$(s3rver); then
    export S3RVER
    node "$here/s3_test.mjs" "$@" | tee -a "$log" || status=1
else
    echo "not ok 1 - s3rver is there" | tee -a "$log"
    status=1
fi

awk '
    /^ok / { passed++ }
    /^not ok / { failed++ }
    / success(es)? \/ / { passed += $1; failed += $4 + $7 }
    END { printf "%d passed, %d failed\n", passed, failed }' "$log"
exit "$status"
