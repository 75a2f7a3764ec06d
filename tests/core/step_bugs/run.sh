#!/usr/bin/env bash
# Puts one known bug after the other into a copy of the brain and requires its tests to fail. A bug is a sed script whose
# first line names the file: `# step_life.c: what is wrong`. The two tests that know no scenario, random and exhaustive, have
# to find most of them by themselves.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../../..
tests=(test_policy test_intensity test_model test_step test_step_policy
    test_step_group test_step_answer test_step_request test_step_stop test_step_force)
judges=(test_step_random test_step_exhaustive)
sources=(policy intensity agenda names model model_group model_link step step_emit step_group step_life step_policy
    step_request step_stop state replica alloc err)
export CHIEF_STEP_SEED=1 CHIEF_STEP_SEQUENCES=5000 CHIEF_STEP_DEPTH=0
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# Sections that nobody needs are left out, and with them what the other half of state.c would need.
compile() {
    "${CC:-gcc}" -std=c11 -D_GNU_SOURCE -O1 -ffunction-sections -I"$root/core/include" -I"$temp/src" \
        -I"$root/tests/core" -c "$1" -o "$2"
}

# Links the test over the objects in $2, and runs it.
fails() {
    "${CC:-gcc}" -Wl,--gc-sections "$temp/$1.o" "$2"/*.o -lcmocka -o "$2/$1"
    ! timeout 60 "$2/$1" >"$2/$1.log" 2>&1
}

# Prints the first test with scenarios that fails, and the judges that do.
failures() {
    local test
    for test in "${tests[@]}"; do
        if fails "$test" "$1"; then
            echo "$test"
            break
        fi
    done
    for test in "${judges[@]}"; do
        if fails "$test" "$1"; then
            echo "$test"
        fi
    done
}

# Says what became of the bug: «caught by …», «survived» or «no longer applies».
try() {
    local bug=$1 dir file by
    dir=$temp/$(basename "$bug" .sed)
    file=$(sed -n '1s/^# \([a-z_]*\)\.c: .*/\1/p' "$bug")
    mkdir "$dir"
    cp "$temp"/objects/*.o "$dir"
    sed -f "$bug" "$root/core/src/$file.c" >"$dir/$file.c"
    if cmp -s "$root/core/src/$file.c" "$dir/$file.c" || ! compile "$dir/$file.c" "$dir/$file.o" 2>"$dir/cc.log"; then
        echo "no longer applies" >"$dir/verdict"
        return
    fi
    by=$(failures "$dir" | tr '\n' ' ')
    if [[ -n $by ]]; then
        echo "caught by $by" >"$dir/verdict"
    else
        echo "survived" >"$dir/verdict"
    fi
}

mkdir "$temp/src" "$temp/objects"
cp "$root"/core/src/*.h "$temp/src"
for source in "${sources[@]}"; do
    compile "$root/core/src/$source.c" "$temp/objects/$source.o"
done
for test in "${tests[@]}" "${judges[@]}"; do
    compile "$root/tests/core/$test.c" "$temp/$test.o"
done
mkdir "$temp/without"
cp "$temp"/objects/*.o "$temp/without"
read -r failure < <(failures "$temp/without") || true
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

declare -A found=()
caught=0
for bug in "${bugs[@]}"; do
    name=$(basename "$bug" .sed)
    verdict=$(cat "$temp/$name/verdict")
    printf '%-34s %s\n' "$name" "$verdict"
    if [[ $verdict == caught* ]]; then
        caught=$((caught + 1))
    fi
    for test in "${judges[@]}"; do
        if [[ $verdict == *"$test"* ]]; then
            found[$test]=$((${found[$test]:-0} + 1))
        fi
    done
done
echo "$caught of ${#bugs[@]} caught"
for test in "${judges[@]}"; do
    echo "$test alone: ${found[$test]:-0}"
    [[ ${found[$test]:-0} -ge 20 ]]
done
[[ $caught -eq ${#bugs[@]} ]]
