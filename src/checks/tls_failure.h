/*
 * tls_failure: what a handshake that did not succeed means, and what both ways into TLS have in
 * common.
 *
 * Threads: the engine's. Ownership: none.
 */
#ifndef SMTPSCOPE_TLS_FAILURE_H
#define SMTPSCOPE_TLS_FAILURE_H

#include "check.h"

/* Copies the conversation's TLS facts to the path's. */
enum status tls_facts_keep(struct check_context *c) MUST_CHECK;
/* Reports why the handshake that began with `line` failed (smtp.tls_facts has the reason). */
enum verdict tls_failure_report(struct check_context *c, enum status status,
                                const struct error *error, uint32_t line);
/*
 * TLS 1.3 servers find our missing certificate only after the handshake (RFC 8446 4.6.2, alert
 * 116), so that the first exchange breaks. True when that is what happened; it is reported then.
 */
bool tls_wanted_certificate(struct check_context *c, enum status status, enum verdict *verdict);
/* Warns of TLS 1.0 and 1.1 (RFC 8996); VERDICT_OK when there is nothing to say. */
enum verdict tls_old_version(struct check_context *c, uint32_t line);
/* Warns of ciphers and key exchanges that are broken by now (RFC 9325); VERDICT_OK as above. */
enum verdict tls_weak(struct check_context *c, uint32_t line);

#endif
