#include "tview_internal.h"

#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "text.h"

/* Too narrow for a time column. */
#define TIME_MIN_WIDTH 24

int tview_time_columns(const struct tview *v)
{
    static const int columns[] = {
        [TIME_RELATIVE] = 6, [TIME_DELTA] = 7, [TIME_ABSOLUTE] = 13, [TIME_OFF] = 0};
    return v->width < TIME_MIN_WIDTH ? 0 : columns[v->time];
}

int tview_prefix_columns(const struct tview *v)
{
    int columns = 1 + tview_time_columns(v) + 1 + 2 + 1;
    return columns < v->width ? columns : 0;
}

int tview_text_columns(const struct tview *v)
{
    int columns = v->width - tview_prefix_columns(v);
    return columns > 1 ? columns : 1;
}

static unsigned flags_for(const struct tview *v)
{
    return v->ascii ? ESCAPE_ASCII : 0;
}

int tview_shown_columns(const struct tview *v, const char *p, size_t len)
{
    return (int)escape_columns(p, len, flags_for(v));
}

size_t tview_shown_wrap(const struct tview *v, const struct shown *s, size_t from, int width)
{
    int column = 0;
    size_t at = from;
    size_t space = 0; /* behind the last blank that is far enough to the right to break at */
    while (at < s->len) {
        struct escape_cell piece;
        escape_next(s->p + at, s->len - at, flags_for(v), &piece);
        if (column + piece.columns > width && at > from) {
            return space > 0 && s->p[at] != ' ' ? space : at;
        }
        column += piece.columns;
        at += piece.consumed;
        if (s->p[at - 1] == ' ' && column > width / 2) {
            space = at;
        }
    }
    return at;
}

unsigned tview_shown_parts(struct tview *v, const struct record *r, const struct line *line)
{
    if (!v->wrap) {
        return 1;
    }
    struct shown s = tview_shown_text(v, r, line);
    unsigned parts = 1;
    int width = tview_text_columns(v);
    for (size_t at = tview_shown_wrap(v, &s, 0, width); at < s.len;
         at = tview_shown_wrap(v, &s, at, width)) {
        parts++;
    }
    return parts;
}

static bool is_base64(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = p[i];
        bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/' || c == '=';
        if (!ok) {
            return false;
        }
    }
    return len > 0;
}

static bool is_challenge(const struct line *line)
{
    return line->dir == DIR_SERVER && line->len >= 3 && memcmp(line->text, "334", 3) == 0 &&
           (line->len == 3 || line->text[3] == ' ');
}

/* The base64 word of a line of an AUTH dialogue. Credentials are no matter here: they were replaced
   by
   "<hidden N bytes>" before the line was recorded. */
static struct span token_of(const struct record *r, const struct line *line)
{
    struct span token = {NULL, 0};
    struct line before;
    if (is_challenge(line) && line->len > 4) {
        token = (struct span){line->text + 4, line->len - 4};
    } else if (line->dir == DIR_CLIENT && (line->flags & LINE_REDACTED) == 0) {
        struct span verb = {line->text, 5};
        if (line->len > 5 && span_equal_nocase(verb, "AUTH ")) {
            const char *mech_end = memchr(line->text + 5, ' ', line->len - 5);
            if (mech_end != NULL) {
                token.p = mech_end + 1;
                token.len = line->len - (size_t)(token.p - line->text);
            }
        } else if (line->number > 1 && lines_get(r->lines, line->number - 1, &before) &&
                   is_challenge(&before)) {
            token = (struct span){line->text, line->len};
        }
    }
    return token;
}

static enum status add_decoded(struct buf *out, const struct record *r, const struct line *line)
{
    struct span token = token_of(r, line);
    if (token.p == NULL || token.len > LINE_SHOWN_MAX || !is_base64(token.p, token.len)) {
        return ST_OK;
    }
    struct buf decoded;
    buf_init(&decoded, LINE_SHOWN_MAX);
    enum status st = ST_OK;
    if (base64_decode(&decoded, token.p, token.len) == ST_OK && decoded.len > 0) {
        st = buf_add_str(out, "  = ");
        if (st == ST_OK) {
            st = buf_add(out, decoded.p, decoded.len);
        }
    }
    buf_wipe(&decoded);
    return st;
}

static enum status add_cut(struct buf *out, const struct line *line)
{
    char note[160];
    unsigned long length = (unsigned long)line->len;
    if ((line->flags & LINE_CUT) != 0) {
        (void)snprintf(note, sizeof(note),
                       Q_("  [cut here; the line has more than %lu byte]",
                          "  [cut here; the line has more than %lu bytes]", length),
                       length);
    } else {
        (void)snprintf(note, sizeof(note),
                       Q_("  [cut here; the line has %lu byte]",
                          "  [cut here; the line has %lu bytes]", length),
                       length);
    }
    return buf_add_str(out, note);
}

struct shown tview_shown_text(struct tview *v, const struct record *r, const struct line *line)
{
    struct shown s = {line->text, line->len, line->len};
    bool cut = line->len > LINE_SHOWN_MAX || (line->flags & LINE_CUT) != 0;
    if (!cut && !v->base64) {
        return s;
    }
    if (s.raw > LINE_SHOWN_MAX) {
        s.raw = LINE_SHOWN_MAX;
        /* Not inside a character. */
        for (int i = 0; i < 3 && ((unsigned char)line->text[s.raw] & 0xc0) == 0x80; i++) {
            s.raw--;
        }
        s.len = s.raw;
    }
    buf_clear(&v->shown);
    enum status st = buf_add(&v->shown, line->text, s.raw);
    if (st == ST_OK && v->base64) {
        st = add_decoded(&v->shown, r, line);
    }
    if (st == ST_OK && cut) {
        st = add_cut(&v->shown, line);
    }
    if (st == ST_OK || v->shown.len > s.raw) {
        s.p = buf_str(&v->shown);
        s.len = v->shown.len;
    }
    return s;
}
