#include "xclient.h"

#include <string.h>

#include "envelope.h"
#include "escape.h"
#include "text.h"

#define WORD_SHOWN 80
#define NAME_MAX_LEN 16

enum value_kind { VALUE_ADDRESS, VALUE_PORT, VALUE_PROTOCOL, VALUE_TEXT };

/* The attributes of Postfix, XCLIENT_README. */
static const struct {
    const char *name;
    enum value_kind kind;
} attributes[] = {
    {"ADDR", VALUE_ADDRESS},     {"NAME", VALUE_TEXT},     {"PORT", VALUE_PORT},
    {"PROTO", VALUE_PROTOCOL},   {"HELO", VALUE_TEXT},     {"LOGIN", VALUE_TEXT},
    {"DESTADDR", VALUE_ADDRESS}, {"DESTPORT", VALUE_PORT}, {"REVERSE_NAME", VALUE_TEXT},
};

static bool is_unknown(struct span value)
{
    return span_equal_nocase(value, "[UNAVAILABLE]") || span_equal_nocase(value, "[TEMPUNAVAIL]");
}

static bool is_port(struct span v)
{
    unsigned long n = 0;
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] < '0' || v.p[i] > '9') {
            return false;
        }
        n = 10 * n + (unsigned long)(v.p[i] - '0');
        if (n > 65535) {
            return false;
        }
    }
    return v.len > 0;
}

static enum status add_address(struct span v, struct buf *out, bool *good)
{
    char text[NET_ADDRESS_TEXT];
    struct net_address address;
    *good = false;
    if (v.len >= sizeof(text)) {
        return ST_OK;
    }
    size_t skip = v.len > 5 && span_equal_nocase((struct span){v.p, 5}, "IPV6:") ? 5 : 0;
    memcpy(text, v.p + skip, v.len - skip);
    text[v.len - skip] = '\0';
    *good = net_address_parse(text, &address);
    if (!*good) {
        return ST_OK;
    }
    net_address_format(&address, text, sizeof(text));
    return buf_addf(out, "%s%s", address.family == 6 ? "IPV6:" : "", text);
}

static enum status add_value(enum value_kind kind, struct span v, struct buf *out, bool *good)
{
    *good = v.len > 0;
    if (is_unknown(v)) {
        return buf_add(out, v.p, v.len);
    }
    switch (kind) {
    case VALUE_ADDRESS:
        return add_address(v, out, good);
    case VALUE_PORT:
        *good = is_port(v);
        break;
    case VALUE_PROTOCOL:
        *good = span_equal_nocase(v, "SMTP") || span_equal_nocase(v, "ESMTP");
        break;
    case VALUE_TEXT:
        break;
    }
    return *good ? xtext_encode(v.p, v.len, out) : ST_OK;
}

static enum status bad_word(struct span word, struct error *error)
{
    char shown[WORD_SHOWN];
    escape_copy(shown, sizeof(shown), word.p, word.len, 0);
    return error_set(error, ST_INVALID, 0,
                     _("\"%s\" is no attribute of XCLIENT. They are ADDR, NAME, PORT, PROTO, HELO, "
                       "LOGIN, DESTADDR, DESTPORT and REVERSE_NAME, each as NAME=VALUE."),
                     shown);
}

static enum status add_word(struct span word, struct buf *out, struct error *error)
{
    const char *equals = memchr(word.p, '=', word.len);
    size_t n = equals != NULL ? (size_t)(equals - word.p) : word.len;
    struct span name = {word.p, n};
    for (size_t i = 0; equals != NULL && i < ARRAY_LEN(attributes); i++) {
        if (!span_equal_nocase(name, attributes[i].name)) {
            continue;
        }
        struct span value = {equals + 1, word.len - n - 1};
        bool good = true;
        enum status st = buf_addf(out, " %s=", attributes[i].name);
        if (st == ST_OK) {
            st = add_value(attributes[i].kind, value, out, &good);
        }
        if (st == ST_OK && !good) {
            char shown[WORD_SHOWN];
            escape_copy(shown, sizeof(shown), value.p, value.len, 0);
            return error_set(error, ST_INVALID, 0, _("\"%s\" cannot stand behind %s."), shown,
                             attributes[i].name);
        }
        return st;
    }
    return bad_word(word, error);
}

enum status xclient_line(const char *text, struct buf *out, struct error *error)
{
    size_t before = out->len;
    enum status st = buf_add_str(out, "XCLIENT");
    size_t words = 0;
    while (st == ST_OK) {
        text += strspn(text, " ");
        size_t n = strcspn(text, " ");
        if (n == 0) {
            break;
        }
        st = add_word((struct span){text, n}, out, error);
        text += n;
        words++;
    }
    if (st == ST_INVALID) {
        return st;
    }
    if (st == ST_OK && words == 0) {
        return error_set(error, ST_INVALID, 0, _("XCLIENT needs an attribute, as ADDR=192.0.2.1."));
    }
    if (st == ST_LIMIT || (st == ST_OK && out->len - before + 2 > XCLIENT_LINE_MAX)) {
        return error_set(error, ST_INVALID, 0, _("These attributes are too long for one command."));
    }
    return st == ST_OK ? ST_OK : error_set(error, st, 0, _("There is not enough memory."));
}

static bool offers(const struct cap *cap, struct span name)
{
    const char *p = cap->text + cap->keyword_len;
    while (*p != '\0') {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        char word[NAME_MAX_LEN];
        if (n > 0 && n < sizeof(word)) {
            memcpy(word, p, n);
            word[n] = '\0';
            if (span_equal_nocase(name, word)) {
                return true;
            }
        }
        p += n;
    }
    return false;
}

struct span xclient_not_offered(struct span line, const struct caps *caps)
{
    const struct cap *cap = caps_find(caps, CAP_XCLIENT);
    size_t at = 0;
    bool verb = true;
    while (at < line.len) {
        size_t begin = at;
        while (at < line.len && line.p[at] != ' ') {
            at++;
        }
        struct span word = {line.p + begin, at - begin};
        const char *equals = word.len > 0 ? memchr(word.p, '=', word.len) : NULL;
        struct span name = {word.p, equals != NULL ? (size_t)(equals - word.p) : word.len};
        if (!verb && word.len > 0 && (cap == NULL || !offers(cap, name))) {
            return name;
        }
        verb = false;
        at += at < line.len ? 1 : 0;
    }
    return (struct span){line.p + line.len, 0};
}
