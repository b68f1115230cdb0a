/*
 * compose: the test message and the SMTP address syntax.
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_COMPOSE_H
#define SMTPSCOPE_COMPOSE_H

#include "mime.h"

#define ADDRESS_LOCAL_MAX 64   /* RFC 5321 4.5.3.1.1 */
#define ADDRESS_DOMAIN_MAX 255 /* 4.5.3.1.2 */
#define ADDRESS_MAX 254        /* path of 256 less the brackets, 4.5.3.1.3 */

/*
 * A mailbox as it goes between < and > (RFC 5321 4.1.2, with RFC 6531 8-bit when utf8): ST_INVALID
 * with a sentence that names the position, counted from 1 in bytes. "" (the null sender) is allowed
 * only when empty_ok.
 */
enum status address_check(const char *address, bool empty_ok, bool utf8,
                          struct error *error) MUST_CHECK;
/* Points at the part behind the last @, or NULL. */
const char *address_domain(const char *address);

struct compose_message {
    const char *from, *to, *subject; /* subject: any text; encoded by RFC 2047 when not ASCII */
    const char *helo;                /* right side of the Message-ID */
    const char *run_id;              /* goes into X-Smtpscope-Run */
    const char *body;                /* NULL: the standard test text */
    const struct mime_part *parts;   /* attachments behind the body; NULL: none */
    size_t part_count;
    int64_t wall_us;
    uint64_t random; /* makes the Message-ID unique */
};

/* The standard test text, translated. */
const char *compose_standard_body(void);
/*
 * ST_INVALID when an address is none, or when the subject or the run id holds what would start
 * another header (CR, LF and other controls) or is no UTF-8. A body that no plain transfer could
 * carry (lines over 998 bytes, control characters, text that is no UTF-8) is sent as
 * quoted-printable. A HELO name that cannot stand in a Message-ID is replaced there by a reserved
 * name.
 *
 * With attachments it becomes a multipart/mixed (RFC 2046 5.1.3).
 *
 * Builds headers (Date, From, To, Subject, Message-ID, MIME-Version, Content-Type, Auto-Submitted,
 * X-Mailer, X-Smtpscope-Run) and body, lines ended by CRLF, no line over 998 (RFC 5322 2.1.1).
 */
enum status compose_build(const struct compose_message *m, struct buf *out, struct buf *message_id,
                          bool *eight_bit, struct error *error) MUST_CHECK;
/*
 * Any bytes to the wire form of DATA: CRLF line ends (a CR or LF alone counts as one, RFC
 * 5321 2.3.8), dots doubled (4.5.2), a line end behind the last line, no final dot. ST_INVALID at a
 * NUL: no mail may hold one, and servers that drop it would see another line begin.
 */
enum status compose_stuff(struct buf *out, const char *p, size_t len) MUST_CHECK;
/* The same line ends, but no doubled dots: the form of BDAT (RFC 3030 3). */
enum status compose_lines(struct buf *out, const char *p, size_t len) MUST_CHECK;

#endif
