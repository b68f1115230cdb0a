/*
 * auth: the AUTH command (RFC 4954) on a conversation, with any SASL mechanism.
 *
 * Every base64 step is told to the tap as the wire had it, with secrets hidden, followed by a note
 * that shows the decoded form (masked): "334 VXNlcm5hbWU6" is told together with "Username:".
 *
 * Threads: the engine's. Ownership: nothing is kept.
 */
#ifndef SMTPSCOPE_AUTH_H
#define SMTPSCOPE_AUTH_H

#include "sasl.h"
#include "smtp.h"

/*
 * ST_OK: final reply in *reply (235, 535, ...). ST_PROTO: the server's challenge was unusable, the
 * exchange was cancelled with "*" and *reply holds the answer to that; or the server said 235
 * without the proof that SCRAM demands of it, and the session does not count as authenticated.
 * ST_INVALID: nothing was sent. Other statuses as in smtp.h.
 *
 * params->tls, ->random and ->plus_offered may be left empty: the session fills them in. The
 * password and every secret response are hidden from then on in all that the session tells, whether
 * or not s->redactor knows them.
 *
 * The caller has checked that TLS is up or that the user allowed clear text.
 */
enum status auth_run(struct smtp *s, const struct sasl_params *params, struct reply *reply,
                     struct error *error) MUST_CHECK;

#endif
