#include "tls_anchors.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* An authority below another one, and that below a third: more does not occur in bundles. */
#define PASSES_MAX 4
/* What ASN1_get_object says of a broken element, and of one whose length is not told. */
#define NOT_DER 0x81

static bool is_anchored(X509_STORE_CTX *chain, X509 *cert)
{
    X509 *issuer = NULL;
    bool found = X509_STORE_CTX_get1_issuer(&issuer, chain, cert) == 1;
    bool anchored = found && X509_self_signed(issuer, 0) == 1;
    X509_free(issuer);
    return anchored;
}

/* Steps into the element at *p, which must be of this type, or over it. */
static bool step(const unsigned char **p, const unsigned char *end, int tag, bool into)
{
    long len;
    int got, class;
    const unsigned char *at = *p;
    if (at >= end || (ASN1_get_object(&at, &len, &got, &class, end - at) & NOT_DER) != 0) {
        return false;
    }
    if (tag != V_ASN1_UNDEF && got != tag) {
        return false;
    }
    *p = into ? at : at + len;
    return true;
}

/* RFC 5280 4.1, TBSCertificate: [0] version (but for version 1), serialNumber, signature, issuer,
   validity, subject. */
static X509_NAME *subject_of(const unsigned char *p, long len)
{
    const unsigned char *end = p + len;
    bool ok = step(&p, end, V_ASN1_SEQUENCE, true) && step(&p, end, V_ASN1_SEQUENCE, true);
    int before = ok && p < end && *p == (V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED) ? 5 : 4;
    for (int i = 0; i < before && ok; i++) {
        ok = step(&p, end, V_ASN1_UNDEF, false);
    }
    return ok ? d2i_X509_NAME(NULL, &p, end - p) : NULL;
}

static bool is_issuer(const X509_NAME *subject, const STACK_OF(X509) *certs)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (X509_NAME_cmp(X509_get_issuer_name(sk_X509_value(certs, i)), subject) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds the anchor to the store; to certs as well when its own issuer is wanted now. */
static bool take(X509_STORE *store, STACK_OF(X509) *certs, const char *kind,
                 const unsigned char *p, long len)
{
    bool more = false;
    bool aux = strcmp(kind, PEM_STRING_X509_TRUSTED) == 0;
    X509 *cert = aux ? d2i_X509_AUX(NULL, &p, len) : d2i_X509(NULL, &p, len);
    if (cert != NULL && X509_STORE_add_cert(store, cert) == 1 && X509_self_signed(cert, 0) != 1) {
        more = X509_add_cert(certs, cert, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1;
    }
    X509_free(cert);
    return more;
}

/* True when it found an issuer that has an issuer itself. */
static bool read_bundle(const char *path, X509_STORE *store, STACK_OF(X509) *certs)
{
    char *kind, *header;
    unsigned char *p;
    long len;
    bool more = false;
    int before = sk_X509_num(certs);
    BIO *bio = BIO_new_file(path, "r");
    while (bio != NULL && PEM_read_bio(bio, &kind, &header, &p, &len) == 1) {
        bool is_cert = strcmp(kind, PEM_STRING_X509) == 0 ||
                       strcmp(kind, PEM_STRING_X509_OLD) == 0 ||
                       strcmp(kind, PEM_STRING_X509_TRUSTED) == 0;
        X509_NAME *subject = is_cert ? subject_of(p, len) : NULL;
        if (subject != NULL && is_issuer(subject, certs)) {
            more = take(store, certs, kind, p, len) || more;
        }
        X509_NAME_free(subject);
        OPENSSL_free(kind);
        OPENSSL_free(header);
        OPENSSL_free(p);
    }
    BIO_free(bio);
    return more && sk_X509_num(certs) > before;
}

void tls_anchors_widen(X509_STORE_CTX *chain)
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(chain); /* the leaf is among them */
    bool anchored = false;
    /* A handshake is under way, and judges by the library's queue of errors. */
    (void)ERR_set_mark();
    for (int i = 0; i < sk_X509_num(sent) && !anchored; i++) {
        anchored = is_anchored(chain, sk_X509_value(sent, i));
    }
    STACK_OF(X509) *certs = anchored ? NULL : X509_chain_up_ref(sent);
    if (certs != NULL) {
        const char *path = secure_getenv(X509_get_default_cert_file_env());
        path = path != NULL ? path : X509_get_default_cert_file();
        int passes = 0;
        while (read_bundle(path, X509_STORE_CTX_get0_store(chain), certs) &&
               ++passes < PASSES_MAX) {
            continue;
        }
        sk_X509_pop_free(certs, X509_free);
    }
    (void)ERR_pop_to_mark();
}
