#!/usr/bin/env bash
# What a release consists of: release.sh URL [ARCHIVES] makes ARCHIVES/chief-X.Y.Z.tar.gz (build/archives if none is said) of
# the last commit, and rockspecs/chief-X.Y.Z-1.rockspec, which finds it at URL/chief-X.Y.Z.tar.gz. X.Y.Z is CHIEF_VERSION.
set -euo pipefail
url=${1:-} archives=${2:-build/archives}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

[[ $url == *://* ]] || die "usage: release.sh URL [ARCHIVES]: URL is the folder that the archive will be found in, such as https://example.org/chief"
mkdir -p "$archives"
archives=$(cd "$archives" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(sed -nE 's/^#define CHIEF_VERSION "(.*)"$/\1/p' core/include/chief.h)
rockspec=rockspecs/chief-$version-1.rockspec
archive=$archives/chief-$version.tar.gz

[[ -z $(git status --porcelain -uno) ]] || die "There are changes that are not in a commit, and the archive is made of the last commit."
[[ ! -e $rockspec ]] || die "$rockspec is there already: CHIEF_VERSION in chief.h has to rise first."
grep -qF "## [$version]" CHANGELOG.md || die "CHANGELOG.md has no section [$version]."

git archive --format=tar --prefix="chief-$version/" HEAD | gzip -9n >"$archive"
source="source = {\n  url = \"${url%/}/chief-$version.tar.gz\",\n  md5 = \"$(md5sum "$archive" | cut -d' ' -f1)\",\n}"
sed -e "s/^version = .*/version = \"$version-1\"/" -e "/^source = {/,/^}/c\\$source" chief-scm-1.rockspec >"$rockspec"
printf 'The release: %s and %s\n' "$archive" "$rockspec"
