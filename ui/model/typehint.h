/*
 * typehint: help while a person types SMTP: completion by state, and a hint line with grammar and
 * order.
 *
 * It warns and never blocks: sending wrong things is the job.
 *
 * Threads: the face's. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_TYPEHINT_H
#define SMTPSCOPE_TYPEHINT_H

#include "record.h"

#define TYPEHINT_CANDIDATES_MAX 64

struct typehint_candidates {
    char text[TYPEHINT_CANDIDATES_MAX][256]; /* whole lines to put in place */
    size_t count;
};

/* Verbs that are legal in the session's state first, then parameters that this server offered
   (capabilities of the record's path), then addresses seen in the transcript's client lines. */
void typehint_complete(const struct record *r, const char *line, struct typehint_candidates *out);
/* "RCPT TO:<address> [NOTIFY=...]   '>' is missing at the end." Translated. "" when there is
 * nothing to say. */
void typehint_hint(const struct record *r, const char *line, char *out, size_t size);
/* The prompt for the state: "SMTP>", "SMTP~>", "DATA>", "(off)>", "334>". */
const char *typehint_prompt(const struct record *r);
/* True when what is typed now must be shown as stars: a 334 is pending, or an AUTH with initial
 * response. */
bool typehint_secret(const struct record *r, const char *line);
/* True for the deliberately dangerous, which take a second Enter: DATA, AUTH in clear, VRFY, EXPN.
 */
bool typehint_dangerous(const struct record *r, const char *line);

#endif
