/* Message text on the wire: one message and one end, whatever is in it and whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scripted.h"

#define TO_DATA GIVE("220 mx.example"), EXPECT("DATA")
#define GO GIVE("354 go ahead")

static struct talk *in_data(const struct act *script)
{
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_command(&t->s, WAIT_DATA, &t->reply, "DATA"), ST_OK);
    assert_int_equal(t->s.state, SMTP_TEXT);
    return t;
}

static void test_plain(void **state)
{
    (void)state;
    static const struct act script[] = {TO_DATA,
                                        GO,
                                        EXPECT_RAW("Subject: x\r\n\r\n..dot\r\nlast\r\n.\r\n"),
                                        GIVE("250 2.0.0 queued"),
                                        EXPECT("QUIT"),
                                        GIVE("221 bye"),
                                        STOP};
    for (size_t max = 0; max < 40; max++) {
        struct talk *t = in_data(script);
        static const char text[] = "Subject: x\n\n.dot\nlast";
        t->w.write_max = max;
        assert_int_equal(smtp_send_text(&t->s, text, strlen(text), &t->reply), ST_OK);
        assert_int_equal(t->reply.code, 250);
        assert_int_equal(t->s.state, SMTP_READY);
        assert_string_equal(buf_str(&t->ear.lines), "S 220 mx.example\nC DATA\nS 354 go ahead\n"
                                                    "C Subject: x\nC \nC ..dot\nC last\nC .\n"
                                                    "S 250 2.0.0 queued\n");
        assert_told(t, "W the sending of the message text 180000\n");
        assert_told(t, "W the reply to the message 600000\nS 250 2.0.0 queued\n");
        smtp_quit(&t->s);
        talk_done(t);
    }
}

static size_t count(const struct buf *b, const char *what)
{
    size_t n = 0;
    const char *p = b->p;
    while ((p = memmem(p, b->len - (size_t)(p - b->p), what, strlen(what))) != NULL) {
        n++;
        p++;
    }
    return n;
}

/* Threats B1 and B2: nothing inside a message can look like its end, at any split of the writes. */
static void test_smuggling(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "\n.\n",       "\n.\r",         "\r.\n",     "\r.\r", "\n.\r\n", "\r.\r\n",
        "\r\n.\r\r\n", "\r\r\n.\r\r\n", "\r\n.\r\n", ".",     "",        "\r\n..\r\n",
    };
    static const struct act script[] = {TO_DATA, GO, ANYTHING, STOP};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        for (size_t max = 1; max < 24; max++) {
            char text[128];
            snprintf(text, sizeof(text), "a: b\r\n\r\nx%sMAIL FROM:<evil@x>\r\n", bodies[i]);
            struct talk *t = in_data(script);
            t->w.write_max = max;
            assert_int_equal(smtp_send_text(&t->s, text, strlen(text), &t->reply), ST_TIMEOUT);
            const struct buf wire = {.p = t->w.wire.p + 6, .len = t->w.wire.len - 6};
            assert_int_equal(count(&wire, "\r\n.\r\n"), 1);
            assert_memory_equal(wire.p + wire.len - 5, "\r\n.\r\n", 5);
            assert_int_equal(count(&wire, "\r"), count(&wire, "\r\n"));
            assert_int_equal(count(&wire, "\n"), count(&wire, "\r\n"));
            talk_free(t);
        }
    }
    struct talk *t = in_data(script);
    assert_int_equal(smtp_send_text(&t->s, "a\r\n\0.\r\n", 7, &t->reply), ST_INVALID);
    assert_int_equal(t->w.wire.len, 6);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_free(t);
}

static void test_wrong_state(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 mx.example"), STOP};
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_send_text(&t->s, "x", 1, &t->reply), ST_INVALID);
    assert_int_equal(t->s.state, SMTP_GREETED);
    talk_done(t);
    static const struct act busy[] = {TO_DATA, GO, STOP};
    t = in_data(busy);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "RSET"), ST_INVALID);
    assert_int_equal(smtp_command_secret(&t->s, WAIT_AUTH, &t->reply, "", "x", 1), ST_INVALID);
    /* QUIT would be a line of the message. */
    smtp_quit(&t->s);
    assert_int_equal(t->w.wire.len, 6);
    talk_done(t);
}

/* A big message, told by head, tail and count. */
static void test_big(void **state)
{
    (void)state;
    static const struct act script[] = {TO_DATA, GO, ANYTHING, STOP};
    struct buf text;
    buf_init(&text, 1 << 22);
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(buf_addf(&text, "line %d\n", i), ST_OK);
    }
    struct talk *t = in_data(script);
    assert_int_equal(smtp_send_text(&t->s, text.p, text.len, &t->reply), ST_TIMEOUT);
    assert_told(t, "C line 0\n");
    assert_told(t, "C line 23\n");
    assert_not_told(t, "C line 24\n");
    assert_not_told(t, "C line 19995\n");
    assert_told(t, "C line 19996\n");
    assert_told(t, "C line 19999\n");
    assert_told(t, "bytes of the message are not shown.\n");
    assert_true(t->ear.count < 60);
    assert_memory_equal(t->w.wire.p + t->w.wire.len - 15, "line 19999\r\n.\r\n", 15);
    assert_int_equal(t->w.wire.len, 6 + text.len + 20000 + 3);
    talk_free(t);
    buf_free(&text);
}

/* The end of the link, a refusal or a cancel at every byte of the text: never the final dot. */
static void test_cut_everywhere(void **state)
{
    (void)state;
    static const char text[] = "Subject: x\r\n\r\nbody\r\n.\r\nmore\r\n";
    static const char wire[] = "Subject: x\r\n\r\nbody\r\n..\r\nmore\r\n";
    for (int room = 0; room < (int)strlen(wire); room++) {
        const struct act cancelled[] = {TO_DATA,  ROOM(room),
                                        GO,       {OP_EXPECT, wire, (size_t)room, 0},
                                        WAIT(20), CANCEL(CANCEL_POLITE),
                                        STOP};
        struct talk *t = in_data(cancelled);
        assert_int_equal(smtp_send_text(&t->s, text, strlen(text), &t->reply), ST_CANCELLED);
        assert_int_equal(t->s.state, SMTP_CLOSED);
        assert_int_equal(t->s.closed_by, ST_CANCELLED);
        assert_int_equal(t->w.wire.len, 6 + (size_t)room);
        assert_told(t, "closed without the final dot");
        smtp_quit(&t->s);
        assert_int_equal(t->w.wire.len, 6 + (size_t)room);
        talk_done(t);

        const struct act refused[] = {TO_DATA,  ROOM(room),
                                      GO,       {OP_EXPECT, wire, (size_t)room, 0},
                                      WAIT(20), GIVE("552-5.3.4 too\r\n552 5.3.4 big"),
                                      RESET,    STOP};
        t = in_data(refused);
        assert_int_equal(smtp_send_text(&t->s, text, strlen(text), &t->reply), ST_OK);
        assert_int_equal(t->reply.code, 552);
        assert_int_equal(t->reply.line_count, 2);
        assert_int_equal(t->s.state, SMTP_CLOSED);
        talk_done(t);

        const struct act lost[] = {TO_DATA,  ROOM(room), GO,  {OP_EXPECT, wire, (size_t)room, 0},
                                   WAIT(20), END,        STOP};
        t = in_data(lost);
        assert_int_equal(smtp_send_text(&t->s, text, strlen(text), &t->reply), ST_EOF);
        assert_int_equal(t->s.closed_by, ST_EOF);
        talk_done(t);

        const struct act stuck[] = {
            TO_DATA, ROOM(room), GO, {OP_EXPECT, wire, (size_t)room, 0}, STOP};
        t = in_data(stuck);
        int64_t begin = t->w.now_us;
        assert_int_equal(smtp_send_text(&t->s, text, strlen(text), &t->reply), ST_TIMEOUT);
        assert_int_equal(t->w.now_us - begin, smtp_limits_rfc5321.block * US_PER_MS);
        assert_told(t, "N The time for the sending of the message text is over (180.0 s).\n");
        talk_done(t);
    }
}

static void test_cancel_around_the_dot(void **state)
{
    (void)state;
    /* Before anything. */
    static const struct act before[] = {TO_DATA, GO, STOP};
    struct talk *t = in_data(before);
    cancel_request(&t->w.cancel, CANCEL_POLITE);
    assert_int_equal(smtp_send_text(&t->s, "x\r\n", 3, &t->reply), ST_CANCELLED);
    assert_int_equal(t->w.wire.len, 6);
    talk_done(t);

    /* Behind the dot the message is out of our hands, and the transcript says so. */
    static const struct act after[] = {TO_DATA,
                                       GO,
                                       EXPECT_RAW("x\r\n.\r\n"),
                                       WAIT(50),
                                       CANCEL(CANCEL_POLITE),
                                       WAIT(50),
                                       GIVE("250 queued"),
                                       EXPECT("QUIT"),
                                       GIVE("221 bye"),
                                       STOP};
    t = in_data(after);
    assert_int_equal(smtp_send_text(&t->s, "x\r\n", 3, &t->reply), ST_CANCELLED);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_told(t, "the server may have accepted the message");
    smtp_quit(&t->s);
    assert_told(t, "C QUIT\nW the reply to QUIT 5000\nS 250 queued\nS 221 bye\n");
    talk_done(t);
}

static void test_early_acceptance(void **state)
{
    (void)state;
    /* A yes to what was not sent yet is no answer to it. */
    static const struct act script[] = {TO_DATA, GIVE("354 go\r\n250 already"),
                                        EXPECT_RAW("x\r\n.\r\n"), GIVE("550 5.7.1 spam"), STOP};
    for (size_t piece = 0; piece < 5; piece++) {
        struct talk *t = in_data(script);
        t->w.piece = piece;
        assert_int_equal(smtp_send_text(&t->s, "x", 1, &t->reply), ST_OK);
        assert_int_equal(t->reply.code, 550);
        assert_int_equal(t->s.unasked, 1);
        assert_told(t, "S! 250 already\n");
        talk_done(t);
    }
}

static void test_secret_in_text(void **state)
{
    (void)state;
    static const struct act script[] = {TO_DATA, GO, ANYTHING, STOP};
    struct redactor r = {.count = 0};
    struct talk *t = in_data(script);
    assert_int_equal(redactor_add_bytes(&r, "CanaryPass77", 12), ST_OK);
    t->s.redactor = &r;
    assert_int_equal(smtp_send_text(&t->s, "my CanaryPass77\n", 16, &t->reply), ST_TIMEOUT);
    assert_told(t, "C~ my <hidden 12 bytes>\n");
    redactor_free(&r);
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_smuggling),
        cmocka_unit_test(test_wrong_state),
        cmocka_unit_test(test_big),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_cancel_around_the_dot),
        cmocka_unit_test(test_early_acceptance),
        cmocka_unit_test(test_secret_in_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
