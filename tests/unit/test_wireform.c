#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compose.h"
#include "wireform.h"

static struct wireform measure(const char *text, size_t len, bool exact)
{
    struct textarea t;
    struct wireform w;
    assert_int_equal(textarea_init(&t), ST_OK);
    assert_int_equal(textarea_set(&t, text, len), ST_OK);
    wireform_measure(&t, exact, &w);
    textarea_free(&t);
    return w;
}

static void flags(void **state)
{
    (void)state;
    char longer[1100];
    memset(longer, 'x', sizeof(longer));
    memcpy(longer, "\n\n", 2);
    static const struct {
        const char *text;
        unsigned flags;
    } cases[] = {
        {"Subject: x\n\nplain\n", 0},
        {"Subject: x\n\n.\n..\n", WIRE_STUFFED},
        {"Subject: \xc3\xa9\n\nx\n", WIRE_HEADER_UTF8},
        {"Subject: x\n\n\xc3\xa9\n", WIRE_EIGHT_BIT},
        {"a\r\n\r\nb\nc\r\n", WIRE_BARE_LF},
        {"a\n\nb\rc\n", WIRE_BARE_CR},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wireform w = measure(cases[i].text, strlen(cases[i].text), false);
        assert_int_equal(w.flags, cases[i].flags);
    }
    assert_int_equal(measure("a\n\n\0", 4, false).flags, WIRE_NUL);
    assert_int_equal(measure(longer, 2 + WIRE_LINE_MAX, false).flags, 0);
    assert_int_equal(measure(longer, 3 + WIRE_LINE_MAX, false).flags, WIRE_LONG);
}

/* The octets are those that the composer of the wire form makes. */
static void octets(void **state)
{
    (void)state;
    static const char *const texts[] = {"",          "x",          "Subject: x\n\n.hidden\n..\n.",
                                        "a\n\n\n\n", "a\r\nb\nc.", "\n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct buf wire, lines;
        size_t len = strlen(texts[i]);
        buf_init(&wire, 4096);
        buf_init(&lines, 4096);
        assert_int_equal(compose_stuff(&wire, texts[i], len), ST_OK);
        assert_int_equal(compose_lines(&lines, texts[i], len), ST_OK);
        struct wireform w = measure(texts[i], len, false);
        assert_int_equal(w.octets, wire.len);
        assert_int_equal(w.content, lines.len);
        buf_free(&wire);
        buf_free(&lines);
    }
    assert_int_equal(measure("a\r\nb\nc\r\n", 8, true).octets, 8);
}

static void header(void **state)
{
    (void)state;
    struct wireform w = measure("a: b\nc: d\n\nbody\n\nmore\n", 22, false);
    assert_int_equal(w.lines, 6);
    assert_true(wireform_in_header(&w, 1));
    assert_false(wireform_in_header(&w, 2));
    assert_false(wireform_in_header(&w, 4));
    w = measure("a: b", 4, false);
    assert_true(wireform_in_header(&w, 0));
}

static void sentences(void **state)
{
    (void)state;
    char text[400];
    struct wireform w = measure("a\n\n.\n.\n\xc3\xa9\n", 9, false);
    wireform_sentence(&w, text, sizeof(text));
    assert_string_equal(text, "2 dots are doubled. 1 line is 8-bit.");
    w = measure("a\n\nb\n", 5, false);
    wireform_sentence(&w, text, sizeof(text));
    assert_string_equal(text, "");
    w = measure("\xc3\xa9\r\n\r\n.\rx\n\xc3\xa9\0\r\n", 15, false);
    for (size_t size = 1; size < 200; size++) {
        wireform_sentence(&w, text, size);
        assert_true(strlen(text) < size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags),
        cmocka_unit_test(octets),
        cmocka_unit_test(header),
        cmocka_unit_test(sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
