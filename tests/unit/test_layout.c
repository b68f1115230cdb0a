#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "layout.h"

static bool is_empty(struct rect r)
{
    return r.w <= 0 || r.h <= 0;
}

static bool overlap(struct rect a, struct rect b)
{
    return !is_empty(a) && !is_empty(b) && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h &&
           b.y < a.y + a.h;
}

static size_t collect(const struct layout *l, struct rect *out)
{
    size_t n = 0;
    out[n++] = l->header;
    out[n++] = l->tabs;
    out[n++] = l->prompt;
    out[n++] = l->hint;
    out[n++] = l->status;
    out[n++] = l->keybar;
    for (int p = 0; p < PANE_COUNT; p++) {
        out[n++] = l->title[p];
        out[n++] = l->body[p];
    }
    for (size_t i = 0; i < l->rule_count; i++) {
        out[n++] = l->rules[i];
    }
    return n;
}

static void check_layout(const struct layout_wish *wish)
{
    struct layout l;
    layout_compute(wish, &l);
    struct rect all[32];
    size_t n = collect(&l, all);
    assert_true(n <= 32);
    for (size_t i = 0; i < n; i++) {
        struct rect r = all[i];
        assert_true(r.w >= 0 && r.h >= 0);
        if (is_empty(r)) {
            continue;
        }
        assert_true(r.x >= 0 && r.y >= 0 && r.x + r.w <= wish->w && r.y + r.h <= wish->h);
        for (size_t k = 0; k < i; k++) {
            assert_false(overlap(r, all[k]));
        }
    }
    for (int p = 0; p < PANE_COUNT; p++) {
        assert_true(l.title[p].h == 0 || l.title[p].h == 1);
        assert_true(l.visible[p] || (l.title[p].h == 0 && l.body[p].h == 0));
    }
    if (l.kind == LAYOUT_TOO_SMALL) {
        assert_int_equal(l.header.w, wish->w);
        assert_int_equal(l.header.h, wish->h);
        return;
    }
    assert_int_equal(l.status.h, 1);
    assert_int_equal(l.keybar.y, wish->h - 1);
    assert_true(l.visible[wish->focus]);
    assert_false(is_empty(wish->focus == PANE_TYPE ? l.prompt : l.body[wish->focus]));
    assert_int_equal(l.kind == LAYOUT_TABS && !wish->zoom, l.tabs.h == 1);
}

/* A10 A11 A13 A14: any size, any wish: everything inside, nothing on top of another. */
static void every_size(void **state)
{
    (void)state;
    for (int w = 1; w <= 300; w++) {
        for (int h = 1; h <= 100; h++) {
            for (int focus = 0; focus < PANE_COUNT; focus++) {
                for (unsigned bits = 0; bits < 8; bits++) {
                    struct layout_wish wish = {
                        .w = w,
                        .h = h,
                        .focus = (enum pane)focus,
                        .zoom = (bits & 1) != 0,
                        .advice_hidden = (bits & 2) != 0,
                        .timings_shown = (bits & 4) != 0,
                        .left_delta = ((w * 7 + h * 13) % 5 - 2) * 9,
                        .title_columns = (w * 3 + h * 5) % 40,
                    };
                    check_layout(&wish);
                }
            }
        }
    }
}

static void extreme_sizes(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 500},  {1000, 1},  {1000, 500},
                                   {40, 500}, {1000, 10}, {39, 9}};
    static const int deltas[] = {INT32_MIN, -1000, -1, 0, 1, 1000, INT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t d = 0; d < ARRAY_LEN(deltas); d++) {
            for (int focus = 0; focus < PANE_COUNT; focus++) {
                struct layout_wish wish = {.w = sizes[i][0],
                                           .h = sizes[i][1],
                                           .focus = (enum pane)focus,
                                           .left_delta = deltas[d]};
                check_layout(&wish);
            }
        }
    }
}

static void assert_rect(struct rect r, int x, int y, int w, int h)
{
    assert_int_equal(r.x, x);
    assert_int_equal(r.y, y);
    assert_int_equal(r.w, w);
    assert_int_equal(r.h, h);
}

/* A53: a language with long titles gets more room for them, but not all of it. */
static void long_titles(void **state)
{
    (void)state;
    static const struct {
        int w, h, short_w, long_w, most_w;
    } rows[] = {{80, 24, 24, 28, 32}, {120, 40, 34, 40, 42}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static const int titles[] = {11, 17, 1000};
        const int wanted[] = {rows[i].short_w, rows[i].long_w, rows[i].most_w};
        for (size_t t = 0; t < ARRAY_LEN(titles); t++) {
            struct layout l;
            struct layout_wish wish = {.w = rows[i].w, .h = rows[i].h, .title_columns = titles[t]};
            layout_compute(&wish, &l);
            assert_int_equal(l.body[PANE_STEPS].w, wanted[t]);
            check_layout(&wish);
        }
    }
}

/* A13: the shapes that people know. */
static void shape_80x24(void **state)
{
    (void)state;
    struct layout l;
    struct layout_wish wish = {.w = 80, .h = 24};
    layout_compute(&wish, &l);
    assert_int_equal(l.kind, LAYOUT_COMPACT);
    assert_rect(l.header, 0, 0, 80, 1);
    assert_rect(l.title[PANE_STEPS], 0, 1, 24, 1);
    assert_rect(l.body[PANE_STEPS], 0, 2, 24, 12);
    assert_rect(l.rules[0], 24, 1, 1, 13);
    assert_rect(l.body[PANE_TRANSCRIPT], 25, 2, 55, 12);
    assert_rect(l.title[PANE_ADVICE], 0, 14, 80, 1);
    assert_rect(l.body[PANE_ADVICE], 0, 15, 80, 6);
    assert_rect(l.prompt, 0, 21, 80, 1);
    assert_rect(l.status, 0, 22, 80, 1);
    assert_rect(l.keybar, 0, 23, 80, 1);
    assert_false(l.visible[PANE_TIMINGS]);
    wish.timings_shown = true;
    layout_compute(&wish, &l);
    assert_true(l.visible[PANE_TIMINGS]);
    assert_false(l.visible[PANE_ADVICE]);
    wish.focus = PANE_ADVICE;
    layout_compute(&wish, &l);
    assert_true(l.visible[PANE_ADVICE]);
}

static void shape_120x40(void **state)
{
    (void)state;
    struct layout l;
    struct layout_wish wish = {.w = 120, .h = 40};
    layout_compute(&wish, &l);
    assert_int_equal(l.kind, LAYOUT_TWO);
    assert_rect(l.body[PANE_STEPS], 0, 2, 34, 13);
    assert_rect(l.title[PANE_TIMINGS], 0, 15, 34, 1);
    assert_rect(l.body[PANE_TIMINGS], 0, 16, 34, 10);
    assert_rect(l.body[PANE_TRANSCRIPT], 35, 2, 85, 24);
    assert_rect(l.title[PANE_ADVICE], 0, 26, 120, 1);
    assert_rect(l.body[PANE_ADVICE], 0, 27, 120, 8);
    assert_rect(l.title[PANE_TYPE], 0, 35, 120, 1);
    assert_rect(l.prompt, 0, 36, 120, 1);
    assert_rect(l.hint, 0, 37, 120, 1);
    assert_rect(l.status, 0, 38, 120, 1);
}

static void shape_200x60(void **state)
{
    (void)state;
    struct layout l;
    struct layout_wish wish = {.w = 200, .h = 60};
    layout_compute(&wish, &l);
    assert_int_equal(l.kind, LAYOUT_THREE);
    assert_rect(l.body[PANE_STEPS], 0, 2, 40, 53);
    assert_rect(l.body[PANE_TRANSCRIPT], 41, 2, 100, 53);
    assert_int_equal(l.body[PANE_ADVICE].x, 142);
    assert_int_equal(l.body[PANE_ADVICE].w, 58);
    assert_int_equal(l.rule_count, 2);
    assert_true(l.body[PANE_TIMINGS].h >= 12);
    assert_rect(l.title[PANE_TYPE], 0, 55, 200, 1);
}

static void shape_60x20(void **state)
{
    (void)state;
    struct layout l;
    struct layout_wish wish = {.w = 60, .h = 20};
    layout_compute(&wish, &l);
    assert_int_equal(l.kind, LAYOUT_TABS);
    assert_rect(l.tabs, 0, 1, 60, 1);
    assert_rect(l.body[PANE_STEPS], 0, 2, 60, 12);
    assert_rect(l.title[PANE_ADVICE], 0, 14, 60, 1);
    assert_rect(l.body[PANE_ADVICE], 0, 15, 60, 3);
    assert_rect(l.status, 0, 18, 60, 1);
    /* Typing blind would be no use. */
    wish.focus = PANE_TYPE;
    layout_compute(&wish, &l);
    assert_true(l.visible[PANE_TRANSCRIPT] && l.body[PANE_TRANSCRIPT].h > 5);
    assert_int_equal(l.prompt.h, 1);
}

/* A12: where the message begins and ends, and the other breakpoints. */
static void breakpoints(void **state)
{
    (void)state;
    static const struct {
        int w, h;
        enum layout_kind kind;
    } cases[] = {
        {39, 10, LAYOUT_TOO_SMALL}, {40, 9, LAYOUT_TOO_SMALL}, {40, 10, LAYOUT_TABS},
        {71, 20, LAYOUT_TABS},      {72, 19, LAYOUT_TABS},     {72, 20, LAYOUT_COMPACT},
        {99, 50, LAYOUT_COMPACT},   {100, 20, LAYOUT_TWO},     {100, 19, LAYOUT_TABS},
        {159, 60, LAYOUT_TWO},      {160, 39, LAYOUT_TWO},     {160, 40, LAYOUT_THREE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct layout l;
        struct layout_wish wish = {.w = cases[i].w, .h = cases[i].h};
        layout_compute(&wish, &l);
        assert_int_equal(l.kind, cases[i].kind);
    }
}

static void wishes(void **state)
{
    (void)state;
    struct layout l;
    struct layout_wish wish = {.w = 80, .h = 24, .left_delta = 6};
    layout_compute(&wish, &l);
    assert_int_equal(l.body[PANE_STEPS].w, 30);
    wish.left_delta = -100;
    layout_compute(&wish, &l);
    assert_int_equal(l.body[PANE_STEPS].w, 16);
    wish.left_delta = 0;
    wish.advice_hidden = true;
    layout_compute(&wish, &l);
    assert_false(l.visible[PANE_ADVICE]);
    assert_int_equal(l.body[PANE_TRANSCRIPT].h, 19);
    wish.zoom = true;
    wish.focus = PANE_TRANSCRIPT;
    layout_compute(&wish, &l);
    assert_rect(l.body[PANE_TRANSCRIPT], 0, 2, 80, 20);
    assert_false(l.visible[PANE_STEPS]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),   cmocka_unit_test(extreme_sizes),
        cmocka_unit_test(shape_80x24),  cmocka_unit_test(shape_120x40),
        cmocka_unit_test(shape_200x60), cmocka_unit_test(shape_60x20),
        cmocka_unit_test(breakpoints),  cmocka_unit_test(wishes),
        cmocka_unit_test(long_titles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
