#!/usr/bin/env bash
# Writes down what a build promises to programs compiled before: describe.sh BUILD SOURCE OUT fills the folder OUT with
#   constants.txt       every enumerator and macro of the headers, and its value
#   symbols.txt         what the libraries export, by version
#   libchief*.abi       types and signatures, as abidw reads them from the debug information; one machine's, so amd64 alone
set -euo pipefail
build=$1 source=$2 out=$3
headers=("$source/core/include/chief.h" "$source/bindings/lua/include/chief_lua.h")

lua5.4 "$source/tests/abi/header.lua" constants "${headers[@]}" |
    "${CC:-gcc}" -std=c11 "-I$source/core/include" "-I$source/bindings/lua/include" -x c - -o "$out/print"
"$out/print" >"$out/constants.txt"
rm "$out/print"

for library in chief chief-lua; do
    soname=$(readelf -d "$build/lib/lib$library.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
    nm -D --defined-only --with-symbol-versions "$build/lib/lib$library.so" |
        awk -v soname="$soname" '$2 == "T" { sub(/@+/, " ", $3); print soname, $3 }'
done | sort >"$out/symbols.txt"

[[ $(uname -m) == x86_64 ]] || exit 0
describe() { # LIBRARY HEADERS
    abidw --exported-interfaces-only --drop-private-types --headers-dir "$2" --no-show-locs --no-comp-dir-path \
        --no-corpus-path --no-elf-needed "$build/lib/lib$1.so" --out-file "$out/lib$1.abi"
}
describe chief "$source/core/include"
describe chief-lua "$source/bindings/lua/include"
