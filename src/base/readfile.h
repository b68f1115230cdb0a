/*
 * readfile: a file that somebody named, as a whole and with a ceiling.
 *
 * Threads: pure but for the file. Ownership: the caller's buffer.
 */
#ifndef SMTPSCOPE_READFILE_H
#define SMTPSCOPE_READFILE_H

#include "buf.h"

/*
 * Appends what the file holds, as far as the buffer's ceiling. A pipe is read to its end; a folder,
 * and what cannot be opened, is none. ST_DENIED, ST_IO, ST_LIMIT, ST_INVALID, each with a sentence
 * that names the file.
 */
enum status readfile(const char *path, struct buf *out, struct error *error) MUST_CHECK;

#endif
