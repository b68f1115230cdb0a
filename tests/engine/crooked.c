#include "crooked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct net_address loopback(uint16_t port)
{
    return (struct net_address){.family = 4, .bytes = {127, 0, 0, 1}, .port = port};
}

struct crooked_conn {
    struct net_conn base;
    struct crooked *net;
    struct net_conn *below;
    bool datagram, rested;
};

static enum status crooked_read(struct net_conn *c, void *p, size_t len, size_t *got)
{
    struct crooked_conn *k = (struct crooked_conn *)c;
    if (k->net->noise) {
        memcpy(p, "noise", 5);
        *got = 5;
        return ST_OK;
    }
    enum status st = k->below->ops->read(k->below, p, k->net->drip && !k->datagram ? 1 : len, got);
    if (st == ST_OK && k->datagram && *got == SILENCE_MARK) {
        k->net->skew += CROOKED_JUMP_MS * US_PER_MS;
    }
    return st;
}

static enum status crooked_write(struct net_conn *c, const void *p, size_t len, size_t *put)
{
    struct crooked_conn *k = (struct crooked_conn *)c;
    *put = 0;
    if (k->net->drip && !k->rested) {
        k->rested = true;
        return ST_AGAIN;
    }
    k->rested = false;
    k->net->tcp_written = k->net->tcp_written || !k->datagram;
    return k->below->ops->write(k->below, p, k->net->drip && !k->datagram ? 1 : len, put);
}

static struct net_conn *crooked_wait_for(struct net_conn *c, unsigned want, unsigned *below,
                                         bool *ready)
{
    struct crooked_conn *k = (struct crooked_conn *)c;
    *below = want;
    *ready = k->net->noise;
    return k->below;
}

static void crooked_conn_close(struct net_conn *c)
{
    struct crooked_conn *k = (struct crooked_conn *)c;
    k->net->open--;
    net_close(k->below);
    free(k);
}

static const struct net_conn_ops crooked_conn_ops = {
    .read = crooked_read,
    .write = crooked_write,
    .wait_for = crooked_wait_for,
    .close = crooked_conn_close,
};

static struct net_address redirected(const struct crooked *n, const struct net_address *to)
{
    return to->bytes[0] == 192 && to->port == 53 ? loopback(n->port) : *to;
}

static enum status crooked_open(struct crooked *n, const struct net_address *to, bool datagram,
                                struct net_conn **out, int *sys)
{
    *sys = 0;
    if (n->refuse != ST_OK) {
        return n->refuse;
    }
    if (n->limit > 0 && n->open >= n->limit) {
        return ST_LIMIT;
    }
    struct net_address real = redirected(n, to);
    struct crooked_conn *k = calloc(1, sizeof(*k));
    assert_non_null(k);
    enum status st = datagram ? n->below->ops->datagram(n->below, &real, NULL, &k->below, sys)
                              : n->below->ops->connect(n->below, &real, NULL, &k->below, sys);
    assert_int_equal(st, ST_OK);
    k->base.ops = &crooked_conn_ops;
    k->net = n;
    k->datagram = datagram;
    n->open++;
    n->peak = n->open > n->peak ? n->open : n->peak;
    *out = &k->base;
    return ST_OK;
}

static enum status crooked_connect(struct network *n, const struct net_address *to,
                                   const struct net_address *from, struct net_conn **out, int *sys)
{
    assert_null(from);
    return crooked_open((struct crooked *)n, to, false, out, sys);
}

static enum status crooked_datagram(struct network *n, const struct net_address *to,
                                    const struct net_address *from, struct net_conn **out, int *sys)
{
    assert_null(from);
    return crooked_open((struct crooked *)n, to, true, out, sys);
}

static enum status crooked_connect_result(struct network *n, struct net_conn *c)
{
    struct network *below = ((struct crooked *)n)->below;
    return below->ops->connect_result(below, ((struct crooked_conn *)c)->below);
}

static enum status crooked_wait(struct network *n, struct net_wait_item *items, size_t count,
                                int64_t deadline, struct cancel *cancel, bool until_wake)
{
    struct crooked *k = (struct crooked *)n;
    if (k->tcp_silent != NULL && k->tcp_written) {
        fake_dns_await(k->tcp_silent, 2);
        k->skew += CROOKED_JUMP_MS * US_PER_MS;
        return ST_TIMEOUT;
    }
    return k->below->ops->wait(k->below, items, count, deadline - k->skew, cancel, until_wake);
}

static int64_t crooked_now(struct network *n)
{
    const struct crooked *k = (const struct crooked *)n;
    return net_now_us(k->below) + k->skew;
}

static void crooked_random(struct network *n, void *p, size_t len)
{
    net_random(((struct crooked *)n)->below, p, len);
}

static size_t crooked_resolvers(struct network *n, struct net_address *out, size_t max)
{
    (void)n;
    assert_true(max >= 1);
    out[0] = (struct net_address){.family = 4, .bytes = {192, 0, 2, 53}};
    return 1;
}

static enum status crooked_source_for(struct network *n, const struct net_address *to,
                                      struct net_address *out)
{
    *out = *to;
    out->bytes[3] = ((struct crooked *)n)->is_ours ? to->bytes[3] : 99;
    return ST_OK;
}

static const struct network_ops crooked_ops = {
    .now_us = crooked_now,
    .random = crooked_random,
    .connect = crooked_connect,
    .connect_result = crooked_connect_result,
    .datagram = crooked_datagram,
    .wait = crooked_wait,
    .resolvers = crooked_resolvers,
    .source_for = crooked_source_for,
};

void crooked_init(struct crooked *n, struct network *below, uint16_t port)
{
    memset(n, 0, sizeof(*n));
    n->base.ops = &crooked_ops;
    n->below = below;
    n->port = port;
}
