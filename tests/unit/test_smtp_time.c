/* Time limits, servers that never end, and cancelling in the middle of everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "envelope_steps.h"

static void test_time(void **state)
{
    (void)state;
    /* Each wait is announced with its limit, and its end is told. */
    static const struct act mute[] = {GREETING, STOP};
    struct talk *t = talk_new(mute);
    t->s.limits.ehlo = 7000;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    int64_t begin = t->w.now_us;
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_TIMEOUT);
    assert_int_equal(t->w.now_us - begin, 7000 * US_PER_MS);
    assert_string_equal(buf_str(&t->ear.log),
                        "W the greeting 300000\n"
                        "S 220 mx.example ESMTP\n"
                        "W -\n"
                        "C EHLO probe.example\n"
                        "W the reply to EHLO 7000\n"
                        "W -\n"
                        "N The time for the reply to EHLO is over (7.0 s).\n");
    assert_int_equal(t->s.closed_by, ST_TIMEOUT);
    talk_done(t);

    /* A late greeting within the limit is one, and the time is measured. */
    static const struct act late[] = {WAIT(61000), GIVE("220-mx.example"), WAIT(9000),
                                      GIVE("220 ready"), STOP};
    t = talk_new(late);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(t->reply.elapsed_us, 70000 * US_PER_MS);
    talk_done(t);

    /* One byte a second does not prolong the limit. */
    struct act drip[130];
    for (size_t i = 0; i < 64; i++) {
        drip[2 * i] = (struct act)WAIT(1000);
        drip[2 * i + 1] = (struct act)GIVE_RAW("2");
    }
    drip[128] = (struct act)STOP;
    t = talk_new(drip);
    t->s.limits.banner = 20000;
    begin = t->w.now_us;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_TIMEOUT);
    assert_int_equal(t->w.now_us - begin, 20000 * US_PER_MS);
    assert_told(t, "S!> 22222222222222222222");
    talk_free(t);

    /* A server that takes nothing does not hold us longer than the limit. */
    static const struct act full[] = {GIVE("220 x"), ROOM(3), STOP};
    t = talk_new(full);
    t->w.anything = true;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    begin = t->w.now_us;
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_TIMEOUT);
    assert_int_equal(t->w.now_us - begin, smtp_limits_rfc5321.ehlo * US_PER_MS);
    talk_free(t);
}

static void test_endless(void **state)
{
    (void)state;
    static char line[200001];
    memset(line, 'x', sizeof(line) - 1);
    static char many[600 * 7 + 1];
    for (size_t i = 0; i < 600; i++) {
        memcpy(many + 7 * i, "250-x\r\n", 7);
    }
    const struct act scripts[][4] = {
        {{OP_GIVE, line, 200000, 0}, STOP},
        {{OP_GIVE, many, 600 * 7, 0}, STOP},
    };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct talk *t = talk_new(scripts[i]);
        assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_LIMIT);
        assert_int_equal(t->s.closed_by, ST_LIMIT);
        assert_true((t->reply.flags & (REPLY_OVERLONG | REPLY_TOO_MANY)) != 0);
        assert_told(t, "N The server sends without end");
        talk_free(t);
    }
    /* Noise that nobody asked for ends as well. */
    static char noise[100001];
    for (size_t i = 0; i + 10 <= 100000; i += 10) {
        memcpy(noise + i, "250 noise\n", 10);
    }
    static struct act flood[180];
    flood[0] = (struct act)GIVE("220 x");
    for (size_t i = 1; i < 175; i++) {
        flood[i] = (struct act){OP_GIVE, noise, 100000, 0};
    }
    flood[175] = (struct act)STOP;
    struct talk *t = talk_new(flood);
    t->s.tap.line = NULL;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_LIMIT);
    assert_true(t->s.session_bytes < SMTP_SESSION_MAX + 100000);
    talk_free(t);
}

static void test_other_protocols(void **state)
{
    (void)state;
    static const char *const greetings[] = {
        "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
        "+OK pop3 ready\r\n",
        "* OK imap ready\r\n",
        "SSH-2.0-OpenSSH_9\r\n",
        "\x15\x03\x01\x02\x02\x46",
    };
    for (size_t i = 0; i < ARRAY_LEN(greetings); i++) {
        const struct act script[] = {{OP_GIVE, greetings[i], strlen(greetings[i]), 0}, STOP};
        struct talk *t = talk_new(script);
        int64_t begin = t->w.now_us;
        assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_PROTO);
        assert_int_equal(t->w.now_us, begin);
        assert_int_equal(t->reply.code, 0);
        assert_true(t->reply.line_count >= 1);
        assert_told(t, "N The other side does not speak SMTP");
        talk_free(t);
    }
}

static void test_cancel_while_waiting(void **state)
{
    (void)state;
    /* Politely inside a reply of several lines; the farewell reads what is still owed. */
    static const struct act script[] = {GREETING,
                                        GIVE_RAW("250-mx.example\r\n250-SI"),
                                        WAIT(100),
                                        CANCEL(CANCEL_POLITE),
                                        WAIT(300),
                                        GIVE_RAW("ZE\r\n250 DSN\r\n"),
                                        EXPECT("QUIT"),
                                        WAIT(100),
                                        GIVE("221 bye"),
                                        END,
                                        STOP};
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_CANCELLED);
    assert_false(t->reply.complete);
    assert_int_equal(t->reply.line_count, 1);
    assert_int_equal(t->s.state, SMTP_GREETED);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "NOOP"), ST_CANCELLED);
    smtp_quit(&t->s);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_int_equal(t->s.closed_by, ST_OK);
    assert_string_equal(buf_str(&t->ear.lines), "S 220 mx.example ESMTP\n"
                                                "C EHLO probe.example\n"
                                                "S 250-mx.example\n"
                                                "C QUIT\n"
                                                "S 250-SIZE\n"
                                                "S 250 DSN\n"
                                                "S 221 bye\n");
    assert_int_equal(t->s.unasked, 0);
    talk_done(t);

    /* A server that never answers keeps a polite leaver for two seconds and no more. */
    static const struct act mute[] = {GREETING, WAIT(50), CANCEL(CANCEL_POLITE), EXPECT("QUIT"),
                                      STOP};
    t = talk_new(mute);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_CANCELLED);
    int64_t begin = t->w.now_us;
    smtp_quit(&t->s);
    assert_int_equal(t->w.now_us - begin, 2000 * US_PER_MS);
    talk_done(t);

    /* A hard one ends even that, within a slice. */
    static const struct act hard[] = {
        GREETING, WAIT(50), CANCEL(CANCEL_POLITE), EXPECT("QUIT"), WAIT(500), CANCEL(CANCEL_HARD),
        STOP};
    t = talk_new(hard);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_CANCELLED);
    begin = t->w.now_us;
    smtp_quit(&t->s);
    assert_true(t->w.now_us - begin <= 551 * US_PER_MS);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);

    /* A polite one in the middle of the farewell shortens it. */
    static const struct act later[] = {GREETING,   GIVE("250 x"),         EXPECT("QUIT"),
                                       WAIT(1000), CANCEL(CANCEL_POLITE), STOP};
    t = talk_new(later);
    open_with(t);
    begin = t->w.now_us;
    smtp_quit(&t->s);
    assert_true(t->w.now_us - begin <= 3051 * US_PER_MS);
    talk_done(t);

    /* After a hard cancel nothing is said at all. */
    static const struct act nothing[] = {GREETING, GIVE("250 x"), STOP};
    t = talk_new(nothing);
    open_with(t);
    cancel_request(&t->w.cancel, CANCEL_HARD);
    smtp_quit(&t->s);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);
}

static void test_going_on_after_cancel(void **state)
{
    (void)state;
    static const struct act script[] = {GREETING,
                                        GIVE("250 mx.example"),
                                        EXPECT("MAIL FROM:<>"),
                                        GIVE_RAW("55"),
                                        WAIT(100),
                                        CANCEL(CANCEL_POLITE),
                                        WAIT(100),
                                        EXPECT("RSET"),
                                        GIVE_RAW("0 no\r\n250 ok\r\n"),
                                        STOP};
    struct talk *t = talk_new(script);
    open_with(t);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<>"), ST_CANCELLED);
    cancel_ack(&t->w.cancel, CANCEL_POLITE);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "RSET"), ST_OK);
    assert_int_equal(t->reply.code, 250);
    assert_told(t, "C RSET\nW the reply 300000\nS 550 no\nS 250 ok\n");
    assert_int_equal(t->s.unasked, 0);
    assert_int_equal(t->s.state, SMTP_READY);
    talk_done(t);

    /* The greeting that a cancel interrupted. */
    static const struct act greeting[] = {GIVE_RAW("220-mx"),         WAIT(10),
                                          CANCEL(CANCEL_POLITE),      WAIT(10),
                                          GIVE_RAW("\r\n220 go\r\n"), STOP};
    t = talk_new(greeting);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_CANCELLED);
    cancel_ack(&t->w.cancel, CANCEL_POLITE);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 220);
    assert_int_equal(t->reply.line_count, 2);
    assert_int_equal(t->s.state, SMTP_GREETED);
    talk_done(t);

    /* A command that was cut by the cancel is finished before the next one begins. */
    static const struct act cut[] = {GREETING,
                                     GIVE("250 x"),
                                     ROOM(6),
                                     EXPECT_RAW("MAIL F"),
                                     WAIT(10),
                                     CANCEL(CANCEL_POLITE),
                                     EXPECT_RAW("ROM:<>\r\nRSET\r\n"),
                                     GIVE("250 a\r\n250 b"),
                                     STOP};
    t = talk_new(cut);
    open_with(t);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<>"), ST_CANCELLED);
    cancel_ack(&t->w.cancel, CANCEL_POLITE);
    t->w.room = SIZE_MAX;
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "RSET"), ST_OK);
    assert_int_equal(reply_line_text(&t->reply, 0).p[0], 'b');
    talk_done(t);

    /* In a pipeline all that was sent is owed. */
    static const struct act piped[] = {
        GREETING,
        GIVE("250-x\r\n250 PIPELINING"),
        EXPECT("MAIL FROM:<a@probe.example>\r\nRCPT TO:<b@mx.example>\r\nRSET\r\nQUIT"),
        GIVE("250 a"),
        WAIT(10),
        CANCEL(CANCEL_POLITE),
        WAIT(10),
        EXPECT("NOOP"),
        GIVE("250 b\r\n250 c\r\n221 d\r\n250 e"),
        STOP};
    t = talk_new(piped);
    size_t done;
    assert_int_equal(envelope(t, &done), ST_CANCELLED);
    assert_int_equal(done, 1);
    cancel_ack(&t->w.cancel, CANCEL_POLITE);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "NOOP"), ST_OK);
    assert_int_equal(reply_line_text(&t->reply, 0).p[0], 'e');
    talk_done(t);
}

/* What the late answer would make of the next line is assumed to be the worst. */
static void test_cancel_of_turning_points(void **state)
{
    (void)state;
    static const char *const commands[] = {"DATA", "BDAT 3"};
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        char wire[32];
        snprintf(wire, sizeof(wire), "%s\r\n", commands[i]);
        const struct act script[] = {
            GREETING,  GIVE("250 x"),         {OP_EXPECT, wire, strlen(wire), 0},
            WAIT(100), CANCEL(CANCEL_POLITE), STOP};
        struct talk *t = talk_new(script);
        open_with(t);
        assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "%s", commands[i]),
                         ST_CANCELLED);
        assert_int_equal(t->s.state, SMTP_CLOSED);
        assert_int_equal(t->s.closed_by, ST_CANCELLED);
        assert_told(t, "N Stopped before ");
        smtp_quit(&t->s);
        assert_not_told(t, "C QUIT");
        talk_done(t);
    }

    static const struct act tls[] = {GREETING,  GIVE("250 STARTTLS"),  EXPECT("STARTTLS"),
                                     WAIT(100), CANCEL(CANCEL_POLITE), STOP};
    struct talk *t = talk_new(tls);
    const struct tls_config config = {.name = "mx.example"};
    open_with(t);
    assert_int_equal(smtp_starttls(&t->s, &config, &t->reply, NULL, &t->error), ST_CANCELLED);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);

    /* A transaction may have begun: who goes on has to take it back first. */
    static const struct act mail[] = {GREETING,  GIVE("250 x"),         EXPECT("MAIL FROM:<>"),
                                      WAIT(100), CANCEL(CANCEL_POLITE), STOP};
    t = talk_new(mail);
    open_with(t);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<>"), ST_CANCELLED);
    assert_int_equal(t->s.state, SMTP_MAIL);
    talk_done(t);

    /* The server may already think that we are logged in, or wait for a password. */
    static const struct act login[] = {GREETING,
                                       GIVE("250 x"),
                                       EXPECT("AUTH PLAIN AGEAYg=="),
                                       WAIT(100),
                                       CANCEL(CANCEL_POLITE),
                                       WAIT(100),
                                       GIVE("235 ok"),
                                       STOP};
    t = talk_new(login);
    open_with(t);
    assert_int_equal(smtp_command_secret(&t->s, WAIT_AUTH, &t->reply, "AUTH PLAIN ", "AGEAYg==", 8),
                     ST_CANCELLED);
    assert_int_equal(t->s.state, SMTP_CONTINUATION);
    assert_false(t->s.authenticated);
    cancel_ack(&t->w.cancel, CANCEL_POLITE);
    t->w.now_us += 200 * US_PER_MS;
    assert_int_equal(smtp_listen(&t->s), ST_OK);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_true(t->s.authenticated);
    talk_done(t);

    /* DATA at the end of a group whose first answer is waited for. */
    static const struct act group[] = {GREETING,
                                       GIVE("250-x\r\n250 PIPELINING"),
                                       EXPECT("MAIL FROM:<>\r\nDATA"),
                                       GIVE("250 a"),
                                       WAIT(100),
                                       CANCEL(CANCEL_POLITE),
                                       STOP};
    const struct smtp_step steps[] = {{WAIT_MAIL, "MAIL FROM:<>"}, {WAIT_DATA, "DATA"}};
    struct reply replies[ARRAY_LEN(steps)];
    size_t done;
    t = talk_new(group);
    open_with(t);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        reply_init(&replies[i]);
    }
    assert_int_equal(smtp_pipeline(&t->s, steps, ARRAY_LEN(steps), replies, &done), ST_CANCELLED);
    assert_int_equal(done, 1);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        reply_free(&replies[i]);
    }
    talk_done(t);
}

static void test_before_the_greeting(void **state)
{
    (void)state;
    /* Listening does not swallow it. */
    static const struct act script[] = {WAIT(10), GIVE("220 mx.example"), END, STOP};
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_listen(&t->s), ST_AGAIN);
    t->w.now_us += 20 * US_PER_MS;
    assert_int_equal(smtp_listen(&t->s), ST_AGAIN);
    assert_int_equal(t->s.unasked, 0);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 220);
    assert_int_equal(smtp_listen(&t->s), ST_EOF);
    talk_done(t);

    /* What fills the room and is no greeting would make every wait end at once. */
    static char endless[SMTP_IN_MAX + 1];
    memset(endless, 'x', SMTP_IN_MAX);
    const struct act flood[] = {{OP_GIVE, endless, SMTP_IN_MAX, 0}, STOP};
    t = talk_new(flood);
    assert_int_equal(smtp_listen(&t->s), ST_LIMIT);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);

    static const struct act gone[] = {END, STOP};
    t = talk_new(gone);
    assert_int_equal(smtp_listen(&t->s), ST_EOF);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);

    /* Whoever talks first still gets his own answer. */
    static const struct act eager[] = {EXPECT("EHLO probe.example"),       WAIT(10),
                                       GIVE("220-mx.example\r\n220 late"), WAIT(10),
                                       GIVE("503 wait your turn"),         STOP};
    t = talk_new(eager);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 503);
    assert_told(t, "S 220-mx.example\nS 220 late\nS 503 wait your turn\n");
    talk_done(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_cancel_while_waiting),
        cmocka_unit_test(test_going_on_after_cancel),
        cmocka_unit_test(test_cancel_of_turning_points),
        cmocka_unit_test(test_before_the_greeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
