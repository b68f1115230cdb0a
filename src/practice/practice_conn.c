#include "practice_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "practice_dns.h"

static void way_init(struct way *w)
{
    w->head = NULL;
    w->tail = &w->head;
    w->bytes = 0;
    w->last_us = 0;
}

static void way_free(struct way *w)
{
    while (w->head != NULL) {
        struct segment *s = w->head;
        w->head = s->next;
        free(s);
    }
    way_init(w);
}

/* A segment that cannot be stored is lost, and the other side waits, as on a real network. */
static void way_put(struct way *w, int64_t at_us, enum segment_kind kind, const char *p, size_t len)
{
    struct segment *s = malloc(sizeof(*s) + len);
    if (s == NULL) {
        return;
    }
    s->next = NULL;
    s->at_us = at_us > w->last_us ? at_us : w->last_us;
    s->kind = kind;
    s->off = 0;
    s->len = len;
    if (len > 0) {
        memcpy(s->bytes, p, len);
    }
    w->last_us = s->at_us;
    w->bytes += len;
    *w->tail = s;
    w->tail = &s->next;
}

static void way_pop(struct way *w)
{
    struct segment *s = w->head;
    w->bytes -= s->len - s->off;
    w->head = s->next;
    if (w->head == NULL) {
        w->tail = &w->head;
    }
    free(s);
}

static const struct net_conn_ops conn_ops;

static enum status conn_new(struct practice *w, const struct net_address *to,
                            const struct net_address *from, bool datagram,
                            struct practice_conn **out, int *sys)
{
    struct net_address local;
    *sys = 0;
    if (from != NULL && from->family != 0) {
        if (from->family != to->family || !world_is_own(w, from)) {
            *sys = EADDRNOTAVAIL;
            return ST_INVALID;
        }
        local = *from;
    } else {
        world_source(w, to, &local);
    }
    if (local.family == 0) {
        *sys = ENETUNREACH;
        return ST_UNREACHABLE;
    }
    struct practice_conn *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        *sys = ENOMEM;
        return ST_NOMEM;
    }
    c->base.ops = &conn_ops;
    c->base.peer = *to;
    c->base.local = local;
    c->base.local.port = w->next_port;
    w->next_port = w->next_port == UINT16_MAX ? 49152 : (uint16_t)(w->next_port + 1);
    c->world = w;
    c->datagram = datagram;
    c->decided_us = NO_DEADLINE;
    c->start_us = NO_DEADLINE;
    way_init(&c->to_client);
    way_init(&c->to_server);
    *out = c;
    return ST_OK;
}

/* Oldest first, so that what happens at the same time happens in the same order each time. */
static void conn_link(struct practice_conn *c)
{
    struct practice_conn **slot = &c->world->conns;
    while (*slot != NULL) {
        slot = &(*slot)->next;
    }
    *slot = c;
}

static void decide(struct practice_conn *c, enum status outcome, int sys, int64_t after_us)
{
    c->outcome = outcome;
    c->outcome_sys = sys;
    c->decided_us = c->world->now_us + after_us;
}

static void decide_port(struct practice_conn *c, const struct scenario_host *h,
                        const struct scenario_port *port)
{
    struct practice *w = c->world;
    enum port_kind kind = port != NULL ? port->kind : PORT_REFUSE;
    int64_t rtt = port != NULL && port->latency_us >= 0 ? port->latency_us : h->latency_us;
    c->one_way_us = rtt / 2;
    switch (kind) {
    case PORT_REFUSE:
        decide(c, ST_REFUSED, ECONNREFUSED, rtt);
        break;
    case PORT_DROP:
        decide(c, ST_TIMEOUT, ETIMEDOUT, WORLD_SYN_TIMEOUT_US);
        break;
    case PORT_UNREACHABLE:
        decide(c, ST_UNREACHABLE, EHOSTUNREACH, rtt);
        break;
    case PORT_ABORTED:
        decide(c, ST_RESET, ECONNRESET, rtt);
        break;
    case PORT_DENIED:
        decide(c, ST_DENIED, EACCES, 0);
        break;
    case PORT_EXHAUSTED:
        decide(c, ST_LIMIT, EMFILE, 0);
        break;
    case PORT_RESET:
        decide(c, ST_OK, 0, rtt);
        way_put(&c->to_client, w->now_us + 2 * rtt, SEGMENT_RESET, NULL, 0);
        break;
    case PORT_CLOSE:
        decide(c, ST_OK, 0, rtt);
        way_put(&c->to_client, w->now_us + 2 * rtt, SEGMENT_FIN, NULL, 0);
        c->server_gone = true;
        break;
    case PORT_SERVER:
        decide(c, ST_OK, 0, rtt);
        c->start_us = w->now_us + rtt + c->one_way_us;
        c->cut = port->cut;
        c->cut_left = port->cut_at;
        break;
    }
}

enum status conn_open_stream(struct practice *w, const struct net_address *to,
                             const struct net_address *from, struct net_conn **out, int *sys)
{
    struct practice_conn *c = NULL;
    *out = NULL;
    enum status st = conn_new(w, to, from, false, &c, sys);
    if (st != ST_OK) {
        return st;
    }
    const struct scenario_resolver *resolver = to->port == 53 ? world_find_resolver(w, to) : NULL;
    const struct scenario_host *host = resolver == NULL ? world_find_host(w, to) : NULL;
    if (resolver != NULL && resolver->fault == DNS_FAULT_NONE) {
        decide(c, ST_OK, 0, resolver->latency_us);
        c->one_way_us = resolver->latency_us / 2;
        c->start_us = w->now_us + resolver->latency_us + c->one_way_us;
        c->actor = dns_actor_new(w, resolver);
    } else if (resolver != NULL) {
        decide(c, ST_REFUSED, ECONNREFUSED, resolver->latency_us);
    } else if (host != NULL) {
        const struct scenario_port *port = world_find_port(host, to->port);
        decide_port(c, host, port);
        if (c->start_us != NO_DEADLINE) {
            struct net_address seen = world_seen_as(w, &c->base.local);
            c->actor = smtp_actor_new(w, host, port, &seen, ++w->conn_number);
        }
    } else {
        /* Nothing leaves the process, so that other addresses do not exist. */
        free(c);
        *sys = ENETUNREACH;
        return ST_UNREACHABLE;
    }
    if (c->start_us != NO_DEADLINE && c->actor == NULL) {
        free(c);
        *sys = ENOMEM;
        return ST_NOMEM;
    }
    conn_link(c);
    *out = &c->base;
    return ST_OK;
}

enum status conn_open_datagram(struct practice *w, const struct net_address *to,
                               const struct net_address *from, struct net_conn **out, int *sys)
{
    struct practice_conn *c = NULL;
    *out = NULL;
    const struct scenario_resolver *resolver = to->port == 53 ? world_find_resolver(w, to) : NULL;
    if (resolver == NULL && world_find_host(w, to) == NULL && world_find_resolver(w, to) == NULL) {
        *sys = ENETUNREACH;
        return ST_UNREACHABLE;
    }
    enum status st = conn_new(w, to, from, true, &c, sys);
    if (st != ST_OK) {
        return st;
    }
    c->resolver = resolver;
    c->state = CONN_OPEN;
    c->outcome = ST_OK;
    c->decided_us = w->now_us;
    conn_link(c);
    *out = &c->base;
    return ST_OK;
}

enum status conn_result(struct practice_conn *c)
{
    if (c->state == CONN_CONNECTING) {
        if (c->decided_us > c->world->now_us) {
            return ST_AGAIN;
        }
        c->state = c->outcome == ST_OK ? CONN_OPEN : CONN_FAILED;
    }
    c->base.sys = c->outcome_sys;
    return c->outcome;
}

unsigned conn_ready(const struct practice_conn *c, unsigned want)
{
    const struct practice *w = c->world;
    unsigned ready = 0;
    if (c->state == CONN_CONNECTING || c->state == CONN_FAILED) {
        return c->decided_us <= w->now_us ? want : 0;
    }
    const struct segment *s = c->to_client.head;
    if (s != NULL && s->at_us <= w->now_us) {
        ready |= NET_READ;
    }
    bool reset = s != NULL && s->at_us <= w->now_us && s->kind == SEGMENT_RESET;
    if (c->datagram || reset || c->to_server.bytes < WORLD_WINDOW) {
        ready |= NET_WRITE;
    }
    return ready & want;
}

static bool has_room(const struct practice_conn *c)
{
    return c->to_client.bytes < WORLD_WINDOW;
}

int64_t conn_arrival_us(const struct practice_conn *c)
{
    int64_t now = c->world->now_us;
    int64_t next = NO_DEADLINE;
    if (c->state == CONN_CONNECTING && c->decided_us > now) {
        next = c->decided_us;
    }
    if (c->to_client.head != NULL && c->to_client.head->at_us > now) {
        next = deadline_earlier(next, c->to_client.head->at_us);
    }
    if (c->start_us != NO_DEADLINE) {
        return deadline_earlier(next, c->start_us);
    }
    if (c->actor != NULL && !c->server_gone && c->to_server.head != NULL && !c->actor->deaf &&
        has_room(c)) {
        next = deadline_earlier(next, c->to_server.head->at_us);
    }
    return next;
}

int64_t conn_next_us(const struct practice_conn *c)
{
    if (c->actor == NULL || c->server_gone || c->start_us != NO_DEADLINE) {
        return conn_arrival_us(c);
    }
    bool wants_to_speak = c->actor->needs_room && has_room(c);
    return deadline_earlier(conn_arrival_us(c),
                            wants_to_speak ? c->world->now_us : c->actor->timer_us);
}

static enum status conn_read(struct net_conn *base, void *p, size_t len, size_t *got)
{
    struct practice_conn *c = (struct practice_conn *)base;
    *got = 0;
    if (c->state != CONN_OPEN) {
        enum status st = conn_result(c);
        if (st != ST_OK) {
            return st;
        }
    }
    struct segment *s = c->to_client.head;
    if (s == NULL || s->at_us > c->world->now_us) {
        return ST_AGAIN;
    }
    if (s->kind != SEGMENT_DATA) {
        c->base.sys = s->kind == SEGMENT_FIN ? 0 : c->datagram ? ECONNREFUSED : ECONNRESET;
        enum status st = s->kind == SEGMENT_FIN ? ST_EOF : c->datagram ? ST_REFUSED : ST_RESET;
        /* What ends a stream stays; an error of a datagram is told once. A reset may follow the
         * end. */
        if (c->datagram ||
            (s->kind == SEGMENT_FIN && s->next != NULL && s->next->at_us <= c->world->now_us)) {
            way_pop(&c->to_client);
        }
        return st;
    }
    size_t left = s->len - s->off;
    size_t n = left < len ? left : len;
    memcpy(p, s->bytes + s->off, n);
    *got = n;
    if (c->datagram) {
        way_pop(&c->to_client);
        return n < left ? ST_LIMIT : ST_OK;
    }
    s->off += n;
    c->to_client.bytes -= n;
    if (s->off == s->len) {
        way_pop(&c->to_client);
    }
    return ST_OK;
}

static void write_datagram(struct practice_conn *c, const void *p, size_t len)
{
    struct practice *w = c->world;
    if (c->resolver == NULL || c->resolver->fault == DNS_FAULT_UNREACHABLE) {
        /* ICMP port unreachable. */
        way_put(&c->to_client, w->now_us + 20 * US_PER_MS, SEGMENT_RESET, NULL, 0);
        return;
    }
    struct buf answer;
    buf_init(&answer, 65535);
    if (dns_respond(w, c->resolver, false, p, len, &answer)) {
        way_put(&c->to_client, w->now_us + c->resolver->latency_us, SEGMENT_DATA, buf_str(&answer),
                answer.len);
    }
    buf_free(&answer);
}

static enum status conn_write(struct net_conn *base, const void *p, size_t len, size_t *put)
{
    struct practice_conn *c = (struct practice_conn *)base;
    *put = 0;
    if (c->state != CONN_OPEN) {
        enum status st = conn_result(c);
        if (st != ST_OK) {
            return st;
        }
    }
    if (c->datagram) {
        write_datagram(c, p, len);
        *put = len;
        return ST_OK;
    }
    for (const struct segment *s = c->to_client.head; s != NULL; s = s->next) {
        if (s->kind == SEGMENT_RESET && s->at_us <= c->world->now_us) {
            c->base.sys = EPIPE;
            return ST_RESET;
        }
    }
    if (c->client_shut) {
        c->base.sys = EPIPE;
        return ST_IO;
    }
    if (c->to_server.bytes >= WORLD_WINDOW) {
        return ST_AGAIN;
    }
    size_t room = WORLD_WINDOW - c->to_server.bytes;
    *put = len < room ? len : room;
    if (c->server_gone) {
        /* Nobody takes it: the answer is a reset. */
        way_put(&c->to_client, c->world->now_us + 2 * c->one_way_us, SEGMENT_RESET, NULL, 0);
        return ST_OK;
    }
    way_put(&c->to_server, c->world->now_us + c->one_way_us, SEGMENT_DATA, p, *put);
    return ST_OK;
}

static void conn_shut_write(struct net_conn *base)
{
    struct practice_conn *c = (struct practice_conn *)base;
    if (c->datagram || c->client_shut || c->state != CONN_OPEN) {
        return;
    }
    c->client_shut = true;
    way_put(&c->to_server, c->world->now_us + c->one_way_us, SEGMENT_FIN, NULL, 0);
}

/* Bytes from the server, as far as the path lets them through. */
static void deliver(struct practice_conn *c, const char *p, size_t len)
{
    int64_t at = c->world->now_us + c->one_way_us;
    size_t step = c->actor->split > 0 ? c->actor->split : len;
    while (len > 0) {
        size_t n = len < step ? len : step;
        if (c->cut != CUT_NONE && n > c->cut_left) {
            n = (size_t)c->cut_left;
        }
        if (n > 0) {
            way_put(&c->to_client, at, SEGMENT_DATA, p, n);
        }
        if (c->cut != CUT_NONE) {
            c->cut_left -= n;
            if (c->cut_left == 0) {
                if (c->cut != CUT_STALL) {
                    way_put(&c->to_client, at, c->cut == CUT_RESET ? SEGMENT_RESET : SEGMENT_FIN,
                            NULL, 0);
                }
                c->server_gone = c->cut != CUT_STALL;
                c->actor->deaf = true;
                return;
            }
        }
        p += n;
        len -= n;
        /* Segments of their own need not arrive in one read. */
        at += c->actor->split > 0 ? US_PER_MS : 0;
    }
}

/* Sends what the actor has said in its last call. */
static void take_output(struct practice_conn *c)
{
    struct actor *a = c->actor;
    bool silenced = c->cut == CUT_STALL && c->cut_left == 0 && a->deaf;
    if (c->server_gone || silenced) {
        buf_clear(&a->out);
        a->timer_us = NO_DEADLINE;
        a->needs_room = false;
        return;
    }
    if (a->out.len > 0) {
        deliver(c, buf_str(&a->out), a->out.len);
        buf_clear(&a->out);
    }
    if (!c->server_gone && (a->fin || a->reset)) {
        way_put(&c->to_client, c->world->now_us + c->one_way_us,
                a->reset ? SEGMENT_RESET : SEGMENT_FIN, NULL, 0);
        c->server_gone = true;
    }
}

static void set_room(struct practice_conn *c)
{
    c->actor->room = has_room(c) ? WORLD_WINDOW - c->to_client.bytes : 0;
}

static void hand_over(struct practice_conn *c, const struct segment *s)
{
    int64_t now = c->world->now_us;
    set_room(c);
    if (s->kind == SEGMENT_DATA) {
        c->actor->ops->input(c->actor, now, s->bytes, s->len);
    } else {
        c->actor->ops->ended(c->actor, now);
    }
    take_output(c);
}

/* One thing that is due at the server's end; false when nothing is. */
static bool conn_act(struct practice_conn *c)
{
    int64_t now = c->world->now_us;
    if (c->actor == NULL) {
        return false;
    }
    if (c->start_us != NO_DEADLINE) {
        if (c->start_us > now) {
            return false;
        }
        c->start_us = NO_DEADLINE;
        set_room(c);
        c->actor->ops->start(c->actor, now);
        take_output(c);
        return true;
    }
    if (c->server_gone) {
        return false;
    }
    struct segment *s = c->to_server.head;
    /* A server that cannot get rid of its answers takes no more commands. */
    if (s != NULL && s->at_us <= now && !c->actor->deaf && has_room(c)) {
        hand_over(c, s);
        way_pop(&c->to_server);
        return true;
    }
    set_room(c);
    if (c->actor->timer_us <= now || (c->actor->needs_room && c->actor->room > 0)) {
        c->actor->needs_room = false;
        c->actor->ops->run(c->actor, now);
        take_output(c);
        return true;
    }
    return false;
}

void world_act(struct practice *w)
{
    for (struct practice_conn *c = w->conns; c != NULL; c = c->next) {
        while (conn_act(c)) {
        }
    }
}

static void conn_close(struct net_conn *base)
{
    struct practice_conn *c = (struct practice_conn *)base;
    struct practice_conn **slot = &c->world->conns;
    while (*slot != NULL && *slot != c) {
        slot = &(*slot)->next;
    }
    if (*slot == c) {
        *slot = c->next;
    }
    if (c->actor != NULL) {
        /* What is on its way arrives even though nobody waits for the answer: a QUIT before closing
           is seen by the server. */
        while (c->to_server.head != NULL && c->start_us == NO_DEADLINE && !c->server_gone &&
               !c->actor->deaf) {
            hand_over(c, c->to_server.head);
            way_pop(&c->to_server);
        }
        c->actor->ops->free(c->actor);
    }
    way_free(&c->to_client);
    way_free(&c->to_server);
    free(c);
}

static const struct net_conn_ops conn_ops = {
    .read = conn_read,
    .write = conn_write,
    .shut_write = conn_shut_write,
    .close = conn_close,
};
