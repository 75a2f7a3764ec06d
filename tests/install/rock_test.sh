#!/usr/bin/env bash
# LuaRocks builds the rock into an empty tree, and what it installed works under plain lua5.4.
set -u
. "$CHIEF_SOURCE/tests/install/steps.sh"

# LuaRocks leaves its objects beside the sources, so it gets a copy, of just what the rockspec names.
copy_sources() {
    cd "$CHIEF_SOURCE" || return 1
    cp --parents -r chief-scm-1.rockspec LICENSE README.md core bindings/lua lua "$work/source" 2>/dev/null ||
        cp --parents -r chief-scm-1.rockspec LICENSE core bindings/lua lua "$work/source"
}

tree=$work/tree
make_rock() { cd "$work/source" && luarocks --lua-version 5.4 make --deps-mode=none --tree "$tree"; }
plain_lua() {
    (cd "$work" && env LUA_PATH_5_4="$tree/share/lua/5.4/?.lua;$tree/share/lua/5.4/?/init.lua;;" \
        LUA_CPATH_5_4="$tree/lib/lua/5.4/?.so;;" "$@")
}

mkdir "$work/source"
step "the sources are there" copy_sources
step "luarocks make" make_rock
step "require \"chief\"" plain_lua lua5.4 -e 'assert(type(require("chief").new) == "function")'
step "the module exports its opener alone" same \
    "$(nm -D --defined-only "$tree/lib/lua/5.4/chief/core.so" | awk '{ print $3 }')" luaopen_chief_core
step "the module links no Lua" same "$(readelf -d "$tree/lib/lua/5.4/chief/core.so" | grep -c 'NEEDED.*lua')" 0
step "the script was installed" test -x "$tree/bin/chief"
step "chief --version" same "$(plain_lua "$tree/bin/chief" --version)" "chief $version"
step "chief finds its tree by itself" same "$(cd "$work" && env -u LUA_PATH_5_4 -u LUA_CPATH_5_4 "$tree/bin/chief" --version)" \
    "chief $version"
step "chief --help" plain_lua "$tree/bin/chief" --help

# One worker, unchanged: by the command, and from a program of plain Lua.
mkdir "$work/workers"
cat >"$work/workers/one.lua" <<'END'
return { run = function(_, ctx)
  print(ctx.name .. " runs")
  return true
end }
END
cat >"$work/app.lua" <<'END'
return { workers = { one = { module = "workers.one" } } }
END
cat >"$work/program.lua" <<'END'
local chief = require "chief"
local c = chief.new { name = "my-app", exit_when_done = true }
c:add_worker("one", "workers.one")
os.exit(c:run_all() and 0 or 1)
END
step "the command runs an app" same "$(plain_lua "$tree/bin/chief" run app.lua 2>/dev/null)" "one runs"
step "a program runs the same worker" same "$(plain_lua lua5.4 program.lua 2>/dev/null)" "one runs"
