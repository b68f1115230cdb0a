#include "dns_name.h"

/* nameser.h takes its integer types from here on some systems. */
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

enum status dns_name_encode(const char *name, uint8_t out[DNS_WIRE_NAME_MAX + 1], size_t *len)
{
    /* ns_name_pton reads an empty text as the root; nobody means that by it. */
    if (name == NULL || name[0] == '\0' || ns_name_pton(name, out, DNS_WIRE_NAME_MAX) < 0) {
        return ST_INVALID;
    }
    size_t used = 0;
    while (out[used] != 0) {
        used += (size_t)out[used] + 1;
    }
    *len = used + 1;
    return ST_OK;
}

enum status dns_name_canonical(const char *name, char out[DNS_NAME_MAX])
{
    uint8_t wire[DNS_WIRE_NAME_MAX + 1];
    size_t len;
    if (dns_name_encode(name, wire, &len) != ST_OK || ns_name_ntop(wire, out, DNS_NAME_MAX) < 0) {
        out[0] = '\0';
        return ST_INVALID;
    }
    return ST_OK;
}

/* Length without one final dot, unless that dot is escaped and so part of the last label. */
static size_t length_without_dot(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || name[len - 1] != '.') {
        return len;
    }
    size_t slashes = 0;
    while (slashes < len - 1 && name[len - 2 - slashes] == '\\') {
        slashes++;
    }
    return slashes % 2 == 0 ? len - 1 : len;
}

bool dns_name_equal(const char *a, const char *b)
{
    struct span left = {a, length_without_dot(a)};
    struct span right = {b, length_without_dot(b)};
    if (left.len != right.len) {
        return false;
    }
    for (size_t i = 0; i < left.len; i++) {
        unsigned char x = (unsigned char)left.p[i];
        unsigned char y = (unsigned char)right.p[i];
        /* RFC 4343: the case of ASCII letters only; no locale. */
        x = x >= 'A' && x <= 'Z' ? (unsigned char)(x + ('a' - 'A')) : x;
        y = y >= 'A' && y <= 'Z' ? (unsigned char)(y + ('a' - 'A')) : y;
        if (x != y) {
            return false;
        }
    }
    return true;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool label_is_host(const char *label, size_t len, bool underscore)
{
    if (len == 0 || len > DNS_LABEL_MAX || label[0] == '-' || label[len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(label[i]) && label[i] != '-' && !(underscore && label[i] == '_')) {
            return false;
        }
    }
    return true;
}

bool dns_name_is_host(const char *name, bool underscore)
{
    size_t len = length_without_dot(name);
    if (len == 0 || len > DNS_HOST_NAME_MAX) {
        return false;
    }
    size_t start = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i == len || name[i] == '.') {
            if (!label_is_host(name + start, i - start, underscore)) {
                return false;
            }
            start = i + 1;
        }
    }
    return true;
}

void dns_reverse_name(const struct net_address *a, char *out, size_t size)
{
    const uint8_t *b = a->bytes;
    if (a->family == 4) {
        snprintf(out, size, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
        return;
    }
    if (a->family != 6) {
        str_copy(out, size, "");
        return;
    }
    /* RFC 3596 2.5: nibbles, lowest first. */
    char text[sizeof("ip6.arpa") + 64];
    size_t at = 0;
    for (size_t i = 16; i-- > 0;) {
        static const char digits[] = "0123456789abcdef";
        text[at++] = digits[b[i] & 15];
        text[at++] = '.';
        text[at++] = digits[b[i] >> 4];
        text[at++] = '.';
    }
    memcpy(text + at, "ip6.arpa", sizeof("ip6.arpa"));
    str_copy(out, size, text);
}

static const struct {
    uint16_t type;
    const char *name;
} type_names[] = {
    {DNS_A, "A"},           {DNS_NS, "NS"}, {DNS_CNAME, "CNAME"}, {DNS_SOA, "SOA"},
    {DNS_PTR, "PTR"},       {DNS_MX, "MX"}, {DNS_TXT, "TXT"},     {DNS_AAAA, "AAAA"},
    {DNS_SRV, "SRV"},       {DNS_DS, "DS"}, {46, "RRSIG"},        {47, "NSEC"},
    {DNS_DNSKEY, "DNSKEY"}, {50, "NSEC3"},  {DNS_TLSA, "TLSA"},   {64, "SVCB"},
    {65, "HTTPS"},          {99, "SPF"},    {DNS_CAA, "CAA"},
};

void dns_type_name(uint16_t type, char *out, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++) {
        if (type_names[i].type == type) {
            str_copy(out, size, type_names[i].name);
            return;
        }
    }
    /* RFC 3597 section 5. */
    snprintf(out, size, "TYPE%u", type);
}
