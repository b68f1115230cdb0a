/*
 * typehint: help while a person types SMTP: completion by state, and a hint line with grammar,
 * order, and what the server will likely say.
 *
 * It warns and never blocks: sending wrong things is the job.
 *
 * Threads: the face's. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_TYPEHINT_H
#define SMTPSCOPE_TYPEHINT_H

#include "record.h"

#define TYPEHINT_CANDIDATES_MAX 64

/* How the line is taken when Enter is pressed. */
#define TYPEHINT_RAW 1u /* raw mode: it is the notation of raw_text.h, and no line end is added */
#define TYPEHINT_ENCODE 2u /* what answers a 334 is put into base64 before it goes out */
#define TYPEHINT_LMTP 4u   /* the server speaks LMTP (RFC 2033) */

struct typehint_candidates {
    char text[TYPEHINT_CANDIDATES_MAX][256]; /* whole lines to put in place */
    char note[TYPEHINT_CANDIDATES_MAX][120]; /* what it is, for a list; translated, or "" */
    size_t count;
    size_t keep; /* so many bytes stay as they were typed: a list shows what comes behind */
};

/* The line asks for a macro (macro.h). In message text, and where a password is encoded, a colon is
   only a character. */
bool typehint_is_macro(const struct record *r, unsigned mode, const char *line);
/* Verbs that are legal in the session's state first, then parameters that this server offered
   (capabilities of the record's path), then addresses seen in the transcript's client lines. Lines
   that begin with a colon: see macro.h. */
void typehint_complete(const struct record *r, unsigned mode, const char *line,
                       struct typehint_candidates *out);

struct typehint {
    char grammar[240]; /* "RCPT TO:<address> [NOTIFY=...]" */
    char remark[400];  /* "'>' is missing at the end." Translated. */
    char likely[160];  /* "Likely answer: 250" Translated. */
};
/* Parts that have nothing to say are "". */
void typehint_hint(const struct record *r, unsigned mode, const char *line, struct typehint *out);
/* As many parts as fit into so many columns. The remark goes before all else; it may be longer. */
void typehint_join(const struct typehint *hint, int columns, char *out, size_t size);
/* The prompt for the state: "SMTP>", "SMTP~>", "DATA>", "(off)>", "334>", "RAW>", "b64>". */
const char *typehint_prompt(const struct record *r, unsigned mode);
/* True when what is typed now must be shown as stars: a 334 is pending, or an AUTH with initial
 * response. */
bool typehint_secret(const struct record *r, unsigned mode, const char *line);
/* Where the part of a secret line begins that is shown as stars. */
size_t typehint_secret_from(const struct record *r, unsigned mode, const char *line);
/* What the pending 334 asks for, decoded ("Username:"); raw bytes of the server's. False when none
   is pending, or when it is no base64. */
bool typehint_challenge(const struct record *r, struct buf *out);
/* True for the deliberately dangerous, which take a second Enter: DATA, AUTH in clear, VRFY, EXPN,
   probing. */
bool typehint_dangerous(const struct record *r, unsigned mode, const char *line);

#endif
