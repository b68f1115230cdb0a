/*
 * textfile: files of texts and rules that people write, read whole and then line by line.
 *
 * Threads: pure but for textfile_read, which reads a file. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_TEXTFILE_H
#define SMTPSCOPE_TEXTFILE_H

#include "buf.h"

/* The whole of a regular file, up to the ceiling of `out`; sets *there to false, and is ST_OK, when
   there is no such file. ST_DENIED, ST_IO, ST_INVALID (no regular file, or over the ceiling). */
enum status textfile_read(const char *path, struct buf *out, bool *there, struct error *error)
    MUST_CHECK;

struct textfile {
    const char *name; /* for the error sentence */
    const char *p;
    size_t len;
    unsigned line; /* number of the line that was read last */
};

/* A byte order mark, as some editors write it, is passed over. */
struct textfile textfile_over(const char *name, const char *p, size_t len);
/* The next line into `out`, without its end and the blanks before that; its ceiling is that of a line.
   ST_EOF behind the last one, ST_INVALID for what is no UTF-8, or a control character. */
enum status textfile_line(struct textfile *t, struct buf *out, struct error *error) MUST_CHECK;

#endif
