/* Lessons on a canvas: what is veiled until the answer, the boxes by keyboard alone, DEMO on
 * everything. */
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

#include "appbench.h"
#include "lessons.h"
#include "views.h"

static const char *folder;

static void start_lesson(struct bench *b, int w, int h, const char *name)
{
    bench_start(b, w, h, NULL);
    lessons_start(&b->app, name);
    (void)bench_draw(b);
    assert_true(bench_sees(b, "< Begin >"));
}

static void run_lesson(struct bench *b)
{
    bench_key(b, UKEY_ENTER);
    bench_until_done(b);
}

/* Presses the button with this label in the topmost box. */
static void press(struct bench *b, const char *label)
{
    struct form *f = &b->app.dialogs[b->app.dialog_count - 1].form;
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->fields[f->focus].label, label) == 0) {
            bench_key(b, UKEY_ENTER);
            return;
        }
        bench_key(b, UKEY_TAB);
    }
    fail_msg("there is no \"%s\":\n%s", label, bench_draw(b));
}

/* Opens the question and answers it, rightly or with the first wrong one that is left. */
static void answer(struct bench *b, bool right)
{
    const struct lesson *now = &b->app.lessons->now;
    size_t candidate = now->question.right;
    for (size_t i = 0; !right && i < LESSON_CANDIDATES; i++) {
        candidate = i != now->question.right && !now->tried[i] ? i : candidate;
    }
    press(b, guide_name(b->app.guide, now->question.kinds[candidate]->id));
}

static bool transcript_has_marks(const struct bench *b)
{
    struct rect r = b->app.layout.body[PANE_TRANSCRIPT];
    bool found = false;
    for (int y = r.y; y < r.y + r.h; y++) {
        found = found || strcmp(b->canvas.cells[(size_t)y * (size_t)b->canvas.w + (size_t)r.x].text,
                                "!") == 0;
    }
    return found;
}

static void title_of(const struct bench *b, const struct finding *f, char *out, size_t size)
{
    struct guide_text text;
    assert_int_equal(guide_finding(b->app.guide, f, true, &text), ST_OK);
    snprintf(out, size, "%s", text.title);
    guide_text_free(&text);
}

/* Nothing that the advice would say about any finding is to be seen at its step. */
static void assert_veiled(struct bench *b)
{
    bench_keys(b, "1g");
    for (int step = 0; step < CHECK_COUNT; step++) {
        if (!bench_pane_sees(b, PANE_ADVICE, "L story, hints and your answer") ||
            transcript_has_marks(b)) {
            fail_msg("%s is not veiled:\n%s", checks[step].title, bench_draw(b));
        }
        for (size_t i = 0; i < b->app.record.finding_count; i++) {
            char title[1024];
            title_of(b, &b->app.record.findings[i].f, title, sizeof(title));
            if (bench_pane_sees(b, PANE_ADVICE, title)) {
                fail_msg("this is told:\n%s", bench_draw(b));
            }
        }
        bench_key(b, 'j');
    }
}

static void a_lesson_is_veiled_until_it_is_answered(void **state)
{
    (void)state;
    struct practice_catalogue c;
    struct error error = {0};
    assert_int_equal(practice_catalogue_load(NULL, &c, &error), ST_OK);
    for (const struct scenario_info *s = practice_lesson(&c, 1); s != NULL;
         s = practice_lesson(&c, s->lesson + 1)) {
        struct bench b;
        char title[1024];
        start_lesson(&b, 120, 60, s->name);
        run_lesson(&b);
        assert_veiled(&b);
        bench_key(&b, 'L');
        press(&b, "I know the cause");
        answer(&b, true);
        assert_true(bench_sees(&b, "Solved"));
        assert_non_null(lessons_cause(&b.app));
        title_of(&b, &lessons_cause(&b.app)->f, title, sizeof(title));
        press(&b, "Read the advice");
        if (!bench_pane_sees(&b, PANE_ADVICE, title)) {
            fail_msg("%s: the answer is not on the screen:\n%s", s->name, bench_draw(&b));
        }
        /* What is well has no line that is marked as a problem. */
        bool marked = lessons_cause(&b.app)->f.verdict >= VERDICT_WARN;
        assert_true(!marked || transcript_has_marks(&b));
        bench_end(&b);
    }
    practice_catalogue_free(&c);
}

/* What would lead to the proof by another way. */
static void no_way_leads_round_the_veil(void **state)
{
    (void)state;
    struct bench b;
    start_lesson(&b, 120, 40, "starttls-454");
    run_lesson(&b);
    uint32_t first = b.app.record.steps[CHECK_STARTTLS].first_line;
    bench_keys(&b, "1}");
    assert_int_equal(b.app.step, CHECK_STARTTLS);
    assert_int_equal(tview_cursor(b.app.tview), first); /* and not the line with the refusal */
    bench_keys(&b, "3u");
    assert_int_equal(b.app.dialog_count, 0);
    bench_key(&b, UKEY_ENTER); /* the long advice */
    assert_int_equal(b.app.dialogs[0].kind, DIALOG_LESSON);
    bench_key(&b, UKEY_ESC);
    bench_keys(&b, "fproblem");
    bench_key(&b, UKEY_ENTER);
    assert_true(bench_sees(&b, "Error: In a lesson, finding the line is up to you."));
    bench_key(&b, UKEY_ESC);
    bench_key(&b, 'R'); /* a new run is veiled as well */
    bench_until_done(&b);
    assert_veiled(&b);
    bench_end(&b);
}

static void a_demo_shows_everything(void **state)
{
    (void)state;
    struct bench b;
    bench_start(&b, 120, 40, "starttls-454");
    bench_until_done(&b);
    assert_true(
        bench_pane_sees(&b, PANE_ADVICE, "The server offers STARTTLS but cannot start it now"));
    assert_true(transcript_has_marks(&b));
    /* Story and hints are there all the same, and there is nothing to answer. */
    bench_key(&b, 'L');
    assert_true(bench_sees(&b, "Since the certificates were renewed"));
    assert_false(bench_sees(&b, "I know the cause"));
    press(&b, "Hint");
    assert_true(bench_sees(&b, "Hint 1 of 2: The offer is in the reply to EHLO"));
    press(&b, "Close");
    assert_int_equal(b.app.dialog_count, 0);
    bench_end(&b);
}

static void wrong_answers_and_hints_lead_on(void **state)
{
    (void)state;
    struct bench b;
    start_lesson(&b, 60, 20, "refused");
    run_lesson(&b);
    bench_key(&b, 'L');
    press(&b, "Hint");
    assert_true(bench_sees(&b, "Hint 1 of 2: Look at the time"));
    press(&b, "I know the cause");
    for (unsigned i = 0; i < LESSON_CANDIDATES - 1; i++) {
        answer(&b, false);
        assert_true(bench_sees(&b, "Not this one"));
        assert_true(bench_sees(&b, "How that would show:"));
        assert_true(lessons_veil(&b.app));
        press(&b, "Another answer");
    }
    /* What was tried stands there, and cannot be chosen again. */
    assert_true(bench_sees(&b, "(no) "));
    answer(&b, true);
    assert_true(bench_sees(&b, "Solved"));
    assert_true(bench_sees(&b, "Hints: 1 of 2. Wrong answers: 4."));
    assert_true(bench_sees(&b, "FAIL  mx1.example.org [192.0.2.10] refuses connections"));
    assert_true(bench_sees(&b, "Proof: transcript"));
    bench_end(&b);
}

static void showing_it_does_not_solve_it(void **state)
{
    (void)state;
    struct bench b;
    start_lesson(&b, 80, 24, "wrong-name");
    run_lesson(&b);
    unsigned solved = lessons_load(&b.app) ? lessons_solved_count(b.app.lessons) : 99;
    bench_key(&b, 'L');
    press(&b, "Show me");
    assert_true(bench_sees(&b, "This was it"));
    assert_true(bench_sees(&b, "does not count as solved"));
    assert_false(lessons_veil(&b.app));
    assert_int_equal(lessons_solved_count(b.app.lessons), solved);
    press(&b, "Next lesson");
    assert_true(bench_sees(&b, "Lesson 19 of 30"));
    assert_true(bench_sees(&b, "< Begin >"));
    run_lesson(&b);
    assert_true(lessons_veil(&b.app));
    bench_end(&b);
}

/* The answer may be known before the step that would tell it has been run. */
static void an_answer_without_the_finding(void **state)
{
    (void)state;
    struct bench b;
    start_lesson(&b, 80, 24, "greylist-451");
    b.app.plan.send_consent = false;
    run_lesson(&b);
    assert_null(lessons_cause(&b.app));
    bench_key(&b, 'L');
    press(&b, "I know the cause");
    answer(&b, true);
    assert_true(bench_sees(&b, "The server asks to come back in some minutes"));
    assert_true(bench_sees(&b, "smtp.send.greylisted"));
    bench_end(&b);
}

static void the_list_is_the_course(void **state)
{
    (void)state;
    struct bench b;
    bench_start(&b, 80, 24, NULL);
    while (!bench_sees(&b, "Practise: choose a lesson")) {
        bench_key(&b, UKEY_TAB);
        struct form *f = &b.app.dialogs[0].form;
        if (strcmp(f->fields[f->focus].label, "Practise") == 0) {
            bench_key(&b, UKEY_ENTER);
        }
    }
    assert_true(bench_sees(&b, "DEMO"));
    assert_true(bench_sees(&b, "The course: 30 lessons"));
    assert_true(bench_sees(&b, "[+]  2 A newsletter that comes back")); /* solved above */
    struct dialog *d = &b.app.dialogs[1];
    /* From the first row to the last and back, never on a heading. */
    for (size_t i = 0; i < 2 * d->count; i++) {
        bench_key(&b, UKEY_DOWN);
        assert_true(scenarios_can_choose(d, d->cursor));
    }
    assert_int_equal(d->cursor, d->count - 1);
    assert_true(bench_sees(&b, "Hostile servers"));
    for (size_t i = 0; i < d->count && d->cursor > 1; i++) {
        bench_key(&b, UKEY_PAGE_UP);
        assert_true(scenarios_can_choose(d, d->cursor));
    }
    assert_int_equal(d->cursor, 1);
    assert_true(bench_sees(&b, "The course: 30 lessons")); /* the heading above is seen again */
    bench_keys(&b, "certificates");
    assert_true(bench_sees(&b, "Encryption and certificates")); /* by the theme's name */
    bench_key(&b, UKEY_PAGE_DOWN);
    bench_key(&b, UKEY_PAGE_DOWN);
    assert_true(bench_sees(&b, "no-starttls               A partner insists"));
    bench_keys(&b, " zzz");
    assert_true(bench_sees(&b, "Nothing fits."));
    bench_key(&b, KEY_CTRL('u'));
    bench_keys(&b, "certificates w"); /* blanks are part of it, and end no title */
    assert_true(bench_sees(&b, "The certificates were renewed"));
    bench_keys(&b, "zzz");
    bench_key(&b, UKEY_DOWN);
    bench_key(&b, UKEY_ENTER);
    bench_key(&b, UKEY_PAGE_UP);
    bench_end(&b);
}

/* A retargeted lesson stays in the practice network, until somebody chooses to leave it. */
static void a_new_target_stays_in_practice(void **state)
{
    (void)state;
    struct bench b;
    start_lesson(&b, 80, 24, "healthy");
    run_lesson(&b);
    bench_key(&b, 'T');
    assert_true(bench_sees(&b, "(o)practice ( )the real one"));
    bench_key(&b, KEY_CTRL('u'));
    bench_keys(&b, "mail.example.org:587");
    bench_key(&b, UKEY_F5);
    bench_until_done(&b);
    assert_true(b.app.demo);
    assert_true(bench_sees(&b, "DEMO  mail.example.org:587 ["));
    bench_key(&b, 'T');
    bench_key(&b, UKEY_TAB);
    bench_key(&b, UKEY_RIGHT);
    bench_key(&b, UKEY_F5);
    assert_true(bench_sees(&b, "a test opens no real network"));
    bench_end(&b);
}

static void walk_boxes(struct bench *b)
{
    static const char *const boxes[] = {"?",   ":",    "T",     "s",  "L", "1g}x",
                                        "1Gx", "1Gkx", "1Gkkx", "3c", "3u"};
    for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
        bench_keys(b, boxes[i]);
        bench_key(b, UKEY_F1);
        for (int k = 0; k < 12; k++) {
            bench_key(b, UKEY_TAB);
        }
        for (int k = 0; k < 3; k++) {
            bench_key(b, UKEY_ESC);
        }
    }
    bench_key(b, '3');
    bench_key(b, UKEY_ENTER);
    bench_key(b, UKEY_ESC);
    b->app.session_wanted = true;
    bench_key(b, 'q');
    bench_key(b, UKEY_ESC);
    for (int pane = '1'; pane <= '5'; pane++) {
        bench_key(b, (uint32_t)pane);
        bench_key(b, UKEY_ESC);
        bench_keys(b, "zz");
    }
}

/* bench_draw demands it each time. */
static void every_screen_of_a_demo_says_so(void **state)
{
    (void)state;
    static const struct {
        int w, h;
    } sizes[] = {{200, 60}, {120, 40}, {80, 24}, {60, 20}, {40, 10}};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct bench b;
        bench_start(&b, sizes[i].w, sizes[i].h, "healthy");
        bench_until_done(&b);
        walk_boxes(&b);
        bench_size(&b, 30, 8);
        assert_true(bench_sees(&b, "Terminal is 30x8"));
        bench_end(&b);
        start_lesson(&b, sizes[i].w, sizes[i].h, "incomplete-chain");
        run_lesson(&b);
        walk_boxes(&b);
        bench_key(&b, 'L');
        press(&b, "Hint");
        press(&b, "Next hint");
        press(&b, "I know the cause");
        answer(&b, false);
        press(&b, "Another answer");
        answer(&b, true);
        press(&b, "All lessons");
        bench_key(&b, UKEY_ESC);
        bench_end(&b);
    }
}

/* In the smallest terminal the whole story can be read, page by page. */
static void a_story_is_read_in_the_smallest_terminal(void **state)
{
    (void)state;
    struct bench b;
    start_lesson(&b, 40, 10, "auth-535");
    assert_true(bench_sees(&b, "Anna's mail program says"));
    assert_true(bench_sees(&b, "below (PgDn)"));
    for (int i = 0; i < 10 && !bench_sees(&b, "password autumn2025"); i++) {
        bench_key(&b, UKEY_PAGE_DOWN);
    }
    assert_true(bench_sees(&b, "password autumn2025"));
    assert_true(bench_sees(&b, "above (PgUp)"));
    assert_false(bench_sees(&b, "Anna's mail program says"));
    for (int i = 0; i < 10; i++) {
        bench_key(&b, KEY_CTRL('b'));
    }
    assert_true(bench_sees(&b, "Anna's mail program says"));
    assert_true(bench_sees(&b, "< Begin >"));
    bench_end(&b);
}

static void help_lists_the_lesson_where_there_is_one(void **state)
{
    (void)state;
    struct bench b;
    bench_start(&b, 80, 24, "healthy");
    bench_keys(&b, "?lesson");
    assert_true(bench_sees(&b, "Lesson: story, hints and your answer"));
    bench_key(&b, UKEY_ENTER);
    assert_int_equal(b.app.dialogs[0].kind, DIALOG_LESSON);
    bench_end(&b);
    bench_start(&b, 80, 24, NULL);
    dialog_close(&b.app);
    bench_keys(&b, "?lesson");
    assert_true(bench_sees(&b, "Nothing fits."));
    bench_key(&b, UKEY_ESC);
    bench_key(&b, 'L');
    assert_int_equal(b.app.dialog_count, 0);
    assert_true(bench_sees(&b, "there is no lesson"));
    bench_end(&b);
}

static void what_is_solved_is_kept_and_read_again(void **state)
{
    (void)state;
    char path[200];
    struct stat st;
    struct bench b;
    snprintf(path, sizeof(path), "%s/smtpscope/lessons", folder);
    (void)unlink(path);
    start_lesson(&b, 80, 24, "null-mx");
    run_lesson(&b);
    bench_key(&b, 'L');
    assert_int_not_equal(stat(path, &st), 0); /* nothing is written before */
    press(&b, "I know the cause");
    answer(&b, true);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    bench_end(&b);
    /* Another session has solved another one meanwhile. */
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    assert_true(fputs("nxdomain\n\033[2J\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    start_lesson(&b, 80, 24, "refused");
    assert_true(lessons_load(&b.app));
    assert_int_equal(lessons_solved_count(b.app.lessons), 2);
    assert_string_equal(lessons_next(b.app.lessons)->name, "silent-server");
    bench_end(&b);
}

/* No folder that can be written to: the lesson is solved all the same, and nobody is bothered. */
static void a_failure_to_write_is_silent(void **state)
{
    (void)state;
    static const char *const places[] = {"/proc/nowhere", "relative", ""};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct bench b;
        setenv("XDG_STATE_HOME", places[i], 1);
        setenv("HOME", "/dev/null", 1);
        start_lesson(&b, 80, 24, "refused");
        run_lesson(&b);
        bench_key(&b, 'L');
        press(&b, "I know the cause");
        answer(&b, true);
        assert_true(bench_sees(&b, "Solved so far: 1 of 30 lessons."));
        assert_false(bench_sees(&b, "Error"));
        bench_end(&b);
    }
    assert_int_not_equal(access("relative", F_OK), 0);
    setenv("XDG_STATE_HOME", folder, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lesson_is_veiled_until_it_is_answered),
        cmocka_unit_test(no_way_leads_round_the_veil),
        cmocka_unit_test(a_demo_shows_everything),
        cmocka_unit_test(wrong_answers_and_hints_lead_on),
        cmocka_unit_test(the_list_is_the_course),
        cmocka_unit_test(a_new_target_stays_in_practice),
        cmocka_unit_test(every_screen_of_a_demo_says_so),
        cmocka_unit_test(a_story_is_read_in_the_smallest_terminal),
        cmocka_unit_test(help_lists_the_lesson_where_there_is_one),
        cmocka_unit_test(what_is_solved_is_kept_and_read_again),
        cmocka_unit_test(showing_it_does_not_solve_it),
        cmocka_unit_test(an_answer_without_the_finding),
        cmocka_unit_test(a_failure_to_write_is_silent),
    };
    folder = bench_folder();
    int failed = cmocka_run_group_tests_name("lessons", tests, NULL, NULL);
    bench_folder_remove();
    return failed;
}
