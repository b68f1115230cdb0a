/*
 * check_session: the path's connection, brought to where a check needs it without judging anything.
 *
 * Checks run in order on one connection, but any of them may also be run alone, again, or after the
 * server hung up.
 *
 * Threads: the engine's. Ownership: the connection is the context's conversation.
 */
#ifndef SMTPSCOPE_CHECK_SESSION_H
#define SMTPSCOPE_CHECK_SESSION_H

#include "check.h"

enum session_level {
    SESSION_CONNECTED, /* no byte was exchanged yet */
    SESSION_GREETED,   /* 220 read, under TLS where it comes first */
    SESSION_CLEAR,     /* EHLO done, before STARTTLS */
    SESSION_READY      /* EHLO done, under TLS where the path had it */
};

/* A fresh connection to the path's address, up to that level; what is open is closed. ST_REFUSED:
   the server answered, but did not let us in; the sentence says what it said. */
enum status session_open(struct check_context *c, enum session_level level,
                         struct error *error) MUST_CHECK;
/*
 * The connection as it is, where it is fit for commands of a new transaction, else a fresh one. An
 * unfinished transaction is dropped by RSET.
 */
enum status session_ready(struct check_context *c, struct error *error) MUST_CHECK;
/* One connection, from the source that the plan names; the caller owns *out. */
enum status session_dial(struct check_context *c, const struct net_address *to, int limit_ms,
                         struct net_conn **out, int *sys) MUST_CHECK;

#endif
