#!/usr/bin/env bash
# A release of the rock, as somebody gets it: the release script's archive and rockspec, installed from the rockspec, from
# the .src.rock and from an HTTP server of this machine; the next release over it, and away again.
set -u
. "$CHIEF_SOURCE/tests/install/steps.sh"
. "$CHIEF_SOURCE/tests/install/rocks.sh"
served=$work/served tree=$work/tree
mkdir "$served"

commit() { git -C "$source_dir" add -A && git -C "$source_dir" -c user.name=Tester -c user.email=tester@example.org commit -qm "$1"; }
set_version() {
    sed -i "s/^#define CHIEF_VERSION .*/#define CHIEF_VERSION \"$1\"/" core/include/chief.h &&
        sed -i "s/^## \\[Unreleased\\]/&\\n\\n## [$1] - 2000-01-01/" CHANGELOG.md && commit "Release $1"
}
release() { rockspecs/release.sh "$1" "$served"; }
first=9.8.7 second=9.8.8

step "the sources are there" copy_sources
cd "$source_dir" || exit 1
step "a repository of them" git init -q
step "with a commit" commit "Begin"
step "without a URL nothing is released" refuses rockspecs/release.sh
step "nor without a section in the changelog" refuses release "file://$served"
step "which is told" holds "$(release "file://$served" 2>&1)" "CHANGELOG.md has no section [$version]"
step "the version rises" set_version "$first"
step "release" release "file://$served"
step "not twice" refuses release "file://$served"
step "luarocks lint" rocks lint "rockspecs/chief-$first-1.rockspec"

step "install from the rockspec, whose archive is a file" rocks install --deps-mode=none --tree "$tree" \
    "rockspecs/chief-$first-1.rockspec"
step "and it works" same "$(version_in "$tree")" "$first"
pack_source() { (cd "$served" && rocks pack "$source_dir/rockspecs/chief-$first-1.rockspec"); }
step "luarocks pack of the rockspec" pack_source
step "install from the .src.rock into an empty tree" rocks install --deps-mode=none --tree "$work/from_source" \
    "$served/chief-$first-1.src.rock"
step "and it works" same "$(version_in "$work/from_source")" "$first"

# The next release, over HTTP.
cat >"$work/server.js" <<'END'
const http = require("http"), fs = require("fs"), path = require("path");
http.createServer((request, response) => {
  fs.readFile(path.join(process.argv[2], path.basename(request.url)), (error, data) => {
    response.writeHead(error ? 404 : 200, data ? { "Content-Length": data.length } : {});
    response.end(request.method === "HEAD" ? undefined : data);
  });
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
END
coproc server { exec node "$work/server.js" "$served"; }
# shellcheck disable=SC2064,SC2154 # these, now; coproc sets it
trap "kill $server_PID; rm -rf '$work'" EXIT
read -r port <&"${server[0]}"
url=http://127.0.0.1:$port
step "the version rises again" set_version "$second"
step "release for a server" release "$url"
publish() { cp rockspecs/*.rockspec "$served" && luarocks-admin make_manifest --lua-version 5.4 "$served"; }
step "its list" publish
step "the next version from the server" rocks install --deps-mode=none --only-server="$url" --tree "$tree" chief
step "has taken the place of the one before" same "$(version_in "$tree")" "$second"
step "of which nothing is left" same "$(find "$tree" -path "*$first*")" ""
step "its script is the new one" same "$(plain_lua "$tree" "$tree/bin/chief" --version)" "chief $second"
step "luarocks remove" rocks remove --tree "$tree" chief
step "leaves nothing behind" same "$(left_in "$tree")" ""
