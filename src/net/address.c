#include "net.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "[IPv6:" + 45 + "%" + interface name (15) + "]" */
#define LITERAL_MAX 80

struct prefix {
    uint8_t bytes[16];
    uint8_t bits;
    enum net_range range;
};

/* First match wins: the narrower ones stand first. */
static const struct prefix prefixes4[] = {
    {{0, 0, 0, 0}, 32, RANGE_UNSPECIFIED},
    {{0}, 8, RANGE_RESERVED},
    {{10}, 8, RANGE_PRIVATE},
    {{100, 64}, 10, RANGE_SHARED},
    {{127}, 8, RANGE_LOOPBACK},
    {{169, 254}, 16, RANGE_LINK_LOCAL},
    {{172, 16}, 12, RANGE_PRIVATE},
    {{192, 0, 0}, 24, RANGE_RESERVED},
    {{192, 0, 2}, 24, RANGE_DOCUMENTATION},
    {{192, 88, 99}, 24, RANGE_RESERVED},
    {{192, 168}, 16, RANGE_PRIVATE},
    {{198, 18}, 15, RANGE_RESERVED},
    {{198, 51, 100}, 24, RANGE_DOCUMENTATION},
    {{203, 0, 113}, 24, RANGE_DOCUMENTATION},
    {{224}, 4, RANGE_MULTICAST},
    {{240}, 4, RANGE_RESERVED},
};

static const struct prefix prefixes6[] = {
    {{0}, 128, RANGE_UNSPECIFIED},
    {{[15] = 1}, 128, RANGE_LOOPBACK},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, RANGE_RESERVED},
    {{0x00, 0x64, 0xff, 0x9b}, 96, RANGE_GLOBAL},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, RANGE_DOCUMENTATION},
    {{0x20, 0x01, 0x00}, 23, RANGE_RESERVED},
    {{0x3f, 0xff, 0x00}, 20, RANGE_DOCUMENTATION},
    {{0xfc}, 7, RANGE_UNIQUE_LOCAL},
    {{0xfe, 0x80}, 10, RANGE_LINK_LOCAL},
    {{0xff}, 8, RANGE_MULTICAST},
    {{0x20}, 3, RANGE_GLOBAL},
    {{0}, 0, RANGE_RESERVED},
};

static const char *const range_names[] = {
    [RANGE_GLOBAL] = "global",
    [RANGE_UNSPECIFIED] = "unspecified",
    [RANGE_LOOPBACK] = "loopback",
    [RANGE_PRIVATE] = "private",
    [RANGE_SHARED] = "shared",
    [RANGE_LINK_LOCAL] = "link-local",
    [RANGE_UNIQUE_LOCAL] = "unique-local",
    [RANGE_DOCUMENTATION] = "documentation",
    [RANGE_MULTICAST] = "multicast",
    [RANGE_RESERVED] = "reserved",
};

const char *net_range_name(enum net_range range)
{
    size_t i = (size_t)range;
    return i < ARRAY_LEN(range_names) ? range_names[i] : "unknown";
}

/* The interface behind "%": a number, or the name of one that exists here. */
static bool parse_scope(const char *text, uint32_t *scope)
{
    if (isdigit((unsigned char)text[0])) {
        char *end;
        errno = 0;
        unsigned long n = strtoul(text, &end, 10);
        if (errno != 0 || *end != '\0' || n > UINT32_MAX) {
            return false;
        }
        *scope = (uint32_t)n;
        return true;
    }
    *scope = if_nametoindex(text);
    return *scope != 0;
}

bool net_address_parse(const char *text, struct net_address *out)
{
    memset(out, 0, sizeof(*out));
    char literal[LITERAL_MAX];
    size_t len = strlen(text);
    if (len == 0 || len >= sizeof(literal)) {
        return false;
    }
    memcpy(literal, text, len + 1);
    char *p = literal;
    bool only6 = false;
    if (p[0] == '[') {
        if (p[len - 1] != ']') {
            return false;
        }
        p[len - 1] = '\0';
        p++;
        /* RFC 5321 4.1.3 */
        static const char tag[] = "IPv6:";
        char *colon = strchr(p, ':');
        if (colon != NULL && (size_t)(colon - p) == sizeof(tag) - 2) {
            struct span head = {p, sizeof(tag) - 1};
            if (span_equal_nocase(head, tag)) {
                p += sizeof(tag) - 1;
                only6 = true;
            }
        }
    }
    if (!only6 && inet_pton(AF_INET, p, out->bytes) == 1) {
        out->family = 4;
        return true;
    }
    char *zone = strchr(p, '%');
    if (zone != NULL) {
        *zone++ = '\0';
    }
    if (inet_pton(AF_INET6, p, out->bytes) != 1 ||
        (zone != NULL && !parse_scope(zone, &out->scope))) {
        memset(out, 0, sizeof(*out));
        return false;
    }
    out->family = 6;
    return true;
}

void net_address_format(const struct net_address *a, char *out, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    if (a->family != 4 && a->family != 6) {
        snprintf(out, size, "-");
        return;
    }
    if (inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, text, sizeof(text)) == NULL) {
        text[0] = '\0';
    }
    if (a->family == 6 && a->scope != 0) {
        snprintf(out, size, "%s%%%u", text, (unsigned)a->scope);
    } else {
        snprintf(out, size, "%s", text);
    }
}

void net_address_format_port(const struct net_address *a, char *out, size_t size)
{
    char host[NET_ADDRESS_TEXT];
    net_address_format(a, host, sizeof(host));
    snprintf(out, size, a->family == 6 ? "[%s]:%u" : "%s:%u", host, (unsigned)a->port);
}

bool net_address_same_host(const struct net_address *a, const struct net_address *b)
{
    if (a->family != b->family || a->family == 0) {
        return false;
    }
    return memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0 &&
           (a->family == 4 || a->scope == b->scope);
}

static bool in_prefix(const uint8_t *bytes, const struct prefix *p)
{
    size_t whole = p->bits / 8u;
    unsigned rest = p->bits % 8u;
    if (memcmp(bytes, p->bytes, whole) != 0) {
        return false;
    }
    return rest == 0 || ((bytes[whole] ^ p->bytes[whole]) >> (8u - rest)) == 0;
}

static enum net_range look_up(const struct prefix *table, size_t count, const uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        if (in_prefix(bytes, &table[i])) {
            return table[i].range;
        }
    }
    return RANGE_GLOBAL;
}

enum net_range net_address_range(const struct net_address *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (a->family == 4) {
        return look_up(prefixes4, ARRAY_LEN(prefixes4), a->bytes);
    }
    if (a->family != 6) {
        return RANGE_UNSPECIFIED;
    }
    /* ::ffff:10.0.0.1 is as private as 10.0.0.1 */
    if (memcmp(a->bytes, mapped, sizeof(mapped)) == 0) {
        return look_up(prefixes4, ARRAY_LEN(prefixes4), a->bytes + sizeof(mapped));
    }
    return look_up(prefixes6, ARRAY_LEN(prefixes6), a->bytes);
}
