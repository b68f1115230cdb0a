#include "net.h"

#include <string.h>

/* Connections that one wait can watch; more is a mistake of the caller, not of the network. */
#define WAIT_MAX 256
/* TLS over a socket is two. */
#define LAYERS_MAX 8

void net_network_close(struct network *n)
{
    if (n != NULL) {
        n->ops->close(n);
    }
}

int64_t net_now_us(struct network *n)
{
    return n->ops->now_us(n);
}

int64_t net_wall_us(struct network *n)
{
    return n->ops->wall_us(n);
}

void net_random(struct network *n, void *p, size_t len)
{
    n->ops->random(n, p, len);
}

void net_close(struct net_conn *c)
{
    if (c != NULL) {
        c->ops->close(c);
    }
}

/* Walks down to the connection that the network itself knows. */
static bool find_lowest(const struct net_wait_item *item, struct net_wait_item *below)
{
    bool ready = false;
    below->conn = item->conn;
    below->want = item->want;
    below->ready = 0;
    for (int depth = 0; depth < LAYERS_MAX && !ready; depth++) {
        if (below->conn == NULL || below->conn->ops->wait_for == NULL) {
            break;
        }
        unsigned want = below->want;
        struct net_conn *next = below->conn->ops->wait_for(below->conn, below->want, &want, &ready);
        if (next == NULL || next == below->conn) {
            break;
        }
        below->conn = next;
        below->want = want;
    }
    return ready;
}

enum status net_wait(struct network *n, struct net_wait_item *items, size_t count,
                     int64_t deadline_us, struct cancel *cancel, bool until_wake)
{
    struct net_wait_item below[WAIT_MAX];
    if (count > WAIT_MAX) {
        return ST_LIMIT;
    }
    if (cancel != NULL && cancel_level(cancel) != CANCEL_NONE) {
        return ST_CANCELLED;
    }
    bool any_ready = false;
    for (size_t i = 0; i < count; i++) {
        bool ready = find_lowest(&items[i], &below[i]);
        items[i].ready = ready ? items[i].want : 0;
        any_ready = any_ready || ready;
    }
    if (any_ready) {
        return ST_OK;
    }
    enum status st = n->ops->wait(n, below, count, deadline_us, cancel, until_wake);
    if (st == ST_OK) {
        for (size_t i = 0; i < count; i++) {
            bool layered = below[i].conn != items[i].conn;
            /* A layer finds out by trying what the bytes below it are worth. */
            items[i].ready = layered && below[i].ready != 0 ? items[i].want : below[i].ready;
        }
    }
    return st;
}

enum status net_dial(struct network *n, const struct net_address *to,
                     const struct net_address *from, int64_t deadline_us, struct cancel *cancel,
                     struct net_conn **out, int *sys)
{
    struct net_conn *c = NULL;
    *out = NULL;
    *sys = 0;
    enum status st = n->ops->connect(n, to, from, &c, sys);
    if (st != ST_OK) {
        return st;
    }
    struct net_wait_item item = {.conn = c, .want = NET_WRITE};
    do {
        st = net_wait(n, &item, 1, deadline_us, cancel, false);
        if (st == ST_OK) {
            st = n->ops->connect_result(n, c);
            *sys = c->sys;
        }
    } while (st == ST_AGAIN);
    if (st != ST_OK) {
        net_close(c);
        return st;
    }
    *out = c;
    return ST_OK;
}

/*
 * Trying comes before waiting: what has arrived counts, even when this process was held up past the
 * deadline. The token is looked at first, because a peer that never pauses would keep us from ever
 * waiting.
 */
enum status net_read_some(struct network *n, struct net_conn *c, void *p, size_t len, size_t *got,
                          int64_t deadline_us, struct cancel *cancel)
{
    *got = 0;
    for (;;) {
        if (cancel != NULL && cancel_level(cancel) != CANCEL_NONE) {
            return ST_CANCELLED;
        }
        enum status st = c->ops->read(c, p, len, got);
        if (st != ST_AGAIN) {
            return st;
        }
        struct net_wait_item item = {.conn = c, .want = NET_READ};
        st = net_wait(n, &item, 1, deadline_us, cancel, false);
        if (st != ST_OK) {
            return st;
        }
    }
}

enum status net_write_all(struct network *n, struct net_conn *c, const void *p, size_t len,
                          int64_t deadline_us, struct cancel *cancel)
{
    const char *rest = p;
    while (len > 0) {
        if (cancel != NULL && cancel_level(cancel) != CANCEL_NONE) {
            return ST_CANCELLED;
        }
        size_t put = 0;
        enum status st = c->ops->write(c, rest, len, &put);
        if (st == ST_OK) {
            rest += put;
            len -= put;
            continue;
        }
        if (st != ST_AGAIN) {
            return st;
        }
        struct net_wait_item item = {.conn = c, .want = NET_WRITE};
        st = net_wait(n, &item, 1, deadline_us, cancel, false);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}
