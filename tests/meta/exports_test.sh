#!/usr/bin/env bash
# What the built libraries export is what their headers declare, and libchief links no Lua.
set -u
cd "$CHIEF_SOURCE" || exit 1
number=0 failed=0

# same NAME WANTED FOUND: two sorted lists, as texts.
same() {
    local difference
    difference=$(diff <(echo "$2") <(echo "$3"))
    number=$((number + 1))
    if [[ -z $difference ]]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        printf '%s\n' "$difference" | sed 's/^/  # /'
        failed=1
    fi
}

declared() {
    tr '\n' ' ' <"$1" | grep -oE 'CHIEF_API [^;(]*\bchief_[a-z0-9_]+\(' | grep -oE 'chief_[a-z0-9_]+\($' | tr -d '(' | sort
}

exported() {
    nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        grep -vE '^(_init|_fini|__asan|__odr|__tsan)' | sort
}

needed() { readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -E "$2"; }

same "libchief exports chief.h" "$(declared core/include/chief.h)" "$(exported "$CHIEF_BUILD/lib/libchief.so")"
same "libchief-lua exports chief_lua.h" "$( (declared bindings/lua/include/chief_lua.h && echo luaopen_chief_core) | sort)" \
    "$(exported "$CHIEF_BUILD/lib/libchief-lua.so")"
same "the module exports its opener alone" luaopen_chief_core "$(exported "$CHIEF_BUILD/lua/chief/core.so")"
same "libchief needs no Lua" "" "$(needed "$CHIEF_BUILD/lib/libchief.so" lua)"
same "the module needs no Lua library" "" "$(needed "$CHIEF_BUILD/lua/chief/core.so" lua)"
exit "$failed"
