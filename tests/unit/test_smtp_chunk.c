/* Messages in pieces (RFC 3030). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scripted.h"

#define OPENING                                                                                    \
    GIVE("220 x"), EXPECT("EHLO a"), GIVE("250-x\r\n250 CHUNKING"), EXPECT("MAIL FROM:<>"),        \
        GIVE("250 ok"), EXPECT("RCPT TO:<b@c>"), GIVE("250 ok")

static struct talk *begin(const struct act *script)
{
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "a", &t->reply), ST_OK);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<>"), ST_OK);
    assert_int_equal(smtp_command(&t->s, WAIT_RCPT, &t->reply, "RCPT TO:<b@c>"), ST_OK);
    return t;
}

static void test_pieces(void **state)
{
    (void)state;
    static const struct act script[] = {OPENING,
                                        EXPECT_RAW("BDAT 5\r\none\r\n"),
                                        GIVE("250 5 octets"),
                                        EXPECT_RAW("BDAT 5\r\n.\r\ntw"),
                                        GIVE("250 10 octets"),
                                        EXPECT_RAW("BDAT 3 LAST\r\no\r\n"),
                                        GIVE("250 queued"),
                                        STOP};
    struct talk *t = begin(script);
    assert_int_equal(smtp_bdat(&t->s, "one\n.\ntwo", 9, 5, false, &t->reply), ST_OK);
    assert_string_equal(buf_str(&t->reply.text), "250 queued");
    assert_int_equal(t->s.state, SMTP_READY);
    assert_int_equal(t->s.recipients, 0);
    talk_done(t);
}

static void test_exact_and_empty(void **state)
{
    (void)state;
    static const struct act script[] = {OPENING, EXPECT_RAW("BDAT 5 LAST\r\na\0\n\rb"),
                                        GIVE("250 queued"), STOP};
    static const struct act none[] = {OPENING, EXPECT("BDAT 0 LAST"), GIVE("250 queued"), STOP};
    struct talk *t = begin(script);
    assert_int_equal(smtp_bdat(&t->s, "a\0\n\rb", 5, 100, true, &t->reply), ST_OK);
    talk_done(t);
    t = begin(none);
    assert_int_equal(smtp_bdat(&t->s, "", 0, 100, false, &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 250);
    talk_done(t);
}

static void test_refused_in_the_middle(void **state)
{
    (void)state;
    static const struct act script[] = {OPENING,
                                        EXPECT_RAW("BDAT 3\r\nabc"),
                                        GIVE("552 5.3.4 too big"),
                                        EXPECT("RSET"),
                                        GIVE("250 ok"),
                                        STOP};
    struct talk *t = begin(script);
    assert_int_equal(smtp_bdat(&t->s, "abcdef", 6, 3, true, &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 552);
    assert_int_equal(t->s.state, SMTP_RCPT);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "RSET"), ST_OK);
    talk_done(t);
}

/* The octets were taken for commands: nothing that comes now is an answer to us. */
static void test_unknown(void **state)
{
    (void)state;
    static const struct act script[] = {OPENING, EXPECT_RAW("BDAT 6 LAST\r\nNOOP\r\n"),
                                        GIVE("502 what\r\n250 noop"), STOP};
    struct talk *t = begin(script);
    assert_int_equal(smtp_bdat(&t->s, "NOOP", 4, 100, false, &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 502);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_told(t, "takes the message for commands");
    talk_free(t);
}

static void test_wrong_use(void **state)
{
    (void)state;
    static const struct act script[] = {OPENING, EXPECT("DATA"), GIVE("354 go"), STOP};
    struct talk *t = begin(script);
    assert_int_equal(smtp_bdat(&t->s, "x", 1, 0, false, &t->reply), ST_INVALID);
    assert_int_equal(smtp_bdat(&t->s, "a\0b", 3, 9, false, &t->reply), ST_INVALID);
    assert_int_equal(smtp_command(&t->s, WAIT_DATA, &t->reply, "DATA"), ST_OK);
    assert_int_equal(smtp_bdat(&t->s, "x", 1, 9, false, &t->reply), ST_INVALID);
    smtp_close(&t->s, ST_OK);
    assert_int_equal(smtp_bdat(&t->s, "x", 1, 9, false, &t->reply), ST_EOF);
    talk_free(t);
}

static void test_lmtp_answers_for_each(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("LHLO a"),
                                        GIVE("250 x"),
                                        EXPECT("MAIL FROM:<>"),
                                        GIVE("250 ok"),
                                        EXPECT("RCPT TO:<b@c>"),
                                        GIVE("250 ok"),
                                        EXPECT("RCPT TO:<d@c>"),
                                        GIVE("250 ok"),
                                        EXPECT("DATA"),
                                        GIVE("354 go"),
                                        EXPECT_RAW("hi\r\n.\r\n"),
                                        GIVE("250 first\r\n452 second"),
                                        EXPECT("NOOP"),
                                        GIVE("250 noop"),
                                        STOP};
    struct talk *t = talk_new(script);
    t->s.lmtp = true;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "a", &t->reply), ST_OK);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<>"), ST_OK);
    assert_int_equal(smtp_command(&t->s, WAIT_RCPT, &t->reply, "RCPT TO:<b@c>"), ST_OK);
    assert_int_equal(smtp_command(&t->s, WAIT_RCPT, &t->reply, "RCPT TO:<d@c>"), ST_OK);
    assert_int_equal(smtp_command(&t->s, WAIT_DATA, &t->reply, "DATA"), ST_OK);
    assert_int_equal(smtp_send_text(&t->s, "hi", 2, &t->reply), ST_OK);
    assert_string_equal(buf_str(&t->reply.text), "250 first");
    /* The other one is told, and is not the answer to what comes next. */
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "NOOP"), ST_OK);
    assert_string_equal(buf_str(&t->reply.text), "250 noop");
    assert_told(t, "S 452 second\n");
    assert_int_equal(t->s.unasked, 0);
    talk_done(t);
}

static void test_xclient_begins_anew(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("EHLO a"),
                                        GIVE("250-x\r\n250 XCLIENT ADDR"),
                                        EXPECT("XCLIENT ADDR=192.0.2.1"),
                                        GIVE("220 x again"),
                                        EXPECT("EHLO a"),
                                        GIVE("250 x"),
                                        STOP};
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "a", &t->reply), ST_OK);
    assert_int_equal(smtp_command(&t->s, WAIT_BANNER, &t->reply, "XCLIENT ADDR=192.0.2.1"), ST_OK);
    assert_true(t->s.identified);
    assert_int_equal(t->s.state, SMTP_GREETED);
    assert_int_equal(t->s.caps.count, 0);
    assert_int_equal(smtp_ehlo(&t->s, "a", &t->reply), ST_OK);
    talk_done(t);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool good, last;
        uint64_t octets;
    } cases[] = {
        {"BDAT 5", true, false, 5},          {"bdat 0 last", true, true, 0},
        {"BDAT  12  LAST ", true, true, 12}, {"BDAT", false, false, 0},
        {"BDAT ", false, false, 0},          {"BDAT x", false, false, 0},
        {"BDAT 5 FIRST", false, false, 0},   {"BDAT -1", false, false, 0},
        {"BDAT 5LAST", false, false, 0},     {"BDAT 99999999999999999999", false, false, 0},
        {"DATA 5", false, false, 0},         {"BDAT5", false, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t octets = 0;
        bool last = false;
        struct guarded g = guarded_copy(cases[i].line, strlen(cases[i].line));
        bool good = smtp_bdat_size(g.p, g.len, &octets, &last);
        if (good != cases[i].good) {
            fail_msg("%s", cases[i].line);
        }
        if (good) {
            assert_int_equal(octets, cases[i].octets);
            assert_int_equal(last, cases[i].last);
        }
        guarded_free(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_exact_and_empty),
        cmocka_unit_test(test_refused_in_the_middle),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_lmtp_answers_for_each),
        cmocka_unit_test(test_xclient_begins_anew),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
