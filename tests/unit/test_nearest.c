#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nearest.h"

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},         {"", "abc", 3},      {"abc", "", 3},
        {"json", "json", 0}, {"jsn", "json", 1},  {"jsonn", "json", 1},
        {"jzon", "json", 1}, {"josn", "json", 1}, {"kitten", "sitting", 3},
        {"ca", "abc", 3},    {"ab", "ba", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(nearest_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(nearest_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
    char longest[NEAREST_WORD_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(nearest_distance(longest, "a"), SIZE_MAX);
    longest[sizeof(longest) - 2] = '\0';
    assert_int_equal(nearest_distance(longest, "a"), NEAREST_WORD_MAX - 1);
}

static const char *const words[] = {"check", NULL, "timeout", "save", "strict"};

static const char *word_at(const void *ctx, size_t i)
{
    (void)ctx;
    return words[i];
}

static size_t nearest(const char *word)
{
    return nearest_word(word, word_at, NULL, ARRAY_LEN(words));
}

static void test_proposal(void **state)
{
    (void)state;
    assert_int_equal(nearest("chekc"), 0);
    assert_int_equal(nearest("time-out"), 2);
    assert_int_equal(nearest("sav"), 3);
    assert_int_equal(nearest("strickt"), 4);
    assert_int_equal(nearest("something-else"), ARRAY_LEN(words));
    assert_int_equal(nearest("x"), ARRAY_LEN(words));
    assert_int_equal(nearest(""), ARRAY_LEN(words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_proposal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
