#include "practice_dns.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/nameser.h>

/* Links of CNAMEs that are followed inside one answer. */
#define CHAIN_MAX 16
/* What a client without EDNS can take by UDP (RFC 1035 4.2.1). */
#define UDP_MAX 512
#define EDE_DNSSEC_BOGUS 6 /* RFC 8914 4.7 */

struct question {
    uint16_t id, flags, type, class;
    struct wire_name name;
    const uint8_t *wire; /* the question section as it came, whose letters are echoed */
    size_t wire_len;
    bool edns, dnssec_ok;
    size_t udp_max;
};

struct response {
    const struct practice *w;
    const struct scenario_resolver *resolver;
    struct buf *out;
    struct wire_name name; /* after following CNAMEs */
    unsigned rcode, answers, authority;
    bool authentic, room;
    enum dns_fault fault;
    int ede;
};

static bool read_name(const uint8_t *p, size_t len, struct wire_name *out, size_t *used)
{
    size_t at = 0;
    while (at < len) {
        size_t label = p[at];
        if (label > 63 || at + label + 1 > WIRE_NAME_MAX || at + label + 1 > len) {
            return false;
        }
        at += label + 1;
        if (label == 0) {
            memset(out, 0, sizeof(*out));
            memcpy(out->p, p, at);
            out->len = (uint8_t)at;
            wire_lower(out->p, out->len);
            *used = at;
            return true;
        }
    }
    return false;
}

/* Looks for OPT, the only record that a query of ours carries besides the question. */
static void read_opt(const uint8_t *p, size_t len, struct question *q)
{
    if (len >= 11 && p[0] == 0 && ns_get16(p + 1) == ns_t_opt) {
        q->edns = true;
        q->udp_max = ns_get16(p + 3);
        q->udp_max = q->udp_max < UDP_MAX ? UDP_MAX : q->udp_max;
        q->dnssec_ok = (p[7] & 0x80) != 0;
    }
}

static bool read_question(const uint8_t *p, size_t len, struct question *q)
{
    memset(q, 0, sizeof(*q));
    if (len < NS_HFIXEDSZ) {
        return false;
    }
    q->id = (uint16_t)ns_get16(p);
    q->flags = (uint16_t)ns_get16(p + 2);
    q->udp_max = UDP_MAX;
    size_t used = 0;
    if ((q->flags & 0x8000) != 0 || ns_get16(p + 4) != 1 ||
        !read_name(p + NS_HFIXEDSZ, len - NS_HFIXEDSZ, &q->name, &used) ||
        len - NS_HFIXEDSZ - used < 4) {
        return false;
    }
    q->wire = p + NS_HFIXEDSZ;
    q->wire_len = used + 4;
    q->type = (uint16_t)ns_get16(q->wire + used);
    q->class = (uint16_t)ns_get16(q->wire + used + 2);
    if (ns_get16(p + 10) > 0) {
        read_opt(q->wire + q->wire_len, len - NS_HFIXEDSZ - q->wire_len, q);
    }
    return true;
}

static void add(struct response *r, const void *p, size_t len)
{
    r->room = r->room && buf_add(r->out, p, len) == ST_OK;
}

static void add16(struct response *r, unsigned v)
{
    uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    add(r, b, sizeof(b));
}

static void add32(struct response *r, uint32_t v)
{
    add16(r, v >> 16);
    add16(r, v & 0xffff);
}

static void add_record(struct response *r, const struct wire_name *owner, unsigned type,
                       uint32_t ttl, const void *rdata, size_t len)
{
    add(r, owner->p, owner->len);
    add16(r, type);
    add16(r, ns_c_in);
    add32(r, ttl);
    add16(r, (unsigned)len);
    add(r, rdata, len);
}

static void prefix_name(const char *label, const struct wire_name *zone, struct wire_name *out)
{
    size_t n = strlen(label);
    *out = *zone;
    if (n + 1 + zone->len <= WIRE_NAME_MAX) {
        out->p[0] = (uint8_t)n;
        memcpy(out->p + 1, label, n);
        memcpy(out->p + 1 + n, zone->p, zone->len);
        out->len = (uint8_t)(n + 1 + zone->len);
    }
}

/* The zone's own SOA, or one made up. */
static void add_soa(struct response *r, size_t zone)
{
    static const uint8_t numbers[20] = {0x6a, 0xba, 0x2d, 0x9f, 0,    0, 0x1c, 0x20, 0, 0,
                                        0x0e, 0x10, 0,    0x12, 0x75, 0, 0,    0,    1, 0x2c};
    const struct scenario *s = r->w->s;
    const struct scenario_zone *z = &s->zones[zone];
    for (size_t i = 0; i < s->record_count; i++) {
        const struct scenario_record *rec = &s->records[i];
        if (rec->zone == zone && rec->type == ns_t_soa && rec->fault == DNS_FAULT_NONE) {
            add_record(r, &rec->owner, ns_t_soa, rec->ttl, rec->rdata, rec->rdata_len);
            return;
        }
    }
    struct wire_name mname;
    struct wire_name rname;
    uint8_t rdata[2 * WIRE_NAME_MAX + sizeof(numbers)];
    prefix_name("ns1", &z->origin, &mname);
    prefix_name("hostmaster", &z->origin, &rname);
    memcpy(rdata, mname.p, mname.len);
    memcpy(rdata + mname.len, rname.p, rname.len);
    memcpy(rdata + mname.len + rname.len, numbers, sizeof(numbers));
    add_record(r, &z->origin, ns_t_soa, z->ttl, rdata,
               (size_t)mname.len + rname.len + sizeof(numbers));
}

/* The closest zone; one that only this resolver knows is preferred. SIZE_MAX: none. */
static size_t find_zone(const struct response *r, const struct wire_name *name)
{
    const struct scenario *s = r->w->s;
    size_t best = SIZE_MAX;
    unsigned best_score = 0;
    for (size_t i = 0; i < s->zone_count; i++) {
        const struct scenario_zone *z = &s->zones[i];
        bool ours = z->via.family != 0 && net_address_same_host(&z->via, &r->resolver->address);
        if ((z->via.family != 0 && !ours) || !wire_name_within(name, &z->origin)) {
            continue;
        }
        unsigned score = 2u * z->origin.len + (ours ? 1 : 0);
        if (best == SIZE_MAX || score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

/* What one zone has at a name. */
struct owner_scan {
    bool exists; /* records there, or names below */
    bool type, cname;
    enum dns_fault fault;
};

static struct owner_scan scan_owner(const struct response *r, size_t zone,
                                    const struct wire_name *name, uint16_t type)
{
    const struct scenario *s = r->w->s;
    struct owner_scan scan = {.exists = wire_name_equal(name, &s->zones[zone].origin)};
    for (size_t i = 0; i < s->record_count; i++) {
        const struct scenario_record *rec = &s->records[i];
        if (rec->zone != zone || !wire_name_within(&rec->owner, name)) {
            continue;
        }
        scan.exists = true;
        if (!wire_name_equal(&rec->owner, name)) {
            continue;
        }
        if (rec->fault != DNS_FAULT_NONE) {
            if (rec->type == 0 || rec->type == type) {
                scan.fault = rec->fault;
            }
        } else if (rec->type == type) {
            scan.type = true;
        } else if (rec->type == ns_t_cname) {
            scan.cname = true;
        }
    }
    return scan;
}

/* Puts in the records of one type; `owner` is where they are found, `shown` whose they are said to
 * be. */
static const struct scenario_record *add_records(struct response *r, size_t zone,
                                                 const struct wire_name *owner,
                                                 const struct wire_name *shown, uint16_t type)
{
    const struct scenario *s = r->w->s;
    const struct scenario_record *first = NULL;
    for (size_t i = 0; i < s->record_count; i++) {
        const struct scenario_record *rec = &s->records[i];
        if (rec->zone == zone && rec->type == type && rec->fault == DNS_FAULT_NONE &&
            wire_name_equal(&rec->owner, owner)) {
            add_record(r, shown, type, rec->ttl, rec->rdata, rec->rdata_len);
            r->answers++;
            first = first != NULL ? first : rec;
        }
    }
    return first;
}

/* The name with its first labels replaced by an asterisk, from the closest to the zone's apex. */
static bool find_wildcard(const struct response *r, size_t zone, const struct wire_name *name,
                          uint16_t type, struct wire_name *out, struct owner_scan *scan)
{
    const struct wire_name *origin = &r->w->s->zones[zone].origin;
    for (size_t at = wire_label(name, 0); name->len - at >= origin->len;
         at += wire_label(name, at)) {
        struct wire_name rest = {.len = (uint8_t)(name->len - at)};
        memcpy(rest.p, name->p + at, rest.len);
        prefix_name("*", &rest, out);
        *scan = scan_owner(r, zone, out, type);
        if (scan->exists && !wire_name_equal(out, &rest)) {
            return true;
        }
        if (wire_label(name, at) == 0) {
            break;
        }
    }
    return false;
}

/* One name of the chain. True when a CNAME was followed and r->name is new. */
static bool answer_name(struct response *r, const struct question *q)
{
    size_t zone = find_zone(r, &r->name);
    if (zone == SIZE_MAX) {
        r->authentic = false;
        r->rcode = ns_r_nxdomain;
        return false;
    }
    const struct scenario_zone *z = &r->w->s->zones[zone];
    if (z->fault != DNS_FAULT_NONE) {
        r->fault = z->fault;
        return false;
    }
    /* A resolver that validates gives nothing out of a bogus zone, unless checking is disabled. */
    if (z->bogus && (q->flags & 0x0010) == 0) {
        r->fault = DNS_FAULT_SERVFAIL;
        r->ede = EDE_DNSSEC_BOGUS;
        return false;
    }
    r->authentic = r->authentic && z->is_signed;
    struct wire_name owner = r->name;
    struct owner_scan scan = scan_owner(r, zone, &owner, q->type);
    if (!scan.exists && !find_wildcard(r, zone, &r->name, q->type, &owner, &scan)) {
        r->rcode = ns_r_nxdomain;
    } else if (scan.fault != DNS_FAULT_NONE) {
        r->fault = scan.fault;
        if (scan.fault != DNS_FAULT_NXDOMAIN && scan.fault != DNS_FAULT_NODATA &&
            scan.fault != DNS_FAULT_TRUNCATED) {
            return false;
        }
        r->rcode = scan.fault == DNS_FAULT_NXDOMAIN ? ns_r_nxdomain : r->rcode;
    }
    if (r->rcode == ns_r_noerror && scan.type && r->fault != DNS_FAULT_NODATA) {
        add_records(r, zone, &owner, &r->name, q->type);
        return false;
    }
    if (r->rcode == ns_r_noerror && scan.cname && r->fault != DNS_FAULT_NODATA) {
        const struct scenario_record *link = add_records(r, zone, &owner, &r->name, ns_t_cname);
        size_t used;
        return read_name(link->rdata, link->rdata_len, &r->name, &used);
    }
    add_soa(r, zone);
    r->authority++;
    return false;
}

static void put_header(struct response *r, const struct question *q, bool truncated)
{
    uint8_t *h = (uint8_t *)r->out->p;
    unsigned id = r->fault == DNS_FAULT_WRONG_ID ? q->id ^ 0x5555u : q->id;
    unsigned flags = 0x8080u | (q->flags & 0x0110u) | r->rcode; /* QR, RA, RD and CD as asked */
    flags |= truncated ? 0x0200u : 0;
    flags |= r->authentic ? 0x0020u : 0;
    h[0] = (uint8_t)(id >> 8);
    h[1] = (uint8_t)id;
    h[2] = (uint8_t)(flags >> 8);
    h[3] = (uint8_t)flags;
    h[5] = 1;
    h[6] = (uint8_t)(r->answers >> 8);
    h[7] = (uint8_t)r->answers;
    h[9] = (uint8_t)r->authority;
    h[11] = q->edns ? 1 : 0;
}

static void begin(struct response *r, const struct question *q)
{
    static const uint8_t empty[NS_HFIXEDSZ] = {0};
    buf_clear(r->out);
    r->answers = 0;
    r->authority = 0;
    add(r, empty, sizeof(empty));
    add(r, q->wire, q->wire_len);
}

static void add_opt(struct response *r, const struct question *q)
{
    if (!q->edns) {
        return;
    }
    add(r, "", 1); /* the root */
    add16(r, ns_t_opt);
    add16(r, 1232);
    add32(r, q->dnssec_ok ? 0x8000u : 0);
    add16(r, r->ede >= 0 ? 6 : 0);
    if (r->ede >= 0) {
        add16(r, 15); /* Extended DNS Error */
        add16(r, 2);
        add16(r, (unsigned)r->ede);
    }
}

bool dns_respond(struct practice *w, const struct scenario_resolver *resolver, bool tcp,
                 const void *query, size_t len, struct buf *out)
{
    struct question q;
    if (!read_question(query, len, &q)) {
        return false;
    }
    struct response r = {.w = w, .resolver = resolver, .out = out, .name = q.name, .room = true};
    r.ede = -1;
    r.authentic = q.dnssec_ok || (q.flags & 0x0020) != 0;
    r.fault = resolver->fault;
    begin(&r, &q);
    if (r.fault == DNS_FAULT_NONE && q.class == ns_c_in) {
        for (int i = 0; i < CHAIN_MAX && answer_name(&r, &q); i++) {
        }
    } else if (r.fault == DNS_FAULT_NONE) {
        r.fault = DNS_FAULT_REFUSED;
    }
    bool truncated = r.fault == DNS_FAULT_TRUNCATED && !tcp;
    switch (r.fault) {
    case DNS_FAULT_TIMEOUT:
        return false;
    case DNS_FAULT_SERVFAIL:
        r.rcode = ns_r_servfail;
        break;
    case DNS_FAULT_REFUSED:
        r.rcode = ns_r_refused;
        break;
    default:
        break;
    }
    if (r.rcode == ns_r_servfail || r.rcode == ns_r_refused) {
        r.authentic = false;
        begin(&r, &q);
    }
    if (!r.room || (!tcp && out->len + 17 > q.udp_max)) {
        truncated = true;
    }
    if (truncated) {
        r.room = true;
        begin(&r, &q);
    }
    add_opt(&r, &q);
    put_header(&r, &q, truncated);
    if (r.fault == DNS_FAULT_MALFORMED) {
        /* The counts promise records that are not there. */
        out->p[7] = 3;
    }
    return r.room;
}

/* DNS over TCP (RFC 7766): messages behind two octets of length. */
struct dns_actor {
    struct actor base;
    struct practice *w;
    const struct scenario_resolver *resolver;
    struct buf in;
};

static void tcp_start(struct actor *a, int64_t now_us)
{
    (void)a;
    (void)now_us;
}

static void tcp_input(struct actor *a, int64_t now_us, const char *p, size_t len)
{
    struct dns_actor *d = (struct dns_actor *)a;
    (void)now_us;
    if (buf_add(&d->in, p, len) != ST_OK) {
        a->reset = true;
        return;
    }
    while (d->in.len >= 2) {
        size_t size = ns_get16((const uint8_t *)d->in.p);
        if (d->in.len < 2 + size) {
            return;
        }
        struct buf answer;
        buf_init(&answer, 65535);
        if (dns_respond(d->w, d->resolver, true, d->in.p + 2, size, &answer)) {
            uint8_t prefix[2] = {(uint8_t)(answer.len >> 8), (uint8_t)answer.len};
            if (buf_add(&a->out, prefix, 2) != ST_OK ||
                buf_add(&a->out, buf_str(&answer), answer.len) != ST_OK) {
                a->reset = true;
            }
        }
        buf_free(&answer);
        buf_drop_front(&d->in, 2 + size);
    }
}

static void tcp_ended(struct actor *a, int64_t now_us)
{
    (void)now_us;
    a->fin = true;
}

static void tcp_run(struct actor *a, int64_t now_us)
{
    (void)now_us;
    a->timer_us = NO_DEADLINE;
}

static void tcp_free(struct actor *a)
{
    struct dns_actor *d = (struct dns_actor *)a;
    buf_free(&d->in);
    buf_free(&a->out);
    free(d);
}

static const struct actor_ops tcp_ops = {
    .start = tcp_start,
    .input = tcp_input,
    .ended = tcp_ended,
    .run = tcp_run,
    .free = tcp_free,
};

struct actor *dns_actor_new(struct practice *w, const struct scenario_resolver *resolver)
{
    struct dns_actor *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        return NULL;
    }
    d->base.ops = &tcp_ops;
    d->base.timer_us = NO_DEADLINE;
    buf_init(&d->base.out, WORLD_OUT_MAX);
    d->w = w;
    d->resolver = resolver;
    buf_init(&d->in, 2 * 65537);
    return &d->base;
}
