/*
 * tls_facts: what can be read off a handshake: chain errors, certificates, reasons, bindings.
 *
 * Threads: the engine's, inside tls_client. Ownership: everything is copied into struct tls_facts;
 * OpenSSL's objects stay the caller's.
 */
#ifndef SMTPSCOPE_TLS_FACTS_H
#define SMTPSCOPE_TLS_FACTS_H

#include <openssl/ssl.h>

#include "tls.h"

/* A host name as it may be sent and compared, or an address. */
struct tls_wanted {
    const char *name;           /* as in facts.name; "" when nothing is to be checked */
    struct net_address address; /* family 0 for a name */
    int64_t wall_s;             /* when the dates are judged */
};

/*
 * Copies what the peer sent, then verifies it, collecting every error instead of stopping at the
 * first. To be called from SSL_CTX_set_cert_verify_callback.
 */
void tls_facts_verify(X509_STORE_CTX *ctx, const struct tls_wanted *wanted,
                      struct tls_facts *facts);
/* The server's own word for it (tls_status.h) is one more error of its certificate. */
void tls_facts_revoked(struct tls_facts *facts);
/* Version, cipher, group and channel bindings of a finished handshake. */
void tls_facts_session(SSL *ssl, struct tls_facts *facts);

/* What an alert of the peer means, sent before or after its ServerHello came. */
enum tls_reason tls_reason_of_alert(int alert, bool before_hello, bool cert_missing);
/* What an error of the library means; err as from ERR_get_error. */
enum tls_reason tls_reason_of_error(unsigned long err);
/* A record begins with its type (20 to 24) and major version 3; anything else is no TLS. */
bool tls_looks_like_record(const char *p, size_t len);
/* One sentence or clause, translated. */
const char *tls_reason_text(enum tls_reason reason);

#endif
