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
[[ -z ${CHIEF_KEEP_DEBS:-} ]] || step "kept" cp "$work"/*.deb "$CHIEF_KEEP_DEBS"
