#include "model_canvas.h"

#include <locale.h>

static const char *const texts[] = {
    "250-mx.example.org at your service, [192.0.2.1] SIZE 35882577 8BITMIME STARTTLS "
    "ENHANCEDSTATUSCODES "
    "PIPELINING CHUNKING SMTPUTF8 and more of it",
    "\u90ae\u4ef6\u670d\u52a1\u5668\u51c6\u5907\u597d\u4e86 220 "
    "\u6b22\u8fce\u6b22\u8fce\u6b22\u8fce"
    "\u90ae\u4ef6\u670d\u52a1\u5668\u90ae\u4ef6\u670d\u52a1\u5668\u90ae\u4ef6\u670d\u52a1\u5668"
    "\u90ae\u4ef6\u670d\u52a1\u5668\u90ae\u4ef6\u670d\u52a1\u5668\u90ae\u4ef6\u670d\u52a1\u5668",
    "a\U0001F600b\U0001F468\u200D\U0001F469\u200D\U0001F467c\U0001F1E9\U0001F1EAd\u2764\uFE0Fe"
    "\U0001F44D\U0001F3FDf\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600",
    "e\u0301e\u0301\u0302\u0303\u0304\u0305\u0306\u0307 \u0301\u0301 n\u0303 \u0e01\u0e33\u0e49 "
    "\u0915\u094d\u0937 \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "\x1b]52;c;AAAA\x07\x1b[2J\x9b"
    "31m\u202E\u2066rtl\u2069\xc2\x9b\xff\xfe\xc0\xaf\xed\xa0\x80\r\n\t",
};

/* A27: cut at every column, also when it begins left of the pane, the borders stay where they are.
 */
static void cut_at_every_column(void **state)
{
    (void)state;
    struct canvas c;
    for (int ascii = 0; ascii < 2; ascii++) {
        assert_int_equal(canvas_init(&c, 130, 3, ascii), ST_OK);
        for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
            for (int w = 1; w <= 120; w++) {
                for (int skip = 0; skip <= 120; skip += 7) {
                    canvas_clear(&c);
                    canvas_put(&c, 3, 1, ROLE_LINE, GLYPH_VLINE);
                    canvas_put(&c, 4 + w, 1, ROLE_LINE, GLYPH_VLINE);
                    struct rect clip = {4, 1, w, 1};
                    int drawn =
                        canvas_text(&c, clip, 4, 1, ROLE_TEXT, texts[t], strlen(texts[t]), skip);
                    assert_true(drawn >= 0 && drawn <= w);
                    assert_canvas_sound(&c);
                    const char *line = canvas_glyph(ascii, GLYPH_VLINE);
                    assert_string_equal(c.cells[130 + 3].text, line);
                    assert_string_equal(c.cells[130 + 4 + w].text, line);
                    for (int x = 0; x < 130; x++) {
                        assert_string_equal(c.cells[x].text, " ");
                        assert_string_equal(c.cells[260 + x].text, " ");
                        if (x < 3 || x > 4 + w || (x >= 4 + drawn && x < 4 + w)) {
                            assert_string_equal(c.cells[130 + x].text, " ");
                        }
                    }
                }
            }
        }
        canvas_free(&c);
    }
}

/* A14 A27: a wide character that only half fits leaves a blank, on either side. */
static void wide_at_the_edges(void **state)
{
    (void)state;
    struct canvas c;
    assert_int_equal(canvas_init(&c, 6, 1, false), ST_OK);
    struct rect clip = {0, 0, 5, 1};
    assert_int_equal(canvas_str(&c, clip, 0, 0, ROLE_TEXT, "\u90ae\u4ef6\u670d"), 5);
    assert_row(&c, 0, "\u90ae\u4ef6");
    assert_canvas_sound(&c);
    canvas_clear(&c);
    assert_int_equal(canvas_text(&c, clip, 0, 0, ROLE_TEXT, "\u90ae\u4ef6", 6, 1), 3);
    assert_row(&c, 0, " \u4ef6");
    assert_canvas_sound(&c);
    canvas_free(&c);
}

/* Overwriting one half of a wide character must not leave the other behind. */
static void halves_are_released(void **state)
{
    (void)state;
    struct canvas c;
    assert_int_equal(canvas_init(&c, 8, 1, false), ST_OK);
    struct rect all = {0, 0, 8, 1};
    for (int x = 0; x < 8; x++) {
        for (int how = 0; how < 3; how++) {
            canvas_clear(&c);
            canvas_str(&c, all, 0, 0, ROLE_TEXT, "\u90ae\u4ef6\u670d\u52a1");
            if (how == 0) {
                canvas_put(&c, x, 0, ROLE_LINE, GLYPH_VLINE);
            } else if (how == 1) {
                canvas_fill(&c, (struct rect){x, 0, 1, 1}, ROLE_KEYBAR);
            } else {
                canvas_str(&c, all, x, 0, ROLE_TEXT, "\u5668");
            }
            assert_canvas_sound(&c);
        }
    }
    canvas_free(&c);
}

/* A40: what a server may send is shown, and never sent on. */
static void hostile_bytes_are_visible(void **state)
{
    (void)state;
    struct canvas c;
    assert_int_equal(canvas_init(&c, 40, 1, false), ST_OK);
    struct rect all = {0, 0, 40, 1};
    canvas_text(&c, all, 0, 0, ROLE_TEXT, "a\x1b[2J\x9b\0z", 8, 0);
    assert_row(&c, 0, "a\\x1b[2J\\x9b\\x00z");
    assert_int_equal(c.cells[0].role, ROLE_TEXT);
    assert_int_equal(c.cells[1].role, ROLE_ESCAPED);
    assert_int_equal(c.cells[5].role, ROLE_TEXT);
    canvas_clear(&c);
    /* In the selected row an escape must not tear a hole. */
    canvas_text(&c, all, 0, 0, ROLE_CURSOR_ROW, "a\x1b", 2, 0);
    assert_int_equal(c.cells[1].role, ROLE_CURSOR_ROW);
    canvas_free(&c);
}

/* A26: no byte over 0x7f in ASCII, from us or from others. */
static void ascii_only(void **state)
{
    (void)state;
    struct canvas c;
    assert_int_equal(canvas_init(&c, 60, GLYPH_COUNT, true), ST_OK);
    struct rect all = {0, 0, 60, GLYPH_COUNT};
    for (int g = 0; g < GLYPH_COUNT; g++) {
        canvas_put(&c, 0, g, ROLE_LINE, (enum glyph)g);
        canvas_str(&c, all, 2, g, ROLE_TEXT, "caf\u00e9 \U0001F600");
    }
    assert_canvas_sound(&c);
    assert_row(&c, 0, "+ caf\\u{00E9} \\u{1F600}");
    canvas_free(&c);
}

/* A28: every glyph of ours is one column, in ASCII one byte. Without UTF-8 none is used. */
static void glyphs_are_narrow(void **state)
{
    (void)state;
    for (int g = 0; g < GLYPH_COUNT; g++) {
        assert_int_equal(strlen(canvas_glyph(true, (enum glyph)g)), 1);
        assert_true((unsigned char)canvas_glyph(true, (enum glyph)g)[0] < 0x7f);
        assert_true(strlen(canvas_glyph(false, (enum glyph)g)) > 1);
    }
    assert_non_null(setlocale(LC_ALL, "C"));
    assert_false(canvas_glyphs_usable());
    if (setlocale(LC_ALL, "C.UTF-8") != NULL) {
        assert_true(canvas_glyphs_usable());
        setlocale(LC_ALL, "C");
    }
}

static void sizes(void **state)
{
    (void)state;
    struct canvas c;
    assert_int_equal(canvas_init(&c, 1, 1, false), ST_OK);
    struct rect all = {0, 0, 1000000, 1000000};
    assert_int_equal(canvas_str(&c, all, 0, 0, ROLE_TEXT, "\u90ae"), 1);
    assert_canvas_sound(&c);
    assert_int_equal(canvas_resize(&c, CANVAS_MAX_WIDTH + 5, CANVAS_MAX_HEIGHT + 5), ST_OK);
    assert_int_equal(c.w, CANVAS_MAX_WIDTH);
    assert_int_equal(c.h, CANVAS_MAX_HEIGHT);
    assert_int_equal(canvas_resize(&c, -3, 0), ST_OK);
    assert_int_equal(c.w, 1);
    assert_int_equal(c.h, 1);
    canvas_free(&c);
}

/* Nothing outside the canvas can be named. */
static void far_outside(void **state)
{
    (void)state;
    static const int far[] = {INT32_MIN, -100, -1, 0, 9, 10, 100, INT32_MAX};
    struct canvas c;
    assert_int_equal(canvas_init(&c, 10, 10, false), ST_OK);
    for (size_t a = 0; a < ARRAY_LEN(far); a++) {
        for (size_t b = 0; b < ARRAY_LEN(far); b++) {
            struct rect r = {far[a], far[b], far[b], far[a]};
            canvas_fill(&c, r, ROLE_TEXT);
            canvas_role(&c, r, ROLE_HIT);
            canvas_put(&c, far[a], far[b], ROLE_LINE, GLYPH_OK);
            canvas_text(&c, r, far[a], far[b], ROLE_TEXT, "x\u90ae", 4, far[b]);
            struct rect all = {0, 0, 10, 10};
            canvas_text(&c, all, far[a], far[b], ROLE_TEXT, "x\u90ae\x1b", 5, far[a]);
            assert_canvas_sound(&c);
        }
    }
    canvas_free(&c);
}

static void text_left_of_the_clip(void **state)
{
    (void)state;
    struct canvas c;
    assert_int_equal(canvas_init(&c, 12, 1, false), ST_OK);
    struct rect clip = {4, 0, 4, 1};
    assert_int_equal(canvas_str(&c, clip, 2, 0, ROLE_TEXT, "abcdefghij"), 4);
    assert_row(&c, 0, "    cdef");
    canvas_clear(&c);
    assert_int_equal(canvas_text(&c, clip, 6, 0, ROLE_TEXT, "abcdefghij", 10, 3), 2);
    assert_row(&c, 0, "      de");
    canvas_clear(&c);
    assert_int_equal(c.cursor_x, -1);
    assert_int_equal(canvas_printf(&c, clip, 4, 0, ROLE_TEXT, "%d%s", 42, "!"), 3);
    assert_row(&c, 0, "    42!");
    canvas_free(&c);
}

/* A53: a label that does not fit tells that it was cut. */
static void labels(void **state)
{
    (void)state;
    struct canvas c;
    assert_int_equal(canvas_init(&c, 10, 1, false), ST_OK);
    struct rect clip = {2, 0, 5, 1};
    assert_int_equal(canvas_label(&c, clip, 2, 0, ROLE_TEXT, "label"), 5);
    assert_row(&c, 0, "  label");
    canvas_label(&c, clip, 2, 0, ROLE_TEXT, "labels");
    assert_row(&c, 0, "  labe\u2026");
    canvas_label(&c, clip, 2, 0, ROLE_TEXT, "\u90ae\u4ef6\u670d");
    assert_row(&c, 0, "  \u90ae\u4ef6\u2026");
    assert_canvas_sound(&c);
    canvas_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_every_column),
        cmocka_unit_test(wide_at_the_edges),
        cmocka_unit_test(halves_are_released),
        cmocka_unit_test(hostile_bytes_are_visible),
        cmocka_unit_test(ascii_only),
        cmocka_unit_test(glyphs_are_narrow),
        cmocka_unit_test(sizes),
        cmocka_unit_test(far_outside),
        cmocka_unit_test(text_left_of_the_clip),
        cmocka_unit_test(labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
