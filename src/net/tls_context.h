/*
 * tls_context: the library's settings for one handshake: trust, versions, client certificate.
 *
 * Threads: the engine's, inside tls_client. Ownership: the caller frees the context.
 */
#ifndef SMTPSCOPE_TLS_CONTEXT_H
#define SMTPSCOPE_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "tls.h"

/* ST_INVALID with a sentence when a local file or the list of ciphers is no good. */
enum status tls_context_new(const struct network *n, const struct tls_config *config,
                            SSL_CTX **out, struct error *error) MUST_CHECK;

/* True when nobody named anchors. Such a context knows the system's folder of them alone;
   tls_anchors_widen has to complete it. */
bool tls_context_trusts_system(const struct network *n, const struct tls_config *config);

#endif
