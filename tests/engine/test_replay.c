/* Scripts and saved transcripts, played on a new connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runner.h"

#define CANARY "Kanarienvogel-8431"
#define PLAIN64 "AGFubmEAS2FuYXJpZW52b2dlbC04NDMx"

static const char world[] = "me\n"
                            "    name desk.office.example\n"
                            "    address 198.51.100.7\n"
                            "zone example.org\n"
                            "    @ MX 10 mx1\n"
                            "host mx1.example.org\n"
                            "    address 192.0.2.10\n"
                            "    port 25 mx\n"
                            "server mx\n"
                            "    local example.org\n"
                            "    mailbox postmaster\n"
                            "    user anna " CANARY "\n";

static bool stopped_playing(const struct runner *r, const void *arg)
{
    (void)arg;
    enum replay_state s = r->record.replay.state;
    return s != REPLAY_IDLE && s != REPLAY_PLAYING;
}

static void play(struct runner *r, const char *text, bool step_by_step)
{
    struct script *s = NULL;
    struct error error = {.text = ""};
    if (script_read("test", text, strlen(text), &s, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    runner_open_text(r, world, PRACTICE_INSTANT);
    assert_int_equal(engine_replay(r->engine, &r->plan, s, step_by_step), ST_OK);
    script_free(s);
    runner_watch(r);
    runner_until(r, stopped_playing, NULL);
}

static void go_on(struct runner *r, bool one_step)
{
    r->record.replay.state = REPLAY_PLAYING;
    assert_int_equal(engine_replay_go(r->engine, one_step), ST_OK);
    runner_until(r, stopped_playing, NULL);
}

static void assert_at(const struct runner *r, enum replay_state state, uint32_t step)
{
    assert_int_equal(r->record.replay.state, state);
    assert_int_equal(r->record.replay.step, step);
}

static const char mail[] = "EHLO a.example\nexpect 250\n"
                           "MAIL FROM:<a@desk.office.example>\n"
                           "RCPT TO:<postmaster@example.org>\n"
                           "DATA\n"
                           "Subject: x\n"
                           "\n"
                           "..\n"
                           ".\n"
                           "QUIT\nexpect 221\n";

static void test_a_whole_mail(void **state)
{
    (void)state;
    struct runner r;
    play(&r, mail, false);
    assert_at(&r, REPLAY_DONE, 9);
    assert_int_equal(practice_text_bytes(r.net), 17);
    assert_true(runner_found(&r, "smtp.send.ok"));
    assert_int_equal(r.record.session, SMTP_CLOSED);
    /* Again, on another connection of the same run. */
    struct script *s = NULL;
    struct error error;
    assert_int_equal(script_read("test", mail, strlen(mail), &s, &error), ST_OK);
    r.record.replay.state = REPLAY_IDLE;
    assert_int_equal(engine_replay(r.engine, NULL, s, false), ST_OK);
    script_free(s);
    runner_until(&r, stopped_playing, NULL);
    assert_at(&r, REPLAY_DONE, 9);
    assert_int_equal(practice_text_bytes(r.net), 34);
    runner_close(&r);
}

static void test_an_unexpected_reply(void **state)
{
    (void)state;
    struct runner r;
    play(&r,
         "EHLO a.example\nMAIL FROM:<a@desk.office.example>\nRCPT TO:<x@example.org>\n"
         "DATA\nSubject: x\n.\nRSET\nQUIT\n",
         false);
    assert_at(&r, REPLAY_UNEXPECTED, 3);
    assert_int_equal(r.record.replay.got, 550);
    assert_int_equal(r.record.replay.source, 3);
    assert_true(runner_found(&r, "smtp.send.recipient_refused"));
    go_on(&r, false);
    assert_at(&r, REPLAY_UNEXPECTED, 4);
    /* The message is not poured out as commands. */
    go_on(&r, false);
    assert_at(&r, REPLAY_DONE, 8);
    assert_false(runner_said(&r, "Subject: x"));
    runner_close(&r);
}

static void test_step_by_step(void **state)
{
    (void)state;
    struct runner r;
    play(&r, "EHLO a.example\nNOOP\nSTARTTLS\nEHLO a.example\n", true);
    assert_at(&r, REPLAY_WAITING, 1);
    assert_false(runner_said(&r, "EHLO"));
    go_on(&r, true);
    assert_at(&r, REPLAY_WAITING, 2);
    /* Something typed in between does not disturb the script. */
    runner_type(&r, "HELP", "214 ");
    go_on(&r, true);
    assert_at(&r, REPLAY_WAITING, 3);
    go_on(&r, false);
    assert_at(&r, REPLAY_DONE, 4);
    assert_true(r.record.session_tls);
    runner_close(&r);
}

static void test_hidden_lines_are_asked_for(void **state)
{
    (void)state;
    struct runner r;
    play(&r,
         "EHLO a.example\nSTARTTLS\nEHLO a.example\nAUTH PLAIN <hidden 32 bytes>\nexpect 235\n"
         "NOOP\n",
         false);
    assert_at(&r, REPLAY_ASKING, 4);
    r.record.replay.state = REPLAY_PLAYING;
    assert_int_equal(engine_type(r.engine, "AUTH PLAIN " PLAIN64, 43), ST_OK);
    runner_until(&r, stopped_playing, NULL);
    assert_at(&r, REPLAY_DONE, 5);
    assert_true(r.record.session_authenticated);
    assert_null(memmem(r.text.p, r.text.len, CANARY, sizeof(CANARY) - 1));
    assert_null(memmem(r.text.p, r.text.len, PLAIN64, sizeof(PLAIN64) - 1));
    runner_close(&r);
}

/* The server asks for no login this time, and takes the answer for a command. */
static void test_hidden_lines_stay_hidden(void **state)
{
    (void)state;
    struct runner r;
    play(&r, "EHLO a.example\nHELP <hidden 18 bytes>\nNOOP\n", false);
    assert_at(&r, REPLAY_ASKING, 2);
    r.record.replay.state = REPLAY_PLAYING;
    assert_int_equal(engine_type(r.engine, "HELP " CANARY, strlen("HELP " CANARY)), ST_OK);
    runner_until(&r, stopped_playing, NULL);
    assert_true(runner_said(&r, "HELP <hidden 18 bytes>"));
    assert_null(memmem(r.text.p, r.text.len, CANARY, sizeof(CANARY) - 1));
    runner_close(&r);
}

static void test_logins_are_made_anew(void **state)
{
    (void)state;
    static const char text[] =
        "EHLO a.example\nSTARTTLS\nEHLO a.example\nAUTH LOGIN\nexpect 334\n"
        "<hidden 8 bytes>\nexpect 334\n<hidden 24 bytes>\nexpect 235\nNOOP\n";
    struct script *s = NULL;
    struct runner r;
    struct error error;
    assert_int_equal(script_read("test", text, strlen(text), &s, &error), ST_OK);
    runner_open_text(&r, world, PRACTICE_INSTANT);
    r.plan.auth_wanted = true;
    assert_int_equal(str_set(&r.plan.auth_user, "anna"), ST_OK);
    assert_int_equal(secret_set(&r.plan.password, CANARY, strlen(CANARY)), ST_OK);
    assert_int_equal(engine_replay(r.engine, &r.plan, s, false), ST_OK);
    script_free(s);
    runner_watch(&r);
    runner_until(&r, stopped_playing, NULL);
    assert_at(&r, REPLAY_DONE, 7);
    assert_true(r.record.session_authenticated);
    assert_null(memmem(r.text.p, r.text.len, CANARY, sizeof(CANARY) - 1));
    runner_close(&r);
}

static void test_raw_lines(void **state)
{
    (void)state;
    struct runner r;
    play(&r,
         "raw EHLO a.example\\r\\nNOOP\\r\\nNOOP\\r\\n\nexpect 250\nraw QUUX\\r\\n\nexpect 250\n",
         false);
    assert_at(&r, REPLAY_UNEXPECTED, 2);
    assert_int_equal(r.record.replay.got, 500);
    runner_close(&r);
}

static void test_octets(void **state)
{
    (void)state;
    struct runner r;
    play(&r,
         "EHLO a.example\nMAIL FROM:<>\nRCPT TO:<postmaster@example.org>\n"
         "BDAT 14\nSubject: x\n\nBDAT 3 LAST\n.\nQUIT\n",
         false);
    assert_at(&r, REPLAY_DONE, 6);
    assert_int_equal(practice_text_bytes(r.net), 17);
    runner_close(&r);
}

static void test_the_end_of_the_connection(void **state)
{
    (void)state;
    struct runner r;
    char text[2000];
    struct script *s = NULL;
    struct error error;
    /* Behind a QUIT of the script, the next line begins anew. */
    play(&r, "EHLO a\nQUIT\nEHLO b\nQUIT\n", false);
    assert_at(&r, REPLAY_DONE, 4);
    runner_close(&r);
    snprintf(text, sizeof(text), "%s    on NOOP: close\n", world);
    runner_open_text(&r, text, PRACTICE_INSTANT);
    assert_int_equal(script_read("test", "EHLO a\nNOOP\nRSET\n", 17, &s, &error), ST_OK);
    assert_int_equal(engine_replay(r.engine, &r.plan, s, false), ST_OK);
    runner_watch(&r);
    runner_until(&r, stopped_playing, NULL);
    assert_at(&r, REPLAY_BROKEN, 2);
    go_on(&r, false);
    assert_at(&r, REPLAY_BROKEN, 3);
    script_free(s);
    runner_close(&r);
}

static void test_stopping(void **state)
{
    (void)state;
    struct runner r;
    play(&r, "EHLO a\nNOOP\n", true);
    assert_int_equal(engine_replay_stop(r.engine), ST_OK);
    r.record.replay.state = REPLAY_PLAYING;
    runner_until(&r, stopped_playing, NULL);
    assert_at(&r, REPLAY_STOPPED, 1);
    /* The connection is still there. */
    runner_type(&r, "EHLO a", "250 ");
    assert_int_equal(engine_replay_go(r.engine, false), ST_OK);
    runner_until_text(&r, "There is no script");
    runner_close(&r);
}

static bool is_asking(const struct runner *r, const void *arg)
{
    (void)arg;
    return r->record.replay.state == REPLAY_ASKING;
}

static void test_what_needs_a_run(void **state)
{
    (void)state;
    struct runner r;
    struct script *s = NULL;
    struct error error;
    runner_open_text(&r, world, PRACTICE_INSTANT);
    assert_int_equal(script_read("test", "<hidden 3 bytes>\n", 17, &s, &error), ST_OK);
    assert_int_equal(engine_replay(r.engine, NULL, s, false), ST_INVALID);
    r.plan.stay = true;
    runner_run(&r);
    assert_int_equal(engine_replay(r.engine, NULL, s, false), ST_OK);
    runner_until(&r, is_asking, NULL);
    assert_int_equal(engine_generation(r.engine), 1);
    script_free(s);
    runner_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_mail),
        cmocka_unit_test(test_an_unexpected_reply),
        cmocka_unit_test(test_step_by_step),
        cmocka_unit_test(test_hidden_lines_are_asked_for),
        cmocka_unit_test(test_hidden_lines_stay_hidden),
        cmocka_unit_test(test_logins_are_made_anew),
        cmocka_unit_test(test_raw_lines),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_the_end_of_the_connection),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_what_needs_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
