#!/bin/sh
# Installs what is missing, builds, and runs all tests: everything with ASan and UBSan, the threaded parts once
# more with TSan, and a build with each compiler there is, warnings as errors.
#   sh tests/run.sh            all
#   sh tests/run.sh -R NAME    arguments go to the last ctest
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
base=${SMTPSCOPE_BUILD:-$root/build}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
start=$(date +%s)

say() { printf '\n== %s (%s s)\n' "$*" "$(($(date +%s) - start))"; }
die() { echo "tests/run.sh: $*" >&2; exit 1; }

for group in build test; do
    sh "$root/assets/install-deps.sh" $group || die "what is missing for $group could not be installed"
done
# The lab is extra: without root, namespaces or servers its tests are skipped, and say so.
[ "$(id -u)" = 0 ] && { sh "$root/assets/install-deps.sh" lab || echo "The lab's servers could not be installed."; }

generator=''
command -v ninja >/dev/null 2>&1 && generator='-G Ninja'
build() { # build DIR OPTIONS...
    dir=$1
    shift
    log=$base/$dir.log
    mkdir -p "$base"
    # shellcheck disable=SC2086
    { cmake -S "$root" -B "$base/$dir" $generator "$@" &&
      cmake --build "$base/$dir" --parallel "$jobs"; } >"$log" 2>&1 || { tail -n 60 "$log"; die "build $dir failed"; }
}

say "Build with the other compiler, warnings as errors"
if command -v clang >/dev/null 2>&1; then
    build test-clang -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DSMTPSCOPE_FUZZ=ON
    say "Fuzz targets, a short run each"
    for target in "$base"/test-clang/tests/fuzz/fuzz_*; do
        [ -x "$target" ] && [ -f "$target" ] || continue
        "$target" -runs=20000 -max_total_time=5 -max_len=4096 >"$base/fuzz.log" 2>&1 ||
            { tail -n 40 "$base/fuzz.log"; die "$(basename "$target") found something"; }
        echo "  $(basename "$target"): $(grep -o 'Done [0-9]* runs' "$base/fuzz.log" | tail -n 1)"
    done
else
    echo "SKIP: clang is not installed, so the warnings of clang and the fuzz targets are not tried"
fi

say "Threads, with TSan"
build test-tsan -DSMTPSCOPE_SANITIZE=thread -DCMAKE_BUILD_TYPE=Debug
# Address space randomisation with many bits is more than older TSan run-times can place their shadow in.
calm=''
command -v setarch >/dev/null 2>&1 && setarch -R true 2>/dev/null && calm='setarch -R'
(cd "$base/test-tsan" && $calm ctest --output-on-failure --no-tests=error -L threads) || die "a threaded test failed under TSan"

say "Everything, with ASan and UBSan"
# As ui/start.sh builds it: the optimiser sees other things to warn about.
build test-plain -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSMTPSCOPE_TESTS=OFF
build test-asan -DSMTPSCOPE_SANITIZE=address -DCMAKE_BUILD_TYPE=Debug
cd "$base/test-asan" || exit 1
ctest --output-on-failure -j "$jobs" "$@" >"$base/ctest.log" 2>&1
rc=$?
reasons=$(grep -h '^SKIP: ' Testing/Temporary/LastTest.log 2>/dev/null | sort -u)
[ -n "$reasons" ] && printf 'Skipped, and why:\n%s\n' "$reasons"
cat "$base/ctest.log"
exit $rc
