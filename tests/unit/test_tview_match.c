#include <stdio.h>

#include "model_record.h"

static void find(struct tview *v, const struct record *r, const char *what)
{
    struct error error;
    assert_int_equal(tview_find(v, r, what, &error), ST_OK);
}

static void filter(struct tview *v, const struct record *r, const char *what)
{
    struct error error;
    assert_int_equal(tview_filter(v, r, what, &error), ST_OK);
}

static void assert_counts(const struct tview *v, const struct record *r, uint32_t at,
                          uint32_t total)
{
    uint32_t a = 99, t = 99;
    tview_find_counts(v, r, &a, &t);
    assert_int_equal(a, at);
    assert_int_equal(t, total);
}

/* "3/17", n and N, round the ends; a hit inside a fold opens it. */
static void finding(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    find(v, &r, "starttls");
    assert_string_equal(tview_find_text(v), "starttls");
    assert_counts(v, &r, 2, 2);
    tview_fold_all(v, &r, true);
    /* From the end forward: round to the first. */
    assert_int_equal(tview_cursor(v), 9);
    assert_true(tview_find_next(v, &r, 1));
    assert_int_equal(tview_cursor(v), 9);
    struct tview_row rows[20];
    tview_rows(v, &r, 60, 20, rows);
    bool opened = false;
    for (size_t y = 0; y < ARRAY_LEN(rows); y++) {
        opened = opened || (rows[y].kind == ROW_LINE && rows[y].number == 9 && rows[y].cursor);
    }
    assert_true(opened);
    assert_counts(v, &r, 2, 2);
    assert_true(tview_find_next(v, &r, 1));
    assert_int_equal(tview_cursor(v), 7);
    assert_counts(v, &r, 1, 2);
    assert_true(tview_find_next(v, &r, -1));
    assert_int_equal(tview_cursor(v), 9);
    assert_true(tview_find_next(v, &r, -1));
    assert_int_equal(tview_cursor(v), 7);
    find(v, &r, "no such text");
    assert_false(tview_find_next(v, &r, 1));
    assert_false(tview_find_next(v, &r, -1));
    assert_int_equal(tview_cursor(v), 7);
    assert_counts(v, &r, 0, 0);
    find(v, &r, "");
    assert_string_equal(tview_find_text(v), "");
    assert_false(tview_find_next(v, &r, 1));
    tview_free(v);
    record_free(&r);
}

static void fresh_search_begins_here(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    tview_goto(v, &r, 6);
    find(v, &r, "250");
    assert_true(tview_find_next(v, &r, 1));
    assert_int_equal(tview_cursor(v), 6);
    assert_true(tview_find_next(v, &r, 1));
    assert_int_equal(tview_cursor(v), 7);
    tview_free(v);
    record_free(&r);
}

static void expressions(void **state)
{
    (void)state;
    struct record r;
    struct error error = {0};
    record_sample(&r);
    say_raw(&r, CHECK_NONE, DIR_SERVER, false, 0, "nul\0behind", 10);
    struct tview *v = view_new();
    tview_update(v, &r);
    find(v, &r, "/re:^250.(size|starttls)");
    assert_counts(v, &r, 2, 2);
    find(v, &r, "re:4\\.7\\.[0-9]");
    assert_counts(v, &r, 1, 1);
    find(v, &r, "/re:nul.behind$");
    assert_counts(v, &r, 1, 1);
    struct canvas c = drawn(v, &r, 40, 20);
    canvas_free(&c);
    /* One that hits nothing everywhere must end. */
    find(v, &r, "/re:x*");
    assert_counts(v, &r, 11, 11);
    c = drawn(v, &r, 40, 20);
    canvas_free(&c);
    /* A broken one says why, and leaves what there was. */
    assert_int_equal(tview_find(v, &r, "/re:(", &error), ST_INVALID);
    assert_true(strlen(error.text) > 10);
    assert_string_equal(tview_find_text(v), "/re:x*");
    find(v, &r, "/re:");
    assert_string_equal(tview_find_text(v), "");
    char longer[600];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(tview_find(v, &r, longer, &error), ST_INVALID);
    assert_int_equal(tview_filter(v, &r, longer, &error), ST_INVALID);
    tview_free(v);
    record_free(&r);
}

/* A hit that a row border cuts is marked on both rows. */
static void hit_over_two_rows(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(record_init(&r, 1), ST_OK);
    say(&r, CHECK_EHLO, DIR_SERVER, "aaaaaaaaaaaaaaaaaabcdefghi");
    struct tview *v = view_new();
    find(v, &r, "abcdef");
    struct canvas c;
    assert_int_equal(canvas_init(&c, 31, 3, false), ST_OK);
    tview_draw(v, &r, &c, (struct rect){0, 0, 31, 3}, false, 0);
    static const char want[] = "                            HHH"
                               "           HHH                 ";
    for (int i = 0; i < 62; i++) {
        assert_int_equal(c.cells[31 + i].role == ROLE_HIT, want[i] == 'H');
    }
    canvas_free(&c);
    tview_free(v);
    record_free(&r);
}

static void assert_shown(struct tview *v, const struct record *r, const char *what,
                         const uint32_t *numbers, size_t count)
{
    struct tview_row rows[40];
    filter(v, r, what);
    assert_string_equal(tview_filter_text(v), what);
    tview_rows(v, r, 100, 40, rows);
    size_t at = 0;
    for (size_t y = 0; y < ARRAY_LEN(rows); y++) {
        if (rows[y].kind == ROW_LINE) {
            assert_true(at < count);
            assert_int_equal(rows[y].number, numbers[at]);
            at++;
        }
    }
    assert_int_equal(at, count);
}
#define ASSERT_SHOWN(v, r, what, ...)                                                              \
    do {                                                                                           \
        static const uint32_t numbers_[] = {__VA_ARGS__};                                          \
        assert_shown(v, r, what, numbers_, ARRAY_LEN(numbers_));                                   \
    } while (0)

static void filtering(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    say_raw(&r, CHECK_CERTIFICATE, DIR_TLS, true, 0, "TLSv1.3", 7);
    say_raw(&r, CHECK_CERTIFICATE, DIR_CLIENT, true, 0, "EHLO probe", 10);
    struct tview *v = view_new();
    tview_update(v, &r);
    ASSERT_SHOWN(v, &r, "dir:c", 4, 9, 12);
    ASSERT_SHOWN(v, &r, "DIR:S code:4xx", 10);
    ASSERT_SHOWN(v, &r, "code:25", 5, 6, 7, 8);
    ASSERT_SHOWN(v, &r, "code:220", 3);
    ASSERT_SHOWN(v, &r, "dir:note", 1, 2);
    ASSERT_SHOWN(v, &r, "dir:tls", 11);
    ASSERT_SHOWN(v, &r, "tls:yes", 11, 12);
    ASSERT_SHOWN(v, &r, "tls:no dir:c", 4, 9);
    ASSERT_SHOWN(v, &r, "step:6", 3);
    ASSERT_SHOWN(v, &r, "step:smtp.ehlo dir:s", 5, 6, 7, 8);
    ASSERT_SHOWN(v, &r, "problem", 10);
    ASSERT_SHOWN(v, &r, "EXAMPLE.com ready", 3);
    /* A colon alone makes no key. */
    assert_shown(v, &r, "from:<a>", NULL, 0);
    assert_pane(v, &r, 40, 2, "\n\n");
    struct tview_row rows[40];
    filter(v, &r, "");
    tview_rows(v, &r, 100, 40, rows);
    assert_string_equal(tview_filter_text(v), "");
    assert_int_equal(rows[16].number, 12);
    tview_free(v);
    record_free(&r);
}

static void filter_errors(void **state)
{
    (void)state;
    static const char *const wrong[] = {"dir:x",
                                        "dir:",
                                        "tls:maybe",
                                        "step:0",
                                        "step:13",
                                        "step:smtp.nothing",
                                        "step:",
                                        "code:",
                                        "code:5555",
                                        "code:abc",
                                        "a b c d e f g h i j k l m n o p q"};
    struct record r;
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    filter(v, &r, "dir:c");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct error error = {0};
        assert_int_equal(tview_filter(v, &r, wrong[i], &error), ST_INVALID);
        assert_true(strlen(error.text) > 10);
        assert_string_equal(tview_filter_text(v), "dir:c");
    }
    tview_free(v);
    record_free(&r);
}

/* Folds of a filtered view are its own: at first open, closed ones stay so until the next filter.
 */
static void filter_and_folds(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    tview_fold_all(v, &r, true);
    filter(v, &r, "dir:s");
    tview_first(v, &r);
    assert_pane(v, &r, 40, 4,
                " [-] 6 Banner                       410ms\n"
                "   0.003 S: 220 mx1.example.com ESMTP\n"
                "          | ready\n"
                " [-] 7 EHLO caps                     18ms\n");
    tview_fold(v, &r, CHECK_BANNER, 1);
    tview_fold(v, &r, CHECK_EHLO, 1);
    assert_pane(v, &r, 40, 4,
                " [+] 6 Banner             folded 1  410ms\n"
                " [+] 7 EHLO caps           folded 4  18ms\n"
                " [-] 8 STARTTLS                FAIL  22ms\n"
                " ! 0.010 S: 454 4.7.0 TLS not available\n");
    filter(v, &r, "");
    tview_first(v, &r);
    assert_pane(v, &r, 40, 4,
                " [+] 5 TCP connect         folded 2  31ms\n"
                " [+] 6 Banner             folded 1  410ms\n"
                " [+] 7 EHLO caps           folded 5  18ms\n"
                " [+] 8 STARTTLS      folded 2  FAIL  22ms\n");
    tview_free(v);
    record_free(&r);
}

/* Finding looks only at what the filter shows; evidence that is asked for is shown all the same. */
static void filter_and_find(void **state)
{
    (void)state;
    struct record r;
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    filter(v, &r, "dir:c");
    find(v, &r, "starttls");
    assert_counts(v, &r, 1, 1);
    assert_true(tview_find_next(v, &r, 1));
    assert_int_equal(tview_cursor(v), 9);
    assert_string_equal(tview_filter_text(v), "dir:c");
    tview_goto(v, &r, 9);
    assert_string_equal(tview_filter_text(v), "dir:c");
    tview_goto(v, &r, 10);
    assert_int_equal(tview_cursor(v), 10);
    assert_string_equal(tview_filter_text(v), "");
    tview_free(v);
    record_free(&r);
}

/* Lines that come later pass the filter too, and become problems after they came. */
static void filter_live(void **state)
{
    (void)state;
    struct record r;
    struct tview_row rows[10];
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    filter(v, &r, "problem");
    find(v, &r, "rset");
    say(&r, CHECK_RELAY, DIR_CLIENT, "RSET");
    say(&r, CHECK_RELAY, DIR_CLIENT, "NOOP");
    tview_update(v, &r);
    tview_rows(v, &r, 80, 10, rows);
    assert_int_equal(rows[1].number, 10);
    assert_int_equal(rows[2].kind, ROW_EMPTY);
    assert_counts(v, &r, 0, 0);
    blame(&r, 11);
    tview_update(v, &r);
    tview_rows(v, &r, 80, 10, rows);
    assert_int_equal(rows[3].number, 11);
    assert_int_equal(rows[4].kind, ROW_EMPTY);
    assert_counts(v, &r, 1, 1);
    filter(v, &r, "dir:c");
    say(&r, CHECK_RELAY, DIR_CLIENT, "QUIT");
    tview_rows(v, &r, 80, 10, rows);
    bool seen = false;
    for (size_t y = 0; y < ARRAY_LEN(rows); y++) {
        seen = seen || (rows[y].kind == ROW_LINE && rows[y].number == 13 && rows[y].cursor);
    }
    assert_true(seen);
    tview_free(v);
    record_free(&r);
}

/* A19: over many lines the work is done in pieces, and comes out the same; lines that are dropped
   meanwhile are no hits any more. */
static void in_pieces(void **state)
{
    (void)state;
    struct record r;
    struct tview_row rows[30];
    assert_int_equal(record_init(&r, 1), ST_OK);
    char text[80];
    uint32_t wanted = 0;
    for (uint32_t n = 1; n <= 500000; n++) {
        snprintf(text, sizeof(text), "250 %s %u", n % 3 == 0 ? "third" : "other", (unsigned)n);
        say(&r, CHECK_EHLO, n % 2 == 0 ? DIR_CLIENT : DIR_SERVER, text);
        wanted += n % 3 == 0;
    }
    struct tview *v = view_new();
    tview_update(v, &r);
    find(v, &r, "third");
    int calls = 0;
    while (tview_busy(v, &r)) {
        tview_update(v, &r);
        calls++;
    }
    assert_counts(v, &r, wanted, wanted);
    find(v, &r, "/re:third [0-9]*7$");
    assert_true(tview_busy(v, &r));
    /* Asked before the work is done: it goes on until it knows. */
    assert_true(tview_find_next(v, &r, -1));
    assert_int_equal(tview_cursor(v), 499977);
    find(v, &r, "");
    filter(v, &r, "third dir:c");
    while (tview_busy(v, &r)) {
        tview_rows(v, &r, 60, 30, rows);
    }
    tview_last(v, &r);
    tview_rows(v, &r, 60, 30, rows);
    for (int y = 0; y < 30; y++) {
        assert_int_equal(rows[29 - y].number, 499998 - 6 * y);
    }
    filter(v, &r, "dir:c");
    assert_true(tview_busy(v, &r));
    while (tview_busy(v, &r)) {
        tview_rows(v, &r, 60, 30, rows);
        calls++;
    }
    assert_true(calls > 3);
    tview_last(v, &r);
    tview_rows(v, &r, 60, 30, rows);
    for (int y = 0; y < 30; y++) {
        assert_int_equal(rows[29 - y].number, 500000 - 2 * y);
    }
    /* Now the middle goes. */
    char flood[400];
    memset(flood, 'f', sizeof(flood));
    while (lines_dropped(r.lines) < 100000) {
        say_raw(&r, CHECK_EHLO, DIR_SERVER, false, 0, flood, sizeof(flood));
    }
    filter(v, &r, "third");
    find(v, &r, "THIRD");
    do {
        tview_update(v, &r);
    } while (tview_busy(v, &r));
    uint32_t start = 0;
    uint32_t end = lines_gap_end(r.lines, &start);
    uint32_t left = (start - 1) / 3 + (500000 / 3 - (end - 1) / 3);
    uint32_t at = 0, total = 0;
    tview_find_counts(v, &r, &at, &total);
    assert_int_equal(total, left);
    for (int i = 0; i < 200; i++) {
        assert_true(tview_find_next(v, &r, i % 3 == 0 ? -1 : 1));
        struct line line;
        assert_true(lines_get(r.lines, tview_cursor(v), &line));
    }
    tview_free(v);
    record_free(&r);
}

/* In a lesson neither a mark nor a filter tells which lines are the proof. */
static void veiled_lines_are_all_alike(void **state)
{
    (void)state;
    struct record r;
    struct error error = {0};
    struct tview_row rows[40];
    record_sample(&r);
    struct tview *v = view_new();
    tview_update(v, &r);
    filter(v, &r, "problem");
    tview_veil(v, &r, true);
    assert_string_equal(tview_filter_text(v), "");
    assert_int_equal(tview_filter(v, &r, "dir:s problem", &error), ST_INVALID);
    assert_string_equal(tview_filter_text(v), "");
    filter(v, &r, "starttls");
    filter(v, &r, "");
    for (int veiled = 1; veiled >= 0; veiled--) {
        unsigned marks = 0;
        tview_veil(v, &r, veiled != 0);
        tview_rows(v, &r, 60, 40, rows);
        for (size_t y = 0; y < ARRAY_LEN(rows); y++) {
            marks += rows[y].kind == ROW_LINE && (rows[y].flags & LINE_PROBLEM) != 0;
        }
        assert_true(veiled != 0 ? marks == 0 : marks > 0);
    }
    filter(v, &r, "problem");
    tview_free(v);
    record_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding),          cmocka_unit_test(fresh_search_begins_here),
        cmocka_unit_test(expressions),      cmocka_unit_test(hit_over_two_rows),
        cmocka_unit_test(filtering),        cmocka_unit_test(filter_errors),
        cmocka_unit_test(filter_and_folds), cmocka_unit_test(filter_and_find),
        cmocka_unit_test(filter_live),      cmocka_unit_test(in_pieces),
        cmocka_unit_test(veiled_lines_are_all_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
