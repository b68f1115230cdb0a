#include "wire_name.h"

#include <netinet/in.h>
#include <string.h>
#include <arpa/nameser.h>
#include <resolv.h>

void wire_lower(uint8_t *p, size_t len)
{
    /* Length octets are below 64, so that only letters of labels are touched. */
    for (size_t i = 0; i < len; i++) {
        if (p[i] >= 'A' && p[i] <= 'Z') {
            p[i] = (uint8_t)(p[i] + ('a' - 'A'));
        }
    }
}

bool wire_encode(const char *text, uint8_t out[WIRE_NAME_MAX], uint8_t *len)
{
    int n = text[0] == '\0' ? -1 : dn_comp(text, out, WIRE_NAME_MAX, NULL, NULL);
    if (n < 1) {
        return false;
    }
    *len = (uint8_t)n;
    return true;
}

bool wire_name_parse(const char *text, struct wire_name *out)
{
    memset(out, 0, sizeof(*out));
    if (!wire_encode(text, out->p, &out->len)) {
        return false;
    }
    wire_lower(out->p, out->len);
    return true;
}

bool wire_name_equal(const struct wire_name *a, const struct wire_name *b)
{
    return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

size_t wire_label(const struct wire_name *name, size_t at)
{
    return at < name->len && name->p[at] != 0 ? (size_t)name->p[at] + 1 : 0;
}

bool wire_name_within(const struct wire_name *name, const struct wire_name *zone)
{
    for (size_t at = 0; at < name->len; at += wire_label(name, at)) {
        size_t left = name->len - at;
        if (left == zone->len && memcmp(name->p + at, zone->p, left) == 0) {
            return true;
        }
        if (wire_label(name, at) == 0) {
            break;
        }
    }
    return false;
}

void wire_reverse(const struct net_address *a, struct wire_name *out)
{
    char text[80];
    size_t at = 0;
    static const char hex[] = "0123456789abcdef";
    if (a->family == 4) {
        struct buf b;
        buf_init(&b, sizeof(text));
        if (buf_addf(&b, "%u.%u.%u.%u.in-addr.arpa", a->bytes[3], a->bytes[2], a->bytes[1],
                     a->bytes[0]) != ST_OK) {
            buf_clear(&b);
        }
        str_copy(text, sizeof(text), buf_str(&b));
        buf_free(&b);
    } else {
        for (int i = 15; i >= 0; i--) {
            text[at++] = hex[a->bytes[i] & 0x0f];
            text[at++] = '.';
            text[at++] = hex[a->bytes[i] >> 4];
            text[at++] = '.';
        }
        str_copy(text + at, sizeof(text) - at, "ip6.arpa");
    }
    if (!wire_name_parse(text, out)) {
        memset(out, 0, sizeof(*out));
    }
}

static bool ends_with_nocase(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && str_equal_nocase(text + n - m, end);
}

bool wire_complete(const char *word, const char *zone, bool below, char out[WIRE_TEXT_MAX])
{
    size_t n = strlen(word);
    bool full = n > 0 && word[n - 1] == '.';
    if (strcmp(word, "@") == 0) {
        return str_copy(out, WIRE_TEXT_MAX, zone);
    }
    if (!full && below) {
        size_t z = strlen(zone);
        full = str_equal_nocase(word, zone) ||
               (ends_with_nocase(word, zone) && n > z && word[n - z - 1] == '.');
    } else if (!full) {
        full = strchr(word, '.') != NULL;
    }
    if (full || strcmp(zone, ".") == 0) {
        return str_copy(out, WIRE_TEXT_MAX, word);
    }
    if (!str_copy(out, WIRE_TEXT_MAX, word) || n + 1 >= WIRE_TEXT_MAX) {
        return false;
    }
    out[n] = '.';
    return str_copy(out + n + 1, WIRE_TEXT_MAX - n - 1, zone);
}
