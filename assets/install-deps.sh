#!/bin/sh
# Installs what is missing, and nothing else. Says what it installs, and with which command, before it does.
#
#   sh assets/install-deps.sh build   what the program needs to be built and to run
#   sh assets/install-deps.sh test    what the tests need besides
#   sh assets/install-deps.sh lab     the real servers of the lab tests (Linux with root only)
#
# apt, dnf, pacman, apk, zypper and brew are known. Elsewhere it names what has to be there.
set -u
group=${1:-build}

have() { command -v "$1" >/dev/null 2>&1 || command -v "/usr/sbin/$1" >/dev/null 2>&1; }
lib() { pkg-config --exists "$1" 2>/dev/null; }
python_has() {
    python3 -c "import $1" >/dev/null 2>&1 || /usr/bin/python3 -c "import $1" >/dev/null 2>&1
}
fuzzer_links() {
    have clang || return 1
    echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null
}

# One line a need: group|test|apt|dnf|pacman|apk|zypper|brew. "-": not to be had there, or not needed.
needs() {
    cat <<'TABLE'
build|have cc|gcc libc6-dev|gcc|gcc|gcc musl-dev|gcc|-
build|have cmake|cmake|cmake|cmake|cmake|cmake|cmake
build|have make|make|make|make|make|make|-
build|have pkg-config|pkg-config|pkgconf-pkg-config|pkgconf|pkgconf|pkg-config|pkgconf
build|lib ncursesw|libncurses-dev|ncurses-devel|ncurses|ncurses-dev|ncurses-devel|ncurses
build|lib openssl|libssl-dev|openssl-devel|openssl|openssl-dev|libopenssl-devel|openssl@3
build|lib libidn2|libidn2-dev|libidn2-devel|libidn2|libidn2-dev|libidn2-devel|libidn2
build|lib jansson|libjansson-dev|jansson-devel|jansson|jansson-dev|libjansson-devel|jansson
build|have msgfmt|gettext|gettext|gettext|gettext gettext-dev|gettext-tools|gettext
test|lib cmocka|libcmocka-dev|libcmocka-devel|cmocka|cmocka-dev|libcmocka-devel|cmocka
test|lib vterm|libvterm-dev|libvterm-devel|libvterm|libvterm-dev|libvterm-devel|libvterm
test|have clang|clang|clang compiler-rt|clang|clang compiler-rt|clang|-
test|fuzzer_links|libclang-rt-dev|compiler-rt|compiler-rt|compiler-rt|-|-
test|have python3|python3|python3|python|python3|python3|python
test|python_has jsonschema|python3-jsonschema|python3-jsonschema|python-jsonschema|py3-jsonschema|python3-jsonschema|-
test|have tmux|tmux|tmux|tmux|tmux|tmux|tmux
test|have strace|strace|strace|strace|strace|strace|-
test|have groff|groff|groff|groff|groff|groff|groff
test|have xgettext|gettext|gettext|gettext|gettext|gettext-tools|gettext
test|have swaks|swaks libnet-ssleay-perl libauthen-sasl-perl|swaks|swaks|swaks|swaks|swaks
lab|have ip|iproute2|iproute|iproute2|iproute2|iproute2|-
lab|have postfix|postfix|postfix|postfix|postfix|postfix|-
lab|have dovecot|dovecot-core|dovecot|dovecot|dovecot|dovecot23|-
lab|test -e /usr/lib/dovecot/lmtp -o -e /usr/libexec/dovecot/lmtp|dovecot-lmtpd|dovecot|dovecot|dovecot-lmtpd|dovecot23|-
lab|have nsd|nsd|nsd|nsd|nsd|nsd|-
lab|have unbound|unbound|unbound|unbound|unbound|unbound|-
lab|have openssl|openssl|openssl|openssl|openssl|openssl|-
lab|have swaks|swaks libnet-ssleay-perl libauthen-sasl-perl|swaks|swaks|swaks|swaks|-
TABLE
}

if have apt-get; then column=3 manager=apt
elif have dnf; then column=4 manager=dnf
elif have pacman; then column=5 manager=pacman
elif have apk; then column=6 manager=apk
elif have zypper; then column=7 manager=zypper
elif have brew; then column=8 manager=brew
else column=0 manager=none
fi

# Another mail server on this machine keeps its place: Debian's Postfix would remove it.
other_mta() {
    [ "$manager" = apt ] || return 1
    dpkg-query -W -f '${Status} ${Package} ${Provides}\n' 2>/dev/null |
        grep '^install ok installed' | grep 'mail-transport-agent' | grep -qv ' postfix '
}

missing='' unnamed=''
while IFS= read -r row; do
    [ "$(echo "$row" | cut -d'|' -f1)" = "$group" ] || continue
    probe=$(echo "$row" | cut -d'|' -f2)
    $probe && continue
    names=-
    [ $column -gt 0 ] && names=$(echo "$row" | cut -d'|' -f$column)
    if [ "$names" = - ]; then
        unnamed="$unnamed ${probe##* }"
    elif [ "$names" = postfix ] && other_mta; then
        echo "Another mail server is installed here, so Postfix is not: the lab tests will be skipped."
    else
        missing="$missing $names"
    fi
done <<END
$(needs)
END

[ -n "$unnamed" ] && echo "Missing, and not known to $manager:$unnamed" >&2
[ -n "$missing" ] || exit 0

sudo=''
if [ "$(id -u)" != 0 ] && [ $manager != brew ]; then
    have sudo || { echo "Missing:$missing. Root is needed to install them, and there is no sudo." >&2; exit 1; }
    sudo=sudo
fi
echo "Installing for $group with $manager:$missing"

install_apt() {
    # Packages of the lab bring services along. None may start here, now or at the next boot.
    policy=/usr/sbin/policy-rc.d made=''
    if [ "$group" = lab ]; then
        if [ ! -e $policy ]; then
            printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null && $sudo chmod 755 $policy && made=yes
        fi
        echo 'postfix postfix/main_mailer_type select No configuration' | $sudo debconf-set-selections 2>/dev/null
    fi
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null 2>&1
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    rc=$?
    if [ "$group" = lab ]; then
        [ -n "$made" ] && $sudo rm -f $policy
        if [ -d /run/systemd/system ]; then
            for unit in postfix dovecot nsd unbound; do
                case " $missing " in *" $unit"*) $sudo systemctl disable --now $unit >/dev/null 2>&1 ;; esac
            done
        fi
    fi
    return $rc
}

# shellcheck disable=SC2086
case $manager in
apt) install_apt ;;
dnf) $sudo dnf install -y $missing ;;
pacman) $sudo pacman -S --needed --noconfirm $missing ;;
apk) $sudo apk add $missing ;;
zypper) $sudo zypper --non-interactive install $missing ;;
brew) brew install $missing ;;
*) echo "No package manager is known here. Please install:$missing$unnamed" >&2; exit 1 ;;
esac
