/*
 * bounce_text: cuts what people paste into single replies.
 *
 * Line by line, for a stream: every line is one reply, but of a DSN (RFC 3464) only the
 * Diagnostic-Code fields are, with the lines that continue them; the fields Status and Remote-MTA that
 * stand before one are taken into it, and the other fields are passed over in silence.
 *
 * As a whole, for one text: the same, and replies over several lines ("550-..." up to "550 ...") and
 * wrapped lines are put together.
 *
 * Threads: one owner at a time. Ownership: bounce_reader_free; what is handed out is good during the
 * call.
 */
#ifndef SMTPSCOPE_BOUNCE_TEXT_H
#define SMTPSCOPE_BOUNCE_TEXT_H

#include "bounce_line.h"

struct bounce_reader {
    /* `shown` is the text that was read as one reply, raw. */
    void (*take)(void *ctx, struct span shown, const struct bounce_line *line);
    void *ctx;
    bool fields_alone;  /* pass over all but the fields of a DSN */
    bool replies_alone; /* pass over lines in which no reply is found */
    struct buf pending; /* a Diagnostic-Code that may go on */
    char status[BOUNCE_ENHANCED_MAX], host[256];
    struct bounce_line line;
};

void bounce_reader_init(struct bounce_reader *r,
                        void (*take)(void *ctx, struct span shown, const struct bounce_line *line),
                        void *ctx);
void bounce_reader_free(struct bounce_reader *r);
void bounce_reader_line(struct bounce_reader *r, struct span line);
void bounce_reader_end(struct bounce_reader *r); /* no more lines */

/* A whole text. */
void bounce_text_read(struct span text,
                      void (*take)(void *ctx, struct span shown, const struct bounce_line *line),
                      void *ctx);

#endif
