#include "reply.h"

#include <string.h>

/* RFC 5321 4.5.3.1.5, with the line end. */
#define LINE_WIRE_MAX 512

/* Bits of reply.state. */
#define STATE_CR 0x01u      /* the last byte was a CR that is not placed yet */
#define STATE_STARTED 0x02u /* a line is in progress */
#define STATE_CODE 0x04u    /* some line had a code */
#define STATE_DEAD 0x08u    /* a limit was hit */

void reply_init(struct reply *r)
{
    memset(r, 0, offsetof(struct reply, text));
    buf_init(&r->text, REPLY_TEXT_MAX);
    r->line_count = 0;
    r->command_line = 0;
    r->answers = 0;
    r->elapsed_us = 0;
    r->state_len = 0;
    r->state = 0;
}

void reply_free(struct reply *r)
{
    buf_free(&r->text);
    reply_init(r);
}

void reply_reset(struct reply *r)
{
    struct buf text = r->text;
    reply_init(r);
    buf_clear(&text);
    r->text = text;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Length of an enhanced status code (RFC 2034 4: class.subject.detail) at the begin of p, or 0. */
static size_t enhanced_len(const char *p, size_t len)
{
    if (len < 5 || (p[0] != '2' && p[0] != '4' && p[0] != '5') || p[1] != '.') {
        return 0;
    }
    size_t i = 2;
    for (int part = 0; part < 2; part++) {
        size_t begin = i;
        while (i < len && is_digit(p[i]) && i - begin < 4) {
            i++;
        }
        if (i == begin || i - begin > 3) {
            return 0;
        }
        if (part == 0) {
            if (i == len || p[i] != '.') {
                return 0;
            }
            i++;
        }
    }
    return i == len || p[i] == ' ' || p[i] == '\t' ? i : 0;
}

static enum status line_begin(struct reply *r)
{
    size_t need = r->line_count > 0 ? 1 : 0;
    if (r->text.len + need > REPLY_TEXT_MAX) {
        r->flags |= REPLY_TOO_MANY;
        return ST_LIMIT;
    }
    if (need > 0) {
        enum status st = buf_add_char(&r->text, '\n');
        if (st != ST_OK) {
            return st;
        }
    }
    struct reply_line *line = &r->lines[r->line_count];
    memset(line, 0, sizeof(*line));
    line->off = r->text.len;
    r->state_len = 0;
    r->state |= STATE_STARTED;
    return ST_OK;
}

/*
 * Takes content of the line in progress, as much as the limits allow; *took counts it. Where the
 * limits bite must not depend on how the bytes were cut into pieces.
 */
static enum status line_put(struct reply *r, const char *p, size_t len, size_t *took)
{
    struct reply_line *line = &r->lines[r->line_count];
    size_t room = REPLY_LINE_READ - r->state_len;
    size_t n = len < room ? len : room;
    size_t keep = r->state_len < REPLY_LINE_KEPT ? REPLY_LINE_KEPT - r->state_len : 0;
    bool full = false;
    if (keep > n) {
        keep = n;
    }
    if (keep > REPLY_TEXT_MAX - r->text.len) {
        keep = n = REPLY_TEXT_MAX - r->text.len;
        full = true;
    }
    *took = 0;
    enum status st = buf_add(&r->text, p, keep);
    if (st != ST_OK) {
        return st;
    }
    for (size_t i = 0; i < n; i++) {
        line->flags |= p[i] == '\0' ? REPLY_NUL : 0u;
        line->flags |= (unsigned char)p[i] >= 0x80 ? REPLY_EIGHT_BIT : 0u;
    }
    line->len += keep;
    line->cut = line->cut || keep < n;
    r->state_len += n;
    *took = n;
    if (full) {
        r->flags |= REPLY_TOO_MANY;
        return ST_LIMIT;
    }
    if (n < len) {
        line->flags |= REPLY_OVERLONG;
        return ST_LIMIT;
    }
    return ST_OK;
}

static void read_code(struct reply *r, struct reply_line *line, const char *p, bool *final)
{
    int code = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
    if (p[0] < '2' || p[0] > '5' || p[1] > '5') {
        line->flags |= REPLY_BAD_CODE;
    }
    if ((r->state & STATE_CODE) != 0 && code != r->code) {
        line->flags |= REPLY_CODE_CHANGED;
    }
    r->code = code;
    r->state |= STATE_CODE;
    line->text_off = line->len > 3 ? 4 : 3;
    *final = line->len == 3 || p[3] != '-';
    if (line->len > 3 && p[3] != '-' && p[3] != ' ') {
        line->flags |= REPLY_BAD_SEPARATOR;
    }
    if (r->enhanced[0] == '\0') {
        const char *text = p + line->text_off;
        size_t len = enhanced_len(text, line->len - line->text_off);
        if (len > 0 && len < sizeof(r->enhanced)) {
            memcpy(r->enhanced, text, len);
            r->enhanced[len] = '\0';
        }
    }
}

/* The line in progress is over; end_len bytes of line end came with it. True: so is the reply. */
static bool line_end(struct reply *r, size_t end_len)
{
    struct reply_line *line = &r->lines[r->line_count];
    const char *p = buf_str(&r->text) + line->off;
    bool final = false;
    line->wire_len = r->state_len + end_len;
    if (line->wire_len > LINE_WIRE_MAX) {
        line->flags |= REPLY_OVERLONG;
    }
    if (line->len >= 3 && is_digit(p[0]) && is_digit(p[1]) && is_digit(p[2])) {
        read_code(r, line, p, &final);
    } else {
        line->flags |= line->len == 0 ? REPLY_EMPTY_LINE : REPLY_NO_CODE;
        if ((r->state & STATE_CODE) == 0) {
            line->flags |= REPLY_TEXT_BEFORE;
        }
    }
    r->flags |= line->flags;
    r->line_count++;
    r->state_len = 0;
    r->state &= ~(STATE_STARTED | STATE_CR);
    return final;
}

static enum status die(struct reply *r, enum status st)
{
    if (st != ST_LIMIT) {
        return st;
    }
    if ((r->state & STATE_STARTED) != 0) {
        r->lines[r->line_count].cut = true;
        line_end(r, 0);
    }
    r->state |= STATE_DEAD;
    return ST_LIMIT;
}

/* A CR that turned out not to begin a line end belongs to the line. */
static enum status place_cr(struct reply *r)
{
    size_t took;
    r->state &= ~STATE_CR;
    r->lines[r->line_count].flags |= REPLY_BARE_CR;
    return line_put(r, "\r", 1, &took);
}

static size_t content_len(const char *p, size_t len)
{
    const char *lf = memchr(p, '\n', len);
    size_t n = lf != NULL ? (size_t)(lf - p) : len;
    const char *cr = memchr(p, '\r', n);
    return cr != NULL ? (size_t)(cr - p) : n;
}

enum status reply_feed(struct reply *r, const char *p, size_t len, size_t *used)
{
    size_t i = 0;
    enum status st = ST_AGAIN;
    *used = 0;
    if (r->complete) {
        return ST_OK;
    }
    if ((r->state & STATE_DEAD) != 0) {
        return ST_LIMIT;
    }
    while (i < len && st == ST_AGAIN) {
        enum status sub = ST_OK;
        if ((r->state & STATE_STARTED) == 0) {
            sub = line_begin(r);
        }
        if (sub == ST_OK && p[i] == '\n') {
            struct reply_line *line = &r->lines[r->line_count];
            size_t end_len = (r->state & STATE_CR) != 0 ? 2 : 1;
            line->flags |= end_len == 1 ? REPLY_BARE_LF : 0u;
            i++;
            if (line_end(r, end_len)) {
                r->complete = true;
                st = ST_OK;
            } else if (r->line_count == REPLY_LINES_MAX) {
                r->flags |= REPLY_TOO_MANY;
                sub = ST_LIMIT;
            }
        } else if (sub == ST_OK) {
            if ((r->state & STATE_CR) != 0) {
                sub = place_cr(r);
            }
            size_t took = 0;
            if (sub == ST_OK && p[i] == '\r') {
                r->state |= STATE_CR;
                took = 1;
            } else if (sub == ST_OK) {
                sub = line_put(r, p + i, content_len(p + i, len - i), &took);
            }
            i += took;
        }
        if (sub != ST_OK) {
            st = die(r, sub);
        }
    }
    *used = i;
    return st;
}

void reply_end(struct reply *r)
{
    if (r->complete || (r->state & STATE_DEAD) != 0) {
        return;
    }
    if ((r->state & STATE_STARTED) != 0) {
        r->lines[r->line_count].cut = true;
        line_end(r, (r->state & STATE_CR) != 0 ? 1 : 0);
    }
    if (r->line_count > 0) {
        r->flags |= REPLY_CUT;
    }
    r->state |= STATE_DEAD;
}

int reply_class(const struct reply *r)
{
    return r->code / 100;
}

struct span reply_line_whole(const struct reply *r, size_t line)
{
    struct span s = {"", 0};
    if (line < r->line_count) {
        s.p = buf_str(&r->text) + r->lines[line].off;
        s.len = r->lines[line].len;
    }
    return s;
}

struct span reply_line_text(const struct reply *r, size_t line)
{
    struct span s = reply_line_whole(r, line);
    if (line < r->line_count) {
        s.p += r->lines[line].text_off;
        s.len -= r->lines[line].text_off;
    }
    return s;
}

enum status reply_join(const struct reply *r, struct buf *out)
{
    enum status st = ST_OK;
    bool first = true;
    for (size_t i = 0; i < r->line_count && st == ST_OK; i++) {
        struct span s = reply_line_text(r, i);
        size_t skip = enhanced_len(s.p, s.len);
        while (skip < s.len && (s.p[skip] == ' ' || s.p[skip] == '\t')) {
            skip++;
        }
        while (s.len > skip && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t')) {
            s.len--;
        }
        if (skip == s.len) {
            continue;
        }
        if (!first) {
            st = buf_add_char(out, ' ');
        }
        if (st == ST_OK) {
            st = buf_add(out, s.p + skip, s.len - skip);
        }
        first = false;
    }
    return st;
}
