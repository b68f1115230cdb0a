#include "practice_spot.h"

#include <string.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include "escape.h"
#include "practice_dns.h"
#include "text.h"

#define ANSWER_MAX 65535
#define EXCHANGES_MAX 64
#define DEFAULT_PORT 25
#define LIST_MAX 100      /* of the servers that there are, in a sentence */
#define NAME_SHOWN_MAX 64 /* of the one that was looked for */

struct exchange {
    unsigned preference;
    char name[NS_MAXDNAME];
};

/* What was looked at in vain, for the sentence. */
struct search {
    struct practice *w;
    const struct serve_wish *wish;
    struct spot *out;
    const struct scenario_host *host; /* the first that is no use; NULL: none was found */
    uint16_t number;
    enum port_kind kind;
};

/* A connection that was accepted can still be reset or closed, but no longer be refused. */
static bool can_be_acted_out(const struct scenario_port *port)
{
    return port != NULL &&
           (port->kind == PORT_SERVER || port->kind == PORT_RESET || port->kind == PORT_CLOSE);
}

static const struct scenario_port *pick_port(const struct scenario_host *h, uint16_t number)
{
    const struct scenario_port *port = world_find_port(h, number != 0 ? number : DEFAULT_PORT);
    for (size_t i = 0; number == 0 && !can_be_acted_out(port) && i < h->port_count; i++) {
        port = &h->ports[i];
    }
    return port;
}

/* Takes this host at this address if it has what was wished for. */
static bool try_host(struct search *s, const struct scenario_host *h, const struct net_address *a)
{
    struct net_address source;
    const struct scenario_port *port = pick_port(h, s->wish->port);
    uint16_t asked = s->wish->port != 0 ? s->wish->port : DEFAULT_PORT;
    world_source(s->w, a, &source);
    if (can_be_acted_out(port) && source.family != 0) {
        *s->out = (struct spot){.host = h, .port = port, .address = *a};
        s->out->address.port = port->port != 0 ? port->port : asked;
        return true;
    }
    if (s->host == NULL) {
        s->host = h;
        s->number = asked;
        s->kind = source.family == 0 ? PORT_UNREACHABLE : port != NULL ? port->kind : PORT_REFUSE;
    }
    return false;
}

/* Asks the scenario's name servers, in their order. False: no answer. */
static bool ask(struct search *s, const char *name, uint16_t type, struct buf *answer, ns_msg *msg)
{
    struct wire_name wire;
    uint8_t query[NS_HFIXEDSZ + WIRE_NAME_MAX + NS_QFIXEDSZ] = {
        [2] = 1, [5] = 1}; /* RD, 1 question */
    if (!wire_name_parse(name, &wire)) {
        return false;
    }
    uint8_t *p = query + NS_HFIXEDSZ;
    memcpy(p, wire.p, wire.len);
    p += wire.len;
    p[0] = (uint8_t)(type >> 8);
    p[1] = (uint8_t)type;
    p[2] = 0;
    p[3] = ns_c_in;
    size_t len = NS_HFIXEDSZ + (size_t)wire.len + NS_QFIXEDSZ;
    for (size_t i = 0; i < s->w->s->resolver_count; i++) {
        const struct scenario_resolver *r = &s->w->s->resolvers[i];
        if (r->fault == DNS_FAULT_NONE && dns_respond(s->w, r, true, query, len, answer) &&
            ns_initparse((const uint8_t *)answer->p, (int)answer->len, msg) == 0) {
            return true;
        }
    }
    return false;
}

static bool try_records(struct search *s, const ns_msg *msg)
{
    for (int i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
        ns_msg copy = *msg;
        ns_rr rr;
        if (ns_parserr(&copy, ns_s_an, i, &rr) != 0) {
            return false;
        }
        struct net_address a = {.family = ns_rr_type(rr) == ns_t_a ? 4 : 6};
        size_t size = a.family == 4 ? 4 : 16;
        if ((ns_rr_type(rr) != ns_t_a && ns_rr_type(rr) != ns_t_aaaa) || ns_rr_rdlen(rr) != size) {
            continue;
        }
        memcpy(a.bytes, ns_rr_rdata(rr), size);
        const struct scenario_host *h = world_find_host(s->w, &a);
        if (h != NULL && try_host(s, h, &a)) {
            return true;
        }
    }
    return false;
}

/* The address family of the socket first, so that what is said of families is true. */
static bool try_name(struct search *s, const char *name)
{
    bool found = false;
    bool six_first = s->wish->listen.family == 6;
    struct buf answer;
    ns_msg msg;
    buf_init(&answer, ANSWER_MAX);
    for (int i = 0; i < 2 && !found; i++) {
        bool six = (i == 0) == six_first;
        found = ask(s, name, six ? ns_t_aaaa : ns_t_a, &answer, &msg) && try_records(s, &msg);
    }
    buf_free(&answer);
    return found;
}

/* Sorted by preference; equal ones keep their order. */
static size_t read_exchanges(const ns_msg *msg, struct exchange out[EXCHANGES_MAX])
{
    size_t count = 0;
    for (int i = 0; i < ns_msg_count(*msg, ns_s_an) && count < EXCHANGES_MAX; i++) {
        ns_msg copy = *msg;
        ns_rr rr;
        struct exchange e;
        if (ns_parserr(&copy, ns_s_an, i, &rr) != 0) {
            break;
        }
        if (ns_rr_type(rr) != ns_t_mx || ns_rr_rdlen(rr) < 3 ||
            ns_name_uncompress(ns_msg_base(copy), ns_msg_end(copy), ns_rr_rdata(rr) + 2, e.name,
                               sizeof(e.name)) < 0) {
            continue;
        }
        e.preference = (unsigned)ns_get16(ns_rr_rdata(rr));
        size_t at = count++;
        for (; at > 0 && out[at - 1].preference > e.preference; at--) {
            out[at] = out[at - 1];
        }
        out[at] = e;
    }
    return count;
}

static bool try_domain(struct search *s, const char *domain)
{
    struct exchange exchanges[EXCHANGES_MAX];
    struct buf answer;
    ns_msg msg;
    bool found = false;
    buf_init(&answer, ANSWER_MAX);
    if (ask(s, domain, ns_t_mx, &answer, &msg)) {
        size_t count = read_exchanges(&msg, exchanges);
        for (size_t i = 0; i < count && !found; i++) {
            found = try_name(s, exchanges[i].name);
        }
        /* Without MX records the domain itself stands in (RFC 5321 5.1). */
        found = found || (count == 0 && try_name(s, domain));
    }
    buf_free(&answer);
    return found;
}

/* By the name of its block, also where DNS does not know it or says something else. */
static bool try_block(struct search *s, const char *name)
{
    for (int i = 0; i < 2; i++) {
        uint8_t family = (i == 0) == (s->wish->listen.family == 6) ? 6 : 4;
        for (size_t h = 0; h < s->w->s->host_count; h++) {
            const struct scenario_host *host = &s->w->s->hosts[h];
            for (size_t k = 0; k < host->address_count; k++) {
                if (str_equal_nocase(host->name, name) && host->addresses[k].family == family &&
                    try_host(s, host, &host->addresses[k])) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool try_wish(struct search *s)
{
    struct net_address a;
    const struct serve_wish *wish = s->wish;
    if (wish->host == NULL) {
        return wish->domain != NULL && try_domain(s, wish->domain);
    }
    if (net_address_parse(wish->host, &a)) {
        const struct scenario_host *h = world_find_host(s->w, &a);
        return h != NULL && try_host(s, h, &a);
    }
    return try_block(s, wish->host) || try_name(s, wish->host);
}

static bool is_reachable(const struct practice *w, const struct scenario_host *h)
{
    for (size_t i = 0; i < h->address_count; i++) {
        struct net_address source;
        world_source(w, &h->addresses[i], &source);
        if (source.family != 0) {
            return true;
        }
    }
    return false;
}

/* "mx1.example.org:25, mail.example.org:587"; what fits is enough to go on with. */
static enum status list_servers(const struct practice *w, struct buf *list)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < w->s->host_count && st == ST_OK; i++) {
        const struct scenario_host *h = &w->s->hosts[i];
        for (size_t k = 0; is_reachable(w, h) && k < h->port_count && st == ST_OK; k++) {
            const char *comma = list->len > 0 ? ", " : "";
            const struct scenario_port *port = &h->ports[k];
            if (can_be_acted_out(port) && port->port != 0) {
                st = buf_addf(list, "%s%s:%u", comma, h->name, port->port);
            } else if (can_be_acted_out(port)) {
                st = buf_addf(list, "%s%s:*", comma, h->name);
            }
        }
    }
    return st;
}

static enum status add_reason(const struct search *s, struct buf *out)
{
    char name[NAME_SHOWN_MAX];
    const struct serve_wish *wish = s->wish;
    const char *asked = wish->host != NULL ? wish->host : wish->domain != NULL ? wish->domain : "";
    const char *text = s->host != NULL ? s->host->name : asked;
    escape_copy(name, sizeof(name), text, strlen(text), 0);
    if (s->host == NULL) {
        return buf_addf(out, _("In this scenario %s leads to no server."), name);
    }
    switch (s->kind) {
    case PORT_DROP:
        return buf_addf(out, _("Port %u of %s drops all packets, which an open socket cannot."),
                        s->number, name);
    case PORT_UNREACHABLE:
        return buf_addf(out, _("Port %u of %s is unreachable, which an open socket cannot be."),
                        s->number, name);
    default:
        return buf_addf(out, _("Port %u of %s refuses connections, which an open socket cannot."),
                        s->number, name);
    }
}

static enum status say_why(const struct search *s, struct error *error)
{
    char shown[LIST_MAX + 1];
    struct buf reason, list;
    buf_init(&reason, sizeof(error->text));
    buf_init(&list, LIST_MAX);
    (void)list_servers(s->w, &list);
    escape_copy(shown, sizeof(shown), buf_str(&list), list.len, 0);
    enum status st = add_reason(s, &reason);
    if (st == ST_OK && list.len > 0) {
        st = error_set(error, ST_INVALID, 0,
                       _("%s The scenario has: %s. Choose with --host and --port."),
                       buf_str(&reason), shown);
    } else if (st == ST_OK) {
        st = error_set(error, ST_INVALID, 0, _("%s The scenario has no server to offer instead."),
                       buf_str(&reason));
    } else {
        error_set(error, st, 0, _("There is not enough memory."));
    }
    buf_free(&reason);
    buf_free(&list);
    return st;
}

enum status spot_find(struct practice *w, const struct serve_wish *wish, struct spot *out,
                      struct error *error)
{
    struct search s = {.w = w, .wish = wish, .out = out};
    return try_wish(&s) ? ST_OK : say_why(&s, error);
}
