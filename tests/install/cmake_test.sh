#!/usr/bin/env bash
# cmake --install into an empty prefix: the program runs from there, wherever it is moved, and C programs build by pkg-config.
set -u
. "$CHIEF_SOURCE/tests/install/steps.sh"
prefix=$work/prefix
build=${CHIEF_INSTALL_FROM:-$CHIEF_BUILD}

step "cmake --install" cmake --install "$build" --prefix "$prefix"
libdir=$(dirname "$(dirname "$(find "$prefix" -name libchief.pc)")")
step "chief --version" same "$("$prefix/bin/chief" --version)" "chief $version"
step "chief --help" "$prefix/bin/chief" --help
step "no path of the build is left in what was installed" same "$(grep -rlF "$build" "$prefix" | grep -v 'lib.*\.a$\|\.so\|bin/chief\|libexec/')" ""
step "no run path into the build" same "$(readelf -d "$prefix"/bin/chief "$prefix"/libexec/chief/* "$libdir"/*.so | grep -cF "$build")" 0
step "the Lua files are those of the source" diff -r "$CHIEF_SOURCE/lua/chief" "$prefix/share/lua/5.4/chief"

options_missing_in_page() {
    local page option
    page=$(sed 's/\\-/-/g' "$prefix/share/man/man1/chief.1")
    for command in "" run check; do
        # shellcheck disable=SC2086 # none, or one word
        for option in $("$prefix/bin/chief" $command --help | grep -oE -- '--[a-z-]+' | sort -u); do
            grep -qF -- "$option" <<<"$page" || echo "$option"
        done
    done
}
step "chief(1) has every option of the help" same "$(options_missing_in_page)" ""
step "chief-app(5) was made" grep -q memory_limit "$prefix/share/man/man5/chief-app.5"

mv "$prefix" "$work/moved"
step "moved, chief --version" same "$("$work/moved/bin/chief" --version)" "chief $version"
mv "$work/moved" "$prefix"

write_programs "$work"
mkdir "$work/project"
cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.20)
project(uses_chief C)
set(COMPONENT lua CACHE STRING "what else is asked for")
find_package(chief 0.1 REQUIRED COMPONENTS ${COMPONENT})
add_executable(core ../core.c)
target_link_libraries(core PRIVATE chief::chief)
add_executable(static ../core.c)
target_link_libraries(static PRIVATE chief::static)
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

# What `pkg-config --static` says is enough beside the archive; -lchief alone would take the shared library.
compile_static() {
    local flags
    read -ra flags < <(pc --static --cflags --libs libchief)
    gcc -std=c11 "$work/core.c" -o "$work/static" "${flags[@]/#-lchief/-l:libchief.a}"
}
step "a program builds over the static library" compile_static
step "and needs no libchief.so" same "$(ldd "$work/static" | grep -c libchief)" 0
step "and runs" same "$("$work/static")" "$version"
step "CMake's static program needs no libchief.so" same "$(ldd "$work/project/build/static" | grep -c libchief)" 0
step "and runs" same "$("$work/project/build/static")" "$version"

mv "$prefix" "$work/elsewhere"
rm -rf "$work/project/build"
step "the tree moved, programs build by find_package" cmake_build "$work/elsewhere"
step "and one runs" same "$("$work/project/build/core")" "$version"
libdir=${libdir/#"$prefix"/"$work/elsewhere"}
step "and by pkg-config" compile "$work/core.c" "$work/core" libchief
step "which runs, too" same "$(run "$work/core")" "$version"
step "a component that is not there is told" refuses cmake -G Ninja -S "$work/project" -B "$work/project/other" \
    -DCMAKE_PREFIX_PATH="$work/elsewhere" -DCOMPONENT=fiddle
step "by its name" holds "$(cmake -G Ninja -S "$work/project" -B "$work/project/other" -DCMAKE_PREFIX_PATH="$work/elsewhere" \
    -DCOMPONENT=fiddle 2>&1 | xargs)" "installed without the component fiddle"
