#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keys.h"
#include "textarea.h"

#define PAGE 10

static void make(struct textarea *t, const char *text)
{
    assert_int_equal(textarea_init(t), ST_OK);
    assert_int_equal(textarea_set(t, text, strlen(text)), ST_OK);
}

static void press(struct textarea *t, const char *keys)
{
    for (const char *p = keys; *p != '\0'; p++) {
        (void)textarea_key(t, (uint32_t)(unsigned char)*p, PAGE);
    }
}

static void assert_text(const struct textarea *t, bool exact, const char *want)
{
    struct buf out;
    size_t bytes = 0;
    buf_init(&out, 1u << 20);
    assert_int_equal(textarea_text(t, exact, &out), ST_OK);
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(buf_str(&out), want, out.len);
    buf_free(&out);
    for (size_t i = 0; i < t->count; i++) {
        bytes += t->lines[i].len;
        assert_int_equal(t->lines[i].p[t->lines[i].len], '\0');
    }
    assert_int_equal(t->bytes, bytes);
    assert_true(t->row < t->count && t->at <= t->lines[t->row].len);
}

static void typing(void **state)
{
    (void)state;
    struct textarea t;
    make(&t, "");
    assert_true(textarea_is_empty(&t));
    assert_text(&t, false, "");
    press(&t, "Hello\rworld");
    assert_true(t.changed);
    assert_text(&t, false, "Hello\r\nworld\r\n");
    press(&t, "\r");
    assert_text(&t, false, "Hello\r\nworld\r\n");
    /* Into the middle, and across a line end in both directions. */
    textarea_goto(&t, 0, 2);
    press(&t, "\r");
    assert_text(&t, false, "He\r\nllo\r\nworld\r\n");
    (void)textarea_key(&t, UKEY_BACKSPACE, PAGE);
    assert_text(&t, false, "Hello\r\nworld\r\n");
    assert_int_equal(t.at, 2);
    textarea_goto(&t, 0, 5);
    (void)textarea_key(&t, UKEY_DELETE, PAGE);
    assert_text(&t, false, "Helloworld\r\n");
    (void)textarea_key(&t, 0xe9, PAGE);
    assert_text(&t, false, "Hello\xc3\xa9world\r\n");
    (void)textarea_key(&t, UKEY_BACKSPACE, PAGE);
    assert_text(&t, false, "Helloworld\r\n");
    textarea_free(&t);
}

static void moving(void **state)
{
    (void)state;
    struct textarea t;
    make(&t, "one\nlonger line\n\nlast");
    (void)textarea_key(&t, UKEY_END, PAGE);
    (void)textarea_key(&t, UKEY_DOWN, PAGE);
    assert_int_equal(t.row, 1);
    assert_int_equal(t.at, 3);
    /* The column is kept over lines that are shorter. */
    (void)textarea_key(&t, UKEY_END, PAGE);
    (void)textarea_key(&t, UKEY_DOWN, PAGE);
    assert_int_equal(t.at, 0);
    (void)textarea_key(&t, UKEY_DOWN, PAGE);
    assert_int_equal(t.row, 3);
    assert_int_equal(t.at, 4);
    (void)textarea_key(&t, UKEY_UP, PAGE);
    (void)textarea_key(&t, UKEY_UP, PAGE);
    assert_int_equal(t.at, 11);
    (void)textarea_key(&t, UKEY_HOME, PAGE);
    (void)textarea_key(&t, UKEY_LEFT, PAGE);
    assert_int_equal(t.row, 0);
    assert_int_equal(t.at, 3);
    (void)textarea_key(&t, UKEY_RIGHT, PAGE);
    assert_int_equal(t.row, 1);
    assert_int_equal(t.at, 0);
    (void)textarea_key(&t, UKEY_PAGE_DOWN, PAGE);
    assert_int_equal(t.row, 3);
    assert_int_equal(textarea_key(&t, UKEY_RIGHT, PAGE), AREA_MOVED);
    (void)textarea_key(&t, UKEY_END, PAGE);
    assert_int_equal(textarea_key(&t, UKEY_RIGHT, PAGE), AREA_IGNORED);
    (void)textarea_key(&t, UKEY_PAGE_UP, PAGE);
    assert_int_equal(t.row, 0);
    (void)textarea_key(&t, UKEY_HOME, PAGE);
    assert_int_equal(textarea_key(&t, UKEY_LEFT, PAGE), AREA_IGNORED);
    assert_int_equal(textarea_key(&t, UKEY_BACKSPACE, PAGE), AREA_IGNORED);
    textarea_goto(&t, 1000, 1000);
    assert_int_equal(t.row, 3);
    assert_int_equal(t.at, 4);
    textarea_free(&t);
    /* A character with its marks is one step; wide ones keep the column honest. */
    make(&t, "ae\xcc\x81z\nabcdef\n\xe6\x97\xa5\xe6\x9c\xac");
    (void)textarea_key(&t, UKEY_RIGHT, PAGE);
    (void)textarea_key(&t, UKEY_RIGHT, PAGE);
    assert_int_equal(t.at, 4);
    (void)textarea_key(&t, UKEY_DOWN, PAGE);
    assert_int_equal(t.at, 2);
    (void)textarea_key(&t, UKEY_DOWN, PAGE);
    assert_int_equal(t.at, 3);
    textarea_free(&t);
}

static void killing(void **state)
{
    (void)state;
    struct textarea t;
    make(&t, "one two\nthree");
    textarea_goto(&t, 0, 7);
    (void)textarea_key(&t, KEY_CTRL('w'), PAGE);
    assert_text(&t, false, "one \r\nthree\r\n");
    (void)textarea_key(&t, KEY_CTRL('u'), PAGE);
    assert_text(&t, false, "\r\nthree\r\n");
    (void)textarea_key(&t, KEY_CTRL('y'), PAGE);
    assert_text(&t, false, "one \r\nthree\r\n");
    (void)textarea_key(&t, KEY_CTRL('a'), PAGE);
    (void)textarea_key(&t, KEY_CTRL('k'), PAGE);
    assert_text(&t, false, "\r\nthree\r\n");
    (void)textarea_key(&t, KEY_CTRL('k'), PAGE);
    assert_text(&t, false, "three\r\n");
    textarea_free(&t);
}

static void line_ends(void **state)
{
    (void)state;
    struct textarea t;
    /* LF alone is how files are here; beside CRLF it is on purpose. */
    make(&t, "a\nb\n");
    assert_text(&t, true, "a\r\nb\r\n");
    textarea_free(&t);
    make(&t, "a\r\nb\nc\r\n");
    assert_text(&t, true, "a\r\nb\nc\r\n");
    assert_text(&t, false, "a\r\nb\r\nc\r\n");
    /* Who joins two lines takes the end of the second one along. */
    textarea_goto(&t, 0, 1);
    (void)textarea_key(&t, UKEY_DELETE, PAGE);
    assert_text(&t, true, "ab\nc\r\n");
    textarea_free(&t);
    make(&t, "ab");
    textarea_goto(&t, 0, 1);
    press(&t, "\x16\n");
    assert_text(&t, true, "a\nb\r\n");
    press(&t, "\x16\x01\x16\t");
    assert_text(&t, true, "a\n\x01\tb\r\n");
    /* A CR inside of a line, and a NUL, are kept as they are. */
    assert_int_equal(textarea_set(&t, "a\rb\0c\n", 6), ST_OK);
    assert_int_equal(t.lines[0].len, 5);
    assert_memory_equal(t.lines[0].p, "a\rb\0c", 5);
    textarea_free(&t);
}

static void pasting(void **state)
{
    (void)state;
    struct textarea t;
    make(&t, "begin end");
    textarea_goto(&t, 0, 6);
    const char *pasted = "one\r\ntwo\nthree ";
    assert_int_equal(textarea_insert(&t, pasted, strlen(pasted)), ST_OK);
    assert_text(&t, true, "begin one\r\ntwo\r\nthree end\r\n");
    assert_int_equal(t.row, 2);
    assert_int_equal(t.at, 6);
    /* What does not fit leaves nothing behind. */
    size_t len = TEXTAREA_MAX + 10;
    char *large = malloc(len);
    assert_non_null(large);
    memset(large, 'x', len);
    large[100] = large[200] = '\n';
    assert_int_equal(textarea_insert(&t, large, len), ST_LIMIT);
    assert_text(&t, true, "begin one\r\ntwo\r\nthree end\r\n");
    assert_int_equal(t.row, 2);
    assert_int_equal(t.at, 6);
    assert_int_equal(textarea_set(&t, large, len), ST_LIMIT);
    assert_text(&t, true, "begin one\r\ntwo\r\nthree end\r\n");
    memset(large, '\n', TEXTAREA_LINES_MAX + 1);
    assert_int_equal(textarea_set(&t, large, TEXTAREA_LINES_MAX + 1), ST_LIMIT);
    assert_int_equal(t.count, 3);
    free(large);
    textarea_free(&t);
}

static void showing(void **state)
{
    (void)state;
    struct textarea t;
    make(&t, "");
    for (int i = 0; i < 30; i++) {
        press(&t, "x\r");
    }
    textarea_scroll(&t, PAGE);
    assert_int_equal(t.top, 21);
    textarea_goto(&t, 5, 0);
    textarea_scroll(&t, PAGE);
    assert_int_equal(t.top, 5);
    /* The cursor's column lies in the field, wherever it is. */
    textarea_goto(&t, 30, 0);
    for (int i = 0; i < 200; i++) {
        press(&t, "y");
        int column = textarea_column(&t, false) - textarea_left(&t, 40, false);
        assert_true(column >= 0 && column < 40);
    }
    textarea_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing),    cmocka_unit_test(moving),  cmocka_unit_test(killing),
        cmocka_unit_test(line_ends), cmocka_unit_test(pasting), cmocka_unit_test(showing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
