/*
 * auth: the AUTH command (RFC 4954) on a conversation, with any SASL mechanism.
 *
 * Every base64 step is told to the tap as the wire had it, with secrets hidden, followed by a note that
 * shows the decoded form (masked): "334 VXNlcm5hbWU6" is told together with "Username:".
 *
 * Threads: the engine's. Ownership: nothing is kept.
 */
#ifndef SMTPSCOPE_AUTH_H
#define SMTPSCOPE_AUTH_H

#include "sasl.h"
#include "smtp.h"

/*
 * ST_OK: final reply in *reply (235, 535, ...). ST_PROTO: the server's challenge was unusable, the exchange
 * was cancelled with "*" and *reply holds the answer to that. Other statuses as in smtp.h.
 * The caller has checked that TLS is up or that the user allowed clear text.
 */
enum status auth_run(struct smtp *s, const struct sasl_params *params, struct reply *reply,
                     struct error *error) MUST_CHECK;

#endif
