#include "scenario_zone.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/nameser.h>

#include "scenario_rdata.h"
#include "text.h"

#define DEFAULT_TTL 3600

static const char *const fault_names[DNS_FAULT_COUNT] = {
    [DNS_FAULT_NONE] = "",
    [DNS_FAULT_SERVFAIL] = "servfail",
    [DNS_FAULT_TIMEOUT] = "timeout",
    [DNS_FAULT_REFUSED] = "refused",
    [DNS_FAULT_NXDOMAIN] = "nxdomain",
    [DNS_FAULT_NODATA] = "nodata",
    [DNS_FAULT_TRUNCATED] = "truncated",
    [DNS_FAULT_MALFORMED] = "malformed",
    [DNS_FAULT_WRONG_ID] = "wrong-id",
    [DNS_FAULT_UNREACHABLE] = "unreachable",
};

bool fault_accept(struct scenario_reader *r, enum dns_fault last, enum dns_fault *out)
{
    for (int f = DNS_FAULT_NONE + 1; f <= (int)last; f++) {
        if (reader_accept(r, fault_names[f])) {
            *out = (enum dns_fault)f;
            return true;
        }
    }
    return false;
}

enum status zone_open(struct scenario_reader *r, struct scenario *s)
{
    struct scenario_zone *grown = list_grow(s->zones, s->zone_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(r);
    }
    s->zones = grown;
    struct scenario_zone *z = &s->zones[s->zone_count++];
    z->ttl = DEFAULT_TTL;
    enum status st = reader_word(r, &z->name);
    if (st != ST_OK) {
        return st;
    }
    if (!wire_name_parse(z->name, &z->origin)) {
        r->word_next--;
        char found[80];
        return reader_fail(r, _("expected a domain name, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    while (st == ST_OK && reader_peek(r) != NULL) {
        uint64_t ttl = 0;
        if (reader_accept(r, "signed")) {
            z->is_signed = true;
        } else if (reader_accept(r, "bogus")) {
            z->bogus = true;
        } else if (fault_accept(r, DNS_FAULT_REFUSED, &z->fault)) {
            continue;
        } else if (reader_accept(r, "ttl")) {
            st = reader_number(r, INT32_MAX, &ttl);
            z->ttl = (uint32_t)ttl;
        } else if (reader_accept(r, "via")) {
            st = reader_address(r, &z->via);
        } else {
            char found[80];
            return reader_fail(
                r, _("expected signed, bogus, servfail, timeout, refused, ttl or via, found %s"),
                reader_found(r, found, sizeof(found)));
        }
    }
    return st;
}

static struct scenario_record *add_record(struct scenario_reader *r, struct scenario *s)
{
    struct scenario_record *grown = list_grow(s->records, s->record_count, sizeof(*grown));
    if (grown == NULL) {
        (void)reader_no_memory(r);
        return NULL;
    }
    s->records = grown;
    return &s->records[s->record_count++];
}

static bool is_number(const struct scenario_word *w)
{
    return w != NULL && !w->quoted && w->p[0] != '\0' && w->p[strspn(w->p, "0123456789")] == '\0';
}

enum status zone_record(struct scenario_reader *r, struct scenario *s)
{
    const struct scenario_zone *z = &s->zones[s->zone_count - 1];
    struct scenario_record *rec = add_record(r, s);
    if (rec == NULL) {
        return ST_NOMEM;
    }
    rec->zone = s->zone_count - 1;
    rec->ttl = z->ttl;
    enum status st = rdata_name(r, z->name, true, rec->owner.p, &rec->owner.len);
    if (st != ST_OK) {
        return st;
    }
    wire_lower(rec->owner.p, rec->owner.len);
    if (!wire_name_within(&rec->owner, &z->origin)) {
        return reader_fail(r, _("expected a name in the zone %s"), z->name);
    }
    if (is_number(reader_peek(r))) {
        uint64_t ttl = 0;
        st = reader_number(r, INT32_MAX, &ttl);
        if (st != ST_OK) {
            return st;
        }
        rec->ttl = (uint32_t)ttl;
    }
    if (fault_accept(r, DNS_FAULT_WRONG_ID, &rec->fault)) {
        return ST_OK;
    }
    enum rdata_shape shape = SHAPE_HEX;
    if (!rdata_type(r, &rec->type, &shape)) {
        char found[80];
        return reader_fail(r,
                           _("expected a record type such as MX, or servfail, timeout, refused, "
                             "nxdomain, nodata, truncated, malformed or wrong-id, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    if (fault_accept(r, DNS_FAULT_WRONG_ID, &rec->fault)) {
        return ST_OK;
    }
    struct buf rdata;
    buf_init(&rdata, RDATA_MAX);
    st = rdata_put(r, shape, z->name, &rdata);
    if (st == ST_OK) {
        rec->rdata = malloc(rdata.len + 1);
        if (rec->rdata == NULL) {
            st = reader_no_memory(r);
        } else {
            memcpy(rec->rdata, buf_str(&rdata), rdata.len);
            rec->rdata_len = rdata.len;
        }
    }
    buf_free(&rdata);
    return st;
}

/* The zone that a generated record belongs to; one is made when the file has none. */
static enum status zone_for(struct scenario_reader *r, struct scenario *s,
                            const struct wire_name *name, const char *fallback, size_t *out)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < s->zone_count; i++) {
        const struct scenario_zone *z = &s->zones[i];
        if (z->via.family == 0 && wire_name_within(name, &z->origin) &&
            (best == SIZE_MAX || z->origin.len > s->zones[best].origin.len)) {
            best = i;
        }
    }
    if (best == SIZE_MAX) {
        struct scenario_zone *grown = list_grow(s->zones, s->zone_count, sizeof(*grown));
        if (grown == NULL) {
            return reader_no_memory(r);
        }
        s->zones = grown;
        best = s->zone_count++;
        grown[best].ttl = DEFAULT_TTL;
        grown[best].name = str_dup(fallback);
        if (grown[best].name == NULL) {
            return reader_no_memory(r);
        }
        (void)wire_name_parse(fallback, &grown[best].origin);
    }
    *out = best;
    return ST_OK;
}

static enum status add_generated(struct scenario_reader *r, struct scenario *s,
                                 const struct wire_name *owner, const char *fallback_zone,
                                 uint16_t type, enum dns_fault fault, const void *rdata, size_t len)
{
    size_t zone = 0;
    enum status st = zone_for(r, s, owner, fallback_zone, &zone);
    struct scenario_record *rec = st == ST_OK ? add_record(r, s) : NULL;
    if (rec == NULL) {
        return st == ST_OK ? ST_NOMEM : st;
    }
    rec->owner = *owner;
    rec->zone = zone;
    rec->type = type;
    rec->fault = fault;
    rec->ttl = s->zones[zone].ttl;
    rec->rdata = malloc(len + 1);
    if (rec->rdata == NULL) {
        return reader_no_memory(r);
    }
    if (len > 0) {
        memcpy(rec->rdata, rdata, len);
    }
    rec->rdata_len = len;
    return ST_OK;
}

/* A zone block may say something else about a name than its host block does: then it wins. */
static bool is_written(const struct scenario *s, size_t written, const struct wire_name *owner,
                       uint16_t type)
{
    for (size_t i = 0; i < written; i++) {
        const struct scenario_record *rec = &s->records[i];
        if ((rec->type == type || rec->type == 0 || rec->type == ns_t_cname) &&
            wire_name_equal(&rec->owner, owner)) {
            return true;
        }
    }
    return false;
}

static enum status add_pointers(struct scenario_reader *r, struct scenario *s, size_t written,
                                const struct net_address *a, const struct scenario_ptr *ptr,
                                const char *own_name)
{
    struct wire_name owner;
    const char *zone = a->family == 4 ? "in-addr.arpa" : "ip6.arpa";
    wire_reverse(a, &owner);
    if (is_written(s, written, &owner, ns_t_ptr)) {
        return ST_OK;
    }
    if (ptr->fault != DNS_FAULT_NONE) {
        return add_generated(r, s, &owner, zone, ns_t_ptr, ptr->fault, "", 0);
    }
    uint8_t wire[WIRE_NAME_MAX];
    uint8_t len = 0;
    if (!ptr->given) {
        return wire_encode(own_name, wire, &len)
                   ? add_generated(r, s, &owner, zone, ns_t_ptr, DNS_FAULT_NONE, wire, len)
                   : ST_OK;
    }
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < ptr->names.count; i++) {
        if (wire_encode(ptr->names.p[i], wire, &len)) {
            st = add_generated(r, s, &owner, zone, ns_t_ptr, DNS_FAULT_NONE, wire, len);
        }
    }
    return st;
}

static enum status add_addresses(struct scenario_reader *r, struct scenario *s, size_t written,
                                 const char *name, const struct net_address *addresses,
                                 size_t count)
{
    struct wire_name owner;
    enum status st = ST_OK;
    if (!wire_name_parse(name, &owner)) {
        return ST_OK;
    }
    const char *dot = strchr(name, '.');
    const char *parent = dot != NULL && dot[1] != '\0' ? dot + 1 : name;
    for (size_t i = 0; st == ST_OK && i < count; i++) {
        bool v4 = addresses[i].family == 4;
        uint16_t type = v4 ? ns_t_a : ns_t_aaaa;
        if (!is_written(s, written, &owner, type)) {
            st = add_generated(r, s, &owner, parent, type, DNS_FAULT_NONE, addresses[i].bytes,
                               v4 ? 4 : 16);
        }
    }
    return st;
}

enum status zone_add_hosts(struct scenario_reader *r, struct scenario *s)
{
    size_t written = s->record_count;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < s->host_count; i++) {
        const struct scenario_host *h = &s->hosts[i];
        if (!h->hidden) {
            st = add_addresses(r, s, written, h->name, h->addresses, h->address_count);
        }
        for (size_t k = 0; st == ST_OK && k < h->address_count; k++) {
            st = add_pointers(r, s, written, &h->addresses[k], &h->ptr, h->name);
        }
    }
    for (size_t k = 0; st == ST_OK && k < s->me.address_count; k++) {
        /* Behind a translator, the world knows the address that it sees. */
        const struct net_address *a = &s->me.addresses[k];
        const struct net_address *seen = &s->me.seen_as[a->family == 4 ? 0 : 1];
        a = seen->family != 0 ? seen : a;
        st = add_addresses(r, s, written, s->me.name, a, 1);
        st = st == ST_OK ? add_pointers(r, s, written, a, &s->me.ptr, s->me.name) : st;
    }
    return st;
}
