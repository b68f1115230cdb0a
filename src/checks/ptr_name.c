#include "ptr_name.h"

#include <stdio.h>
#include <string.h>

#define PIECES_MAX 64
#define PIECE_MAX 63
#define DOMAIN_LABELS 2 /* "dsl" in "mail.dsl.net" is a company's name */

static const char *const words[] = {
    "adsl",     "broadband",  "cable",   "client", "clients",  "compute", "cpe",   "cust",
    "customer", "dhcp",       "dial",    "dialin", "dialup",   "dsl",     "dyn",   "dynamic",
    "dynip",    "fiber",      "fibre",   "ftth",   "home",     "ip",      "modem", "mobile",
    "nat",      "pool",       "pools",   "ppp",    "pppoe",    "pub",     "res",   "residential",
    "rev",      "unassigned", "unknown", "vdsl",   "wireless", "xdsl",
};

struct piece {
    char text[PIECE_MAX + 1];
    bool digits;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Runs of digits and runs of letters of the host part: "ip-192-0-2" is ip, 192, 0, 2. */
static size_t cut(const char *name, size_t len, struct piece *out)
{
    size_t n = 0;
    size_t i = 0;
    while (i < len && n < PIECES_MAX) {
        size_t start = i;
        if (!is_digit(name[i]) && !is_letter(name[i])) {
            i++;
            continue;
        }
        bool digits = is_digit(name[i]);
        while (i < len && (digits ? is_digit(name[i]) : is_letter(name[i]))) {
            i++;
        }
        size_t size = i - start < PIECE_MAX ? i - start : PIECE_MAX;
        for (size_t k = 0; k < size; k++) {
            char c = name[start + k];
            out[n].text[k] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        out[n].text[size] = '\0';
        out[n].digits = digits;
        n++;
    }
    return n;
}

/* Where the domain begins, by its last labels. */
static size_t host_part(const char *name)
{
    size_t end = strlen(name);
    for (int labels = 0; end > 0; end--) {
        if (name[end - 1] == '.' && ++labels == DOMAIN_LABELS) {
            return end - 1;
        }
    }
    return 0;
}

static bool is_number(const struct piece *p, unsigned value)
{
    char text[8];
    const char *digits = p->text;
    snprintf(text, sizeof(text), "%u", value);
    while (digits[0] == '0' && digits[1] != '\0') {
        digits++; /* "192-000-002-001" */
    }
    return p->digits && strcmp(digits, text) == 0;
}

/* Three of the four numbers beside each other, forwards or backwards. */
static bool repeats_numbers(const struct piece *pieces, size_t count, const uint8_t *bytes)
{
    size_t numbers[PIECES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].digits) {
            numbers[n++] = i;
        }
    }
    for (size_t i = 0; i + 3 <= n; i++) {
        for (size_t from = 0; from <= 1; from++) {
            bool forward = true;
            bool backward = true;
            for (size_t k = 0; k < 3; k++) {
                forward = forward && is_number(&pieces[numbers[i + k]], bytes[from + k]);
                backward = backward && is_number(&pieces[numbers[i + k]], bytes[from + 2 - k]);
            }
            if (forward || backward) {
                return true;
            }
        }
    }
    return false;
}

/* Hexadecimal digits in a row: of the whole IPv4 address, or of the last 8 bytes of an IPv6 one. */
static bool repeats_hex(const char *name, size_t len, const struct net_address *a)
{
    char plain[256];
    char hex[33];
    size_t n = 0;
    const uint8_t *from = a->family == 4 ? a->bytes : a->bytes + 8;
    size_t bytes = a->family == 4 ? 4 : 8;
    for (size_t i = 0; i < bytes; i++) {
        snprintf(hex + 2 * i, 3, "%02x", from[i]);
    }
    for (size_t i = 0; i < len && n + 1 < sizeof(plain); i++) {
        char c = name[i];
        if (is_digit(c) || is_letter(c)) {
            plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
    }
    plain[n] = '\0';
    return strstr(plain, hex) != NULL;
}

bool ptr_name_is_generic(const char *name, const struct net_address *address)
{
    struct piece pieces[PIECES_MAX];
    size_t len = host_part(name);
    size_t count = cut(name, len, pieces);
    if (address->family == 4 && repeats_numbers(pieces, count, address->bytes)) {
        return true;
    }
    if (repeats_hex(name, len, address)) {
        return true;
    }
    bool numbered = false;
    bool worded = false;
    for (size_t i = 0; i < count; i++) {
        numbered = numbered || pieces[i].digits;
        for (size_t k = 0; k < ARRAY_LEN(words); k++) {
            worded = worded || strcmp(pieces[i].text, words[k]) == 0;
        }
    }
    /* "pool" or "home" alone may be a name that somebody chose; with a number it is a series. */
    return worded && numbered;
}
