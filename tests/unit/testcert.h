/*
 * testcert: certificates made while a test runs: authorities, intermediates, servers; good ones and
 * every kind of bad one.
 *
 * Whatever cannot be made ends the test program: a test without its certificate means nothing.
 *
 * Threads: one at a time. Ownership: testcert_free frees what testcert_make made; texts are heap
 * and the caller's.
 */
#ifndef SMTPSCOPE_TESTCERT_H
#define SMTPSCOPE_TESTCERT_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The moment at which tests take place, and around which certificates are valid by themselves. */
#define TESTCERT_NOW INT64_C(1795435784) /* 2026-11-23T12:09:44Z */
#define TESTCERT_DAY INT64_C(86400)

struct testcert {
    X509 *cert;
    EVP_PKEY *key;
};

struct testcert_spec {
    const char *name;              /* common name; NULL for an empty subject */
    const char *san;               /* "DNS:mx.example.net,IP:192.0.2.1"; NULL for none */
    const char *raw_name;          /* one more DNS name in the SAN, any bytes; NULL for none */
    size_t raw_name_len;
    int64_t not_before, not_after; /* seconds since 1970; both 0: 30 days around TESTCERT_NOW */
    const char *key;               /* "P-256" (also for NULL), "RSA-2048", "ED25519", ... */
    const char *digest;            /* "SHA256" (also for NULL); no matter for Ed25519 */
    const char *usage;             /* extended key usage: "serverAuth"; NULL for none */
    bool ca;
};

/* Signed by issuer, or by itself when that is NULL. */
void testcert_make(struct testcert *out, const struct testcert_spec *spec,
                   const struct testcert *issuer);
void testcert_free(struct testcert *c);

/* A root, and below it an intermediate authority: what most tests begin with. */
struct testcert_authority {
    struct testcert root, intermediate;
};
void testcert_authority_make(struct testcert_authority *out, const char *name);
void testcert_authority_free(struct testcert_authority *a);

/* PEM texts; certificates one after the other. */
char *testcert_pem(const struct testcert *const *certs, size_t count);
char *testcert_key_pem(const struct testcert *c);

/* A new folder for files of this test, and its end with everything in it. */
char *testcert_dir_new(void);
void testcert_dir_remove(char *dir);
/* Writes text to dir/name (mode 0600); returns the path. */
char *testcert_write(const char *dir, const char *name, const char *text);

#endif
