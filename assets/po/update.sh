#!/bin/sh
# Collects the sentences of the program into smtpscope.pot, and brings every translation up to date with it.
#   sh assets/po/update.sh           writes smtpscope.pot and the .po files beside it
#   sh assets/po/update.sh FILE      writes the collection to FILE and touches nothing else
#   sh assets/po/update.sh --check   fails when other sentences are in smtpscope.pot than in the sources
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

collect() { # collect FILE
    new=$1.new
    trap 'rm -f "$new"' EXIT
    (cd "$root" && find src/ ui/ -name '*.[ch]' | LC_ALL=C sort |
        xgettext --files-from=- --language=C --from-code=UTF-8 --output=- \
            --keyword --keyword=_ --keyword=N_ --keyword=Q_:1,2 \
            --flag=_:1:pass-c-format --flag=N_:1:pass-c-format \
            --flag=Q_:1:pass-c-format --flag=Q_:2:pass-c-format \
            --flag=error_set:4:c-format --flag=check_note:2:c-format \
            --add-comments=TRANSLATORS: --add-location=file \
            --package-name=smtpscope --copyright-holder='the smtpscope authors') >"$new"
    # The date would change the file on every run; without any accent xgettext leaves the charset open.
    sed -e '/^"POT-Creation-Date:/d' -e 's/charset=CHARSET/charset=UTF-8/' "$new" >"$1"
}

# Without where a sentence stands: to move a function is no reason to translate anew.
sentences() { # sentences FILE
    msgcat --no-location --sort-output "$1"
}

case ${1:-} in
--check)
    fresh=$(mktemp)
    collect "$fresh"
    sentences "$fresh" >"$fresh.sorted"
    if ! sentences "$here/smtpscope.pot" | diff - "$fresh.sorted" >"$fresh"; then
        head -n 40 "$fresh"
        rm -f "$fresh" "$fresh.sorted"
        echo "assets/po/smtpscope.pot is out of date: run sh assets/po/update.sh" >&2
        exit 1
    fi
    rm -f "$fresh" "$fresh.sorted"
    ;;
'')
    collect "$here/smtpscope.pot"
    for po in "$here"/*.po; do
        if [ -e "$po" ]; then
            msgmerge --quiet --update --backup=none --add-location=file "$po" "$here/smtpscope.pot"
        fi
    done
    ;;
-*)
    echo "usage: update.sh [FILE | --check]" >&2
    exit 64
    ;;
*)
    collect "$1"
    ;;
esac
