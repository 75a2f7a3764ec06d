#!/usr/bin/env bash
# Builds the contenders over a build of this project: build.sh BUILD OUT. Go's and Erlang's are left out where their compilers
# are not there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1
out=$2
mkdir -p "$out"
out=$(cd "$out" && pwd)
flags=(-O2 -std=c11 -D_GNU_SOURCE -Wall -Wextra)
read -r -a lua < <(pkg-config --cflags --libs lua5.4)

gcc "${flags[@]}" "$here/measure.c" -o "$out/measure"
gcc "${flags[@]}" "$here/floors.c" -o "$out/floors" "${lua[@]}" -lpthread
gcc "${flags[@]}" -I"$here/../../core/include" "$here/chief_c.c" -o "$out/chief_c" "$build/lib/libchief.a" \
    -luv -lcjson -lm -lpthread
# The bindings: each has a program that does binding-oneway and binding-batch.
library=$(cd "$build/lib" && pwd)/libchief.so
if command -v python3 >/dev/null && [[ -e $library ]]; then
    printf '#!/bin/sh\nCHIEF_LIBRARY=%q PYTHONPATH=%q exec python3 %q "$@"\n' "$library" "$here/../../bindings/python/src" \
        "$here/../../bindings/python/bench.py" >"$out/python"
    chmod +x "$out/python"
fi
if command -v node >/dev/null && [[ -e $library ]]; then
    CHIEF_BUILD=${library%/lib/*} node "$here/../../bindings/node/build.js" --out "$out/chief.node"
    printf '#!/bin/sh\nCHIEF_NODE_ADDON=%q exec node %q "$@"\n' "$out/chief.node" "$here/../../bindings/node/bench.js" >"$out/node"
    chmod +x "$out/node"
fi
if command -v cargo >/dev/null && [[ -e $library ]]; then
    RUSTFLAGS="-C link-arg=-Wl,-rpath,${library%/*}" CHIEF_BUILD=${library%/lib/*} CARGO_TARGET_DIR=$out/cargo \
        cargo build --quiet --offline --release --example bench --manifest-path "$here/../../bindings/rust/Cargo.toml"
    cp "$out/cargo/release/examples/bench" "$out/rust"
fi
if command -v go >/dev/null; then
    export GOCACHE=${GOCACHE:-$out/go-cache}
    GO111MODULE=off go build -o "$out/go" "$here/contender.go"
    if [[ -e $library ]]; then
        CHIEF_BUILD=${library%/lib/*} bash "$here/../../bindings/go/go.sh" build -o "$out/go-binding" ./bench
    fi
fi
if command -v erlc >/dev/null; then
    erlc -o "$out" "$here/contender.erl"
fi
