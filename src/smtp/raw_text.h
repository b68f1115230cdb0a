/*
 * raw_text: exact bytes as a person types and reads them: "EHLO x\r\n\x00".
 *
 * The notation knows \r \n \t \0 \\ and \xHH (two hexadecimal digits). Everything else stands for
 * itself. The other direction writes each byte that is no printable ASCII, and the backslash, as an
 * escape, so that what was written reads back as the same bytes.
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_RAW_TEXT_H
#define SMTPSCOPE_RAW_TEXT_H

#include "buf.h"

/*
 * Appends the bytes that the text stands for. ST_INVALID: an escape that the notation does not
 * know; the sentence names it and its position, counted from 1 in bytes. ST_LIMIT: out is full.
 */
enum status raw_text_read(const char *text, size_t len, struct buf *out,
                          struct error *error) MUST_CHECK;
/* Appends the notation of the bytes. */
enum status raw_text_write(const char *p, size_t len, struct buf *out) MUST_CHECK;

/* How a line that goes out differs from one that SMTP would allow. */
#define RAW_BARE_LF 1u     /* ended by LF alone (RFC 5321 2.3.8) */
#define RAW_BARE_CR 2u     /* CR inside of it */
#define RAW_NUL 4u         /* 4.5.2 of RFC 5321 allows it in no command, RFC 5322 2.1 in no mail */
#define RAW_EIGHT_BIT 8u   /* over 0x7f */
#define RAW_UNFINISHED 16u /* no line end */

struct raw_line {
    struct span text;  /* without its end */
    struct span whole; /* with it */
    unsigned odd;      /* RAW_* */
};

/* The next line, from *at on; a line ends behind each LF. False at the end. */
bool raw_next_line(const char *p, size_t len, size_t *at, struct raw_line *out);

#endif
