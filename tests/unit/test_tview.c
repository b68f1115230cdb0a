#include <limits.h>
#include <stdio.h>

#include "model_record.h"

/* A13: the row format of the transcript. */
static void row_format(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    say_raw(&r, CHECK_CERTIFICATE, DIR_TLS, true, 0, "TLSv1.3, chain ok", 17);
    say_raw(&r, CHECK_CERTIFICATE, DIR_CLIENT, true, 0, "EHLO probe.example.net", 22);
    say_raw(&r, CHECK_CERTIFICATE, DIR_SERVER, true, 0, "250 mx1.example.com", 19);
    struct tview *v = view_new();
    tview_update(v, &r);
    assert_pane(v, &r, 56, 21,
                " [-] 5 TCP connect                                   31ms\n"
                "   0.001 -- connecting 192.0.2.10:25 from 198.51.100.7\n"
                "   0.002 -- connected\n"
                " [-] 6 Banner                                       410ms\n"
                "   0.003 S: 220 mx1.example.com ESMTP ready\n"
                " [-] 7 EHLO caps                                     18ms\n"
                "   0.004 C: EHLO probe.example.net\n"
                "   0.005 S: 250-mx1.example.com Hello [198.51.100.7]\n"
                "   0.006 S: 250-SIZE 52428800\n"
                "   0.007 S: 250-STARTTLS\n"
                "   0.008 S: 250 8BITMIME\n"
                " [-] 8 STARTTLS                                FAIL  22ms\n"
                "   0.009 C: STARTTLS\n"
                " ! 0.010 S: 454 4.7.0 TLS not available due to local\n"
                "          | problem\n"
                " [-] 9 Certificate\n"
                "   0.011 == TLSv1.3, chain ok\n"
                "   0.012 C~ EHLO probe.example.net\n"
                "   0.013 S~ 250 mx1.example.com\n"
                "\n\n");
    /* A26: in an ASCII canvas as well. */
    struct canvas c;
    assert_int_equal(canvas_init(&c, 60, 20, true), ST_OK);
    tview_draw(v, &r, &c, (struct rect){0, 0, 60, 20}, false, 0);
    assert_canvas_sound(&c);
    canvas_free(&c);
    tview_free(v);
    record_free(&r);
}

static void roles(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    say_raw(&r, CHECK_BANNER, DIR_SERVER, false, LINE_PROBLEM, "220 a\x1b[1mHello hello", 20);
    say(&r, CHECK_BANNER, DIR_NOTE, "end");
    r.steps[CHECK_BANNER].verdict = VERDICT_RUNNING;
    struct tview *v = view_new();
    struct error error;
    assert_int_equal(tview_find(v, &r, "HELLO", &error), ST_OK);
    struct canvas c;
    assert_int_equal(canvas_init(&c, 50, 4, false), ST_OK);
    tview_draw(v, &r, &c, (struct rect){0, 0, 50, 4}, true, 1);
    assert_row(&c, 0, "[/] 6 Banner                                   RUN");
    assert_row(&c, 1, "! 0.001 S: 220 a\\x1b[1mHello hello");
    const struct cell *row = &c.cells[50];
    assert_int_equal(c.cells[0].role, ROLE_MARK_RUN);
    assert_int_equal(row[0].role, ROLE_PROBLEM);
    assert_int_equal(row[3].role, ROLE_DIM);
    assert_int_equal(row[11].role, ROLE_PROBLEM);
    assert_int_equal(row[16].role, ROLE_ESCAPED);
    assert_int_equal(row[19].role, ROLE_ESCAPED);
    assert_int_equal(row[20].role, ROLE_PROBLEM);
    for (int x = 23; x < 28; x++) {
        assert_int_equal(row[x].role, ROLE_HIT);
        assert_int_equal(row[x + 6].role, ROLE_HIT);
    }
    assert_int_equal(row[28].role, ROLE_PROBLEM);
    /* A51: it follows, so the cursor is on the last line. */
    assert_int_equal(c.cells[100].role, ROLE_CURSOR_ROW);
    assert_int_equal(c.cursor_x, 0);
    assert_int_equal(c.cursor_y, 2);
    canvas_clear(&c);
    tview_draw(v, &r, &c, (struct rect){0, 0, 50, 4}, false, 0);
    assert_int_equal(c.cells[100].role, ROLE_CURSOR_ROW_DIM);
    assert_int_equal(c.cursor_x, -1);
    canvas_free(&c);
    tview_free(v);
    record_free(&r);
}

static void folding(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    tview_fold_all(v, &r, true);
    assert_pane(v, &r, 40, 6,
                " [+] 5 TCP connect         folded 2  31ms\n"
                " [+] 6 Banner             folded 1  410ms\n"
                " [+] 7 EHLO caps           folded 5  18ms\n"
                " [+] 8 STARTTLS      folded 2  FAIL  22ms\n\n\n");
    assert_int_equal(tview_cursor(v), 9);
    tview_fold(v, &r, CHECK_BANNER, 0);
    assert_pane(v, &r, 40, 6,
                " [+] 5 TCP connect         folded 2  31ms\n"
                " [-] 6 Banner                       410ms\n"
                "   0.003 S: 220 mx1.example.com ESMTP\n"
                "          | ready\n"
                " [+] 7 EHLO caps           folded 5  18ms\n"
                " [+] 8 STARTTLS      folded 2  FAIL  22ms\n");
    /* Space toggles the fold under the cursor; the cursor goes to its head. */
    tview_goto(v, &r, 7);
    assert_int_equal(tview_cursor(v), 7);
    tview_fold(v, &r, CHECK_EHLO, -1);
    assert_int_equal(tview_cursor(v), 4);
    tview_fold(v, &r, CHECK_EHLO, -1);
    tview_fold_all(v, &r, false);
    struct tview_row rows[20];
    tview_rows(v, &r, 80, 20, rows);
    int lines = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        lines += rows[i].kind == ROW_LINE;
        assert_false(rows[i].kind == ROW_FOLD && rows[i].folded);
    }
    assert_int_equal(lines, 10);
    /* What runs stays open. */
    r.running = CHECK_STARTTLS;
    tview_fold_all(v, &r, true);
    tview_rows(v, &r, 80, 20, rows);
    assert_true(rows[0].folded && rows[2].folded && !rows[3].folded);
    assert_int_equal(rows[4].kind, ROW_LINE);
    tview_free(v);
    record_free(&r);
}

/* Typed lines are folds of their own, also between lines of the same step. */
static void typed_by_hand(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    say(&r, CHECK_NONE, DIR_NOTE, "connection kept open");
    say_raw(&r, CHECK_NONE, DIR_CLIENT, false, LINE_MANUAL, "NOOP", 4);
    say_raw(&r, CHECK_NONE, DIR_SERVER, false, LINE_MANUAL, "250 Ok", 6);
    say(&r, CHECK_EHLO, DIR_CLIENT, "EHLO x");
    say_raw(&r, CHECK_NONE, DIR_CLIENT, false, LINE_MANUAL, "QUIT", 4);
    struct tview *v = view_new();
    tview_update(v, &r);
    assert_pane(v, &r, 30, 10,
                " [-] Connection\n"
                "   0.001 -- connection kept\n"
                "          | open\n"
                " [-] Typed by hand\n"
                "   0.002 C: NOOP\n"
                "   0.003 S: 250 Ok\n"
                " [-] 7 EHLO caps\n"
                "   0.004 C: EHLO x\n"
                " [-] Typed by hand\n"
                "   0.005 C: QUIT\n");
    tview_free(v);
    record_free(&r);
}

static void fill(struct record *r, int count)
{
    char text[64];
    for (int i = 0; i < count; i++) {
        int n = snprintf(text, sizeof(text), "250-line %u", (unsigned)lines_last(r->lines) + 1);
        say_raw(r, CHECK_EHLO, DIR_SERVER, false, 0, text, (size_t)n);
    }
}

static struct tview_row cursor_row(struct tview *v, const struct record *r, int w, int h)
{
    struct tview_row rows[100];
    struct tview_row found = {.kind = ROW_EMPTY};
    int cursors = 0;
    tview_rows(v, r, w, h, rows);
    for (int y = 0; y < h; y++) {
        if (rows[y].cursor) {
            found = rows[y];
            cursors++;
        }
    }
    assert_int_equal(cursors, 1);
    return found;
}

/* Arrival never moves the line that is being read; the end follows again. */
static void following(void **state)
{
    (void)state;
    struct record r;
    struct tview_row before[10], after[10];
    assert_int_equal(record_init(&r, 1), ST_OK);
    struct tview *v = view_new();
    fill(&r, 50);
    tview_update(v, &r);
    assert_true(tview_following(v));
    tview_rows(v, &r, 60, 10, before);
    assert_int_equal(before[9].number, 50);
    assert_true(before[9].cursor);
    fill(&r, 5);
    tview_update(v, &r);
    assert_int_equal(tview_cursor(v), 55);
    tview_rows(v, &r, 60, 10, before);
    assert_int_equal(before[9].number, 55);
    assert_int_equal(tview_new_below(v, &r), 0);
    tview_move(v, &r, -3);
    assert_false(tview_following(v));
    assert_int_equal(tview_cursor(v), 52);
    tview_rows(v, &r, 60, 10, before);
    fill(&r, 12);
    tview_update(v, &r);
    tview_rows(v, &r, 60, 10, after);
    assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(tview_new_below(v, &r), 12);
    assert_int_equal(tview_cursor(v), 52);
    tview_move(v, &r, 10);
    assert_false(tview_following(v));
    tview_rows(v, &r, 60, 10, after);
    assert_int_equal(after[9].number, 62);
    assert_int_equal(tview_new_below(v, &r), 5);
    tview_move(v, &r, 100);
    assert_true(tview_following(v));
    tview_first(v, &r);
    assert_false(tview_following(v));
    assert_int_equal(cursor_row(v, &r, 60, 10).kind, ROW_FOLD);
    tview_last(v, &r);
    assert_true(tview_following(v));
    assert_int_equal(cursor_row(v, &r, 60, 10).number, 67);
    tview_follow(v, &r, false);
    assert_false(tview_following(v));
    assert_int_equal(cursor_row(v, &r, 60, 10).number, 67);
    tview_free(v);
    record_free(&r);
}

/* A10: a pane that shrinks and grows shows the same as before. */
static void resizing(void **state)
{
    (void)state;
    struct record r;
    struct tview_row before[12], small[3], after[12];
    assert_int_equal(record_init(&r, 1), ST_OK);
    fill(&r, 200);
    struct tview *v = view_new();
    tview_update(v, &r);
    tview_goto(v, &r, 100);
    tview_move(v, &r, 1);
    tview_rows(v, &r, 55, 12, before);
    for (int y = 0; y < 12; y++) {
        if (before[y].cursor) {
            assert_int_equal(before[y].number, 101);
        }
    }
    tview_rows(v, &r, 20, 3, small);
    assert_int_equal(tview_cursor(v), 101);
    tview_rows(v, &r, 55, 12, after);
    assert_int_equal(tview_cursor(v), 101);
    /* At the end no rows stay empty after growing. */
    tview_goto(v, &r, 200);
    tview_rows(v, &r, 55, 3, small);
    tview_rows(v, &r, 55, 12, after);
    assert_int_equal(after[11].number, 200);
    assert_int_equal(after[11].kind, ROW_LINE);
    for (int w = 1; w <= 60; w++) {
        for (int h = 1; h <= 12; h++) {
            struct canvas c = drawn(v, &r, w, h);
            canvas_free(&c);
        }
    }
    tview_free(v);
    record_free(&r);
}

/* A14 A27: wrapped or cut, whatever comes, inside its rectangle; every byte is on exactly one row.
 */
static void wrapping(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "250-some words that are long enough to need many rows "
        "and-a-word-without-any-blank-in-it-at-all",
        "\u90ae\u4ef6\u670d\u52a1\u5668\u51c6\u5907\u597d\u4e86\u6b22\u8fce\u90ae\u4ef6\u670d\u52a1"
        "\u5668",
        "\x1b]52;c;AAAA\x07\x1b[2J\x9b"
        "31m\u202E\u2066rtl\u2069\xff\xfe\xc0\xaf\t e\u0301e\u0301",
        "                                                                                       x",
        "",
    };
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        say(&r, CHECK_EHLO, DIR_SERVER, texts[i]);
    }
    struct tview *v = view_new();
    tview_update(v, &r);
    assert_true(tview_wrapping(v));
    static struct tview_row rows[500];
    for (int w = 1; w <= 120; w++) {
        tview_first(v, &r);
        tview_rows(v, &r, w, 500, rows);
        size_t at = 0;
        uint32_t number = 0;
        for (size_t y = 0; y < ARRAY_LEN(rows) && rows[y].kind != ROW_EMPTY; y++) {
            if (rows[y].kind != ROW_LINE) {
                continue;
            }
            if (rows[y].part == 0) {
                assert_true(number == 0 || at == strlen(texts[number - 1]));
                number++;
                at = 0;
            }
            assert_int_equal(rows[y].number, number);
            assert_int_equal(rows[y].from, at);
            assert_true(rows[y].to > at || texts[number - 1][0] == '\0');
            at = rows[y].to;
        }
        assert_int_equal(number, ARRAY_LEN(texts));
        struct canvas c = drawn(v, &r, w, 40);
        canvas_free(&c);
    }
    tview_free(v);
    record_free(&r);
}

static void cut_instead_of_wrapped(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    say(&r, CHECK_EHLO, DIR_SERVER, "250-0123456789abcdefghijklmnopqrstuvwxyz");
    say(&r, CHECK_EHLO, DIR_SERVER, "250 x");
    struct tview *v = view_new();
    tview_update(v, &r);
    tview_wrap(v, false);
    tview_time(v, TIME_OFF);
    assert_pane(v, &r, 30, 3,
                " [-] 7 EHLO caps\n"
                "   S: 250-0123456789abcdefghij>\n"
                "   S: 250 x\n");
    tview_scroll_columns(v, 8);
    assert_pane(v, &r, 30, 3,
                " [-] 7 EHLO caps\n"
                "   S: <56789abcdefghijklmnopqr>\n"
                "   S: <\n");
    tview_scroll_columns(v, INT_MAX);
    assert_pane(v, &r, 30, 3,
                " [-] 7 EHLO caps\n"
                "   S: <cdefghijklmnopqrstuvwxyz\n"
                "   S: <\n");
    tview_scroll_columns(v, 8);
    tview_scroll_columns(v, -8);
    assert_pane(v, &r, 30, 3,
                " [-] 7 EHLO caps\n"
                "   S: <456789abcdefghijklmnopq>\n"
                "   S: <\n");
    tview_scroll_columns(v, INT_MIN);
    assert_pane(v, &r, 30, 3,
                " [-] 7 EHLO caps\n"
                "   S: 250-0123456789abcdefghij>\n"
                "   S: 250 x\n");
    for (int w = 1; w <= 60; w++) {
        struct canvas c = drawn(v, &r, w, 4);
        canvas_free(&c);
        tview_scroll_columns(v, w % 3 == 0 ? INT_MAX : 3);
    }
    tview_free(v);
    record_free(&r);
}

static void time_columns_of_lines(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *relative;
    } cases[] = {
        {489000, "  0.489 --"},     {12345678, " 12.345 --"},    {123456789, " 123.45 --"},
        {1234567890, " 1234.5 --"}, {12345678901, "  12345 --"}, {9000000000000000, " 999999 --"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record r;
        assert_int_equal(record_init(&r, 1), ST_OK);
        r.started_wall_us = INT64_C(1700000000123000);
        struct line line = {
            .number = 1, .t_us = 0, .check = CHECK_NONE, .dir = DIR_NOTE, .text = ""};
        assert_int_equal(lines_add(r.lines, &line), ST_OK);
        line.number = 2;
        line.t_us = cases[i].us;
        assert_int_equal(lines_add(r.lines, &line), ST_OK);
        struct tview *v = view_new();
        struct canvas c;
        assert_int_equal(canvas_init(&c, 40, 3, false), ST_OK);
        tview_draw(v, &r, &c, (struct rect){0, 0, 40, 3}, false, 0);
        assert_row(&c, 2, cases[i].relative);
        if (i == 0) {
            canvas_clear(&c);
            tview_time(v, TIME_DELTA);
            tview_draw(v, &r, &c, (struct rect){0, 0, 40, 3}, false, 0);
            assert_row(&c, 2, "  +0.489 --");
            canvas_clear(&c);
            tview_time(v, TIME_ABSOLUTE);
            tview_draw(v, &r, &c, (struct rect){0, 0, 40, 3}, false, 0);
            assert_row(&c, 2, "  22:13:20.612 --");
            canvas_clear(&c);
            tview_time(v, TIME_OFF);
            assert_int_equal(tview_time_mode(v), TIME_OFF);
            tview_draw(v, &r, &c, (struct rect){0, 0, 40, 3}, false, 0);
            assert_row(&c, 2, "  --");
        }
        canvas_free(&c);
        tview_free(v);
        record_free(&r);
    }
}

/* A line over 4,096 bytes is shown cut with its length; rows point at the line's own bytes alone.
 */
static void long_lines(void **state)
{
    (void)state;
    static char text[LINE_KEPT_MAX];
    memset(text, 'x', sizeof(text));
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    say_raw(&r, CHECK_EHLO, DIR_SERVER, false, 0, text, 5000);
    memcpy(text + LINE_SHOWN_MAX - 1, "\u90ae", 3);
    say_raw(&r, CHECK_EHLO, DIR_SERVER, false, 0, text, sizeof(text));
    struct tview *v = view_new();
    tview_update(v, &r);
    static struct tview_row rows[400];
    tview_first(v, &r);
    tview_rows(v, &r, 80, 400, rows);
    size_t last[3] = {0};
    for (size_t y = 0; y < ARRAY_LEN(rows); y++) {
        if (rows[y].kind == ROW_LINE) {
            assert_true(rows[y].number <= 2 && rows[y].to <= LINE_SHOWN_MAX);
            last[rows[y].number] = rows[y].to;
        }
    }
    assert_int_equal(last[1], LINE_SHOWN_MAX);
    assert_int_equal(last[2], LINE_SHOWN_MAX - 1);
    tview_last(v, &r);
    struct canvas c = drawn(v, &r, 80, 12);
    char *pane = canvas_text_of(&c);
    assert_non_null(strstr(pane, "[cut here; the line has 1048576 bytes]"));
    free(pane);
    canvas_free(&c);
    /* Row by row through a line of many rows, and back. */
    tview_goto(v, &r, 1);
    unsigned moved = 0;
    while (tview_cursor(v) == 1) {
        tview_move(v, &r, 1);
        moved++;
    }
    assert_true(moved > LINE_SHOWN_MAX / 80);
    tview_move(v, &r, -(int)moved);
    assert_int_equal(tview_cursor(v), 1);
    assert_int_equal(cursor_row(v, &r, 80, 12).part, 0);
    tview_free(v);
    record_free(&r);
}

/* The base64 lens: challenges and names decoded beside the original, credentials never (A41). */
static void base64_lens(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    say(&r, CHECK_AUTH, DIR_CLIENT, "AUTH LOGIN");
    say(&r, CHECK_AUTH, DIR_SERVER, "334 VXNlcm5hbWU6");
    say(&r, CHECK_AUTH, DIR_CLIENT, "dXNlcg==");
    say(&r, CHECK_AUTH, DIR_SERVER, "334 UGFzc3dvcmQ6");
    say_raw(&r, CHECK_AUTH, DIR_CLIENT, false, LINE_REDACTED, "<hidden 12 bytes>", 17);
    say_raw(&r, CHECK_AUTH, DIR_CLIENT, false, LINE_REDACTED, "AUTH PLAIN AGNhbmFyeQ==", 23);
    say(&r, CHECK_AUTH, DIR_SERVER, "334 G1szMW0=");
    say(&r, CHECK_AUTH, DIR_SERVER, "334 not base64");
    say(&r, CHECK_AUTH, DIR_SERVER, "250 VXNlcm5hbWU6");
    struct tview *v = view_new();
    tview_update(v, &r);
    tview_base64(v, true);
    assert_true(tview_base64_on(v));
    tview_time(v, TIME_OFF);
    assert_pane(v, &r, 50, 10,
                " [-] 11 AUTH\n"
                "   C: AUTH LOGIN\n"
                "   S: 334 VXNlcm5hbWU6  = Username:\n"
                "   C: dXNlcg==  = user\n"
                "   S: 334 UGFzc3dvcmQ6  = Password:\n"
                "   C: <hidden 12 bytes>\n"
                "   C: AUTH PLAIN AGNhbmFyeQ==\n"
                "   S: 334 G1szMW0=  = \\x1b[31m\n"
                "   S: 334 not base64\n"
                "   S: 250 VXNlcm5hbWU6\n");
    /* In a narrow pane it wraps, and rows still name only bytes of the line. */
    static struct tview_row rows[60];
    tview_first(v, &r);
    tview_rows(v, &r, 16, 60, rows);
    for (size_t y = 0; y < ARRAY_LEN(rows); y++) {
        struct line line;
        if (rows[y].kind == ROW_LINE && lines_get(r.lines, rows[y].number, &line)) {
            assert_true(rows[y].from <= rows[y].to && rows[y].to <= line.len);
        }
    }
    tview_base64(v, false);
    tview_free(v);
    record_free(&r);
}

static void steps_and_problems(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    blame(&r, 3);
    struct tview *v = view_new();
    tview_update(v, &r);
    tview_first(v, &r);
    tview_step(v, &r, 1);
    assert_int_equal(tview_cursor(v), 3);
    tview_step(v, &r, 1);
    assert_int_equal(tview_cursor(v), 4);
    tview_move(v, &r, 2);
    assert_int_equal(tview_cursor(v), 5);
    tview_step(v, &r, -1);
    assert_int_equal(tview_cursor(v), 4);
    tview_step(v, &r, -1);
    assert_int_equal(tview_cursor(v), 3);
    tview_fold_all(v, &r, true);
    tview_problem(v, &r, 1);
    assert_int_equal(tview_cursor(v), 10);
    struct tview_row row = cursor_row(v, &r, 60, 5);
    assert_int_equal(row.kind, ROW_LINE);
    assert_int_equal(row.number, 10);
    tview_problem(v, &r, 1);
    assert_int_equal(tview_cursor(v), 10);
    tview_problem(v, &r, -1);
    assert_int_equal(tview_cursor(v), 3);
    tview_problem(v, &r, -1);
    assert_int_equal(tview_cursor(v), 3);
    tview_goto(v, &r, 0);
    tview_goto(v, &r, 4000);
    assert_int_equal(tview_cursor(v), 10);
    tview_free(v);
    record_free(&r);
}

/* A step that ran twice: its old fold tells no result, since the record knows the last one only. */
static void step_run_twice(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    say(&r, CHECK_BANNER, DIR_SERVER, "421 no");
    say(&r, CHECK_NONE, DIR_NOTE, "again");
    r.steps[CHECK_BANNER].first_line = 0;
    say(&r, CHECK_BANNER, DIR_SERVER, "220 yes");
    judge(&r, CHECK_BANNER, VERDICT_OK, 7);
    struct tview *v = view_new();
    tview_update(v, &r);
    assert_pane(v, &r, 24, 6,
                " [-] 6 Banner\n"
                "   0.001 S: 421 no\n"
                " [-] Connection\n"
                "   0.002 -- again\n"
                " [-] 6 Banner         7ms\n"
                "   0.003 S: 220 yes\n");
    tview_free(v);
    record_free(&r);
}

static void nothing_yet(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    struct tview *v = view_new();
    struct error error;
    tview_update(v, &r);
    assert_pane(v, &r, 20, 2, "\n\n");
    tview_move(v, &r, 1);
    tview_move(v, &r, -1);
    tview_first(v, &r);
    tview_last(v, &r);
    tview_goto(v, &r, 5);
    tview_step(v, &r, 1);
    tview_problem(v, &r, 1);
    tview_fold(v, &r, CHECK_EHLO, -1);
    tview_fold_all(v, &r, true);
    assert_int_equal(tview_find(v, &r, "x", &error), ST_OK);
    assert_false(tview_find_next(v, &r, 1));
    assert_false(tview_find_next(v, &r, -1));
    assert_int_equal(tview_cursor(v), 0);
    assert_int_equal(tview_new_below(v, &r), 0);
    /* And then something. */
    say(&r, CHECK_EHLO, DIR_CLIENT, "EHLO x");
    assert_true(tview_find_next(v, &r, 1));
    tview_free(v);
    record_free(&r);
}

/* A new run begins at its end, and nothing of the old one is left. */
static void new_run(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    tview_first(v, &r);
    record_free(&r);
    assert_int_equal(record_init(&r, 2), ST_OK);
    say(&r, CHECK_EHLO, DIR_CLIENT, "EHLO x");
    tview_update(v, &r);
    assert_true(tview_following(v));
    assert_pane(v, &r, 30, 3, " [-] 7 EHLO caps\n   0.001 C: EHLO x\n\n");
    tview_reset(v);
    assert_int_equal(tview_cursor(v), 0);
    tview_free(v);
    record_free(&r);
}

/*
 * A15 A19: a million lines, more than are kept: what a frame costs does not depend on them (counted
 * in steps by the other tests; here it must simply work), and the gap is told.
 */
static void a_million_lines(void **state)
{
    (void)state;
    struct record r;
    struct tview_row rows[50];
    assert_int_equal(record_init(&r, 1), ST_OK);
    struct tview *v = view_new();
    char text[160];
    memset(text, 'a', sizeof(text));
    bool paused = false;
    for (uint32_t n = 1; n <= 1000000; n++) {
        int len = snprintf(text, sizeof(text),
                           "250-line %u of a flood, with a text that takes some room in the store",
                           (unsigned)n);
        struct line line = {.number = n,
                            .t_us = (int64_t)n * 100,
                            .check = (uint8_t)(n / 1000 % CHECK_COUNT),
                            .dir = DIR_SERVER,
                            .text = text,
                            .len = (size_t)len};
        assert_int_equal(lines_add(r.lines, &line), ST_OK);
        if (n % 333 == 0) {
            tview_update(v, &r);
            tview_rows(v, &r, 55, 50, rows);
            if (!paused) {
                assert_int_equal(rows[49].number, n);
            }
        }
        if (n == 100000) {
            tview_move(v, &r, -20);
            paused = true;
        }
    }
    tview_update(v, &r);
    tview_rows(v, &r, 55, 50, rows);
    assert_true(lines_dropped(r.lines) > 0);
    uint32_t start = 0;
    uint32_t end = lines_gap_end(r.lines, &start);
    assert_true(end > start);
    /* What was read was dropped meanwhile: the view is at the gap, and says how many are missing.
     */
    struct tview_row row = cursor_row(v, &r, 55, 50);
    assert_int_equal(row.kind, ROW_GAP);
    assert_int_equal(row.number, start);
    assert_int_equal(row.fold_lines, lines_dropped(r.lines));
    tview_move(v, &r, -1);
    assert_int_equal(tview_cursor(v), start - 1);
    tview_move(v, &r, 2);
    assert_int_equal(tview_cursor(v), end);
    tview_last(v, &r);
    tview_rows(v, &r, 55, 50, rows);
    assert_int_equal(rows[49].number, 1000000);
    tview_first(v, &r);
    tview_rows(v, &r, 55, 50, rows);
    assert_int_equal(rows[0].kind, ROW_FOLD);
    assert_int_equal(rows[0].number, 1);
    struct error error;
    uint32_t at = 0, total = 0;
    assert_int_equal(tview_find(v, &r, "line 999999 ", &error), ST_OK);
    assert_true(tview_find_next(v, &r, 1));
    assert_int_equal(tview_cursor(v), 999999);
    tview_find_counts(v, &r, &at, &total);
    assert_int_equal(at, 1);
    assert_int_equal(total, 1);
    /* Folded, the whole run is a screen or two. */
    tview_fold_all(v, &r, true);
    tview_rows(v, &r, 55, 50, rows);
    assert_int_equal(rows[0].kind, ROW_FOLD);
    tview_free(v);
    record_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_format),
        cmocka_unit_test(roles),
        cmocka_unit_test(folding),
        cmocka_unit_test(typed_by_hand),
        cmocka_unit_test(following),
        cmocka_unit_test(resizing),
        cmocka_unit_test(wrapping),
        cmocka_unit_test(cut_instead_of_wrapped),
        cmocka_unit_test(time_columns_of_lines),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(base64_lens),
        cmocka_unit_test(steps_and_problems),
        cmocka_unit_test(step_run_twice),
        cmocka_unit_test(nothing_yet),
        cmocka_unit_test(new_run),
        cmocka_unit_test(a_million_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
