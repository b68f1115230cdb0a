#!/bin/sh
# What is installed: the program finds its files wherever they were put, and its manual pages, completions
# and --help name the same options.
# install.sh CMAKE BUILD-DIRECTORY SOURCE-DIRECTORY
set -u
cmake=$1
build=$2
source=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

wrong()
{
    echo "WRONG: $*"
    failed=$((failed + 1))
}

# Into one folder, and then moved: no path of this machine may be needed.
"$cmake" --install "$build" --prefix "$work/before" >"$work/log" 2>&1 || {
    cat "$work/log"
    echo "cmake --install failed."
    exit 1
}
prefix=$work/after
mv "$work/before" "$prefix"
program=$prefix/bin/smtpscope
share=$prefix/share

# run ARGUMENTS: from the root folder, in an empty environment. Output in $work/out, exit code in $code.
run()
{
    (cd / && env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$program" "$@" </dev/null >"$work/out" 2>"$work/err")
    code=$?
}

# expect CODE ARGUMENTS
expect()
{
    want=$1
    shift
    run "$@"
    [ "$code" -eq "$want" ] || wrong "smtpscope $*: exit code $code instead of $want: $(head -3 "$work/err")"
}

echo "files"
for file in smtpscope/guide/en.txt smtpscope/guide/en-replies.txt smtpscope/report.schema.json man/man1/smtpscope.1 \
    man/man7/smtpscope-scenarios.7 bash-completion/completions/smtpscope zsh/site-functions/_smtpscope \
    fish/vendor_completions.d/smtpscope.fish; do
    [ -s "$share/$file" ] || wrong "share/$file is not installed"
done
for scenario in "$source"/assets/scenarios/*.txt; do
    cmp -s "$scenario" "$share/smtpscope/scenarios/${scenario##*/}" || wrong "${scenario##*/} is not installed"
done
[ -x "$program" ] || wrong 'bin/smtpscope is not installed'
[ -z "$(find "$prefix" -type l)" ] || wrong "links: $(find "$prefix" -type l)"
[ -z "$(find "$prefix" -type f -perm /022)" ] || wrong 'files that others may write'
grep -rqF -e "$source" -e "$build" "$share" && wrong 'a path of the build machine is in an installed text'

echo "the program, from another folder"
expect 0 --version
[ "$(head -1 "$work/out" | cut -d' ' -f1)" = smtpscope ] || wrong "--version: $(head -1 "$work/out")"
expect 0 --help
cp "$work/out" "$work/help"
expect 0 --list-scenarios
installed=$(find "$share/smtpscope/scenarios" -name '*.txt' | wc -l)
[ "$(grep -vc '^#' "$work/out")" -eq "$installed" ] || wrong '--list-scenarios: not what is installed'
expect 0 --check --demo=healthy
expect 1 --check --demo=ptr-missing
expect 2 --check --demo=starttls-454
expect 64 --no-such-option

echo "a translation that is installed beside it"
pseudo=$build/pseudo
if [ -s "$pseudo/locale/qps/LC_MESSAGES/smtpscope.mo" ]; then
    mkdir -p "$share/locale/qps/LC_MESSAGES"
    cp "$pseudo/locale/qps/LC_MESSAGES/smtpscope.mo" "$share/locale/qps/LC_MESSAGES/"
    cp "$pseudo"/guide/qps*.txt "$share/smtpscope/guide/"
    expect 2 --check --lang qps --demo=starttls-454
    grep -qF '[Ţĥé šéŕvéŕ öfféŕš ŠŢÅŔŢŢĻŠ' "$work/out" || wrong 'the installed guide is not read'
    grep -qF '[Çöññéçţéđ fŕöm' "$work/out" || wrong 'the installed sentences are not read'
    expect 0 --help --lang qps
    grep -qF '[Ûšåğé:' "$work/out" || wrong '--help is not translated'
else
    echo "SKIP: the pseudo-language needs xgettext, msgfmt and python3 at build time"
fi

echo "manual pages"
for page in "$share"/man/man?/*; do
    if command -v groff >/dev/null 2>&1; then
        said=$(LC_ALL=C.UTF-8 groff -ww -man -Tutf8 "$page" 2>&1 >/dev/null)
        [ -z "$said" ] || wrong "groff: $said"
    else
        echo "SKIP: groff is not installed, so manual pages are not formatted"
    fi
    if command -v mandoc >/dev/null 2>&1; then
        said=$(LC_ALL=C.UTF-8 mandoc -Tlint "$page" 2>&1)
        [ -z "$said" ] || wrong "mandoc: $said"
    fi
done

echo "the same options everywhere"
sed -n 's/^  \(-., \)\{0,1\}--\([a-z0-9-]*\).*/\2/p' "$work/help" | sort >"$work/options"
[ "$(wc -l <"$work/options")" -gt 30 ] || wrong '--help: hardly an option'
bash_file=$share/bash-completion/completions/smtpscope
sed -n 's/^\.B \(\\-.*, \)\{0,1\}\\-\\-//p' "$share/man/man1/smtpscope.1" |
    sed 's/\\-/-/g; s/[^a-z0-9-].*//' | sort >"$work/man"
sed -n "s/^ *-\*) COMPREPLY=.*-W '\([^']*\)'.*/\1/p" "$bash_file" | tr ' ' '\n' |
    sed -n 's/^--//p' | sort >"$work/bash"
sed -n "s/^ *'--\([a-z0-9-]*\).*/\1/p" "$share/zsh/site-functions/_smtpscope" | sort >"$work/zsh"
sed -n 's/.* -l \([a-z0-9-]*\).*/\1/p' "$share/fish/vendor_completions.d/smtpscope.fish" | sort >"$work/fish"
for place in man bash zsh fish; do
    cmp -s "$work/options" "$work/$place" ||
        wrong "$place and --help name different options: $(diff "$work/options" "$work/$place")"
done
sed -n 's/^  -\(.\), --.*/\1/p' "$work/help" | sort >"$work/letters"
sed -n 's/^\.B \\-\(.\), .*/\1/p' "$share/man/man1/smtpscope.1" | sort >"$work/man"
sed -n "s/^ *'-\([^-]\)\[.*/\1/p" "$share/zsh/site-functions/_smtpscope" | sort >"$work/zsh"
sed -n 's/.* -s \(.\) .*/\1/p' "$share/fish/vendor_completions.d/smtpscope.fish" | sort >"$work/fish"
for place in man zsh fish; do
    cmp -s "$work/letters" "$work/$place" ||
        wrong "$place and --help name different letters: $(diff "$work/letters" "$work/$place")"
done

echo "completions"
# complete WORDS: what bash would offer for the last of them.
complete_words()
{
    PATH=$prefix/bin:$PATH bash -c '
. "$1"
shift
COMP_WORDS=(smtpscope "$@")
COMP_CWORD=$#
_smtpscope
echo "${COMPREPLY[*]}"
' bash "$bash_file" "$@"
}
if command -v bash >/dev/null 2>&1; then
    [ "$(complete_words --te)" = --tee ] || wrong "bash, --te: $(complete_words --te)"
    [ "$(complete_words --tls imp)" = implicit ] || wrong "bash, --tls imp: $(complete_words --tls imp)"
    [ "$(complete_words --tls = imp)" = implicit ] || wrong "bash, --tls=imp: $(complete_words --tls = imp)"
    [ "$(complete_words --demo = helo-o)" = helo-only ] || wrong "bash, --demo=helo-o: $(complete_words --demo = helo-o)"
fi
command -v zsh >/dev/null 2>&1 && { zsh -n "$share/zsh/site-functions/_smtpscope" || wrong 'zsh'; }
command -v fish >/dev/null 2>&1 && { fish -n "$share/fish/vendor_completions.d/smtpscope.fish" || wrong 'fish'; }

[ $failed -eq 0 ] || {
    echo "$failed things are wrong."
    exit 1
}
echo "All is well."
