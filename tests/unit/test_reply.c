/* The reply parser: every case whole, at every split point, byte by byte, on guarded pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "reply.h"

#define BYTES(text) text, sizeof(text) - 1

struct sample {
    const char *wire;
    size_t len;
    enum status end; /* of feeding all of it */
    size_t used;     /* 0: all */
    int code;
    unsigned flags;
    size_t lines;
    const char *enhanced;
    const char *joined;
};

static const struct sample samples[] = {
    {BYTES("220 mx.example ESMTP\r\n"), ST_OK, 0, 220, 0, 1, "", "mx.example ESMTP"},
    {BYTES("250\r\n"), ST_OK, 0, 250, 0, 1, "", ""},
    {BYTES("250 \r\n"), ST_OK, 0, 250, 0, 1, "", ""},
    {BYTES("250-one\r\n250-two\r\n250 three\r\n"), ST_OK, 0, 250, 0, 3, "", "one two three"},
    {BYTES("550-5.7.1 no\r\n550 5.7.1 relay\r\n"), ST_OK, 0, 550, 0, 2, "5.7.1", "no relay"},
    {BYTES("550 5.7.1\r\n"), ST_OK, 0, 550, 0, 1, "5.7.1", ""},
    {BYTES("452 4.111.222 x\r\n"), ST_OK, 0, 452, 0, 1, "4.111.222", "x"},
    {BYTES("452 4.1111.2 x\r\n"), ST_OK, 0, 452, 0, 1, "", "4.1111.2 x"},
    {BYTES("220 5.7.1.2 x\r\n"), ST_OK, 0, 220, 0, 1, "", "5.7.1.2 x"},
    {BYTES("250 3.0.0 x\r\n"), ST_OK, 0, 250, 0, 1, "", "3.0.0 x"},
    {BYTES("250-a\r\n250 2.1.0 b\r\n"), ST_OK, 0, 250, 0, 2, "2.1.0", "a b"},
    /* What follows belongs to somebody else. */
    {BYTES("220 ok\r\n250 early\r\n"), ST_OK, 8, 220, 0, 1, "", "ok"},
    /* Line ends. */
    {BYTES("250 ok\n"), ST_OK, 0, 250, REPLY_BARE_LF, 1, "", "ok"},
    {BYTES("250-a\n250 b\r\n"), ST_OK, 0, 250, REPLY_BARE_LF, 2, "", "a b"},
    {BYTES("250 a\rb\r\n"), ST_OK, 0, 250, REPLY_BARE_CR, 1, "", "a\rb"},
    {BYTES("250 a\r\r\n"), ST_OK, 0, 250, REPLY_BARE_CR, 1, "", "a\r"},
    {BYTES("\r250 a\r\n"), ST_AGAIN, 0, 0, REPLY_BARE_CR | REPLY_NO_CODE | REPLY_TEXT_BEFORE, 1, "",
     "\r250 a"},
    {BYTES("250 a\r250 b\r"), ST_AGAIN, 0, 0, 0, 0, "", ""},
    /* Codes. */
    {BYTES("250-a\r\n550 b\r\n"), ST_OK, 0, 550, REPLY_CODE_CHANGED, 2, "", "a b"},
    {BYTES("000 a\r\n"), ST_OK, 0, 0, REPLY_BAD_CODE, 1, "", "a"},
    {BYTES("099 a\r\n"), ST_OK, 0, 99, REPLY_BAD_CODE, 1, "", "a"},
    {BYTES("600 a\r\n"), ST_OK, 0, 600, REPLY_BAD_CODE, 1, "", "a"},
    {BYTES("999 a\r\n"), ST_OK, 0, 999, REPLY_BAD_CODE, 1, "", "a"},
    {BYTES("260 a\r\n"), ST_OK, 0, 260, REPLY_BAD_CODE, 1, "", "a"},
    {BYTES("150 a\r\n"), ST_OK, 0, 150, REPLY_BAD_CODE, 1, "", "a"},
    {BYTES("250_a\r\n"), ST_OK, 0, 250, REPLY_BAD_SEPARATOR, 1, "", "a"},
    {BYTES("250\ta\r\n"), ST_OK, 0, 250, REPLY_BAD_SEPARATOR, 1, "", "a"},
    {BYTES("2500 a\r\n"), ST_OK, 0, 250, REPLY_BAD_SEPARATOR, 1, "", "a"},
    {BYTES("25 a\r\n"), ST_AGAIN, 0, 0, REPLY_NO_CODE | REPLY_TEXT_BEFORE, 1, "", "25 a"},
    {BYTES("OK\r\n"), ST_AGAIN, 0, 0, REPLY_NO_CODE | REPLY_TEXT_BEFORE, 1, "", "OK"},
    {BYTES("hello\r\n220 x\r\n"), ST_OK, 0, 220, REPLY_NO_CODE | REPLY_TEXT_BEFORE, 2, "",
     "hello x"},
    {BYTES("250-a\r\nb\r\n250 c\r\n"), ST_OK, 0, 250, REPLY_NO_CODE, 3, "", "a b c"},
    {BYTES("250-a\r\n\r\n250 c\r\n"), ST_OK, 0, 250, REPLY_EMPTY_LINE, 3, "", "a c"},
    {BYTES("\r\n220 x\r\n"), ST_OK, 0, 220, REPLY_EMPTY_LINE | REPLY_TEXT_BEFORE, 2, "", "x"},
    {BYTES("\n"), ST_AGAIN, 0, 0, REPLY_EMPTY_LINE | REPLY_TEXT_BEFORE | REPLY_BARE_LF, 1, "", ""},
    /* Bytes. */
    {BYTES("250 a\0b\r\n"), ST_OK, 0, 250, REPLY_NUL, 1, "", NULL},
    {BYTES("250 caf\xc3\xa9\r\n"), ST_OK, 0, 250, REPLY_EIGHT_BIT, 1, "", "caf\xc3\xa9"},
    {BYTES("250 \xff\x9b\r\n"), ST_OK, 0, 250, REPLY_EIGHT_BIT, 1, "", "\xff\x9b"},
    {BYTES("250-half\r\n250 wai"), ST_AGAIN, 0, 250, 0, 1, "", "half"},
    {BYTES("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"), ST_AGAIN, 0, 0,
     REPLY_NO_CODE | REPLY_TEXT_BEFORE | REPLY_EMPTY_LINE, 3, "",
     "HTTP/1.1 400 Bad Request Server: x"},
};

struct outcome {
    struct reply r;
    enum status st;
    size_t used;
};

static void feed_piece(struct outcome *o, const char *p, size_t len)
{
    if (o->st != ST_AGAIN) {
        return;
    }
    struct guarded g = guarded_copy(p, len);
    size_t used = 0;
    o->st = reply_feed(&o->r, g.p, g.len, &used);
    assert_true(used <= len);
    assert_true(o->st != ST_AGAIN || used == len);
    o->used += used;
    guarded_free(&g);
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->st, b->st);
    assert_int_equal(a->used, b->used);
    assert_int_equal(a->r.code, b->r.code);
    assert_int_equal(a->r.complete, b->r.complete);
    assert_int_equal(a->r.flags, b->r.flags);
    assert_string_equal(a->r.enhanced, b->r.enhanced);
    assert_int_equal(a->r.line_count, b->r.line_count);
    assert_int_equal(a->r.text.len, b->r.text.len);
    assert_int_equal(a->r.state, b->r.state);
    assert_int_equal(a->r.state_len, b->r.state_len);
    assert_memory_equal(buf_str(&a->r.text), buf_str(&b->r.text), a->r.text.len);
    assert_memory_equal(a->r.lines, b->r.lines, a->r.line_count * sizeof(a->r.lines[0]));
}

static struct outcome *outcome_new(void)
{
    struct outcome *o = calloc(1, sizeof(*o));
    assert_non_null(o);
    reply_init(&o->r);
    o->st = ST_AGAIN;
    return o;
}

static void outcome_free(struct outcome *o)
{
    reply_free(&o->r);
    free(o);
}

static void check_sample(const struct sample *s)
{
    struct outcome *whole = outcome_new();
    feed_piece(whole, s->wire, s->len);
    assert_int_equal(whole->st, s->end);
    assert_int_equal(whole->used, s->used > 0 ? s->used : s->len);
    assert_int_equal(whole->r.code, s->code);
    assert_int_equal(whole->r.flags, s->flags);
    assert_int_equal(whole->r.line_count, s->lines);
    assert_int_equal(whole->r.complete, s->end == ST_OK);
    assert_string_equal(whole->r.enhanced, s->enhanced);
    if (s->joined != NULL) {
        struct buf joined;
        buf_init(&joined, REPLY_TEXT_MAX);
        assert_int_equal(reply_join(&whole->r, &joined), ST_OK);
        assert_string_equal(buf_str(&joined), s->joined);
        buf_free(&joined);
    }
    for (size_t cut = 0; cut <= s->len; cut++) {
        struct outcome *two = outcome_new();
        feed_piece(two, s->wire, cut);
        feed_piece(two, s->wire + cut, s->len - cut);
        assert_same(whole, two);
        outcome_free(two);
    }
    struct outcome *single = outcome_new();
    for (size_t i = 0; i < s->len; i++) {
        feed_piece(single, s->wire + i, 1);
    }
    assert_same(whole, single);
    outcome_free(single);
    outcome_free(whole);
}

static void test_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        check_sample(&samples[i]);
    }
}

static void test_lines(void **state)
{
    (void)state;
    struct outcome *o = outcome_new();
    feed_piece(o, BYTES("550-5.7.1 first\r\nlost\n550 last\r\n"));
    assert_int_equal(o->st, ST_OK);
    const struct {
        const char *whole, *text;
        size_t wire;
        unsigned flags;
    } want[] = {
        {"550-5.7.1 first", "5.7.1 first", 17, 0},
        {"lost", "lost", 5, REPLY_NO_CODE | REPLY_BARE_LF},
        {"550 last", "last", 10, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct span whole = reply_line_whole(&o->r, i);
        struct span text = reply_line_text(&o->r, i);
        assert_int_equal(whole.len, strlen(want[i].whole));
        assert_memory_equal(whole.p, want[i].whole, whole.len);
        assert_int_equal(text.len, strlen(want[i].text));
        assert_memory_equal(text.p, want[i].text, text.len);
        assert_int_equal(o->r.lines[i].wire_len, want[i].wire);
        assert_int_equal(o->r.lines[i].flags, want[i].flags);
        assert_false(o->r.lines[i].cut);
    }
    assert_int_equal(reply_line_whole(&o->r, 3).len, 0);
    assert_int_equal(reply_line_text(&o->r, 99).len, 0);
    assert_int_equal(reply_class(&o->r), 5);

    /* A complete reply takes no more, and a reset one begins again. */
    size_t used = 9;
    assert_int_equal(reply_feed(&o->r, "250 x\r\n", 7, &used), ST_OK);
    assert_int_equal(used, 0);
    reply_reset(&o->r);
    assert_int_equal(o->r.line_count, 0);
    assert_int_equal(reply_class(&o->r), 0);
    assert_int_equal(reply_feed(&o->r, "250 x\r\n", 7, &used), ST_OK);
    assert_int_equal(used, 7);
    assert_int_equal(o->r.code, 250);
    assert_int_equal(o->r.flags, 0);
    outcome_free(o);
}

static char *filled(size_t len, char c)
{
    char *p = malloc(len + 1);
    assert_non_null(p);
    memset(p, c, len);
    p[len] = '\0';
    return p;
}

/* A line of `content` bytes between "250 " and CRLF, cut into pieces of `step`. */
static void feed_long(struct outcome *o, size_t content, size_t step)
{
    char *text = filled(content + 6, 'a');
    memcpy(text, "250 ", 4);
    memcpy(text + content + 4, "\r\n", 2);
    for (size_t at = 0; at < content + 6 && o->st == ST_AGAIN; at += step) {
        size_t n = content + 6 - at < step ? content + 6 - at : step;
        size_t used = 0;
        o->st = reply_feed(&o->r, text + at, n, &used);
        o->used += used;
    }
    free(text);
}

static void test_long_lines(void **state)
{
    (void)state;
    static const struct {
        size_t content;
        enum status st;
        unsigned flags;
        size_t kept;
        bool cut;
    } cases[] = {
        {506, ST_OK, 0, 510, false},
        {507, ST_OK, REPLY_OVERLONG, 511, false},
        {REPLY_LINE_KEPT - 4, ST_OK, REPLY_OVERLONG, REPLY_LINE_KEPT, false},
        {REPLY_LINE_KEPT - 3, ST_OK, REPLY_OVERLONG, REPLY_LINE_KEPT, true},
        {REPLY_LINE_READ - 4, ST_OK, REPLY_OVERLONG, REPLY_LINE_KEPT, true},
        {REPLY_LINE_READ - 3, ST_LIMIT, REPLY_OVERLONG, REPLY_LINE_KEPT, true},
        {4 * REPLY_LINE_READ, ST_LIMIT, REPLY_OVERLONG, REPLY_LINE_KEPT, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome *whole = outcome_new();
        feed_long(whole, cases[i].content, cases[i].content + 6);
        assert_int_equal(whole->st, cases[i].st);
        assert_int_equal(whole->r.flags, cases[i].flags);
        assert_int_equal(whole->r.line_count, 1);
        assert_int_equal(whole->r.lines[0].len, cases[i].kept);
        assert_int_equal(whole->r.lines[0].cut, cases[i].cut);
        assert_int_equal(whole->r.code, 250);
        const size_t steps[] = {1, 2, 511, 512, 4095, 4096, 4097, 65535, 65536};
        for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
            struct outcome *o = outcome_new();
            feed_long(o, cases[i].content, steps[k]);
            assert_same(whole, o);
            outcome_free(o);
        }
        if (cases[i].st == ST_LIMIT) {
            size_t used = 5;
            assert_int_equal(reply_feed(&whole->r, "x\r\n", 3, &used), ST_LIMIT);
            assert_int_equal(used, 0);
        }
        outcome_free(whole);
    }
}

static void test_line_of_returns(void **state)
{
    (void)state;
    char *text = filled(2 * REPLY_LINE_READ, '\r');
    struct outcome *o = outcome_new();
    struct outcome *single = outcome_new();
    size_t used = 0;
    o->st = reply_feed(&o->r, text, 2 * REPLY_LINE_READ, &o->used);
    for (size_t i = 0; i < 2 * REPLY_LINE_READ && single->st == ST_AGAIN; i++) {
        single->st = reply_feed(&single->r, text + i, 1, &used);
        single->used += used;
    }
    assert_int_equal(o->st, ST_LIMIT);
    assert_int_equal(o->r.lines[0].len, REPLY_LINE_KEPT);
    assert_true((o->r.flags & REPLY_BARE_CR) != 0);
    assert_same(o, single);
    outcome_free(o);
    outcome_free(single);
    free(text);
}

static void test_too_many_lines(void **state)
{
    (void)state;
    struct outcome *o = outcome_new();
    size_t used;
    for (size_t i = 0; i + 1 < REPLY_LINES_MAX; i++) {
        assert_int_equal(reply_feed(&o->r, "250-x\r\n", 7, &used), ST_AGAIN);
    }
    struct outcome *last = outcome_new();
    for (size_t i = 0; i + 1 < REPLY_LINES_MAX; i++) {
        assert_int_equal(reply_feed(&last->r, "250-x\r\n", 7, &used), ST_AGAIN);
    }
    assert_int_equal(reply_feed(&o->r, "250-x\r\n250 y\r\n", 14, &used), ST_LIMIT);
    assert_int_equal(used, 7);
    assert_int_equal(o->r.flags, REPLY_TOO_MANY);
    assert_int_equal(o->r.line_count, REPLY_LINES_MAX);
    assert_false(o->r.complete);
    assert_int_equal(reply_feed(&last->r, "250 x\r\n", 7, &used), ST_OK);
    assert_int_equal(last->r.flags, 0);
    outcome_free(o);
    outcome_free(last);
}

static void test_too_much_text(void **state)
{
    (void)state;
    char *text = filled(4000, 'b');
    memcpy(text, "250-", 4);
    memcpy(text + 3998, "\r\n", 2);
    struct outcome *o = outcome_new();
    struct outcome *odd = outcome_new();
    while (o->st == ST_AGAIN) {
        size_t used;
        o->st = reply_feed(&o->r, text, 4000, &used);
        o->used += used;
    }
    for (size_t at = 0; odd->st == ST_AGAIN; at = (at + 7) % 4000) {
        size_t used;
        size_t n = 4000 - at < 7 ? 4000 - at : 7;
        odd->st = reply_feed(&odd->r, text + at, n, &used);
        odd->used += used;
        if (n < 7) {
            at = 4000 - 7;
        }
    }
    assert_int_equal(o->st, ST_LIMIT);
    assert_true((o->r.flags & REPLY_TOO_MANY) != 0);
    assert_true(o->r.text.len <= REPLY_TEXT_MAX);
    assert_true(o->r.text.len + 4000 > REPLY_TEXT_MAX);
    assert_same(o, odd);
    outcome_free(o);
    outcome_free(odd);
    free(text);
}

static void test_end(void **state)
{
    (void)state;
    static const struct {
        const char *wire;
        int code;
        unsigned flags;
        size_t lines;
        const char *last;
    } cases[] = {
        {"", 0, 0, 0, ""},
        {"2", 0, REPLY_CUT | REPLY_NO_CODE | REPLY_TEXT_BEFORE, 1, "2"},
        {"550 go away", 550, REPLY_CUT, 1, "550 go away"},
        {"550 go away\r", 550, REPLY_CUT, 1, "550 go away"},
        {"250-a\r\n", 250, REPLY_CUT, 1, "250-a"},
        {"250-a\r\n25", 250, REPLY_CUT | REPLY_NO_CODE, 2, "25"},
        {"\r", 0, REPLY_CUT | REPLY_EMPTY_LINE | REPLY_TEXT_BEFORE, 1, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome *o = outcome_new();
        feed_piece(o, cases[i].wire, strlen(cases[i].wire));
        assert_int_equal(o->st, ST_AGAIN);
        reply_end(&o->r);
        reply_end(&o->r);
        assert_false(o->r.complete);
        assert_int_equal(o->r.code, cases[i].code);
        assert_int_equal(o->r.flags, cases[i].flags);
        assert_int_equal(o->r.line_count, cases[i].lines);
        struct span s = reply_line_whole(&o->r, cases[i].lines - 1);
        assert_int_equal(s.len, strlen(cases[i].last));
        assert_memory_equal(s.p, cases[i].last, s.len);
        outcome_free(o);
    }
    struct outcome *done = outcome_new();
    feed_piece(done, BYTES("250 ok\r\n"));
    reply_end(&done->r);
    assert_int_equal(done->r.flags, 0);
    assert_true(done->r.complete);
    outcome_free(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_line_of_returns),
        cmocka_unit_test(test_too_many_lines),
        cmocka_unit_test(test_too_much_text),
        cmocka_unit_test(test_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
