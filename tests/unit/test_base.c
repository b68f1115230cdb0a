#include "base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = ST_OK; a <= ST_NOMEM; a++) {
        assert_true(strlen(status_name((enum status)a)) > 0);
        for (int b = ST_OK; b < a; b++) {
            assert_string_not_equal(status_name((enum status)a), status_name((enum status)b));
        }
    }
    assert_string_equal(status_name(ST_REFUSED), "refused");
    assert_non_null(status_name((enum status)999));
    assert_non_null(status_name((enum status)-1));
}

static void error_carries_code_and_text(void **state)
{
    (void)state;
    struct error e;
    assert_int_equal(error_set(&e, ST_IO, 5, "The file %s has %d lines.", "a", 3), ST_IO);
    assert_int_equal(e.code, ST_IO);
    assert_int_equal(e.sys, 5);
    assert_string_equal(e.text, "The file a has 3 lines.");
    assert_int_equal(error_set(NULL, ST_LIMIT, 0, "nobody listens"), ST_LIMIT);
}

static void error_text_is_safe_to_show(void **state)
{
    (void)state;
    struct error e;
    (void)error_set(&e, ST_IO, 0, "Not found: %s", "a\033]0;x\007\n\xc2\x9b\xe2\x80\xae");
    assert_string_equal(e.text, "Not found: a\\x1b]0;x\\x07\\x0a\\u{009B}\\u{202E}");
}

static void long_error_is_cut_at_a_character(void **state)
{
    (void)state;
    struct error e;
    char name[2000];
    for (size_t i = 0; i + 3 <= sizeof(name); i += 2) {
        memcpy(name + i, "\xc3\xa4", 3);
    }
    for (size_t shift = 0; shift < 4; shift++) {
        (void)error_set(&e, ST_IO, 0, "%.*s%s", (int)shift, "abcd", name);
        size_t len = strlen(e.text);
        assert_true(len < sizeof(e.text) && len > sizeof(e.text) - 6);
        assert_string_equal(e.text + len - 3, "...");
        assert_null(strchr(e.text, '\\'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(error_carries_code_and_text),
        cmocka_unit_test(error_text_is_safe_to_show),
        cmocka_unit_test(long_error_is_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
