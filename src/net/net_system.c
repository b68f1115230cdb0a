#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sysfiles.h"
#include "text.h"

/* net_wait passes at most 256, and the token takes one more. */
#define POLL_MAX 257
/* Datagrams without content, or errors in the queue, that one read steps over. */
#define SKIP_MAX 64
/* Of one call of getentropy (POSIX.1-2024). */
#define ENTROPY_MAX 256

struct system_conn {
    struct net_conn base;
    int fd;
    bool datagram;
};

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct errno_status {
    int sys;
    enum status status;
};

static const struct errno_status errno_table[] = {
    {ECONNREFUSED, ST_REFUSED},
    {ECONNRESET, ST_RESET},
    {ECONNABORTED, ST_RESET},
    {EPIPE, ST_RESET},
    {ETIMEDOUT, ST_TIMEOUT},
    {ENETUNREACH, ST_UNREACHABLE},
    {EHOSTUNREACH, ST_UNREACHABLE},
    {ENETDOWN, ST_UNREACHABLE},
    {EHOSTDOWN, ST_UNREACHABLE},
    {EADDRNOTAVAIL, ST_UNREACHABLE}, /* no source address of this family */
    {EAFNOSUPPORT, ST_UNREACHABLE},  /* for example a kernel without IPv6 */
    {ENOPROTOOPT, ST_UNREACHABLE},   /* ICMP protocol unreachable */
    {EPERM, ST_DENIED},              /* the local packet filter */
    {EACCES, ST_DENIED},             /* ICMPv6 administratively prohibited, or the local system */
    {EMFILE, ST_LIMIT},
    {ENFILE, ST_LIMIT},
    {ENOBUFS, ST_NOMEM},
    {ENOMEM, ST_NOMEM},
};

static enum status status_of_errno(int sys)
{
    for (size_t i = 0; i < ARRAY_LEN(errno_table); i++) {
        if (errno_table[i].sys == sys) {
            return errno_table[i].status;
        }
    }
    return ST_IO;
}

static socklen_t to_socket_address(const struct net_address *a, union socket_address *out)
{
    memset(out, 0, sizeof(*out));
    if (a->family == 4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(a->port);
        memcpy(&out->v4.sin_addr, a->bytes, 4);
        return sizeof(out->v4);
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(a->port);
    out->v6.sin6_scope_id = a->scope;
    memcpy(&out->v6.sin6_addr, a->bytes, 16);
    return sizeof(out->v6);
}

static void from_socket_address(const union socket_address *a, struct net_address *out)
{
    memset(out, 0, sizeof(*out));
    if (a->any.sa_family == AF_INET) {
        out->family = 4;
        out->port = ntohs(a->v4.sin_port);
        memcpy(out->bytes, &a->v4.sin_addr, 4);
    } else if (a->any.sa_family == AF_INET6) {
        out->family = 6;
        out->port = ntohs(a->v6.sin6_port);
        out->scope = a->v6.sin6_scope_id;
        memcpy(out->bytes, &a->v6.sin6_addr, 16);
    }
}

static bool read_local_address(int fd, struct net_address *out)
{
    union socket_address a;
    socklen_t len = sizeof(a);
    memset(&a, 0, sizeof(a));
    if (getsockname(fd, &a.any, &len) != 0) {
        return false;
    }
    from_socket_address(&a, out);
    return true;
}

/* With the option that reports them, errors from routers wait in a queue of their own, and poll
   says "error" until it is empty. */
static void drop_error_queue(int fd)
{
#ifdef MSG_ERRQUEUE
    char byte;
    for (int i = 0; i < SKIP_MAX; i++) {
        if (recv(fd, &byte, 1, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            return;
        }
    }
#else
    (void)fd;
#endif
}

static enum status conn_fail(struct system_conn *s, int sys)
{
    if (s->datagram) {
        drop_error_queue(s->fd);
    }
    if (sys == EAGAIN || sys == EWOULDBLOCK) {
        return ST_AGAIN;
    }
    s->base.sys = sys;
    return status_of_errno(sys);
}

static void set_flag(int fd, int level, int option)
{
    int on = 1;
    /* Best effort: none of our options is needed to work. */
    (void)setsockopt(fd, level, option, &on, sizeof(on));
}

/*
 * A server that sends little pieces (session tickets, then the reply to EHLO) holds the second one
 * until the first is acknowledged (Nagle), and the system would keep that back for 40 ms. The wish
 * does not last, so it is told with every read.
 */
static void acknowledge(int fd)
{
#ifdef TCP_QUICKACK
    set_flag(fd, IPPROTO_TCP, TCP_QUICKACK);
#else
    (void)fd;
#endif
}

static enum status conn_read(struct net_conn *c, void *p, size_t len, size_t *got)
{
    struct system_conn *s = (struct system_conn *)c;
    *got = 0;
    for (int i = 0; i < SKIP_MAX; i++) {
        /* MSG_TRUNC makes a datagram tell its real size; on a stream it would throw bytes away. */
        ssize_t n = recv(s->fd, p, len, s->datagram ? MSG_TRUNC : 0);
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return conn_fail(s, errno);
        }
        if (s->datagram && n == 0) {
            continue;
        }
        if (n == 0) {
            return ST_EOF;
        }
        if (!s->datagram) {
            acknowledge(s->fd);
        }
        *got = (size_t)n < len ? (size_t)n : len;
        return (size_t)n > len ? ST_LIMIT : ST_OK;
    }
    return ST_AGAIN;
}

static enum status conn_write(struct net_conn *c, const void *p, size_t len, size_t *put)
{
    struct system_conn *s = (struct system_conn *)c;
    *put = 0;
    ssize_t n;
    do {
        n = send(s->fd, p, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return conn_fail(s, errno);
    }
    *put = (size_t)n;
    return ST_OK;
}

static void conn_shut_write(struct net_conn *c)
{
    struct system_conn *s = (struct system_conn *)c;
    if (!s->datagram) {
        (void)shutdown(s->fd, SHUT_WR);
    }
}

static void conn_close(struct net_conn *c)
{
    struct system_conn *s = (struct system_conn *)c;
    close(s->fd);
    free(s);
}

static const struct net_conn_ops conn_ops = {
    .read = conn_read,
    .write = conn_write,
    .shut_write = conn_shut_write,
    .close = conn_close,
};

static void set_options(int fd, uint8_t family, bool datagram)
{
    if (!datagram) {
        /* Commands are small and are answered one by one: waiting to fill a segment costs a round
           trip. */
        set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
        return;
    }
    /* Otherwise the system keeps "host unreachable" for itself, and we would wait for nothing. */
#ifdef IP_RECVERR
    if (family == 4) {
        set_flag(fd, IPPROTO_IP, IP_RECVERR);
    }
#endif
#ifdef IPV6_RECVERR
    if (family == 6) {
        set_flag(fd, IPPROTO_IPV6, IPV6_RECVERR);
    }
#endif
    (void)family;
}

static enum status open_conn(const struct net_address *to, const struct net_address *from,
                             bool datagram, struct net_conn **out, int *sys)
{
    *out = NULL;
    *sys = 0;
    if ((to->family != 4 && to->family != 6) ||
        (from != NULL && from->family != 0 && from->family != to->family)) {
        *sys = EINVAL;
        return ST_INVALID;
    }
    struct system_conn *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        *sys = ENOMEM;
        return ST_NOMEM;
    }
    enum status st;
    int type = datagram ? SOCK_DGRAM : SOCK_STREAM;
    s->base.ops = &conn_ops;
    s->base.peer = *to;
    s->datagram = datagram;
    s->fd = socket(to->family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) {
        *sys = errno;
        st = status_of_errno(*sys);
        goto fail;
    }
    set_options(s->fd, to->family, datagram);
    union socket_address a;
    if (from != NULL && from->family != 0) {
        socklen_t len = to_socket_address(from, &a);
        if (bind(s->fd, &a.any, len) != 0) {
            *sys = errno;
            /* A source address that is not ours is a mistake in the input, not a dead network. */
            st = *sys == EADDRNOTAVAIL ? ST_INVALID : status_of_errno(*sys);
            goto fail;
        }
    }
    socklen_t len = to_socket_address(to, &a);
    if (connect(s->fd, &a.any, len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        *sys = errno;
        st = status_of_errno(*sys);
        goto fail;
    }
    (void)read_local_address(s->fd, &s->base.local);
    *out = &s->base;
    return ST_OK;
fail:
    if (s->fd >= 0) {
        close(s->fd);
    }
    free(s);
    return st;
}

static enum status system_connect(struct network *n, const struct net_address *to,
                                  const struct net_address *from, struct net_conn **out, int *sys)
{
    (void)n;
    return open_conn(to, from, false, out, sys);
}

static enum status system_datagram(struct network *n, const struct net_address *to,
                                   const struct net_address *from, struct net_conn **out, int *sys)
{
    (void)n;
    return open_conn(to, from, true, out, sys);
}

static bool is_hung_up(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

static enum status system_connect_result(struct network *n, struct net_conn *c)
{
    (void)n;
    struct system_conn *s = (struct system_conn *)c;
    int sys = 0;
    socklen_t len = sizeof(sys);
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &sys, &len) != 0) {
        sys = errno;
    }
    if (sys == 0) {
        union socket_address a;
        len = sizeof(a);
        if (getpeername(s->fd, &a.any, &len) != 0) {
            sys = errno;
            if (sys == ENOTCONN && !is_hung_up(s->fd)) {
                return ST_AGAIN; /* asked too early */
            }
        }
    }
    (void)read_local_address(s->fd, &c->local);
    if (sys == 0 && c->local.port == c->peer.port && net_address_same_host(&c->local, &c->peer)) {
        /* On one machine, TCP can connect a socket to itself when the port that nobody listens on
           is picked as its source. */
        sys = ECONNREFUSED;
    }
    c->sys = sys;
    return sys == 0 ? ST_OK : status_of_errno(sys);
}

static void poll_prepare(struct pollfd *fds, const struct net_wait_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct system_conn *s = (const struct system_conn *)items[i].conn;
        fds[i].fd = s != NULL ? s->fd : -1;
        fds[i].events = (short)(((items[i].want & NET_READ) != 0 ? POLLIN : 0) |
                                ((items[i].want & NET_WRITE) != 0 ? POLLOUT : 0));
        fds[i].revents = 0;
    }
}

static bool poll_collect(const struct pollfd *fds, struct net_wait_item *items, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        unsigned ready = 0;
        if ((fds[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
            /* The next read or write tells what it was. */
            ready = items[i].want;
        }
        if ((fds[i].revents & POLLIN) != 0) {
            ready |= NET_READ;
        }
        if ((fds[i].revents & POLLOUT) != 0) {
            ready |= NET_WRITE;
        }
        items[i].ready = ready & items[i].want;
        any = any || items[i].ready != 0;
    }
    return any;
}

static enum status system_wait(struct network *n, struct net_wait_item *items, size_t count,
                               int64_t deadline_us, struct cancel *cancel, bool until_wake)
{
    (void)n;
    struct pollfd fds[POLL_MAX];
    if (count >= POLL_MAX) {
        return ST_LIMIT;
    }
    for (;;) {
        /* The descriptor is not emptied then: until the engine has taken note, everything that
           waits has to return. */
        if (cancel != NULL && cancel_level(cancel) != CANCEL_NONE) {
            return ST_CANCELLED;
        }
        poll_prepare(fds, items, count);
        fds[count].fd = cancel != NULL ? cancel->wake.rd : -1;
        fds[count].events = POLLIN;
        fds[count].revents = 0;
        int rc = poll(fds, (nfds_t)count + 1, deadline_poll_ms(deadline_us, clock_monotonic_us()));
        if (rc < 0) {
            if (errno == EINTR) {
                continue;
            }
            return status_of_errno(errno);
        }
        if ((fds[count].revents & POLLIN) != 0) {
            if (cancel_level(cancel) != CANCEL_NONE) {
                return ST_CANCELLED;
            }
            wake_drain(&cancel->wake);
            if (cancel_level(cancel) != CANCEL_NONE) {
                return ST_CANCELLED;
            }
            if (until_wake) {
                return ST_AGAIN;
            }
        }
        if (poll_collect(fds, items, count)) {
            return ST_OK;
        }
        if (deadline_us != NO_DEADLINE && clock_monotonic_us() >= deadline_us) {
            return ST_TIMEOUT;
        }
    }
}

static int64_t system_now_us(struct network *n)
{
    (void)n;
    return clock_monotonic_us();
}

static int64_t system_wall_us(struct network *n)
{
    (void)n;
    return clock_wall_us();
}

static void system_random(struct network *n, void *p, size_t len)
{
    (void)n;
    char *rest = p;
    /* From the kernel: seeding a generator of OpenSSL's own costs more than a whole check without TLS. */
    while (len > 0) {
        size_t piece = len < ENTROPY_MAX ? len : ENTROPY_MAX;
        if (getentropy(rest, piece) != 0) {
            /* Going on with bytes that can be guessed would let anybody forge DNS answers. */
            abort();
        }
        rest += piece;
        len -= piece;
    }
}

static size_t system_resolvers(struct network *n, struct net_address *out, size_t max)
{
    (void)n;
    struct buf text;
    buf_init(&text, SYSFILES_READ_MAX);
    sysfiles_read(&text, "/etc/resolv.conf");
    size_t count = sysfiles_resolvers(buf_str(&text), text.len, out, max);
    buf_free(&text);
    return count;
}

static size_t system_hosts_file(struct network *n, const char *name, struct net_address *out,
                                size_t max)
{
    (void)n;
    struct buf text;
    buf_init(&text, SYSFILES_READ_MAX);
    sysfiles_read(&text, "/etc/hosts");
    size_t count = sysfiles_hosts(buf_str(&text), text.len, name, out, max);
    buf_free(&text);
    return count;
}

static void system_host_name(struct network *n, char *out, size_t size)
{
    (void)n;
    /* A name that does not fit is cut, and then perhaps without a NUL (gethostname(2)). */
    if (gethostname(out, size) != 0 || out[0] == '\0') {
        (void)str_copy(out, size, "localhost");
    }
    out[size - 1] = '\0';
}

static enum status system_source_for(struct network *n, const struct net_address *to,
                                     struct net_address *out)
{
    struct net_address target = *to;
    struct net_conn *c;
    int sys;
    if (target.port == 0) {
        target.port = 25;
    }
    /* Connecting a datagram socket asks the routing table and sends nothing. */
    enum status st = system_datagram(n, &target, NULL, &c, &sys);
    if (st == ST_OK) {
        *out = c->local;
        out->port = 0;
        net_close(c);
    }
    return st;
}

static void system_close(struct network *n)
{
    free(n);
}

static const struct network_ops system_ops = {
    .now_us = system_now_us,
    .wall_us = system_wall_us,
    .random = system_random,
    .connect = system_connect,
    .connect_result = system_connect_result,
    .datagram = system_datagram,
    .wait = system_wait,
    .resolvers = system_resolvers,
    .host_name = system_host_name,
    .hosts_file = system_hosts_file,
    .source_for = system_source_for,
    .close = system_close,
};

enum status net_system_open(struct network **out, struct error *error)
{
    struct network *n = calloc(1, sizeof(*n));
    *out = n;
    if (n == NULL) {
        return error_set(error, ST_NOMEM, 0, _("There is not enough memory for the network."));
    }
    n->ops = &system_ops;
    return ST_OK;
}
