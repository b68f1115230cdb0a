/*
 * control: the second look that a check takes before it blames anybody.
 *
 * A limit, a tarpit or one odd member of a pool looks like a broken server to whoever looks once. A
 * control is cheap: one more connection to the same address, after a pause, and always with QUIT on
 * the one before. Where it cannot be had, the finding says how sure it is.
 *
 * Threads: the engine's. Ownership: the connection stays the context's conversation.
 */
#ifndef SMTPSCOPE_CONTROL_H
#define SMTPSCOPE_CONTROL_H

#include "check_session.h"

/* Servers that count connections count them by the second or the minute: a few seconds help against
   the first and are bearable for somebody who waits. */
#define CONTROL_PAUSE_MS 3000
#define CONTROL_TLS_MS 5000

/* ST_TIMEOUT: the pause is over, and nobody stopped it. */
enum status control_pause(struct check_context *c, int ms) MUST_CHECK;
/*
 * Says so, takes leave, pauses, and opens a second connection up to that level. Statuses as
 * session_open; *line is the note that says why.
 */
enum status control_again(struct check_context *c, enum session_level level, uint32_t *line,
                          struct error *error) MUST_CHECK;
/*
 * After a handshake that failed without a word: the same again in ways that get through devices and
 * servers that stumble over something in ours. ST_OK: one worked; *word is its name, marked with
 * N_(), and *line the note about it. ST_TLS: none did. The connection is closed in any case.
 */
enum status control_handshake(struct check_context *c, const char **word,
                              uint32_t *line) MUST_CHECK;
/*
 * A group of commands was not answered as a whole. Opens the connection again, so that the same can
 * be asked one by one. Statuses as session_open; ST_INVALID: it was no group, or some of it was
 * answered, so that whoever reads it bears groups.
 */
enum status control_ungroup(struct check_context *c, enum status broken,
                            const struct reply *replies, size_t count) MUST_CHECK;
/* One by one everything was answered: reports smtp.ehlo.pipelining_broken. */
enum verdict control_group_broken(struct check_context *c, enum status broken);

#endif
