/*
 * check_typed: what a command typed by hand says about the steps.
 *
 * The answer is judged by the rules of the step that would have sent the same command, and the
 * finding goes under that step's name, marked as typed. No step's result changes. What is only a
 * slip of whoever typed (wrong order, bad syntax, 5.5.x) is no finding, and neither is an
 * acceptance that proves nothing: a recipient elsewhere that is accepted does not make a relay.
 *
 * Threads: the engine's. Ownership: none.
 */
#ifndef SMTPSCOPE_CHECK_TYPED_H
#define SMTPSCOPE_CHECK_TYPED_H

#include "check.h"

/* After smtp_typed or smtp_typed_chunk returned `status` for this line; see smtp.typed. */
void check_typed(struct check_context *c, const char *line, size_t len, enum status status,
                 const struct reply *reply, const struct error *error);
/* After smtp_handshake. */
void check_handshake(struct check_context *c, enum status status, const struct error *error);

#endif
