#include "practice_world.h"

#include <string.h>

int64_t world_wall_us(const struct practice *w)
{
    return w->wall_start_us + (w->now_us - WORLD_START_US);
}

void world_log(struct practice *w, unsigned conn, bool tls, const char *p, size_t len)
{
    if (w->watch != NULL) {
        w->watch(w->watch_ctx, conn, tls, p, len);
        return;
    }
    if (buf_addf(&w->log, "%u %s ", conn, tls ? "tls" : "clear") != ST_OK ||
        buf_add(&w->log, p, len) != ST_OK || buf_add_char(&w->log, '\n') != ST_OK) {
        /* Full: what it holds is what a test can look at. */
        return;
    }
}

void world_source(const struct practice *w, const struct net_address *to, struct net_address *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < w->s->me.address_count; i++) {
        if (w->s->me.addresses[i].family == to->family) {
            *out = w->s->me.addresses[i];
            return;
        }
    }
}

bool world_is_own(const struct practice *w, const struct net_address *a)
{
    for (size_t i = 0; i < w->s->me.address_count; i++) {
        if (net_address_same_host(&w->s->me.addresses[i], a)) {
            return true;
        }
    }
    return false;
}

const struct scenario_host *world_find_host(const struct practice *w, const struct net_address *a)
{
    for (size_t i = 0; i < w->s->host_count; i++) {
        const struct scenario_host *h = &w->s->hosts[i];
        for (size_t k = 0; k < h->address_count; k++) {
            if (net_address_same_host(&h->addresses[k], a)) {
                return h;
            }
        }
    }
    return NULL;
}

const struct scenario_resolver *world_find_resolver(const struct practice *w,
                                                    const struct net_address *a)
{
    for (size_t i = 0; i < w->s->resolver_count; i++) {
        if (net_address_same_host(&w->s->resolvers[i].address, a)) {
            return &w->s->resolvers[i];
        }
    }
    return NULL;
}

const struct scenario_port *world_find_port(const struct scenario_host *h, uint16_t number)
{
    const struct scenario_port *other = NULL;
    for (size_t i = 0; i < h->port_count; i++) {
        if (h->ports[i].port == number) {
            return &h->ports[i];
        }
        if (h->ports[i].port == 0) {
            other = &h->ports[i];
        }
    }
    return other;
}

struct net_address world_seen_as(const struct practice *w, const struct net_address *local)
{
    const struct net_address *seen = &w->s->me.seen_as[local->family == 4 ? 0 : 1];
    return seen->family != 0 ? *seen : *local;
}
