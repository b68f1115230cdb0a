#include "escape.h"

#include <stdio.h>
#include <string.h>

#include "escape_table.h"

/* A base and this many marks of 4 bytes each, and the NUL, fit into escape_cell.text. More marks on
   one base only serve to paint over the lines above. */
#define MARKS_MAX 4

size_t utf8_decode(const char *p, size_t len, uint32_t *code_point)
{
    const unsigned char *s = (const unsigned char *)p;
    if (len == 0) {
        return 0;
    }
    if (s[0] < 0x80) {
        *code_point = s[0];
        return 1;
    }
    size_t n;
    uint32_t c, least;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        n = 2;
        c = s[0] & 0x1fu;
        least = 0x80;
    } else if ((s[0] & 0xf0) == 0xe0) {
        n = 3;
        c = s[0] & 0x0fu;
        least = 0x800;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        n = 4;
        c = s[0] & 0x07u;
        least = 0x10000;
    } else {
        return 0;
    }
    if (len < n) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }
    *code_point = c;
    return n;
}

static void cell_take(struct escape_cell *out, const char *p, size_t n, uint8_t columns)
{
    memcpy(out->text + out->len, p, n);
    out->len = (uint8_t)(out->len + n);
    out->text[out->len] = '\0';
    out->consumed = (uint8_t)(out->consumed + n);
    out->columns = (uint8_t)(out->columns + columns);
}

static void cell_escape(struct escape_cell *out, size_t consumed, int length)
{
    out->len = (uint8_t)length;
    out->columns = (uint8_t)length;
    out->consumed = (uint8_t)consumed;
    out->escaped = true;
}

static void cell_take_marks(struct escape_cell *out, const char *p, size_t len)
{
    for (int i = 0; i < MARKS_MAX && out->consumed < len; i++) {
        const char *next = p + out->consumed;
        uint32_t c;
        size_t n = utf8_decode(next, len - out->consumed, &c);
        if (n < 2 || escape_classify(c) != ESCAPE_MARK) {
            return;
        }
        cell_take(out, next, n, 0);
    }
}

void escape_next(const char *p, size_t len, unsigned flags, struct escape_cell *out)
{
    unsigned char first = (unsigned char)p[0];
    out->text[0] = '\0';
    out->len = out->columns = out->consumed = 0;
    out->escaped = false;

    if (first == '\t' && (flags & ESCAPE_KEEP_TAB) != 0) {
        cell_take(out, " ", 1, 1);
        return;
    }
    uint32_t c;
    size_t n = utf8_decode(p, len, &c);
    if (n == 0 || c < 0x20 || c == 0x7f) {
        cell_escape(out, 1, snprintf(out->text, sizeof(out->text), "\\x%02x", first));
        return;
    }
    enum escape_class class = c < 0x7f ? ESCAPE_NARROW : escape_classify(c);
    bool ascii = (flags & ESCAPE_ASCII) != 0;
    if (class == ESCAPE_HIDDEN || class == ESCAPE_MARK || (ascii && c > 0x7f)) {
        cell_escape(out, n,
                    snprintf(out->text, sizeof(out->text), "\\u{%04X}", (unsigned)c));
        return;
    }
    cell_take(out, p, n, class == ESCAPE_WIDE ? 2 : 1);
    if (!ascii) {
        cell_take_marks(out, p, len);
    }
}

enum status escape_add(struct buf *out, const char *p, size_t len, unsigned flags)
{
    while (len > 0) {
        struct escape_cell cell;
        escape_next(p, len, flags, &cell);
        enum status st = buf_add(out, cell.text, cell.len);
        if (st != ST_OK) {
            return st;
        }
        p += cell.consumed;
        len -= cell.consumed;
    }
    return ST_OK;
}

void escape_copy(char *dst, size_t size, const char *p, size_t len, unsigned flags)
{
    static const char dots[] = "...";
    size_t used = 0;
    size_t cut = 0; /* the last border behind which the dots fit */
    while (len > 0) {
        struct escape_cell cell;
        escape_next(p, len, flags, &cell);
        if (used + cell.len >= size) {
            memcpy(dst + cut, dots, sizeof(dots));
            return;
        }
        memcpy(dst + used, cell.text, cell.len);
        used += cell.len;
        if (used + sizeof(dots) <= size) {
            cut = used;
        }
        p += cell.consumed;
        len -= cell.consumed;
    }
    dst[used] = '\0';
}

size_t escape_columns(const char *p, size_t len, unsigned flags)
{
    size_t columns = 0;
    while (len > 0) {
        struct escape_cell cell;
        escape_next(p, len, flags, &cell);
        columns += cell.columns;
        p += cell.consumed;
        len -= cell.consumed;
    }
    return columns;
}
