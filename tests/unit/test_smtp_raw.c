/* Exact bytes: what goes out, what is told of it, and what the state makes of the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scripted.h"

#define CANARY "CanaryPass77"
#define CANARY64 "Q2FuYXJ5UGFzczc3"
#define USER64 "dXNlckBleGFtcGxlLmNvbQ=="
#define PLAIN64 "AHVzZXJAZXhhbXBsZS5jb20AQ2FuYXJ5UGFzczc3"

static SSL_CTX *context;
static const struct tls_config config = {.name = "mx.example"};
static const char *const never_told[] = {CANARY, CANARY64, PLAIN64, "DYW5hcnlQYXNz"};

static struct talk *begin(const struct act *script)
{
    struct talk *t = talk_new(script);
    t->w.ctx = context;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    return t;
}

static void finish(struct talk *t)
{
    for (size_t i = 0; i < ARRAY_LEN(never_told); i++) {
        assert_not_told(t, never_told[i]);
    }
    talk_done(t);
}

static enum status raw_bytes(struct talk *t, const char *p, size_t len, unsigned flags)
{
    struct guarded g = guarded_copy(p, len);
    t->error.text[0] = '\0';
    enum status st = smtp_raw(&t->s, g.p, g.len, flags, &t->error);
    guarded_free(&g);
    return st;
}

/* Sends, and waits for what is answered. Returns the last code. */
static int raw(struct talk *t, const char *p)
{
    int code = 0;
    if (raw_bytes(t, p, strlen(p), 0) != ST_OK) {
        fail_msg("%s\n%s", t->error.text, buf_str(&t->ear.log));
    }
    assert_int_equal(smtp_settle(&t->s, 1000, &code), ST_OK);
    return code;
}

static int type(struct talk *t, const char *line)
{
    bool expects = false;
    if (smtp_typed(&t->s, line, strlen(line), &config, &t->reply, &expects, &t->error) != ST_OK) {
        fail_msg("%s: %s\n%s", line, t->error.text, buf_str(&t->ear.log));
    }
    return expects ? t->reply.code : 0;
}

static void test_whole_lines_keep_the_state(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("EHLO a.example"),
                                        GIVE("250-x\r\n250-PIPELINING\r\n250 SIZE 9"),
                                        EXPECT_RAW("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
                                        GIVE("250 a\r\n250 b\r\n354 c"),
                                        EXPECT_RAW("Subject: x\r\n\r\n"),
                                        EXPECT_RAW(".\r\n"),
                                        GIVE("250 queued"),
                                        EXPECT("NOOP"),
                                        GIVE("250 ok"),
                                        STOP};
    struct talk *t = begin(script);
    assert_int_equal(raw(t, "EHLO a.example\r\n"), 250);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_true(caps_has(&t->s.caps, CAP_SIZE));
    assert_int_equal(raw(t, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"), 354);
    assert_int_equal(t->s.state, SMTP_TEXT);
    assert_int_equal(t->s.recipients, 1);
    assert_int_equal(raw(t, "Subject: x\r\n\r\n"), 0);
    assert_int_equal(raw(t, ".\r\n"), 250);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_false(t->s.unsure);
    assert_true(smtp_is_fit(&t->s));
    assert_int_equal(type(t, "NOOP"), 250);
    /* Nothing of it was against the rules. */
    assert_null(strchr(buf_str(&t->ear.lines), '!'));
    assert_told(t, "C# RCPT TO:<c@d>\n");
    finish(t);
}

static void test_a_whole_mail_in_one_packet(void **state)
{
    (void)state;
    static const struct act script[] = {
        GIVE("220 x"),
        EXPECT("EHLO a"),
        GIVE("250 x"),
        EXPECT_RAW("MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\nhello\r\n.\r\nNOOP\r\n"),
        GIVE("250 a\r\n250 b\r\n354 c\r\n250 queued\r\n250 noop"),
        STOP};
    struct talk *t = begin(script);
    raw(t, "EHLO a\r\n");
    assert_int_equal(raw(t, "MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\nhello\r\n.\r\nNOOP\r\n"),
                     250);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_int_equal(t->s.owed, 0);
    assert_false(t->s.unsure);
    /* Grouped without the offer: told as against the rules, and none of the server's lines is. */
    assert_told(t, "C!# RCPT TO:<c@d>\n");
    assert_told(t, "S 250 queued\n");
    finish(t);
}

/* The text of a message that was refused is a row of commands to the server. */
static void test_refused_text(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("EHLO a"),
                                        GIVE("250 x"),
                                        EXPECT_RAW("DATA\r\nhello\r\n.\r\n"),
                                        GIVE("503 no\r\n500 what\r\n500 what"),
                                        EXPECT("NOOP"),
                                        GIVE("250 fine"),
                                        STOP};
    struct talk *t = begin(script);
    raw(t, "EHLO a\r\n");
    assert_int_equal(raw(t, "DATA\r\nhello\r\n.\r\n"), 500);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_false(smtp_is_fit(&t->s));
    assert_int_equal(type(t, "NOOP"), 250);
    assert_string_equal(buf_str(&t->reply.text), "250 fine");
    finish(t);
}

static void test_odd_bytes(void **state)
{
    (void)state;
    static const char bytes[] = "NOOP\nNO\0OP\r\nRS\rET\r\n";
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("EHLO a"),
                                        GIVE("250 x"),
                                        {OP_EXPECT, bytes, sizeof(bytes) - 1, 0},
                                        GIVE("250 1\r\n500 2\r\n500 3"),
                                        EXPECT("NOOP"),
                                        GIVE("250 4"),
                                        STOP};
    struct talk *t = begin(script);
    int code;
    raw(t, "EHLO a\r\n");
    assert_int_equal(raw_bytes(t, bytes, sizeof(bytes) - 1, 0), ST_OK);
    assert_int_equal(smtp_settle(&t->s, 1000, &code), ST_OK);
    assert_told(t, "C!# NOOP\\n\n");
    assert_told(t, "C!# NO\\0OP\\r\\n\n");
    assert_told(t, "C!# RS\\rET\\r\\n\n");
    /* More replies than lines are no fault of the server's here. */
    assert_told(t, "S 500 3\n");
    assert_int_equal(t->s.unasked, 0);
    assert_false(smtp_is_fit(&t->s));
    assert_int_equal(type(t, "NOOP"), 250);
    assert_string_equal(buf_str(&t->reply.text), "250 4");
    finish(t);
}

static void test_pieces_of_a_line(void **state)
{
    (void)state;
    static const struct act script[] = {
        GIVE("220 x"),        EXPECT_RAW("EH"), EXPECT_RAW("LO a\r"),
        EXPECT_RAW("\n"),     GIVE("250 x"),    EXPECT_RAW("NO"),
        EXPECT_RAW("OP\r\n"), GIVE("250 ok"),   STOP};
    struct talk *t = begin(script);
    assert_int_equal(raw_bytes(t, "EH", 2, 0), ST_OK);
    assert_false(smtp_is_fit(&t->s));
    assert_int_equal(raw_bytes(t, "LO a\r", 5, 0), ST_OK);
    assert_int_equal(raw(t, "\n"), 250);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_true(smtp_is_fit(&t->s));
    assert_int_equal(raw_bytes(t, "NO", 2, 0), ST_OK);
    /* A typed line ends the one that was begun. */
    assert_int_equal(type(t, "OP"), 0);
    int code;
    assert_int_equal(smtp_settle(&t->s, 1000, &code), ST_OK);
    assert_int_equal(code, 250);
    assert_told(t, "C!# EH\n");
    assert_told(t, "C!# LO a\\r\n");
    finish(t);
}

static void test_before_the_greeting(void **state)
{
    (void)state;
    static const struct act script[] = {EXPECT("EHLO early"), GIVE("220 x\r\n250 hello"),
                                        EXPECT("NOOP"), GIVE("250 ok"), STOP};
    struct talk *t = talk_new(script);
    smtp_expect_greeting(&t->s);
    assert_int_equal(raw(t, "EHLO early\r\n"), 250);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_told(t, "C!# EHLO early\n");
    assert_told(t, "S 220 x\n");
    assert_int_equal(type(t, "NOOP"), 250);
    finish(t);
}

/* A greeting that nobody waited for is told by itself, and still found by who wants it. */
static void test_the_greeting_comes_by_itself(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"), STOP};
    struct talk *t = talk_new(script);
    int code;
    smtp_expect_greeting(&t->s);
    assert_int_equal(smtp_settle(&t->s, 1000, &code), ST_OK);
    assert_int_equal(code, 220);
    assert_int_equal(t->s.state, SMTP_GREETED);
    finish(t);
    t = talk_new(script);
    smtp_expect_greeting(&t->s);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 220);
    assert_int_equal(t->s.state, SMTP_GREETED);
    finish(t);
}

static void test_login_in_one_packet(void **state)
{
    (void)state;
    static const struct act script[] = {
        GIVE("220 x"),
        EXPECT_RAW("AUTH LOGIN\r\n" USER64 "\r\n" CANARY64 "\r\n"),
        GIVE("334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok, " CANARY " and " CANARY64),
        EXPECT("MAIL FROM:<user@example.com>"),
        GIVE("250 ok"),
        STOP};
    struct talk *t = begin(script);
    assert_int_equal(raw(t, "AUTH LOGIN\r\n" USER64 "\r\n" CANARY64 "\r\n"), 235);
    assert_true(t->s.authenticated);
    assert_int_equal(t->s.state, SMTP_GREETED);
    assert_told(t, "AUTH LOGIN\n");
    /* The user's name stays readable where it stands in an address. */
    type(t, "MAIL FROM:<user@example.com>");
    assert_told(t, "MAIL FROM:<user@example.com>");
    finish(t);
}

static void test_login_by_odd_ways(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "AUTH PLAIN " PLAIN64 "\r\n",         "NOOP\nAUTH PLAIN " PLAIN64 "\n",
        "NOOP\rAUTH PLAIN " PLAIN64 "\r\n",   " \tauth plain " PLAIN64 "\r\n",
        "DATA\r\nAUTH PLAIN " PLAIN64 "\r\n", "AUTH " PLAIN64 "\r\n",
        "AUTH PLAIN\r\n\r\n" PLAIN64 "\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const struct act script[] = {GIVE("220 x"),
                                     {OP_EXPECT, ways[i], strlen(ways[i]), 0},
                                     GIVE("535 " CANARY " " CANARY64 " " PLAIN64),
                                     STOP};
        struct talk *t = begin(script);
        assert_int_equal(raw(t, ways[i]), 535);
        assert_told(t, "<hidden ");
        finish(t);
    }
}

static void test_login_in_pieces(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT_RAW("AU"),
                                        EXPECT_RAW("TH PLAIN AHVzZX"),
                                        EXPECT_RAW("JAZXhhbXBsZS5jb20AQ2FuYXJ5UGFzczc3\r\n"),
                                        GIVE("535 you said " PLAIN64),
                                        EXPECT_RAW("AUTH LOGIN\r\n"),
                                        GIVE("334 VXNlcm5hbWU6"),
                                        EXPECT_RAW("*\r\n"),
                                        GIVE("501 stopped"),
                                        EXPECT_RAW("AUTH CRAM-MD5\r\n"),
                                        GIVE("334 PDEyPg=="),
                                        EXPECT_RAW(CANARY64 "\r\n"),
                                        GIVE("535 no " CANARY),
                                        EXPECT_RAW(CANARY "\r\n"),
                                        GIVE("500 " CANARY "?"),
                                        STOP};
    struct talk *t = begin(script);
    assert_int_equal(raw_bytes(t, "AU", 2, 0), ST_OK);
    assert_int_equal(raw_bytes(t, "TH PLAIN AHVzZX", 15, 0), ST_OK);
    assert_not_told(t, "AHVz");
    assert_int_equal(raw(t, "JAZXhhbXBsZS5jb20AQ2FuYXJ5UGFzczc3\r\n"), 535);
    assert_not_told(t, "JAZXhh");
    assert_int_equal(raw(t, "AUTH LOGIN\r\n"), 334);
    assert_int_equal(t->s.state, SMTP_CONTINUATION);
    assert_told(t, "Username:");
    assert_int_equal(raw(t, "*\r\n"), 501);
    assert_told(t, "C# *\n");
    assert_int_equal(t->s.state, SMTP_GREETED);
    assert_int_equal(raw(t, "AUTH CRAM-MD5\r\n"), 334);
    assert_int_equal(raw(t, CANARY64 "\r\n"), 535);
    /* What is typed behind a login that failed may still be meant for it. */
    assert_int_equal(raw(t, CANARY "\r\n"), 500);
    finish(t);
}

/* Many servers take a bare LF for the end of AUTH, and nobody may wait for their question. */
static void test_login_by_line_feeds(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"), EXPECT_RAW("AUTH LOGIN\n"),
                                        EXPECT_RAW(USER64 "\n"), EXPECT_RAW(CANARY64 "\n"),
                                        GIVE("535 no"), STOP};
    struct talk *t = begin(script);
    assert_int_equal(raw_bytes(t, "AUTH LOGIN\n", 11, 0), ST_OK);
    assert_int_equal(raw_bytes(t, USER64 "\n", strlen(USER64) + 1, 0), ST_OK);
    assert_int_equal(raw(t, CANARY64 "\n"), 535);
    assert_not_told(t, USER64);
    assert_not_told(t, CANARY64);
    finish(t);
}

/* The octets of a typed BDAT may be exact bytes, and a login behind them is still one. */
static void test_octets_of_a_chunk(void **state)
{
    (void)state;
    static const struct act script[] = {
        GIVE("220 x"),
        EXPECT("BDAT 6 LAST"),
        EXPECT_RAW(".\r\nab"),
        EXPECT_RAW("xAU"),
        EXPECT_RAW("TH PLAIN " PLAIN64 "\r\n"),
        GIVE("250 taken\r\n535 no"),
        STOP};
    struct talk *t = begin(script);
    type(t, "BDAT 6 LAST");
    assert_int_equal(raw_bytes(t, ".\r\nab", 5, 0), ST_OK);
    assert_int_equal(t->s.state, SMTP_TEXT);
    assert_int_equal(t->s.chunk_left, 1);
    assert_int_equal(raw_bytes(t, "xAU", 3, 0), ST_OK);
    assert_int_equal(t->s.chunk_left, 0);
    assert_int_equal(raw(t, "TH PLAIN " PLAIN64 "\r\n"), 535);
    assert_true(t->s.unsure);
    assert_not_told(t, PLAIN64);
    assert_not_told(t, "not sent");
    finish(t);
}

static void test_hidden_by_wish(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"), EXPECT("X-LOGIN " CANARY),
                                        GIVE("500 X-LOGIN " CANARY "?"), STOP};
    struct talk *t = begin(script);
    int code;
    assert_int_equal(raw_bytes(t, "X-LOGIN " CANARY "\r\n", 22, SMTP_RAW_HIDDEN), ST_OK);
    assert_int_equal(smtp_settle(&t->s, 1000, &code), ST_OK);
    assert_told(t, "<hidden 20 bytes>");
    finish(t);
}

/* A message whose end only the server sees: smuggling, and what protects against it. */
static void test_the_end_that_only_the_server_sees(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("EHLO a"),
                                        GIVE("250 x"),
                                        EXPECT("DATA"),
                                        GIVE("354 go"),
                                        EXPECT_RAW("one\n.\nMAIL FROM:<x@y>\r\n"),
                                        GIVE("250 queued\r\n250 mail"),
                                        STOP};
    struct talk *t = begin(script);
    raw(t, "EHLO a\r\n");
    assert_int_equal(type(t, "DATA"), 354);
    assert_int_equal(raw_bytes(t, "one\n.\nMAIL FROM:<x@y>\r\n", 23, 0), ST_OK);
    advance(&t->w);
    assert_int_equal(smtp_listen(&t->s), ST_OK);
    assert_int_not_equal(t->s.state, SMTP_TEXT);
    assert_false(smtp_is_fit(&t->s));
    assert_told(t, "C!# .\\n\n");
    finish(t);
}

static void test_handshake_behind_injected_commands(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("EHLO a"),
                                        GIVE("250-x\r\n250 STARTTLS"),
                                        EXPECT_RAW("STARTTLS\r\n"),
                                        GIVE("220 go"),
                                        START_TLS,
                                        EXPECT("EHLO a"),
                                        GIVE("250 x"),
                                        STOP};
    struct talk *t = begin(script);
    raw(t, "EHLO a\r\n");
    assert_int_equal(raw(t, "STARTTLS\r\n"), 220);
    assert_false(t->s.tls);
    assert_int_equal(smtp_handshake(&t->s, &config, &t->error), ST_OK);
    assert_true(t->s.tls);
    assert_int_equal(t->s.caps.count, 0);
    assert_int_equal(smtp_handshake(&t->s, &config, &t->error), ST_INVALID);
    assert_int_equal(raw(t, "EHLO a\r\n"), 250);
    assert_int_equal(t->s.state, SMTP_READY);
    finish(t);
}

static void test_nothing_without_a_connection(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"), STOP};
    struct talk *t = begin(script);
    char *big = calloc(1, SMTP_RAW_MAX + 1);
    assert_non_null(big);
    assert_int_equal(raw_bytes(t, big, SMTP_RAW_MAX + 1, 0), ST_INVALID);
    assert_int_equal(raw_bytes(t, "", 0, 0), ST_OK);
    smtp_close(&t->s, ST_OK);
    assert_int_equal(raw_bytes(t, "NOOP\r\n", 6, 0), ST_EOF);
    assert_int_equal(smtp_half_close(&t->s, &t->error), ST_EOF);
    assert_int_equal(smtp_handshake(&t->s, &config, &t->error), ST_EOF);
    free(big);
    talk_free(t);
}

static void test_quit_and_the_end(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("220 x"), EXPECT_RAW("QUIT\r\nNOOP\r\n"),
                                        GIVE("221 bye"), END, STOP};
    struct talk *t = begin(script);
    int code = 0;
    assert_int_equal(raw_bytes(t, "QUIT\r\nNOOP\r\n", 12, 0), ST_OK);
    assert_int_equal(smtp_settle(&t->s, 1000, &code), ST_OK);
    assert_int_equal(code, 221);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);
}

static int set_up(void **state)
{
    (void)state;
    context = server_context(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    SSL_CTX_free(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_lines_keep_the_state),
        cmocka_unit_test(test_a_whole_mail_in_one_packet),
        cmocka_unit_test(test_refused_text),
        cmocka_unit_test(test_odd_bytes),
        cmocka_unit_test(test_pieces_of_a_line),
        cmocka_unit_test(test_before_the_greeting),
        cmocka_unit_test(test_the_greeting_comes_by_itself),
        cmocka_unit_test(test_login_in_one_packet),
        cmocka_unit_test(test_login_by_odd_ways),
        cmocka_unit_test(test_login_in_pieces),
        cmocka_unit_test(test_login_by_line_feeds),
        cmocka_unit_test(test_octets_of_a_chunk),
        cmocka_unit_test(test_hidden_by_wish),
        cmocka_unit_test(test_the_end_that_only_the_server_sees),
        cmocka_unit_test(test_handshake_behind_injected_commands),
        cmocka_unit_test(test_nothing_without_a_connection),
        cmocka_unit_test(test_quit_and_the_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
