#include <stdlib.h>
#include <string.h>

#include "recorded.h"

#define BODY_MAX 8192 /* of one host's block */
#define PORTS_MAX 16

static bool is_ptr_of(const struct dns_facts *f, const struct net_address *a)
{
    char reverse[DNS_NAME_MAX];
    dns_reverse_name(a, reverse, sizeof(reverse));
    return f->type == DNS_PTR && a->family != 0 && dns_name_equal(f->name, reverse);
}

/* What reverse look-ups of the address said; NULL: nobody asked. */
static const struct dns_facts *ptr_of(const struct recorded *x, const struct net_address *a)
{
    char reverse[DNS_NAME_MAX];
    dns_reverse_name(a, reverse, sizeof(reverse));
    return a->family != 0 ? recorded_answer(x, reverse, DNS_PTR) : NULL;
}

static bool holds_address(const struct dns_facts *f, const struct net_address *a)
{
    for (size_t i = 0; i < f->count; i++) {
        struct net_address other;
        if ((f->type == DNS_A || f->type == DNS_AAAA) && net_address_parse(f->records[i], &other) &&
            net_address_same_host(a, &other)) {
            return true;
        }
    }
    return false;
}

static const char *owner_of(const struct dns_facts *f)
{
    return f->alias != NULL ? f->alias : f->name;
}

/* The name under which the address was found; that of the path, where there is one. */
static const char *name_of(const struct recorded *x, const struct net_address *a,
                           const struct facts *path)
{
    const char *found = NULL;
    for (size_t i = 0; i < x->r->answer_count; i++) {
        const struct record_answer *answer = &x->r->answers[i];
        if (answer->check != CHECK_DNS_ADDRESS || !holds_address(&answer->f, a)) {
            continue;
        }
        if (path != NULL && path->mx != NULL && dns_name_equal(answer->f.name, path->mx)) {
            return owner_of(&answer->f);
        }
        found = found != NULL ? found : owner_of(&answer->f);
    }
    return found != NULL ? found : path != NULL ? path->mx : NULL;
}

static enum status add_host(struct recorded *x, const struct net_address *a,
                            const struct facts *path)
{
    struct net_address plain = *a;
    plain.port = 0;
    for (size_t i = 0; i < x->host_count; i++) {
        if (net_address_same_host(&x->hosts[i].address, &plain)) {
            return ST_OK;
        }
    }
    if (x->host_count == RECORDED_HOSTS_MAX) {
        return ST_OK;
    }
    struct recorded_host *grown = realloc(x->hosts, (x->host_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return ST_NOMEM;
    }
    x->hosts = grown;
    x->hosts[x->host_count++] =
        (struct recorded_host){.address = plain, .path = path, .name = name_of(x, &plain, path)};
    return ST_OK;
}

/* "25.2.0.192.in-addr.arpa" of any address that is in the answers. */
static enum status add_asked_host(struct recorded *x, const struct dns_facts *ptr)
{
    for (size_t i = 0; i < x->r->answer_count; i++) {
        const struct dns_facts *f = &x->r->answers[i].f;
        for (size_t k = 0; k < f->count && x->r->answers[i].check == CHECK_DNS_ADDRESS; k++) {
            struct net_address a;
            if (net_address_parse(f->records[k], &a) && is_ptr_of(ptr, &a)) {
                return add_host(x, &a, NULL);
            }
        }
    }
    return ST_OK;
}

static bool is_host_with(const struct recorded *x, const struct net_address *a, const char *name)
{
    for (size_t i = 0; i < x->host_count; i++) {
        const struct recorded_host *h = &x->hosts[i];
        if (net_address_same_host(&h->address, a)) {
            return h->name != NULL && !h->hidden && dns_name_equal(h->name, name);
        }
    }
    return false;
}

static bool all_are_hosts(const struct recorded *x, const struct dns_facts *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct net_address a;
        if (!net_address_parse(f->records[i], &a) || !is_host_with(x, &a, owner_of(f))) {
            return false;
        }
    }
    return f->count > 0 && f->dropped == 0;
}

/* A block makes all records of its name; where they are not all known as such, none are made. */
static void hide_hosts(struct recorded *x)
{
    for (size_t i = 0; i < x->host_count; i++) {
        struct recorded_host *h = &x->hosts[i];
        bool known = false;
        bool good = h->name != NULL;
        for (size_t k = 0; good && k < x->r->answer_count; k++) {
            const struct dns_facts *f = &x->r->answers[k].f;
            bool about = (f->type == DNS_A || f->type == DNS_AAAA) && f->result == DNS_ANSWER &&
                         dns_name_equal(owner_of(f), h->name);
            good = !about || all_are_hosts(x, f);
            known = known || about;
        }
        h->hidden = !good || !known;
    }
}

bool recorded_is_made(const struct recorded *x, const struct dns_facts *f)
{
    bool address = f->type == DNS_A || f->type == DNS_AAAA;
    if (!address || f->result != DNS_ANSWER) {
        return false;
    }
    if (x->own_name != NULL && f->count == 1 && dns_name_equal(owner_of(f), x->own_name) &&
        holds_address(f, &x->own)) {
        return true;
    }
    return all_are_hosts(x, f);
}

static enum status find_hosts(struct recorded *x)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < x->r->dial_count; i++) {
        const struct record_dial *d = &x->r->dials[i];
        const struct facts *path = d->path < x->r->path_count ? x->r->paths[d->path] : NULL;
        st = d->f.no_route ? ST_OK : add_host(x, &d->f.to, path);
    }
    for (size_t i = 0; st == ST_OK && i < x->r->answer_count; i++) {
        const struct dns_facts *f = &x->r->answers[i].f;
        st = f->type == DNS_PTR ? add_asked_host(x, f) : ST_OK;
    }
    hide_hosts(x);
    return st;
}

static void take_local(struct recorded *x, const struct net_address *a)
{
    struct net_address plain = *a;
    plain.port = 0;
    if (a->family != 0 && x->local[a->family == 4 ? 0 : 1].family == 0) {
        x->local[a->family == 4 ? 0 : 1] = plain;
    }
}

static void find_own_side(struct recorded *x)
{
    const struct facts *self = x->r->path_count > 0 ? x->r->paths[0] : NULL;
    const struct finding *nat = recorded_finding(x, "self.address.nat");
    const struct finding *found = recorded_finding(x, "self.address.found");
    const char *own = NULL;
    if (self != NULL) {
        take_local(x, &self->local);
    }
    for (size_t i = 0; i < x->r->dial_count; i++) {
        take_local(x, &x->r->dials[i].f.local);
    }
    x->nat = nat != NULL;
    if (nat != NULL) {
        own = finding_arg_get(nat, "address");
    } else if (found != NULL && strcmp(finding_arg_get(found, "source"), "server") != 0) {
        own = finding_arg_get(found, "address");
    }
    if (own == NULL || !net_address_parse(own, &x->own)) {
        x->own = (struct net_address){.family = 0};
    }
}

static bool is_literal(const char *name)
{
    return name[0] == '[';
}

/*
 * The machine's own name matters where it decided what was said in EHLO. It was looked up for that,
 * unless it has no dot.
 */
static void find_own_name(struct recorded *x)
{
    const struct facts *self = x->r->path_count > 0 ? x->r->paths[0] : NULL;
    const struct dns_facts *ptr = ptr_of(x, &x->own);
    bool confirmed = self != NULL && self->own_ptr_confirmed && self->own_ptr != NULL;
    if (x->plan->helo != NULL || confirmed) {
        x->own_name = confirmed ? self->own_ptr : NULL;
        return;
    }
    for (size_t i = 0; i < x->r->answer_count; i++) {
        const struct record_answer *a = &x->r->answers[i];
        bool address = a->f.type == DNS_A || a->f.type == DNS_AAAA;
        bool of_ptr = false;
        for (size_t k = 0; ptr != NULL && k < ptr->count; k++) {
            of_ptr = of_ptr || dns_name_equal(ptr->records[k], a->f.name);
        }
        if (a->check == CHECK_SELF_PTR && address && !of_ptr) {
            x->own_name = a->f.name;
            return;
        }
    }
    for (size_t i = 1; i < x->r->path_count; i++) {
        const struct facts *f = x->r->paths[i];
        if (f != NULL && f->ehlo_name != NULL && !is_literal(f->ehlo_name)) {
            x->own_name = f->ehlo_name;
            return;
        }
    }
}

static enum status tell_own_side(struct recorded *x)
{
    const struct facts *self = x->r->path_count > 0 ? x->r->paths[0] : NULL;
    const struct dns_facts *ptr = ptr_of(x, &x->own);
    const char *own_ptr = self != NULL ? self->own_ptr : NULL;
    struct net_address seen = {.family = 0};
    enum status st = share_safe_own_address(x->share, &x->own);
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(x->local); i++) {
        st = share_safe_own_address(x->share, &x->local[i]);
    }
    if (st == ST_OK && self != NULL && self->own_address != NULL &&
        net_address_parse(self->own_address, &seen)) {
        st = share_safe_own_address(x->share, &seen);
    }
    if (st == ST_OK && own_ptr != NULL && recorded_found(x, "self.ptr.generic")) {
        st = share_safe_dynamic_name(x->share, own_ptr, &x->own);
    }
    const char *const names[] = {own_ptr, x->own_name, x->plan->helo};
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(names); i++) {
        st = share_safe_host(x->share, names[i], SHARE_OWN);
    }
    for (size_t i = 0; st == ST_OK && ptr != NULL && i < ptr->count; i++) {
        st = share_safe_host(x->share, ptr->records[i], SHARE_OWN);
    }
    for (size_t i = 1; st == ST_OK && i < x->r->path_count; i++) {
        const struct facts *f = x->r->paths[i];
        if (f != NULL && f->ehlo_name != NULL && !is_literal(f->ehlo_name)) {
            st = share_safe_host(x->share, f->ehlo_name, SHARE_OWN);
        }
    }
    return st;
}

static enum status tell_resolvers(struct recorded *x)
{
    enum status st = ST_OK;
    x->silent_resolver = x->r->answer_count > 0;
    for (size_t i = 0; st == ST_OK && i < x->r->answer_count; i++) {
        const struct dns_facts *f = &x->r->answers[i].f;
        st = f->direct ? ST_OK : share_safe_resolver(x->share, &f->server);
        x->silent_resolver = x->silent_resolver && f->result == DNS_UNREACHABLE;
    }
    return st;
}

enum status recorded_find_sides(struct recorded *x)
{
    find_own_side(x);
    find_own_name(x);
    enum status st = tell_own_side(x);
    if (st == ST_OK) {
        st = tell_resolvers(x);
    }
    return st == ST_OK ? find_hosts(x) : st;
}

/* What a "ptr" line says for this result; NULL: the names. */
static const char *ptr_word(enum dns_result result)
{
    switch (result) {
    case DNS_ANSWER:
        return NULL;
    case DNS_SERVFAIL:
        return "servfail";
    case DNS_TIMEOUT:
    case DNS_UNREACHABLE:
        return "timeout";
    case DNS_REFUSED:
        return "refused";
    default:
        return "none";
    }
}

static void put_ptr(struct recorded *x, const struct dns_facts *f, const char *own_name)
{
    const char *word = ptr_word(f->result);
    if (word == NULL && f->count == 1 && f->alias == NULL && own_name != NULL &&
        dns_name_equal(f->records[0], own_name)) {
        return; /* as it is where nothing is said */
    }
    recorded_put(x, "    ptr");
    for (size_t i = 0; word == NULL && i < f->count && i < RECORDED_WORDS_MAX; i++) {
        recorded_put(x, " ");
        recorded_put_name(x, f->records[i]);
    }
    recorded_put(x, "%s%s\n", word != NULL ? " " : "", word != NULL ? word : "");
}

static void put_resolver(struct recorded *x)
{
    char latency[32];
    const struct dns_facts *first = NULL;
    for (size_t i = 0; i < x->r->answer_count && first == NULL; i++) {
        const struct dns_facts *f = &x->r->answers[i].f;
        bool quick = f->result == DNS_ANSWER || f->result == DNS_NODATA ||
                     f->result == DNS_NXDOMAIN || x->silent_resolver;
        first = quick && !f->direct && f->server.family != 0 ? f : NULL;
    }
    if (first == NULL && !x->silent_resolver) {
        return;
    }
    recorded_put(x, "    resolver ");
    if (first != NULL) {
        recorded_put_address(x, &first->server);
    } else {
        recorded_put(x, "192.0.2.53");
    }
    if (!x->silent_resolver) {
        recorded_time(first->elapsed_us / US_PER_MS * US_PER_MS, latency, sizeof(latency));
        recorded_put(x, " latency %s", latency);
    }
    recorded_put(x, "%s\n", x->silent_resolver ? " unreachable" : "");
}

/* Name servers that answered were reached, so that there was an address to ask from. */
static bool had_family(const struct recorded *x, uint8_t family)
{
    bool answered = false;
    for (size_t i = 0; i < x->r->answer_count; i++) {
        const struct dns_facts *f = &x->r->answers[i].f;
        answered = answered || (f->server.family == family && f->result != DNS_UNREACHABLE);
    }
    return answered;
}

void recorded_put_me(struct recorded *x)
{
    const struct dns_facts *ptr = ptr_of(x, &x->own);
    static const char *const unknown[] = {"198.51.100.7", "2001:db8:51::7"};
    bool any = false;
    recorded_put(x, "\nme\n    name ");
    if (x->own_name != NULL) {
        recorded_put_name(x, x->own_name);
    } else {
        /* A name without a dot is never used. */
        recorded_put(x, "%s", "desk");
    }
    for (size_t i = 0; i < ARRAY_LEN(x->local); i++) {
        if (x->local[i].family == 0 && !had_family(x, i == 0 ? 4 : 6)) {
            continue;
        }
        recorded_put(x, "%s", any ? " " : "\n    address ");
        any = true;
        if (x->local[i].family != 0) {
            recorded_put_address(x, &x->local[i]);
        } else {
            recorded_put(x, "%s", unknown[i]);
        }
    }
    recorded_put(x, "\n");
    if (x->nat && x->own.family != 0) {
        recorded_put(x, "    seen-as ");
        recorded_put_address(x, &x->own);
        recorded_put(x, "\n");
    }
    if (ptr != NULL && ptr->result != DNS_MALFORMED) {
        put_ptr(x, ptr, x->own_name);
    }
    put_resolver(x);
}

static const char *port_word(const struct dial_facts *f)
{
    switch (f->status) {
    case ST_REFUSED:
        return "refuse";
    case ST_TIMEOUT:
        return "drop";
    case ST_RESET:
    case ST_EOF:
        return "aborted";
    case ST_DENIED:
        return "denied";
    case ST_LIMIT:
    case ST_IO:
        return "exhausted";
    case ST_OK:
        return NULL;
    default:
        return "unreachable";
    }
}

static const struct recorded_server *server_at(const struct recorded *x,
                                               const struct net_address *to)
{
    for (size_t i = 0; i < x->server_count; i++) {
        const struct recorded_server *s = &x->servers[i];
        if (net_address_same_host(&s->address, to) && s->address.port == to->port) {
            return s;
        }
    }
    return NULL;
}

/* What stands for the host: the time of a connection, or of a refusal where none was made. */
static int64_t latency_of(const struct recorded *x, const struct recorded_host *h)
{
    int64_t found = -1;
    for (size_t i = 0; i < x->r->dial_count; i++) {
        const struct dial_facts *f = &x->r->dials[i].f;
        bool mine = net_address_same_host(&f->to, &h->address);
        if (mine && f->status == ST_OK) {
            return f->elapsed_us;
        }
        found = mine && found < 0 && f->status == ST_REFUSED ? f->elapsed_us : found;
    }
    return found;
}

static void write_latency(int64_t us, char *out, size_t size)
{
    recorded_time(us > US_PER_MS ? us / US_PER_MS * US_PER_MS : US_PER_MS, out, size);
}

static enum status add_port(const struct recorded *x, const struct dial_facts *f,
                            int64_t latency_us, struct buf *out)
{
    char latency[32];
    const struct recorded_server *server = server_at(x, &f->to);
    const char *word = port_word(f);
    if (server != NULL) {
        return buf_addf(out, "    port %u %s%s\n", f->to.port, server->name,
                        server->tls_first ? " tls" : "");
    }
    /* Something on the way may have answered. */
    bool nearer = f->status == ST_REFUSED && f->elapsed_us < latency_us / 2;
    write_latency(f->elapsed_us, latency, sizeof(latency));
    return buf_addf(out, "    port %u %s%s%s\n", f->to.port, word != NULL ? word : "quiet",
                    nearer ? " latency " : "", nearer ? latency : "");
}

/* Latency and ports, as they were met. */
static enum status build_body(const struct recorded *x, const struct recorded_host *h,
                              struct buf *out)
{
    uint16_t ports[PORTS_MAX];
    char text[32];
    size_t n = 0;
    enum status st = ST_OK;
    int64_t latency_us = latency_of(x, h);
    if (latency_us >= 0) {
        write_latency(latency_us, text, sizeof(text));
        st = buf_addf(out, "    latency %s\n", text);
    }
    for (size_t i = 0; st == ST_OK && i < x->r->dial_count; i++) {
        const struct dial_facts *f = &x->r->dials[i].f;
        bool known = f->no_route || n == PORTS_MAX;
        if (!net_address_same_host(&f->to, &h->address)) {
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            known = known || ports[k] == f->to.port;
        }
        if (!known) {
            ports[n++] = f->to.port;
            st = add_port(x, f, latency_us, out);
        }
    }
    return st;
}

static void put_host(struct recorded *x, const struct recorded_host *h)
{
    struct buf body;
    const struct dns_facts *ptr = ptr_of(x, &h->address);
    buf_init(&body, BODY_MAX);
    recorded_keep(x, build_body(x, h, &body));
    recorded_put(x, "\nhost ");
    if (h->name != NULL) {
        recorded_put_name(x, h->name);
    } else {
        recorded_put(x, "mail.provider.example");
    }
    recorded_put(x, "\n    address ");
    recorded_put_address(x, &h->address);
    recorded_put(x, "\n%s", h->hidden ? "    hidden\n" : "");
    if (ptr != NULL) {
        put_ptr(x, ptr, h->name);
    }
    recorded_put(x, "%s", buf_str(&body));
    if (body.len == 0) {
        recorded_put(x, "    # not tried\n");
    }
    buf_free(&body);
}

void recorded_put_hosts(struct recorded *x)
{
    for (size_t i = 0; i < x->host_count; i++) {
        put_host(x, &x->hosts[i]);
    }
}
