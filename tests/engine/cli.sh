#!/bin/sh
# The command line without a screen: exit codes, what goes to which stream, files, signals.
# cli.sh PROGRAM SOURCE-DIRECTORY. Nothing leaves this machine: the practice network, and loopback.
set -u
program=$1
source=$2
work=$(mktemp -d)
server=
trap 'rm -rf "$work"; [ -z "$server" ] || kill "$server" 2>/dev/null' EXIT
unset LANGUAGE LC_MESSAGES NO_COLOR SMTPSCOPE_DATA
export LC_ALL=C.UTF-8
failed=0
# Name servers outside are left alone: nobody answers there.
alone='--resolver 127.0.0.1:1'

wrong()
{
    echo "WRONG: $*"
    failed=$((failed + 1))
}

# run ARGUMENTS: output in $work/out and $work/err, exit code in $code.
run()
{
    "$program" "$@" </dev/null >"$work/out" 2>"$work/err"
    code=$?
}

# expect CODE ARGUMENTS
expect()
{
    want=$1
    shift
    run "$@"
    [ $code -eq "$want" ] || wrong "smtpscope $*: exit code $code instead of $want: $(head -3 "$work/err")"
}

# complains CODE TEXT ARGUMENTS: the sentence is on standard error, and standard output is empty.
complains()
{
    want=$1
    text=$2
    shift 2
    expect "$want" "$@"
    grep -qF -e "$text" "$work/err" || wrong "smtpscope $*: does not say '$text': $(cat "$work/err")"
    [ ! -s "$work/out" ] || wrong "smtpscope $*: says it on standard output"
}

# No control byte but the line end: no escape sequence, in whatever form.
clean()
{
    if LC_ALL=C tr -d '\n' <"$1" | LC_ALL=C grep -q '[[:cntrl:]]'; then
        wrong "$2: control bytes in the output"
    fi
}

has_python=$(command -v python3 || true)
is_json()
{
    [ -z "$has_python" ] || python3 -c '
import json, sys
text = open(sys.argv[1], encoding="utf-8").read()
report = json.loads(text)
assert report["schema"] == "smtpscope.report/1", report["schema"]
assert text.endswith("\n")
' "$1" || wrong "$2: not one JSON document"
}

echo "usage"
complains 64 'Usage: smtpscope'
complains 64 'a target is needed' --check
complains 64 'The nearest one is --json.' --jsn example.org
complains 64 'from 1 to 65535' --port 99999 example.org
complains 64 'takes no value' --check=1 example.org
complains 64 'forbids' --check --read-only --send example.org
complains 64 'needs a password' --check --auth-user u example.org
complains 65 'exa..mple.org' --check exa..mple.org
complains 65 'no-such-lesson' --check --demo=no-such-lesson
complains 65 'the nearest one is "healthy"' --check --demo=helthy
complains 65 '' --check --from 'a@b@c' example.org
complains 74 'no-such-file' --check --auth-user u --password-file /no-such-file example.org
complains 65 'NO_SUCH_VARIABLE' --check --auth-user u --password-env NO_SUCH_VARIABLE example.org
complains 64 '--password-file' --check --password hunter2 example.org
grep -q hunter2 "$work/err" && wrong 'the password is repeated'
umask 022
echo secret >"$work/open"
complains 77 'can be read by other users' --check --auth-user u --password-file "$work/open" example.org

echo "texts"
expect 0 --help
[ -s "$work/out" ] && [ ! -s "$work/err" ] || wrong '--help: wrong stream'
expect 0 --version
[ "$(head -1 "$work/out")" = 'smtpscope 1.0.0' ] || wrong "--version: $(head -1 "$work/out")"
expect 0 --list-scenarios
grep -q '^healthy  *basics  *1 ' "$work/out" || wrong '--list-scenarios: no healthy as the first lesson'
[ "$(grep -c '^# ' "$work/out")" -ge 10 ] || wrong '--list-scenarios: no heading for each theme'
grep -v '^# ' "$work/out" | grep -qv '^[a-z0-9-]* ' && wrong '--list-scenarios: a line without a name first'
for pair in print-man:man/smtpscope.1 print-completion=bash:completions/smtpscope.bash \
    print-completion=zsh:completions/smtpscope.zsh print-completion=fish:completions/smtpscope.fish
do
    run "--${pair%%:*}"
    cmp -s "$work/out" "$source/assets/${pair#*:}" ||
        wrong "assets/${pair#*:} is not what smtpscope --${pair%%:*} prints"
done

echo "exit codes"
expect 0 --check --demo=healthy
expect 1 --check --demo=ptr-missing
expect 2 --check --strict --demo=ptr-missing
expect 2 --check --demo=starttls-454
expect 2 --check $alone 127.0.0.1:1
expect 3 --check $alone example.org
expect 0 --demo=healthy
[ "$(tail -1 "$work/out" | cut -d: -f1)" = Summary ] || wrong 'the summary is not the last line'

echo "every scenario, plain and JSON"
for name in $("$program" --list-scenarios | sed '/^#/d; s/ .*//'); do
    run --check "--demo=$name"
    plain=$code
    clean "$work/out" "$name"
    [ ! -s "$work/err" ] || wrong "$name: $(cat "$work/err")"
    run --json "--demo=$name"
    [ $code -eq $plain ] || wrong "$name: exit code $plain in plain lines, $code in JSON"
    clean "$work/out" "$name, JSON"
    is_json "$work/out" "$name"
    [ ! -s "$work/err" ] || wrong "$name: $(cat "$work/err")"
    LC_ALL=C "$program" --check "--demo=$name" >"$work/out" 2>&1
    LC_ALL=C grep -q '[^ -~]' "$work/out" && wrong "$name: bytes beyond ASCII in the C locale"
done

echo "quiet, only"
run --check -q --demo=healthy
[ "$(wc -l <"$work/out")" -eq 1 ] || wrong '-q: more than the summary'
run --json --only smtp.banner --demo=healthy
grep -q 'tls\.starttls\.' "$work/out" && wrong '--only: a check too many'

echo "files"
expect 0 --check --demo=healthy --save "$work/report.txt" --tee "$work/tee.txt"
grep -q 'C: EHLO' "$work/report.txt" || wrong '--save: no transcript'
grep -q 'C: EHLO' "$work/tee.txt" || wrong '--tee: no transcript'
[ "$(stat -c %a "$work/report.txt")" = 600 ] || wrong '--save: others can read it'
cp "$work/report.txt" "$work/copy.txt"
complains 73 'exists already' --check --demo=healthy --save "$work/report.txt"
cmp -s "$work/report.txt" "$work/copy.txt" || wrong '--save: the file that was there has changed'
ln -s "$work/nowhere" "$work/link.json"
complains 73 'exists already' --check --demo=healthy --save "$work/link.json"
expect 73 --check --demo=healthy --save "$work/no-such-folder/report.txt"
expect 0 --json --demo=healthy --save "$work/report.json"
is_json "$work/out" 'with --save'
is_json "$work/report.json" 'saved'
if [ -w /dev/full ]; then
    "$program" --check --demo=healthy >/dev/full 2>"$work/err"
    [ $? -eq 74 ] || wrong 'a full disk behind standard output is not noticed'
    grep -q 'Writing failed' "$work/err" || wrong "a full disk: $(cat "$work/err")"
fi

echo "a limit on the size of files"
(ulimit -f 1 && exec "$program" --check --demo=flood --save "$work/big.txt" >/dev/null 2>"$work/err")
[ $? -eq 74 ] || wrong 'a report that is too large ends in another way'
[ ! -e "$work/big.txt" ] || wrong 'half a report was left'

echo "closed descriptors"
"$program" --check --demo=healthy <&- >"$work/out" 2>"$work/err"
[ $? -eq 0 ] || wrong 'closed standard input'
"$program" --check --demo=healthy --save "$work/closed.txt" >&- 2>"$work/err"
[ $? -eq 0 ] || wrong 'closed standard output'
head -1 "$work/closed.txt" | grep -q . || wrong 'the report went astray'
"$program" --check --demo=healthy >"$work/out" 2>&-
[ $? -eq 0 ] || wrong 'closed standard error'

echo "a reader that goes away"
{
    "$program" --check --demo=flood 2>"$work/err"
    echo $? >"$work/status"
} | head -1 >/dev/null
[ ! -s "$work/err" ] || wrong "a closed pipe: $(cat "$work/err")"
case $(cat "$work/status") in
0 | 1 | 141) ;;
*) wrong "a closed pipe: status $(cat "$work/status")" ;;
esac

echo "passwords"
canary=Kanarienvogel-8431
CANARY=$canary
export CANARY
expect 2 --check --demo=auth-535 --auth-user anna@example.org --password-env CANARY \
    --save "$work/auth.json" --tee "$work/auth.txt"
grep -q 'smtp.auth.wrong' "$work/auth.json" || wrong 'the password was not tried'
for secret in "$canary" "$(printf %s "$canary" | base64)" \
    "$(printf '\0anna@example.org\0%s' "$canary" | base64)"; do
    grep -qF -e "$secret" "$work/out" "$work/err" "$work/auth.json" "$work/auth.txt" &&
        wrong 'the password is in the output'
done

if [ -n "$has_python" ]; then
    echo "signals"
    # Takes connections and says nothing.
    python3 -c '
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(5)
print(s.getsockname()[1], flush=True)
time.sleep(300)
' >"$work/port" &
    server=$!
    while [ ! -s "$work/port" ]; do :; done
    port=$(cat "$work/port")
    for signal in TERM INT HUP; do
        # A shell without job control starts background jobs with SIGINT ignored; python gives it back.
        python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
' "$program" --json $alone "127.0.0.1:$port" >"$work/out" 2>"$work/err" &
        child=$!
        until grep -qs '' "/proc/$child/net/tcp" && [ "$(ls "/proc/$child/task" 2>/dev/null | wc -l)" -gt 1 ]; do
            kill -0 "$child" 2>/dev/null || break
        done
        kill -"$signal" "$child"
        wait "$child"
        status=$?
        case $signal-$status in
        TERM-143 | INT-130 | HUP-129) ;;
        *) wrong "SIG$signal: status $status" ;;
        esac
        is_json "$work/out" "SIG$signal"
    done
    # A run that takes too long ends by itself, and says whose choice that was.
    expect 3 --check $alone --deadline 1 "127.0.0.1:$port"
    grep -q '1 s' "$work/out" || wrong '--deadline: no word about it'
fi

[ $failed -eq 0 ] || {
    echo "$failed things are wrong."
    exit 1
}
echo "All is well."
