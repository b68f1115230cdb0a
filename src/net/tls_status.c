#include "tls_status.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#define CLOCKS_DIFFER_S 300 /* clocks of honest machines do */

void tls_status_ask(SSL *ssl)
{
    (void)SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}

static OCSP_BASICRESP *stapled(SSL *ssl)
{
    const unsigned char *p = NULL;
    OCSP_BASICRESP *basic = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &p);
    if (len <= 0 || p == NULL) {
        return NULL;
    }
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, len);
    if (response != NULL && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        basic = OCSP_response_get1_basic(response);
    }
    OCSP_RESPONSE_free(response);
    return basic;
}

/* The certificate that signed the leaf, among those that were sent. */
static X509 *issuer_of(X509 *leaf, STACK_OF(X509) *chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *cert = sk_X509_value(chain, i);
        if (cert != leaf && X509_check_issued(cert, leaf) == X509_V_OK) {
            return cert;
        }
    }
    return NULL;
}

/*
 * Signed by the issuer itself, or by a certificate that the issuer signed for this (RFC 6960 4.2.2.2).
 * Whether the issuer is trusted is another question, which the chain's own errors answer: the
 * server's word against itself counts all the same.
 */
static bool is_signed(OCSP_BASICRESP *basic, STACK_OF(X509) *chain, X509 *issuer)
{
    X509_STORE *store = X509_STORE_new();
    bool good = store != NULL && X509_STORE_add_cert(store, issuer) == 1 &&
                X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME) ==
                    1 &&
                OCSP_basic_verify(basic, chain, store, 0) == 1;
    X509_STORE_free(store);
    return good;
}

/* OCSP_check_validity asks the system's clock; ours may be another one. */
static bool is_current(const ASN1_GENERALIZEDTIME *from, const ASN1_GENERALIZEDTIME *until,
                       int64_t wall_s)
{
    time_t late = (time_t)(wall_s + CLOCKS_DIFFER_S);
    time_t early = (time_t)(wall_s - CLOCKS_DIFFER_S);
    return from != NULL && X509_cmp_time(from, &late) < 0 &&
           (until == NULL || X509_cmp_time(until, &early) > 0);
}

bool tls_status_revoked(SSL *ssl, int64_t wall_s)
{
    bool revoked = false;
    int status = V_OCSP_CERTSTATUS_UNKNOWN;
    ASN1_GENERALIZEDTIME *from = NULL;
    ASN1_GENERALIZEDTIME *until = NULL;
    /* As it was built, because servers rightly leave the root out. */
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    chain = chain != NULL ? chain : SSL_get_peer_cert_chain(ssl);
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    X509 *issuer = leaf != NULL ? issuer_of(leaf, chain) : NULL;
    OCSP_BASICRESP *basic = issuer != NULL ? stapled(ssl) : NULL;
    OCSP_CERTID *id = basic != NULL ? OCSP_cert_to_id(NULL, leaf, issuer) : NULL;
    if (id != NULL &&
        OCSP_resp_find_status(basic, id, &status, NULL, NULL, &from, &until) == 1) {
        revoked = status == V_OCSP_CERTSTATUS_REVOKED && is_current(from, until, wall_s) &&
                  is_signed(basic, chain, issuer);
    }
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    ERR_clear_error();
    return revoked;
}
