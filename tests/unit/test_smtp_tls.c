/* STARTTLS and implicit TLS: what was said in clear never counts inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scripted.h"

static SSL_CTX *context;
static struct buf anchor;
static const struct tls_config config = {.name = "mx.example"};

#define BEGIN                                                                                      \
    GIVE("220 mx.example"), EXPECT("EHLO probe.example"),                                          \
        GIVE("250-mx.example clear\r\n250-SIZE 5\r\n250 STARTTLS"), EXPECT("STARTTLS")

static struct talk *greeted(const struct act *script, size_t piece)
{
    struct talk *t = talk_new(script);
    t->w.ctx = context;
    t->w.piece = piece;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_true(caps_has(&t->s.caps, CAP_STARTTLS));
    return t;
}

static enum status starttls(struct talk *t, struct buf *injected)
{
    return smtp_starttls(&t->s, &config, &t->reply, injected, &t->error);
}

static void test_good(void **state)
{
    (void)state;
    static const struct act script[] = {
        BEGIN,
        GIVE("220 go ahead"),
        START_TLS,
        EXPECT("EHLO probe.example"),
        GIVE("250-mx.example secure\r\n250-SIZE 6\r\n250 AUTH PLAIN"),
        EXPECT("QUIT"),
        GIVE("221 bye"),
        STOP};
    for (size_t piece = 0; piece < 200; piece = piece < 4 ? piece + 1 : piece * 3) {
        struct talk *t = greeted(script, piece);
        struct buf injected;
        buf_init(&injected, 1000);
        t->s.authenticated = true;
        assert_int_equal(starttls(t, &injected), ST_OK);
        assert_int_equal(t->reply.code, 220);
        assert_true(t->s.tls);
        assert_false(t->s.authenticated);
        assert_true(t->s.tls_facts.done);
        assert_int_equal(injected.len, 0);
        /* RFC 3207 4.2: all of it has to be asked again. */
        assert_int_equal(t->s.state, SMTP_GREETED);
        assert_int_equal(t->s.caps.count, 0);
        assert_false(t->s.caps.has_size);
        assert_true(caps_has(&t->s.caps_clear, CAP_STARTTLS));
        assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
        assert_int_equal(t->s.caps.size, 6);
        assert_int_equal(t->s.caps_clear.size, 5);
        assert_false(caps_has(&t->s.caps, CAP_STARTTLS));
        /* Never a second layer. */
        unsigned writes = t->w.writes;
        assert_int_equal(starttls(t, NULL), ST_INVALID);
        assert_int_equal(smtp_tls_now(&t->s, &config, &t->error), ST_INVALID);
        assert_int_equal(t->w.writes, writes);
        smtp_quit(&t->s);
        assert_told(t, "S 220 go ahead\n");
        assert_told(t, "W the TLS handshake 60000\n");
        assert_told(t, "T* Encrypted with TLSv1.3, ");
        assert_told(t, "C* EHLO probe.example\n");
        assert_told(t, "S* 250-mx.example secure\n");
        assert_false(t->s.tls);
        talk_done(t);
    }
}

/* Threat A1 and A2: cleartext behind the 220, in the same piece or already here. */
static void test_injection(void **state)
{
    (void)state;
    static const struct act same[] = {
        BEGIN, GIVE_RAW("220 ok\r\n250-mx.evil\r\n250 AUTH PLAIN\r\n25"), STOP};
    static const struct act next[] = {BEGIN, GIVE("220 ok"),
                                      GIVE_RAW("250-mx.evil\r\n250 AUTH PLAIN\r\n25"), STOP};
    static const char evil[] = "250-mx.evil\r\n250 AUTH PLAIN\r\n25";
    const struct act *const scripts[] = {same, next};
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        for (size_t piece = 0; piece < 50; piece++) {
            struct talk *t = greeted(scripts[i], piece);
            struct buf injected;
            buf_init(&injected, 1000);
            assert_int_equal(starttls(t, &injected), ST_PROTO);
            assert_int_equal(t->reply.code, 220);
            assert_int_equal(t->reply.line_count, 1);
            assert_int_equal(injected.len, strlen(evil));
            assert_memory_equal(injected.p, evil, injected.len);
            assert_int_equal(t->s.state, SMTP_CLOSED);
            assert_int_equal(t->s.closed_by, ST_PROTO);
            assert_false(t->s.tls);
            assert_false(caps_has(&t->s.caps, CAP_AUTH));
            assert_non_null(strstr(t->error.text, "31 bytes"));
            assert_told(t, "S 220 ok\n");
            assert_told(t, "S! 250-mx.evil\nS! 250 AUTH PLAIN\nS! 25\n");
            assert_told(t, "N 31 bytes came in clear");
            assert_not_told(t, "TLS handshake");
            assert_int_equal(t->w.writes, 2);
            buf_free(&injected);
            talk_done(t);
        }
    }
    /* Kept as far as the buffer goes, and never told without end. */
    static char flood[60001];
    for (size_t i = 0; i + 3 <= 60000; i += 3) {
        memcpy(flood + i, "x\r\n", 3);
    }
    const struct act much[] = {BEGIN, GIVE("220 ok"), {OP_GIVE, flood, 60000, 0}, STOP};
    struct talk *t = greeted(much, 0);
    struct buf injected;
    buf_init(&injected, 100);
    assert_int_equal(starttls(t, &injected), ST_PROTO);
    assert_int_equal(injected.len, 100);
    assert_true(t->ear.count < 100);
    buf_free(&injected);
    talk_done(t);
    t = greeted(same, 0);
    assert_int_equal(starttls(t, NULL), ST_PROTO);
    talk_done(t);
}

/* What comes later goes to the TLS engine, and no further. */
static void test_late_injection(void **state)
{
    (void)state;
    static const int delays[] = {1, 20, 5000};
    for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
        const struct act script[] = {BEGIN,           GIVE("220 ok"),
                                     WAIT(delays[i]), GIVE("250-mx.evil\r\n250 AUTH PLAIN"),
                                     ANYTHING,        STOP};
        struct talk *t = greeted(script, 0);
        struct buf injected;
        buf_init(&injected, 1000);
        assert_int_equal(starttls(t, &injected), ST_TLS);
        assert_int_equal(t->s.state, SMTP_CLOSED);
        assert_int_equal(t->s.tls_facts.reason, TLS_REASON_NOT_TLS);
        assert_int_equal(injected.len, 0);
        assert_false(caps_has(&t->s.caps, CAP_AUTH));
        assert_told(t, "T No encryption: ");
        assert_not_told(t, "S 250-mx.evil");
        assert_true(t->error.text[0] != '\0');
        talk_free(t);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const int codes[] = {454, 502, 354, 221, 421, 500, 501, 530, 250, 999};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        char text[40];
        snprintf(text, sizeof(text), "%d no\r\n", codes[i]);
        const struct act script[] = {
            BEGIN, {OP_GIVE, text, strlen(text), 0}, EXPECT("NOOP"), GIVE("250 ok"), STOP};
        struct talk *t = greeted(script, 0);
        assert_int_equal(starttls(t, NULL), ST_OK);
        assert_int_equal(t->reply.code, codes[i]);
        assert_false(t->s.tls);
        assert_int_equal(t->s.state, SMTP_READY);
        assert_true(caps_has(&t->s.caps, CAP_STARTTLS));
        assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "NOOP"), ST_OK);
        assert_told(t, "C NOOP\n");
        talk_done(t);
    }
}

static void test_unasked_before(void **state)
{
    (void)state;
    /* A reply too many before STARTTLS is no injection behind it. */
    static const struct act script[] = {GIVE("220 mx.example"),
                                        EXPECT("EHLO probe.example"),
                                        GIVE("250-mx.example clear\r\n250 STARTTLS\r\n250 twice"),
                                        EXPECT("STARTTLS"),
                                        GIVE("220 ok"),
                                        START_TLS,
                                        STOP};
    struct talk *t = greeted(script, 0);
    assert_int_equal(starttls(t, NULL), ST_OK);
    assert_true(t->s.tls);
    assert_int_equal(t->s.unasked, 1);
    talk_done(t);
}

static void test_broken_handshake(void **state)
{
    (void)state;
    static const struct act closes[] = {BEGIN, GIVE("220 ok"), END, STOP};
    struct talk *t = greeted(closes, 0);
    assert_int_equal(starttls(t, NULL), ST_EOF);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_false(t->s.tls);
    talk_done(t);

    static const struct act later[] = {BEGIN, GIVE("220 ok"), WAIT(10), RESET, ANYTHING, STOP};
    t = greeted(later, 0);
    assert_int_equal(starttls(t, NULL), ST_RESET);
    assert_int_equal(t->s.closed_by, ST_RESET);
    talk_free(t);

    static const struct act mute[] = {BEGIN, GIVE("220 ok"), ANYTHING, STOP};
    t = greeted(mute, 0);
    int64_t begin = t->w.now_us;
    assert_int_equal(starttls(t, NULL), ST_TIMEOUT);
    assert_int_equal(t->w.now_us - begin, smtp_limits_rfc5321.tls * US_PER_MS);
    talk_free(t);

    /* Half a handshake is no channel in which to say goodbye. */
    static const struct act stopped[] = {
        BEGIN, GIVE("220 ok"), WAIT(50), CANCEL(CANCEL_POLITE), ANYTHING, STOP};
    t = greeted(stopped, 0);
    assert_int_equal(starttls(t, NULL), ST_CANCELLED);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_int_equal(t->s.closed_by, ST_CANCELLED);
    talk_free(t);
}

static void test_implicit(void **state)
{
    (void)state;
    static const struct act script[] = {START_TLS, GIVE("220 mx.example"), EXPECT("QUIT"),
                                        GIVE("221 bye"), STOP};
    struct talk *t = talk_new(script);
    t->w.ctx = context;
    assert_int_equal(smtp_tls_now(&t->s, &config, &t->error), ST_OK);
    assert_int_equal(t->s.state, SMTP_CONNECTED);
    assert_true(t->s.tls);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(t->s.state, SMTP_GREETED);
    assert_told(t, "S* 220 mx.example\n");
    smtp_quit(&t->s);
    talk_done(t);

    static const struct act clear[] = {GIVE("220 speaks in clear"), ANYTHING, STOP};
    t = talk_new(clear);
    assert_int_equal(smtp_tls_now(&t->s, &config, &t->error), ST_TLS);
    assert_int_equal(t->s.tls_facts.reason, TLS_REASON_NOT_TLS);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_int_equal(smtp_tls_now(&t->s, &config, &t->error), ST_TLS);
    talk_free(t);
}

static void test_verified(void **state)
{
    (void)state;
    static const struct act script[] = {BEGIN, GIVE("220 ok"), START_TLS, STOP};
    struct talk *t = greeted(script, 0);
    const struct tls_config trusting = {.name = "mx.example", .ca_pem = buf_str(&anchor)};
    assert_int_equal(smtp_starttls(&t->s, &trusting, &t->reply, NULL, &t->error), ST_OK);
    assert_true(t->s.tls_facts.verified);
    assert_told(t, "T* Encrypted with TLSv1.3, ");
    assert_told(t, "; the certificate is good for mx.example.\n");
    talk_done(t);

    t = greeted(script, 0);
    const struct tls_config other = {.name = "other.example", .ca_pem = buf_str(&anchor)};
    assert_int_equal(smtp_starttls(&t->s, &other, &t->reply, NULL, &t->error), ST_OK);
    assert_false(t->s.tls_facts.verified);
    assert_told(t, "; the certificate is not trusted (wrong-name).\n");
    talk_done(t);

    /* The reply and the end of the link in one: there is no channel, and no caller may think so. */
    static const struct act stuck[] = {GIVE("220 mx.example"),
                                       EXPECT("EHLO probe.example"),
                                       GIVE("250-x\r\n250 STARTTLS"),
                                       ROOM(4),
                                       EXPECT_RAW("STAR"),
                                       WAIT(10),
                                       GIVE("220 go"),
                                       RESET,
                                       STOP};
    t = greeted(stuck, 0);
    assert_int_equal(starttls(t, NULL), ST_RESET);
    assert_false(t->s.tls);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    talk_done(t);

    static const struct act lost[] = {BEGIN, END, STOP};
    t = greeted(lost, 0);
    assert_int_equal(starttls(t, NULL), ST_EOF);
    assert_true(t->error.text[0] != '\0');
    talk_done(t);
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&anchor, 8192);
    context = server_context(&anchor);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    SSL_CTX_free(context);
    buf_free(&anchor);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),           cmocka_unit_test(test_injection),
        cmocka_unit_test(test_late_injection), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_unasked_before), cmocka_unit_test(test_broken_handshake),
        cmocka_unit_test(test_implicit),       cmocka_unit_test(test_verified),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
