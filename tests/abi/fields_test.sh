#!/usr/bin/env bash
# Each field of each options structure, from a table made of the headers: zero is its default, a caller who does not know it yet
# is understood, and CHIEF_ZERO is taken where they offer it.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$CHIEF_SOURCE" || exit 1
compile() {
    lua5.4 tests/abi/header.lua fields core/include/chief.h bindings/lua/include/chief_lua.h >"$work/fields.inc" &&
        gcc -std=c11 -Wall -Wextra -Werror -Icore/include -Ibindings/lua/include "-I$work" tests/abi/fields.c -o "$work/fields" \
            "-L$CHIEF_BUILD/lib" -lchief-lua -lchief
}
if ! compile; then
    echo "not ok 1 - the table of the headers compiles"
    exit 1
fi
LD_LIBRARY_PATH=$CHIEF_BUILD/lib LUA_PATH_5_4="tests/host/workers/?.lua" "$work/fields"
