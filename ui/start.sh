#!/bin/sh
# Installs what is missing, builds, and starts smtpscope. Arguments are passed on:
#   sh ui/start.sh                 the console's start screen (practice is one of its doors)
#   sh ui/start.sh example.org     the console, safe checks of that domain
# Without a terminal it ends in a headless run of the practice network.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${SMTPSCOPE_BUILD:-$root/build}

sh "$root/assets/install-deps.sh" build
quiet=$(mktemp)
trap 'rm -f "$quiet"' EXIT
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
if ! { cmake -S "$root" -B "$build" -DSMTPSCOPE_TESTS=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo &&
       cmake --build "$build" --target smtpscope translations --parallel "$jobs"; } >"$quiet" 2>&1; then
    cat "$quiet" >&2
    echo "The build failed; its words are above." >&2
    exit 70
fi
rm -f "$quiet"
trap - EXIT
program=$build/ui/smtpscope
if [ $# -eq 0 ] && { [ ! -t 0 ] || [ ! -t 1 ]; }; then
    echo "No terminal here: this is the practice network, headless. On a terminal the console opens."
    rc=0
    "$program" --check --demo || rc=$?
    echo "smtpscope ended with exit code $rc."
    exit $rc
fi
exec "$program" "$@"
