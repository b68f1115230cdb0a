#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#include "scenario_rule.h"
#include "scenario_zone.h"
#include "text.h"

#define PROSE_MAX 8192
#define DEFAULT_LATENCY_US (20 * US_PER_MS)
#define DEFAULT_RESOLVER_LATENCY_US (8 * US_PER_MS)
/* 2026-11-23T12:00:00Z */
#define DEFAULT_CLOCK_US (INT64_C(1795435200) * US_PER_S)
#define DEFAULT_SEED 1

enum block { BLOCK_NONE, BLOCK_PROSE, BLOCK_ME, BLOCK_ZONE, BLOCK_HOST, BLOCK_SERVER };

struct context {
    struct scenario_reader r;
    struct scenario *s;
    enum block block;
    char **prose; /* BLOCK_PROSE: what continuation lines are added to */
};

/* Prose is the raw line: quotation marks and backslashes mean themselves. */
static enum status add_prose(struct context *c, char **slot, const char *text, const char *between)
{
    struct buf b;
    buf_init(&b, PROSE_MAX);
    enum status st = ST_OK;
    if (*slot != NULL && **slot != '\0') {
        st = buf_add_str(&b, *slot);
        if (st == ST_OK) {
            st = buf_add_str(&b, between);
        }
    }
    if (st == ST_OK) {
        st = buf_add_str(&b, text);
    }
    if (st == ST_LIMIT) {
        st = reader_fail(&c->r, _("expected at most %d bytes of text"), PROSE_MAX);
    } else if (st != ST_OK || str_set(slot, buf_str(&b)) != ST_OK) {
        st = reader_no_memory(&c->r);
    }
    buf_free(&b);
    return st;
}

static const char *behind_word(const struct context *c)
{
    const char *p = buf_str(&c->r.raw);
    p += strcspn(p, " \t");
    return p + strspn(p, " \t");
}

static enum status read_prose(struct context *c, char **slot, bool repeated)
{
    const char *text = behind_word(c);
    if (*text == '\0') {
        return reader_fail(&c->r, _("expected a text, found the end of the line"));
    }
    if (!repeated && *slot != NULL) {
        return reader_fail(&c->r, _("expected this line only once in a file"));
    }
    c->block = BLOCK_PROSE;
    c->prose = slot;
    return add_prose(c, slot, text, "\n");
}

static enum status read_title(struct context *c)
{
    return read_prose(c, &c->s->title, false);
}

static enum status read_story(struct context *c)
{
    return read_prose(c, &c->s->story, false);
}

static enum status read_goal(struct context *c)
{
    return read_prose(c, &c->s->goal, false);
}

static enum status read_hint(struct context *c)
{
    return read_prose(c, &c->s->hints, true);
}

static enum status read_options(struct context *c)
{
    return read_prose(c, &c->s->options, false);
}

static enum status read_target(struct context *c)
{
    return reader_word(&c->r, &c->s->target);
}

static enum status read_theme(struct context *c)
{
    return reader_word(&c->r, &c->s->theme);
}

static enum status read_expect(struct context *c)
{
    enum status st = reader_words(&c->r, &c->s->expect);
    if (st == ST_OK && c->s->expect.count > 32) {
        return reader_fail(&c->r, _("expected at most %d findings"), 32);
    }
    return st;
}

static enum status read_lesson(struct context *c)
{
    char found[80];
    const char *what = reader_found(&c->r, found, sizeof(found));
    enum status st = reader_number(&c->r, SCENARIO_LESSON_MAX, &c->s->lesson);
    if (st == ST_OK && c->s->lesson == 0) {
        return reader_fail(&c->r, _("expected a number from 1 to %d, found %s"),
                           SCENARIO_LESSON_MAX, what);
    }
    return st;
}

static enum status read_clock(struct context *c)
{
    return reader_clock(&c->r, &c->s->clock_us);
}

static enum status read_seed(struct context *c)
{
    return reader_number(&c->r, UINT32_MAX, &c->s->seed);
}

static enum status open_me(struct context *c)
{
    c->block = BLOCK_ME;
    return ST_OK;
}

static enum status open_zone(struct context *c)
{
    c->block = BLOCK_ZONE;
    return zone_open(&c->r, c->s);
}

/* A host's name goes into zones, so it has to be one. */
static enum status take_host_name(struct context *c, char **out)
{
    char found[80];
    struct wire_name wire;
    const struct scenario_word *w = reader_peek(&c->r);
    if (w == NULL || !wire_name_parse(w->p, &wire)) {
        return reader_fail(&c->r, _("expected a domain name, found %s"),
                           reader_found(&c->r, found, sizeof(found)));
    }
    return reader_word(&c->r, out);
}

static enum status open_host(struct context *c)
{
    struct scenario *s = c->s;
    struct scenario_host *grown = list_grow(s->hosts, s->host_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(&c->r);
    }
    s->hosts = grown;
    struct scenario_host *h = &grown[s->host_count++];
    h->latency_us = DEFAULT_LATENCY_US;
    c->block = BLOCK_HOST;
    return take_host_name(c, &h->name);
}

static const char *const port_words[] = {
    [PORT_REFUSE] = "refuse",
    [PORT_DROP] = "drop",
    [PORT_RESET] = "reset",
    [PORT_CLOSE] = "close",
    [PORT_UNREACHABLE] = "unreachable",
    [PORT_ABORTED] = "aborted",
    [PORT_DENIED] = "denied",
    [PORT_EXHAUSTED] = "exhausted",
};

static size_t find_server(const struct scenario *s, const char *name)
{
    size_t i = 0;
    while (i < s->server_count && strcmp(s->servers[i].name, name) != 0) {
        i++;
    }
    return i;
}

static enum status open_server(struct context *c)
{
    struct scenario *s = c->s;
    const struct scenario_word *w = reader_peek(&c->r);
    if (w != NULL && find_server(s, w->p) < s->server_count) {
        return reader_fail(&c->r, _("expected another name: there is a server with this one"));
    }
    for (size_t i = 0; w != NULL && i < ARRAY_LEN(port_words); i++) {
        if (strcmp(w->p, port_words[i]) == 0) {
            return reader_fail(&c->r, _("expected another name: this word stands for what a port "
                                        "does"));
        }
    }
    if (w != NULL && strlen(w->p) > SCENARIO_NAME_MAX) {
        return reader_fail(&c->r, _("expected a name of at most %d bytes"), SCENARIO_NAME_MAX);
    }
    struct scenario_server *grown = list_grow(s->servers, s->server_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(&c->r);
    }
    s->servers = grown;
    c->block = BLOCK_SERVER;
    struct scenario_server *server = &grown[s->server_count];
    enum status st = reader_word(&c->r, &server->name);
    if (st == ST_OK) {
        s->server_count++;
    }
    return st;
}

struct top_word {
    const char *word;
    bool prose;
    enum status (*read)(struct context *c);
};

static const struct top_word top_words[] = {
    {"title", true, read_title},    {"story", true, read_story},     {"goal", true, read_goal},
    {"hint", true, read_hint},      {"options", true, read_options}, {"theme", false, read_theme},
    {"target", false, read_target}, {"expect", false, read_expect},  {"lesson", false, read_lesson},
    {"clock", false, read_clock},   {"seed", false, read_seed},      {"me", false, open_me},
    {"zone", false, open_zone},     {"host", false, open_host},      {"server", false, open_server},
};

static bool line_begins(const struct context *c, const char *word)
{
    const char *raw = buf_str(&c->r.raw);
    size_t n = strlen(word);
    return strncmp(raw, word, n) == 0 && (raw[n] == '\0' || raw[n] == ' ' || raw[n] == '\t');
}

static enum status top_line(struct context *c)
{
    c->block = BLOCK_NONE;
    for (size_t i = 0; i < ARRAY_LEN(top_words); i++) {
        if (!line_begins(c, top_words[i].word)) {
            continue;
        }
        if (top_words[i].prose) {
            return top_words[i].read(c);
        }
        enum status st = reader_split(&c->r, false);
        if (st == ST_OK) {
            (void)reader_take(&c->r);
            st = top_words[i].read(c);
        }
        return st == ST_OK ? reader_end(&c->r) : st;
    }
    char found[80];
    enum status st = reader_split(&c->r, false);
    return st != ST_OK ? st
                       : reader_fail(&c->r,
                                     _("expected title, theme, story, goal, hint, target, options, "
                                       "expect, lesson, clock, seed, me, zone, host or server, "
                                       "found %s"),
                                     reader_found(&c->r, found, sizeof(found)));
}

static enum status read_addresses(struct context *c, struct net_address **list, size_t *count)
{
    do {
        struct net_address *grown = list_grow(*list, *count, sizeof(*grown));
        if (grown == NULL) {
            return reader_no_memory(&c->r);
        }
        *list = grown;
        enum status st = reader_address(&c->r, &grown[*count]);
        if (st != ST_OK) {
            return st;
        }
        (*count)++;
    } while (reader_peek(&c->r) != NULL);
    return ST_OK;
}

static enum status read_ptr(struct context *c, struct scenario_ptr *ptr)
{
    ptr->given = true;
    if (reader_accept(&c->r, "none") || fault_accept(&c->r, DNS_FAULT_REFUSED, &ptr->fault)) {
        return ST_OK;
    }
    do {
        char *name = NULL;
        enum status st = take_host_name(c, &name);
        if (st == ST_OK) {
            st = strings_add(&c->r, &ptr->names, name);
        }
        if (st != ST_OK) {
            return st;
        }
    } while (reader_peek(&c->r) != NULL);
    return ST_OK;
}

static enum status read_resolver(struct context *c)
{
    struct scenario *s = c->s;
    struct scenario_resolver *grown = list_grow(s->resolvers, s->resolver_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(&c->r);
    }
    s->resolvers = grown;
    struct scenario_resolver *res = &grown[s->resolver_count++];
    res->latency_us = DEFAULT_RESOLVER_LATENCY_US;
    enum status st = reader_address(&c->r, &res->address);
    if (st == ST_OK && reader_accept(&c->r, "latency")) {
        st = reader_time(&c->r, false, &res->latency_us);
    }
    if (st == ST_OK) {
        (void)fault_accept(&c->r, DNS_FAULT_UNREACHABLE, &res->fault);
    }
    return st;
}

static enum status me_line(struct context *c)
{
    struct scenario_me *me = &c->s->me;
    char found[80];
    if (reader_accept(&c->r, "name")) {
        return take_host_name(c, &me->name);
    }
    if (reader_accept(&c->r, "address")) {
        return read_addresses(c, &me->addresses, &me->address_count);
    }
    if (reader_accept(&c->r, "seen-as")) {
        struct net_address a;
        enum status st = reader_address(&c->r, &a);
        if (st == ST_OK) {
            me->seen_as[a.family == 4 ? 0 : 1] = a;
        }
        return st;
    }
    if (reader_accept(&c->r, "ptr")) {
        return read_ptr(c, &me->ptr);
    }
    if (reader_accept(&c->r, "resolver")) {
        return read_resolver(c);
    }
    return reader_fail(&c->r, _("expected name, address, seen-as, ptr or resolver, found %s"),
                       reader_found(&c->r, found, sizeof(found)));
}

static enum status read_port_cut(struct context *c, struct scenario_port *port)
{
    static const char *const cuts[] = {
        [CUT_RESET] = "reset-at", [CUT_CLOSE] = "close-at", [CUT_STALL] = "stall-at"};
    port->tls = reader_accept(&c->r, "tls");
    for (int i = CUT_RESET; i <= CUT_STALL; i++) {
        if (reader_accept(&c->r, cuts[i])) {
            port->cut = (enum port_cut)i;
            return reader_number(&c->r, UINT32_MAX, &port->cut_at);
        }
    }
    char found[80];
    return reader_peek(&c->r) == NULL
               ? ST_OK
               : reader_fail(&c->r, _("expected tls, reset-at, close-at or stall-at, found %s"),
                             reader_found(&c->r, found, sizeof(found)));
}

static enum status read_port(struct context *c, struct scenario_host *h)
{
    struct scenario_port *grown = list_grow(h->ports, h->port_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(&c->r);
    }
    h->ports = grown;
    struct scenario_port *port = &grown[h->port_count++];
    port->line = c->r.line;
    port->latency_us = -1;
    uint64_t number = 0;
    enum status st = ST_OK;
    if (!reader_accept(&c->r, "*")) {
        st = reader_number(&c->r, UINT16_MAX, &number);
    }
    port->port = (uint16_t)number;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(port_words); i++) {
        if (reader_accept(&c->r, port_words[i])) {
            port->kind = (enum port_kind)i;
            return reader_accept(&c->r, "latency") ? reader_time(&c->r, false, &port->latency_us)
                                                   : ST_OK;
        }
    }
    if (st == ST_OK && reader_peek(&c->r) == NULL) {
        return reader_fail(&c->r, _("expected refuse, drop, reset, close, unreachable, aborted, "
                                    "denied, exhausted or the name of a server"));
    }
    port->kind = PORT_SERVER;
    st = st == ST_OK ? reader_word(&c->r, &port->server_name) : st;
    return st == ST_OK ? read_port_cut(c, port) : st;
}

static enum status host_line(struct context *c)
{
    struct scenario_host *h = &c->s->hosts[c->s->host_count - 1];
    char found[80];
    if (reader_accept(&c->r, "address")) {
        return read_addresses(c, &h->addresses, &h->address_count);
    }
    if (reader_accept(&c->r, "hidden")) {
        h->hidden = true;
        return ST_OK;
    }
    if (reader_accept(&c->r, "latency")) {
        return reader_time(&c->r, false, &h->latency_us);
    }
    if (reader_accept(&c->r, "ptr")) {
        return read_ptr(c, &h->ptr);
    }
    if (reader_accept(&c->r, "port")) {
        return read_port(c, h);
    }
    return reader_fail(&c->r, _("expected address, hidden, latency, ptr or port, found %s"),
                       reader_found(&c->r, found, sizeof(found)));
}

static enum status indented_line(struct context *c)
{
    if (c->block == BLOCK_PROSE) {
        return add_prose(c, c->prose, buf_str(&c->r.raw), " ");
    }
    if (c->block == BLOCK_SERVER) {
        return server_line(&c->r, &c->s->servers[c->s->server_count - 1]);
    }
    enum status st = reader_split(&c->r, false);
    if (st != ST_OK) {
        return st;
    }
    switch (c->block) {
    case BLOCK_ME:
        st = me_line(c);
        break;
    case BLOCK_ZONE:
        st = zone_record(&c->r, c->s);
        break;
    case BLOCK_HOST:
        st = host_line(c);
        break;
    case BLOCK_NONE:
    case BLOCK_PROSE:
    case BLOCK_SERVER:
        return reader_fail(&c->r, _("expected a line that begins in the first column"));
    }
    return st == ST_OK ? reader_end(&c->r) : st;
}

/* Server names in port lines may come before the server's block. */
static enum status resolve_servers(struct context *c)
{
    for (size_t i = 0; i < c->s->host_count; i++) {
        struct scenario_host *h = &c->s->hosts[i];
        for (size_t k = 0; k < h->port_count; k++) {
            struct scenario_port *port = &h->ports[k];
            if (port->kind != PORT_SERVER) {
                continue;
            }
            port->server = find_server(c->s, port->server_name);
            if (port->server == c->s->server_count) {
                c->r.line = port->line;
                return reader_fail(&c->r,
                                   _("expected refuse, drop, reset, close, unreachable, "
                                     "aborted, denied, exhausted or the name of a server block; "
                                     "there is none called %s"),
                                   port->server_name);
            }
        }
    }
    return ST_OK;
}

static enum status add_default_address(struct context *c, const char *text)
{
    struct scenario_me *me = &c->s->me;
    struct net_address *grown = list_grow(me->addresses, me->address_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(&c->r);
    }
    me->addresses = grown;
    (void)net_address_parse(text, &grown[me->address_count++]);
    return ST_OK;
}

static enum status default_text(struct context *c, char **slot, const char *text)
{
    return *slot != NULL || str_set(slot, text) == ST_OK ? ST_OK : reader_no_memory(&c->r);
}

static enum status add_defaults(struct context *c)
{
    struct scenario *s = c->s;
    if (s->title == NULL || s->target == NULL) {
        return s->title == NULL ? reader_fail(&c->r, _("expected a line that begins with title"))
                                : reader_fail(&c->r, _("expected a line that begins with target"));
    }
    enum status st = default_text(c, &s->theme, "other");
    st = st == ST_OK ? default_text(c, &s->story, "") : st;
    st = st == ST_OK ? default_text(c, &s->goal, "") : st;
    st = st == ST_OK ? default_text(c, &s->hints, "") : st;
    st = st == ST_OK ? default_text(c, &s->options, "") : st;
    st = st == ST_OK ? default_text(c, &s->me.name, "desk.office.example") : st;
    if (st == ST_OK && s->me.address_count == 0) {
        st = add_default_address(c, "198.51.100.7");
        st = st == ST_OK ? add_default_address(c, "2001:db8:51::7") : st;
    }
    if (st == ST_OK && s->resolver_count == 0) {
        struct scenario_resolver *res = list_grow(NULL, 0, sizeof(*res));
        if (res == NULL) {
            return reader_no_memory(&c->r);
        }
        s->resolvers = res;
        s->resolver_count = 1;
        res->latency_us = DEFAULT_RESOLVER_LATENCY_US;
        (void)net_address_parse("192.0.2.53", &res->address);
    }
    return st;
}

enum status scenario_read(const char *file, const char *text, size_t len, struct scenario **out,
                          struct error *error)
{
    struct context c = {.block = BLOCK_NONE};
    *out = NULL;
    reader_init(&c.r, file, text, len, error);
    c.s = calloc(1, sizeof(*c.s));
    if (c.s == NULL) {
        return reader_no_memory(&c.r);
    }
    c.s->clock_us = DEFAULT_CLOCK_US;
    c.s->seed = DEFAULT_SEED;
    enum status st;
    while ((st = reader_line(&c.r)) == ST_OK) {
        st = c.r.indented ? indented_line(&c) : top_line(&c);
        if (st != ST_OK) {
            break;
        }
    }
    st = st == ST_EOF ? ST_OK : st;
    st = st == ST_OK ? add_defaults(&c) : st;
    st = st == ST_OK ? resolve_servers(&c) : st;
    st = st == ST_OK ? zone_add_hosts(&c.r, c.s) : st;
    reader_free(&c.r);
    if (st != ST_OK) {
        scenario_free(c.s);
        return st;
    }
    *out = c.s;
    return ST_OK;
}

static void host_free(struct scenario_host *h)
{
    for (size_t i = 0; i < h->port_count; i++) {
        free(h->ports[i].server_name);
    }
    free(h->ports);
    free(h->addresses);
    strings_free(&h->ptr.names);
    free(h->name);
}

void scenario_free(struct scenario *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->host_count; i++) {
        host_free(&s->hosts[i]);
    }
    for (size_t i = 0; i < s->server_count; i++) {
        server_free(&s->servers[i]);
    }
    for (size_t i = 0; i < s->record_count; i++) {
        free(s->records[i].rdata);
    }
    for (size_t i = 0; i < s->zone_count; i++) {
        free(s->zones[i].name);
    }
    free(s->hosts);
    free(s->servers);
    free(s->records);
    free(s->zones);
    free(s->resolvers);
    strings_free(&s->expect);
    strings_free(&s->me.ptr.names);
    free(s->me.addresses);
    free(s->me.name);
    free(s->title);
    free(s->theme);
    free(s->story);
    free(s->goal);
    free(s->hints);
    free(s->target);
    free(s->options);
    free(s);
}
