/*
 * redact: what redact.c needs of secret.c. The redactor's public face is in secret.h.
 *
 * Threads and ownership: as in secret.h.
 */
#ifndef SMTPSCOPE_REDACT_H
#define SMTPSCOPE_REDACT_H

#include "secret.h"

/* secret_set without the limit: a needle may be longer than the secret that it encodes. */
enum status secret_set_any(struct secret *s, const char *p, size_t len) MUST_CHECK;

#endif
