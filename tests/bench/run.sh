#!/bin/sh
# Prints how fast smtpscope is, beside other tools, in one run on this machine. Nothing here passes or fails.
#   sh tests/bench/run.sh
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
base=${SMTPSCOPE_BUILD:-$root/build}
for group in build test; do sh "$root/assets/install-deps.sh" $group; done
[ "$(id -u)" = 0 ] && { sh "$root/assets/install-deps.sh" lab || true; }
cmake -S "$root" -B "$base/bench" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$base/bench" --parallel "$(getconf _NPROCESSORS_ONLN)" --target smtpscope bench_lines bench_explain >/dev/null
export PYTHONDONTWRITEBYTECODE=1
"$base/bench/tests/bench/bench_lines"
"$base/bench/tests/bench/bench_explain" "$root/tests/unit/replies_known.txt"
exec python3 "$root/tests/bench/bench.py" "$base/bench/ui/smtpscope"
