/* Every scenario of the catalogue, seen on the screen as a person would: the cause is told at its
 * step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "appbench.h"
#include "practice.h"
#include "views.h"

#define SCROLLS_MAX 200

/* The advice about the step under the cursor, scrolled through to its end. */
static bool advice_sees(struct bench *b, const char *text)
{
    bool found = bench_pane_sees(b, PANE_ADVICE, text);
    bench_key(b, '3');
    for (int i = 0; i < SCROLLS_MAX && !found && b->app.advice_below > 0; i++) {
        bench_key(b, 'j');
        found = bench_pane_sees(b, PANE_ADVICE, text);
    }
    return found;
}

/* The state's word and the finding's title, as the advice begins with them. */
static bool told_as(struct bench *b, const struct finding *f)
{
    struct guide_text text;
    char line[2048];
    assert_int_equal(guide_finding(b->app.guide, f, true, &text), ST_OK);
    snprintf(line, sizeof(line), "%s %s", state_word(f->verdict), text.title);
    guide_text_free(&text);
    return advice_sees(b, line);
}

static bool step_row_tells(const struct bench *b, enum check_id check)
{
    enum verdict verdict = b->app.record.steps[check].verdict;
    char row[64];
    snprintf(row, sizeof(row), ">%s %s", state_mark(verdict, true, 0), checks[check].title);
    return bench_sees(b, row) &&
           (verdict == VERDICT_OK || bench_pane_sees(b, PANE_STEPS, state_word(verdict)));
}

static const struct finding *finding_of(const struct bench *b, enum check_id check, const char *id)
{
    for (size_t i = 0; i < b->app.record.finding_count; i++) {
        const struct record_finding *rf = &b->app.record.findings[i];
        if (rf->check == check && strcmp(rf->f.kind->id, id) == 0) {
            return &rf->f;
        }
    }
    return NULL;
}

/* Walks over the steps. True when each says how it ended, and the cause is told at its own step. */
static bool diagnosed(struct bench *b, const char *cause)
{
    bool told = false;
    bench_keys(b, "1g");
    for (int step = 0; step < CHECK_COUNT; step++) {
        const struct finding *f = finding_of(b, (enum check_id)step, cause);
        assert_int_equal(b->app.step, step);
        if (!step_row_tells(b, (enum check_id)step)) {
            print_error("the row of %s is not right\n", checks[step].title);
            return false;
        }
        told = told || (f != NULL && told_as(b, f));
        bench_keys(b, f != NULL ? "1j" : "j");
    }
    return told;
}

static void every_scenario_is_diagnosed_right_on_the_screen(void **state)
{
    (void)state;
    struct practice_catalogue c;
    struct error error = {0};
    size_t right = 0;
    assert_int_equal(practice_catalogue_load(NULL, &c, &error), ST_OK);
    for (size_t i = 0; i < c.count; i++) {
        struct bench b;
        bench_start(&b, 80, 24, c.p[i].name);
        bench_until_done(&b);
        bool good = diagnosed(&b, c.p[i].expect[0]);
        if (!good) {
            print_error("%s: %s is not on the screen:\n%s\n", c.p[i].name, c.p[i].expect[0],
                        bench_draw(&b));
        }
        right += good ? 1 : 0;
        bench_end(&b);
    }
    print_message("%zu of %zu scenarios are diagnosed right on the screen\n", right, c.count);
    assert_int_equal(right, c.count);
    practice_catalogue_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scenario_is_diagnosed_right_on_the_screen),
    };
    (void)bench_folder();
    int failed = cmocka_run_group_tests_name("diagnosed", tests, NULL, NULL);
    bench_folder_remove();
    return failed;
}
