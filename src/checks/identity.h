/*
 * identity: who the plan says that we are: the header of a proxy before everything else, and
 * XCLIENT behind the first EHLO that offers it.
 *
 * Threads: the engine's. Ownership: the connection is the context's conversation.
 */
#ifndef SMTPSCOPE_IDENTITY_H
#define SMTPSCOPE_IDENTITY_H

#include "check.h"

/* On a fresh connection: LMTP or SMTP, and the proxy's header where one is wished for. */
enum status identity_begin(struct check_context *c, struct error *error) MUST_CHECK;
/* XCLIENT is wished for, offered now, and not yet said in this connection. */
bool identity_is_due(const struct check_context *c);
/*
 * XCLIENT, and EHLO again (both replies in turn in *reply). ST_REFUSED: the server said no to one
 * of them, and *reply says what.
 */
enum status identity_tell(struct check_context *c, struct reply *reply) MUST_CHECK;
/* The same behind an EHLO that a step judges: reports how it went. VERDICT_OK when there is nothing
   to do, or when STARTTLS has to come first. *reply is left alone. */
enum verdict identity_judge(struct check_context *c);

#endif
