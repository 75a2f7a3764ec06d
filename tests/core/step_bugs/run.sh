#!/usr/bin/env bash
# Puts one known bug after the other into a copy of the brain and requires its tests to fail. A bug is a sed script whose
# first line names the file: `# step_life.c: what is wrong`. The two tests that know no scenario, random and exhaustive, have
# to find most of them by themselves.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../../..
tests=(test_policy test_intensity test_model test_step test_step_restart test_step_after test_step_policy
    test_step_group test_step_answer test_step_request test_step_stop test_step_force)
judges=(test_step_random test_step_exhaustive)
sources=(policy intensity agenda names model model_group model_link step step_emit step_group step_life step_policy
    step_request step_stop state replica alloc err)
export CHIEF_STEP_SEED=1 CHIEF_STEP_SEQUENCES=5000 CHIEF_STEP_DEPTH=0
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

compile() {
    "${CC:-gcc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -I"$root/core/include" -I"$temp/src" -I"$root/tests/core" -c "$1" -o "$2"
}

# The brain as a library, so that a test is linked once. What the other half of state.c would need is never called.
link_brain() { "${CC:-gcc}" -shared -o "$1/libbrain.so" "$1"/*.o; }

link_test() {
    compile "$root/tests/core/$1.c" "$temp/$1.o" &&
        "${CC:-gcc}" -o "$temp/$1" "$temp/$1.o" -L"$temp/objects" -lbrain -lcmocka -Wl,--allow-shlib-undefined
}

# Runs the test over the brain in $2.
fails() { ! LD_LIBRARY_PATH=$2 timeout 60 "$temp/$1" >"$2/$1.log" 2>&1; }

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
    if cmp -s "$root/core/src/$file.c" "$dir/$file.c" || ! compile "$dir/$file.c" "$dir/$file.o" 2>"$dir/cc.log" ||
        ! link_brain "$dir"; then
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
sed -i 's/visibility push(hidden)/visibility push(default)/' "$temp"/src/*.h # the tests look into the library
for source in "${sources[@]}"; do
    cp "$root/core/src/$source.c" "$temp/src"
    compile "$temp/src/$source.c" "$temp/objects/$source.o"
done
link_brain "$temp/objects"
for test in "${tests[@]}" "${judges[@]}"; do
    link_test "$test"
done
read -r failure < <(failures "$temp/objects") || true
if [[ -n $failure ]]; then
    cat "$temp/objects/$failure.log" >&2
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
