# shellcheck shell=bash
# For tests that go step by step, each of which needs the one before: a folder of their own that is removed at the end,
# and TAP. Sourced.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
# shellcheck disable=SC2034 # for those who source this
version=$(sed -nE 's/^#define CHIEF_VERSION "(.*)"$/\1/p' "$CHIEF_SOURCE/core/include/chief.h")
unset LUA_PATH_5_4 LUA_CPATH_5_4

# step NAME COMMAND…: ends the test at the first that fails.
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
refuses() { ! "$@"; }

# The first text holds the second.
holds() { [[ $1 == *"$2"* ]] || {
    printf '%s\nwithout %s\n' "$1" "$2"
    return 1
}; }

# A program over libchief, one over libchief-lua, and the worker that it runs, in the folder.
write_programs() {
    mkdir -p "$1/workers"
    cat >"$1/core.c" <<'END'
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
    cat >"$1/host.c" <<'END'
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
    cat >"$1/workers/one.lua" <<'END'
return { run = function(_, ctx)
  print(ctx.name .. " runs in " .. _VERSION)
  return true
end }
END
}
