# shellcheck shell=bash disable=SC2154
# For the tests of the rock: LuaRocks for 5.4 with a configuration and a home of its own, and a copy of the sources, because
# LuaRocks leaves its objects beside them. Sourced, after steps.sh.
source_dir=$work/source
export HOME=$work/home LUAROCKS_CONFIG=$work/config.lua
mkdir "$HOME"
# A compiler's launcher, where one is used, saves the sources from being compiled again for every way.
cat >"$LUAROCKS_CONFIG" <<END
rocks_servers = {}
variables = { CC = "${CMAKE_C_COMPILER_LAUNCHER:-} gcc" }
END

rocks() { luarocks --lua-version 5.4 "$@"; }

# Of what git knows and of what is new.
copy_sources() {
    mkdir -p "$source_dir" && cd "$CHIEF_SOURCE" &&
        cp --parents -r chief-scm-1.rockspec LICENSE README.md CHANGELOG.md core bindings/lua lua tests/rock.lua rockspecs "$source_dir"
}

# Lua as somebody has it whose tree that is: plain_lua TREE COMMAND…
plain_lua() {
    local tree=$1
    shift
    (cd "$work" && env LUA_PATH_5_4="$tree/share/lua/5.4/?.lua;$tree/share/lua/5.4/?/init.lua;;" \
        LUA_CPATH_5_4="$tree/lib/lua/5.4/?.so;;" "$@")
}

# What is in a tree, but for LuaRocks' own list of it.
left_in() { find "$1" -type f ! -name manifest | sort; }

version_in() { plain_lua "$1" lua5.4 -e 'print(require("chief").version)'; }
