#!/usr/bin/env bash
# A program compiled for this version runs over the next one's library, and one compiled for the next over this one's. The
# next version is this one with two members more at the end of every structure that begins with its size, and a function
# more. A structure with something in a member that the library does not know is refused.
set -u
here=$CHIEF_SOURCE/tests/abi
. "$CHIEF_SOURCE/tests/install/steps.sh"

write_next() {
    mkdir -p "$work/include" "$work/lib" &&
        lua5.4 "$here/header.lua" next "$CHIEF_SOURCE/core/include/chief.h" |
        sed 's/^CHIEF_API uint32_t chief_abi(void);/&\nCHIEF_API int chief_later(void);/' >"$work/include/chief.h" &&
        printf '#include "chief.h"\nint chief_later(void) { return CHIEF_OK; }\n' >"$work/later.c"
}

# shellcheck disable=SC2016,SC2046,SC2086 # flags, one a word; the inner shell expands
compile_next() {
    local sources
    mapfile -t sources < <(sed -n '/CHIEF_CORE_SOURCES/,/)/p' "$CHIEF_SOURCE/cmake/sources.cmake" | grep -o 'core/src/[a-z_]*\.c')
    cd "$CHIEF_SOURCE" &&
        printf '%s\n' "${sources[@]}" "$work/later.c" |
        xargs -P "$(nproc)" -I{} sh -c '"$@" -c {} -o "$0/$(basename {}).o"' "$work" \
            ${CMAKE_C_COMPILER_LAUNCHER:-} gcc -std=c11 -O0 -fPIC -fvisibility=hidden -D_GNU_SOURCE "-I$work/include" \
            $(pkg-config --cflags libuv libcjson) &&
        gcc -shared -Wl,-soname,libchief.so.0 -Wl,--version-script=core/chief.map "$work"/*.o -o "$work/lib/libchief.so" \
            $(pkg-config --libs libuv libcjson) -pthread &&
        ln -s libchief.so "$work/lib/libchief.so.0"
}

program() { # NAME INCLUDE LIBRARY SOURCE
    gcc -std=c11 -Wall -Wextra -Werror "-I$2" "$4" -o "$work/$1" "-L$3" -lchief
}
over() { LD_LIBRARY_PATH=$1 "$work/$2"; }
alike() { diff <(over "$this" compiled-for-this) <(over "$1" "$2") && over "$1" "$2"; }

this=$CHIEF_BUILD/lib
cat >"$work/uses.c" <<'END'
#include <chief.h>
#include <stdio.h>
int main(void) {
    chief *c = NULL;
    chief_options options = {.size = sizeof options, .later_number = LATER};
    int rc = chief_new(&c, &options);
    if (rc != CHIEF_OK) puts(chief_last_error());
    chief_free(c);
    return rc == CHIEF_OK ? 0 : 1;
}
END
program_with() { sed "s/LATER/$1/" "$work/uses.c" >"$work/uses_$1.c" && program "uses-$1" "$work/include" "$this" "$work/uses_$1.c"; }

step "a program is compiled for this version" program compiled-for-this "$CHIEF_SOURCE/core/include" "$this" "$here/consumer.c"
step "and runs over this library" over "$this" compiled-for-this
step "the next version's header" write_next
step "the next version's library" compile_next
step "this version's program runs over the next library" alike "$work/lib" compiled-for-this
step "a program is compiled for the next version" program compiled-for-next "$work/include" "$work/lib" "$here/consumer.c"
step "and runs over the next library" alike "$work/lib" compiled-for-next
step "and over this one" alike "$this" compiled-for-next
step "the next version's program with nothing in a new member is compiled" program_with 0
step "and understood" over "$this" uses-0
step "the next version's program with something in a new member is compiled" program_with 1
step "and refused" refuses over "$this" uses-1
step "but taken by the next library" over "$work/lib" uses-1
