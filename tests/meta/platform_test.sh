#!/usr/bin/env bash
# Elsewhere than on Linux CMake stops with a sentence that says so, and LuaRocks has it in the rockspec.
set -u
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

output=$(cmake -S "$CHIEF_SOURCE" -B "$build" -G Ninja -DCMAKE_SYSTEM_NAME=FreeBSD 2>&1)
if [[ $? -ne 0 && $output == *"runs on Linux only"* ]]; then
    echo "ok 1 - CMake refuses another system"
else
    echo "not ok 1 - CMake refuses another system"
    printf '%s\n' "$output" | sed 's/^/  # /'
    exit 1
fi
grep -qx 'supported_platforms = { "linux" }' "$CHIEF_SOURCE/chief-scm-1.rockspec" || exit 1
echo "ok 2 - the rockspec names Linux alone"
