/*
 * mime: a message with attachments (RFC 2045, 2046), and file names in headers (RFC 2231, 2047).
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_MIME_H
#define SMTPSCOPE_MIME_H

#include "buf.h"

#define MIME_NAME_MAX 255 /* bytes of a file name */
#define MIME_BOUNDARY_MAX 70

struct mime_part {
    const char *name; /* file name without a folder, any text */
    const char *type; /* "application/octet-stream" where NULL */
    const char *p;
    size_t len;
};

/* A boundary that stands in none of the parts, because base64 has no '='. */
void mime_boundary(uint64_t random, char out[MIME_BOUNDARY_MAX + 1]);
/* One part in base64, from the delimiter on: "--boundary", its headers, lines of 76. */
enum status mime_part_add(struct buf *out, const char *boundary,
                          const struct mime_part *part) MUST_CHECK;
/* A parameter of a header, on a folded line of its own: name="x" where that can be said, else
   name*=UTF-8''... (RFC 2231), in pieces where it is long. */
enum status mime_param_add(struct buf *out, const char *name, const char *value) MUST_CHECK;

#endif
