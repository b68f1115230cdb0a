/*
 * tls_anchors: the system's trust anchors, without reading all of them.
 *
 * The bundle of a system holds some 150 certificates, and the library takes 20 ms to make objects
 * of them: more than everything else of a short check. So only their subjects are read, and those
 * alone are added that may have signed something in the chain at hand. The verdict is the same as
 * with the whole bundle.
 *
 * Threads: the engine's, inside a handshake. Ownership: the store owns what is added.
 */
#ifndef SMTPSCOPE_TLS_ANCHORS_H
#define SMTPSCOPE_TLS_ANCHORS_H

#include <openssl/x509_vfy.h>

/* To be called before the chain is verified. Does nothing when its store has a root for it already,
   as from the system's folder. A bundle that cannot be read is none. */
void tls_anchors_widen(X509_STORE_CTX *chain);

#endif
