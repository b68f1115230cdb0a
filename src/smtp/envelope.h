/*
 * envelope: MAIL and RCPT with their parameters: which ones there are, what a server has to offer
 * for them, what their values look like.
 *
 * RFC 1870 SIZE, 6152 and 3030 BODY, 6531 SMTPUTF8, 3461 RET ENVID NOTIFY ORCPT, 8689 REQUIRETLS,
 * 2852 BY, 4865 HOLDFOR HOLDUNTIL, 6710 MT-PRIORITY, 4954 AUTH.
 *
 * Judging never forbids: whoever wants to know what a server does with a wrong parameter may send
 * it.
 *
 * Threads: pure. Ownership: the caller's buffers; the table is const.
 */
#ifndef SMTPSCOPE_ENVELOPE_H
#define SMTPSCOPE_ENVELOPE_H

#include "caps.h"

#define ENVELOPE_ENVID_MAX 100 /* RFC 3461 4.4, before xtext */
#define ENVELOPE_ORCPT_MAX 500 /* RFC 3461 4.2, in all */

enum envelope_command { ENVELOPE_MAIL, ENVELOPE_RCPT };

enum envelope_param_id {
    PARAM_SIZE,
    PARAM_BODY,
    PARAM_SMTPUTF8,
    PARAM_RET,
    PARAM_ENVID,
    PARAM_AUTH,
    PARAM_REQUIRETLS,
    PARAM_BY,
    PARAM_HOLDFOR,
    PARAM_HOLDUNTIL,
    PARAM_MT_PRIORITY,
    PARAM_NOTIFY,
    PARAM_ORCPT,
    PARAM_COUNT
};

struct envelope_param {
    enum envelope_param_id id;
    enum envelope_command command;
    enum cap_id cap;       /* the EHLO keyword that allows it */
    const char *name;      /* "RET" */
    const char *form;      /* "FULL|HDRS": what its value looks like, not translated; NULL: none */
    const char *reference; /* "RFC 3461, section 4.3" */
};

extern const struct envelope_param envelope_params[PARAM_COUNT];
/* By "RET=FULL" or "RET", in any case; NULL when unknown. */
const struct envelope_param *envelope_find(struct span param);

/* Whether the server has offered what the parameter needs, in this state of encryption. */
bool envelope_offered(const struct envelope_param *param, const struct caps *caps, bool tls);

enum envelope_verdict {
    ENVELOPE_GOOD,
    ENVELOPE_UNKNOWN,    /* of no extension that this program knows */
    ENVELOPE_MISPLACED,  /* belongs to the other command */
    ENVELOPE_BAD_VALUE,  /* against its grammar, or what the server's offer allows */
    ENVELOPE_NOT_OFFERED /* the grammar is right */
};
/* One parameter ("NOTIFY=SUCCESS,DELAY"). The sentence says why, unless it is good. caps may be
   NULL when nothing is known yet. */
enum envelope_verdict envelope_judge(enum envelope_command command, struct span param,
                                     const struct caps *caps, bool tls, struct error *why);

/* "MAIL FROM:<address> PARAMS" into out; params are words separated by blanks, or NULL. ST_INVALID
   for what could begin another line. The address is not judged. */
enum status envelope_line(enum envelope_command command, const char *address, const char *params,
                          struct buf *out) MUST_CHECK;
/*
 * The address between the brackets of a line as somebody typed it, the blanks and the case of
 * "MAIL FROM:" being of no importance; without brackets the first word. False when there is none.
 */
bool envelope_address(struct span line, struct span *address);
/* The next parameter behind the address, from *at on (begin with 0). False at the end. */
bool envelope_next_param(struct span line, size_t *at, struct span *param);

/* xtext (RFC 3461 4): printable ASCII but + and = as it is, all else as +HH. */
enum status xtext_encode(const char *p, size_t len, struct buf *out) MUST_CHECK;
/* ST_INVALID for what is none. */
enum status xtext_decode(const char *p, size_t len, struct buf *out) MUST_CHECK;

#endif
