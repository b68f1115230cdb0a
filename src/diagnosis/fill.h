/*
 * fill: texts with places for words that are known only later. Private to this room.
 *
 * {name} is replaced by the word of that name, escaped (escape.h), and by "?" when there is none. A brace
 * itself is written {{. [[What stands in double brackets]] is left out when a word in it is not there or
 * empty.
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_FILL_H
#define SMTPSCOPE_FILL_H

#include "buf.h"

/* Reads the placeholder that begins at p[0] == '{'. Returns its length with both braces and sets *name, or 0
   when there is none. */
size_t fill_placeholder(const char *p, struct span *name);
/* "[[" and "]]" take turns. NULL is fine. */
bool fill_brackets_match(const char *text);
/* The text itself has its braces and brackets in order: its reader has seen to that. */
enum status fill_text(struct buf *b, const char *text,
                      const char *(*word)(const void *ctx, struct span name), const void *ctx,
                      unsigned escape_flags) MUST_CHECK;

#endif
