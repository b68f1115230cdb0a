/*
 * smtp_verb: the commands of SMTP, and the one table that says how each is treated.
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_SMTP_VERB_H
#define SMTPSCOPE_SMTP_VERB_H

#include "base.h"

enum smtp_verb {
    VERB_OTHER,
    VERB_GREETING, /* no command: what comes first is not asked for */
    VERB_EHLO,
    VERB_HELO,
    VERB_LHLO, /* RFC 2033 4.1 */
    VERB_STARTTLS,
    VERB_AUTH,
    VERB_AUTH_LINE, /* the answer to a 334 */
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_DOT,
    VERB_BDAT,
    VERB_BDAT_LAST, /* ends the message */
    VERB_RSET,
    VERB_NOOP,
    VERB_VRFY,
    VERB_EXPN,
    VERB_HELP,
    VERB_ETRN,
    VERB_TURN,
    VERB_XCLIENT,
    VERB_XFORWARD,
    VERB_QUIT
};

/* VERB_OTHER for what is not in the table. The word ends at a blank or at the end of the line. */
enum smtp_verb smtp_verb_of(const char *line, size_t len);
/*
 * "BDAT n [LAST]" (RFC 3030 2): the octets that have to follow, and whether they are the last.
 * False when it is no such line, or when n is no number that could be meant.
 */
bool smtp_bdat_size(const char *line, size_t len, uint64_t *octets, bool *last);

#endif
