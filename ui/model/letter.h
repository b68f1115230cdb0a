/*
 * letter: the message of the composer as text: written anew, looked into, and with files attached.
 *
 * It is all text, headers and attachments too, so that whatever is in it can be seen and changed.
 *
 * Threads: pure. Ownership: the caller's text area and buffers.
 */
#ifndef SMTPSCOPE_LETTER_H
#define SMTPSCOPE_LETTER_H

#include "compose.h"
#include "textarea.h"

/* Headers and a short text, the cursor at the end. ST_INVALID with a sentence, as compose_build. */
enum status letter_write(struct textarea *t, const struct compose_message *m,
                         struct error *error) MUST_CHECK;
/* A text with headers in it is the whole message, and one without goes behind those that are there
   (replacing what stood behind them). */
enum status letter_take(struct textarea *t, const char *p, size_t len) MUST_CHECK;
/* True when it begins with something like a header. */
bool letter_has_header(const char *p, size_t len);
/* The value of a header, unfolded; false when there is none. */
bool letter_header(const struct textarea *t, const char *name, char *out, size_t size);
/*
 * Puts a file behind the text. The first one makes a multipart/mixed (RFC 2046 5.1.3) of the
 * message: what its Content-* headers said goes with the text into the first part. ST_LIMIT when
 * the text area is full.
 */
enum status letter_attach(struct textarea *t, const struct mime_part *part,
                          uint64_t random) MUST_CHECK;

#endif
