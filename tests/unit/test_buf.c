#include "buf.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void grows_up_to_its_ceiling_and_not_over(void **state)
{
    (void)state;
    for (size_t max = 0; max < 300; max++) {
        struct buf b;
        buf_init(&b, max);
        for (size_t i = 0; i < max; i++) {
            assert_int_equal(buf_add_char(&b, (char)('a' + i % 26)), ST_OK);
            assert_int_equal(b.p[b.len], '\0');
        }
        assert_int_equal(buf_add_char(&b, 'x'), ST_LIMIT);
        assert_int_equal(buf_addf(&b, "%d", 1), ST_LIMIT);
        assert_int_equal(buf_add(&b, "", 0), ST_OK);
        assert_int_equal(b.len, max);
        assert_true(b.cap <= max + 1);
        for (size_t i = 0; i < max; i++) {
            assert_int_equal(b.p[i], 'a' + i % 26);
        }
        buf_free(&b);
        assert_int_equal(b.max, max);
    }
}

static void a_refused_piece_leaves_nothing_behind(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    assert_int_equal(buf_add_str(&b, "abc"), ST_OK);
    assert_int_equal(buf_add_str(&b, "def"), ST_LIMIT);
    assert_string_equal(buf_str(&b), "abc");
    assert_int_equal(buf_add_str(&b, "de"), ST_OK);
    assert_string_equal(buf_str(&b), "abcde");
    buf_free(&b);
}

static void length_cannot_wrap(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    assert_int_equal(buf_add_str(&b, "abc"), ST_OK);
    assert_int_equal(buf_add(&b, "x", SIZE_MAX - 2), ST_LIMIT);
    assert_string_equal(buf_str(&b), "abc");
    buf_free(&b);
}

static void formats(void **state)
{
    (void)state;
    struct buf b;
    char big[500];
    memset(big, 'y', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    buf_init(&b, 1000);
    assert_int_equal(buf_addf(&b, "%s-%d", "x", 42), ST_OK);
    assert_int_equal(buf_addf(&b, "%s", big), ST_OK);
    assert_int_equal(b.len, 4 + sizeof(big) - 1);
    assert_memory_equal(b.p, "x-42yyyy", 8);
    assert_int_equal(buf_addf(&b, "%s%s", big, big), ST_LIMIT);
    assert_int_equal(b.len, 4 + sizeof(big) - 1);
    buf_free(&b);
}

static void drops_the_front(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_drop_front(&b, 3);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_add_str(&b, "abcdef"), ST_OK);
    buf_drop_front(&b, 0);
    buf_drop_front(&b, 2);
    assert_string_equal(buf_str(&b), "cdef");
    buf_drop_front(&b, 99);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_str(&b), "");
    buf_wipe(&b);
    assert_null(b.p);
}

static void spans_compare_without_case(void **state)
{
    (void)state;
    struct span s = {"EHLO mx", 4};
    assert_true(span_equal_nocase(s, "ehlo"));
    assert_false(span_equal_nocase(s, "ehlo mx"));
    assert_false(span_equal_nocase(s, "ehl"));
    assert_true(span_equal_nocase(span_of(""), ""));
    assert_true(str_equal_nocase("StartTLS", "STARTTLS"));
    assert_false(str_equal_nocase("STARTTLS", "STARTTL"));
    /* only ASCII letters have a case: 0xc4 and 0xe4 are not each other */
    assert_false(str_equal_nocase("\xc4", "\xe4"));
    assert_false(str_equal_nocase("[", "{"));
    assert_false(str_equal_nocase("@", "`"));
}

static void strings_are_copied(void **state)
{
    (void)state;
    char *slot = NULL;
    assert_int_equal(str_set(&slot, "one"), ST_OK);
    assert_string_equal(slot, "one");
    assert_int_equal(str_set(&slot, slot), ST_OK);
    assert_string_equal(slot, "one");
    assert_int_equal(str_set(&slot, NULL), ST_OK);
    assert_null(slot);
    assert_null(str_dup(NULL));
    assert_null(str_ndup(NULL, 3));
    char *part = str_ndup("abcdef", 3);
    assert_string_equal(part, "abc");
    free(part);

    char small[4];
    assert_true(str_copy(small, sizeof(small), "abc"));
    assert_false(str_copy(small, sizeof(small), "wxyz"));
    assert_string_equal(small, "wxy");
    assert_true(str_copy(small, 1, ""));
    assert_false(str_copy(small, 1, "a"));
    assert_string_equal(small, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_up_to_its_ceiling_and_not_over),
        cmocka_unit_test(a_refused_piece_leaves_nothing_behind),
        cmocka_unit_test(length_cannot_wrap),
        cmocka_unit_test(formats),
        cmocka_unit_test(drops_the_front),
        cmocka_unit_test(spans_compare_without_case),
        cmocka_unit_test(strings_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
