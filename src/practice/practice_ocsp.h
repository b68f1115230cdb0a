/*
 * practice_ocsp: the status of a certificate as a server staples it to its handshake (RFC 6066 8,
 * RFC 6960).
 *
 * Threads: pure. Ownership: the caller frees the bytes with OPENSSL_free.
 */
#ifndef SMTPSCOPE_PRACTICE_OCSP_H
#define SMTPSCOPE_PRACTICE_OCSP_H

#include <openssl/x509.h>

#include "base.h"

/*
 * An OCSP response, DER, which says that the certificate was revoked at that time (seconds since
 * 1970) and is valid for a week around now_s. Its length, or 0 when it cannot be made.
 */
int practice_ocsp_revoked(X509 *cert, X509 *issuer, EVP_PKEY *issuer_key, int64_t now_s,
                          unsigned char **der);

#endif
