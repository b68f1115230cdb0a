/* A30-A34, A38: keys. The parts about the key table alone are in tests/unit/test_keys.c. */
#include "ptyscreen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pty_test.h"

static void a30_help_lists_what_is_live_and_does_it(void **state)
{
    (void)state;
    static const char *const panes[] = {"1", "2", "3"};
    struct pty p;
    pty_start(&p, 120, 40, ARGS("--demo=healthy", "--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    for (size_t i = 0; i < 3; i++) {
        pty_send(&p, panes[i]);
        pty_send(&p, "?");
        assert_true(pty_sees(&p, "Type to filter"));
        pty_send(&p, "save");
        assert_true(pty_sees(&p, "Save this run to a file"));
        pty_send(&p, "\r");
        assert_true(pty_sees(&p, "File name"));
        pty_send(&p, "\033");
        assert_true(pty_misses(&p, "File name"));
    }
    /* By key name as well. */
    pty_send(&p, "?F7");
    assert_true(pty_sees(&p, "Save this run to a file"));
    pty_send(&p, "\033");
    /* Folding lives in the transcript only. */
    pty_send(&p, "1?fold");
    assert_true(pty_misses(&p, "Fold or unfold this step"));
    pty_send(&p, "\033");
    assert_true(pty_misses(&p, "Type to filter"));
    pty_send(&p, "2?fold");
    assert_true(pty_sees(&p, "Fold or unfold this step"));
    pty_end(&p);
}

static void a31_escape_is_quick_and_split_arrows_work(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=healthy", "--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, "?");
    assert_true(pty_sees(&p, "Type to filter"));
    pty_send(&p, "\033");
    assert_true(pty_misses(&p, "Type to filter"));
    /* An arrow in three pieces, less than the escape delay apart, moves the cursor and closes nothing. */
    pty_send(&p, "gg");
    pty_settle(&p, 100);
    assert_true(pty_sees(&p, ">["));
    char *before = pty_row(&p, 2);
    pty_send(&p, "\033");
    usleep(10000);
    pty_send(&p, "O");
    usleep(10000);
    pty_send(&p, "B");
    pty_settle(&p, 150);
    char *after = pty_row(&p, 2), *next = pty_row(&p, 3);
    assert_int_equal(before[0], '>');
    assert_int_equal(after[0], ' ');
    assert_int_equal(next[0], '>');
    free(before);
    free(after);
    free(next);
    pty_end(&p);
    /* ESCDELAY of the environment is kept: with two seconds, an arrow in slow pieces is still one key. */
    pty_start(&p, 80, 24, ARGS("--demo=healthy", "--ascii"), ARGS("ESCDELAY=2000"));
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, "gg");
    pty_settle(&p, 100);
    pty_send(&p, "\033");
    usleep(300000);
    pty_send(&p, "O");
    usleep(300000);
    pty_send(&p, "B");
    pty_settle(&p, 200);
    next = pty_row(&p, 3);
    assert_int_equal(next[0], '>');
    free(next);
    pty_end(&p);
}

/* A32 and A33 walk the table in tests/unit/test_keys.c; here the whole main job by printable keys. */
static void a32_a33_everything_by_printable_keys(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=healthy", "--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, ":zoom");
    assert_true(pty_sees(&p, "Show this pane alone"));
    pty_send(&p, "\r");
    assert_true(pty_misses(&p, "TRANSCRIPT"));
    pty_send(&p, "z");
    assert_true(pty_sees(&p, "TRANSCRIPT"));
    pty_send(&p, "/ehlo\r");
    assert_true(pty_sees(&p, "find:"));
    pty_send(&p, "q");
    assert_true(pty_ends(&p));
    pty_end(&p);
}

static void a34_mouse_is_off_until_asked_for(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=healthy"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    assert_false(pty_wrote(&p, "\033[?1000h", 8));
    pty_send(&p, "M");
    assert_true(pty_sees(&p, "MOUSE"));
    assert_true(pty_wrote(&p, "\033[?1000h", 8) || pty_wrote(&p, "\033[?1006;1000h", 13));
    pty_send(&p, "M");
    assert_true(pty_sees(&p, "mouse off"));
    assert_true(pty_wrote(&p, "\033[?1000l", 8) || pty_wrote(&p, "\033[?1006;1000l", 13));
    /* Pasted text reaches a field, and nowhere else. */
    pty_send(&p, "\033[200~quit\033[201~");
    assert_true(pty_sees(&p, "Pasted text was ignored"));
    pty_send(&p, "i\033[200~NOOP pasted\033[201~");
    assert_true(pty_sees(&p, "NOOP pasted"));
    assert_false(p.exited);
    pty_end(&p);
}

static void a38_ctrl_c_stops_in_every_phase(void **state)
{
    (void)state;
    static const struct {
        const char *scenario, *phase;
    } phases[] = {
        {"port-blocked", "the connection"},
        {"slow-banner", "the greeting"},
        {"tls-stall", "TLS"},
    };
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        struct pty p;
        char demo[64];
        snprintf(demo, sizeof(demo), "--demo=%s", phases[i].scenario);
        pty_start(&p, 80, 24, ARGS(demo, "--ascii"), ARGS("SMTPSCOPE_PACE=paced"));
        assert_true(pty_sees(&p, "Waiting for"));
        assert_true(pty_sees(&p, "of "));
        pty_send(&p, "\003");
        assert_true(pty_sees(&p, "STOP"));
        /* And the screen is usable. */
        pty_send(&p, "?");
        assert_true(pty_sees(&p, "Type to filter"));
        pty_send(&p, "\033");
        assert_true(pty_misses(&p, "Type to filter"));
        pty_send(&p, "q");
        assert_true(pty_ends(&p));
        pty_end(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a30_help_lists_what_is_live_and_does_it),
        cmocka_unit_test(a31_escape_is_quick_and_split_arrows_work),
        cmocka_unit_test(a32_a33_everything_by_printable_keys),
        cmocka_unit_test(a34_mouse_is_off_until_asked_for),
        cmocka_unit_test(a38_ctrl_c_stops_in_every_phase),
    };
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
