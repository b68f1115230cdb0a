#include <stdlib.h>
#include <string.h>

#include "share_impl.h"

/* Numbers of hosts: 7 is ours, others begin at 10. */
#define OWN_NUMBER 7
#define FIRST_NUMBER 10
#define LAST_NUMBER 249
#define RESOLVER_NUMBER 53

/* Where addresses of a range go. `subnet` is the byte that tells networks apart, 0: there is but
 * one. */
struct place {
    uint8_t family;
    enum net_range range;
    uint8_t bytes[16];
    bool by_first; /* only where the first byte is the same */
    uint8_t subnet;
};

/* First match wins. */
static const struct place places[] = {
    {4, RANGE_PRIVATE, {10}, true, 2},
    {4, RANGE_PRIVATE, {172, 16}, true, 2},
    {4, RANGE_PRIVATE, {192, 168}, true, 2},
    {4, RANGE_SHARED, {100, 64}, false, 2},
    {4, RANGE_LINK_LOCAL, {169, 254}, false, 2},
    {4, RANGE_MULTICAST, {224}, false, 2},
    {4, RANGE_RESERVED, {240}, false, 2},
    {6, RANGE_UNIQUE_LOCAL, {0xfd}, false, 7},
    {6, RANGE_LINK_LOCAL, {0xfe, 0x80}, false, 0},
    {6, RANGE_MULTICAST, {0xff, 0x02}, false, 0},
    {6, RANGE_RESERVED, {0x40}, false, 7},
};

static const uint8_t beside4[] = {198, 51, 100}; /* our /24 */
static const uint8_t away4[] = {192, 0, 2};
static const uint8_t far4[] = {203, 0,
                               113}; /* when 192.0.2 is full, and for a second one of ours */
static const uint8_t beside6[] = {0x20, 0x01, 0x0d, 0xb8, 0x00, 0x51}; /* our /64 */
static const uint8_t away6[] = {0x20, 0x01, 0x0d, 0xb8, 0x00, 0x02};

static size_t bytes_of(const struct net_address *a)
{
    return a->family == 4 ? 4 : 16;
}

/* What shares a link, as far as trust between servers goes: /24 and /64. */
static size_t link_bytes(const struct net_address *a)
{
    return a->family == 4 ? 3 : 8;
}

static bool same_link(const struct net_address *a, const struct net_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, link_bytes(a)) == 0;
}

static const struct share_address *find(const struct share_safe *s, const struct net_address *a)
{
    for (size_t i = 0; i < s->address_count; i++) {
        const struct net_address *from = &s->addresses[i].from;
        if (from->family == a->family && memcmp(from->bytes, a->bytes, bytes_of(a)) == 0) {
            return &s->addresses[i];
        }
    }
    return NULL;
}

static bool is_taken(const struct share_safe *s, const struct net_address *to)
{
    for (size_t i = 0; i < s->address_count; i++) {
        const struct net_address *other = &s->addresses[i].to;
        if (other->family == to->family && memcmp(other->bytes, to->bytes, bytes_of(to)) == 0) {
            return true;
        }
    }
    return false;
}

static enum status keep(struct share_safe *s, const struct net_address *from,
                        const struct net_address *to)
{
    if (s->address_count == SHARE_NAMES_MAX) {
        return ST_OK; /* it looks like others from now on */
    }
    struct share_address *grown = realloc(s->addresses, (s->address_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return ST_NOMEM;
    }
    s->addresses = grown;
    s->addresses[s->address_count++] = (struct share_address){*from, *to};
    return ST_OK;
}

/* The next free number in this network; false when all are taken, and the last one is handed out.
 */
static bool number(const struct share_safe *s, struct net_address *to)
{
    size_t last = bytes_of(to) - 1;
    for (unsigned n = FIRST_NUMBER; n <= LAST_NUMBER; n++) {
        to->bytes[last] = (uint8_t)(to->family == 4 ? n : 0x10 + n - FIRST_NUMBER);
        if (!is_taken(s, to)) {
            return true;
        }
    }
    return false;
}

static struct net_address network_of(uint8_t family, const uint8_t *bytes, size_t len)
{
    struct net_address a = {.family = family};
    memcpy(a.bytes, bytes, len);
    return a;
}

static bool is_beside_us(const struct share_safe *s, const struct net_address *a)
{
    for (size_t i = 0; i < s->own_count; i++) {
        if (s->own[i].family == a->family) {
            return same_link(&s->own[i], a);
        }
    }
    return false;
}

static void place_public(const struct share_safe *s, const struct net_address *a,
                         struct net_address *to)
{
    bool beside = is_beside_us(s, a);
    if (a->family == 6) {
        *to =
            beside ? network_of(6, beside6, sizeof(beside6)) : network_of(6, away6, sizeof(away6));
        (void)number(s, to);
        return;
    }
    *to = beside ? network_of(4, beside4, sizeof(beside4)) : network_of(4, away4, sizeof(away4));
    if (!number(s, to) && !beside) {
        *to = network_of(4, far4, sizeof(far4));
        (void)number(s, to);
    }
}

/* Its own network keeps a number of its own, so that neighbours stay neighbours. */
static void place_special(const struct share_safe *s, const struct place *p,
                          const struct net_address *a, struct net_address *to)
{
    unsigned subnets = 0;
    *to = network_of(a->family, p->bytes, sizeof(p->bytes));
    for (size_t i = 0; i < s->address_count; i++) {
        const struct share_address *other = &s->addresses[i];
        if (other->to.family != to->family ||
            memcmp(other->to.bytes, p->bytes, p->subnet > 0 ? p->subnet : 2) != 0) {
            continue;
        }
        if (same_link(&other->from, a)) {
            memcpy(to->bytes, other->to.bytes, link_bytes(to));
            (void)number(s, to);
            return;
        }
        unsigned n = other->to.bytes[p->subnet];
        subnets = p->subnet > 0 && n + 1 > subnets ? n + 1 : subnets;
    }
    if (p->subnet > 0) {
        to->bytes[p->subnet] = (uint8_t)(subnets < 255 ? subnets : 255);
    }
    (void)number(s, to);
}

static void place(const struct share_safe *s, const struct net_address *a, struct net_address *to)
{
    enum net_range range = net_address_range(a);
    if (range == RANGE_LOOPBACK || range == RANGE_UNSPECIFIED) {
        *to = *a;
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const struct place *p = &places[i];
        if (p->family == a->family && p->range == range &&
            (!p->by_first || p->bytes[0] == a->bytes[0])) {
            place_special(s, p, a, to);
            return;
        }
    }
    place_public(s, a, to);
}

enum status share_safe_address(struct share_safe *s, const struct net_address *a,
                               struct net_address *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct net_address plain = *a;
    plain.port = 0;
    plain.scope = 0;
    *out = plain;
    enum status st = ST_OK;
    if (a->family == 6 && memcmp(a->bytes, mapped, sizeof(mapped)) == 0) {
        struct net_address inner = {.family = 4};
        memcpy(inner.bytes, a->bytes + sizeof(mapped), 4);
        struct net_address example;
        st = share_safe_address(s, &inner, &example);
        memcpy(out->bytes + sizeof(mapped), example.bytes, 4);
    } else if (a->family != 0) {
        const struct share_address *known = find(s, &plain);
        if (known != NULL) {
            *out = known->to;
        } else {
            place(s, &plain, out);
            st = keep(s, &plain, out);
        }
    }
    out->port = a->port;
    return st;
}

/* The number that is ours, where it is free. */
static enum status keep_numbered(struct share_safe *s, const struct net_address *from,
                                 struct net_address *to, uint8_t n)
{
    size_t last = bytes_of(to) - 1;
    struct net_address wanted = *to;
    wanted.bytes[last] = to->family == 4 ? n : (uint8_t)(n / 10 * 16 + n % 10);
    return keep(s, from, is_taken(s, &wanted) ? to : &wanted);
}

enum status share_safe_own_address(struct share_safe *s, const struct net_address *a)
{
    struct net_address plain = *a;
    struct net_address to;
    plain.port = 0;
    plain.scope = 0;
    if (a->family == 0 || find(s, &plain) != NULL) {
        return ST_OK;
    }
    enum net_range range = net_address_range(&plain);
    bool public = range == RANGE_GLOBAL || range == RANGE_DOCUMENTATION;
    bool known = false;
    for (size_t i = 0; i < s->own_count; i++) {
        known = known || (public && s->own[i].family == a->family);
    }
    /* What is private never lies beside anything public. */
    if (public && s->own_count < ARRAY_LEN(s->own)) {
        s->own[s->own_count++] = plain;
    }
    place(s, &plain, &to);
    if (known && !is_beside_us(s, &plain) && a->family == 4) {
        to = network_of(4, far4, sizeof(far4));
        (void)number(s, &to);
    }
    return range == RANGE_LOOPBACK ? keep(s, &plain, &to)
                                   : keep_numbered(s, &plain, &to, OWN_NUMBER);
}

enum status share_safe_resolver(struct share_safe *s, const struct net_address *a)
{
    struct net_address plain = *a;
    struct net_address to;
    plain.port = 0;
    plain.scope = 0;
    if (a->family == 0 || find(s, &plain) != NULL) {
        return ST_OK;
    }
    place(s, &plain, &to);
    return net_address_range(&plain) == RANGE_LOOPBACK
               ? keep(s, &plain, &to)
               : keep_numbered(s, &plain, &to, RESOLVER_NUMBER);
}
