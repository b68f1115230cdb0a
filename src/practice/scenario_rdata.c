#include "scenario_rdata.h"

#include <string.h>

#include "text.h"

enum status rdata_name(struct scenario_reader *r, const char *zone, bool below,
                       uint8_t out[WIRE_NAME_MAX], uint8_t *len)
{
    char full[WIRE_TEXT_MAX];
    char found[80];
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL || !wire_complete(w->p, zone, below, full) || !wire_encode(full, out, len)) {
        return reader_fail(r, _("expected a domain name, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    r->word_next++;
    return ST_OK;
}

struct record_type {
    const char *name;
    uint16_t type;
    enum rdata_shape shape;
};

static const struct record_type record_types[] = {
    {"A", 1, SHAPE_A},        {"NS", 2, SHAPE_NAME},    {"CNAME", 5, SHAPE_NAME},
    {"SOA", 6, SHAPE_SOA},    {"PTR", 12, SHAPE_NAME},  {"MX", 15, SHAPE_MX},
    {"TXT", 16, SHAPE_TXT},   {"AAAA", 28, SHAPE_AAAA}, {"SRV", 33, SHAPE_SRV},
    {"TLSA", 52, SHAPE_TLSA}, {"CAA", 257, SHAPE_CAA},
};

bool rdata_type(struct scenario_reader *r, uint16_t *type, enum rdata_shape *shape)
{
    const struct scenario_word *w = reader_peek(r);
    if (w == NULL || w->quoted) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(record_types); i++) {
        if (strcmp(w->p, record_types[i].name) == 0) {
            *type = record_types[i].type;
            *shape = record_types[i].shape;
            r->word_next++;
            return true;
        }
    }
    if (strncmp(w->p, "TYPE", 4) != 0 || w->p[4] == '\0' || strlen(w->p) > 9) {
        return false;
    }
    unsigned long value = 0;
    for (const char *p = w->p + 4; *p != '\0'; p++) {
        if (*p < '0' || *p > '9') {
            return false;
        }
        value = value * 10 + (unsigned long)(*p - '0');
    }
    if (value == 0 || value > UINT16_MAX) {
        return false;
    }
    *type = (uint16_t)value;
    *shape = SHAPE_HEX;
    r->word_next++;
    return true;
}

static enum status put(struct scenario_reader *r, struct buf *out, const void *p, size_t len)
{
    return buf_add(out, p, len) == ST_OK ? ST_OK : reader_no_memory(r);
}

/* `octets` of a number, most significant first. */
static enum status put_number(struct scenario_reader *r, struct buf *out, unsigned octets)
{
    uint64_t value;
    enum status st = reader_number(r, (UINT64_C(1) << (8 * octets)) - 1, &value);
    for (unsigned i = octets; st == ST_OK && i > 0; i--) {
        uint8_t b = (uint8_t)(value >> (8 * (i - 1)));
        st = put(r, out, &b, 1);
    }
    return st;
}

static enum status put_name(struct scenario_reader *r, const char *zone, struct buf *out)
{
    uint8_t wire[WIRE_NAME_MAX];
    uint8_t len = 0;
    enum status st = rdata_name(r, zone, false, wire, &len);
    return st == ST_OK ? put(r, out, wire, len) : st;
}

static enum status put_address(struct scenario_reader *r, uint8_t family, struct buf *out)
{
    struct net_address a;
    enum status st = reader_address(r, &a);
    if (st == ST_OK && a.family != family) {
        return family == 4 ? reader_fail(r, _("expected an IPv4 address for an A record"))
                           : reader_fail(r, _("expected an IPv6 address for an AAAA record"));
    }
    return st == ST_OK ? put(r, out, a.bytes, family == 4 ? 4 : 16) : st;
}

/* Strings of at most 255 octets (RFC 1035 3.3); longer words are cut into several. */
static enum status put_strings(struct scenario_reader *r, struct buf *out)
{
    if (reader_peek(r) == NULL) {
        return reader_fail(r, _("expected a text, found the end of the line"));
    }
    while (reader_peek(r) != NULL) {
        const struct scenario_word *w = reader_take(r);
        const char *bad = NULL;
        struct buf text;
        buf_init(&text, RDATA_MAX);
        enum status st = scenario_text_add(&text, w->p, NULL, NULL, &bad);
        if (st == ST_INVALID) {
            st = reader_fail(
                r, _("expected \\r \\n \\t \\a \\e \\\\ \\\" \\xHH or \\u{HEX} in a text"));
        } else if (st != ST_OK) {
            st = reader_no_memory(r);
        }
        size_t at = 0;
        do {
            uint8_t part = (uint8_t)(text.len - at > 255 ? 255 : text.len - at);
            if (st == ST_OK) {
                st = put(r, out, &part, 1);
            }
            if (st == ST_OK) {
                st = put(r, out, buf_str(&text) + at, part);
            }
            at += part;
        } while (st == ST_OK && at < text.len);
        buf_free(&text);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    return at == NULL ? -1 : (int)(at - digits);
}

static enum status put_hex(struct scenario_reader *r, struct buf *out)
{
    const struct scenario_word *w = reader_peek(r);
    size_t n = w == NULL ? 0 : strlen(w->p);
    bool good = n > 0 && n % 2 == 0;
    for (size_t i = 0; good && i < n; i += 2) {
        int high = hex_value(w->p[i]);
        int low = hex_value(w->p[i + 1]);
        good = high >= 0 && low >= 0;
        if (good && buf_add_char(out, (char)(high * 16 + low)) != ST_OK) {
            return reader_no_memory(r);
        }
    }
    if (!good) {
        char found[80];
        return reader_fail(r, _("expected pairs of hexadecimal digits, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    r->word_next++;
    return ST_OK;
}

/* mname rname serial minimum; refresh, retry and expire are of no use here. */
static enum status put_soa(struct scenario_reader *r, const char *zone, struct buf *out)
{
    static const uint8_t timers[12] = {0, 0, 0x1c, 0x20, 0, 0, 0x0e, 0x10, 0, 0x12, 0x75, 0};
    enum status st = put_name(r, zone, out);
    if (st == ST_OK) {
        st = put_name(r, zone, out);
    }
    if (st == ST_OK) {
        st = put_number(r, out, 4);
    }
    if (st == ST_OK) {
        st = put(r, out, timers, sizeof(timers));
    }
    return st == ST_OK ? put_number(r, out, 4) : st;
}

static enum status put_numbers(struct scenario_reader *r, struct buf *out, unsigned count,
                               unsigned octets)
{
    enum status st = ST_OK;
    for (unsigned i = 0; st == ST_OK && i < count; i++) {
        st = put_number(r, out, octets);
    }
    return st;
}

static enum status put_caa(struct scenario_reader *r, struct buf *out)
{
    enum status st = put_number(r, out, 1);
    const struct scenario_word *tag = st == ST_OK ? reader_take(r) : NULL;
    const struct scenario_word *value = tag != NULL ? reader_take(r) : NULL;
    if (st == ST_OK && (value == NULL || strlen(tag->p) > 255)) {
        return reader_fail(r, _("expected a flag, a tag and a value"));
    }
    if (st == ST_OK) {
        uint8_t len = (uint8_t)strlen(tag->p);
        st = put(r, out, &len, 1);
        st = st == ST_OK ? put(r, out, tag->p, len) : st;
        st = st == ST_OK ? put(r, out, value->p, strlen(value->p)) : st;
    }
    return st;
}

enum status rdata_put(struct scenario_reader *r, enum rdata_shape shape, const char *zone,
                      struct buf *out)
{
    enum status st;
    switch (shape) {
    case SHAPE_A:
        return put_address(r, 4, out);
    case SHAPE_AAAA:
        return put_address(r, 6, out);
    case SHAPE_NAME:
        return put_name(r, zone, out);
    case SHAPE_MX:
        st = put_number(r, out, 2);
        return st == ST_OK ? put_name(r, zone, out) : st;
    case SHAPE_TXT:
        return put_strings(r, out);
    case SHAPE_SOA:
        return put_soa(r, zone, out);
    case SHAPE_SRV:
        st = put_numbers(r, out, 3, 2);
        return st == ST_OK ? put_name(r, zone, out) : st;
    case SHAPE_TLSA:
        st = put_numbers(r, out, 3, 1);
        return st == ST_OK ? put_hex(r, out) : st;
    case SHAPE_CAA:
        return put_caa(r, out);
    case SHAPE_HEX:
        break;
    }
    return put_hex(r, out);
}
