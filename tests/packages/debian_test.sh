#!/usr/bin/env bash
# The Debian packages: built from a copy of the sources, accepted by lintian without an error.
set -u
. "$CHIEF_SOURCE/tests/install/steps.sh"
tree=$work/chief-$version

copy_sources() {
    mkdir "$tree" && cd "$CHIEF_SOURCE" &&
        cp -r CMakeLists.txt CHANGELOG.md LICENSE README.md bindings cmake core debian docs lua "$tree" &&
        tar -C "$work" --exclude=debian -czf "$work/chief_$version.orig.tar.gz" "chief-$version"
}
build() { cd "$tree" && DEB_BUILD_OPTIONS="noddebs parallel=$(nproc)" dpkg-buildpackage -us -uc; }
check() { cd "$work" && lintian --allow-root --fail-on error --tag-display-limit 0 ./*.changes; }
packages() { for file in "$work"/*.deb; do dpkg-deb -f "$file" Package; done | sort | xargs; }
installed() { dpkg-deb -c "$work"/"$1"_*.deb | awk '{ print $6 }'; }

step "the package's version is the project's" same "$(sed -n '1s/.*(\(.*\)-[0-9]*).*/\1/p' "$CHIEF_SOURCE/debian/changelog")" "$version"
step "the sources" copy_sources
step "dpkg-buildpackage" build
step "the packages" same "$(packages)" "chief libchief-dev libchief-lua0 libchief0 lua-chief"
step "lintian" check
step "libchief0 needs no Lua" refuses grep -q liblua <(dpkg-deb -f "$work"/libchief0_*.deb Depends)
step "lua-chief needs no library of ours" refuses grep -q libchief <(dpkg-deb -f "$work"/lua-chief_*.deb Depends)
step "the command has its manual" grep -q man1/chief.1 <(installed chief)

# A fresh root needs root's rights, and a mirror.
if [[ $(id -u) -ne 0 ]]; then
    echo "ok $((number + 1)) - installed and used in a fresh root # SKIP only root can make one"
    exit 0
fi
fresh=$work/fresh
make_root() {
    # shellcheck disable=SC1091
    . /etc/os-release && debootstrap --variant=minbase "$VERSION_CODENAME" "$fresh"
}
# Inside: with a /proc that is gone when the command ends.
inside() { unshare --mount --pid --fork --root="$fresh" --mount-proc env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ DEBIAN_FRONTEND=noninteractive "$@"; }
install() { inside apt-get install -y --no-install-recommends "$@"; }
in_demo() { inside sh -c "cd /demo && $1 2>/dev/null"; }
remove_all() { inside apt-get purge -y chief lua-chief libchief-dev libchief-lua0 libchief0; }
cmake_demo() {
    in_demo 'cmake -S project -B project/build' && in_demo 'cmake --build project/build'
}

step "a fresh root" make_root
write_programs "$fresh/demo"
cat >"$fresh/demo/app.lua" <<'END'
return { workers = { one = { module = "workers.one" } } }
END
cat >"$fresh/demo/program.lua" <<'END'
local chief = require "chief"
local c = chief.new { name = "my-app", exit_when_done = true }
c:add_worker("one", "workers.one")
os.exit(c:run_all() and 0 or 1)
END
mkdir "$fresh/debs" "$fresh/demo/project"
cat >"$fresh/demo/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.20)
project(demo C)
find_package(chief REQUIRED COMPONENTS lua)
add_executable(host ../host.c)
target_link_libraries(host PRIVATE chief::lua)
END
cp "$work"/*.deb "$fresh/debs"
paths() { (cd "$fresh" && printf '/%s\n' debs/"$1"_*.deb); }
step "apt-get install of the command alone" install "$(paths chief)" "$(paths lua-chief)" "$(paths libchief0)" "$(paths libchief-lua0)"
step "it runs an app" same "$(in_demo 'chief run app.lua')" "one runs in Lua 5.4"
step "so does a process, whose output goes into the log" same \
    "$(in_demo 'chief run app.lua --isolation process 2>&1 | grep -o "one runs in Lua 5.4"')" "one runs in Lua 5.4"
step "a program in Lua runs the worker" same "$(in_demo 'lua5.4 program.lua')" "one runs in Lua 5.4"
step "apt-get install of what a C program needs" install "$(paths libchief-dev)" gcc libc6-dev pkg-config cmake make
# shellcheck disable=SC2016 # the root's shell expands
step "a C program builds by pkg-config" in_demo 'cc host.c -o host $(pkg-config --cflags --libs libchief-lua)'
step "and runs a Lua worker" same "$(in_demo ./host)" "one runs in Lua 5.4"
step "and by CMake" cmake_demo
step "which runs it, too" same "$(in_demo project/build/host)" "one runs in Lua 5.4"
step "all of it is removed" remove_all
step "and leaves nothing behind" same "$(find "$fresh/usr" "$fresh/etc" -name '*chief*')" ""
