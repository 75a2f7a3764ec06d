#!/usr/bin/env bash
# cmake --install into an empty prefix: the program runs from there, wherever it is moved, and C programs build by pkg-config.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

# step NAME COMMAND…: ends the test at the first that fails; what follows needs it.
step() {
    local name=$1 output
    shift
    number=$((number + 1))
    if output=$("$@" 2>&1); then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        printf '%s\n' "$output" | sed 's/^/  # /'
        exit 1
    fi
}

same() { [[ $1 == "$2" ]] || {
    echo "$1, not $2"
    return 1
}; }
version=$(sed -nE 's/^#define CHIEF_VERSION "(.*)"$/\1/p' "$CHIEF_SOURCE/core/include/chief.h")
prefix=$work/prefix
build=${CHIEF_INSTALL_FROM:-$CHIEF_BUILD}
unset LUA_PATH_5_4 LUA_CPATH_5_4

step "cmake --install" cmake --install "$build" --prefix "$prefix"
libdir=$(dirname "$(dirname "$(find "$prefix" -name libchief.pc)")")
step "chief --version" same "$("$prefix/bin/chief" --version)" "chief $version"
step "chief --help" "$prefix/bin/chief" --help
step "no path of the build is left in what was installed" same "$(grep -rlF "$build" "$prefix" | grep -v 'lib.*\.a$\|\.so\|bin/chief')" ""
step "no run path into the build" same "$(readelf -d "$prefix"/bin/chief "$libdir"/*.so | grep -cF "$build")" 0
step "the Lua files are those of the source" diff -r "$CHIEF_SOURCE/lua/chief" "$prefix/share/lua/5.4/chief"

mv "$prefix" "$work/moved"
step "moved, chief --version" same "$("$work/moved/bin/chief" --version)" "chief $version"
mv "$work/moved" "$prefix"

cat >"$work/core.c" <<'END'
#include <chief.h>
#include <stdio.h>
int main(void) {
    chief *c;
    int rc = chief_new(&c, NULL);
    if (rc == CHIEF_OK) printf("%s\n", chief_version());
    chief_free(c);
    return rc == CHIEF_OK ? 0 : 1;
}
END
sed 's/chief\.h/chief_lua.h/' "$work/core.c" >"$work/host.c"

pc() { PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config "$@"; }
compile() { # SOURCE PROGRAM PACKAGE FLAGS…
    local source=$1 program=$2 package=$3
    shift 3
    # shellcheck disable=SC2046 # flags, one a word
    gcc -std=c11 "$source" -o "$program" $(pc --cflags "$package") "$@" $(pc --libs "$package")
}
run() { LD_LIBRARY_PATH=$libdir "$1"; }

step "a program builds over libchief" compile "$work/core.c" "$work/core" libchief
step "and runs" same "$(run "$work/core")" "$version"
step "and needs no Lua" same "$(LD_LIBRARY_PATH=$libdir ldd "$work/core" | grep -c liblua)" 0
step "a program builds over libchief-lua" compile "$work/host.c" "$work/host" libchief-lua
step "and runs" same "$(run "$work/host")" "$version"
# shellcheck disable=SC2046
step "a program builds over the static library" gcc -std=c11 "$work/core.c" -o "$work/static" \
    $(pc --cflags libchief) "$libdir/libchief.a" $(pc --libs libuv libcjson) -pthread
step "and runs" same "$("$work/static")" "$version"
