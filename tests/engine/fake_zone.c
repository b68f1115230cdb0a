#include "fake_zone.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER_SIZE 12
#define CNAME_MAX 12 /* resolvers give up around here, also on a loop */
#define LINE_MAX_FIELDS 3

static void bad_line(const char *line)
{
    fprintf(stderr, "fake_zone: cannot read this line: %s\n", line);
    abort();
}

unsigned fake_get16(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

void fake_set16(struct fake_message *m, size_t at, unsigned value)
{
    m->p[at] = (uint8_t)(value >> 8);
    m->p[at + 1] = (uint8_t)value;
}

static void put(struct fake_message *m, const void *bytes, size_t len)
{
    if (m->full || len > sizeof(m->p) - m->len) {
        m->full = true;
        return;
    }
    memcpy(m->p + m->len, bytes, len);
    m->len += len;
}

static void put8(struct fake_message *m, unsigned value)
{
    uint8_t octet = (uint8_t)value;
    put(m, &octet, 1);
}

static void put16(struct fake_message *m, unsigned value)
{
    put8(m, value >> 8);
    put8(m, value);
}

static void put32(struct fake_message *m, unsigned long value)
{
    put16(m, (unsigned)(value >> 16));
    put16(m, (unsigned)value);
}

static void put_name(struct fake_message *m, const char *name)
{
    uint8_t label[64];
    size_t len = 0;
    for (;; name++) {
        unsigned c = (unsigned char)*name;
        if (c == '.' || c == '\0') {
            if (len > 0) {
                put8(m, (unsigned)len);
                put(m, label, len);
            }
            len = 0;
            if (c == '\0') {
                put8(m, 0);
                return;
            }
            continue;
        }
        if (c == '\\' && isdigit((unsigned char)name[1]) && name[2] != '\0' && name[3] != '\0') {
            c = (unsigned)((name[1] - '0') * 100 + (name[2] - '0') * 10 + (name[3] - '0'));
            name += 3;
        } else if (c == '\\' && name[1] != '\0') {
            c = (unsigned char)*++name;
        }
        if (len == 63) {
            bad_line(name);
        }
        label[len++] = (uint8_t)c;
    }
}

static const struct {
    const char *name;
    uint16_t type;
} types[] = {
    {"A", 1},   {"NS", 2},   {"CNAME", 5}, {"SOA", 6},  {"PTR", 12},
    {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33},
};

uint16_t fake_type(const char *name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) == 0) {
            return types[i].type;
        }
    }
    if (strncmp(name, "TYPE", 4) != 0) {
        bad_line(name);
    }
    return (uint16_t)strtoul(name + 4, NULL, 10);
}

/* Cuts the next word off *rest. */
static void word(const char **rest, char *out, size_t size)
{
    const char *p = *rest + strspn(*rest, " ");
    size_t len = strcspn(p, " ");
    if (len >= size) {
        bad_line(p);
    }
    memcpy(out, p, len);
    out[len] = '\0';
    *rest = p + len;
}

static unsigned long number(const char **rest)
{
    char text[32];
    word(rest, text, sizeof(text));
    return strtoul(text, NULL, 10);
}

static void put_name_word(struct fake_message *m, const char **rest)
{
    char name[FAKE_NAME_MAX];
    word(rest, name, sizeof(name));
    put_name(m, name);
}

static void put_address(struct fake_message *m, int family, const char **rest)
{
    char text[64];
    uint8_t octets[16];
    word(rest, text, sizeof(text));
    if (inet_pton(family, text, octets) != 1) {
        bad_line(text);
    }
    put(m, octets, family == AF_INET ? 4 : 16);
}

static void put_strings(struct fake_message *m, const char *rest)
{
    while (*(rest += strspn(rest, " ")) == '"') {
        const char *end = strchr(rest + 1, '"');
        if (end == NULL || end - rest - 1 > 255) {
            bad_line(rest);
            return;
        }
        put8(m, (unsigned)(end - rest - 1));
        put(m, rest + 1, (size_t)(end - rest - 1));
        rest = end + 1;
    }
}

static void put_hex(struct fake_message *m, const char *rest)
{
    rest += strspn(rest, " ");
    for (; isxdigit((unsigned char)rest[0]) && isxdigit((unsigned char)rest[1]); rest += 2) {
        char digits[3] = {rest[0], rest[1], '\0'};
        put8(m, (unsigned)strtoul(digits, NULL, 16));
    }
}

static void put_rdata(struct fake_message *m, uint16_t type, const char *rest)
{
    switch (type) {
    case 1:
        put_address(m, AF_INET, &rest);
        break;
    case 28:
        put_address(m, AF_INET6, &rest);
        break;
    case 2:
    case 5:
    case 12:
        put_name_word(m, &rest);
        break;
    case 15:
        put16(m, (unsigned)number(&rest));
        put_name_word(m, &rest);
        break;
    case 33:
        for (int i = 0; i < 3; i++) {
            put16(m, (unsigned)number(&rest));
        }
        put_name_word(m, &rest);
        break;
    case 6:
        put_name_word(m, &rest);
        put_name_word(m, &rest);
        for (int i = 0; i < 5; i++) {
            put32(m, number(&rest));
        }
        break;
    case 16:
        put_strings(m, rest);
        break;
    default:
        put_hex(m, rest);
    }
}

void fake_reply_add(struct fake_message *m, unsigned section, const char *line)
{
    size_t before = m->len;
    char text[32];
    const char *rest = line;
    put_name_word(m, &rest);
    unsigned long ttl = number(&rest);
    word(&rest, text, sizeof(text));
    uint16_t type = fake_type(text);
    put16(m, type);
    put16(m, 1);
    put32(m, ttl);
    put16(m, 0);
    size_t rdata = m->len;
    put_rdata(m, type, rest);
    if (m->full) {
        m->len = before;
        return;
    }
    fake_set16(m, rdata - 2, (unsigned)(m->len - rdata));
    fake_set16(m, section, fake_get16(m->p + section) + 1);
}

bool fake_query_read(struct fake_query *q, const uint8_t *p, size_t len)
{
    memset(q, 0, sizeof(*q));
    if (len < HEADER_SIZE || fake_get16(p + 4) != 1) {
        return false;
    }
    q->id = (uint16_t)fake_get16(p);
    q->flags = (uint16_t)fake_get16(p + 2);
    q->udp_size = 512;
    size_t at = HEADER_SIZE, used = 0;
    while (at < len && p[at] != 0) {
        size_t label = p[at];
        if (label > 63 || label + 1 > len - at || used + label + 2 > sizeof(q->name)) {
            return false;
        }
        if (used > 0) {
            q->name[used++] = '.';
        }
        for (size_t i = 1; i <= label; i++) {
            q->name[used++] = (char)tolower(p[at + i]);
        }
        at += label + 1;
    }
    if (len - at < 5) {
        return false;
    }
    if (used == 0) {
        q->name[0] = '.';
    }
    q->type = (uint16_t)fake_get16(p + at + 1);
    q->class = (uint16_t)fake_get16(p + at + 3);
    at += 5;
    q->question_len = at - HEADER_SIZE;
    if (fake_get16(p + 10) == 1 && len - at >= 11 && p[at] == 0 && fake_get16(p + at + 1) == 41) {
        q->edns = true;
        q->udp_size = (uint16_t)fake_get16(p + at + 3);
        q->dnssec_ok = p[at + 7] & 0x80;
    }
    return true;
}

void fake_reply_begin(struct fake_message *m, const struct fake_query *q, const uint8_t *query,
                      unsigned rcode)
{
    m->len = 0;
    m->full = false;
    put16(m, q->id);
    put16(m, 0x8180u | (q->flags & 0x0010u) | rcode);
    put16(m, 1);
    put16(m, 0);
    put32(m, 0);
    put(m, query + HEADER_SIZE, q->question_len);
}

/* Names in zones are compared as text: the tests write them in lower case. */
static bool owned_by(const char *line, const char *name)
{
    size_t len = strcspn(line, " ");
    return strlen(name) == len && strncasecmp(line, name, len) == 0;
}

static uint16_t type_of(const char *line)
{
    char text[32];
    const char *rest = line + strcspn(line, " ");
    (void)number(&rest);
    word(&rest, text, sizeof(text));
    return fake_type(text);
}

static void add_soa(struct fake_message *m, const char *const *zone)
{
    for (; *zone != NULL; zone++) {
        if (type_of(*zone) == 6) {
            fake_reply_add(m, 8, *zone);
            return;
        }
    }
}

/* The name where a CNAME line leads. */
static void target_of(const char *line, char *out, size_t size)
{
    for (int i = 0; i < LINE_MAX_FIELDS + 1; i++) {
        word(&line, out, size);
    }
}

void fake_reply_fill(struct fake_message *m, const struct fake_query *q, const char *const *zone)
{
    char name[FAKE_NAME_MAX];
    snprintf(name, sizeof(name), "%s", q->name);
    for (int links = 0; links <= CNAME_MAX; links++) {
        const char *alias = NULL;
        bool exists = false, found = false;
        for (const char *const *line = zone; *line != NULL; line++) {
            if (!owned_by(*line, name)) {
                continue;
            }
            exists = true;
            if (type_of(*line) == q->type) {
                fake_reply_add(m, 6, *line);
                found = true;
            } else if (type_of(*line) == 5) {
                alias = *line;
            }
        }
        if (found) {
            return;
        }
        if (alias == NULL) {
            if (!exists) {
                fake_set16(m, 2, fake_get16(m->p + 2) | 3);
            }
            add_soa(m, zone);
            return;
        }
        fake_reply_add(m, 6, alias);
        target_of(alias, name, sizeof(name));
    }
}

void fake_reply_edns(struct fake_message *m, const struct fake_query *q, int ede,
                     const char *ede_text)
{
    if (!q->edns) {
        return;
    }
    size_t text = ede >= 0 && ede_text != NULL ? strlen(ede_text) : 0;
    put8(m, 0);
    put16(m, 41);
    put16(m, 1232);
    put32(m, q->dnssec_ok ? 0x8000 : 0);
    put16(m, ede >= 0 ? (unsigned)(6 + text) : 0);
    if (ede >= 0) {
        put16(m, 15);
        put16(m, (unsigned)(2 + text));
        put16(m, (unsigned)ede);
        put(m, ede_text, text);
    }
    if (!m->full) {
        fake_set16(m, 10, fake_get16(m->p + 10) + 1);
    }
}
