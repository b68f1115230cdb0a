#include "dns.h"

#include <stdlib.h>
#include <string.h>

#include "dns_exchange.h"

#define DNS_PORT 53
#define DEFAULT_TIMEOUT_MS 5000
#define DEFAULT_TRIES 2
/* One descriptor each. More questions than this wait for their turn. */
#define IN_FLIGHT_MAX 64

_Static_assert(DNS_SERVERS_MAX <= 32, "dns_exchange keeps one bit a server");

void dns_init(struct dns *d, struct network *net, struct cancel *cancel,
              const struct dns_config *config)
{
    memset(d, 0, sizeof(*d));
    d->net = net;
    d->cancel = cancel;
    if (config != NULL) {
        d->config = *config;
    }
    struct dns_config *c = &d->config;
    if (c->server_count > DNS_SERVERS_MAX) {
        c->server_count = DNS_SERVERS_MAX;
    }
    if (c->server_count == 0) {
        c->server_count = net->ops->resolvers(net, c->servers, DNS_SERVERS_MAX);
    }
    for (size_t i = 0; i < c->server_count; i++) {
        if (c->servers[i].port == 0) {
            c->servers[i].port = DNS_PORT;
        }
    }
    if (c->timeout_ms <= 0) {
        c->timeout_ms = DEFAULT_TIMEOUT_MS;
    }
    if (c->tries <= 0) {
        c->tries = DEFAULT_TRIES;
    }
}

/* Starts what may be started, and lists what to wait for. */
static enum status start_exchanges(struct dns_exchange *x, size_t count,
                                   struct net_wait_item *items, struct dns_exchange **owners,
                                   size_t *waiting, int64_t *deadline)
{
    size_t in_flight = 0;
    for (size_t i = 0; i < count; i++) {
        in_flight += x[i].conn != NULL;
    }
    *waiting = 0;
    *deadline = NO_DEADLINE;
    for (size_t i = 0; i < count; i++) {
        if (x[i].phase == DNS_PHASE_START && in_flight < IN_FLIGHT_MAX) {
            enum status st = dns_exchange_start(&x[i], in_flight > 0);
            if (st == ST_NOMEM) {
                return st;
            }
            in_flight += x[i].conn != NULL;
        }
        if (x[i].conn != NULL) {
            items[*waiting] = (struct net_wait_item){.conn = x[i].conn, .want = x[i].want};
            owners[*waiting] = &x[i];
            *deadline = deadline_earlier(*deadline, x[i].deadline);
            (*waiting)++;
        }
    }
    return ST_OK;
}

static enum status run_exchanges(struct dns *d, struct dns_exchange *x, size_t count)
{
    for (;;) {
        struct net_wait_item items[IN_FLIGHT_MAX];
        struct dns_exchange *owners[IN_FLIGHT_MAX];
        size_t waiting;
        int64_t deadline;
        enum status st = start_exchanges(x, count, items, owners, &waiting, &deadline);
        if (st != ST_OK || waiting == 0) {
            return st;
        }
        st = net_wait(d->net, items, waiting, deadline, d->cancel, false);
        if (st != ST_OK && st != ST_TIMEOUT) {
            return st;
        }
        for (size_t i = 0; i < waiting; i++) {
            enum status stepped = dns_exchange_step(owners[i], st == ST_OK ? items[i].ready : 0);
            if (stepped != ST_OK) {
                return stepped;
            }
        }
    }
}

static enum status ask(struct dns *d, const struct dns_route *route, struct dns_question *questions,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dns_answer_init(&questions[i].answer);
    }
    if (count == 0) {
        return ST_OK;
    }
    enum status st = ST_NOMEM;
    struct dns_route own = *route;
    struct dns_exchange *x = calloc(count, sizeof(*x));
    own.scratch = malloc(DNS_MESSAGE_MAX);
    if (x == NULL || own.scratch == NULL) {
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        dns_exchange_init(&x[i], &own, &questions[i]);
    }
    st = run_exchanges(d, x, count);
    for (size_t i = 0; i < count; i++) {
        dns_exchange_stop(&x[i], st == ST_CANCELLED ? DNS_CANCELLED : DNS_UNREACHABLE);
        dns_exchange_free(&x[i]);
    }
    /* A wait that fails for another reason is a network that cannot be used; the answers say so. */
    if (st != ST_CANCELLED && st != ST_NOMEM) {
        st = ST_OK;
    }
out:
    free(own.scratch);
    free(x);
    return st;
}

enum status dns_ask_all(struct dns *d, struct dns_question *questions, size_t count)
{
    const struct dns_config *c = &d->config;
    struct dns_route route = {
        .net = d->net,
        .servers = c->servers,
        .server_count = c->server_count,
        .trusted = c->trusted,
        .source = c->source,
        .timeout_ms = c->timeout_ms,
        .rounds = c->tries,
    };
    return ask(d, &route, questions, count);
}

enum status dns_ask(struct dns *d, const char *name, uint16_t type, struct dns_answer *answer)
{
    struct dns_question question = {.name = name, .type = type};
    enum status st = dns_ask_all(d, &question, 1);
    *answer = question.answer;
    return st;
}

enum status dns_ask_server(struct dns *d, const struct net_address *server,
                           struct dns_question *question)
{
    struct net_address to = *server;
    if (to.port == 0) {
        to.port = DNS_PORT;
    }
    /* The user's word is about the configured servers, not about this one. */
    struct dns_route route = {
        .net = d->net,
        .servers = &to,
        .server_count = 1,
        .source = d->config.source,
        .timeout_ms = d->config.timeout_ms,
        .rounds = d->config.tries,
    };
    return ask(d, &route, question, 1);
}
