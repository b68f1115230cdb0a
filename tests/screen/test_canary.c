/* A41, A42: passwords that are typed by hand, right, wrong and aborted, in every way in which that
   can be done on the screen, appear on no screen, in no file and in no history. For every mechanism
   see tests/engine/test_safety*.c. */
#include "ptyscreen.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pty_test.h"

/* The right one of the scenario auth-535, and one that is wrong. */
#define RIGHT "winter2026"
#define WRONG "Canary-7h1s"
#define ANNA "anna@example.org"

/* base64 of \0user\0password, and of the passwords alone; pieces of them that no neighbour changes.
 */
#define PLAIN_RIGHT "AGFubmFAZXhhbXBsZS5vcmcAd2ludGVyMjAyNg=="
#define PLAIN_WRONG "AGFubmFAZXhhbXBsZS5vcmcAQ2FuYXJ5LTdoMXM="
#define BASE64_RIGHT "d2ludGVyMjAyNg=="
#define BASE64_WRONG "Q2FuYXJ5LTdoMXM="
#define BASE64_USER "YW5uYUBleGFtcGxlLm9yZw=="

static const char *const forms[] = {RIGHT,      WRONG,        "ludGVyMjAy",
                                    "Q2FuYXJ5", "FuYXJ5LTdo", "nary-7h1"};

static void assert_clean(const char *what, const char *p, size_t len)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const char *at = memmem(p, len, forms[i], strlen(forms[i]));
        if (at != NULL) {
            size_t before = (size_t)(at - p) < 60 ? (size_t)(at - p) : 60;
            fail_msg("%s holds \"%s\": ...%.*s", what, forms[i], (int)before + 40, at - before);
        }
    }
}

static void assert_files_are_clean(const struct pty *p, size_t least)
{
    DIR *d = opendir(p->dir);
    size_t files = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512];
        size_t len = 0;
        snprintf(path, sizeof(path), "%s/%s", p->dir, e->d_name);
        char *text = e->d_type == DT_REG ? file_read(path, &len) : NULL;
        if (text != NULL) {
            assert_clean(e->d_name, text, len);
            files++;
            free(text);
        }
    }
    closedir(d);
    assert_true(files >= least);
}

static void assert_process_is_clean(const struct pty *p)
{
    static const char *const names[] = {"cmdline", "environ"};
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        size_t len = 0;
        snprintf(path, sizeof(path), "/proc/%d/%s", (int)p->pid, names[i]);
        char *text = file_read(path, &len);
        if (text != NULL) {
            assert_clean(names[i], text, len);
            free(text);
        }
    }
}

static void begin(struct pty *p)
{
    pty_start(p, 80, 24, ARGS("--demo=auth-535", "--ascii", "--tee", "tee.txt"), NO_ENV);
    assert_true(pty_sees(p, "Done:"));
    pty_send(p, "i");
    assert_true(pty_sees(p, "SMTP~>"));
}

static void say(struct pty *p, const char *line, const char *answer)
{
    pty_send(p, line);
    pty_send(p, "\r");
    assert_true(pty_sees(p, answer));
}

/* A new connection, so that a login can be tried again. */
static void again(struct pty *p)
{
    pty_send(p, "\025");
    say(p, ":open", "Connecting");
    pty_settle(p, 300);
    assert_true(pty_sees(p, "SMTP~>"));
}

/* Up through the whole history, and a search for what must not be in it. */
static void walk_history(struct pty *p)
{
    pty_send(p, "\025");
    for (int i = 0; i < 40; i++) {
        pty_send(p, "\020");
    }
    pty_settle(p, 150);
    static const char *const parts[] = {"AG", "d2", "Q2", "7h"};
    for (size_t i = 0; i < 4; i++) {
        pty_send(p, "\025\022");
        pty_send(p, parts[i]);
        pty_settle(p, 60);
        pty_send(p, "\007");
    }
    pty_send(p, "\025");
}

static void save_all_forms(struct pty *p)
{
    static const char *const names[] = {"all.txt", "all.md", "all.json"};
    pty_send(p, "\033");
    assert_true(pty_sees(p, "[2 TRANSCRIPT]"));
    for (size_t i = 0; i < 3; i++) {
        pty_send(p, "s");
        assert_true(pty_sees(p, "File name"));
        pty_send(p, "\025");
        pty_send(p, names[i]);
        pty_send(p, "\r");
        assert_true(pty_misses(p, "File name"));
        assert_true(pty_sees(p, "Saved"));
    }
    /* The lens shows what was asked, and nothing of the answers. */
    pty_send(p, "b");
    pty_settle(p, 150);
    for (int i = 0; i < 10; i++) {
        pty_send(p, "\002");
    }
    pty_settle(p, 150);
}

static void finish(struct pty *p)
{
    walk_history(p);
    save_all_forms(p);
    assert_process_is_clean(p);
    assert_files_are_clean(p, 4);
    /* Q leaves the report on the screen. */
    pty_send(p, "Q");
    assert_true(pty_ends(p));
    assert_clean("the terminal", p->log, p->log_len);
    pty_end(p);
}

static void auth_plain_by_hand(void **state)
{
    (void)state;
    struct pty p;
    begin(&p);
    say(&p, "AUTH PLAIN " PLAIN_WRONG, "535");
    again(&p);
    say(&p, "AUTH PLAIN", "334");
    assert_true(pty_sees(&p, "334>"));
    say(&p, PLAIN_WRONG, "535");
    again(&p);
    /* The mechanism was forgotten; a blank too many; typed and taken back. */
    say(&p, "AUTH " PLAIN_WRONG, "50");
    say(&p, " AUTH PLAIN " PLAIN_WRONG, "50");
    pty_send(&p, "AUTH PLAIN " PLAIN_WRONG);
    assert_true(pty_sees(&p, "> AUTH PLAIN ****"));
    pty_send(&p, "\027\031\025\031\003");
    pty_settle(&p, 100);
    again(&p);
    say(&p, "AUTH PLAIN", "334");
    pty_send(&p, PLAIN_WRONG "\025");
    say(&p, "*", "501");
    again(&p);
    say(&p, "AUTH PLAIN " PLAIN_RIGHT, "235");
    finish(&p);
}

static void auth_login_by_hand(void **state)
{
    (void)state;
    struct pty p;
    begin(&p);
    say(&p, "AUTH LOGIN", "Username:");
    assert_true(pty_sees(&p, "334>"));
    say(&p, BASE64_USER, "Password:");
    say(&p, BASE64_WRONG, "535");
    again(&p);
    say(&p, "AUTH LOGIN " BASE64_USER, "Password:");
    /* Left and come back to: the draft is not shown either. */
    pty_send(&p, BASE64_WRONG "\033");
    assert_true(pty_sees(&p, "[2 TRANSCRIPT]"));
    pty_send(&p, "i");
    pty_settle(&p, 50);
    say(&p, "\025*", "501");
    again(&p);
    say(&p, "AUTH LOGIN", "Username:");
    say(&p, BASE64_USER, "Password:");
    say(&p, BASE64_RIGHT, "235");
    finish(&p);
}

/* Encoded on request, in both ways. */
static void encoded_on_request(void **state)
{
    (void)state;
    struct pty p;
    begin(&p);
    say(&p, "AUTH LOGIN", "Username:");
    assert_true(pty_sees(&p, "334>"));
    say(&p, ":b64 " ANNA, "Password:");
    say(&p, ":b64 " WRONG, "535");
    again(&p);
    say(&p, "AUTH PLAIN", "334");
    assert_true(pty_sees(&p, "334>"));
    say(&p, ":b64 \\0" ANNA "\\0" WRONG, "535");
    again(&p);
    /* No 334: what was meant for one is not shown, and not sent. */
    say(&p, ":b64 " WRONG, "No 334 is waiting");
    again(&p);
    say(&p, "AUTH LOGIN", "Username:");
    assert_true(pty_sees(&p, "334>"));
    say(&p, ":b64", "b64>");
    say(&p, ANNA, "Password:");
    pty_send(&p, WRONG "\027\031");
    pty_settle(&p, 50);
    say(&p, "\025*", "501");
    again(&p);
    say(&p, "AUTH LOGIN", "Username:");
    assert_true(pty_sees(&p, "334>"));
    pty_send(&p, ":b64\r");
    assert_true(pty_sees(&p, "b64>"));
    say(&p, ANNA, "Password:");
    say(&p, RIGHT, "235");
    finish(&p);
}

/* As exact bytes, pasted, in raw mode, with several lines in one packet. */
static void raw_and_pasted(void **state)
{
    (void)state;
    struct pty p;
    begin(&p);
    say(&p, ":raw AUTH PLAIN " PLAIN_WRONG "\\r\\n", "535");
    again(&p);
    say(&p, ":raw", "RAW~>");
    say(&p, "NOOP\\r\\nAUTH LOGIN\\r\\n" BASE64_USER "\\r\\n" BASE64_WRONG "\\r\\n", "535");
    pty_send(&p, ":raw\r");
    assert_true(pty_sees(&p, "SMTP~>"));
    again(&p);
    pty_send(&p, "\033[200~AUTH PLAIN " PLAIN_WRONG "\nNOOP\033[201~");
    assert_true(pty_sees(&p, "2 lines were pasted."));
    pty_send(&p, "\t\r");
    assert_true(pty_sees(&p, "Line 1 of 2 was answered with 535."));
    again(&p);
    pty_send(&p, "\033[200~AUTH LOGIN\n" BASE64_USER "\n" BASE64_RIGHT "\n\033[201~");
    assert_true(pty_sees(&p, "3 lines were pasted."));
    pty_send(&p, "\t\r");
    assert_true(pty_sees(&p, "3 lines were sent."));
    finish(&p);
}

/* The form, with the password shown to nobody; and a script that asks for it. */
static void form_and_script(void **state)
{
    (void)state;
    struct pty p;
    begin(&p);
    say(&p, ":auth PLAIN", "Password");
    pty_send(&p, "\025" ANNA "\t" WRONG);
    assert_true(pty_sees(&p, "***********"));
    pty_send(&p, "\t");
    pty_settle(&p, 60);
    pty_send(&p, "\033[15~");
    assert_true(pty_misses(&p, "Kept in memory only"));
    assert_true(pty_sees(&p, "535"));
    pty_settle(&p, 200);
    again(&p);
    say(&p, "AUTH LOGIN", "Username:");
    say(&p, BASE64_USER, "Password:");
    say(&p, BASE64_RIGHT, "235");
    pty_send(&p, "\033s");
    assert_true(pty_sees(&p, "File name"));
    pty_send(&p, "\025login.txt\r");
    assert_true(pty_sees(&p, "Saved"));
    pty_send(&p, "P");
    assert_true(pty_sees(&p, "Play a saved conversation"));
    pty_send(&p, "login.txt\r");
    assert_true(pty_sees(&p, "lines that were hidden"));
    pty_send(&p, "\t\r");
    assert_true(pty_sees(&p, "step 1 of"));
    pty_send(&p, "a");
    pty_settle(&p, 500);
    /* The log-in of the form is the first hidden line of the script; its place is taken by a wrong
     * one. */
    pty_send(&p, PLAIN_WRONG "\r");
    assert_true(pty_sees(&p, "535"));
    pty_send(&p, "\033");
    pty_settle(&p, 100);
    pty_send(&p, "i");
    finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auth_plain_by_hand), cmocka_unit_test(auth_login_by_hand),
        cmocka_unit_test(encoded_on_request), cmocka_unit_test(raw_and_pasted),
        cmocka_unit_test(form_and_script),
    };
    return cmocka_run_group_tests_name("canary", tests, NULL, NULL);
}
