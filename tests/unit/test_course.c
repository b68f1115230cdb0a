#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "finding.h"
#include "practice.h"
#include "reply_decode.h"

#define LESSONS_MIN 24
#define LESSONS_MAX 30
#define HINTS_MIN 2

static void load(struct practice_catalogue *c, const char *data_dir)
{
    struct error error = {0};
    if (practice_catalogue_load(data_dir, c, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
}

static size_t lines_of(const char *text)
{
    size_t n = text[0] != '\0' ? 1 : 0;
    for (; *text != '\0'; text++) {
        n += *text == '\n';
    }
    return n;
}

/* One after the other without a gap, and each with all that a learner needs. */
static void the_course_is_whole(void **state)
{
    (void)state;
    struct practice_catalogue c;
    load(&c, NULL);
    unsigned count = 0;
    for (const struct scenario_info *s = practice_lesson(&c, 1); s != NULL;
         s = practice_lesson(&c, s->lesson + 1)) {
        count++;
        if (s->lesson != count || lines_of(s->hints) < HINTS_MIN || s->story[0] == '\0' ||
            s->goal[0] == '\0' || s->expect_count == 0) {
            fail_msg("%s: lesson %u in place %u needs a story, a goal, two hints and a cause",
                     s->name, s->lesson, count);
        }
    }
    size_t lessons = 0;
    for (size_t i = 0; i < c.count; i++) {
        lessons += c.p[i].lesson != 0;
    }
    assert_int_equal(lessons, count); /* no number is there twice */
    assert_in_range(count, LESSONS_MIN, LESSONS_MAX);
    assert_string_equal(practice_lesson(&c, 1)->name, "healthy");
    assert_null(practice_lesson(&c, count + 1));
    practice_catalogue_free(&c);
}

/* A finding, or the cause of a reply; nothing twice. */
static void what_is_expected_exists(void **state)
{
    (void)state;
    struct practice_catalogue c;
    load(&c, NULL);
    for (size_t i = 0; i < c.count; i++) {
        const struct scenario_info *s = &c.p[i];
        for (size_t k = 0; k < s->expect_count; k++) {
            if (finding_find(s->expect[k]) == NULL && reply_cause_find(s->expect[k]) == NULL) {
                fail_msg("%s: %s is neither a finding nor a cause", s->name, s->expect[k]);
            }
            for (size_t before = 0; before < k; before++) {
                assert_string_not_equal(s->expect[before], s->expect[k]);
            }
        }
    }
    practice_catalogue_free(&c);
}

/* Something that is well cannot be the cause where something is wrong. */
static void the_first_expectation_is_the_cause(void **state)
{
    (void)state;
    struct practice_catalogue c;
    load(&c, NULL);
    for (size_t i = 0; i < c.count; i++) {
        const struct scenario_info *s = &c.p[i];
        bool wrong = false;
        assert_true(s->expect_count > 0);
        assert_non_null(finding_find(s->expect[0]));
        for (size_t k = 0; k < s->expect_count; k++) {
            const struct finding_kind *kind = finding_find(s->expect[k]);
            wrong = wrong || (kind != NULL && kind->verdict > VERDICT_OK);
        }
        if (wrong && finding_find(s->expect[0])->verdict <= VERDICT_OK) {
            fail_msg("%s: %s is expected first, but it is no cause", s->name, s->expect[0]);
        }
    }
    practice_catalogue_free(&c);
}

static void themes_have_words_for_people(void **state)
{
    (void)state;
    struct practice_catalogue c;
    load(&c, NULL);
    size_t rank = 0;
    for (size_t i = 0; i < c.count; i++) {
        size_t now = practice_theme_rank(c.p[i].theme);
        assert_true(now >= rank);
        rank = now;
        if (strcmp(practice_theme_title(c.p[i].theme), c.p[i].theme) == 0) {
            fail_msg("%s: nobody knows what the theme %s is called", c.p[i].name, c.p[i].theme);
        }
    }
    assert_string_equal(practice_theme_title("mine"), "mine");
    assert_true(practice_theme_rank("mine") > rank);
    practice_catalogue_free(&c);
}

/* A file of the user's that cannot be read takes nothing from the others. */
static void a_mistake_is_listed_as_such(void **state)
{
    (void)state;
    char dir[] = "/tmp/smtpscope-test-XXXXXX";
    char folder[100], path[200];
    struct practice_catalogue all, c;
    assert_non_null(mkdtemp(dir));
    snprintf(folder, sizeof(folder), "%s/scenarios", dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(path, sizeof(path), "%s/mine.txt", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("title Mine\nnonsense\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    load(&all, NULL);
    load(&c, dir);
    assert_int_equal(c.count, all.count + 1);
    const struct scenario_info *last = &c.p[c.count - 1];
    assert_string_equal(last->name, "mine");
    assert_non_null(strstr(last->title, "mine.txt, line 2: "));
    assert_int_equal(last->expect_count, 0);
    assert_string_equal(last->hints, "");
    practice_catalogue_free(&c);
    practice_catalogue_free(&all);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_course_is_whole),
        cmocka_unit_test(what_is_expected_exists),
        cmocka_unit_test(the_first_expectation_is_the_cause),
        cmocka_unit_test(themes_have_words_for_people),
        cmocka_unit_test(a_mistake_is_listed_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
