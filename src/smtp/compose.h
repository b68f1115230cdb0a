/*
 * compose: the test message and the SMTP address syntax.
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_COMPOSE_H
#define SMTPSCOPE_COMPOSE_H

#include "buf.h"

#define ADDRESS_LOCAL_MAX 64   /* RFC 5321 4.5.3.1.1 */
#define ADDRESS_DOMAIN_MAX 255 /* 4.5.3.1.2 */
#define ADDRESS_MAX 254        /* path of 256 less the brackets, 4.5.3.1.3 */

/*
 * A mailbox as it goes between < and > (RFC 5321 4.1.2, with RFC 6531 8-bit when utf8): ST_INVALID with a
 * sentence that names the offset. "" (the null sender) is allowed only when empty_ok.
 */
enum status address_check(const char *address, bool empty_ok, bool utf8, struct error *error)
    MUST_CHECK;
/* Points at the part behind the last @, or NULL. */
const char *address_domain(const char *address);

struct compose_message {
    const char *from, *to, *subject; /* subject: any text; encoded by RFC 2047 when not ASCII */
    const char *helo;                /* right side of the Message-ID */
    const char *run_id;              /* goes into X-Smtpscope-Run */
    const char *body;                /* NULL: the standard test text */
    int64_t wall_us;
    uint64_t random;                 /* makes the Message-ID unique */
};

/*
 * Builds headers (Date, From, To, Subject, Message-ID, MIME-Version, Content-Type, Auto-Submitted,
 * X-Mailer, X-Smtpscope-Run) and body, lines ended by CRLF, no line over 998 (RFC 5322 2.1.1).
 */
enum status compose_build(const struct compose_message *m, struct buf *out, struct buf *message_id,
                          bool *eight_bit, struct error *error) MUST_CHECK;
/* Any bytes to the wire form of DATA: CRLF line ends, dots doubled, no final dot. */
enum status compose_stuff(struct buf *out, const char *p, size_t len) MUST_CHECK;

#endif
