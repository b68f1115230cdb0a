/*
 * tls_status: what the server itself says about its certificate: the OCSP response that it staples
 * to the handshake (RFC 6066 section 8, RFC 6960).
 *
 * Nobody else is asked: no connection is opened to the certificate's authority.
 *
 * Threads: the engine's, inside tls_client. Ownership: nothing is kept.
 */
#ifndef SMTPSCOPE_TLS_STATUS_H
#define SMTPSCOPE_TLS_STATUS_H

#include <openssl/ssl.h>

#include "base.h"

/* Asks for the status in the ClientHello. */
void tls_status_ask(SSL *ssl);
/*
 * True when a stapled response that is good at wall_s (seconds since 1970), and signed by the
 * authority of the chain that was sent, says that the server's certificate was revoked. A response
 * that is missing, old, forged or about another certificate proves nothing.
 */
bool tls_status_revoked(SSL *ssl, int64_t wall_s);

#endif
