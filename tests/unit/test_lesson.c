#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"
#include "lesson.h"
#include "practice.h"

static bool is_true(const struct scenario_info *s, const char *id)
{
    for (size_t i = 0; i < s->expect_count; i++) {
        if (strcmp(s->expect[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static bool of_same_check(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)(strrchr(a, '.') - a) + 1) == 0;
}

/* Five different ones, of which one alone is true, and the same five the next time. */
static void one_of_five_is_right(void **state)
{
    (void)state;
    struct practice_catalogue c;
    struct error error = {0};
    size_t places[LESSON_CANDIDATES] = {0};
    assert_int_equal(practice_catalogue_load(NULL, &c, &error), ST_OK);
    for (size_t i = 0; i < c.count; i++) {
        const struct scenario_info *s = &c.p[i];
        struct lesson_question q, again;
        size_t near = 0;
        assert_true(lesson_ask(s->name, s->expect, s->expect_count, &q));
        assert_true(lesson_ask(s->name, s->expect, s->expect_count, &again));
        assert_string_equal(q.kinds[q.right]->id, s->expect[0]);
        places[q.right]++;
        for (size_t k = 0; k < LESSON_CANDIDATES; k++) {
            assert_ptr_equal(q.kinds[k], again.kinds[k]);
            for (size_t n = 0; n < k; n++) {
                assert_ptr_not_equal(q.kinds[k], q.kinds[n]);
            }
            if (k != q.right && (is_true(s, q.kinds[k]->id) || q.kinds[k]->verdict <= VERDICT_OK)) {
                fail_msg("%s: %s is offered as wrong", s->name, q.kinds[k]->id);
            }
            near += k != q.right && of_same_check(s->expect[0], q.kinds[k]->id);
        }
        /* What ended a step resembles nothing that was found about a server. */
        if (near < 1 && strncmp(s->expect[0], "check.", 6) != 0) {
            fail_msg("%s: no wrong answer is of the same check as %s", s->name, s->expect[0]);
        }
    }
    /* Who always takes the same place must not win. */
    for (size_t k = 0; k < LESSON_CANDIDATES; k++) {
        assert_true(places[k] > c.count / 10);
    }
    practice_catalogue_free(&c);
}

static void a_check_with_many_findings_keeps_to_itself(void **state)
{
    (void)state;
    char cause[] = "net.connect.blocked_here";
    char *ids[] = {cause};
    struct lesson_question q;
    assert_true(lesson_ask("port-blocked", ids, 1, &q));
    for (size_t k = 0; k < LESSON_CANDIDATES; k++) {
        assert_true(strncmp(q.kinds[k]->id, "net.connect.", 12) == 0);
    }
}

static void without_a_cause_nothing_is_asked(void **state)
{
    (void)state;
    char unknown[] = "no.such.finding";
    char *ids[] = {unknown};
    struct lesson_question q;
    struct lesson l;
    assert_false(lesson_ask("x", ids, 1, &q));
    assert_false(lesson_ask("x", NULL, 0, &q));
    lesson_init(&l, "x", NULL, 0, 3, true);
    assert_int_equal(l.phase, LESSON_SHOWN);
    assert_false(lesson_veils(&l));
}

static void a_lesson_goes_its_way(void **state)
{
    (void)state;
    char cause[] = "dns.mx.null";
    char *ids[] = {cause};
    struct lesson l;
    lesson_init(&l, "null-mx", ids, 1, 2, true);
    assert_true(lesson_veils(&l));
    assert_true(lesson_hint(&l));
    assert_true(lesson_hint(&l));
    assert_false(lesson_hint(&l));
    assert_int_equal(l.hints_shown, 2);
    size_t wrong = (l.question.right + 1) % LESSON_CANDIDATES;
    assert_false(lesson_answer(&l, wrong));
    assert_false(lesson_answer(&l, wrong)); /* the same mistake counts once */
    assert_false(lesson_answer(&l, LESSON_CANDIDATES));
    assert_int_equal(l.wrong, 1);
    assert_true(l.tried[wrong]);
    assert_true(lesson_veils(&l));
    assert_true(lesson_answer(&l, l.question.right));
    assert_int_equal(l.phase, LESSON_SOLVED);
    assert_false(lesson_veils(&l));
    lesson_init(&l, "null-mx", ids, 1, 2, true);
    assert_int_equal(l.wrong, 0);
    lesson_give_up(&l);
    assert_int_equal(l.phase, LESSON_GIVEN_UP);
    assert_false(lesson_veils(&l));
    lesson_init(&l, "null-mx", ids, 1, 2, false);
    assert_int_equal(l.phase, LESSON_SHOWN);
}

static struct lesson_progress *progress_of(const char *text, size_t len)
{
    struct lesson_progress *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    struct guarded g = guarded_copy(text, len);
    lesson_progress_read(p, g.p, len);
    guarded_free(&g);
    return p;
}

static void what_was_solved_is_written_and_read(void **state)
{
    (void)state;
    struct lesson_progress *p = progress_of("", 0);
    struct buf out;
    buf_init(&out, LESSON_FILE_MAX);
    lesson_set_solved(p, "healthy");
    lesson_set_solved(p, "null-mx");
    lesson_set_solved(p, "healthy");
    lesson_set_solved(p, "../etc");
    lesson_set_solved(p, "");
    assert_int_equal(p->count, 2);
    assert_int_equal(lesson_progress_write(p, &out), ST_OK);
    assert_string_equal(out.p,
                        "# Lessons of smtpscope that were solved, one a line.\nhealthy\nnull-mx\n");
    struct lesson_progress *read = progress_of(out.p, out.len);
    assert_int_equal(read->count, 2);
    assert_true(lesson_is_solved(read, "healthy") && lesson_is_solved(read, "null-mx"));
    assert_false(lesson_is_solved(read, "null"));
    free(read);
    free(p);
    buf_free(&out);
}

static void a_hostile_file_gives_names_or_nothing(void **state)
{
    (void)state;
    static const char text[] =
        "healthy\r\n\033[31mred\nNull-MX\na b\nrefused\0x\n\xff\xfe\n"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\n"
        "null-mx\nlast";
    for (size_t len = 0; len < sizeof(text); len++) {
        struct lesson_progress *p = progress_of(text, len);
        for (size_t i = 0; i < p->count; i++) {
            assert_true(p->names[i][0] != '\0');
            assert_int_equal(strspn(p->names[i], "abcdefghijklmnopqrstuvwxyz0123456789-"),
                             strlen(p->names[i]));
        }
        free(p);
    }
    struct lesson_progress *p = progress_of(text, sizeof(text) - 1);
    assert_int_equal(p->count, 3); /* the name of 64 letters, null-mx, last */
    assert_true(lesson_is_solved(p, "null-mx") && lesson_is_solved(p, "last"));
    free(p);
    /* However long it is. */
    struct buf many;
    buf_init(&many, 1u << 20);
    for (unsigned i = 0; i < 5 * LESSON_SOLVED_MAX; i++) {
        assert_int_equal(buf_addf(&many, "name-%u\n", i), ST_OK);
    }
    p = progress_of(many.p, many.len);
    assert_int_equal(p->count, LESSON_SOLVED_MAX);
    struct buf out;
    buf_init(&out, LESSON_FILE_MAX);
    assert_int_equal(lesson_progress_write(p, &out), ST_OK);
    free(p);
    buf_free(&out);
    buf_free(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_five_is_right),
        cmocka_unit_test(a_check_with_many_findings_keeps_to_itself),
        cmocka_unit_test(without_a_cause_nothing_is_asked),
        cmocka_unit_test(a_lesson_goes_its_way),
        cmocka_unit_test(what_was_solved_is_written_and_read),
        cmocka_unit_test(a_hostile_file_gives_names_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
