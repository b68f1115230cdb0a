/*
 * paste: pasted text taken apart into its lines.
 *
 * Threads: pure. Ownership: spans point into the text.
 */
#ifndef SMTPSCOPE_PASTE_H
#define SMTPSCOPE_PASTE_H

#include "buf.h"

/* The next line from *at on, without its end: CR, LF or CR LF, as terminals send any of them. False
   at the end; a line end behind the last line begins no other. */
bool paste_next(const char *p, size_t len, size_t *at, struct span *line);
size_t paste_lines(const char *p, size_t len);

#endif
