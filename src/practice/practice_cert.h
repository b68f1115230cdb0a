/*
 * practice_cert: makes one certificate, with whatever has to be wrong about it.
 *
 * Threads: pure. Ownership: the caller frees the result.
 */
#ifndef SMTPSCOPE_PRACTICE_CERT_H
#define SMTPSCOPE_PRACTICE_CERT_H

#include <openssl/x509.h>

#include "buf.h"

struct cert_request {
    struct span subject;     /* common name, any bytes */
    const struct buf *names; /* subjectAltName; bytes as they are */
    size_t name_count;
    int64_t from_s, until_s; /* since 1970 */
    long serial;
    bool ca;
    bool for_clients; /* its extended key usage leaves servers out */
    bool forged;      /* a bit of the signature is wrong */
    EVP_PKEY *key;
    X509 *issuer; /* NULL: signed by itself */
    EVP_PKEY *issuer_key;
};

/* "ec256", "rsa2048", "rsa1024". */
EVP_PKEY *cert_key_new(const char *kind);
X509 *cert_new(const struct cert_request *request);

#endif
