#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"
#include "lines.h"

static void add(struct lines *l, uint32_t number, const char *text)
{
    struct line line = {.number = number,
                        .t_us = (int64_t)number * 1000,
                        .path = 1,
                        .check = CHECK_EHLO,
                        .dir = DIR_SERVER,
                        .text = text,
                        .len = strlen(text)};
    assert_int_equal(lines_add(l, &line), ST_OK);
}

static void assert_text(const struct lines *l, uint32_t number, const char *text)
{
    struct line line;
    assert_true(lines_get(l, number, &line));
    assert_int_equal(line.number, number);
    assert_int_equal(line.len, strlen(text));
    assert_memory_equal(line.text, text, line.len);
}

static void test_empty(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    struct line line;
    uint32_t gap = 0;
    assert_int_equal(lines_first(l), 0);
    assert_int_equal(lines_last(l), 0);
    assert_false(lines_get(l, 1, &line));
    assert_false(lines_get(l, 0, &line));
    assert_int_equal(lines_search(l, 1, false, "x"), 0);
    assert_int_equal(lines_search(l, 1, true, "x"), 0);
    assert_int_equal(lines_gap_end(l, &gap), 0);
    lines_mark(l, 1, LINE_PROBLEM);
    lines_free(l);
    lines_free(NULL);
}

static void test_fields_survive(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    const char raw[] = "250 a\0b\xff\x1b";
    struct guarded g = guarded_copy(raw, sizeof(raw) - 1);
    struct line in = {.number = 7,
                      .t_us = INT64_C(123456789012),
                      .path = 63,
                      .check = CHECK_NONE,
                      .dir = DIR_TLS,
                      .flags = LINE_PROBLEM | LINE_ODD,
                      .tls = true,
                      .text = g.p,
                      .len = g.len};
    assert_int_equal(lines_add(l, &in), ST_OK);
    struct line empty = {.number = 9, .t_us = INT64_C(123456789013), .text = NULL, .len = 0};
    assert_int_equal(lines_add(l, &empty), ST_OK);
    guarded_free(&g);

    struct line out;
    assert_true(lines_get(l, 7, &out));
    assert_int_equal(out.t_us, in.t_us);
    assert_int_equal(out.path, 63);
    assert_int_equal(out.check, CHECK_NONE);
    assert_int_equal(out.dir, DIR_TLS);
    assert_int_equal(out.flags, LINE_PROBLEM | LINE_ODD);
    assert_true(out.tls);
    assert_int_equal(out.len, sizeof(raw) - 1);
    assert_memory_equal(out.text, raw, out.len);
    assert_false(lines_get(l, 8, &out));
    assert_true(lines_get(l, 9, &out));
    assert_int_equal(out.len, 0);
    assert_false(out.tls);
    assert_int_equal(out.t_us, in.t_us + 1);
    assert_int_equal(lines_first(l), 7);
    assert_int_equal(lines_last(l), 9);
    lines_free(l);
}

static void test_numbers_only_rise(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    add(l, 5, "five");
    struct line again = {.number = 5, .text = "x", .len = 1};
    assert_int_equal(lines_add(l, &again), ST_INVALID);
    again.number = 4;
    assert_int_equal(lines_add(l, &again), ST_INVALID);
    again.number = 0;
    assert_int_equal(lines_add(l, &again), ST_INVALID);
    /* A jump and a step back in time are stored all the same. */
    again.number = 4000000000u;
    again.t_us = -5;
    assert_int_equal(lines_add(l, &again), ST_OK);
    struct line out;
    assert_true(lines_get(l, 4000000000u, &out));
    assert_int_equal(out.t_us, -5);
    assert_text(l, 5, "five");
    lines_free(l);
}

static void test_next_skips_gaps(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {3, 4, 90, 70000, UINT32_MAX};
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    assert_int_equal(lines_next(l, 0), 0);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct line line = {.number = numbers[i], .text = "x", .len = 1};
        assert_int_equal(lines_add(l, &line), ST_OK);
    }
    uint32_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        n = lines_next(l, n);
        assert_int_equal(n, numbers[i]);
    }
    assert_int_equal(lines_next(l, n), 0);
    assert_int_equal(lines_next(l, 5), 90);
    lines_free(l);
}

static void test_mark(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    add(l, 1, "one");
    add(l, 3, "three");
    lines_mark(l, 3, LINE_PROBLEM);
    lines_mark(l, 3, LINE_ODD);
    lines_mark(l, 2, LINE_PROBLEM);
    struct line out;
    assert_true(lines_get(l, 3, &out));
    assert_int_equal(out.flags, LINE_PROBLEM | LINE_ODD);
    assert_true(lines_get(l, 1, &out));
    assert_int_equal(out.flags, 0);
    lines_free(l);
}

static void test_long_lines(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    static const size_t sizes[] = {65522, 65523, 65524,         65535,
                                   65536, 70001, LINE_KEPT_MAX, LINE_KEPT_MAX + 1};
    char *text = malloc(LINE_KEPT_MAX + 1);
    assert_non_null(text);
    memset(text, 'a', LINE_KEPT_MAX + 1);
    uint32_t number = 0;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        add(l, ++number, "short");
        text[sizes[i] - 1] = 'Z';
        number++;
        struct line line = {.number = number, .t_us = number, .text = text, .len = sizes[i]};
        assert_int_equal(lines_add(l, &line), ST_OK);
        text[sizes[i] - 1] = 'a';
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct line out;
        assert_text(l, (uint32_t)(2 * i + 1), "short");
        assert_true(lines_get(l, (uint32_t)(2 * i + 2), &out));
        bool cut = sizes[i] > LINE_KEPT_MAX;
        assert_int_equal(out.len, cut ? LINE_KEPT_MAX : sizes[i]);
        assert_int_equal(out.flags, cut ? LINE_CUT : 0);
        assert_int_equal(out.text[out.len - 1], cut ? 'a' : 'Z');
    }
    assert_int_equal(lines_search(l, 1, false, "az"), 2);
    assert_int_equal(lines_search(l, number, true, "aZ"), number - 2);
    free(text);
    lines_free(l);
}

static void test_search(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    add(l, 1, "220 mx1.example.com ESMTP ready");
    add(l, 2, "EHLO probe.example.net");
    add(l, 4, "250-STARTTLS");
    add(l, 6, "250 8BITMIME");
    add(l, 9, "starttls");
    assert_int_equal(lines_search(l, 1, false, "starttls"), 4);
    assert_int_equal(lines_search(l, 0, false, "STARTTLS"), 4);
    assert_int_equal(lines_search(l, 4, false, "Starttls"), 4);
    assert_int_equal(lines_search(l, 5, false, "starttls"), 9);
    assert_int_equal(lines_search(l, 10, false, "starttls"), 0);
    assert_int_equal(lines_search(l, 100, true, "starttls"), 9);
    assert_int_equal(lines_search(l, 8, true, "starttls"), 4);
    assert_int_equal(lines_search(l, 4, true, "starttls"), 4);
    assert_int_equal(lines_search(l, 3, true, "starttls"), 0);
    assert_int_equal(lines_search(l, 1, false, "y"), 1);
    assert_int_equal(lines_search(l, 2, false, "220 MX1.EXAMPLE.COM ESMTP READY"), 0);
    assert_int_equal(lines_search(l, 0, true, "220"), 0);
    /* No hit over the border of two lines, and none for nothing. */
    assert_int_equal(lines_search(l, 1, false, "readyEHLO"), 0);
    assert_int_equal(lines_search(l, 1, false, ""), 0);
    lines_free(l);
}

/* Every needle of a small alphabet, against the plainest possible search. */
static void test_search_agrees_with_plain_one(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    char kept[400][16];
    unsigned seed = 12345;
    for (uint32_t n = 1; n < 400; n++) {
        size_t len = 0;
        while (len < 15 && (seed = seed * 1103515245u + 12345u) >> 16 & 7u) {
            kept[n][len++] = "abAB"[seed >> 20 & 3u];
        }
        kept[n][len] = '\0';
        add(l, n, kept[n]);
    }
    for (unsigned code = 0; code < 1u << 10; code++) {
        size_t len = 1 + code % 5;
        char needle[8];
        for (size_t i = 0; i < len; i++) {
            needle[i] = code >> (5 + i) & 1u ? 'a' : 'B';
        }
        needle[len] = '\0';
        uint32_t from = 1 + code % 399;
        uint32_t forward = 0, backward = 0;
        for (uint32_t n = 1; n < 400; n++) {
            if (strcasestr(kept[n], needle) != NULL) {
                if (n >= from && forward == 0) {
                    forward = n;
                }
                if (n <= from) {
                    backward = n;
                }
            }
        }
        assert_int_equal(lines_search(l, from, false, needle), forward);
        assert_int_equal(lines_search(l, from, true, needle), backward);
    }
    lines_free(l);
}

static void fill(struct lines *l, uint32_t count)
{
    char text[96];
    for (uint32_t n = 1; n <= count; n++) {
        int len =
            snprintf(text, sizeof(text), "250-line %08u of a server that never stops talking..%c",
                     n, n == count / 2 ? '!' : '.');
        struct line line = {
            .number = n, .t_us = n, .path = 1, .dir = DIR_SERVER, .text = text, .len = (size_t)len};
        assert_int_equal(lines_add(l, &line), ST_OK);
    }
}

static void test_a_million_lines(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    fill(l, 1000000);
    assert_int_equal(lines_dropped(l), 0);
    assert_int_equal(lines_first(l), 1);
    assert_int_equal(lines_last(l), 1000000);
    assert_true(lines_memory(l) < (size_t)90 << 20);
    struct line out;
    assert_true(lines_get(l, 654321, &out));
    assert_non_null(strstr(out.text, "00654321"));
    assert_int_equal(lines_search(l, 1, false, "TALKING..!"), 500000);
    assert_int_equal(lines_search(l, 1000000, true, "talking..!"), 500000);
    assert_int_equal(lines_search(l, 1, false, "not there"), 0);
    lines_free(l);
}

static void test_the_middle_goes(void **state)
{
    (void)state;
    struct lines *l;
    assert_int_equal(lines_new(&l), ST_OK);
    const uint32_t count = 2000000;
    fill(l, count);
    assert_true(lines_memory(l) <= LINES_MAX_BYTES + 4096);
    assert_true(lines_dropped(l) > 0);
    uint32_t gap = 0;
    uint32_t after = lines_gap_end(l, &gap);
    assert_true(gap > 1 && after > gap);
    assert_int_equal(after - gap, lines_dropped(l));
    struct line out;
    assert_true(lines_get(l, 1, &out));
    assert_true(lines_get(l, gap - 1, &out));
    assert_false(lines_get(l, gap, &out));
    assert_false(lines_get(l, after - 1, &out));
    assert_true(lines_get(l, after, &out));
    assert_non_null(strstr(out.text, "talking"));
    assert_true(lines_get(l, count, &out));
    /* Search steps over the gap in both directions. */
    assert_int_equal(lines_search(l, gap, false, "talking"), after);
    assert_int_equal(lines_search(l, after - 1, true, "talking"), gap - 1);
    lines_mark(l, gap, LINE_PROBLEM);
    /* What was dropped cannot be found: line count / 2 alone ends in an exclamation mark. */
    if (count / 2 >= gap && count / 2 < after) {
        assert_int_equal(lines_search(l, 1, false, "..!"), 0);
    }
    lines_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_fields_survive),
        cmocka_unit_test(test_numbers_only_rise),
        cmocka_unit_test(test_next_skips_gaps),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_search_agrees_with_plain_one),
        cmocka_unit_test(test_a_million_lines),
        cmocka_unit_test(test_the_middle_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
