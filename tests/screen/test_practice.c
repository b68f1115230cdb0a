/* A learner at the keyboard: two lessons from the start screen to their end, and DEMO on everything
 * that comes of it. */
#include "ptyscreen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pty_test.h"

#define DOWN "\033OB"

/* From the start screen to the list of lessons. */
static void open_list(struct pty *p)
{
    assert_true(pty_sees(p, "Practise"));
    pty_send(p, "\t\t\t\t\r"); /* over port, purpose and the first button */
    assert_true(pty_sees(p, "Practise: choose a lesson"));
    assert_true(pty_sees(p, "DEMO"));
}

/* In the list: by what the filter leaves. */
static void choose(struct pty *p, const char *filter, const char *heading)
{
    pty_send(p, filter);
    assert_true(pty_sees(p, filter));
    pty_send(p, "\r");
    assert_true(pty_sees(p, heading));
    assert_true(pty_sees(p, "< Begin >"));
    assert_true(pty_has(p, "DEMO"));
    pty_send(p, "\r");
    assert_true(pty_sees(p, "Done:"));
    assert_true(pty_misses(p, "< Begin >"));
}

/* Moves to the answer with this text and gives it. */
static void answer(struct pty *p, const char *text)
{
    char chosen[100];
    snprintf(chosen, sizeof(chosen), "> %s", text);
    assert_true(pty_sees(p, "Which of these explains what you see?"));
    for (int i = 0; i < 5; i++) {
        pty_settle(p, 60);
        if (pty_has(p, chosen)) {
            break;
        }
        pty_send(p, DOWN);
    }
    assert_true(pty_has(p, chosen));
    pty_send(p, "\r");
}

static void one_lesson_is_solved_and_one_given_up(void **state)
{
    (void)state;
    struct pty p;
    struct stat st;
    char path[200];
    pty_start(&p, 80, 24, ARGS("--ascii"), NO_ENV);
    pty_path(&p, ".local/state/smtpscope/lessons", path, sizeof(path));
    open_list(&p);
    assert_true(pty_sees(&p, "The course: 30 lessons, 0 of them solved"));
    choose(&p, "renewed", "Lesson 16 of 30: The certificates were renewed");
    /* The marks are there, the diagnosis is not. */
    assert_true(pty_sees(&p, "[x] STARTTLS"));
    assert_true(pty_sees(&p, "L story, hints and your answer"));
    assert_false(pty_has(&p, "cannot start it now"));
    assert_false(pty_has(&p, "! 0."));
    pty_send(&p, "L");
    assert_true(pty_sees(&p, "I know the cause"));
    pty_send(&p, "\t\t\r");
    answer(&p, "The server offers encryption that it does not have");
    assert_true(pty_sees(&p, "Not this one"));
    assert_true(pty_sees(&p, "How that would show: The answer to STARTTLS begins with"));
    assert_true(pty_has(&p, "DEMO"));
    pty_send(&p, "\t\r"); /* a hint */
    assert_true(pty_sees(&p, "Hint 1 of 2: The offer is in the reply to EHLO"));
    assert_int_not_equal(stat(path, &st), 0);
    pty_send(&p, "\t\t\r");
    assert_true(pty_sees(&p, "(no) The server offers encryption that it does not"));
    answer(&p, "The server offers encryption, but cannot begin it now");
    assert_true(pty_sees(&p, "Solved"));
    assert_true(pty_sees(&p, "Hints: 1 of 2. Wrong answers: 1."));
    assert_true(pty_sees(&p, "Solved so far: 1 of 30 lessons."));
    assert_true(pty_sees(&p, "Proof: transcript"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char *text = file_read(path, NULL);
    assert_non_null(strstr(text, "\nstarttls-454\n"));
    free(text);
    /* The next lesson, which is given up. */
    pty_send(&p, "\t\r");
    assert_true(pty_sees(&p, "Lesson 17 of 30: The web site works well"));
    pty_send(&p, "\r");
    assert_true(pty_sees(&p, "[x] Certificate"));
    assert_false(pty_has(&p, "expired on"));
    pty_send(&p, "L");
    assert_true(pty_sees(&p, "Show me"));
    pty_send(&p, "\t\t\t\r");
    assert_true(pty_sees(&p, "This was it"));
    assert_true(pty_sees(&p, "does not count as solved"));
    assert_true(pty_sees(&p, "Solved so far: 1 of 30 lessons."));
    pty_send(&p, "\r");
    assert_true(pty_sees(&p, "[3 ADVICE: Certificate]"));
    assert_true(pty_sees(&p, "FAIL  The certificate of mx1.example.org expired on"));
    pty_send(&p, "q");
    assert_true(pty_ends(&p));
    text = file_read(path, NULL);
    assert_null(strstr(text, "expired-cert"));
    free(text);
    pty_end(&p);
}

/* In a narrow terminal with line art, and the next session knows what the last one has solved. */
static void the_same_in_tabs(void **state)
{
    (void)state;
    struct pty p;
    char state_home[100], environment[120];
    snprintf(state_home, sizeof(state_home), "/tmp/smtpscope-state-%d", (int)getpid());
    snprintf(environment, sizeof(environment), "XDG_STATE_HOME=%s", state_home);
    for (int session = 0; session < 2; session++) {
        pty_start(&p, 60, 20, ARGS("--glyphs=utf8"), ARGS(environment));
        open_list(&p);
        char heading[80];
        snprintf(heading, sizeof(heading), "The course: 30 lessons, %d of them solved", session);
        assert_true(pty_sees(&p, heading));
        if (session == 0) {
            choose(&p, "Back at once", "Lesson 3 of 30: Back at once, every time");
            pty_send(&p, "3");
            assert_true(pty_sees(&p, "Lesson 3 of 30: Back at once, every time"));
            pty_send(&p, "\r"); /* the long advice is the lesson */
            assert_true(pty_sees(&p, "I know the cause"));
            pty_send(&p, "\t\t\r");
            answer(&p, "The domain says that it takes no mail");
            assert_true(pty_sees(&p, "Solved"));
            pty_send(&p, "\r");
            assert_true(pty_sees(&p, "FAIL  example.org says that it takes no mail"));
        }
        pty_send(&p, "\033\033q");
        pty_send(&p, session == 1 ? "\033[21~" : ""); /* the start screen: F10 */
        assert_true(pty_ends(&p));
        pty_end(&p);
    }
    char path[200];
    snprintf(path, sizeof(path), "%s/smtpscope/lessons", state_home);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/smtpscope", state_home);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(state_home), 0);
}

static void assert_file_says_demo(const struct pty *p, const char *name, const char *mark)
{
    char path[200];
    pty_path(p, name, path, sizeof(path));
    char *text = file_read(path, NULL);
    if (text == NULL || strstr(text, mark) == NULL) {
        fail_msg("%s does not say %s", name, mark);
    }
    free(text);
}

static void every_file_of_a_demo_says_so(void **state)
{
    (void)state;
    static const char *const names[] = {"run.txt", "run.md", "run.json"};
    static const char *const marks[] = {"\nDEMO", "**DEMO.**", "\"demo\":true"};
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=greylist-451", "--ascii", "--tee", "tee.txt"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    for (size_t i = 0; i < 3; i++) {
        pty_send(&p, "s");
        assert_true(pty_sees(&p, "File name"));
        pty_send(&p, "\025");
        pty_send(&p, names[i]);
        pty_send(&p, "\r");
        assert_true(pty_sees(&p, "Saved: run"));
        assert_true(pty_misses(&p, "File name"));
        assert_file_says_demo(&p, names[i], marks[i]);
    }
    pty_send(&p, "Q");
    assert_true(pty_ends(&p));
    assert_file_says_demo(&p, "tee.txt", "DEMO: ");
    /* The report, and the line that stays on the shell's screen. */
    assert_true(pty_wrote(&p, "DEMO: Made in the built-in", 26));
    assert_true(pty_wrote(&p, "DEMO example.org: ", 18));
    pty_end(&p);
    static const char *const modes[] = {"--check", "--quiet", "--plain"};
    for (size_t i = 0; i < 3; i++) {
        pty_start(&p, 120, 40, ARGS("--check", "--demo=healthy", modes[i], "--tee", "tee.txt"),
                  NO_ENV);
        assert_true(pty_ends(&p));
        assert_true(pty_wrote(&p, "DEMO", 4));
        assert_file_says_demo(&p, "tee.txt", "DEMO: ");
        pty_end(&p);
    }
}

static void an_unknown_scenario_ends_before_the_screen(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=no-startls"), NO_ENV);
    assert_true(pty_ends(&p));
    assert_true(WIFEXITED(p.status));
    assert_int_equal(WEXITSTATUS(p.status), 65);
    assert_true(pty_wrote(&p, "the nearest one is \"no-starttls\"", 32));
    assert_false(pty_wrote(&p, "\033[?1049h", 8));
    pty_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_lesson_is_solved_and_one_given_up),
        cmocka_unit_test(the_same_in_tabs),
        cmocka_unit_test(every_file_of_a_demo_says_so),
        cmocka_unit_test(an_unknown_scenario_ends_before_the_screen),
    };
    return cmocka_run_group_tests_name("practice", tests, NULL, NULL);
}
