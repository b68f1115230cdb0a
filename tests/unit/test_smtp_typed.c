/* The hand-made session: state, caps and security follow what is typed, and secrets stay hidden. */
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
static const char *const never_told[] = {CANARY, CANARY64, PLAIN64, "43616e617279",
                                         "DYW5hcnlQYXNz"};

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
        assert_false(bytes_hold(&t->reply.text, never_told[i], strlen(never_told[i])));
    }
    talk_done(t);
}

static enum status type_bytes(struct talk *t, const char *line, size_t len, bool *expects)
{
    struct guarded g = guarded_copy(line, len);
    t->error.text[0] = '\0';
    enum status st = smtp_typed(&t->s, g.p, g.len, &config, &t->reply, expects, &t->error);
    assert_true(st == ST_OK || t->error.text[0] != '\0');
    guarded_free(&g);
    return st;
}

/* Types a line that gets a reply with this code. */
static void type(struct talk *t, const char *line, int code)
{
    bool expects = false;
    enum status st = type_bytes(t, line, strlen(line), &expects);
    if (st != ST_OK) {
        fail_msg("%s: %s\n%s", status_name(st), t->error.text, buf_str(&t->ear.log));
    }
    assert_true(expects);
    assert_int_equal(t->reply.code, code);
}

static void test_session(void **state)
{
    (void)state;
    static const struct act script[] = {
        GIVE("220 mx.example"),
        EXPECT("ehlo probe.example"),
        GIVE("250-mx.example\r\n250-STARTTLS\r\n250 SIZE 9"),
        EXPECT("STARTTLS"),
        GIVE("220 go"),
        START_TLS,
        EXPECT("EHLO probe.example"),
        GIVE("250-mx.example\r\n250 AUTH LOGIN PLAIN"),
        EXPECT("AUTH LOGIN"),
        GIVE("334 VXNlcm5hbWU6"),
        EXPECT(USER64),
        GIVE("334 UGFzc3dvcmQ6"),
        EXPECT(CANARY64),
        GIVE("235 2.7.0 ok"),
        EXPECT("MAIL FROM:<user@example.com>"),
        GIVE("250 ok"),
        EXPECT("RCPT TO:<x@y>"),
        GIVE("250 ok"),
        EXPECT("RSET"),
        GIVE("250 ok"),
        EXPECT("mail from:<user@example.com>"),
        GIVE("250 ok"),
        EXPECT("RCPT TO:<x@y>"),
        GIVE("250 ok"),
        EXPECT("DATA"),
        GIVE("354 go"),
        EXPECT("Subject: by hand\r\n\r\n.dotted\r\n..\r\nEHLO is text\r\n."),
        GIVE("250 queued"),
        EXPECT("NONSENSE x"),
        GIVE("500 what"),
        EXPECT("QUIT"),
        GIVE("221 bye"),
        STOP};
    struct talk *t = begin(script);
    bool expects = true;
    type(t, "ehlo probe.example", 250);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_int_equal(t->s.caps.size, 9);
    type(t, "STARTTLS", 220);
    assert_true(t->s.tls);
    assert_int_equal(t->s.state, SMTP_GREETED);
    assert_int_equal(t->s.caps.count, 0);
    type(t, "EHLO probe.example", 250);
    assert_true(caps_has_mech(&t->s.caps, "LOGIN"));
    type(t, "AUTH LOGIN", 334);
    assert_int_equal(t->s.state, SMTP_CONTINUATION);
    type(t, USER64, 334);
    assert_int_equal(t->s.state, SMTP_CONTINUATION);
    type(t, CANARY64, 235);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_true(t->s.authenticated);
    type(t, "MAIL FROM:<user@example.com>", 250);
    assert_int_equal(t->s.state, SMTP_MAIL);
    type(t, "RCPT TO:<x@y>", 250);
    assert_int_equal(t->s.state, SMTP_RCPT);
    type(t, "RSET", 250);
    assert_int_equal(t->s.state, SMTP_READY);
    type(t, "mail from:<user@example.com>", 250);
    type(t, "RCPT TO:<x@y>", 250);
    type(t, "DATA", 354);
    assert_int_equal(t->s.state, SMTP_TEXT);
    static const char *const text[] = {"Subject: by hand", "", ".dotted", "..", "EHLO is text"};
    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        assert_int_equal(type_bytes(t, text[i], strlen(text[i]), &expects), ST_OK);
        assert_false(expects);
        assert_int_equal(t->s.state, SMTP_TEXT);
        assert_int_equal(t->reply.line_count, 0);
    }
    type(t, ".", 250);
    assert_int_equal(t->s.state, SMTP_READY);
    type(t, "NONSENSE x", 500);
    type(t, "QUIT", 221);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_int_equal(t->s.closed_by, ST_OK);
    assert_int_equal(type_bytes(t, "NOOP", 4, &expects), ST_EOF);
    assert_told(t, "C*# AUTH LOGIN\n");
    assert_told(t, "N* The server asks: Username:\n");
    assert_told(t, "C*~# <hidden 24 bytes>\n");
    assert_told(t, "N* The server asks: Password:\n");
    assert_told(t, "C*~# <hidden 16 bytes>\n");
    /* The user name is no secret: addresses have to be readable. */
    assert_told(t, "C*# MAIL FROM:<user@example.com>\n");
    assert_told(t, "C*# .dotted\nC*# ..\nC*# EHLO is text\nC*# .\n");
    finish(t);
}

static void test_auth_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line, *told;
    } cases[] = {
        {"AUTH PLAIN " PLAIN64, "C~# AUTH PLAIN <hidden 40 bytes>\n"},
        {"auth plain " PLAIN64, "C~# auth plain <hidden 40 bytes>\n"},
        {"  AUTH\tPLAIN\t " PLAIN64 " ", "C~#   AUTH\tPLAIN\t<hidden 42 bytes>\n"},
        {"AUTH PLAIN \t" PLAIN64 " x", "C~# AUTH PLAIN <hidden 43 bytes>\n"},
        {"AUTH " PLAIN64, "C~# AUTH <hidden 40 bytes>\n"},
        {"AUTH " CANARY64, "C~# AUTH <hidden 16 bytes>\n"},
        {"AUTH " CANARY, "C~# AUTH <hidden 12 bytes>\n"},
        {"AUTH plain=" PLAIN64, "C~# AUTH <hidden 46 bytes>\n"},
        {"AUTH LOGIN " CANARY64, "C~# AUTH LOGIN <hidden 16 bytes>\n"},
        {"AUTH NTLM " CANARY64, "C~# AUTH NTLM <hidden 16 bytes>\n"},
        {"AUTH SCRAM-SHA-512 " CANARY64, "C~# AUTH SCRAM-SHA-512 <hidden 16 bytes>\n"},
        {"AUTH EXTERNAL =", "C# AUTH EXTERNAL =\n"},
        {"AUTH EXTERNAL = " CANARY, "C~# AUTH EXTERNAL <hidden 14 bytes>\n"},
        {"AUTH DIGEST-MD5", "C# AUTH DIGEST-MD5\n"},
        {"AUTH", "C# AUTH\n"},
        {"AUTH ", "C# AUTH \n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char wire[128];
        snprintf(wire, sizeof(wire), "%s\r\n", cases[i].line);
        /* The server says it all back. */
        const struct act script[] = {GIVE("220 x"),
                                     {OP_EXPECT, wire, strlen(wire), 0},
                                     GIVE("535-" PLAIN64 "\r\n535 " CANARY " " CANARY64),
                                     EXPECT("QUIT"),
                                     GIVE("221 x"),
                                     STOP};
        struct talk *t = begin(script);
        bool secret = strstr(cases[i].line, CANARY64) != NULL ||
                      strstr(cases[i].line, CANARY) != NULL ||
                      strstr(cases[i].line, PLAIN64) != NULL;
        bool named = strstr(cases[i].line, "LOGIN") != NULL;
        bool expects;
        assert_int_equal(type_bytes(t, cases[i].line, strlen(cases[i].line), &expects), ST_OK);
        assert_told(t, cases[i].told);
        smtp_quit(&t->s);
        if (secret && !named && strstr(cases[i].line, PLAIN64) != NULL) {
            finish(t);
            continue;
        }
        if (secret) {
            assert_not_told(t, "C~# " CANARY);
            assert_not_told(t, " " CANARY64 "\n");
        }
        talk_done(t);
    }
}

static void test_wrong_answers(void **state)
{
    (void)state;
    /* The password as it is, where base64 was wanted; the star; what is typed after a refusal. */
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("AUTH LOGIN"),
                                        GIVE("334 VXNlcm5hbWU6"),
                                        EXPECT("*"),
                                        GIVE("501 ok"),
                                        EXPECT("AUTH LOGIN"),
                                        GIVE("334 UGFzc3dvcmQ6"),
                                        EXPECT(CANARY),
                                        GIVE("535 " CANARY " " CANARY64),
                                        EXPECT(CANARY64),
                                        GIVE("500 " CANARY64 "?"),
                                        EXPECT("MIAL FROM:<a@b>"),
                                        GIVE("500 what"),
                                        EXPECT("word"),
                                        GIVE("500 what"),
                                        EXPECT("AUTH PLAIN"),
                                        GIVE("503 no"),
                                        EXPECT("help"),
                                        GIVE("214 x"),
                                        EXPECT("lonely"),
                                        GIVE("500 what"),
                                        STOP};
    struct talk *t = begin(script);
    type(t, "AUTH LOGIN", 334);
    type(t, "*", 501);
    assert_int_equal(t->s.state, SMTP_GREETED);
    type(t, "AUTH LOGIN", 334);
    type(t, CANARY, 535);
    type(t, CANARY64, 500);
    type(t, "MIAL FROM:<a@b>", 500);
    type(t, "word", 500);
    type(t, "AUTH PLAIN", 503);
    type(t, "help", 214);
    type(t, "lonely", 500);
    assert_told(t, "C# *\n");
    assert_told(t, "C~# <hidden 12 bytes>\n");
    assert_told(t, "S~ 535 <hidden 12 bytes> <hidden 16 bytes>\n");
    assert_told(t, "C~# <hidden 16 bytes>\n");
    assert_told(t, "C# MIAL FROM:<a@b>\n");
    assert_told(t, "C# word\n");
    assert_told(t, "C# lonely\n");
    finish(t);
}

static void test_other_mechanisms(void **state)
{
    (void)state;
    /* CRAM-MD5 by hand, and what the server knows of it. */
    static const struct act cram[] = {
        GIVE("220 x"),
        EXPECT("AUTH CRAM-MD5"),
        GIVE("334 PDEyM0BteD4="),
        EXPECT("dXNlciBiMWZiZTI2MjdkYmNlODYwZTczNWRmYzc3MjhlYzk2Ng=="),
        GIVE("535 user b1fbe2627dbce860e735dfc7728ec966"),
        STOP};
    struct talk *t = begin(cram);
    type(t, "AUTH CRAM-MD5", 334);
    type(t, "dXNlciBiMWZiZTI2MjdkYmNlODYwZTczNWRmYzc3MjhlYzk2Ng==", 535);
    assert_told(t, "N The server asks: <123@mx>\n");
    assert_told(t, "C~# <hidden 52 bytes>\n");
    assert_not_told(t, "b1fbe262");
    talk_done(t);

    /* user=u^Aauth=Bearer CanaryPass77^A^A */
    static const struct act oauth[] = {
        GIVE("220 x"),
        EXPECT("AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIENhbmFyeVBhc3M3NwEB"),
        GIVE("334 eyJlIjoiMSJ9"),
        EXPECT(""),
        GIVE("535 token " CANARY),
        STOP};
    t = begin(oauth);
    type(t, "AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIENhbmFyeVBhc3M3NwEB", 334);
    type(t, "", 535);
    assert_told(t, "N The server asks: {\"e\":\"1\"}\n");
    assert_told(t, "S~ 535 token <hidden 12 bytes>\n");
    finish(t);

    /* The signature of SCRAM lets a reader try passwords. */
    static const struct act scram[] = {GIVE("220 x"), EXPECT("AUTH SCRAM-SHA-1 biwsbj11LHI9eA=="),
                                       GIVE("334 dj0zL2V0MExhYm82YzUyV0YxbGRlb3RHTXphSzg9"), STOP};
    t = begin(scram);
    type(t, "AUTH SCRAM-SHA-1 biwsbj11LHI9eA==", 334);
    assert_told(t, "S~ 334 <hidden 40 bytes>\n");
    assert_not_told(t, "v=");
    assert_false(bytes_hold(&t->reply.text, "dj0z", 4));
    talk_done(t);

    /* A challenge that is no text is not shown decoded. */
    static const struct act binary[] = {GIVE("220 x"), EXPECT("AUTH NTLM"), GIVE("334 AAECAwQ="),
                                        STOP};
    t = begin(binary);
    type(t, "AUTH NTLM", 334);
    assert_not_told(t, "asks");
    talk_done(t);
}

static void test_password_asked_first(void **state)
{
    (void)state;
    /* Only an answer to a question for the user is taken for a name. */
    static const struct act script[] = {GIVE("220 x"),
                                        EXPECT("AUTH LOGIN"),
                                        GIVE("334 UGFzc3dvcmQ6"),
                                        EXPECT(CANARY64),
                                        GIVE("535 " CANARY " is no good"),
                                        STOP};
    struct talk *t = begin(script);
    type(t, "AUTH LOGIN", 334);
    type(t, CANARY64, 535);
    finish(t);
}

static void test_starttls(void **state)
{
    (void)state;
    bool expects;
    static const struct act injected[] = {GIVE("220 x"), EXPECT("starttls"),
                                          GIVE("220 go\r\n250 evil"), STOP};
    struct talk *t = begin(injected);
    assert_int_equal(type_bytes(t, "starttls", 8, &expects), ST_PROTO);
    assert_int_equal(t->reply.code, 220);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_told(t, "S! 250 evil\n");
    talk_done(t);

    static const struct act quiet[] = {GIVE("220 x"), STOP};
    t = begin(quiet);
    assert_int_equal(smtp_typed(&t->s, "STARTTLS", 8, NULL, &t->reply, &expects, &t->error),
                     ST_INVALID);
    assert_int_equal(t->w.writes, 0);
    talk_done(t);

    static const struct act refused[] = {GIVE("220 x"), EXPECT("STARTTLS now"), GIVE("501 no"),
                                         STOP};
    t = begin(refused);
    type(t, "STARTTLS now", 501);
    assert_false(t->s.tls);
    talk_done(t);

    static const struct act nested[] = {GIVE("220 x"),      EXPECT("STARTTLS"),  GIVE("220 go"),
                                        START_TLS,          EXPECT("STARTTLS"),  GIVE("503 no"),
                                        EXPECT("STARTTLS"), GIVE("220 why not"), STOP};
    t = begin(nested);
    type(t, "STARTTLS", 220);
    type(t, "STARTTLS", 503);
    assert_true(t->s.tls);
    type(t, "STARTTLS", 220);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_int_equal(t->s.closed_by, ST_PROTO);
    talk_done(t);
}

static void test_raw_lines(void **state)
{
    (void)state;
    bool expects;
    static const struct act script[] = {
        GIVE("220 x"),          EXPECT_RAW("NO\0OP \xff\x1b[2J\r\n"),
        GIVE("500 what"),       EXPECT(""),
        GIVE("500 nothing"),    EXPECT("BDAT 5 LAST"),
        GIVE("503 first MAIL"), STOP};
    struct talk *t = begin(script);
    assert_int_equal(type_bytes(t, "NO\0OP \xff\x1b[2J", 11, &expects), ST_OK);
    type(t, "", 500);
    /* Its octets are typed next; a server that does not want them says so before. */
    assert_int_equal(type_bytes(t, "BDAT 5 LAST", 11, &expects), ST_OK);
    assert_false(expects);
    assert_int_equal(t->s.state, SMTP_TEXT);
    assert_int_equal(smtp_listen(&t->s), ST_OK);
    assert_int_not_equal(t->s.state, SMTP_TEXT);
    static const char *const bad[] = {"a\rb", "a\nb", "\r\n.\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(type_bytes(t, bad[i], strlen(bad[i]), &expects), ST_INVALID);
    }
    char *big = malloc(SMTP_RAW_MAX + 1);
    assert_non_null(big);
    memset(big, 'x', SMTP_RAW_MAX + 1);
    assert_int_equal(type_bytes(t, big, SMTP_RAW_MAX + 1, &expects), ST_INVALID);
    memcpy(big, "AUTH PLAIN ", 11);
    assert_int_equal(type_bytes(t, big, SMTP_RAW_MAX, &expects), ST_INVALID);
    assert_int_equal(t->w.writes, 3);
    free(big);
    talk_done(t);
}

/* A secret that is longer than any that we keep is still hidden, on both ways. */
static void test_long_secret(void **state)
{
    (void)state;
    static char line[SMTP_SECRET_MAX + 1], wire[SMTP_SECRET_MAX + 3];
    memset(line, '!', SMTP_SECRET_MAX);
    snprintf(wire, sizeof(wire), "%s\r\n", line);
    const struct act script[] = {GIVE("220 x"),
                                 EXPECT("AUTH LOGIN"),
                                 GIVE("334 UGFzc3dvcmQ6"),
                                 {OP_EXPECT, wire, SMTP_SECRET_MAX + 2, 0},
                                 GIVE("535 no"),
                                 STOP};
    struct talk *t = begin(script);
    type(t, "AUTH LOGIN", 334);
    type(t, line, 535);
    assert_not_told(t, "!!!!");
    talk_done(t);
}

/* A41: the 334 that comes after a cancel makes the next typed line a password. */
static void test_cancelled_login(void **state)
{
    (void)state;
    bool expects;
    static const struct act script[] = {GIVE("220 x"), EXPECT("AUTH LOGIN"),
                                        WAIT(10),      CANCEL(CANCEL_POLITE),
                                        WAIT(10),      GIVE("334 UGFzc3dvcmQ6"),
                                        EXPECT("Y2FuYXJ5LXBhc3M="),
                                        GIVE("535 not Y2FuYXJ5LXBhc3M="),
                                        STOP};
    struct talk *t = begin(script);
    assert_int_equal(type_bytes(t, "AUTH LOGIN", 10, &expects), ST_CANCELLED);
    cancel_ack(&t->w.cancel, CANCEL_POLITE);
    t->w.now_us += 20 * US_PER_MS;
    type(t, "Y2FuYXJ5LXBhc3M=", 535);
    assert_told(t, "C~# <hidden 16 bytes>\n");
    assert_not_told(t, "Y2FuYXJ5LXBhc3M=");
    talk_done(t);
}

static void test_lost_and_stopped(void **state)
{
    (void)state;
    bool expects;
    static const struct act lost[] = {GIVE("220 x"), EXPECT("NOOP"), END, STOP};
    struct talk *t = begin(lost);
    assert_int_equal(type_bytes(t, "NOOP", 4, &expects), ST_EOF);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);

    static const struct act stopped[] = {
        GIVE("220 x"),     EXPECT("DATA"), GIVE("354 go"),        ROOM(3),
        EXPECT_RAW("one"), WAIT(10),       CANCEL(CANCEL_POLITE), STOP};
    t = begin(stopped);
    type(t, "DATA", 354);
    assert_int_equal(type_bytes(t, "one line", 8, &expects), ST_CANCELLED);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);

    static const struct act before[] = {GIVE("220 x"), EXPECT("DATA"), GIVE("354 go"), STOP};
    t = begin(before);
    type(t, "DATA", 354);
    cancel_request(&t->w.cancel, CANCEL_POLITE);
    assert_int_equal(type_bytes(t, "one line", 8, &expects), ST_CANCELLED);
    assert_int_equal(t->s.state, SMTP_TEXT);
    talk_done(t);

    static const struct act broken[] = {GIVE("220 x"), EXPECT("DATA"), GIVE("354 go"), DEAF, STOP};
    t = begin(broken);
    type(t, "DATA", 354);
    assert_int_equal(type_bytes(t, "one line", 8, &expects), ST_RESET);
    assert_int_equal(t->s.closed_by, ST_RESET);
    talk_done(t);

    /* The server gives up in the middle of the text. */
    static const struct act timeout[] = {GIVE("220 x"),
                                         EXPECT("DATA"),
                                         GIVE("354 go"),
                                         EXPECT("one"),
                                         GIVE("421 too slow"),
                                         END,
                                         DEAF,
                                         STOP};
    t = begin(timeout);
    type(t, "DATA", 354);
    assert_int_equal(type_bytes(t, "one", 3, &expects), ST_OK);
    assert_int_equal(smtp_listen(&t->s), ST_EOF);
    assert_told(t, "S 421 too slow\n");
    assert_int_equal(t->s.unasked_code, 421);
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
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_auth_lines),
        cmocka_unit_test(test_wrong_answers),
        cmocka_unit_test(test_other_mechanisms),
        cmocka_unit_test(test_password_asked_first),
        cmocka_unit_test(test_starttls),
        cmocka_unit_test(test_long_secret),
        cmocka_unit_test(test_raw_lines),
        cmocka_unit_test(test_cancelled_login),
        cmocka_unit_test(test_lost_and_stopped),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
