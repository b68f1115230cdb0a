/*
 * commands: the test of a step as commands of other tools (dig, nc, swaks, openssl), for whoever wants to see it
 * with his own eyes or to run it elsewhere.
 *
 * They talk to the same address and port, with the same names, as the step did. Every word that comes from outside
 * is quoted for the shell; a password is never in them: swaks asks for it.
 *
 * Threads: pure. Ownership: the caller's buffer.
 */
#ifndef SMTPSCOPE_COMMANDS_H
#define SMTPSCOPE_COMMANDS_H

#include "record.h"

/* One command a line; what cannot be a command is a line that begins with #. */
enum status commands_for(const struct record *r, const struct plan *plan, enum check_id check,
                         struct buf *out) MUST_CHECK;

#endif
