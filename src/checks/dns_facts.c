#include "dns_facts.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_PREFIX "TYPE" /* RFC 3597 section 5 */

static enum status write_hex(struct buf *out, const uint8_t *p, size_t len)
{
    enum status st = buf_addf(out, "\\# %zu ", len);
    for (size_t i = 0; st == ST_OK && i < len; i++) {
        st = buf_addf(out, "%02x", p[i]);
    }
    return st;
}

static enum status write_record(struct buf *out, const struct dns_record *r)
{
    char address[NET_ADDRESS_TEXT];
    switch (r->type) {
    case DNS_A:
    case DNS_AAAA:
        net_address_format(&r->u.address, address, sizeof(address));
        return buf_add_str(out, address);
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        return buf_add_str(out, r->u.name);
    case DNS_MX:
        return buf_addf(out, "%u %s", r->u.mx.preference, r->u.mx.exchange);
    case DNS_SRV:
        return buf_addf(out, "%u %u %u %s", r->u.srv.priority, r->u.srv.weight, r->u.srv.port,
                        r->u.srv.target);
    case DNS_TXT:
        return buf_add(out, r->u.txt.text, r->u.txt.len);
    case DNS_SOA:
        return buf_addf(out, "%s %s %u %u", r->u.soa.mname, r->u.soa.rname, r->u.soa.serial,
                        r->u.soa.minimum);
    default:
        return write_hex(out, r->u.raw.bytes, r->u.raw.len);
    }
}

enum status dns_facts_add(struct dns_facts *f, const char *text)
{
    if (f->count == DNS_FACTS_RECORDS_MAX) {
        f->dropped++;
        return ST_OK;
    }
    char **grown = realloc(f->records, (f->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return ST_NOMEM;
    }
    f->records = grown;
    f->records[f->count] = str_dup(text);
    if (f->records[f->count] == NULL) {
        return ST_NOMEM;
    }
    f->count++;
    return ST_OK;
}

static enum status add_records(struct dns_facts *f, const struct dns_answer *answer)
{
    enum status st = ST_OK;
    f->dropped = answer->dropped;
    for (size_t i = 0; st == ST_OK && i < answer->count; i++) {
        struct buf text;
        buf_init(&text, DNS_FACTS_TEXT_MAX);
        st = write_record(&text, &answer->records[i]);
        if (st == ST_OK) {
            st = dns_facts_add(f, buf_str(&text));
        } else if (st == ST_LIMIT) {
            f->dropped++;
            st = ST_OK;
        }
        buf_free(&text);
    }
    return st;
}

enum status dns_facts_make(struct dns_facts *out, const struct dns_question *q, bool direct)
{
    const struct dns_answer *a = &q->answer;
    *out = (struct dns_facts){.type = q->type,
                              .result = a->result,
                              .authentic = a->authentic,
                              .checking_disabled = q->checking_disabled,
                              .over_tcp = a->over_tcp,
                              .direct = direct,
                              .server = a->server,
                              .ede = a->ede,
                              .elapsed_us = a->elapsed_us};
    enum status st = str_set(&out->name, q->name);
    if (st == ST_OK && a->cnames > 0) {
        st = str_set(&out->alias, a->final_name);
    }
    if (st == ST_OK) {
        st = add_records(out, a);
    }
    if (st != ST_OK) {
        dns_facts_free(out);
    }
    return st;
}

enum status dns_facts_copy(struct dns_facts *dst, const struct dns_facts *src)
{
    *dst = *src;
    dst->name = dst->alias = NULL;
    dst->records = NULL;
    dst->count = 0;
    enum status st = str_set(&dst->name, src->name);
    if (st == ST_OK) {
        st = str_set(&dst->alias, src->alias);
    }
    for (size_t i = 0; st == ST_OK && i < src->count; i++) {
        st = dns_facts_add(dst, src->records[i]);
    }
    if (st != ST_OK) {
        dns_facts_free(dst);
    }
    return st;
}

void dns_facts_free(struct dns_facts *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->records[i]);
    }
    free(f->records);
    free(f->name);
    free(f->alias);
    *f = (struct dns_facts){.ede = -1};
}

uint16_t dns_facts_type(const char *name)
{
    static const uint16_t known[] = {DNS_A,      DNS_NS,   DNS_CNAME, DNS_SOA, DNS_PTR,
                                     DNS_MX,     DNS_TXT,  DNS_AAAA,  DNS_SRV, DNS_DS,
                                     DNS_DNSKEY, DNS_TLSA, DNS_CAA};
    const size_t prefix = sizeof(TYPE_PREFIX) - 1;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        char text[16];
        dns_type_name(known[i], text, sizeof(text));
        if (strcmp(name, text) == 0) {
            return known[i];
        }
    }
    if (strncmp(name, TYPE_PREFIX, prefix) != 0 || name[prefix] < '1' || name[prefix] > '9') {
        return 0;
    }
    char *end = NULL;
    unsigned long n = strtoul(name + prefix, &end, 10);
    return *end == '\0' && n <= UINT16_MAX ? (uint16_t)n : 0;
}
