/* A20-A28: colour and glyphs are never the only carriers, and every locale and TERM starts. A24 and A28's
   palette part are pure and live in unit tests. */
#include "ptyscreen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pty_test.h"

static char *screen_of(const char *scenario, const char *const *env, const char *option)
{
    struct pty p;
    char demo[64];
    snprintf(demo, sizeof(demo), "--demo=%s", scenario);
    pty_start(&p, 80, 24, ARGS(demo, option), env);
    assert_true(pty_sees(&p, "Done:"));
    pty_settle(&p, 200);
    char *text = pty_text(&p);
    pty_end(&p);
    return text;
}

/* Does the log hold an SGR sequence with a parameter in [from, to]? */
static bool sgr_between(const struct pty *p, int from, int to)
{
    for (size_t i = 0; i + 2 < p->log_len; i++) {
        if (p->log[i] != '\033' || p->log[i + 1] != '[') {
            continue;
        }
        size_t k = i + 2;
        int value = 0;
        while (k < p->log_len && ((p->log[k] >= '0' && p->log[k] <= '9') || p->log[k] == ';')) {
            if (p->log[k] == ';') {
                value = 0;
            } else {
                value = value * 10 + p->log[k] - '0';
            }
            k++;
            if (k < p->log_len && (p->log[k] == ';' || p->log[k] == 'm') && value >= from && value <= to &&
                memchr(p->log + k, 'm', p->log_len - k) != NULL) {
                size_t end = k;
                while (end < p->log_len &&
                       ((p->log[end] >= '0' && p->log[end] <= '9') || p->log[end] == ';')) {
                    end++;
                }
                if (end < p->log_len && p->log[end] == 'm') {
                    return true;
                }
            }
        }
    }
    return false;
}

static void a20_no_background_colour_but_reverse(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=expired-cert"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, "?");
    assert_true(pty_sees(&p, "Type to filter"));
    pty_send(&p, "\033");
    pty_settle(&p, 100);
    assert_false(sgr_between(&p, 40, 48));
    assert_false(sgr_between(&p, 100, 107));
    assert_true(sgr_between(&p, 30, 37)); /* there is colour, on the marks */
    pty_end(&p);
}

static void a21_without_colour_the_text_is_the_same(void **state)
{
    (void)state;
    char *color = screen_of("expired-cert", NO_ENV, "--ascii");
    char *vt100 = screen_of("expired-cert", ARGS("TERM=vt100"), "--ascii");
    char *none = screen_of("expired-cert", ARGS("NO_COLOR=1"), "--ascii");
    assert_string_equal(color, vt100);
    assert_string_equal(color, none);
    free(color);
    free(vt100);
    free(none);
}

/* Failed, passed, warned, skipped and asking steps have different marks and words in plain text. */
static void a22_states_differ_as_text(void **state)
{
    (void)state;
    char *text = screen_of("no-starttls", NO_ENV, "--ascii");
    assert_non_null(strstr(text, "[+]"));
    assert_non_null(strstr(text, "[!]"));
    assert_non_null(strstr(text, "[?]"));
    assert_non_null(strstr(text, "WARN"));
    assert_non_null(strstr(text, "ASK"));
    free(text);
    text = screen_of("port-blocked", NO_ENV, "--ascii");
    assert_non_null(strstr(text, "[x]"));
    assert_non_null(strstr(text, "[-]"));
    assert_non_null(strstr(text, "FAIL"));
    assert_non_null(strstr(text, "SKIP"));
    free(text);
}

static bool has_color(const char *const *env, const char *option)
{
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=expired-cert", option), env);
    assert_true(pty_sees(&p, "Done:"));
    bool color = sgr_between(&p, 30, 37);
    pty_end(&p);
    return color;
}

static void a23_no_color_is_honoured(void **state)
{
    (void)state;
    assert_true(has_color(ARGS("NO_COLOR="), "--ascii"));
    assert_false(has_color(ARGS("NO_COLOR=1"), "--ascii"));
    assert_false(has_color(NO_ENV, "--no-color"));
    assert_false(has_color(NO_ENV, "--color=never"));
    assert_true(has_color(ARGS("NO_COLOR=1"), "--color=always"));
}

/* Marks carry colour and a distinct shape; words keep the terminal's own colours, so their contrast is the
   terminal's: no SGR colour may be in force on a cell that is not a bracketed mark. */
static void a24_only_marks_are_coloured(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=expired-cert", "--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_settle(&p, 150);
    for (int y = 0; y < 24; y++) {
        for (int x = 0; x < 80; x++) {
            VTermScreenCell cell;
            VTermPos pos = {.row = y, .col = x};
            vterm_screen_get_cell(p.screen, pos, &cell);
            if (!VTERM_COLOR_IS_DEFAULT_FG(&cell.fg)) {
                uint32_t c = cell.chars[0];
                if (strchr("[]+!x?-#|/\\~i ", (int)c) == NULL) {
                    fail_msg("row %d column %d: \"%c\" is coloured", y, x, (int)c);
                }
            }
        }
    }
    pty_end(&p);
}

static bool writes_eight_bit(const char *const *env, const char *option)
{
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=hostile-escapes", option), env);
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, "?");
    assert_true(pty_sees(&p, "filter"));
    bool high = false;
    for (size_t i = 0; i < p.log_len; i++) {
        high = high || (unsigned char)p.log[i] > 0x7f;
    }
    pty_end(&p);
    return high;
}

static void a25_any_locale_starts(void **state)
{
    (void)state;
    assert_false(writes_eight_bit(ARGS("LC_ALL=C", "LANG=C"), "--first-path"));
    assert_false(writes_eight_bit(ARGS("LC_ALL=POSIX"), "--first-path"));
    assert_false(writes_eight_bit(ARGS("LC_ALL=vi_VN"), "--first-path"));
    assert_false(writes_eight_bit(ARGS("LC_ALL", "LANG"), "--first-path"));
    assert_true(writes_eight_bit(ARGS("LC_ALL", "LC_CTYPE=C.UTF-8"), "--first-path"));
    assert_true(writes_eight_bit(ARGS("LC_ALL=C.UTF-8"), "--first-path"));
}

static void a26_ascii_means_ascii(void **state)
{
    (void)state;
    assert_false(writes_eight_bit(NO_ENV, "--ascii"));
}

/* Server text with wide, combining and joined characters: the border between the panes stays where it is. */
static void a27_borders_stay_in_their_columns(void **state)
{
    (void)state;
    for (int w = 100; w <= 120; w++) {
        struct pty p;
        pty_start(&p, w, 40, ARGS("--demo=hostile-escapes", "--ascii"), NO_ENV);
        assert_true(pty_sees(&p, "Done:"));
        pty_settle(&p, 100);
        int at = -1;
        for (int y = 2; y < 14; y++) {
            char *row = pty_row(&p, y);
            char *bar = strchr(row + 5, '|');
            assert_non_null(bar);
            if (at < 0) {
                at = (int)(bar - row);
            }
            if ((int)(bar - row) != at) {
                fail_msg("width %d row %d: the border is at %d, not %d", w, y, (int)(bar - row), at);
            }
            free(row);
        }
        pty_end(&p);
    }
}

/* A28 is tested on the functions in tests/unit/test_canvas.c; here only that ASCII is a whole set. */
static void a28_ascii_replaces_the_whole_set(void **state)
{
    (void)state;
    char *text = screen_of("healthy", NO_ENV, "--ascii");
    for (const char *c = text; *c != '\0'; c++) {
        assert_true((unsigned char)*c < 0x80);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a20_no_background_colour_but_reverse),
        cmocka_unit_test(a21_without_colour_the_text_is_the_same),
        cmocka_unit_test(a22_states_differ_as_text),
        cmocka_unit_test(a23_no_color_is_honoured),
        cmocka_unit_test(a24_only_marks_are_coloured),
        cmocka_unit_test(a25_any_locale_starts),
        cmocka_unit_test(a26_ascii_means_ascii),
        cmocka_unit_test(a27_borders_stay_in_their_columns),
        cmocka_unit_test(a28_ascii_replaces_the_whole_set),
    };
    return cmocka_run_group_tests_name("looks", tests, NULL, NULL);
}
