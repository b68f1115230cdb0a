#include "dns_record.h"

/* nameser.h takes its integer types from here on some systems. */
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

/* How the RDATA of a type is read, and which part of struct dns_record holds it. */
enum rdata_kind {
    RDATA_RAW,
    RDATA_A,
    RDATA_AAAA,
    RDATA_NAME,
    RDATA_MX,
    RDATA_SRV,
    RDATA_TXT,
    RDATA_SOA
};

static enum rdata_kind rdata_kind_of(uint16_t type)
{
    static const struct {
        uint16_t type;
        enum rdata_kind kind;
    } kinds[] = {
        {DNS_A, RDATA_A},        {DNS_AAAA, RDATA_AAAA}, {DNS_NS, RDATA_NAME},
        {DNS_CNAME, RDATA_NAME}, {DNS_PTR, RDATA_NAME},  {DNS_MX, RDATA_MX},
        {DNS_SRV, RDATA_SRV},    {DNS_TXT, RDATA_TXT},   {DNS_SOA, RDATA_SOA},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].type == type) {
            return kinds[i].kind;
        }
    }
    return RDATA_RAW;
}

void dns_record_free(struct dns_record *r)
{
    free(r->owner);
    switch (rdata_kind_of(r->type)) {
    case RDATA_A:
    case RDATA_AAAA:
        break;
    case RDATA_NAME:
        free(r->u.name);
        break;
    case RDATA_MX:
        free(r->u.mx.exchange);
        break;
    case RDATA_SRV:
        free(r->u.srv.target);
        break;
    case RDATA_TXT:
        free(r->u.txt.text);
        break;
    case RDATA_SOA:
        free(r->u.soa.mname);
        free(r->u.soa.rname);
        break;
    case RDATA_RAW:
        free(r->u.raw.bytes);
        break;
    }
}

/*
 * Reads a name that must end inside the RDATA, though what its pointers point to may lie anywhere
 * earlier in the message. *at moves on. libresolv counts the octets it visits, which ends every
 * pointer loop.
 */
static enum status read_name(const struct dns_place *place, const uint8_t **at, char **out)
{
    char text[DNS_NAME_MAX];
    int used = ns_name_uncompress(place->msg, place->msg_end, *at, text, sizeof(text));
    if (used < 0 || used > place->rdata_end - *at) {
        return ST_PROTO;
    }
    *out = str_dup(text);
    if (*out == NULL) {
        return ST_NOMEM;
    }
    *at += used;
    return ST_OK;
}

static enum status read_txt(const uint8_t *at, const uint8_t *end, struct dns_record *out)
{
    /* RFC 1035 3.3.14: at least one string, and the strings fill the RDATA. */
    if (at == end) {
        return ST_PROTO;
    }
    char *text = malloc((size_t)(end - at) + 1);
    if (text == NULL) {
        return ST_NOMEM;
    }
    size_t len = 0;
    while (at < end) {
        size_t piece = *at++;
        if (piece > (size_t)(end - at)) {
            free(text);
            return ST_PROTO;
        }
        memcpy(text + len, at, piece);
        len += piece;
        at += piece;
    }
    text[len] = '\0';
    out->u.txt.text = text;
    out->u.txt.len = len;
    return ST_OK;
}

static enum status read_raw(const uint8_t *at, const uint8_t *end, struct dns_record *out)
{
    size_t len = (size_t)(end - at);
    out->u.raw.bytes = malloc(len + 1); /* RDATA may be empty, and NULL means no memory */
    if (out->u.raw.bytes == NULL) {
        return ST_NOMEM;
    }
    memcpy(out->u.raw.bytes, at, len);
    out->u.raw.len = len;
    return ST_OK;
}

static enum status read_address(const uint8_t *at, const uint8_t *end, uint8_t family, size_t len,
                                struct dns_record *out)
{
    if ((size_t)(end - at) != len) {
        return ST_PROTO;
    }
    out->u.address.family = family;
    memcpy(out->u.address.bytes, at, len);
    return ST_OK;
}

/* Reads RDATA into a zeroed record whose type is set. What was allocated stays in the record. */
static enum status read_rdata(const struct dns_place *place, struct dns_record *out)
{
    const uint8_t *at = place->rdata, *end = place->rdata_end;
    enum status st = ST_PROTO;
    switch (rdata_kind_of(place->type)) {
    case RDATA_A:
        return read_address(at, end, 4, 4, out);
    case RDATA_AAAA:
        return read_address(at, end, 6, 16, out);
    case RDATA_TXT:
        return read_txt(at, end, out);
    case RDATA_RAW:
        return read_raw(at, end, out);
    case RDATA_NAME:
        st = read_name(place, &at, &out->u.name);
        break;
    case RDATA_MX:
        if (end - at > 2) {
            out->u.mx.preference = (uint16_t)ns_get16(at);
            at += 2;
            st = read_name(place, &at, &out->u.mx.exchange);
        }
        break;
    case RDATA_SRV:
        if (end - at > 6) {
            out->u.srv.priority = (uint16_t)ns_get16(at);
            out->u.srv.weight = (uint16_t)ns_get16(at + 2);
            out->u.srv.port = (uint16_t)ns_get16(at + 4);
            at += 6;
            st = read_name(place, &at, &out->u.srv.target);
        }
        break;
    case RDATA_SOA:
        st = read_name(place, &at, &out->u.soa.mname);
        if (st == ST_OK) {
            st = read_name(place, &at, &out->u.soa.rname);
        }
        if (st == ST_OK && end - at != 20) {
            st = ST_PROTO;
        }
        if (st == ST_OK) {
            out->u.soa.serial = (uint32_t)ns_get32(at);
            out->u.soa.minimum = (uint32_t)ns_get32(at + 16);
            at += 20;
        }
        break;
    }
    return st == ST_OK && at != end ? ST_PROTO : st;
}

enum status dns_record_read(struct dns_record *out, const struct dns_place *place)
{
    memset(out, 0, sizeof(*out));
    out->type = place->type;
    out->ttl = place->ttl;
    out->owner = str_dup(place->owner);
    enum status st = out->owner != NULL ? read_rdata(place, out) : ST_NOMEM;
    if (st != ST_OK) {
        dns_record_free(out);
    }
    return st;
}
