#include "tls.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "testtls.h"

#define DEADLINE (60 * US_PER_S)

static struct testcert_authority authority;
static struct testcert leaf;
static char *root_pem;

static int setup(void **state)
{
    (void)state;
    testcert_authority_make(&authority, "Test");
    struct testcert_spec spec = {.name = "mx.example.net", .san = "DNS:mx.example.net"};
    testcert_make(&leaf, &spec, &authority.intermediate);
    const struct testcert *roots[] = {&authority.root};
    root_pem = testcert_pem(roots, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    testcert_authority_free(&authority);
    testcert_free(&leaf);
    free(root_pem);
    return 0;
}

static struct testtls_options good_server(void)
{
    struct testtls_options o = {.leaf = &leaf,
                                .chain = {&authority.intermediate},
                                .cut_at = TESTTLS_NO_CUT,
                                .flip_at = TESTTLS_NO_CUT};
    return o;
}

struct attempt {
    struct testtls_network n;
    struct net_conn *below, *c;
    struct tls_facts f;
    struct error e;
    enum status st;
};

static void attempt(struct attempt *a, const struct testtls_options *o, struct cancel *cancel)
{
    struct tls_config config = {.name = "mx.example.net", .ca_pem = root_pem};
    memset(a, 0, sizeof(*a));
    testtls_network_init(&a->n);
    a->below = testtls_conn_new(o);
    a->st = tls_client(&a->n.base, a->below, &config, DEADLINE, cancel, &a->c, &a->f, &a->e);
    if (a->st == ST_OK) {
        assert_true(a->f.done);
        assert_non_null(a->c);
    } else {
        assert_null(a->c);
        assert_false(a->f.done);
        assert_false(a->f.verified);
        assert_int_equal(a->e.code, a->st);
        assert_true(strlen(a->e.text) > 0);
        assert_true(a->st == ST_CANCELLED || a->f.reason != TLS_REASON_NONE);
        assert_int_equal(a->f.first_bytes_len > 0, a->f.reason == TLS_REASON_NOT_TLS);
    }
}

static void attempt_end(struct attempt *a)
{
    /* after a failure the connection below is still ours */
    net_close(a->st == ST_OK ? a->c : a->below);
}

static void plain_text_is_no_tls(void **state)
{
    (void)state;
#define TEXT(s) {s, sizeof(s) - 1}
    static const struct {
        const char *p;
        size_t len;
    } texts[] = {
        TEXT("220 mx.example.net ESMTP\r\n"),
        TEXT("454 4.7.0 TLS not available due to local problem\r\n"),
        TEXT("5"),
        TEXT("HTTP/1.1 400 Bad Request\r\nServer: x\033]0;evil\007\r\n"
             "Content-Type: text/html\r\n\r\n"),
        TEXT("\0"),
        TEXT("\x16"
             "X"),
        TEXT("\xff\xfb\x01"),
    };
#undef TEXT
    for (size_t piece = 0; piece <= 2; piece++) {
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            struct attempt a;
            struct testtls_options o = good_server();
            o.plain = texts[i].p;
            o.plain_len = texts[i].len;
            o.piece = piece;
            attempt(&a, &o, NULL);
            assert_int_equal(a.st, ST_TLS);
            assert_int_equal(a.f.reason, TLS_REASON_NOT_TLS);
            assert_int_equal(a.f.alert, -1);
            assert_true(a.f.first_bytes_len <= sizeof(a.f.first_bytes));
            assert_memory_equal(a.f.first_bytes, texts[i].p, a.f.first_bytes_len);
            if (piece == 0) {
                assert_true(a.f.first_bytes_len == texts[i].len ||
                            a.f.first_bytes_len == sizeof(a.f.first_bytes));
            }
            attempt_end(&a);
        }
    }
}

static void alerts_have_their_reasons(void **state)
{
    (void)state;
    static const struct {
        unsigned char number;
        enum tls_reason reason;
    } alerts[] = {
        {40, TLS_REASON_NO_SHARED_CIPHER}, {70, TLS_REASON_OLD_PROTOCOL},
        {71, TLS_REASON_NO_SHARED_CIPHER}, {112, TLS_REASON_UNKNOWN_NAME},
        {80, TLS_REASON_HANDSHAKE},        {10, TLS_REASON_HANDSHAKE},
        {47, TLS_REASON_HANDSHAKE},        {50, TLS_REASON_HANDSHAKE},
        {109, TLS_REASON_HANDSHAKE},       {116, TLS_REASON_CLIENT_CERT},
        {255, TLS_REASON_HANDSHAKE},
    };
    for (size_t i = 0; i < ARRAY_LEN(alerts); i++) {
        struct attempt a;
        char record[7] = {21, 3, 3, 0, 2, 2, (char)alerts[i].number};
        struct testtls_options o = good_server();
        o.plain = record;
        o.plain_len = sizeof(record);
        attempt(&a, &o, NULL);
        assert_int_equal(a.st, ST_TLS);
        assert_int_equal(a.f.alert, alerts[i].number);
        assert_int_equal(a.f.reason, alerts[i].reason);
        assert_true(strlen(a.f.detail) > 0);
        attempt_end(&a);
    }
}

static void a_warning_does_not_end_the_handshake(void **state)
{
    (void)state;
    struct attempt a;
    static const char record[] = {21, 3, 3, 0, 2, 1, 112};
    struct testtls_options o = good_server();
    o.plain = record;
    o.plain_len = sizeof(record);
    attempt(&a, &o, NULL);
    assert_int_equal(a.st, ST_EOF); /* what followed was the end */
    assert_int_equal(a.f.reason, TLS_REASON_CLOSED);
    assert_int_equal(a.f.alert, 112);
    attempt_end(&a);
}

static void floods_of_warnings_end(void **state)
{
    (void)state;
    struct attempt a;
    static char flood[7 * 1000];
    for (size_t i = 0; i < sizeof(flood); i += 7) {
        memcpy(flood + i, "\x15\x03\x03\0\x02\x01\x5a", 7);
    }
    struct testtls_options o = good_server();
    o.plain = flood;
    o.plain_len = sizeof(flood);
    attempt(&a, &o, NULL);
    assert_int_equal(a.st, ST_TLS);
    assert_int_equal(a.f.reason, TLS_REASON_HANDSHAKE);
    attempt_end(&a);
}

static void ssl_3_is_too_old(void **state)
{
    (void)state;
    struct attempt a;
    /* a ServerHello of version 3.0 with RSA and AES-128 */
    char hello[5 + 4 + 38] = {22, 3, 0, 0, 42, 2, 0, 0, 38, 3, 0};
    hello[sizeof(hello) - 2] = 0x2f;
    struct testtls_options o = good_server();
    o.plain = hello;
    o.plain_len = sizeof(hello);
    attempt(&a, &o, NULL);
    assert_int_equal(a.st, ST_TLS);
    assert_int_equal(a.f.reason, TLS_REASON_OLD_PROTOCOL);
    attempt_end(&a);
}

static void no_common_cipher(void **state)
{
    (void)state;
    struct attempt a;
    struct testtls_options o = good_server();
    o.max_version = TLS1_2_VERSION;
    o.ciphers = "ECDHE-RSA-AES128-GCM-SHA256"; /* and the key is an EC key */
    attempt(&a, &o, NULL);
    assert_int_equal(a.st, ST_TLS);
    assert_int_equal(a.f.reason, TLS_REASON_NO_SHARED_CIPHER);
    assert_int_equal(a.f.alert, 40);
    attempt_end(&a);
}

static void the_name_is_refused(void **state)
{
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct attempt a;
        struct testtls_options o = good_server();
        o.min_version = o.max_version = version;
        o.refuses_names = true;
        attempt(&a, &o, NULL);
        assert_int_equal(a.st, ST_TLS);
        assert_int_equal(a.f.reason, TLS_REASON_UNKNOWN_NAME);
        assert_int_equal(a.f.alert, 112);
        assert_string_equal(a.f.sni, "mx.example.net");
        attempt_end(&a);
    }
}

static void a_missing_client_certificate_is_named(void **state)
{
    (void)state;
    struct attempt a;
    struct testtls_options o = good_server();
    o.needs_client_cert = true;
    o.max_version = TLS1_2_VERSION;
    attempt(&a, &o, NULL);
    assert_int_equal(a.st, ST_TLS);
    assert_int_equal(a.f.reason, TLS_REASON_CLIENT_CERT);
    assert_true(a.f.client_cert_requested);
    /* what was seen of the server before it said no */
    assert_int_equal(a.f.chain_count, 2);
    attempt_end(&a);

    /* With TLS 1.3 our handshake is over before the server can say no. */
    for (int write_first = 0; write_first <= 1; write_first++) {
        struct tls_failure failure;
        char line[100];
        size_t n;
        o.max_version = 0;
        attempt(&a, &o, NULL);
        assert_int_equal(a.st, ST_OK);
        assert_true(a.f.client_cert_requested);
        if (write_first != 0) {
            assert_int_equal(a.c->ops->write(a.c, "EHLO me\r\n", 9, &n), ST_TLS);
        }
        assert_int_equal(net_read_some(&a.n.base, a.c, line, sizeof(line), &n, DEADLINE, NULL),
                         ST_TLS);
        tls_last_failure(a.c, &failure);
        assert_int_equal(failure.reason, TLS_REASON_CLIENT_CERT);
        assert_int_equal(failure.alert, 116);
        assert_true(strlen(failure.detail) > 0);
        assert_int_equal(a.c->ops->read(a.c, line, sizeof(line), &n), ST_TLS);
        attempt_end(&a);
    }
}

static size_t length_of_handshake(int version)
{
    struct attempt a;
    struct testtls_options o = good_server();
    o.min_version = o.max_version = version;
    attempt(&a, &o, NULL);
    assert_int_equal(a.st, ST_OK);
    size_t n = testtls_sent(a.below);
    attempt_end(&a);
    return n;
}

static void cut_at_every_byte(int version, enum status cut, size_t step)
{
    size_t all = length_of_handshake(version);
    for (size_t at = 0; at < all; at += step) {
        struct attempt a;
        struct testtls_options o = good_server();
        o.min_version = o.max_version = version;
        o.cut_at = at;
        o.cut = cut;
        attempt(&a, &o, NULL);
        if (a.st == ST_OK) {
            /* TLS 1.3: tickets follow, which the handshake does not need; lengths vary by a few
               bytes with the signatures */
            assert_true(version == TLS1_3_VERSION || at + 16 > all);
        } else if (cut == ST_AGAIN) {
            assert_int_equal(a.st, ST_TIMEOUT);
            assert_int_equal(a.f.reason, TLS_REASON_TIMEOUT);
            assert_true(a.n.now_us == DEADLINE);
        } else {
            assert_int_equal(a.st, cut);
            assert_int_equal(a.f.reason, TLS_REASON_CLOSED);
        }
        attempt_end(&a);
    }
}

static void the_peer_goes_away_at_any_byte(void **state)
{
    (void)state;
    cut_at_every_byte(TLS1_3_VERSION, ST_EOF, 1);
    cut_at_every_byte(TLS1_2_VERSION, ST_EOF, 3);
}

static void the_peer_resets_at_any_byte(void **state)
{
    (void)state;
    cut_at_every_byte(TLS1_3_VERSION, ST_RESET, 7);
    cut_at_every_byte(TLS1_2_VERSION, ST_RESET, 7);
}

static void the_peer_falls_silent_at_any_byte(void **state)
{
    (void)state;
    cut_at_every_byte(TLS1_3_VERSION, ST_AGAIN, 7);
    cut_at_every_byte(TLS1_2_VERSION, ST_AGAIN, 7);
}

static void a_wrong_byte_anywhere_does_no_harm(void **state)
{
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        size_t all = length_of_handshake(version);
        for (size_t at = 2; at < all; at += 3) {
            struct attempt a;
            struct testtls_options o = good_server();
            o.min_version = o.max_version = version;
            o.flip_at = at;
            attempt(&a, &o, NULL);
            /* The version in the first record means nothing. In 1.3, what is changed behind the
               handshake is found at the first read. */
            if (a.st == ST_OK && version == TLS1_2_VERSION) {
                assert_true(at == 2 || at + 16 > all);
            }
            if (a.st == ST_OK) {
                char line[100];
                size_t n;
                (void)a.c->ops->read(a.c, line, sizeof(line), &n);
            }
            attempt_end(&a);
        }
    }
}

static void a_record_later_on_is_wrong(void **state)
{
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct attempt a;
        struct tls_failure failure;
        char line[100];
        size_t n;
        struct testtls_options o = good_server();
        o.min_version = o.max_version = version;
        attempt(&a, &o, NULL);
        assert_int_equal(a.st, ST_OK);
        /* takes in the tickets */
        assert_int_equal(a.c->ops->read(a.c, line, sizeof(line), &n), ST_AGAIN);
        o.flip_at = testtls_sent(a.below) + 9;
        assert_int_equal(net_write_all(&a.n.base, a.c, "EHLO\n", 5, DEADLINE, NULL), ST_OK);
        assert_int_equal(net_read_some(&a.n.base, a.c, line, sizeof(line), &n, DEADLINE, NULL),
                         ST_TLS);
        assert_int_equal(n, 0);
        tls_last_failure(a.c, &failure);
        assert_int_equal(failure.reason, TLS_REASON_HANDSHAKE);
        assert_int_equal(failure.alert, -1);
        assert_true(strlen(failure.detail) > 0);
        attempt_end(&a);
    }
}

static void cancelling_ends_the_handshake(void **state)
{
    (void)state;
    struct cancel cancel;
    struct attempt a;
    assert_int_equal(cancel_init(&cancel), ST_OK);
    cancel_request(&cancel, CANCEL_POLITE);
    struct testtls_options o = good_server();
    attempt(&a, &o, &cancel);
    assert_int_equal(a.st, ST_CANCELLED);
    assert_int_equal(a.f.reason, TLS_REASON_NONE);
    attempt_end(&a);
    cancel_fini(&cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_no_tls),
        cmocka_unit_test(alerts_have_their_reasons),
        cmocka_unit_test(a_warning_does_not_end_the_handshake),
        cmocka_unit_test(floods_of_warnings_end),
        cmocka_unit_test(ssl_3_is_too_old),
        cmocka_unit_test(no_common_cipher),
        cmocka_unit_test(the_name_is_refused),
        cmocka_unit_test(a_missing_client_certificate_is_named),
        cmocka_unit_test(the_peer_goes_away_at_any_byte),
        cmocka_unit_test(the_peer_resets_at_any_byte),
        cmocka_unit_test(the_peer_falls_silent_at_any_byte),
        cmocka_unit_test(a_wrong_byte_anywhere_does_no_harm),
        cmocka_unit_test(a_record_later_on_is_wrong),
        cmocka_unit_test(cancelling_ends_the_handshake),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
