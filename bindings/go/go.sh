#!/usr/bin/env bash
# The go command over the libraries of a build tree, CHIEF_BUILD, which need not be installed: go.sh run ./example. What Go
# compiles is kept there, too, unless GOCACHE says otherwise.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
source_tree=$(cd ../.. && pwd)
build=${CHIEF_BUILD:-$source_tree/build/release}
[[ -e $build/lib/libchief-lua.so ]] || {
    echo "go.sh: there is no lib/libchief-lua.so in $build; CHIEF_BUILD names the build tree" >&2
    exit 78
}

# The build tree as pkg-config would give it if it were installed.
mkdir -p "$build/go/pkgconfig"
cat >"$build/go/libchief-lua.pc.$$" <<EOF
Name: libchief-lua
Description: of the build tree
Version: 0
Cflags: -I$source_tree/core/include -I$source_tree/bindings/lua/include
Libs: -L$build/lib -lchief-lua -lchief -Wl,-rpath,$build/lib
EOF
mv "$build/go/libchief-lua.pc.$$" "$build/go/pkgconfig/libchief-lua.pc"
export PKG_CONFIG_PATH=$build/go/pkgconfig GOCACHE=${GOCACHE:-$build/go/cache} GOPROXY=off GOFLAGS="-mod=mod -buildvcs=false" CGO_ENABLED=1
exec go "$@"
