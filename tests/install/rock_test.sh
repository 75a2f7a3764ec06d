#!/usr/bin/env bash
# The rock, made once: in an empty tree, packed, installed from the package and from a server of this machine without any
# network, tested by `luarocks test`, and removed. What it installed works under plain lua5.4.
set -u
. "$CHIEF_SOURCE/tests/install/steps.sh"
. "$CHIEF_SOURCE/tests/install/rocks.sh"
tree=$work/tree

# As LuaRocks says itself that a shell should find what is in a tree.
rocks_test() { (eval "$(rocks --tree "$tree" path)" && rocks test chief-scm-1.rockspec); }

step "the sources are there" copy_sources
cd "$source_dir" || exit 1
step "luarocks lint" rocks lint chief-scm-1.rockspec
step "luarocks make" rocks make --deps-mode=none --tree "$tree" chief-scm-1.rockspec
step "require \"chief\"" plain_lua "$tree" lua5.4 -e 'assert(type(require("chief").new) == "function")'
step "the module exports its opener alone" same \
    "$(nm -D --defined-only "$tree/lib/lua/5.4/chief/core.so" | awk '{ print $3 }')" luaopen_chief_core
step "the module links no Lua" same "$(readelf -d "$tree/lib/lua/5.4/chief/core.so" | grep -c 'NEEDED.*lua')" 0
step "the script was installed" test -x "$tree/bin/chief"
step "chief --version" same "$(plain_lua "$tree" "$tree/bin/chief" --version)" "chief $version"
step "chief finds its tree by itself" same "$(cd "$work" && env -u LUA_PATH_5_4 -u LUA_CPATH_5_4 "$tree/bin/chief" --version)" \
    "chief $version"
step "chief --help" plain_lua "$tree" "$tree/bin/chief" --help
step "luarocks test" rocks_test

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
step "the command runs an app" same "$(plain_lua "$tree" "$tree/bin/chief" run app.lua 2>/dev/null)" "one runs"
step "a program runs the same worker" same "$(plain_lua "$tree" lua5.4 program.lua 2>/dev/null)" "one runs"

# A rock brings no program for workers' processes: the interpreter that runs is one, with chief.child.
cat >"$work/workers/apart.lua" <<'END'
return { run = function(_, ctx)
  local said = assert(io.open(ctx.args, "w"))
  said:write((io.open("/proc/self/cmdline"):read("a"):gsub("\0", " ")))
  said:close()
  return ctx:recv(0) == nil
end }
END
cat >"$work/apart.lua" <<'END'
local chief = require "chief"
local c = chief.new { exit_when_done = true, log = { level = "off" } }
assert(c:add_worker("apart", "workers.apart", { isolation = "process", args = "said" }))
os.exit(c:run_all() and 0 or 1)
END
cat >"$work/apart_app.lua" <<'END'
return { workers = { apart = { module = "workers.apart", args = "said" } } }
END
ran_apart() { [[ $(cat "$work/said") == *"-l chief.child - apart"* ]] && rm "$work/said"; }
step "a program runs a worker in a process" plain_lua "$tree" lua5.4 apart.lua
step "which is the interpreter with chief.child" ran_apart
step "the command runs an app in processes" plain_lua "$tree" "$tree/bin/chief" run apart_app.lua --isolation process
step "which are the interpreter, too" ran_apart

# A server is a folder with packages and a list of them. The rock that ours needs is made of what this machine has.
served=$work/served
mkdir "$served"
pack() { (cd "$served" && rocks pack --tree "$tree" chief); }
argparse=$(lua5.4 -e 'print(package.searchpath("argparse", package.path))')
make_argparse() {
    mkdir "$work/argparse" && cd "$work/argparse" && cp "$argparse" argparse.lua &&
        cat >argparse-0.7.1-1.rockspec <<'END' && rocks make --tree "$work/other" && cd "$served" && rocks pack --tree "$work/other" argparse
package = "argparse"
version = "0.7.1-1"
source = { url = "file://argparse.lua" }
build = { type = "builtin", modules = { argparse = "argparse.lua" } }
END
}
# Without a network where the kernel lets us have none.
offline=()
if unshare -rn true 2>/dev/null; then
    offline=(unshare -rn)
fi
offline() { "${offline[@]}" luarocks --lua-version 5.4 "$@"; }

step "luarocks pack" pack
rock=$(echo "$served"/chief-scm-1.*.rock)
step "install of the .rock, offline, into an empty tree" offline install --deps-mode=none --tree "$work/packed" "$rock"
step "and it works" same "$(version_in "$work/packed")" "$version"
step "what it needs is served, too" make_argparse
step "the server's list" luarocks-admin make_manifest --lua-version 5.4 "$served"
step "install from the server, offline, into an empty tree" offline install --only-server="$served" --tree "$work/from_server" chief scm-1
step "with what it needs" test -e "$work/from_server/share/lua/5.4/argparse.lua"
step "and the command runs" same "$("$work/from_server/bin/chief" --version)" "chief $version"

step "installed again over itself" offline install --deps-mode=none --tree "$work/packed" "$rock"
step "it works" same "$(version_in "$work/packed")" "$version"
step "luarocks remove" offline remove --tree "$work/packed" chief
step "leaves nothing behind" same "$(left_in "$work/packed")" ""
