#include "practice_serve.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "practice_bridge.h"
#include "practice_spot.h"
#include "text.h"

/* Where nobody can be accepted, for want of descriptors or memory: until the next try. */
#define ACCEPT_PAUSE_US (500 * US_PER_MS)

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct practice_serve {
    struct practice *w;
    int listener;
    struct serve_offer offer;
    int64_t ahead_us;  /* of the world's clock before the real one */
    int64_t accept_us; /* not before, on the real clock */
    unsigned last_number;
    struct bridge *bridges[SERVE_CLIENTS_MAX];
    size_t bridge_count;
    void (*tell)(void *ctx, const struct serve_event *event);
    void *ctx;
};

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

static enum status fail_listen(const struct net_address *at, int sys, struct error *error)
{
    char shown[NET_ADDRESS_TEXT];
    net_address_format_port(at, shown, sizeof(shown));
    switch (sys) {
    case EADDRINUSE:
        return error_set(error, ST_IO, sys,
                         _("Another program uses %s already. Choose another port; 0 is any that is "
                           "free."),
                         shown);
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        net_address_format(at, shown, sizeof(shown));
        return error_set(error, ST_IO, sys, _("This machine does not have the address %s."), shown);
    case EACCES:
    case EPERM:
        return error_set(error, ST_DENIED, sys,
                         _("This user may not offer anything at %s. Choose a port from 1024 on."),
                         shown);
    default:
        return error_set(error, ST_IO, sys, _("Nothing can be offered at %s: %s."), shown,
                         strerror(sys));
    }
}

static enum status listen_at(struct practice_serve *s, const struct net_address *at,
                             struct error *error)
{
    union socket_address address;
    socklen_t len = to_socket_address(at, &address);
    int on = 1;
    s->listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* Connections of an earlier run that linger must not keep a new one from beginning. */
    if (s->listener < 0 ||
        setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        (at->family == 6 &&
         setsockopt(s->listener, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
        bind(s->listener, &address.any, len) != 0 || listen(s->listener, SOMAXCONN) != 0) {
        return fail_listen(at, errno, error);
    }
    len = sizeof(address);
    if (getsockname(s->listener, &address.any, &len) != 0) {
        return fail_listen(at, errno, error);
    }
    from_socket_address(&address, &s->offer.listen);
    return ST_OK;
}

static int64_t real_now_us(const struct practice_serve *s)
{
    return clock_monotonic_us() + s->ahead_us;
}

static void tell(struct practice_serve *s, const struct bridge *b, struct serve_event event)
{
    event.at_us = s->w->now_us - WORLD_START_US;
    event.client = b->number;
    event.peer = b->peer;
    if (s->tell != NULL) {
        s->tell(s->ctx, &event);
    }
}

/* What the world would write into its log. */
static void watch(void *ctx, unsigned number, bool tls, const char *p, size_t len)
{
    struct practice_serve *s = ctx;
    for (size_t i = 0; i < s->bridge_count; i++) {
        struct bridge *b = s->bridges[i];
        if (b->world_number != number) {
            continue;
        }
        /* The first thing that a server sees is no command but the connection. */
        if (b->begun) {
            tell(s, b,
                 (struct serve_event){.kind = SERVE_COMMAND, .tls = tls, .text = p, .len = len});
        }
        b->begun = true;
        return;
    }
}

static void drop(struct practice_serve *s, size_t i, enum serve_end end)
{
    struct bridge *b = s->bridges[i];
    /* The server may still see what was on its way, so this comes before the last word about it. */
    net_close(&b->conn->base);
    b->conn = NULL;
    tell(s, b, (struct serve_event){.kind = SERVE_CLOSED, .end = end});
    s->bridges[i] = s->bridges[--s->bridge_count];
    s->accept_us = 0;
    bridge_close(b, end);
}

static void drop_all(struct practice_serve *s)
{
    while (s->bridge_count > 0) {
        const struct bridge *b = s->bridges[s->bridge_count - 1];
        bool ended = b->client_ended || b->server_ended;
        drop(s, s->bridge_count - 1, ended ? b->end : SERVE_END_STOPPED);
    }
}

static void add(struct practice_serve *s, int fd, const union socket_address *from)
{
    struct bridge *b = bridge_new(s->w, &s->offer.address, fd);
    if (b == NULL) {
        close(fd);
        return;
    }
    b->number = ++s->last_number;
    from_socket_address(from, &b->peer);
    s->bridges[s->bridge_count++] = b;
    tell(s, b, (struct serve_event){.kind = SERVE_CONNECTED});
}

static void accept_clients(struct practice_serve *s)
{
    while (s->bridge_count < SERVE_CLIENTS_MAX) {
        union socket_address from;
        socklen_t len = sizeof(from);
        memset(&from, 0, sizeof(from));
        int fd = accept4(s->listener, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            add(s, fd, &from);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            s->accept_us = clock_monotonic_us() + ACCEPT_PAUSE_US;
            return;
        }
    }
}

static void pump_all(struct practice_serve *s)
{
    for (size_t i = 0; i < s->bridge_count;) {
        if (bridge_pump(s->bridges[i])) {
            i++;
        } else {
            drop(s, i, s->bridges[i]->end);
        }
    }
}

static int64_t earliest(const struct practice_serve *s, int64_t (*when)(const struct bridge *b))
{
    int64_t next = NO_DEADLINE;
    for (size_t i = 0; i < s->bridge_count; i++) {
        next = deadline_earlier(next, when(s->bridges[i]));
    }
    return next;
}

/* To what is due, step by step: that the scheduler was late is not part of the story. */
static void advance(struct practice_serve *s)
{
    int64_t to = deadline_earlier(earliest(s, bridge_next_us), real_now_us(s));
    s->w->now_us = to > s->w->now_us ? to : s->w->now_us;
}

/* How long nothing can happen but by the sockets; NO_DEADLINE for ever. */
static int64_t pause_us(const struct practice_serve *s)
{
    int64_t now = clock_monotonic_us();
    int64_t next = earliest(s, bridge_next_us);
    next = next == NO_DEADLINE ? NO_DEADLINE : next - s->ahead_us;
    for (size_t i = 0; i < s->bridge_count; i++) {
        next = deadline_earlier(next, s->bridges[i]->forget_us);
    }
    if (s->accept_us > now) {
        next = deadline_earlier(next, s->accept_us);
    }
    return next == NO_DEADLINE ? NO_DEADLINE : next > now ? next - now : 0;
}

struct poll_set {
    struct pollfd fds[2 + SERVE_CLIENTS_MAX];
    size_t count;
};

static void fill(const struct practice_serve *s, int stop_fd, struct poll_set *set)
{
    bool accepts = s->bridge_count < SERVE_CLIENTS_MAX && s->accept_us <= clock_monotonic_us();
    set->fds[0] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
    set->fds[1] = (struct pollfd){.fd = accepts ? s->listener : -1, .events = POLLIN};
    for (size_t i = 0; i < s->bridge_count; i++) {
        const struct bridge *b = s->bridges[i];
        set->fds[2 + i] = (struct pollfd){.fd = b->fd, .events = bridge_events(b)};
    }
    set->count = 2 + s->bridge_count;
}

/* Backwards, because one that is dropped gives its place to the last. */
static void take(struct practice_serve *s, const struct poll_set *set)
{
    for (size_t i = set->count - 2; i-- > 0;) {
        struct bridge *b = s->bridges[i];
        if (set->fds[2 + i].revents != 0 && !bridge_found(b, set->fds[2 + i].revents)) {
            drop(s, i, b->end);
        }
    }
    if (set->fds[1].revents != 0) {
        accept_clients(s);
    }
}

static enum status wait_for_more(struct practice_serve *s, int stop_fd, bool *stop,
                                 struct error *error)
{
    struct poll_set set;
    int64_t jump = s->w->pace == PRACTICE_INSTANT ? earliest(s, bridge_jump_us) : NO_DEADLINE;
    int64_t us = jump != NO_DEADLINE ? 0 : pause_us(s);
    struct timespec limit = {.tv_sec = (time_t)(us / US_PER_S),
                             .tv_nsec = (long)(us % US_PER_S) * 1000};
    fill(s, stop_fd, &set);
    int rc = ppoll(set.fds, (nfds_t)set.count, us == NO_DEADLINE ? NULL : &limit, NULL);
    if (rc < 0) {
        return errno == EINTR
                   ? ST_OK
                   : error_set(error, ST_IO, errno, _("Waiting failed: %s."), strerror(errno));
    }
    if (rc == 0 && jump != NO_DEADLINE && jump > real_now_us(s)) {
        s->ahead_us += jump - real_now_us(s);
    }
    /* What comes now belongs to this moment, and not to the one before the wait. */
    advance(s);
    *stop = rc > 0 && set.fds[0].revents != 0;
    if (rc > 0) {
        take(s, &set);
    }
    return ST_OK;
}

enum status practice_serve_run(struct practice_serve *s, int stop_fd,
                               void (*tell_event)(void *ctx, const struct serve_event *event),
                               void *ctx, struct error *error)
{
    enum status st = ST_OK;
    bool stop = false;
    s->tell = tell_event;
    s->ctx = ctx;
    while (st == ST_OK && !stop) {
        world_act(s->w);
        pump_all(s);
        st = wait_for_more(s, stop_fd, &stop, error);
    }
    drop_all(s);
    s->tell = NULL;
    return st;
}

enum status practice_serve_open(struct network *net, const struct serve_wish *wish,
                                struct practice_serve **out, struct error *error)
{
    struct spot spot;
    *out = NULL;
    if (net->ops != &practice_ops) {
        return error_set(error, ST_INVALID, 0, _("Only a practice network can be offered."));
    }
    struct practice_serve *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
    }
    s->w = (struct practice *)net;
    s->listener = -1;
    enum status st = spot_find(s->w, wish, &spot, error);
    if (st == ST_OK) {
        s->offer.host = spot.host->name;
        s->offer.address = spot.address;
        s->offer.tls = spot.port->kind == PORT_SERVER && spot.port->tls;
        st = listen_at(s, &wish->listen, error);
    }
    if (st != ST_OK) {
        practice_serve_close(s);
        return st;
    }
    s->ahead_us = s->w->now_us - clock_monotonic_us();
    s->w->watch = watch;
    s->w->watch_ctx = s;
    *out = s;
    return ST_OK;
}

const struct serve_offer *practice_serve_offer(const struct practice_serve *s)
{
    return &s->offer;
}

void practice_serve_close(struct practice_serve *s)
{
    if (s == NULL) {
        return;
    }
    drop_all(s);
    if (s->listener >= 0) {
        close(s->listener);
    }
    if (s->w->watch_ctx == s) {
        s->w->watch = NULL;
        s->w->watch_ctx = NULL;
    }
    free(s);
}
