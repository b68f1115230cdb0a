/*
 * base64: RFC 4648 section 4, as SASL uses it (one line, padding required).
 *
 * Threads: pure. Ownership: output goes to the caller's buffer, which should be wiped when it
 * carried a secret.
 */
#ifndef SMTPSCOPE_BASE64_H
#define SMTPSCOPE_BASE64_H

#include "buf.h"

enum status base64_encode(struct buf *out, const void *p, size_t len) MUST_CHECK;
/* ST_INVALID on anything but canonical padded base64 without line ends. */
enum status base64_decode(struct buf *out, const char *p, size_t len) MUST_CHECK;

#endif
