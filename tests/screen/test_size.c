/* A10-A14: any size, at any time. */
#include "ptyscreen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pty_test.h"

static void a10_shrinking_and_growing_changes_nothing(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=no-starttls"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, "iNOOP draft");
    assert_true(pty_sees(&p, "NOOP draft"));
    pty_settle(&p, 150);
    char *before = pty_text(&p);
    int x = 0, y = 0, x2 = 0, y2 = 0;
    pty_cursor(&p, &x, &y);
    pty_resize(&p, 20, 5);
    assert_true(pty_sees(&p, "needs"));
    pty_resize(&p, 80, 24);
    assert_true(pty_sees(&p, "NOOP draft"));
    pty_settle(&p, 150);
    char *after = pty_text(&p);
    pty_cursor(&p, &x2, &y2);
    assert_string_equal(before, after);
    assert_int_equal(x, x2);
    assert_int_equal(y, y2);
    free(before);
    free(after);
    pty_end(&p);
}

static void a11_five_hundred_sizes_during_a_flood(void **state)
{
    (void)state;
    struct pty p;
    unsigned seed = 42;
    pty_start(&p, 80, 24, ARGS("--demo=flood"), NO_ENV);
    assert_true(pty_sees(&p, "smtpscope"));
    for (int i = 0; i < 500; i++) {
        pty_resize(&p, 1 + rand_r(&seed) % 400, 1 + rand_r(&seed) % 150);
        pty_settle(&p, 1);
        usleep(5000);
    }
    pty_resize(&p, 90, 30);
    assert_true(pty_row_sees(&p, 29, "F10"));
    pty_send(&p, "?");
    assert_true(pty_sees(&p, "Type to filter"));
    pty_send(&p, "\033");
    assert_true(pty_misses(&p, "Type to filter"));
    assert_false(p.exited);
    pty_end(&p);
}

static void a12_too_small_goes_on(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 30, 8, ARGS("--demo=healthy"), NO_ENV);
    assert_true(pty_sees(&p, "Terminal is 30x8"));
    /* The run goes on underneath and finishes. */
    pty_resize(&p, 80, 24);
    assert_true(pty_sees(&p, "Done:"));
    pty_resize(&p, 30, 8);
    assert_true(pty_sees(&p, "Terminal is 30x8"));
    pty_send(&p, "q");
    assert_true(pty_ends(&p));
    assert_true(WIFEXITED(p.status));
    pty_end(&p);
}

static const struct {
    int w, h;
} sizes[] = {{60, 20}, {80, 24}, {120, 40}, {200, 60}, {300, 90}};

static void golden_at_all_sizes(const char *scenario, const char *const *env, const char *glyphs,
                                const char *suffix)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pty p;
        char demo[64], name[128];
        snprintf(demo, sizeof(demo), "--demo=%s", scenario);
        pty_start(&p, sizes[i].w, sizes[i].h, ARGS(demo, glyphs), env);
        assert_true(pty_sees(&p, "Done:"));
        pty_settle(&p, 200);
        snprintf(name, sizeof(name), "%s-%dx%d-%s", scenario, sizes[i].w, sizes[i].h, suffix);
        if (!pty_golden(&p, name)) {
            fail_msg("golden screen %s", name);
        }
        pty_end(&p);
    }
}

static void a13_golden_screens(void **state)
{
    (void)state;
    static const char *const scenarios[] = {"healthy", "no-starttls", "expired-cert", "open-relay",
                                            "port-blocked", "auth-535", "hostile-escapes"};
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        golden_at_all_sizes(scenarios[i], NO_ENV, "--glyphs=utf8", "utf8");
        golden_at_all_sizes(scenarios[i], NO_ENV, "--ascii", "ascii");
    }
}

/* The emulator wraps what is too long into the next row, so a row that is too wide would spoil the next
   one; and a write into the last cell that scrolls would lose the first row. */
static void a14_no_line_is_too_wide_and_the_corner_does_not_scroll(void **state)
{
    (void)state;
    for (int w = 72; w <= 132; w += 7) {
        struct pty p;
        pty_start(&p, w, 24, ARGS("--demo=hostile-escapes"), NO_ENV);
        assert_true(pty_sees(&p, "Done:"));
        pty_settle(&p, 150);
        char *first = pty_row(&p, 0), *last = pty_row(&p, 23);
        assert_non_null(strstr(first, "smtpscope"));
        assert_memory_equal(last, "F1", 2);
        free(first);
        free(last);
        pty_end(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a10_shrinking_and_growing_changes_nothing),
        cmocka_unit_test(a11_five_hundred_sizes_during_a_flood),
        cmocka_unit_test(a12_too_small_goes_on),
        cmocka_unit_test(a13_golden_screens),
        cmocka_unit_test(a14_no_line_is_too_wide_and_the_corner_does_not_scroll),
    };
    return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
