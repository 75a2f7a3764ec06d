#!/usr/bin/env bash
# Puts one known bug after the other into a copy of the brain and requires its tests to fail. A bug is a sed script whose
# first line names the file: `# step_life.c: what is wrong`.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../../..
tests=(test_policy test_intensity test_model test_step test_step_policy
    test_step_group test_step_request test_step_stop test_step_force test_step_random)
sources=(policy intensity agenda names model model_group model_link step step_emit step_group step_life step_policy
    step_request step_stop state replica alloc err)
export CHIEF_STEP_SEED=1 CHIEF_STEP_SEQUENCES=5000
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# Sections that nobody needs are left out, and with them what the other half of state.c would need.
compile() {
    "${CC:-gcc}" -std=c11 -D_GNU_SOURCE -O0 -ffunction-sections -I"$root/core/include" -I"$temp/src" \
        -I"$root/tests/core" -c "$1" -o "$2"
}

# Links and runs the tests over the objects in $1; the first that fails is printed.
first_failure() {
    local test
    for test in "${tests[@]}"; do
        "${CC:-gcc}" -Wl,--gc-sections "$temp/$test.o" "$1"/*.o -lcmocka -o "$1/$test"
        if ! timeout 20 "$1/$test" >"$1/$test.log" 2>&1; then
            echo "$test"
            return
        fi
    done
}

# Says what became of the bug: «caught by …», «survived» or «no longer applies».
try() {
    local bug=$1 dir file failure
    dir=$temp/$(basename "$bug" .sed)
    file=$(sed -n '1s/^# \([a-z_]*\)\.c: .*/\1/p' "$bug")
    mkdir "$dir"
    cp "$temp"/objects/*.o "$dir"
    sed -f "$bug" "$root/core/src/$file.c" >"$dir/$file.c"
    if cmp -s "$root/core/src/$file.c" "$dir/$file.c" || ! compile "$dir/$file.c" "$dir/$file.o" 2>"$dir/cc.log"; then
        echo "no longer applies" >"$dir/verdict"
        return
    fi
    failure=$(first_failure "$dir")
    if [[ -n $failure ]]; then
        echo "caught by $failure" >"$dir/verdict"
    else
        echo "survived" >"$dir/verdict"
    fi
}

mkdir "$temp/src" "$temp/objects"
cp "$root"/core/src/*.h "$temp/src"
for source in "${sources[@]}"; do
    compile "$root/core/src/$source.c" "$temp/objects/$source.o"
done
for test in "${tests[@]}"; do
    compile "$root/tests/core/$test.c" "$temp/$test.o"
done
mkdir "$temp/without"
cp "$temp"/objects/*.o "$temp/without"
failure=$(first_failure "$temp/without")
if [[ -n $failure ]]; then
    cat "$temp/without/$failure.log" >&2
    echo "$failure fails without any bug" >&2
    exit 1
fi

bugs=("$here"/*.sed)
for bug in "${bugs[@]}"; do
    while [[ $(jobs -rp | wc -l) -ge 2 ]]; do
        wait -n
    done
    try "$bug" &
done
wait

caught=0
for bug in "${bugs[@]}"; do
    name=$(basename "$bug" .sed)
    verdict=$(cat "$temp/$name/verdict")
    printf '%-34s %s\n' "$name" "$verdict"
    if [[ $verdict == caught* ]]; then
        caught=$((caught + 1))
    fi
done
echo "$caught of ${#bugs[@]} caught"
[[ $caught -eq ${#bugs[@]} ]]
