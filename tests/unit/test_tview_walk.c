#include <stdio.h>

#include "model_record.h"

/*
 * A long walk by a fixed generator over everything that a person and a server can do to the view.
 * After each step: exactly one cursor where there is anything to see, rows in order, and nothing
 * outside the pane.
 */

#define STEPS 1500
#define STEPS_FULL 200 /* with a store that is full, so that the middle is dropped all the time */
#define BIG 131072

static uint32_t seed = 2463534242u;

static uint32_t roll(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

static void arrive(struct record *r, bool full)
{
    static char text[BIG];
    static const char *const said[] = {"250-SIZE 1000",           "454 4.7.0 \x1b[2J later",
                                       "\u90ae\u4ef6 \U0001F600", "",
                                       "334 VXNlcm5hbWU6",        "RCPT TO:<a@example.org>"};
    static enum check_id check = CHECK_CONNECT;
    for (uint32_t i = 1 + roll(5); i > 0; i--) {
        if (roll(7) == 0) {
            check = (enum check_id)roll(CHECK_COUNT + 1);
        }
        unsigned flags = roll(5) == 0 ? LINE_MANUAL : 0;
        enum smtp_dir dir = (enum smtp_dir)roll(4);
        if (roll(3) == 0) {
            size_t len = full && roll(2) == 0 ? sizeof(text) : roll(9000);
            memset(text, roll(2) == 0 ? 'x' : ' ', sizeof(text));
            say_raw(r, check, dir, roll(2) == 0, flags, text, len);
        } else {
            const char *p = said[roll(ARRAY_LEN(said))];
            say_raw(r, check, dir, roll(2) == 0, flags, p, strlen(p));
        }
        if (roll(40) == 0 && r->finding_count < 100) {
            blame(r, lines_last(r->lines));
        }
    }
    r->running = roll(3) == 0 ? check : CHECK_NONE;
}

static void act(struct tview *v, struct record *r, bool full)
{
    static const char *const finds[] = {"",       "250",  "/re:4[0-9]4",
                                        "/re:x*", "size", "nothing of it"};
    static const char *const filters[] = {"",         "dir:s",  "tls:yes x", "problem",
                                          "code:4xx", "step:7", "zzz"};
    static const int moves[] = {-500, -20, -1, 1, 1, 3, 20, 500};
    struct error error;
    uint32_t last = lines_last(r->lines);
    uint32_t what = roll(18);
    if (full && (what == 11 || what == 12) && roll(6) != 0) {
        what = 0; /* each of them looks through the whole store */
    }
    switch (what) {
    case 0:
        tview_first(v, r);
        break;
    case 1:
        tview_last(v, r);
        break;
    case 2:
        tview_goto(v, r, 1 + roll(last + 2));
        break;
    case 3:
        tview_step(v, r, roll(2) == 0 ? 1 : -1);
        break;
    case 4:
        tview_problem(v, r, roll(2) == 0 ? 1 : -1);
        break;
    case 5:
        tview_fold(v, r, (enum check_id)roll(CHECK_COUNT + 1), (int)roll(3) - 1);
        break;
    case 6:
        tview_fold_all(v, r, roll(2) == 0);
        break;
    case 7:
        tview_wrap(v, roll(3) != 0);
        break;
    case 8:
        tview_scroll_columns(v, (int)roll(60) - 20);
        break;
    case 9:
        tview_time(v, (enum tview_time)roll(4));
        break;
    case 10:
        tview_base64(v, roll(2) == 0);
        break;
    case 11:
        assert_int_equal(tview_find(v, r, finds[roll(ARRAY_LEN(finds))], &error), ST_OK);
        break;
    case 12:
        assert_int_equal(tview_filter(v, r, filters[roll(ARRAY_LEN(filters))], &error), ST_OK);
        break;
    case 13:
        tview_find_next(v, r, roll(2) == 0 ? 1 : -1);
        break;
    case 14:
        tview_follow(v, r, roll(2) == 0);
        break;
    default:
        tview_move(v, r, moves[roll(ARRAY_LEN(moves))]);
        break;
    }
}

static void check_rows(const struct tview_row *rows, int height, const struct record *r)
{
    int cursors = 0;
    bool ended = false;
    for (int y = 0; y < height; y++) {
        const struct tview_row *row = &rows[y];
        assert_false(ended && row->kind != ROW_EMPTY);
        ended = row->kind == ROW_EMPTY;
        cursors += row->cursor;
        if (row->kind == ROW_LINE) {
            struct line line;
            assert_true(lines_get(r->lines, row->number, &line));
            assert_true(row->from <= row->to && row->to <= line.len);
        }
        if (y > 0 && row->kind != ROW_EMPTY) {
            const struct tview_row *above = &rows[y - 1];
            assert_true(row->number >= above->number);
            if (row->number == above->number) {
                assert_true(row->kind == ROW_LINE);
                assert_true(above->kind == ROW_FOLD || row->part == above->part + 1);
            } else {
                assert_int_equal(row->part, 0);
            }
        }
    }
    assert_int_equal(cursors, rows[0].kind == ROW_EMPTY ? 0 : 1);
}

static void walk(int steps, bool full)
{
    struct record r;
    struct canvas c;
    static struct tview_row rows[60];
    assert_int_equal(record_init(&r, 7), ST_OK);
    assert_int_equal(canvas_init(&c, 100, 60, false), ST_OK);
    struct tview *v = view_new();
    int w = 55, h = 12;
    static char text[BIG];
    memset(text, '-', sizeof(text));
    for (size_t bytes = 0; full && bytes < LINES_MAX_BYTES; bytes += sizeof(text)) {
        say_raw(&r, CHECK_DNS_MX, DIR_NOTE, false, 0, text, sizeof(text));
    }
    for (int i = 0; i < steps; i++) {
        if (roll(25) == 0) {
            w = 1 + (int)roll(100);
            h = 1 + (int)roll(60);
            c.ascii = roll(2) == 0;
        }
        tview_rows(v, &r, w, h, rows);
        check_rows(rows, h, &r);
        struct tview_row top = rows[0];
        uint32_t cursor = tview_cursor(v);
        if (roll(3) == 0) {
            arrive(&r, full);
            tview_update(v, &r);
        }
        tview_rows(v, &r, w, h, rows);
        check_rows(rows, h, &r);
        struct line line;
        if (!tview_following(v) && top.kind == ROW_LINE && lines_get(r.lines, top.number, &line)) {
            /* Arrival does not move what is being read. */
            assert_int_equal(rows[0].number, top.number);
            assert_int_equal(rows[0].part, top.part);
            assert_true(tview_cursor(v) == cursor || !lines_get(r.lines, cursor, &line));
        }
        act(v, &r, full);
        tview_rows(v, &r, w, h, rows);
        check_rows(rows, h, &r);
        canvas_clear(&c);
        tview_draw(v, &r, &c, (struct rect){0, 0, w, h}, true, (unsigned)i);
        if (i % 16 == 0) {
            assert_canvas_sound(&c);
        }
        uint32_t at = 0, total = 0;
        tview_find_counts(v, &r, &at, &total);
        assert_true(at <= total);
        assert_true(tview_new_below(v, &r) <= lines_last(r.lines));
    }
    assert_int_equal(lines_dropped(r.lines) > 0, full);
    tview_free(v);
    canvas_free(&c);
    record_free(&r);
}

static void walk_small(void **state)
{
    (void)state;
    walk(STEPS, false);
}

static void walk_full(void **state)
{
    (void)state;
    walk(STEPS_FULL, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(walk_small), cmocka_unit_test(walk_full)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
