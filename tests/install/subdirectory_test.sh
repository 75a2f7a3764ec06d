#!/usr/bin/env bash
# A project that has chief's sources in itself: add_subdirectory, the library folder of a multiarch system, DESTDIR.
set -u
. "$CHIEF_SOURCE/tests/install/steps.sh"
write_programs "$work"

copy_sources() {
    cd "$CHIEF_SOURCE" && mkdir "$work/chief" && cp -r CMakeLists.txt cmake core "$work/chief"
}
cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(owner C)
set(CHIEF_LUA OFF)
add_subdirectory(chief)
add_executable(core core.c)
target_link_libraries(core PRIVATE chief::chief)
add_executable(static core.c)
target_link_libraries(static PRIVATE chief::static)
END
libdir=lib/$(gcc -print-multiarch)
configure() { cmake -G Ninja -S "$work" -B "$work/build" -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR="$libdir" -DCMAKE_BUILD_TYPE=Debug; }
pc() { PKG_CONFIG_PATH=$work/root/usr/$libdir/pkgconfig pkg-config "$@"; }
# shellcheck disable=SC2046 # flags, one a word
compile() { gcc -std=c11 "$work/core.c" -o "$work/outside" $(pc --cflags --libs libchief); }

step "the sources" copy_sources
step "a project with chief in it is configured" configure
step "its cache holds no tests of chief's" same "$(sed -n 's/^CHIEF_TESTS:BOOL=//p' "$work/build/CMakeCache.txt")" OFF
step "and built" cmake --build "$work/build"
step "a program over the shared library runs" same "$("$work/build/core")" "$version"
step "and one over the static" same "$("$work/build/static")" "$version"
step "no test of chief's is in the project" holds "$(ctest --test-dir "$work/build" -N 2>&1)" "Total Tests: 0"
step "DESTDIR" env DESTDIR="$work/root" cmake --install "$work/build"
step "nothing was installed beside it" same "$(cd "$work/root" && find . -maxdepth 2 | sort | xargs)" ". ./usr ./usr/include ./usr/lib ./usr/libexec"
step "the libraries are in the multiarch folder" test -e "$work/root/usr/$libdir/libchief.so.0"
step "pkg-config finds them there" same "$(realpath "$(pc --variable=libdir libchief)")" "$work/root/usr/$libdir"
step "a program outside builds" compile
step "and runs" same "$(LD_LIBRARY_PATH="$work/root/usr/$libdir" "$work/outside")" "$version"
