/*
 * sample: the standard texts that filters for spam and viruses have to stop.
 *
 * Neither does any harm: GTUBE is a line that SpamAssassin and others take for spam, EICAR a file
 * that scanners take for a virus. They are put together when they are wanted and stand nowhere as a
 * whole, because a scanner that meets them in this program's source or binary would quarantine it.
 *
 * Threads: pure. Ownership: the caller's buffers, which hold what a scanner of memory would find.
 */
#ifndef SMTPSCOPE_SAMPLE_H
#define SMTPSCOPE_SAMPLE_H

#include "buf.h"

enum sample { SAMPLE_NONE, SAMPLE_GTUBE, SAMPLE_EICAR };

const char *sample_name(enum sample sample); /* "gtube"; "" for none */
bool sample_find(const char *name, enum sample *out);
/* Appends the text, without a line end. */
enum status sample_add(enum sample sample, struct buf *out) MUST_CHECK;

#endif
