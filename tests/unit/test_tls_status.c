#include "tls.h"

#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "testtls.h"

#define DEADLINE (60 * US_PER_S)
#define NAME "mx.example.net"

static struct testcert_authority authority, stranger;
static struct testcert leaf, other;
static char *root_pem;

static int setup(void **state)
{
    (void)state;
    const struct testcert_spec spec = {.name = NAME, .san = "DNS:" NAME};
    testcert_authority_make(&authority, "Test");
    testcert_authority_make(&stranger, "Stranger");
    testcert_make(&leaf, &spec, &authority.intermediate);
    testcert_make(&other, &spec, &authority.intermediate);
    const struct testcert *roots[] = {&authority.root};
    root_pem = testcert_pem(roots, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    testcert_free(&leaf);
    testcert_free(&other);
    testcert_authority_free(&authority);
    testcert_authority_free(&stranger);
    free(root_pem);
    return 0;
}

struct status_case {
    int status; /* V_OCSP_CERTSTATUS_* */
    const struct testcert *about, *signer;
    int64_t from_s, until_s; /* from TESTCERT_NOW */
    size_t cut;              /* octets left out at the end */
    bool revoked;
};

static size_t make_response(const struct status_case *c, unsigned char **der)
{
    const int64_t now = TESTCERT_NOW;
    ASN1_TIME *revoked = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(now - TESTCERT_DAY));
    ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(now + c->from_s));
    ASN1_TIME *until = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(now + c->until_s));
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, c->about->cert, authority.intermediate.cert);
    bool is_revoked = c->status == V_OCSP_CERTSTATUS_REVOKED;
    assert_non_null(OCSP_basic_add1_status(basic, id, c->status, 0, is_revoked ? revoked : NULL,
                                           from, until));
    assert_int_equal(OCSP_basic_sign(basic, c->signer->cert, c->signer->key, EVP_sha256(), NULL, 0),
                     1);
    OCSP_RESPONSE *r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    *der = NULL;
    int len = i2d_OCSP_RESPONSE(r, der);
    assert_true(len > 0);
    OCSP_RESPONSE_free(r);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(until);
    ASN1_TIME_free(from);
    ASN1_TIME_free(revoked);
    return (size_t)len;
}

/* Shakes hands with a server that staples these bytes. */
static void look_at(const unsigned char *status, size_t len, struct tls_facts *f)
{
    struct testtls_network n;
    struct error e = {0};
    struct net_conn *c = NULL;
    struct testtls_options o = {.leaf = &leaf,
                                .chain = {&authority.intermediate},
                                .cut_at = TESTTLS_NO_CUT,
                                .flip_at = TESTTLS_NO_CUT,
                                .status = status,
                                .status_len = len};
    struct tls_config config = {.name = NAME, .ca_pem = root_pem};
    testtls_network_init(&n);
    n.wall_us = TESTCERT_NOW * US_PER_S;
    assert_int_equal(tls_client(&n.base, testtls_conn_new(&o), &config, DEADLINE, NULL, &c, f, &e),
                     ST_OK);
    net_close(c);
}

static void only_a_good_word_counts(void **state)
{
    (void)state;
    const struct testcert *ours = &authority.intermediate;
    const struct status_case cases[] = {
        {V_OCSP_CERTSTATUS_REVOKED, &leaf, ours, -3600, TESTCERT_DAY, 0, true},
        {V_OCSP_CERTSTATUS_REVOKED, &leaf, ours, 60, TESTCERT_DAY, 0, true}, /* clocks differ */
        {V_OCSP_CERTSTATUS_GOOD, &leaf, ours, -3600, TESTCERT_DAY, 0, false},
        {V_OCSP_CERTSTATUS_UNKNOWN, &leaf, ours, -3600, TESTCERT_DAY, 0, false},
        {V_OCSP_CERTSTATUS_REVOKED, &other, ours, -3600, TESTCERT_DAY, 0, false},
        {V_OCSP_CERTSTATUS_REVOKED, &leaf, &stranger.intermediate, -3600, TESTCERT_DAY, 0, false},
        {V_OCSP_CERTSTATUS_REVOKED, &leaf, &leaf, -3600, TESTCERT_DAY, 0, false},
        {V_OCSP_CERTSTATUS_REVOKED, &leaf, ours, -9 * TESTCERT_DAY, -TESTCERT_DAY, 0, false},
        {V_OCSP_CERTSTATUS_REVOKED, &leaf, ours, TESTCERT_DAY, 2 * TESTCERT_DAY, 0, false},
        {V_OCSP_CERTSTATUS_REVOKED, &leaf, ours, -3600, TESTCERT_DAY, 1, false},
    };
    struct tls_facts *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned char *der = NULL;
        size_t len = make_response(&cases[i], &der);
        look_at(der, len - cases[i].cut, f);
        if (f->verified == cases[i].revoked ||
            (f->reason == TLS_REASON_REVOKED) != cases[i].revoked) {
            fail_msg("case %zu: verified %d, reason %s", i, f->verified,
                     tls_reason_name(f->reason));
        }
        OPENSSL_free(der);
    }
    free(f);
}

/* Every flipped bit spoils the signature, or what it is about; none may be believed. */
static void a_changed_word_never_counts(void **state)
{
    (void)state;
    const struct status_case good = {V_OCSP_CERTSTATUS_GOOD, &leaf, &authority.intermediate,
                                     -3600, TESTCERT_DAY, 0, false};
    struct tls_facts *f = calloc(1, sizeof(*f));
    unsigned char *der = NULL;
    size_t len = make_response(&good, &der);
    assert_non_null(f);
    for (size_t i = 0; i < len; i += 7) {
        der[i] ^= 1;
        look_at(der, len, f);
        assert_int_equal(f->reason, TLS_REASON_NONE);
        der[i] ^= 1;
    }
    OPENSSL_free(der);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_good_word_counts),
        cmocka_unit_test(a_changed_word_never_counts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
