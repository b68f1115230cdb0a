#include "proxy_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* proxy-protocol.txt 2.2: a v2 header begins with bytes that no text protocol begins with. */
static const unsigned char signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                            0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

#define COMMAND_LOCAL 0x20
#define COMMAND_PROXY 0x21
#define TCP_OVER_IPV4 0x11
#define TCP_OVER_IPV6 0x21
#define FIXED_V2 16 /* before the addresses */

static enum status bad_wish(struct error *error)
{
    return error_set(error, ST_INVALID, 0,
                     _("A proxy header is v1 or v2, with the client behind it where it is not this "
                       "machine: v1:192.0.2.1, v2:[2001:db8::1]:4711, v1:unknown, v2:local."));
}

/* "192.0.2.1", "192.0.2.1:4711", "[2001:db8::1]:4711", "2001:db8::1" */
static bool parse_source(const char *text, struct net_address *out)
{
    char host[NET_ADDRESS_TEXT];
    if (net_address_parse(text, out)) {
        return true;
    }
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    if (n == 0 || n >= sizeof(host)) {
        return false;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    char *end = NULL;
    unsigned long port = colon[1] >= '0' && colon[1] <= '9' ? strtoul(colon + 1, &end, 10) : 0;
    if (end == NULL || *end != '\0' || port > 65535 || !net_address_parse(host, out) ||
        (out->family == 6 && host[0] != '[')) {
        return false;
    }
    out->port = (uint16_t)port;
    return true;
}

enum status proxy_wish_parse(const char *text, struct proxy_wish *out, struct error *error)
{
    memset(out, 0, sizeof(*out));
    bool known = text[0] == 'v' && (text[1] == '1' || text[1] == '2');
    if (!known || (text[2] != '\0' && text[2] != ':')) {
        return bad_wish(error);
    }
    out->version = text[1] - '0';
    if (text[2] == '\0') {
        return ST_OK;
    }
    out->unknown = strcmp(text + 3, "unknown") == 0 || strcmp(text + 3, "local") == 0;
    return out->unknown || parse_source(text + 3, &out->source) ? ST_OK : bad_wish(error);
}

void proxy_wish_format(const struct proxy_wish *wish, char *out, size_t size)
{
    char address[NET_ADDRESS_TEXT];
    const struct net_address *a = &wish->source;
    if (wish->version == 0) {
        str_copy(out, size, "");
    } else if (wish->unknown) {
        str_copy(out, size, wish->version == 2 ? "v2:local" : "v1:unknown");
    } else if (a->family == 0) {
        snprintf(out, size, "v%d", wish->version);
    } else {
        net_address_format(a, address, sizeof(address));
        bool bracket = a->family == 6 && a->port != 0;
        int n = snprintf(out, size, "v%d:%s%s%s", wish->version, bracket ? "[" : "", address,
                         bracket ? "]" : "");
        if (a->port != 0 && n > 0 && (size_t)n < size) {
            snprintf(out + n, size - (size_t)n, ":%u", (unsigned)a->port);
        }
    }
}

static enum status write_v1(const struct net_address *from, const struct net_address *to,
                            bool unknown, struct buf *out)
{
    char source[NET_ADDRESS_TEXT];
    char target[NET_ADDRESS_TEXT];
    if (unknown) {
        return buf_add_str(out, "PROXY UNKNOWN\r\n");
    }
    net_address_format(from, source, sizeof(source));
    net_address_format(to, target, sizeof(target));
    return buf_addf(out, "PROXY TCP%d %s %s %u %u\r\n", from->family == 6 ? 6 : 4, source, target,
                    (unsigned)from->port, (unsigned)to->port);
}

static enum status add_u16(struct buf *out, unsigned n)
{
    const unsigned char bytes[2] = {(unsigned char)(n >> 8), (unsigned char)n};
    return buf_add(out, bytes, sizeof(bytes));
}

static enum status write_v2(const struct net_address *from, const struct net_address *to,
                            bool unknown, struct buf *out)
{
    size_t each = from->family == 6 ? 16 : 4;
    const unsigned char kind[2] = {unknown ? COMMAND_LOCAL : COMMAND_PROXY, unknown ? 0
                                                                            : from->family == 6
                                                                                ? TCP_OVER_IPV6
                                                                                : TCP_OVER_IPV4};
    enum status st = buf_add(out, signature, sizeof(signature));
    if (st == ST_OK) {
        st = buf_add(out, kind, sizeof(kind));
    }
    if (st == ST_OK) {
        st = add_u16(out, unknown ? 0 : (unsigned)(2 * each + 4));
    }
    if (st != ST_OK || unknown) {
        return st;
    }
    st = buf_add(out, from->bytes, each);
    if (st == ST_OK) {
        st = buf_add(out, to->bytes, each);
    }
    if (st == ST_OK) {
        st = add_u16(out, from->port);
    }
    return st == ST_OK ? add_u16(out, to->port) : st;
}

enum status proxy_header_write(const struct proxy_wish *wish, const struct net_address *local,
                               const struct net_address *peer, struct buf *out, struct error *error)
{
    struct net_address from = *local;
    if (wish->source.family != 0) {
        from = wish->source;
        from.port = from.port != 0 ? from.port : local->port;
    }
    if (!wish->unknown && from.family != peer->family) {
        return error_set(error, ST_INVALID, 0,
                         _("The client in the proxy header is an IPv%d address and the server an "
                           "IPv%d address."),
                         from.family, peer->family);
    }
    enum status st = wish->version == 2 ? write_v2(&from, peer, wish->unknown, out)
                                        : write_v1(&from, peer, wish->unknown, out);
    return st == ST_OK ? ST_OK : error_set(error, st, 0, _("There is not enough memory."));
}

/* "PROXY TCP4 192.0.2.1 192.0.2.10 4711 25\r\n" */
static enum status read_v1(const char *p, size_t len, struct proxy_header *out)
{
    char line[PROXY_HEADER_V1_MAX + 1];
    char family[8];
    char source[NET_ADDRESS_TEXT];
    char target[NET_ADDRESS_TEXT];
    unsigned from = 0;
    unsigned to = 0;
    const char *end = memchr(p, '\n', len < PROXY_HEADER_V1_MAX ? len : PROXY_HEADER_V1_MAX);
    if (end == NULL) {
        return len < PROXY_HEADER_V1_MAX ? ST_AGAIN : ST_INVALID;
    }
    size_t n = (size_t)(end - p) + 1;
    if (n < 2 || end[-1] != '\r') {
        return ST_INVALID;
    }
    memcpy(line, p, n - 2);
    line[n - 2] = '\0';
    out->len = n;
    out->version = 1;
    if (strcmp(line, "PROXY UNKNOWN") == 0 || strncmp(line, "PROXY UNKNOWN ", 14) == 0) {
        out->unknown = true;
        return ST_OK;
    }
    if (sscanf(line, "PROXY %7s %63s %63s %5u %5u", family, source, target, &from, &to) != 5 ||
        from > 65535 || to > 65535 || !net_address_parse(source, &out->source) ||
        !net_address_parse(target, &out->destination)) {
        return ST_INVALID;
    }
    int wanted = strcmp(family, "TCP4") == 0 ? 4 : strcmp(family, "TCP6") == 0 ? 6 : 0;
    if (out->source.family != wanted || out->destination.family != wanted) {
        return ST_INVALID;
    }
    out->source.port = (uint16_t)from;
    out->destination.port = (uint16_t)to;
    return ST_OK;
}

static enum status read_v2(const unsigned char *p, size_t len, struct proxy_header *out)
{
    if (len < FIXED_V2) {
        return ST_AGAIN;
    }
    size_t rest = (size_t)p[14] << 8 | p[15];
    bool six = p[13] == TCP_OVER_IPV6;
    size_t each = six ? 16 : 4;
    bool local = p[12] == COMMAND_LOCAL;
    if (!local &&
        (p[12] != COMMAND_PROXY || (p[13] != TCP_OVER_IPV4 && !six) || rest < 2 * each + 4)) {
        return ST_INVALID;
    }
    if (len < FIXED_V2 + rest) {
        return ST_AGAIN;
    }
    out->version = 2;
    out->unknown = local;
    out->len = FIXED_V2 + rest;
    if (local) {
        return ST_OK;
    }
    const unsigned char *a = p + FIXED_V2;
    out->source.family = out->destination.family = six ? 6 : 4;
    memcpy(out->source.bytes, a, each);
    memcpy(out->destination.bytes, a + each, each);
    out->source.port = (uint16_t)(a[2 * each] << 8 | a[2 * each + 1]);
    out->destination.port = (uint16_t)(a[2 * each + 2] << 8 | a[2 * each + 3]);
    return ST_OK;
}

enum status proxy_header_read(const char *p, size_t len, struct proxy_header *out)
{
    static const char text[] = "PROXY ";
    size_t v1 = sizeof(text) - 1;
    size_t v2 = sizeof(signature);
    memset(out, 0, sizeof(*out));
    if (len > 0 && memcmp(p, text, len < v1 ? len : v1) == 0) {
        return len < v1 ? ST_AGAIN : read_v1(p, len, out);
    }
    if (len > 0 && memcmp(p, signature, len < v2 ? len : v2) == 0) {
        return len < v2 ? ST_AGAIN : read_v2((const unsigned char *)p, len, out);
    }
    return len == 0 ? ST_AGAIN : ST_INVALID;
}
