#include "engine_net.h"

/* A wait that ends this late was not only scheduled late: the process had been stopped. */
#define OVERSLEPT_US US_PER_S
/* How long the face then has to tell for how long. */
#define GRACE_US (100 * US_PER_MS)

static struct engine_net *self(struct network *n)
{
    return (struct engine_net *)(void *)n;
}

static int64_t layer_now_us(struct network *network)
{
    struct engine_net *n = self(network);
    int64_t now = n->below->ops->now_us(n->below) - atomic_load(&n->suspended_us);
    if (now > n->last_us) {
        n->last_us = now;
    }
    return n->last_us;
}

static int64_t layer_wall_us(struct network *network)
{
    struct engine_net *n = self(network);
    return n->below->ops->wall_us(n->below);
}

static void layer_random(struct network *network, void *p, size_t len)
{
    struct engine_net *n = self(network);
    n->below->ops->random(n->below, p, len);
}

static enum status layer_connect(struct network *network, const struct net_address *to,
                                 const struct net_address *from, struct net_conn **out, int *sys)
{
    struct engine_net *n = self(network);
    return n->below->ops->connect(n->below, to, from, out, sys);
}

static enum status layer_connect_result(struct network *network, struct net_conn *c)
{
    struct engine_net *n = self(network);
    return n->below->ops->connect_result(n->below, c);
}

static enum status layer_datagram(struct network *network, const struct net_address *to,
                                  const struct net_address *from, struct net_conn **out, int *sys)
{
    struct engine_net *n = self(network);
    return n->below->ops->datagram(n->below, to, from, out, sys);
}

static size_t layer_resolvers(struct network *network, struct net_address *out, size_t max)
{
    struct engine_net *n = self(network);
    return n->below->ops->resolvers(n->below, out, max);
}

static void layer_host_name(struct network *network, char *out, size_t size)
{
    struct engine_net *n = self(network);
    n->below->ops->host_name(n->below, out, size);
}

static size_t layer_hosts_file(struct network *network, const char *name, struct net_address *out,
                               size_t max)
{
    struct engine_net *n = self(network);
    return n->below->ops->hosts_file(n->below, name, out, max);
}

static enum status layer_source_for(struct network *network, const struct net_address *to,
                                    struct net_address *out)
{
    struct engine_net *n = self(network);
    return n->below->ops->source_for(n->below, to, out);
}

static void layer_close(struct network *network)
{
    struct engine_net *n = self(network);
    n->below->ops->close(n->below);
}

/* As the network below counts. */
static int64_t below_deadline(const struct engine_net *n, int64_t deadline_us)
{
    int64_t suspended = atomic_load(&n->suspended_us);
    return deadline_us >= NO_DEADLINE - suspended ? NO_DEADLINE : deadline_us + suspended;
}

/* Like a polite cancel: what runs then has been stopped, and has not found the server silent. */
static enum status expire(struct engine_net *n)
{
    n->expired = true;
    cancel_request(n->cancel, CANCEL_POLITE);
    return ST_CANCELLED;
}

static enum status layer_wait(struct network *network, struct net_wait_item *items, size_t count,
                              int64_t deadline_us, struct cancel *cancel, bool until_wake)
{
    struct engine_net *n = self(network);
    int64_t until = deadline_earlier(deadline_us, n->deadline_us);
    for (;;) {
        int64_t below_until = below_deadline(n, until);
        enum status st =
            n->below->ops->wait(n->below, items, count, below_until, cancel, until_wake);
        if (st != ST_TIMEOUT) {
            return st;
        }
        int64_t below_now = n->below->ops->now_us(n->below);
        if (below_now - below_until > OVERSLEPT_US) {
            st = n->below->ops->wait(n->below, items, count, below_now + GRACE_US, cancel,
                                     until_wake);
            if (st != ST_TIMEOUT) {
                return st;
            }
        }
        if (layer_now_us(network) >= until) {
            return until < deadline_us ? expire(n) : ST_TIMEOUT;
        }
    }
}

static const struct network_ops layer_ops = {
    .now_us = layer_now_us,
    .wall_us = layer_wall_us,
    .random = layer_random,
    .connect = layer_connect,
    .connect_result = layer_connect_result,
    .datagram = layer_datagram,
    .wait = layer_wait,
    .resolvers = layer_resolvers,
    .host_name = layer_host_name,
    .hosts_file = layer_hosts_file,
    .source_for = layer_source_for,
    .close = layer_close,
};

void engine_net_init(struct engine_net *n, struct network *below, struct cancel *cancel)
{
    n->base = *below;
    n->base.ops = &layer_ops;
    n->below = below;
    n->cancel = cancel;
    atomic_init(&n->suspended_us, 0);
    n->last_us = INT64_MIN;
    n->deadline_us = NO_DEADLINE;
    n->expired = false;
}

void engine_net_fini(struct engine_net *n)
{
    net_network_close(n->below);
    n->below = NULL;
}

void engine_net_suspended(struct engine_net *n, int64_t us)
{
    if (us > 0) {
        atomic_fetch_add(&n->suspended_us, us);
    }
}

void engine_net_deadline(struct engine_net *n, int64_t deadline_us)
{
    n->deadline_us = deadline_us;
    n->expired = false;
}

void engine_net_check(struct engine_net *n)
{
    if (!n->expired && n->deadline_us != NO_DEADLINE && layer_now_us(&n->base) >= n->deadline_us) {
        (void)expire(n);
    }
}
