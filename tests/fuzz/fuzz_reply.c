/*
 * Any octets as replies of a mail server. However they are cut into pieces, the parser must come to
 * the same result, and what it says about its lines must be true.
 *
 * Threads: the fuzzer's. Ownership: nothing outlives a call.
 */
#include <stdlib.h>
#include <string.h>

#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

/* Feeds pieces of `step` bytes; returns how many were used. */
static size_t feed(struct reply *r, const char *p, size_t len, size_t step, enum status *st)
{
    size_t at = 0;
    *st = ST_AGAIN;
    while (at < len && *st == ST_AGAIN) {
        size_t n = len - at < step ? len - at : step;
        size_t used = 0;
        *st = reply_feed(r, p + at, n, &used);
        require(used <= n);
        require(*st != ST_AGAIN || used == n);
        at += used;
    }
    return at;
}

static void check_lines(const struct reply *r, size_t used, enum status st)
{
    size_t wire = 0;
    unsigned flags = 0;
    for (size_t i = 0; i < r->line_count; i++) {
        const struct reply_line *line = &r->lines[i];
        struct span whole = reply_line_whole(r, i);
        struct span text = reply_line_text(r, i);
        require(line->off + line->len <= r->text.len);
        require(line->len <= REPLY_LINE_KEPT && line->text_off <= line->len);
        require(text.p + text.len == whole.p + whole.len);
        require(memchr(whole.p, '\n', whole.len) == NULL);
        require(line->wire_len >= line->len);
        wire += line->wire_len;
        flags |= line->flags;
    }
    require((flags & ~r->flags) == 0);
    if (st == ST_OK) {
        require(r->complete && r->line_count > 0 && wire == used);
        struct span last = reply_line_whole(r, r->line_count - 1);
        require(last.len >= 3 && last.p[0] >= '0' && last.p[0] <= '9');
        require(last.len == 3 || last.p[3] != '-');
        require(r->code == (last.p[0] - '0') * 100 + (last.p[1] - '0') * 10 + (last.p[2] - '0'));
    } else {
        require(!r->complete);
    }
}

static void require_same(const struct reply *a, const struct reply *b)
{
    require(a->code == b->code && a->complete == b->complete && a->flags == b->flags);
    require(strcmp(a->enhanced, b->enhanced) == 0);
    require(a->line_count == b->line_count && a->text.len == b->text.len);
    require(memcmp(a->lines, b->lines, a->line_count * sizeof(a->lines[0])) == 0);
    require(memcmp(buf_str(&a->text), buf_str(&b->text), a->text.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reply whole, pieces;
    const char *p = (const char *)data;
    enum status st, again;
    struct buf joined;
    reply_init(&whole);
    reply_init(&pieces);
    buf_init(&joined, REPLY_TEXT_MAX);
    size_t used = feed(&whole, p, size, size + 1, &st);
    size_t step = size > 0 ? (size_t)data[size - 1] % 7 + 1 : 1;
    require(feed(&pieces, p, size, step, &again) == used);
    require(st == again);
    check_lines(&whole, used, st);
    require_same(&whole, &pieces);
    require(reply_join(&whole, &joined) == ST_OK);
    require(joined.len <= whole.text.len);
    reply_end(&whole);
    reply_end(&pieces);
    check_lines(&whole, used, st);
    require_same(&whole, &pieces);
    reply_free(&whole);
    reply_free(&pieces);
    buf_free(&joined);
    return 0;
}
