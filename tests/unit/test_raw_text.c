/* The notation of exact bytes, in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"
#include "raw_text.h"

static void assert_reads(const char *text, const char *bytes, size_t len)
{
    struct buf out;
    struct error error = {.text = ""};
    struct guarded g = guarded_copy(text, strlen(text));
    buf_init(&out, 1000);
    if (raw_text_read(g.p, g.len, &out, &error) != ST_OK) {
        fail_msg("%s: %s", text, error.text);
    }
    assert_int_equal(out.len, len);
    assert_memory_equal(buf_str(&out), bytes, len);
    guarded_free(&g);
    buf_free(&out);
}

static void test_escapes(void **state)
{
    (void)state;
    assert_reads("", "", 0);
    assert_reads("EHLO x\\r\\n", "EHLO x\r\n", 8);
    assert_reads("a\\tb\\0c\\\\r", "a\tb\0c\\r", 7);
    assert_reads("\\x00\\xfF\\x41",
                 "\0\xff"
                 "A",
                 3);
    assert_reads("\\01",
                 "\0"
                 "1",
                 2);
    assert_reads("\xc3\xa9", "\xc3\xa9", 2);
}

static void test_errors_name_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
    } bad[] = {
        {"\\", "position 1."},         {"abc\\", "position 4."},  {"\\q", "position 1."},
        {"a\\r\\x4", "position 4."},   {"a\\xg0", "position 2."}, {"\\x", "position 1."},
        {"NOOP\\R\\n", "position 5."},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buf out;
        struct error error = {.text = ""};
        struct guarded g = guarded_copy(bad[i].text, strlen(bad[i].text));
        buf_init(&out, 1000);
        assert_int_equal(raw_text_read(g.p, g.len, &out, &error), ST_INVALID);
        assert_non_null(strstr(error.text, bad[i].place));
        guarded_free(&g);
        buf_free(&out);
    }
}

static void test_a_full_buffer_is_told(void **state)
{
    (void)state;
    struct buf out;
    struct error error = {.text = ""};
    buf_init(&out, 3);
    assert_int_equal(raw_text_read("abcd", 4, &out, &error), ST_LIMIT);
    assert_non_null(strstr(error.text, "3 bytes"));
    buf_free(&out);
}

/* Every byte behind every other one. */
static void test_round_trip(void **state)
{
    (void)state;
    struct error error = {.text = ""};
    for (int a = 0; a < 256; a++) {
        char bytes[512];
        struct buf text, again;
        for (int b = 0; b < 256; b++) {
            bytes[2 * b] = (char)a;
            bytes[2 * b + 1] = (char)b;
        }
        buf_init(&text, 10000);
        buf_init(&again, 10000);
        assert_int_equal(raw_text_write(bytes, sizeof(bytes), &text), ST_OK);
        for (size_t i = 0; i < text.len; i++) {
            assert_true(text.p[i] >= ' ' && text.p[i] <= '~');
        }
        assert_int_equal(raw_text_read(text.p, text.len, &again, &error), ST_OK);
        assert_int_equal(again.len, sizeof(bytes));
        assert_memory_equal(again.p, bytes, sizeof(bytes));
        buf_free(&text);
        buf_free(&again);
    }
}

static void test_lines(void **state)
{
    (void)state;
    static const char bytes[] = "NOOP\r\n\nA\rB\r\nC\0D\n\xc3\xa9\r\nend\r";
    static const struct {
        const char *text;
        size_t len;
        unsigned odd;
    } want[] = {
        {"NOOP", 4, 0},
        {"", 0, RAW_BARE_LF},
        {"A\rB", 3, RAW_BARE_CR},
        {"C\0D", 3, RAW_NUL | RAW_BARE_LF},
        {"\xc3\xa9", 2, RAW_EIGHT_BIT},
        {"end\r", 4, RAW_UNFINISHED},
    };
    struct guarded g = guarded_copy(bytes, sizeof(bytes) - 1);
    struct raw_line line;
    size_t at = 0;
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_true(raw_next_line(g.p, g.len, &at, &line));
        assert_int_equal(line.text.len, want[i].len);
        assert_memory_equal(line.text.p, want[i].text, want[i].len);
        assert_int_equal(line.odd, want[i].odd);
    }
    assert_false(raw_next_line(g.p, g.len, &at, &line));
    guarded_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_a_full_buffer_is_told),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
