#include "tls.h"

#include <openssl/x509_vfy.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "testtls.h"

#define DEADLINE (60 * US_PER_S)
#define NAME "mx.example.net"
#define SAN "DNS:mx.example.net"

static struct testcert_authority authority, stranger;
static char *root_pem;

static int setup(void **state)
{
    (void)state;
    testcert_authority_make(&authority, "Test");
    testcert_authority_make(&stranger, "Stranger");
    const struct testcert *roots[] = {&authority.root};
    root_pem = testcert_pem(roots, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    testcert_authority_free(&authority);
    testcert_authority_free(&stranger);
    free(root_pem);
    return 0;
}

/* Shakes hands with a server that has this certificate, judged at wall_s. */
static void look_at(const struct testcert *leaf, const struct testcert *const *chain,
                    size_t chain_count, int64_t wall_s, struct tls_facts *f)
{
    struct testtls_network n;
    struct error e = {0};
    struct net_conn *c;
    struct testtls_options o = {
        .leaf = leaf, .cut_at = TESTTLS_NO_CUT, .flip_at = TESTTLS_NO_CUT};
    for (size_t i = 0; i < chain_count; i++) {
        o.chain[i] = chain[i];
    }
    struct tls_config config = {.name = NAME, .ca_pem = root_pem};
    testtls_network_init(&n);
    n.wall_us = wall_s * US_PER_S;
    struct net_conn *below = testtls_conn_new(&o);
    enum status st = tls_client(&n.base, below, &config, DEADLINE, NULL, &c, f, &e);
    if (st != ST_OK) {
        print_error("%s: %s (%s)\n", status_name(st), e.text, f->detail);
    }
    /* no certificate error ends the handshake */
    assert_int_equal(st, ST_OK);
    assert_true(f->done);
    assert_int_equal(f->verified, f->error_count == 0);
    assert_int_equal(f->verified, f->reason == TLS_REASON_NONE);
    assert_int_equal(f->verified, f->detail[0] == '\0');
    assert_int_equal(f->chain_count, chain_count + 1);
    net_close(c);
}

static bool has_error(const struct tls_facts *f, enum tls_reason reason)
{
    for (size_t i = 0; i < f->error_count; i++) {
        if (f->errors[i].reason == reason) {
            return true;
        }
    }
    return false;
}

static void assert_reason(const struct tls_facts *f, enum tls_reason reason)
{
    if (f->reason != reason) {
        print_error("%s, expected %s\n", tls_reason_name(f->reason), tls_reason_name(reason));
        for (size_t i = 0; i < f->error_count; i++) {
            print_error("  depth %d code %d (%s)\n", f->errors[i].depth, f->errors[i].code,
                        X509_verify_cert_error_string(f->errors[i].code));
        }
        fail();
    }
}

static void each_fault_has_its_reason(void **state)
{
    (void)state;
    const struct testcert_authority *ours = &authority, *theirs = &stranger;
    const int64_t past = TESTCERT_NOW - 100 * TESTCERT_DAY, future = -past + 2 * TESTCERT_NOW;
    const struct {
        struct testcert_spec spec;
        const struct testcert *issuer; /* NULL: itself */
        const struct testcert *chain[3];
        enum tls_reason reason;
    } cases[] = {
        {{.name = NAME, .san = SAN}, &ours->intermediate, {&ours->intermediate}, TLS_REASON_NONE},
        {{.name = NAME, .san = SAN}, &ours->root, {NULL}, TLS_REASON_NONE},
        /* with the root sent along, and in the wrong order */
        {{.name = NAME, .san = SAN}, &ours->intermediate, {&ours->root, &ours->intermediate},
         TLS_REASON_NONE},
        {{.name = NULL, .san = SAN}, &ours->intermediate, {&ours->intermediate}, TLS_REASON_NONE},
        {{.name = NAME, .san = SAN, .usage = "serverAuth"}, &ours->root, {NULL}, TLS_REASON_NONE},

        {{.name = NAME, .san = SAN, .not_before = past, .not_after = TESTCERT_NOW - 1},
         &ours->root, {NULL}, TLS_REASON_EXPIRED},
        {{.name = NAME, .san = SAN, .not_before = TESTCERT_NOW + 60, .not_after = future},
         &ours->root, {NULL}, TLS_REASON_NOT_YET_VALID},
        {{.name = NAME, .san = SAN}, NULL, {NULL}, TLS_REASON_SELF_SIGNED},
        {{.name = "localhost", .san = NULL}, NULL, {NULL}, TLS_REASON_SELF_SIGNED},
        {{.name = NAME, .san = SAN}, &theirs->intermediate, {&theirs->intermediate},
         TLS_REASON_UNTRUSTED_ROOT},
        {{.name = NAME, .san = SAN}, &theirs->intermediate, {&theirs->intermediate, &theirs->root},
         TLS_REASON_UNTRUSTED_ROOT},
        {{.name = NAME, .san = SAN}, &ours->intermediate, {NULL}, TLS_REASON_INCOMPLETE_CHAIN},
        {{.name = NAME, .san = SAN}, &ours->intermediate, {&theirs->intermediate},
         TLS_REASON_INCOMPLETE_CHAIN},
        {{.name = NAME, .san = "DNS:www.example.net"}, &ours->root, {NULL}, TLS_REASON_WRONG_NAME},
        {{.name = NAME, .san = "IP:192.0.2.25"}, &ours->root, {NULL}, TLS_REASON_WRONG_NAME},
        {{.name = NAME, .san = "DNS:*.net"}, &ours->root, {NULL}, TLS_REASON_WRONG_NAME},
        {{.name = NAME, .san = "DNS:m*.example.net"}, &ours->root, {NULL}, TLS_REASON_WRONG_NAME},
        {{.name = NAME, .san = "DNS:*.example.net"}, &ours->root, {NULL}, TLS_REASON_NONE},
        {{.name = NAME, .raw_name = NAME "\0.evil.example", .raw_name_len = 28}, &ours->root,
         {NULL}, TLS_REASON_WRONG_NAME},
        {{.name = NAME, .san = NULL}, &ours->root, {NULL}, TLS_REASON_NO_SAN},
        {{.name = "www.example.net", .san = NULL}, &ours->root, {NULL}, TLS_REASON_WRONG_NAME},
        {{.name = NAME, .san = SAN, .usage = "clientAuth"}, &ours->root, {NULL},
         TLS_REASON_PURPOSE},
        {{.name = NAME, .san = SAN, .key = "RSA-1024"}, &ours->root, {NULL}, TLS_REASON_WEAK},
        {{.name = NAME, .san = SAN, .digest = "SHA1"}, &ours->root, {NULL}, TLS_REASON_WEAK},
        {{.name = NAME, .san = SAN, .key = "RSA-2048"}, &ours->root, {NULL}, TLS_REASON_NONE},
        {{.name = NAME, .san = SAN, .key = "ED25519"}, &ours->root, {NULL}, TLS_REASON_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct testcert leaf;
        struct tls_facts f;
        size_t count = 0;
        while (count < 3 && cases[i].chain[count] != NULL) {
            count++;
        }
        testcert_make(&leaf, &cases[i].spec, cases[i].issuer);
        look_at(&leaf, cases[i].chain, count, TESTCERT_NOW, &f);
        assert_reason(&f, cases[i].reason);
        assert_int_equal(f.chain[0].self_signed, cases[i].issuer == NULL);
        testcert_free(&leaf);
    }
}

static void dates_are_judged_by_the_clock_of_the_network(void **state)
{
    (void)state;
    struct testcert leaf;
    struct tls_facts f;
    struct testcert_spec spec = {.name = NAME, .san = SAN};
    testcert_make(&leaf, &spec, &authority.root);
    look_at(&leaf, NULL, 0, TESTCERT_NOW, &f);
    assert_reason(&f, TLS_REASON_NONE);
    int64_t from = f.chain[0].not_before, to = f.chain[0].not_after;
    look_at(&leaf, NULL, 0, from, &f);
    assert_reason(&f, TLS_REASON_NONE);
    look_at(&leaf, NULL, 0, to - 1, &f);
    assert_reason(&f, TLS_REASON_NONE);
    look_at(&leaf, NULL, 0, from - 1, &f);
    assert_reason(&f, TLS_REASON_NOT_YET_VALID);
    look_at(&leaf, NULL, 0, to + 1, &f);
    assert_reason(&f, TLS_REASON_EXPIRED);
    testcert_free(&leaf);
}

static void all_faults_are_collected(void **state)
{
    (void)state;
    struct testcert leaf, old_intermediate;
    struct tls_facts f;
    const int64_t past = TESTCERT_NOW - 100 * TESTCERT_DAY;
    struct testcert_spec spec = {.name = "old.example.net",
                                 .san = "DNS:old.example.net",
                                 .key = "RSA-1024",
                                 .not_before = past,
                                 .not_after = past + TESTCERT_DAY};
    testcert_make(&leaf, &spec, NULL);
    look_at(&leaf, NULL, 0, TESTCERT_NOW, &f);
    assert_reason(&f, TLS_REASON_SELF_SIGNED);
    assert_true(has_error(&f, TLS_REASON_EXPIRED));
    assert_true(has_error(&f, TLS_REASON_WRONG_NAME));
    assert_true(has_error(&f, TLS_REASON_WEAK));
    for (size_t i = 0; i < f.error_count; i++) {
        assert_int_equal(f.errors[i].depth, 0);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(f.errors[i].code, f.errors[k].code);
        }
    }
    testcert_free(&leaf);

    /* one that is not the server's own */
    struct testcert_spec middle = {
        .name = "Old", .ca = true, .not_before = past, .not_after = past + TESTCERT_DAY};
    testcert_make(&old_intermediate, &middle, &authority.root);
    struct testcert_spec good = {.name = NAME, .san = SAN};
    testcert_make(&leaf, &good, &old_intermediate);
    const struct testcert *chain[] = {&old_intermediate};
    look_at(&leaf, chain, 1, TESTCERT_NOW, &f);
    assert_reason(&f, TLS_REASON_EXPIRED);
    assert_int_equal(f.error_count, 1);
    assert_int_equal(f.errors[0].depth, 1);
    assert_int_equal(f.errors[0].code, X509_V_ERR_CERT_HAS_EXPIRED);
    testcert_free(&leaf);
    testcert_free(&old_intermediate);
}

static void an_issuer_must_be_an_authority(void **state)
{
    (void)state;
    struct testcert server, leaf;
    struct tls_facts f;
    struct testcert_spec spec = {.name = "other.example.net", .san = "DNS:other.example.net"};
    testcert_make(&server, &spec, &authority.root);
    struct testcert_spec forged = {.name = NAME, .san = SAN};
    testcert_make(&leaf, &forged, &server);
    const struct testcert *chain[] = {&server};
    look_at(&leaf, chain, 1, TESTCERT_NOW, &f);
    assert_false(f.verified);
    assert_reason(&f, TLS_REASON_PURPOSE);
    testcert_free(&leaf);
    testcert_free(&server);
}

static void a_signature_that_is_wrong_is_noticed(void **state)
{
    (void)state;
    struct testcert leaf;
    struct tls_facts f;
    struct testcert_spec spec = {.name = NAME, .san = SAN};
    testcert_make(&leaf, &spec, &authority.root);
    /* another date, after it was signed */
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(leaf.cert),
                                  (time_t)(TESTCERT_NOW + 900 * TESTCERT_DAY)));
    look_at(&leaf, NULL, 0, TESTCERT_NOW, &f);
    assert_reason(&f, TLS_REASON_SIGNATURE);
    testcert_free(&leaf);
}

static void keys_and_signatures_are_described(void **state)
{
    (void)state;
    static const struct {
        const char *key, *digest, *key_text, *signature;
        size_t end_point;
    } cases[] = {
        {"P-256", "SHA256", "EC P-256", "ecdsa-with-SHA256", 32},
        {"P-384", "SHA384", "EC P-384", "ecdsa-with-SHA384", 48},
        {"P-521", "SHA512", "EC P-521", "ecdsa-with-SHA512", 64},
        {"RSA-2048", "SHA256", "RSA 2048", "sha256WithRSAEncryption", 32},
        {"RSA-2048", "SHA1", "RSA 2048", "sha1WithRSAEncryption", 32},
        {"ED25519", NULL, "ED25519", "ED25519", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct testcert leaf;
        struct tls_facts f;
        struct testcert_spec spec = {
            .name = NAME, .san = SAN, .key = cases[i].key, .digest = cases[i].digest};
        testcert_make(&leaf, &spec, NULL);
        look_at(&leaf, NULL, 0, TESTCERT_NOW, &f);
        assert_true(str_equal_nocase(f.chain[0].key, cases[i].key_text));
        assert_string_equal(f.chain[0].signature, cases[i].signature);
        assert_int_equal(f.end_point_len, cases[i].end_point);
        testcert_free(&leaf);
    }
}

static void hostile_names_are_kept_whole(void **state)
{
    (void)state;
    struct testcert leaf;
    struct tls_facts f;
    static const char raw[] = "a\0b\033]0;x\007\xff";
    struct testcert_spec spec = {.name = "Caf\xc3\xa9 \033[2J",
                                 .san = SAN,
                                 .raw_name = raw,
                                 .raw_name_len = sizeof(raw) - 1};
    testcert_make(&leaf, &spec, &authority.root);
    look_at(&leaf, NULL, 0, TESTCERT_NOW, &f);
    assert_reason(&f, TLS_REASON_NONE);
    assert_int_equal(f.name_count, 2);
    assert_string_equal(f.names[1], "a\\x00b\033]0;x\007\xff");
    assert_string_equal(f.chain[0].subject, "CN=Caf\xc3\xa9 \\1B[2J");
    testcert_free(&leaf);
}

static void overlong_names_are_cut(void **state)
{
    (void)state;
    struct testcert leaf;
    struct tls_facts f;
    char raw[5000];
    memset(raw, 'n', sizeof(raw));
    struct testcert_spec spec = {
        .name = NAME, .san = SAN, .raw_name = raw, .raw_name_len = sizeof(raw)};
    testcert_make(&leaf, &spec, &authority.root);
    look_at(&leaf, NULL, 0, TESTCERT_NOW, &f);
    assert_int_equal(strlen(f.names[1]), TLS_NAME_TEXT - 1);
    testcert_free(&leaf);
}

static void many_names_are_counted(void **state)
{
    (void)state;
    struct testcert leaf;
    struct tls_facts f;
    struct buf san;
    buf_init(&san, 100000);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(buf_addf(&san, "DNS:host%d.example.net,", i), ST_OK);
    }
    assert_int_equal(buf_add_str(&san, SAN ",email:postmaster@example.net"), ST_OK);
    struct testcert_spec spec = {.name = NAME, .san = san.p};
    testcert_make(&leaf, &spec, &authority.root);
    look_at(&leaf, NULL, 0, TESTCERT_NOW, &f);
    /* found, though it is not among those that are kept */
    assert_reason(&f, TLS_REASON_NONE);
    assert_int_equal(f.name_total, 501);
    assert_int_equal(f.name_count, TLS_NAMES_MAX);
    assert_string_equal(f.names[TLS_NAMES_MAX - 1], "host63.example.net");
    testcert_free(&leaf);
    buf_free(&san);
}

#define NO_CERT(kind, text) \
    "-----BEGIN " kind "-----\n" text "\n-----END " kind "-----\n"

struct anchors_case {
    const char *folder, *bundle;
    bool whole_chain; /* the server sends the intermediate along */
    bool verified;
};

static void look_at_anchors(const struct testcert *leaf, const struct anchors_case *c)
{
    struct tls_facts f;
    struct testtls_network n;
    struct net_conn *conn;
    struct testtls_options o = {
        .leaf = leaf, .cut_at = TESTTLS_NO_CUT, .flip_at = TESTTLS_NO_CUT};
    o.chain[0] = c->whole_chain ? &authority.intermediate : NULL;
    struct tls_config config = {.name = NAME};
    assert_int_equal(setenv(X509_get_default_cert_dir_env(), c->folder, 1), 0);
    assert_int_equal(setenv(X509_get_default_cert_file_env(), c->bundle, 1), 0);
    testtls_network_init(&n);
    n.wall_us = TESTCERT_NOW * US_PER_S;
    struct net_conn *below = testtls_conn_new(&o);
    assert_int_equal(tls_client(&n.base, below, &config, DEADLINE, NULL, &conn, &f, NULL), ST_OK);
    if (f.verified != c->verified) {
        print_error("%s, %s: %s\n", c->folder, c->bundle, tls_reason_name(f.reason));
    }
    assert_int_equal(f.verified, c->verified);
    net_close(conn);
    unsetenv(X509_get_default_cert_dir_env());
    unsetenv(X509_get_default_cert_file_env());
}

/* The system's anchors lie in a folder, in a bundle, in both or in none of them. */
static void anchors_of_the_system_are_found(void **state)
{
    (void)state;
    const struct testcert *all[] = {&stranger.root, &authority.root, &authority.intermediate};
    char *theirs_pem = testcert_pem(all, 1), *both_pem = testcert_pem(all, 2);
    char *three_pem = testcert_pem(all, 3);
    char *empty = testcert_dir_new(), *indexed = testcert_dir_new(), *lost = testcert_dir_new();
    char name[32];
    int ok = 0;
    unsigned long hash =
        X509_NAME_hash_ex(X509_get_subject_name(authority.root.cert), NULL, NULL, &ok);
    assert_int_equal(ok, 1);
    snprintf(name, sizeof(name), "%08lx.0", hash);
    free(testcert_write(indexed, name, root_pem));
    /* under the name of our root, somebody else's */
    free(testcert_write(lost, name, theirs_pem));
    char *theirs = testcert_write(empty, "theirs", theirs_pem);
    char *both = testcert_write(empty, "both", both_pem);
    char *three = testcert_write(empty, "three", three_pem);
    struct buf odd;
    buf_init(&odd, 65536);
    assert_int_equal(buf_add_str(&odd, NO_CERT("CERTIFICATE", "MIAwgA==")), ST_OK);
    assert_int_equal(buf_add_str(&odd, NO_CERT("CERTIFICATE", "MAMwAaA=")), ST_OK);
    assert_int_equal(buf_add_str(&odd, NO_CERT("PUBLIC KEY", "MAA=")), ST_OK);
    assert_int_equal(buf_add_str(&odd, both_pem), ST_OK);
    char *odd_file = testcert_write(empty, "odd", buf_str(&odd));
    const struct anchors_case cases[] = {
        {indexed, "/nowhere", true, true}, {empty, both, true, true},
        {indexed, both, true, true},       {lost, both, true, true},
        {empty, odd_file, true, true},     {empty, three, false, true},
        {indexed, three, false, true},     {empty, "/nowhere", true, false},
        {lost, "/nowhere", true, false},   {empty, theirs, true, false},
        {empty, both, false, false},
    };
    struct testcert leaf;
    struct testcert_spec spec = {.name = NAME, .san = SAN};
    testcert_make(&leaf, &spec, &authority.intermediate);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        look_at_anchors(&leaf, &cases[i]);
    }
    testcert_free(&leaf);
    buf_free(&odd);
    char *const heap[] = {theirs, both, three, odd_file, theirs_pem, both_pem, three_pem};
    for (size_t i = 0; i < ARRAY_LEN(heap); i++) {
        free(heap[i]);
    }
    testcert_dir_remove(empty);
    testcert_dir_remove(indexed);
    testcert_dir_remove(lost);
}

static void a_long_chain_is_kept_up_to_its_limit(void **state)
{
    (void)state;
    struct testcert leaf;
    struct testtls_network n;
    struct tls_facts f;
    struct net_conn *c;
    struct testcert_spec spec = {.name = NAME, .san = SAN};
    testcert_make(&leaf, &spec, &authority.intermediate);
    struct testtls_options o = {
        .leaf = &leaf, .cut_at = TESTTLS_NO_CUT, .flip_at = TESTTLS_NO_CUT};
    for (size_t i = 0; i < ARRAY_LEN(o.chain); i++) {
        o.chain[i] = &authority.intermediate;
    }
    struct tls_config config = {.name = NAME, .ca_pem = root_pem};
    testtls_network_init(&n);
    struct net_conn *below = testtls_conn_new(&o);
    assert_int_equal(tls_client(&n.base, below, &config, DEADLINE, NULL, &c, &f, NULL), ST_OK);
    assert_true(f.verified);
    assert_int_equal(f.chain_count, TLS_CHAIN_MAX);
    net_close(c);
    testcert_free(&leaf);
}

static void reasons_have_names(void **state)
{
    (void)state;
    for (int a = TLS_REASON_NONE; a <= TLS_REASON_TIMEOUT; a++) {
        const char *name = tls_reason_name((enum tls_reason)a);
        assert_true(strlen(name) > 0);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        for (int b = TLS_REASON_NONE; b < a; b++) {
            assert_string_not_equal(name, tls_reason_name((enum tls_reason)b));
        }
    }
    assert_string_equal(tls_reason_name(TLS_REASON_INCOMPLETE_CHAIN), "incomplete-chain");
    assert_non_null(tls_reason_name((enum tls_reason)1000));
    assert_non_null(strstr(tls_library_version(), "SSL"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_reason),
        cmocka_unit_test(dates_are_judged_by_the_clock_of_the_network),
        cmocka_unit_test(all_faults_are_collected),
        cmocka_unit_test(an_issuer_must_be_an_authority),
        cmocka_unit_test(a_signature_that_is_wrong_is_noticed),
        cmocka_unit_test(keys_and_signatures_are_described),
        cmocka_unit_test(hostile_names_are_kept_whole),
        cmocka_unit_test(overlong_names_are_cut),
        cmocka_unit_test(many_names_are_counted),
        cmocka_unit_test(anchors_of_the_system_are_found),
        cmocka_unit_test(a_long_chain_is_kept_up_to_its_limit),
        cmocka_unit_test(reasons_have_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
