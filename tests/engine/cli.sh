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
# is_json WHAT FILE...: each file is one report.
is_json()
{
    what=$1
    shift
    [ -z "$has_python" ] || python3 -c '
import json, sys
for name in sys.argv[1:]:
    text = open(name, encoding="utf-8").read()
    try:
        report = json.loads(text)
        assert report["schema"] == "smtpscope.report/1", report["schema"]
        assert text.endswith("\n")
    except Exception as e:
        sys.exit(f"{name}: {e}")
' "$@" || wrong "$what: not one JSON document"
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
expect 0 --list-playbooks
grep -q "^receive  *I can't receive mail" "$work/out" || wrong '--list-playbooks: no receive'
for pair in print-man:man/smtpscope.1 print-completion=bash:completions/smtpscope.bash \
    print-completion=zsh:completions/smtpscope.zsh print-completion=fish:completions/smtpscope.fish
do
    run "--${pair%%:*}"
    cmp -s "$work/out" "$source/assets/${pair#*:}" ||
        wrong "assets/${pair#*:} is not what smtpscope --${pair%%:*} prints"
done

echo "explaining replies"
# explains CODE FINDING ARGUMENTS: with that exit code, and that finding in the JSON on standard output.
explains()
{
    want=$1
    finding=$2
    shift 2
    expect "$want" --explain --json "$@"
    grep -qF -e "\"finding\":$finding," "$work/out" || wrong "--explain $*: not $finding: $(cat "$work/out")"
}
explains 0 '"reply.google.unauthenticated"' '550 5.7.26 no - gsmtp'
explains 0 '"reply.sender.null_mx"' '550 5.7.27 no'
explains 0 '"reply.class.sender-rejected"' --stage mail '550 Access denied'
explains 0 '"reply.class.unknown-recipient"' "--explain=Diagnostic-Code: smtp; 550 5.1.1 user unknown"
explains 65 null 'hello world'
explains 65 '"reply.class.mailbox-full"' 'the mailbox is full'
expect 0 --explain '550 5.1.1 user unknown'
grep -qF 'Class: unknown-recipient' "$work/out" || wrong '--explain: no class'
expect 0 --explain "$(printf '550 \033[31m\302\233user unknown')"
clean "$work/out" '--explain'
explains 0 '"reply.class.unknown-recipient"' '550-user
550 unknown'
complains 64 'put the reply in quotes' --explain 550 user unknown
complains 64 'one of: dns connect' --explain --stage later 550
complains 64 '--stage needs --explain' --stage rcpt --check example.org
complains 65 'nothing to explain' --explain
complains 65 'nothing to explain' --explain --json
# lines CODE COUNT: standard input is explained with that exit code, in so many lines of JSON.
lines()
{
    "$program" --explain --json <"$work/in" >"$work/out" 2>"$work/err"
    code=$?
    [ $code -eq "$1" ] || wrong "--explain <in: exit code $code instead of $1"
    [ "$(wc -l <"$work/out")" -eq "$2" ] || wrong "--explain <in: $(wc -l <"$work/out") lines instead of $2"
    [ -z "$has_python" ] || python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' \
        "$work/out" || wrong '--explain: not JSON'
}
printf '550 user unknown\r\n\n421 later' >"$work/in"
lines 0 2
printf '550 user unknown\nnothing\n' >"$work/in"
lines 1 2
printf 'Status: 5.2.2\nDiagnostic-Code: smtp; 550 no\n  more\n' >"$work/in"
lines 0 1
grep -qF '"enhanced":"5.2.2"' "$work/out" || wrong '--explain: the status of the DSN is not used'
head -c 100000 /dev/zero | tr '\0' x >"$work/in"
printf '\n550 a\0b\033[31m\377\n' >>"$work/in"
lines 1 2
head -c 50000 "$program" >"$work/in"
"$program" --explain <"$work/in" >"$work/out" 2>"$work/err"
clean "$work/out" '--explain of a program'
printf '550 user unknown\n' >"$work/in"
"$program" --explain <"$work/in" >/dev/full 2>"$work/err"
[ $? -eq 74 ] || wrong '--explain: a full disk is not told'
"$program" --explain </ >"$work/out" 2>"$work/err"
[ $? -eq 74 ] || wrong '--explain: an unreadable standard input is not told'

echo "exit codes"
expect 0 --check --demo=healthy
expect 1 --check --demo=ptr-missing
expect 2 --check --strict --demo=ptr-missing
expect 2 --check --demo=starttls-454
expect 2 --check $alone 127.0.0.1:1
expect 3 --check $alone example.org
expect 0 --demo=healthy
[ "$(tail -1 "$work/out" | cut -d: -f1)" = Summary ] || wrong 'the summary is not the last line'

# There are hundreds: Python starts once for all of them, and the C locale is for those that show more
# than ASCII anywhere.
echo "every scenario, plain and JSON"
mkdir "$work/json"
foreign=0
for name in $("$program" --list-scenarios | sed '/^#/d; s/ .*//'); do
    run --check "--demo=$name"
    plain=$code
    clean "$work/out" "$name"
    [ ! -s "$work/err" ] || wrong "$name: $(cat "$work/err")"
    if LC_ALL=C grep -q '[^ -~]' "$work/out"; then
        foreign=$((foreign + 1))
        LC_ALL=C "$program" --check "--demo=$name" >"$work/out" 2>&1
        LC_ALL=C grep -q '[^ -~]' "$work/out" && wrong "$name: bytes beyond ASCII in the C locale"
    fi
    run --json "--demo=$name"
    [ $code -eq $plain ] || wrong "$name: exit code $plain in plain lines, $code in JSON"
    clean "$work/out" "$name, JSON"
    [ ! -s "$work/err" ] || wrong "$name: $(cat "$work/err")"
    mv "$work/out" "$work/json/$name"
done
is_json "scenarios" "$work"/json/*
[ "$foreign" -gt 0 ] || wrong 'no scenario shows more than ASCII'

echo "quiet, only"
run --check -q --demo=healthy
[ "$(wc -l <"$work/out")" -eq 1 ] || wrong '-q: more than the summary'
run --json --only smtp.banner --demo=healthy
grep -q 'tls\.starttls\.' "$work/out" && wrong '--only: a check too many'

echo "scripts"
printf 'EHLO a.example\nexpect 250\nQUIT\n' >"$work/script"
expect 0 --demo --replay "$work/script"
grep -q 'answered as expected' "$work/out" || wrong '--replay: no word about the end'
printf 'EHLO a.example\nexpect 5\nQUIT\n' >"$work/script"
expect 2 --demo --replay "$work/script"
run --json --demo --replay "$work/script"
is_json '--replay' "$work/out"
grep -q '"state":"unexpected"' "$work/out" || wrong '--replay: no state in JSON'
printf 'EHLO a.example\nMAIL FROM:<a@desk.office.example>\nRCPT TO:<postmaster@example.org>\nDATA\nhi\n.\n' \
    >"$work/script"
complains 77 '--send' --demo --replay "$work/script"
complains 77 '--send' --demo --relay-test --replay "$work/script"
complains 77 'read-only' --demo --read-only --replay "$work/script"
expect 0 --demo --send --replay "$work/script"
printf 'AUTH PLAIN <hidden 20 bytes>\n' >"$work/script"
complains 77 '--auth-user' --demo --replay "$work/script"
printf 'expect 250\n' >"$work/script"
complains 65 'line 1' --demo --replay "$work/script"
complains 65 'no-such-file' --demo --replay /no-such-file
# What was saved can be played again, in each form.
for form in txt md json; do
    expect 0 --check --demo=healthy --save "$work/again.$form"
    expect 0 --demo=healthy --replay "$work/again.$form"
done

echo "messages"
printf 'Subject: from a file\n\nhello\n' >"$work/mail"
expect 0 --check --demo=healthy --send --to anna@example.org --message "$work/mail" -v
grep -q 'not added: Date, From, To' "$work/out" || wrong '--message: nothing about its headers'
complains 65 'no-such-file' --check --demo --send --to a@example.org --message /no-such-file
head -c 26214401 /dev/zero >"$work/big"
complains 65 'larger than 26214400' --check --demo --send --to a@example.org --attach "$work/big"
rm -f "$work/big"

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
is_json 'with --save' "$work/out"
is_json 'saved' "$work/report.json"
if [ -w /dev/full ]; then
    "$program" --check --demo=healthy >/dev/full 2>"$work/err"
    [ $? -eq 74 ] || wrong 'a full disk behind standard output is not noticed'
    grep -q 'Writing failed' "$work/err" || wrong "a full disk: $(cat "$work/err")"
fi

echo "a scenario of a saved run"
mkdir -p "$work/data/scenarios"
expect 2 --json --demo=auth-535 --save "$work/run.json"
expect 0 --make-scenario "$work/run.json"
[ ! -s "$work/err" ] || wrong "--make-scenario: $(cat "$work/err")"
cp "$work/out" "$work/made.txt"
expect 0 --make-scenario "$work/run.json" --save "$work/data/scenarios/made.txt"
cmp -s "$work/made.txt" "$work/data/scenarios/made.txt" || wrong '--save: another scenario'
complains 73 'exists already' --make-scenario "$work/run.json" --save "$work/data/scenarios/made.txt"
"$program" --make-scenario - <"$work/run.json" 2>"$work/err" | cmp -s - "$work/made.txt" ||
    wrong '--make-scenario -: another scenario'
SMTPSCOPE_DATA="$work/data" "$program" --json --demo=made >"$work/out" 2>"$work/err"
[ $? -eq 2 ] || wrong "a scenario that was made: $(cat "$work/err")"
grep -q '"smtp.auth.wrong"' "$work/out" || wrong 'a scenario that was made: another finding'
SMTPSCOPE_DATA="$work/data" "$program" --list-scenarios >"$work/out"
grep -q '^made ' "$work/out" || wrong 'a scenario that was made is not listed'
head -c 2000 "$work/run.json" >"$work/cut.json"
complains 65 'ends too early' --make-scenario "$work/cut.json"
complains 65 'is no JSON' --make-scenario "$source/README.md"
complains 65 'no saved run' --make-scenario "$source/assets/report.schema.json"
complains 65 'is not a regular file' --make-scenario "$work"
complains 74 'cannot be read' --make-scenario "$work/no-such-file.json"
complains 64 'must not be empty' --make-scenario ''

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

echo "a practice server for others"
here=127.0.0.1:0
complains 64 'add --practice-public' --practice 192.0.2.1:2525
complains 64 'as 127.0.0.1:2525' --practice 127.0.0.1
complains 64 'takes no target' --practice $here example.org
complains 64 '--demo=healthy' --scenario healthy
complains 65 'no-such-lesson' --practice $here --scenario no-such-lesson
complains 65 'drops all packets, which an open socket cannot. The scenario has: mx1.example.org:587' \
    --practice $here --scenario port-blocked
complains 65 'refuses connections' --practice $here --scenario refused
complains 65 'leads to no server' --practice $here --scenario nxdomain
complains 74 'does not have the address 192.0.2.1' --practice 192.0.2.1:2525 --practice-public
[ ! -e "$work/ca.pem" ] || wrong 'a certificate authority out of nothing'

# offer ARGUMENTS: a server at $port, its process in $child. Its output begins with the announcement.
offer()
{
    : >"$work/offer"
    "$program" --practice $here "$@" </dev/null >"$work/offer" 2>"$work/offer-err" &
    child=$!
    until grep -q ';' "$work/offer"; do
        kill -0 "$child" 2>/dev/null || break
    done
    port=$(sed -n '1s/.* on 127\.0\.0\.1:\([0-9]*\);.*/\1/p' "$work/offer")
    [ -n "$port" ] || wrong "--practice $*: $(cat "$work/offer" "$work/offer-err")"
}

# gone SIGNAL STATUS
gone()
{
    kill -"$1" "$child"
    wait "$child"
    status=$?
    [ $status -eq "$2" ] || wrong "--practice: SIG$1 gives status $status"
    [ ! -s "$work/offer-err" ] || wrong "--practice: $(cat "$work/offer-err")"
}

offer --scenario auth-in-clear --practice-ca "$work/ca.pem"
head -1 "$work/offer" | grep -q '^Practice server DEMO: scenario auth-in-clear as mail.example.org:587 on ' ||
    wrong "--practice: $(head -1 "$work/offer")"
grep -q 'BEGIN CERTIFICATE' "$work/ca.pem" || wrong '--practice-ca: no certificate'
[ "$(stat -c %a "$work/ca.pem")" = 600 ] || wrong '--practice-ca: others can read it'
complains 73 'exists already' --practice $here --practice-ca "$work/ca.pem"
complains 74 'Another program uses' --practice "127.0.0.1:$port"
if [ -n "$has_python" ]; then
    python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
f = s.makefile("rwb")
def say(line):
    f.write(line + b"\r\n")
    f.flush()
    while f.readline()[3:4] == b"-":
        pass
f.readline()
say(b"EHLO here.example")
say(b"AUTH PLAIN AGthbmFyaWVudm9nZWw=")
say(b"NOOP \x1b]0;title\x07 \xe2\x80\xae \x00 " + 3000 * b"x")
say(b"QUIT")
f.read()
' "$port" || wrong '--practice: no conversation'
fi
gone TERM 143
clean "$work/offer" '--practice'
tail -n +2 "$work/offer" | grep -qv '^DEMO ' && wrong '--practice: a line without DEMO'
if [ -n "$has_python" ]; then
    grep -q 'C: EHLO here.example' "$work/offer" || wrong '--practice: no command in the output'
    grep -q 'C: AUTH PLAIN <hidden>' "$work/offer" || wrong '--practice: the login is not in the output'
    grep -q 'AGthbm' "$work/offer" && wrong '--practice: the password is in the output'
    grep -qF 'C: NOOP \x1b]0;title\x07 \u{202E} \x00 xxx' "$work/offer" ||
        wrong "--practice: $(grep NOOP "$work/offer" | cut -c1-100)"
    awk 'length > 500 { exit 1 }' "$work/offer" || wrong '--practice: a line that is too long'
    grep -q 'Closed by the server' "$work/offer" || wrong '--practice: the end is not told'
fi
offer --scenario submissions-465 --quiet
grep -q 'as mail.example.org:465 (TLS from the first byte) on ' "$work/offer" ||
    wrong "--practice: $(cat "$work/offer")"
gone HUP 129
[ "$(wc -l <"$work/offer")" -eq 1 ] || wrong '--practice --quiet: more than one line'

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
        is_json "SIG$signal" "$work/out"
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
