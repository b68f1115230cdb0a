#include "scenario_words.h"

#include <string.h>

static const char *const field_names[FIELD_COUNT] = {
#define X(id, name) name,
    TEXT_FIELD_LIST(X)
#undef X
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum status add_code_point(struct buf *out, uint32_t u)
{
    char b[4];
    size_t n = 0;
    if (u < 0x80) {
        b[n++] = (char)u;
    } else if (u < 0x800) {
        b[n++] = (char)(0xc0 | (u >> 6));
    } else if (u < 0x10000) {
        b[n++] = (char)(0xe0 | (u >> 12));
        b[n++] = (char)(0x80 | ((u >> 6) & 0x3f));
    } else {
        b[n++] = (char)(0xf0 | (u >> 18));
        b[n++] = (char)(0x80 | ((u >> 12) & 0x3f));
        b[n++] = (char)(0x80 | ((u >> 6) & 0x3f));
    }
    if (u >= 0x80) {
        b[n++] = (char)(0x80 | (u & 0x3f));
    }
    return buf_add(out, b, n);
}

/* \u{HEX}: *pp stands on the brace and is moved behind the closing one. */
static enum status add_unicode(struct buf *out, const char **pp)
{
    const char *p = *pp;
    uint32_t u = 0;
    if (*p != '{' || hex_digit(p[1]) < 0) {
        return ST_INVALID;
    }
    for (p++; hex_digit(*p) >= 0; p++) {
        u = u * 16 + (uint32_t)hex_digit(*p);
        if (u > 0x10ffff) {
            return ST_INVALID;
        }
    }
    if (*p != '}') {
        return ST_INVALID;
    }
    *pp = p + 1;
    return add_code_point(out, u);
}

/* *pp stands behind the backslash. */
static enum status add_escape(struct buf *out, const char **pp)
{
    static const char plain[] = "r\rn\nt\ta\ae\033\\\\\"\"";
    char c = **pp;
    if (c == 'x') {
        int high = hex_digit((*pp)[1]);
        int low = high < 0 ? -1 : hex_digit((*pp)[2]);
        if (low < 0) {
            return ST_INVALID;
        }
        *pp += 3;
        return buf_add_char(out, (char)(high * 16 + low));
    }
    if (c == 'u') {
        (*pp)++;
        return add_unicode(out, pp);
    }
    for (size_t i = 0; plain[i] != '\0'; i += 2) {
        if (c == plain[i]) {
            (*pp)++;
            return buf_add_char(out, plain[i + 1]);
        }
    }
    return ST_INVALID;
}

/* *pp stands behind the brace. */
static enum status add_field(struct buf *out, const char **pp, text_fill *fill, void *ctx)
{
    if (**pp == '{') {
        (*pp)++;
        return buf_add_char(out, '{');
    }
    const char *end = strchr(*pp, '}');
    for (int i = 0; end != NULL && i < FIELD_COUNT; i++) {
        size_t len = (size_t)(end - *pp);
        if (strlen(field_names[i]) == len && memcmp(field_names[i], *pp, len) == 0) {
            *pp = end + 1;
            return fill(ctx, (enum text_field)i, out);
        }
    }
    return ST_INVALID;
}

enum status scenario_text_add(struct buf *out, const char *text, text_fill *fill, void *ctx,
                              const char **bad)
{
    const char *p = text;
    while (*p != '\0') {
        const char *start = p++;
        enum status st;
        if (*start == '\\') {
            st = add_escape(out, &p);
        } else if (*start == '{' && fill != NULL) {
            st = add_field(out, &p, fill, ctx);
        } else {
            st = buf_add_char(out, *start);
        }
        if (st != ST_OK) {
            *bad = start;
            return st;
        }
    }
    return ST_OK;
}
