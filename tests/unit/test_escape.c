#include "escape.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "guarded.h"

static const struct {
    const char *in, *out, *ascii;
    size_t columns;
} cases[] = {
    {"", "", "", 0},
    {"220 mx.example.net ESMTP \\o/", "220 mx.example.net ESMTP \\o/",
     "220 mx.example.net ESMTP \\o/", 28},
    {"a\r\n", "a\\x0d\\x0a", "a\\x0d\\x0a", 9},
    {"\033[2J", "\\x1b[2J", "\\x1b[2J", 7},
    {"\x7f\x01", "\\x7f\\x01", "\\x7f\\x01", 8},
    /* C1, as a byte and as UTF-8 */
    {"\x9b" "31m", "\\x9b31m", "\\x9b31m", 7},
    {"\xc2\x9b" "31m", "\\u{009B}31m", "\\u{009B}31m", 11},
    {"\xc2\x80\xc2\x9f\xc2\xa0|", "\\u{0080}\\u{009F}\xc2\xa0|",
     "\\u{0080}\\u{009F}\\u{00A0}|", 18},
    /* letters of one and two columns */
    {"\xc3\xa9", "\xc3\xa9", "\\u{00E9}", 1},
    {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac", "\\u{65E5}\\u{672C}", 4},
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\\u{1F600}", 2},
    {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
     "\\u{1112}\\u{1161}\\u{11AB}", 2},
    /* bidi and invisible */
    {"\xe2\x80\xae", "\\u{202E}", "\\u{202E}", 8},
    {"\xd8\x9c\xe2\x80\x8e\xe2\x81\xa6", "\\u{061C}\\u{200E}\\u{2066}",
     "\\u{061C}\\u{200E}\\u{2066}", 24},
    {"\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf", "\\u{200B}\\u{200D}\\u{FEFF}",
     "\\u{200B}\\u{200D}\\u{FEFF}", 24},
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}", "\\u{2028}\\u{2029}", 16},
    {"\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4\\u{FE0F}", "\\u{2764}\\u{FE0F}", 9},
    {"\xf3\xa0\x81\x81\xf3\xa0\x84\x80", "\\u{E0041}\\u{E0100}", "\\u{E0041}\\u{E0100}", 18},
    {"\xc2\xad", "\\u{00AD}", "\\u{00AD}", 8},
    {"\xe3\x85\xa4\xe1\x85\xa0", "\\u{3164}\\u{1160}", "\\u{3164}\\u{1160}", 16},
    /* private use, noncharacters, unassigned */
    {"\xee\x80\x80", "\\u{E000}", "\\u{E000}", 8},
    {"\xef\xbf\xbf", "\\u{FFFF}", "\\u{FFFF}", 8},
    {"\xf4\x8f\xbf\xbf", "\\u{10FFFF}", "\\u{10FFFF}", 10},
    {"\xcd\xb8", "\\u{0378}", "\\u{0378}", 8},
    {"\xf1\x80\x80\x80", "\\u{40000}", "\\u{40000}", 9},
    /* not UTF-8: overlong, surrogate, too large, cut, lone */
    {"\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf", 8},
    {"\xc1\xbf", "\\xc1\\xbf", "\\xc1\\xbf", 8},
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf", 12},
    {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf", "\\xe0\\x9f\\xbf", 12},
    {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf", "\\xf0\\x80\\x80\\xaf", 16},
    {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf", "\\xf0\\x8f\\xbf\\xbf", 16},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80", 12},
    {"\xed\xbf\xbf", "\\xed\\xbf\\xbf", "\\xed\\xbf\\xbf", 12},
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80", 16},
    {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80", "\\xf5\\x80\\x80\\x80", 16},
    {"\xfe\xff", "\\xfe\\xff", "\\xfe\\xff", 8},
    {"\xe2\x82", "\\xe2\\x82", "\\xe2\\x82", 8},
    {"\xe2\x82" "a", "\\xe2\\x82" "a", "\\xe2\\x82" "a", 9},
    {"\xe2\xc3\xa9", "\\xe2\xc3\xa9", "\\xe2\\u{00E9}", 5},
    {"\x80\xbf", "\\x80\\xbf", "\\x80\\xbf", 8},
    /* marks: on a base, without one, on an escape, too many */
    {"e\xcc\x81", "e\xcc\x81", "e\\u{0301}", 1},
    {"\xcc\x81", "\\u{0301}", "\\u{0301}", 8},
    {"\n\xcc\x81", "\\x0a\\u{0301}", "\\x0a\\u{0301}", 12},
    {"a\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86",
     "a\xcc\x81\xcc\x82\xcc\x83\xcc\x84\\u{0305}\\u{0306}",
     "a\\u{0301}\\u{0302}\\u{0303}\\u{0304}\\u{0305}\\u{0306}", 17},
};

static void assert_escapes_to(const char *in, size_t len, unsigned flags, const char *expected)
{
    struct buf out;
    buf_init(&out, 10000);
    struct guarded g = guarded_copy(in, len);
    assert_int_equal(escape_add(&out, g.p, g.len, flags), ST_OK);
    assert_string_equal(buf_str(&out), expected);
    guarded_free(&g);
    buf_free(&out);
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].in);
        assert_escapes_to(cases[i].in, len, 0, cases[i].out);
        assert_escapes_to(cases[i].in, len, ESCAPE_ASCII, cases[i].ascii);
        assert_int_equal(escape_columns(cases[i].in, len, 0), cases[i].columns);
        assert_int_equal(escape_columns(cases[i].in, len, ESCAPE_ASCII),
                         strlen(cases[i].ascii));
    }
    assert_escapes_to("a\0b", 3, 0, "a\\x00b");
    assert_escapes_to("a\tb", 3, 0, "a\\x09b");
    assert_escapes_to("a\tb", 3, ESCAPE_KEEP_TAB, "a b");
}

/* An opinion of its own about what must never reach a terminal. */
static void assert_harmless(const char *p, size_t len, bool ascii)
{
    static const uint32_t forbidden[][2] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xf8ff},   {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
        {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0x40000, 0x10ffff}};
    while (len > 0) {
        uint32_t c;
        size_t n = utf8_decode(p, len, &c);
        assert_true(n > 0);
        assert_false(ascii && c > 0x7f);
        for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
            assert_false(c >= forbidden[i][0] && c <= forbidden[i][1]);
        }
        p += n;
        len -= n;
    }
}

static void assert_sane(const char *in, size_t len, unsigned flags)
{
    struct buf out, again;
    buf_init(&out, 1 << 20);
    buf_init(&again, 1 << 20);
    size_t used = 0, columns = 0;
    while (used < len) {
        struct escape_cell cell;
        escape_next(in + used, len - used, flags, &cell);
        assert_true(cell.consumed >= 1 && cell.consumed <= len - used);
        assert_true(cell.columns >= 1);
        assert_true(cell.len >= 1 && cell.len < sizeof(cell.text));
        assert_int_equal(strlen(cell.text), cell.len);
        if (cell.escaped) {
            assert_int_equal(cell.text[0], '\\');
            assert_int_equal(cell.columns, cell.len);
            assert_harmless(cell.text, cell.len, true);
        } else {
            assert_true(cell.columns <= 2);
        }
        assert_int_equal(buf_add(&out, cell.text, cell.len), ST_OK);
        used += cell.consumed;
        columns += cell.columns;
    }
    assert_int_equal(used, len);
    assert_harmless(buf_str(&out), out.len, (flags & ESCAPE_ASCII) != 0);
    assert_int_equal(escape_columns(in, len, flags), columns);
    /* what is harmless stays as it is */
    assert_int_equal(escape_add(&again, buf_str(&out), out.len, flags), ST_OK);
    assert_string_equal(buf_str(&again), buf_str(&out));
    assert_int_equal(escape_columns(buf_str(&out), out.len, flags), columns);
    buf_free(&out);
    buf_free(&again);
}

static void every_case_cut_anywhere(void **state)
{
    (void)state;
    struct buf all;
    buf_init(&all, 10000);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(buf_add_str(&all, cases[i].in), ST_OK);
    }
    for (size_t from = 0; from < all.len; from += 3) {
        for (size_t to = from; to <= all.len; to++) {
            if (to - from > 24 && to != all.len) {
                continue;
            }
            struct guarded g = guarded_copy(all.p + from, to - from);
            assert_sane(g.p, g.len, (unsigned)(to % 4));
            guarded_free(&g);
        }
    }
    buf_free(&all);
}

static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char p[4];
        size_t n;
        if (c < 0x80) {
            p[0] = (char)c;
            n = 1;
        } else if (c < 0x800) {
            p[0] = (char)(0xc0 | c >> 6);
            n = 2;
        } else if (c < 0x10000) {
            p[0] = (char)(0xe0 | c >> 12);
            n = 3;
        } else {
            p[0] = (char)(0xf0 | c >> 18);
            n = 4;
        }
        for (size_t i = 1; i < n; i++) {
            p[i] = (char)(0x80 | ((c >> (6 * (n - 1 - i))) & 0x3f));
        }
        uint32_t back = 0;
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        assert_int_equal(utf8_decode(p, n, &back), surrogate ? 0 : n);
        if (!surrogate) {
            assert_int_equal(back, c);
        }
        struct escape_cell cell;
        escape_next(p, n, 0, &cell);
        assert_int_equal(cell.consumed, surrogate ? 1 : n);
        assert_harmless(cell.text, cell.len, cell.escaped);
        for (size_t cut = 0; cut < n; cut++) {
            assert_int_equal(utf8_decode(p, cut, &back), 0);
        }
    }
}

static void random_bytes(void **state)
{
    (void)state;
    /* A generator of our own: the same bytes on every system. */
    static const char *const pieces[] = {"\xcc\x81", "\xe2\x80", "\xae",         "\xf0\x9f\x98\x80",
                                         "a",        "\033",     "\xe6\x97\xa5", "\xc2"};
    uint32_t seed = 20261123;
    for (int round = 0; round < 4000; round++) {
        char bytes[64];
        size_t len = 0;
        while (len < 48) {
            seed = seed * 1664525u + 1013904223u;
            if ((seed >> 24) % 3 == 0) {
                bytes[len++] = (char)(seed >> 16);
            } else {
                const char *piece = pieces[(seed >> 16) % ARRAY_LEN(pieces)];
                memcpy(bytes + len, piece, strlen(piece));
                len += strlen(piece);
            }
        }
        struct guarded g = guarded_copy(bytes, len);
        assert_sane(g.p, g.len, (seed >> 8) % 4);
        guarded_free(&g);
    }
}

static void a_flood_of_marks_stays_in_small_cells(void **state)
{
    (void)state;
    char flood[2 + 2 * 5000];
    flood[0] = 'a';
    for (size_t i = 0; i < 5000; i++) {
        memcpy(flood + 1 + 2 * i, "\xcc\x9f", 2);
    }
    assert_sane(flood, 1 + 2 * 5000, 0);
    assert_int_equal(escape_columns(flood, 1 + 2 * 5000, 0), 1 + 4996 * 8);
    struct escape_cell cell;
    escape_next(flood, 1 + 2 * 5000, 0, &cell);
    assert_int_equal(cell.consumed, 9);
    /* the largest marks there are */
    escape_next("\xf0\x9f\x98\x80\xf0\x9d\x85\xa7\xf0\x9d\x85\xa7"
                "\xf0\x9d\x85\xa7\xf0\x9d\x85\xa7\xf0\x9d\x85\xa7",
                24, 0, &cell);
    assert_int_equal(cell.consumed, 20);
    assert_int_equal(cell.len, 20);
}

static void copies_are_cut_at_a_border(void **state)
{
    (void)state;
    static const char text[] = "a\033b\xc3\xa9\xe6\x97\xa5" "e\xcc\x81\xe2\x80\xaeZ";
    struct buf whole;
    buf_init(&whole, 1000);
    assert_int_equal(escape_add(&whole, text, strlen(text), 0), ST_OK);
    for (size_t size = 8; size < whole.len + 5; size++) {
        char *dst = malloc(size); /* so that a byte too many is noticed */
        assert_non_null(dst);
        escape_copy(dst, size, text, strlen(text), 0);
        size_t len = strlen(dst);
        assert_true(len < size);
        assert_harmless(dst, len, false);
        if (size > whole.len) {
            assert_string_equal(dst, whole.p);
        } else {
            assert_true(len >= 3 && memcmp(dst + len - 3, "...", 3) == 0);
            assert_memory_equal(dst, whole.p, len - 3);
        }
        free(dst);
    }
    char exact[8];
    escape_copy(exact, sizeof(exact), "1234567", 7, 0);
    assert_string_equal(exact, "1234567");
    escape_copy(exact, sizeof(exact), "12345678", 8, 0);
    assert_string_equal(exact, "1234...");
    escape_copy(exact, sizeof(exact), "", 0, 0);
    assert_string_equal(exact, "");
    buf_free(&whole);
}

static void a_full_buffer_keeps_whole_pieces(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_int_equal(escape_add(&b, "ab\033\033\033", 5, 0), ST_LIMIT);
    assert_string_equal(buf_str(&b), "ab\\x1b\\x1b");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(every_case_cut_anywhere),
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(a_flood_of_marks_stays_in_small_cells),
        cmocka_unit_test(copies_are_cut_at_a_border),
        cmocka_unit_test(a_full_buffer_keeps_whole_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
