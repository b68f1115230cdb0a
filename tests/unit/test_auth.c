/* AUTH with every mechanism: the exchange on the wire, and a password that nobody ever reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth.h"
#include "base64.h"
#include "scripted.h"

#define USER "user@example.com"
#define CANARY "CanaryPass77"
#define USER64 "dXNlckBleGFtcGxlLmNvbQ=="
#define CANARY64 "Q2FuYXJ5UGFzczc3"
#define PLAIN64 "AHVzZXJAZXhhbXBsZS5jb20AQ2FuYXJ5UGFzczc3"
#define CRAM64 "dXNlckBleGFtcGxlLmNvbSBiMWZiZTI2MjdkYmNlODYwZTczNWRmYzc3MjhlYzk2Ng=="
#define CRAM_DIGEST "b1fbe2627dbce860e735dfc7728ec966"
#define XOAUTH64 "dXNlcj11c2VyQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIENhbmFyeVBhc3M3NwEB"
#define BEARER64                                                                                   \
    "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9bXguZXhhbXBsZQFwb3J0PTU4NwFhdXRoPUJlYXJlciBDYW5h"         \
    "cnlQYXNzNzcBAQ=="
#define JSON64 "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJtYWlsIn0="
/* SCRAM with a nonce of zeros, "srv" behind it, the salt "saltsalt" and 4096 rounds */
#define FIRST64 "biwsbj11c2VyQGV4YW1wbGUuY29tLHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
#define SERVER_FIRST64 "cj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFzcnYscz1jMkZzZEhOaGJIUT0saT00MDk2"
#define FINAL1_64                                                                                  \
    "Yz1iaXdzLHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBc3J2LHA9YmFWa0VQbDBNUzBMNC9EdlpKdDg0c0NvQS9RPQ=="
#define PROOF1 "baVkEPl0MS0L4/DvZJt84sCoA/Q="
#define SIGNATURE1_64 "dj0zL2V0MExhYm82YzUyV0YxbGRlb3RHTXphSzg9"
#define SIGNATURE1 "3/et0Labo6c52WF1ldeotGMzaK8="
#define FINAL256_64                                                                                \
    "Yz1iaXdzLHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBc3J2LHA9OWFVMGJ6bkhkREFobzl5Y1A5bnQrbXZTaTYvb2"   \
    "dNYWYrN1FiM2hVZVlnVT0="
#define PROOF256 "9aU0bznHdDAho9ycP9nt+mvSi6/ogMaf+7Qb3hUeYgU="
#define SIGNATURE256_64 "dj1pemtHNmpuVDQwblBYSHdkYnZURmpFN1RndlB5RFVsQnBrb2t5NGZHcFMwPQ=="
#define SIGNATURE256 "izkG6jnT40nPXHwdbvTFjE7TgvPyDUlBpkoky4fGpS0="

static const char *const never_told[] = {
    CANARY,          CANARY64,          PLAIN64,         CRAM64,
    CRAM_DIGEST,     XOAUTH64,          BEARER64,        PROOF1,
    PROOF256,        FINAL1_64,         FINAL256_64,     SIGNATURE1,
    SIGNATURE1_64,   SIGNATURE256,      SIGNATURE256_64, "43616e617279",
    "W5hcnlQYXNzNz", "DYW5hcnlQYXNzNz",
};

#define BEGIN GIVE("220 mx.example"), EXPECT("EHLO probe.example"), GIVE("250 mx.example")
#define BYE EXPECT("QUIT"), GIVE("221 bye"), STOP

struct expectation {
    enum status st;
    int code;
    bool authenticated;
    const char *told[6];
};

static void login(const struct act *script, enum sasl_mech mech, size_t piece,
                  const struct expectation *want)
{
    struct talk *t = talk_new(script);
    struct secret password = {.p = NULL};
    assert_int_equal(secret_set(&password, CANARY, strlen(CANARY)), ST_OK);
    const struct sasl_params params = {
        .mech = mech, .user = USER, .password = &password, .host = "mx.example", .port = 587};
    t->w.piece = piece;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    enum status st = auth_run(&t->s, &params, &t->reply, &t->error);
    if (st != want->st) {
        fail_msg("status %s: %s\n%s", status_name(st), t->error.text, buf_str(&t->ear.log));
    }
    assert_int_equal(t->reply.code, want->code);
    assert_int_equal(t->s.authenticated, want->authenticated);
    assert_true(st == ST_OK || t->error.text[0] != '\0');
    smtp_quit(&t->s);
    for (size_t i = 0; i < ARRAY_LEN(want->told) && want->told[i] != NULL; i++) {
        assert_told(t, want->told[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(never_told); i++) {
        assert_not_told(t, never_told[i]);
        assert_false(bytes_hold(&t->reply.text, never_told[i], strlen(never_told[i])));
        assert_null(strstr(t->error.text, never_told[i]));
    }
    secret_free(&password);
    talk_done(t);
}

static void login_in_pieces(const struct act *script, enum sasl_mech mech,
                            const struct expectation *want)
{
    for (size_t piece = 0; piece < 4; piece++) {
        login(script, mech, piece, want);
    }
}

static void test_plain(void **state)
{
    (void)state;
    static const struct act script[] = {BEGIN, EXPECT("AUTH PLAIN " PLAIN64),
                                        GIVE("235 2.7.0 welcome"), BYE};
    login_in_pieces(script, MECH_PLAIN,
                    &(struct expectation){
                        ST_OK,
                        235,
                        true,
                        {"C~ AUTH PLAIN <hidden 40 bytes>\n", "N This says: " USER " <hidden>\n"}});
    /* A server that says back what it got, in every spelling. */
    static const struct act echo[] = {
        BEGIN,
        EXPECT("AUTH PLAIN " PLAIN64),
        GIVE("535-5.7.8 " PLAIN64 " is wrong\r\n535-" CANARY "\r\n535-x" CANARY64
             "\r\n535-43616e617279506173733737\r\n535 AENhbmFyeVBhc3M3Nw=="),
        EXPECT("QUIT"),
        GIVE("221 bye " CANARY),
        STOP};
    login_in_pieces(echo, MECH_PLAIN,
                    &(struct expectation){ST_OK,
                                          535,
                                          false,
                                          {"S~ 535-5.7.8 <hidden 40 bytes> is wrong\n",
                                           "S~ 535-<hidden 12 bytes>\n", "S~ 221 bye <hidden"}});
}

static void test_login(void **state)
{
    (void)state;
    static const struct act script[] = {BEGIN,
                                        EXPECT("AUTH LOGIN"),
                                        GIVE("334 VXNlcm5hbWU6"),
                                        EXPECT(USER64),
                                        GIVE("334 UGFzc3dvcmQ6"),
                                        EXPECT(CANARY64),
                                        GIVE("235 ok"),
                                        BYE};
    login_in_pieces(
        script, MECH_LOGIN,
        &(struct expectation){ST_OK,
                              235,
                              true,
                              {"S 334 VXNlcm5hbWU6\n", "N The server asks: Username:\n",
                               "C " USER64 "\n", "N This says: " USER "\n",
                               "N The server asks: Password:\n", "C~ <hidden 16 bytes>\n"}});
    static const struct act unknown[] = {BEGIN, EXPECT("AUTH LOGIN"), GIVE("504 5.5.4 no such"),
                                         BYE};
    login_in_pieces(unknown, MECH_LOGIN, &(struct expectation){ST_OK, 504, false, {NULL}});
    /* A third question has no answer. */
    static const struct act greedy[] = {BEGIN,
                                        EXPECT("AUTH LOGIN"),
                                        GIVE("334 "),
                                        EXPECT(USER64),
                                        GIVE("334 "),
                                        EXPECT(CANARY64),
                                        GIVE("334 " CANARY64),
                                        EXPECT("*"),
                                        GIVE("501 cancelled"),
                                        BYE};
    login_in_pieces(greedy, MECH_LOGIN,
                    &(struct expectation){ST_PROTO, 501, false, {"C *\n", "S 501 cancelled\n"}});
}

static void test_cram(void **state)
{
    (void)state;
    static const struct act script[] = {BEGIN,
                                        EXPECT("AUTH CRAM-MD5"),
                                        GIVE("334 PDE4OTYuNjk3MTcwOTUyQG14LmV4YW1wbGU+"),
                                        EXPECT(CRAM64),
                                        GIVE("535 " CRAM64 " " CRAM_DIGEST),
                                        BYE};
    login_in_pieces(
        script, MECH_CRAM_MD5,
        &(struct expectation){ST_OK,
                              535,
                              false,
                              {"N The server asks: <1896.697170952@mx.example>\n",
                               "C~ <hidden 68 bytes>\n", "N This says: " USER " <hidden>\n"}});
}

static void test_bad_challenges(void **state)
{
    (void)state;
    static const struct act invalid[] = {
        BEGIN,       EXPECT("AUTH CRAM-MD5"),     GIVE("334 this is no base64"),
        EXPECT("*"), GIVE("501 5.7.0 cancelled"), BYE};
    login_in_pieces(invalid, MECH_CRAM_MD5, &(struct expectation){ST_PROTO, 501, false, {"C *\n"}});
    static const struct act nul[] = {
        BEGIN,       EXPECT("AUTH CRAM-MD5"), GIVE_RAW("334 AAAA\0\r\n"),
        EXPECT("*"), GIVE("501 cancelled"),   BYE};
    login_in_pieces(nul, MECH_CRAM_MD5, &(struct expectation){ST_PROTO, 501, false, {"C *\n"}});
    static const struct act empty[] = {BEGIN,       EXPECT("AUTH CRAM-MD5"), GIVE("334"),
                                       EXPECT("*"), GIVE("501 cancelled"),   BYE};
    login_in_pieces(empty, MECH_CRAM_MD5, &(struct expectation){ST_PROTO, 501, false, {"C *\n"}});
    /* Threat B7: as long as a line may be, and longer. */
    static char long_line[70000];
    for (size_t k = 0; k < 2; k++) {
        size_t len = k == 0 ? 5000 : 66000;
        memset(long_line, 'A', len);
        memcpy(long_line, "334 ", 4);
        memcpy(long_line + len, "\r\n", 3);
        const struct act big[] = {
            BEGIN,       EXPECT("AUTH CRAM-MD5"), {OP_GIVE, long_line, len + 2, 0},
            EXPECT("*"), GIVE("501 cancelled"),   BYE};
        const struct act endless[] = {
            BEGIN, EXPECT("AUTH CRAM-MD5"), {OP_GIVE, long_line, len + 2, 0}, STOP};
        login(
            k == 0 ? big : endless, MECH_CRAM_MD5, 0,
            &(struct expectation){k == 0 ? ST_PROTO : ST_LIMIT, k == 0 ? 501 : 334, false, {NULL}});
    }
    /* The server only ever asks. */
    static const struct act stubborn[] = {
        BEGIN,       EXPECT("AUTH PLAIN " PLAIN64), GIVE("334 "), EXPECT("*"), GIVE("334 "),
        EXPECT("*"), GIVE("501 at last"),           BYE};
    login_in_pieces(stubborn, MECH_PLAIN, &(struct expectation){ST_PROTO, 334, false, {NULL}});
}

static void test_oauth(void **state)
{
    (void)state;
    /* RFC 7628 3.2.3: the reason wants an answer of its own before the failure is stated. */
    static const struct act bearer[] = {BEGIN,
                                        EXPECT("AUTH OAUTHBEARER " BEARER64),
                                        GIVE("334 " JSON64),
                                        EXPECT("AQ=="),
                                        GIVE("535 5.7.8 no"),
                                        BYE};
    login_in_pieces(bearer, MECH_OAUTHBEARER,
                    &(struct expectation){ST_OK,
                                          535,
                                          false,
                                          {"C~ AUTH OAUTHBEARER <hidden 100 bytes>\n", "C AQ==\n",
                                           "N The reason of the server: "
                                           "{\"status\":\"invalid_token\",\"scope\":\"mail\"}\n"}});
    static const struct act google[] = {
        BEGIN,      EXPECT("AUTH XOAUTH2 " XOAUTH64), GIVE("334 " JSON64),
        EXPECT(""), GIVE("535 5.7.8 " XOAUTH64),      BYE};
    login_in_pieces(
        google, MECH_XOAUTH2,
        &(struct expectation){
            ST_OK, 535, false, {"C \nW the reply to AUTH 120000\nS~ 535 5.7.8 <hidden"}});
    static const struct act good[] = {BEGIN, EXPECT("AUTH XOAUTH2 " XOAUTH64), GIVE("235 ok"), BYE};
    login_in_pieces(good, MECH_XOAUTH2, &(struct expectation){ST_OK, 235, true, {NULL}});
}

static void test_external(void **state)
{
    (void)state;
    static const struct act named[] = {BEGIN, EXPECT("AUTH EXTERNAL " USER64), GIVE("235 ok"), BYE};
    login_in_pieces(named, MECH_EXTERNAL,
                    &(struct expectation){ST_OK, 235, true, {"C AUTH EXTERNAL " USER64 "\n"}});
    /* RFC 4954 4: an empty initial response is "=". */
    static const struct act nameless[] = {BEGIN, EXPECT("AUTH EXTERNAL ="), GIVE("235 ok"), BYE};
    struct talk *t = talk_new(nameless);
    const struct sasl_params params = {.mech = MECH_EXTERNAL};
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(auth_run(&t->s, &params, &t->reply, &t->error), ST_OK);
    smtp_quit(&t->s);
    talk_done(t);
}

static void test_scram(void **state)
{
    (void)state;
    static const struct act sha256[] = {BEGIN,
                                        EXPECT("AUTH SCRAM-SHA-256 " FIRST64),
                                        GIVE("334 " SERVER_FIRST64),
                                        EXPECT(FINAL256_64),
                                        GIVE("334 " SIGNATURE256_64),
                                        EXPECT(""),
                                        GIVE("235 ok"),
                                        BYE};
    login_in_pieces(
        sha256, MECH_SCRAM_SHA_256,
        &(struct expectation){ST_OK,
                              235,
                              true,
                              {"C AUTH SCRAM-SHA-256 " FIRST64 "\n", "S 334 " SERVER_FIRST64 "\n",
                               "i=4096\n", "C~ <hidden 112 bytes>\n", "p=<hidden>\n",
                               "S~ 334 <hidden 64 bytes>\nW -\nC \nW the reply"}});
    static const struct act in_235[] = {BEGIN,
                                        EXPECT("AUTH SCRAM-SHA-1 " FIRST64),
                                        GIVE("334 " SERVER_FIRST64),
                                        EXPECT(FINAL1_64),
                                        GIVE("235 " SIGNATURE1_64),
                                        BYE};
    login_in_pieces(in_235, MECH_SCRAM_SHA_1,
                    &(struct expectation){ST_OK, 235, true, {"S~ 235 <hidden 40 bytes>\n"}});
    static const struct act with_code[] = {BEGIN,
                                           EXPECT("AUTH SCRAM-SHA-1 " FIRST64),
                                           GIVE("334 " SERVER_FIRST64),
                                           EXPECT(FINAL1_64),
                                           GIVE("235 2.7.0 " SIGNATURE1_64),
                                           BYE};
    login_in_pieces(with_code, MECH_SCRAM_SHA_1, &(struct expectation){ST_OK, 235, true, {NULL}});

    /* It says yes and proves nothing: somebody who does not know the password is listening. */
    static const struct act unproven[] = {BEGIN,
                                          EXPECT("AUTH SCRAM-SHA-1 " FIRST64),
                                          GIVE("334 " SERVER_FIRST64),
                                          EXPECT(FINAL1_64),
                                          GIVE("235 ok"),
                                          BYE};
    login_in_pieces(unproven, MECH_SCRAM_SHA_1,
                    &(struct expectation){ST_PROTO, 235, false, {NULL}});
    static const struct act wrong[] = {BEGIN,
                                       EXPECT("AUTH SCRAM-SHA-1 " FIRST64),
                                       GIVE("334 " SERVER_FIRST64),
                                       EXPECT(FINAL1_64),
                                       GIVE("334 dj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE9"),
                                       EXPECT("*"),
                                       GIVE("501 ok"),
                                       BYE};
    login_in_pieces(wrong, MECH_SCRAM_SHA_1, &(struct expectation){ST_PROTO, 501, false, {NULL}});
    static const struct act denied[] = {BEGIN,
                                        EXPECT("AUTH SCRAM-SHA-1 " FIRST64),
                                        GIVE("334 " SERVER_FIRST64),
                                        EXPECT(FINAL1_64),
                                        GIVE("535 " PROOF1),
                                        BYE};
    login_in_pieces(denied, MECH_SCRAM_SHA_1, &(struct expectation){ST_OK, 535, false, {NULL}});
}

/* Inside TLS and with no PLUS on offer the header says that we could have bound: "y". */
static void test_scram_in_tls(void **state)
{
    (void)state;
    static const struct act script[] = {
        START_TLS,
        BEGIN,
        EXPECT(
            "AUTH SCRAM-SHA-256 eSwsbj11c2VyQGV4YW1wbGUuY29tLHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"),
        GIVE("334 " SERVER_FIRST64 " "),
        EXPECT("Yz1lU3dzLHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBc3J2LHA9U0hmZkNXa2xGRWk5VlpKVHBhdndBTEE"
               "4N3p"
               "qR3MzRFRXbnFvbnI0ckYvQT0="),
        GIVE("334 dj1vSVdpUzcvQkp5ei9UenBuTmFBbnFydjdCNWozR2ErOTdsOHZvSzBodzdjPQ=="),
        EXPECT(""),
        GIVE("235 ok"),
        BYE};
    struct talk *t = talk_new(script);
    struct secret password = {.p = NULL};
    const struct tls_config config = {.name = "mx.example"};
    t->w.ctx = server_context(NULL);
    assert_int_equal(secret_set(&password, CANARY, strlen(CANARY)), ST_OK);
    const struct sasl_params params = {
        .mech = MECH_SCRAM_SHA_256, .user = USER, .password = &password};
    assert_int_equal(smtp_tls_now(&t->s, &config, &t->error), ST_OK);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(auth_run(&t->s, &params, &t->reply, &t->error), ST_OK);
    assert_true(t->s.authenticated);
    assert_not_told(t, "SHffCWkl");
    assert_not_told(t, "oIWiS7");
    smtp_quit(&t->s);
    secret_free(&password);
    SSL_CTX *ctx = t->w.ctx;
    talk_done(t);
    SSL_CTX_free(ctx);
}

static size_t count_lines(const struct buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        n += b->p[i] == '\n';
    }
    return n;
}

static void test_long_token(void **state)
{
    (void)state;
    /* Over 512 octets the response waits for the 334 (RFC 4954 4), even when that says something.
     */
    struct buf line;
    struct secret token = {.p = NULL};
    char text[1500];
    buf_init(&line, 8192);
    memset(text, 't', sizeof(text));
    assert_int_equal(secret_set(&token, text, sizeof(text)), ST_OK);
    static const char *const asks[] = {"334\r\n", "334 \r\n", "334 VXNlcm5hbWU6\r\n",
                                       "334 go on\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        const struct act script[] = {
            BEGIN, EXPECT("AUTH XOAUTH2"), {OP_GIVE, asks[i], strlen(asks[i]), 0}, ANYTHING, STOP};
        struct talk *t = talk_new(script);
        const struct sasl_params params = {.mech = MECH_XOAUTH2, .user = USER, .password = &token};
        assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
        assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
        assert_int_equal(auth_run(&t->s, &params, &t->reply, &t->error), ST_TIMEOUT);
        assert_int_equal(count_lines(&t->w.wire), 3);
        assert_true(t->w.wire.len > 2000);
        assert_told(t, "C AUTH XOAUTH2\n");
        assert_told(t, "C~ <hidden 2048 bytes>\n");
        assert_not_told(t, "tttt");
        assert_not_told(t, "dHR0dHR0");
        talk_free(t);
    }
    secret_free(&token);
    buf_free(&line);
}

static void test_break_off(void **state)
{
    (void)state;
    static const struct {
        struct act acts[6];
        enum status st;
    } ends[] = {
        {{BEGIN, EXPECT("AUTH PLAIN " PLAIN64), END, STOP}, ST_EOF},
        {{BEGIN, EXPECT("AUTH PLAIN " PLAIN64), RESET, STOP}, ST_RESET},
        {{BEGIN, EXPECT("AUTH PLAIN " PLAIN64), STOP}, ST_TIMEOUT},
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        login(ends[i].acts, MECH_PLAIN, 0, &(struct expectation){ends[i].st, 0, false, {NULL}});
    }
    /* Stopped inside the exchange: QUIT would be an answer, so the star goes first. */
    static const struct act stopped[] = {BEGIN,
                                         EXPECT("AUTH LOGIN"),
                                         GIVE("334 VXNlcm5hbWU6"),
                                         EXPECT(USER64),
                                         WAIT(10),
                                         CANCEL(CANCEL_POLITE),
                                         WAIT(10),
                                         GIVE("334 UGFzc3dvcmQ6"),
                                         EXPECT("*"),
                                         GIVE("501 stopped"),
                                         EXPECT("QUIT"),
                                         GIVE("221 bye"),
                                         STOP};
    login(stopped, MECH_LOGIN, 0, &(struct expectation){ST_CANCELLED, 0, false, {"C *\n"}});
}

static void test_refused_before(void **state)
{
    (void)state;
    static const struct act script[] = {BEGIN, STOP};
    struct talk *t = talk_new(script);
    const struct sasl_params params = {.mech = MECH_PLAIN, .user = "a\r\nRSET"};
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(auth_run(&t->s, &params, &t->reply, &t->error), ST_INVALID);
    assert_int_equal(t->w.writes, 1);
    t->s.state = SMTP_TEXT;
    assert_int_equal(auth_run(&t->s, &params, &t->reply, &t->error), ST_INVALID);
    smtp_close(&t->s, ST_OK);
    assert_int_equal(auth_run(&t->s, &params, &t->reply, &t->error), ST_EOF);
    talk_done(t);
}

/* More logins than the redactor has room for do not end in an error. */
static void test_many_logins(void **state)
{
    (void)state;
    static struct act script[3 + 2 * 60 + 1] = {BEGIN};
    static char lines[60][64];
    for (size_t i = 0; i < 60; i++) {
        struct buf raw, text;
        buf_init(&raw, 100);
        buf_init(&text, 100);
        assert_int_equal(buf_add(&raw, "\0u\0", 3), ST_OK);
        assert_int_equal(buf_addf(&raw, "password-%02zu", i), ST_OK);
        assert_int_equal(buf_add_str(&text, "AUTH PLAIN "), ST_OK);
        assert_int_equal(base64_encode(&text, raw.p, raw.len), ST_OK);
        assert_int_equal(buf_add_str(&text, "\r\n"), ST_OK);
        str_copy(lines[i], sizeof(lines[i]), text.p);
        script[3 + 2 * i] = (struct act){OP_EXPECT, lines[i], text.len, 0};
        script[4 + 2 * i] = (struct act)GIVE("535 no");
        buf_free(&raw);
        buf_free(&text);
    }
    script[123] = (struct act)STOP;
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    for (int i = 0; i < 60; i++) {
        char text[40];
        struct secret password = {.p = NULL};
        snprintf(text, sizeof(text), "password-%02d", i);
        assert_int_equal(secret_set(&password, text, strlen(text)), ST_OK);
        const struct sasl_params params = {.mech = MECH_PLAIN, .user = "u", .password = &password};
        assert_int_equal(auth_run(&t->s, &params, &t->reply, &t->error), ST_OK);
        assert_int_equal(t->reply.code, 535);
        secret_free(&password);
    }
    assert_not_told(t, "password-");
    talk_done(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),          cmocka_unit_test(test_login),
        cmocka_unit_test(test_cram),           cmocka_unit_test(test_bad_challenges),
        cmocka_unit_test(test_oauth),          cmocka_unit_test(test_external),
        cmocka_unit_test(test_scram),          cmocka_unit_test(test_long_token),
        cmocka_unit_test(test_scram_in_tls),   cmocka_unit_test(test_break_off),
        cmocka_unit_test(test_refused_before), cmocka_unit_test(test_many_logins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
