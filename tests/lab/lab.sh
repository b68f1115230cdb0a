#!/bin/sh
# The lab: a real Postfix, Dovecot (SASL), NSD and Unbound in two network namespaces that this script makes
# itself. Nothing can leave the machine: the namespaces have no way out.
#
#   lab.sh up DIR          start it, state and logs in DIR
#   lab.sh exec DIR CMD..  run a command as a client in it
#   lab.sh serve DIR CMD.. run a command on the server's side of it
#   lab.sh down DIR        stop it
#   lab.sh check           can it run here? prints the reason when not, exit 77
#
# The client is 198.51.100.10 and 2001:db8:51::10; the servers are 192.0.2.25 and up, NSD 192.0.2.54, Unbound
# 192.0.2.53.
set -u
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
cmd=${1:-}
dir=${2:-}

fail() { echo "lab: $*" >&2; exit 1; }
skip() { echo "SKIP: $*"; exit 77; }

check() {
    [ "$(uname -s)" = Linux ] || skip "the lab needs Linux network namespaces"
    [ "$(id -u)" = 0 ] || skip "the lab needs root to make network namespaces"
    for tool in ip nsd unbound dovecot postfix openssl; do
        command -v "$tool" >/dev/null 2>&1 || skip "the lab needs $tool, which is not installed"
    done
    probe=scopeprobe$$
    ip netns add $probe 2>/dev/null || skip "network namespaces are not allowed here"
    ip netns exec $probe true 2>/dev/null
    rc=$?
    ip netns del $probe
    [ $rc = 0 ] || skip "commands cannot be run in network namespaces here"
}

names() { client=$(cat "$dir/client"); server=$(cat "$dir/server"); }

make_network() {
    client=scopec$$ server=scopes$$
    echo $client >"$dir/client"
    echo $server >"$dir/server"
    ip netns add $client && ip netns add $server || fail "no namespaces"
    ip link add sc$$ netns $client type veth peer name ss$$ netns $server || fail "no veth pair"
    for ns in $client $server; do ip -n $ns link set lo up; done
    ip -n $client addr add 198.51.100.10/24 dev sc$$
    ip -n $client -6 addr add 2001:db8:51::10/64 dev sc$$ nodad
    ip -n $server addr add 198.51.100.1/24 dev ss$$
    ip -n $server -6 addr add 2001:db8:51::1/64 dev ss$$ nodad
    for last in 25 26 27 28 29 30 53 54; do
        ip -n $server addr add 192.0.2.$last/32 dev lo
        ip -n $server -6 addr add 2001:db8::$last/128 dev lo
    done
    ip -n $client link set sc$$ up
    ip -n $server link set ss$$ up
    ip -n $client route add default via 198.51.100.1
    ip -n $client -6 route add default via 2001:db8:51::1
    for ns in $client $server; do
        mkdir -p /etc/netns/$ns
        printf 'nameserver 192.0.2.53\noptions timeout:1 attempts:1\n' >/etc/netns/$ns/resolv.conf
        printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/netns/$ns/hosts
    done
}

# leaf NAME SUBJECT-NAMES NOT-BEFORE NOT-AFTER
leaf() {
    openssl req -newkey rsa:2048 -nodes -keyout "$dir/tls/$1.key" -out "$dir/tls/$1.csr" -subj "/CN=$1" 2>/dev/null
    printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' "$2" >"$dir/tls/$1.ext"
    openssl ca -batch -notext -config "$dir/tls/ca.cnf" -in "$dir/tls/$1.csr" -out "$dir/tls/$1.crt" \
        -extfile "$dir/tls/$1.ext" -startdate "$3" -enddate "$4" 2>>"$dir/tls/log" || fail "certificate $1: see $dir/tls/log"
    chmod 644 "$dir/tls/$1.key"
}

make_certificates() {
    mkdir -p "$dir/tls/new"
    : >"$dir/tls/index.txt"
    echo 1000 >"$dir/tls/serial"
    sed "s|@DIR@|$dir|g" "$here/conf/ca.cnf" >"$dir/tls/ca.cnf"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/tls/ca.key" -out "$dir/tls/ca.crt" -days 3650 \
        -subj "/CN=Lab CA" 2>/dev/null
    soon=$(date -u -d '+300 days' +%Y%m%d%H%M%SZ) past=$(date -u -d '-400 days' +%Y%m%d%H%M%SZ)
    gone=$(date -u -d '-30 days' +%Y%m%d%H%M%SZ) now=$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)
    leaf good DNS:mx.lab.test,DNS:submit.lab.test,DNS:mx.open.test "$now" "$soon"
    leaf expired DNS:mx.expired.test "$past" "$gone"
    leaf other DNS:somebody.else.test "$now" "$soon"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/tls/self.key" -out "$dir/tls/self.crt" -days 300 \
        -subj "/CN=mx.self.test" -addext subjectAltName=DNS:mx.self.test 2>/dev/null
    chmod 644 "$dir/tls/self.key"
}

# start NAME CMD...: in the server's namespace, its pid kept so that exactly it is stopped.
start() {
    what=$1
    shift
    ( ip netns exec "$server" setsid "$@" >"$dir/log/$what.out" 2>&1 & echo $! >"$dir/$what.pid" )
}

fill() { sed "s|@DIR@|$dir|g" "$1" >"$2"; }

make_dns() {
    mkdir -p "$dir/dns"
    cp "$here"/conf/*.zone "$dir/dns/"
    fill "$here/conf/nsd.conf" "$dir/dns/nsd.conf"
    fill "$here/conf/unbound.conf" "$dir/dns/unbound.conf"
    start nsd nsd -d -c "$dir/dns/nsd.conf"
    start unbound unbound -d -c "$dir/dns/unbound.conf"
}

make_dovecot() {
    mkdir -p "$dir/dovecot"
    fill "$here/conf/dovecot.conf" "$dir/dovecot/dovecot.conf"
    # LMTP is a package of its own in some distributions.
    if [ -e /usr/lib/dovecot/lmtp ] || [ -e /usr/libexec/dovecot/lmtp ]; then
        fill "$here/conf/dovecot-lmtp.conf" "$dir/dovecot/lmtp.conf"
        echo "!include $dir/dovecot/lmtp.conf" >>"$dir/dovecot/dovecot.conf"
        touch "$dir/lmtp"
    fi
    cp "$here/conf/users" "$dir/dovecot/users"
    start dovecot dovecot -F -c "$dir/dovecot/dovecot.conf"
}

make_postfix() {
    mkdir -p "$dir/postfix/etc" "$dir/postfix/queue" "$dir/postfix/data" "$dir/mail"
    chown postfix "$dir/postfix/data"
    chmod 777 "$dir/mail"
    fill "$here/conf/main.cf" "$dir/postfix/etc/main.cf"
    fill "$here/conf/master.cf" "$dir/postfix/etc/master.cf"
    ip netns exec "$server" postfix -c "$dir/postfix/etc" start >"$dir/log/postfix.out" 2>&1 ||
        fail "Postfix does not start: $(cat "$dir/log/postfix.out")"
}

# Waits until a TCP port answers, at most 20 s.
wait_for() {
    n=0
    until ip netns exec "$client" sh -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null ||
          ip netns exec "$client" python3 -c "import socket; socket.create_connection(('$1', $2), 1)" 2>/dev/null; do
        n=$((n + 1))
        [ $n -lt 100 ] || fail "nothing answers on $1 port $2; logs are in $dir/log"
        sleep 0.2
    done
}

up() {
    check
    mkdir -p "$dir/log" "$dir/tls"
    chmod 755 "$dir" "$dir/log"
    make_network
    make_certificates
    make_dns
    make_dovecot
    make_postfix
    wait_for 192.0.2.54 53
    wait_for 192.0.2.53 53
    wait_for 192.0.2.25 25
    wait_for 192.0.2.25 587
    wait_for 2001:db8::25 465
}

down() {
    [ -f "$dir/server" ] || return 0
    names
    ip netns exec "$server" postfix -c "$dir/postfix/etc" stop >/dev/null 2>&1
    for what in nsd unbound dovecot; do
        [ -f "$dir/$what.pid" ] && kill "$(cat "$dir/$what.pid")" 2>/dev/null
    done
    for ns in "$client" "$server"; do
        for pid in $(ip netns pids "$ns" 2>/dev/null); do kill "$pid" 2>/dev/null; done
    done
    sleep 0.3
    for ns in "$client" "$server"; do
        for pid in $(ip netns pids "$ns" 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
        ip netns del "$ns" 2>/dev/null
        rm -rf "/etc/netns/$ns"
    done
    rm -f "$dir/client" "$dir/server"
}

case $cmd in
check) check ;;
up) up ;;
down) down ;;
exec) names; shift 2; exec ip netns exec "$client" "$@" ;;
serve) names; shift 2; exec ip netns exec "$server" "$@" ;;
*) sed -n '2,13p' "$0"; exit 64 ;;
esac
