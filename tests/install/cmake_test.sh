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
step "no path of the build is left in what was installed" same "$(grep -rlF "$build" "$prefix" | grep -v 'lib.*\.a$\|\.so\|bin/chief\|libexec/')" ""
step "no run path into the build" same "$(readelf -d "$prefix"/bin/chief "$prefix"/libexec/chief/* "$libdir"/*.so | grep -cF "$build")" 0
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
cat >"$work/host.c" <<'END'
#include <chief_lua.h>
#include <stdio.h>
int main(void) {
    chief *c;
    chief_lua_options options = {.size = sizeof options, .path = "workers/?.lua"};
    chief_options quiet = {.size = sizeof quiet, .exit_when_done = 1};
    int rc = chief_new(&c, &quiet);
    if (rc == CHIEF_OK) rc = chief_lua_add_worker(c, "one", "one", &options);
    if (rc == CHIEF_OK) rc = chief_run_all(c, "host", NULL, 0);
    if (rc != CHIEF_OK) fprintf(stderr, "%s\n", chief_last_error());
    chief_free(c);
    return rc == CHIEF_OK ? 0 : 1;
}
END
mkdir "$work/workers"
cat >"$work/workers/one.lua" <<'END'
return { run = function(_, ctx)
  print(ctx.name .. " runs in " .. _VERSION)
  return true
end }
END
mkdir "$work/project"
cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.20)
project(uses_chief C)
find_package(chief 0.1 REQUIRED COMPONENTS lua)
add_executable(core ../core.c)
target_link_libraries(core PRIVATE chief::chief)
add_executable(host ../host.c)
target_link_libraries(host PRIVATE chief::lua)
END

pc() { PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config "$@"; }
compile() { # SOURCE PROGRAM PACKAGE FLAGS…
    local source=$1 program=$2 package=$3
    shift 3
    # shellcheck disable=SC2046 # flags, one a word
    gcc -std=c11 "$source" -o "$program" $(pc --cflags "$package") "$@" $(pc --libs "$package")
}
run() { (cd "$work" && LD_LIBRARY_PATH=$libdir "$1" 2>/dev/null); }
cmake_build() { cmake -G Ninja -S "$work/project" -B "$work/project/build" -DCMAKE_PREFIX_PATH="$1" && cmake --build "$work/project/build"; }

step "a program builds over libchief" compile "$work/core.c" "$work/core" libchief
step "and runs" same "$(run "$work/core")" "$version"
step "and needs no Lua" same "$(LD_LIBRARY_PATH=$libdir ldd "$work/core" | grep -c liblua)" 0
step "a program builds over libchief-lua" compile "$work/host.c" "$work/host" libchief-lua
step "and runs a Lua worker" same "$(run "$work/host")" "one runs in Lua 5.4"
step "programs build by CMake's find_package" cmake_build "$prefix"
step "and one runs" same "$("$work/project/build/core")" "$version"
step "and the other runs a Lua worker" same "$(cd "$work" && "$work/project/build/host" 2>/dev/null)" "one runs in Lua 5.4"
# shellcheck disable=SC2046
step "a program builds over the static library" gcc -std=c11 "$work/core.c" -o "$work/static" \
    $(pc --cflags libchief) "$libdir/libchief.a" $(pc --libs libuv libcjson) -pthread
step "and runs" same "$("$work/static")" "$version"
