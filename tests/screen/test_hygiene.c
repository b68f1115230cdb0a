/* A1-A9: the terminal is always given back. */
#include "ptyscreen.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "pty_test.h"

#define HEALTHY ARGS("--demo=healthy")

/* Leave the alternate screen, show the cursor, no paste mode, no mouse. */
static void assert_given_back(const struct pty *p)
{
    static const char leave[] = "\033[?1049l", show[] = "\033[?25h", paste[] = "\033[?2004l";
    const char *end = memmem(p->log, p->log_len, leave, sizeof(leave) - 1);
    assert_non_null(end);
    assert_true(pty_wrote(p, paste, sizeof(paste) - 1));
    /* The last word about the cursor is that it is shown. */
    const char *hide = NULL, *shown = NULL;
    for (size_t i = 0; i + 6 <= p->log_len; i++) {
        if (memcmp(p->log + i, "\033[?25l", 6) == 0) {
            hide = p->log + i;
        } else if (memcmp(p->log + i, show, 6) == 0) {
            shown = p->log + i;
        }
    }
    if (shown == NULL || (hide != NULL && hide > shown)) {
        /* xterm's cnorm also sends the blink mode: "\E[?12l\E[?25h" ends the same way. */
        fail_msg("the cursor stays hidden");
    }
    assert_false(pty_wrote(p, "\033[?1000h", 8));
}

static void modes(const struct pty *p, struct termios *out)
{
    assert_int_equal(tcgetattr(p->fd, out), 0);
}

static void a1_normal_exit_gives_the_terminal_back(void **state)
{
    (void)state;
    struct pty p;
    struct termios after;
    pty_start(&p, 80, 24, HEALTHY, NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, "q");
    assert_true(pty_ends(&p));
    assert_true(WIFEXITED(p.status));
    assert_int_equal(WEXITSTATUS(p.status), 0);
    modes(&p, &after);
    assert_int_equal(after.c_iflag, p.modes.c_iflag);
    assert_int_equal(after.c_oflag, p.modes.c_oflag);
    assert_int_equal(after.c_cflag, p.modes.c_cflag);
    assert_int_equal(after.c_lflag, p.modes.c_lflag);
    assert_memory_equal(after.c_cc, p.modes.c_cc, sizeof(after.c_cc));
    assert_given_back(&p);
    pty_end(&p);
}

static void a2_signals_end_it_cleanly_and_are_kept(void **state)
{
    (void)state;
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    static const char *const scenes[] = {"", "?", "i", "s", "\t"};
    unsigned seed = 7;
    for (size_t i = 0; i < 20; i++) {
        struct pty p;
        struct termios after;
        pty_start(&p, 80, 24, HEALTHY, NO_ENV);
        assert_true(pty_sees(&p, "smtpscope"));
        pty_send(&p, scenes[i % 5]);
        usleep((useconds_t)(rand_r(&seed) % 60000));
        kill(p.pid, numbers[i % 4]);
        assert_true(pty_ends(&p));
        assert_true(WIFSIGNALED(p.status));
        assert_int_equal(WTERMSIG(p.status), numbers[i % 4]);
        modes(&p, &after);
        assert_true((after.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO));
        assert_given_back(&p);
        pty_end(&p);
    }
}

static void a3_a_crash_restores_and_says_so(void **state)
{
    (void)state;
    static const int numbers[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE};
    for (size_t i = 0; i < 4; i++) {
        struct pty p;
        struct termios after;
        pty_start(&p, 80, 24, HEALTHY, NO_ENV);
        assert_true(pty_sees(&p, "Done:"));
        kill(p.pid, numbers[i]);
        assert_true(pty_ends(&p));
        assert_true(WIFSIGNALED(p.status));
        assert_int_equal(WTERMSIG(p.status), numbers[i]);
        modes(&p, &after);
        assert_true((after.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO));
        assert_true(pty_wrote(&p, "\033[?1049l", 8));
        static const char word[] = "internal error";
        assert_true(pty_wrote(&p, word, sizeof(word) - 1));
        pty_end(&p);
    }
}

static void a4_mouse_reporting_is_off_by_default(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, HEALTHY, NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    assert_false(pty_wrote(&p, "\033[?1000h", 8));
    assert_false(pty_wrote(&p, "\033[?1002h", 8));
    assert_false(pty_wrote(&p, "\033[?1003h", 8));
    kill(p.pid, SIGKILL);
    assert_true(pty_ends(&p));
    pty_end(&p);
}

static void a5_a_vanished_terminal_ends_it(void **state)
{
    (void)state;
    struct pty p;
    struct rusage before, after;
    char tee[200];
    pty_start(&p, 80, 24, ARGS("--demo=healthy", "--tee", "tee.txt"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_path(&p, "tee.txt", tee, sizeof(tee));
    getrusage(RUSAGE_CHILDREN, &before);
    close(p.fd);
    p.fd = -1;
    assert_true(pty_ends(&p));
    getrusage(RUSAGE_CHILDREN, &after);
    /* Its whole life costs about a second under the sanitizers; one that spins on a dead descriptor costs all
       the time that it has. */
    assert_true(after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
                    before.ru_stime.tv_sec < 8);
    char *text = file_read(tee, NULL);
    assert_non_null(text);
    assert_non_null(strstr(text, "EHLO"));
    free(text);
    pty_end(&p);
}

static void a6_suspend_and_continue(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, HEALTHY, NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    for (int i = 0; i < 50; i++) {
        size_t before = p.log_len;
        if (i % 2 == 0) {
            pty_send(&p, "\032");
        } else {
            kill(p.pid, SIGTSTP);
        }
        assert_true(pty_stops(&p, true));
        pty_settle(&p, 20);
        struct termios t;
        modes(&p, &t);
        assert_true((t.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO));
        static const char leave[] = "\033[?1049l";
        assert_non_null(memmem(p.log + before, p.log_len - before, leave, sizeof(leave) - 1));
        int w = i % 3 == 0 ? 100 : 80;
        pty_resize(&p, w, i % 3 == 0 ? 30 : 24);
        kill(p.pid, SIGCONT);
        assert_true(pty_sees(&p, "F10"));
        assert_true(pty_sees(&p, "suspended"));
        /* No key is lost. */
        pty_send(&p, "?");
        assert_true(pty_sees(&p, "Type to filter"));
        pty_send(&p, "\033");
        assert_true(pty_misses(&p, "Type to filter"));
    }
    pty_send(&p, "q");
    assert_true(pty_ends(&p));
    pty_end(&p);
}

static void a7_unknown_terminals_are_named(void **state)
{
    (void)state;
    static const char *const terms[] = {"TERM=nosuch", "TERM=", "TERM"};
    for (size_t i = 0; i < 3; i++) {
        struct pty p;
        const char *const env[] = {terms[i], NULL};
        pty_start(&p, 80, 24, HEALTHY, env);
        assert_true(pty_ends(&p));
        assert_true(WIFEXITED(p.status));
        assert_int_equal(WEXITSTATUS(p.status), 64);
        assert_true(pty_has(&p, "TERM"));
        assert_true(pty_has(&p, "--plain"));
        assert_false(pty_wrote(&p, "\033", 1));
        pty_end(&p);
    }
}

static void a8_without_a_terminal_no_escape_and_no_hang(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, ARGS("--demo=healthy", "--check"), NO_ENV);
    assert_true(pty_ends(&p));
    assert_true(WIFEXITED(p.status));
    assert_false(pty_wrote(&p, "\033", 1));
    pty_end(&p);
    char command[600];
    snprintf(command, sizeof(command),
             "'%s' --demo=healthy </dev/null 2>/dev/null | grep -c \"$(printf '\\033')\"",
             SMTPSCOPE_PROGRAM);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    int count = -1;
    assert_int_equal(fscanf(f, "%d", &count), 1);
    pclose(f);
    assert_int_equal(count, 0);
    snprintf(command, sizeof(command), "'%s' --demo=healthy --check <&- >/dev/null 2>&1", SMTPSCOPE_PROGRAM);
    assert_int_equal(system(command), 0);
}

static void a9_the_palette_is_never_changed(void **state)
{
    (void)state;
    struct pty p;
    pty_start(&p, 80, 24, HEALTHY, NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, "q");
    assert_true(pty_ends(&p));
    assert_false(pty_wrote(&p, "\033]4", 3));
    assert_false(pty_wrote(&p, "\033]104", 5));
    assert_false(pty_wrote(&p, "\033]", 2));
    pty_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a1_normal_exit_gives_the_terminal_back),
        cmocka_unit_test(a2_signals_end_it_cleanly_and_are_kept),
        cmocka_unit_test(a3_a_crash_restores_and_says_so),
        cmocka_unit_test(a4_mouse_reporting_is_off_by_default),
        cmocka_unit_test(a5_a_vanished_terminal_ends_it),
        cmocka_unit_test(a6_suspend_and_continue),
        cmocka_unit_test(a7_unknown_terminals_are_named),
        cmocka_unit_test(a8_without_a_terminal_no_escape_and_no_hang),
        cmocka_unit_test(a9_the_palette_is_never_changed),
    };
    return cmocka_run_group_tests_name("hygiene", tests, NULL, NULL);
}
