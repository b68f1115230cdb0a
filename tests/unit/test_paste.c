#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "paste.h"

static void lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        const char *last;
    } cases[] = {
        {"", 0, ""},         {"a", 1, "a"},          {"a\n", 1, "a"},
        {"a\rb\rc", 3, "c"}, {"a\r\nb\r\n", 2, "b"}, {"a\n\n", 2, ""},
        {"\n", 1, ""},       {"a\n\rb", 3, "b"},     {"a\r\r\nb", 3, "b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span line = {"", 0};
        size_t len = strlen(cases[i].text);
        assert_int_equal(paste_lines(cases[i].text, len), cases[i].count);
        for (size_t at = 0; paste_next(cases[i].text, len, &at, &line);) {
            assert_true(at <= len);
        }
        assert_int_equal(line.len, strlen(cases[i].last));
        assert_memory_equal(line.p, cases[i].last, line.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
