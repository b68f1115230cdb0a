#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "macro.h"

static void the_table(void **state)
{
    (void)state;
    struct buf list;
    buf_init(&list, 1u << 16);
    assert_int_equal(macro_list(&list), ST_OK);
    for (enum macro_id id = MACRO_NONE + 1; id < MACRO_COUNT; id++) {
        const struct macro *m = &macros[id];
        char line[64];
        const char *args = NULL;
        (void)snprintf(line, sizeof(line), ":%s", m->name);
        assert_int_equal(macro_find(line, &args), id);
        assert_string_equal(args, "");
        assert_true(m->title[0] != '\0');
        assert_non_null(strstr(buf_str(&list), m->title));
        /* What is needed has no brackets; what takes nothing says nothing. */
        assert_int_equal(m->needed, m->args[0] != '\0' && m->args[0] != '[');
        assert_int_equal(m->kind == MACRO_NOTHING, m->args[0] == '\0');
        for (enum macro_id other = MACRO_NONE + 1; other < id; other++) {
            assert_string_not_equal(m->name, macros[other].name);
        }
    }
    buf_free(&list);
}

static void finding(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum macro_id id;
        const char *args;
    } cases[] = {
        {":probe a b", MACRO_PROBE, "a b"},
        {":PROBE   a", MACRO_PROBE, "a"},
        {":raw", MACRO_RAW, ""},
        {":raw  x ", MACRO_RAW, "x "},
        {":", MACRO_NONE, ""},
        {":rawx", MACRO_NONE, ""},
        {"probe a", MACRO_NONE, ""},
        {"", MACRO_NONE, ""},
        {" :raw", MACRO_NONE, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *args = NULL;
        assert_int_equal(macro_find(cases[i].line, &args), cases[i].id);
        assert_string_equal(args, cases[i].args);
    }
}

static void nearest(void **state)
{
    (void)state;
    assert_int_equal(macro_nearest(":prob"), MACRO_PROBE);
    assert_int_equal(macro_nearest(":stattls x"), MACRO_STARTTLS);
    assert_int_equal(macro_nearest(":frobnicate"), MACRO_NONE);
    assert_int_equal(macro_nearest("prob"), MACRO_NONE);
    char longer[400];
    memset(longer, 'x', sizeof(longer));
    longer[0] = ':';
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(macro_nearest(longer), MACRO_NONE);
}

static void words(void **state)
{
    (void)state;
    char word[8];
    const char *args = "  one two";
    assert_true(macro_next_word(&args, word, sizeof(word)));
    assert_string_equal(word, "one");
    assert_true(macro_next_word(&args, word, sizeof(word)));
    assert_string_equal(word, "two");
    assert_false(macro_next_word(&args, word, sizeof(word)));
    args = "toolong8";
    assert_false(macro_next_word(&args, word, sizeof(word)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(finding),
        cmocka_unit_test(nearest),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
