#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "escape.h"
#include "keys.h"
#include "lineedit.h"

static struct lineedit fresh(void)
{
    struct lineedit e;
    assert_int_equal(lineedit_init(&e, LINEEDIT_MAX, false), ST_OK);
    return e;
}

static void type(struct lineedit *e, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        uint32_t c;
        size_t n = utf8_decode(text, len, &c);
        assert_true(n > 0);
        assert_int_equal(lineedit_key(e, c), EDIT_CHANGED);
        text += n;
        len -= n;
    }
}

static void assert_line(const struct lineedit *e, const char *text, size_t cursor)
{
    assert_string_equal(lineedit_text(e), text);
    assert_int_equal(e->len, strlen(text));
    assert_int_equal(e->cursor, cursor);
}

static void typing_and_moving(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    assert_line(&e, "", 0);
    type(&e, "RCPT");
    assert_line(&e, "RCPT", 4);
    assert_int_equal(lineedit_key(&e, UKEY_LEFT), EDIT_MOVED);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('b')), EDIT_MOVED);
    type(&e, "x");
    assert_line(&e, "RCxPT", 3);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('f')), EDIT_MOVED);
    assert_int_equal(lineedit_key(&e, UKEY_RIGHT), EDIT_MOVED);
    assert_int_equal(lineedit_key(&e, UKEY_RIGHT), EDIT_IGNORED);
    assert_int_equal(lineedit_key(&e, UKEY_HOME), EDIT_MOVED);
    assert_int_equal(lineedit_key(&e, UKEY_LEFT), EDIT_IGNORED);
    assert_int_equal(lineedit_key(&e, UKEY_BACKSPACE), EDIT_IGNORED);
    assert_int_equal(lineedit_key(&e, UKEY_DELETE), EDIT_CHANGED);
    assert_line(&e, "CxPT", 0);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('e')), EDIT_MOVED);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('h')), EDIT_CHANGED);
    assert_line(&e, "CxP", 3);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('a')), EDIT_MOVED);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('d')), EDIT_CHANGED);
    assert_line(&e, "xP", 0);
    assert_int_equal(lineedit_key(&e, UKEY_F7), EDIT_IGNORED);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('s')), EDIT_IGNORED);
    lineedit_free(&e);
}

/* A character and its marks are one; the cursor is never inside. */
static void characters_not_bytes(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    type(&e, "a\u00e9\u90aee\u0301\U0001F600");
    size_t all = e.len;
    assert_int_equal(all, 1 + 2 + 3 + 3 + 4);
    assert_int_equal(lineedit_key(&e, UKEY_LEFT), EDIT_MOVED);
    assert_int_equal(e.cursor, 9);
    assert_int_equal(lineedit_key(&e, UKEY_LEFT), EDIT_MOVED);
    assert_int_equal(e.cursor, 6);
    assert_int_equal(lineedit_key(&e, UKEY_LEFT), EDIT_MOVED);
    assert_int_equal(e.cursor, 3);
    assert_int_equal(lineedit_key(&e, UKEY_LEFT), EDIT_MOVED);
    assert_int_equal(e.cursor, 1);
    lineedit_key(&e, UKEY_END);
    lineedit_key(&e, UKEY_BACKSPACE);
    lineedit_key(&e, UKEY_BACKSPACE);
    assert_line(&e, "a\u00e9\u90ae", 6);
    lineedit_key(&e, UKEY_BACKSPACE);
    assert_line(&e, "a\u00e9", 3);
    /* Keys that are no character. */
    assert_int_equal(lineedit_key(&e, 0xd800), EDIT_IGNORED);
    assert_int_equal(lineedit_key(&e, UKEY_NONE), EDIT_IGNORED);
    assert_int_equal(lineedit_key(&e, 0x110000), EDIT_IGNORED);
    lineedit_free(&e);
}

static void killing(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    type(&e, "MAIL FROM:<a@b>  ");
    assert_int_equal(lineedit_key(&e, KEY_CTRL('w')), EDIT_CHANGED);
    assert_line(&e, "MAIL ", 5);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('y')), EDIT_CHANGED);
    assert_line(&e, "MAIL FROM:<a@b>  ", 17);
    for (int i = 0; i < 12; i++) {
        lineedit_key(&e, UKEY_LEFT);
    }
    assert_int_equal(lineedit_key(&e, KEY_CTRL('k')), EDIT_CHANGED);
    assert_line(&e, "MAIL ", 5);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('k')), EDIT_IGNORED);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('u')), EDIT_CHANGED);
    assert_line(&e, "", 0);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('y')), EDIT_CHANGED);
    assert_line(&e, "MAIL ", 5);
    lineedit_free(&e);
}

static void transposing(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    assert_int_equal(lineedit_key(&e, KEY_CTRL('t')), EDIT_IGNORED);
    type(&e, "ab");
    assert_int_equal(lineedit_key(&e, KEY_CTRL('t')), EDIT_CHANGED);
    assert_line(&e, "ba", 2);
    lineedit_key(&e, UKEY_HOME);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('t')), EDIT_IGNORED);
    lineedit_key(&e, UKEY_END);
    type(&e, "\u90aex");
    lineedit_key(&e, UKEY_LEFT);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('t')), EDIT_CHANGED);
    assert_line(&e, "bax\u90ae", 6);
    lineedit_free(&e);
}

static void special_keys(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    assert_int_equal(lineedit_key(&e, KEY_CTRL('d')), EDIT_EOF);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('c')), EDIT_IGNORED);
    type(&e, "x");
    assert_int_equal(lineedit_key(&e, UKEY_TAB), EDIT_COMPLETE);
    assert_int_equal(lineedit_key(&e, UKEY_BACKTAB), EDIT_PREV_FIELD);
    assert_int_equal(lineedit_key(&e, UKEY_ENTER), EDIT_ENTER);
    assert_int_equal(lineedit_key(&e, UKEY_ESC), EDIT_CANCEL);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('g')), EDIT_CANCEL);
    assert_line(&e, "x", 1);
    /* Without a history, up and down are for the form. */
    assert_int_equal(lineedit_key(&e, UKEY_UP), EDIT_PREV_FIELD);
    assert_int_equal(lineedit_key(&e, UKEY_DOWN), EDIT_NEXT_FIELD);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('c')), EDIT_CHANGED);
    assert_line(&e, "", 0);
    lineedit_free(&e);
}

/* Ctrl-V: any byte but a line end may be typed. */
static void quoting(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    static const uint32_t keys[] = {UKEY_TAB, UKEY_ESC, KEY_CTRL('c'), UKEY_BACKSPACE};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_int_not_equal(lineedit_key(&e, KEY_CTRL('v')), EDIT_IGNORED);
        assert_int_equal(lineedit_key(&e, keys[i]), EDIT_CHANGED);
    }
    assert_line(&e, "\t\x1b\x03\x7f", 4);
    static const uint32_t refused[] = {UKEY_ENTER, '\n', UKEY_UP, UKEY_NONE};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        lineedit_key(&e, KEY_CTRL('v'));
        assert_int_equal(lineedit_key(&e, refused[i]), EDIT_IGNORED);
        assert_false(e.quote_next);
    }
    lineedit_free(&e);
}

static void remember(struct lineedit *e, const char *text)
{
    assert_int_equal(lineedit_set(e, text), ST_OK);
    lineedit_commit(e, true);
    assert_line(e, "", 0);
}

static void history(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    remember(&e, "EHLO a");
    remember(&e, "NOOP");
    remember(&e, "NOOP");
    remember(&e, "");
    assert_int_equal(e.history_count, 2);
    assert_int_equal(lineedit_set(&e, "secret"), ST_OK);
    lineedit_commit(&e, false);
    assert_int_equal(e.history_count, 2);
    /* The draft comes back. */
    type(&e, "dra");
    assert_int_equal(lineedit_key(&e, UKEY_UP), EDIT_CHANGED);
    assert_line(&e, "NOOP", 4);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('p')), EDIT_CHANGED);
    assert_line(&e, "EHLO a", 6);
    assert_int_equal(lineedit_key(&e, UKEY_UP), EDIT_IGNORED);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('n')), EDIT_CHANGED);
    assert_line(&e, "NOOP", 4);
    assert_int_equal(lineedit_key(&e, UKEY_DOWN), EDIT_CHANGED);
    assert_line(&e, "dra", 3);
    assert_int_equal(lineedit_key(&e, UKEY_DOWN), EDIT_IGNORED);
    lineedit_free(&e);
}

static void history_is_bounded(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    char text[32];
    for (int i = 0; i < LINEEDIT_HISTORY_MAX + 7; i++) {
        snprintf(text, sizeof(text), "NOOP %d", i);
        remember(&e, text);
    }
    assert_int_equal(e.history_count, LINEEDIT_HISTORY_MAX);
    assert_string_equal(e.history[0], "NOOP 7");
    lineedit_free(&e);
}

static void searching_the_history(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    assert_int_equal(lineedit_key(&e, KEY_CTRL('r')), EDIT_IGNORED);
    remember(&e, "RCPT TO:<one@example.org>");
    remember(&e, "RCPT TO:<two@example.org>");
    remember(&e, "NOOP");
    type(&e, "dr");
    lineedit_key(&e, KEY_CTRL('r'));
    assert_true(e.searching);
    type(&e, "RCPT");
    assert_line(&e, "RCPT TO:<two@example.org>", 25);
    assert_string_equal(e.search, "RCPT");
    lineedit_key(&e, KEY_CTRL('r'));
    assert_line(&e, "RCPT TO:<one@example.org>", 25);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('g')), EDIT_CHANGED);
    assert_false(e.searching);
    assert_line(&e, "dr", 2);
    /* More text narrows without skipping what fits; Backspace widens. */
    lineedit_key(&e, KEY_CTRL('r'));
    type(&e, "<o");
    assert_line(&e, "RCPT TO:<one@example.org>", 25);
    lineedit_key(&e, UKEY_BACKSPACE);
    assert_string_equal(e.search, "<");
    assert_line(&e, "RCPT TO:<two@example.org>", 25);
    assert_int_equal(lineedit_key(&e, UKEY_ESC), EDIT_CHANGED);
    assert_false(e.searching);
    assert_line(&e, "RCPT TO:<two@example.org>", 25);
    /* Another key ends the search and does what it does. */
    lineedit_key(&e, KEY_CTRL('r'));
    type(&e, "one");
    assert_int_equal(lineedit_key(&e, UKEY_HOME), EDIT_MOVED);
    assert_false(e.searching);
    assert_line(&e, "RCPT TO:<one@example.org>", 0);
    lineedit_free(&e);
}

/* A35: a paste can insert text, and nothing but text. */
static void pasting(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    type(&e, "ab");
    lineedit_key(&e, UKEY_LEFT);
    assert_int_equal(lineedit_insert(&e, "1\r\n2\n\r\n3\r", 9), ST_OK);
    assert_line(&e, "a123b", 4);
    assert_int_equal(lineedit_insert(&e, "x\0y", 3), ST_OK);
    assert_line(&e, "a123xyb", 6);
    assert_int_equal(lineedit_insert(&e, "", 0), ST_OK);
    lineedit_free(&e);
    assert_int_equal(lineedit_init(&e, 10, false), ST_OK);
    type(&e, "12345");
    assert_int_equal(lineedit_insert(&e, "678\n9ab", 7), ST_LIMIT);
    assert_line(&e, "12345", 5);
    type(&e, "67890");
    assert_int_equal(lineedit_key(&e, 'x'), EDIT_IGNORED);
    assert_int_equal(lineedit_set(&e, "12345678901"), ST_LIMIT);
    assert_line(&e, "1234567890", 10);
    lineedit_free(&e);
}

static bool memory_holds(const char *p, size_t size, const char *word)
{
    return memmem(p, size, word, strlen(word)) != NULL;
}

/* A41 A42: a password gets into no history, draft, kill buffer, and out of the memory that held it.
 */
static void masked(void **state)
{
    (void)state;
    struct lineedit e;
    assert_int_equal(lineedit_init(&e, 256, true), ST_OK);
    type(&e, "hunter2-canary");
    assert_int_equal(lineedit_key(&e, UKEY_TAB), EDIT_NEXT_FIELD);
    assert_int_equal(lineedit_key(&e, KEY_CTRL('u')), EDIT_CHANGED);
    assert_line(&e, "", 0);
    assert_null(e.killed);
    assert_false(memory_holds(e.text, e.cap, "canary"));
    assert_int_equal(lineedit_key(&e, KEY_CTRL('y')), EDIT_IGNORED);
    type(&e, "hunter2-canary");
    assert_int_equal(lineedit_key(&e, UKEY_UP), EDIT_PREV_FIELD);
    assert_null(e.draft);
    lineedit_commit(&e, true);
    assert_int_equal(e.history_count, 0);
    assert_false(memory_holds(e.text, e.cap, "canary"));
    lineedit_free(&e);
    assert_null(e.text);
}

/* An SMTP line may become a password while it is typed. */
static void masked_later(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    remember(&e, "NOOP");
    type(&e, "AUTH PLAIN AGNhbmFyeQ");
    lineedit_key(&e, KEY_CTRL('w'));
    lineedit_key(&e, KEY_CTRL('y'));
    assert_non_null(e.killed);
    lineedit_mask(&e, true);
    assert_null(e.killed);
    lineedit_key(&e, UKEY_UP);
    assert_null(e.draft);
    lineedit_commit(&e, true);
    assert_int_equal(e.history_count, 1);
    assert_false(memory_holds(e.text, e.cap, "AGNh"));
    lineedit_mask(&e, false);
    assert_int_equal(lineedit_key(&e, UKEY_UP), EDIT_CHANGED);
    assert_line(&e, "NOOP", 4);
    lineedit_free(&e);
}

static void long_lines_grow(void **state)
{
    (void)state;
    struct lineedit e = fresh();
    for (int i = 0; i < LINEEDIT_MAX; i++) {
        assert_int_equal(lineedit_insert(&e, "y", 1), ST_OK);
    }
    assert_int_equal(e.len, LINEEDIT_MAX);
    assert_int_equal(lineedit_insert(&e, "y", 1), ST_LIMIT);
    assert_int_equal(strlen(lineedit_text(&e)), LINEEDIT_MAX);
    lineedit_free(&e);
}

/* A51: the cursor is inside the field, in front of the character that it is in front of. */
static void window(void **state)
{
    (void)state;
    static const char hostile[] = "a\x1b"
                                  "b\xff\xfe e\u0301e\u0301 \u202e";
    static const char *const lines[] = {
        "plain text that is longer than the field",
        "\u90ae\u4ef6\u670d\u52a1\u5668 \u90ae\u4ef6\u670d\u52a1\u5668", hostile};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        for (int how = 0; how < 3; how++) {
            struct lineedit e = fresh();
            assert_int_equal(lineedit_insert(&e, lines[i], strlen(lines[i])), ST_OK);
            lineedit_mask(&e, how == 2);
            unsigned flags = how == 1 ? ESCAPE_ASCII : 0;
            do {
                for (int width = 1; width <= 30; width++) {
                    size_t from = 999;
                    int column = -1;
                    lineedit_window(&e, width, how == 1, &from, &column);
                    assert_true(from <= e.cursor);
                    assert_true(column >= 0 && column < width);
                    if (how < 2) {
                        assert_int_equal(escape_columns(e.text + from, e.cursor - from, flags),
                                         column);
                    }
                }
            } while (lineedit_key(&e, UKEY_LEFT) == EDIT_MOVED);
            lineedit_free(&e);
        }
    }
    struct lineedit e = fresh();
    size_t from;
    int column;
    type(&e, "abc");
    lineedit_window(&e, 10, false, &from, &column);
    assert_int_equal(from, 0);
    assert_int_equal(column, 3);
    lineedit_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing_and_moving),
        cmocka_unit_test(characters_not_bytes),
        cmocka_unit_test(killing),
        cmocka_unit_test(transposing),
        cmocka_unit_test(special_keys),
        cmocka_unit_test(quoting),
        cmocka_unit_test(history),
        cmocka_unit_test(history_is_bounded),
        cmocka_unit_test(searching_the_history),
        cmocka_unit_test(pasting),
        cmocka_unit_test(masked),
        cmocka_unit_test(masked_later),
        cmocka_unit_test(long_lines_grow),
        cmocka_unit_test(window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
