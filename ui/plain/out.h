/*
 * out: text for standard output and standard error when there is no screen.
 *
 * Everything for people goes through the escaper once more, so that no control byte gets out
 * whatever a caller forgot. A reader that closed the pipe is noticed and is no error.
 *
 * Threads: the face's. Ownership: out_free.
 */
#ifndef SMTPSCOPE_OUT_H
#define SMTPSCOPE_OUT_H

#include <signal.h>

#include "buf.h"

#define OUT_MAX ((size_t)520 << 20) /* a whole report, and what is said around it */

struct out {
    int fd;
    bool ascii;
    bool begun;  /* something was put in */
    bool closed; /* the reader went away */
    int sys;     /* errno of a write that failed for another reason */
    /* How often somebody asked to stop, or NULL: at the second time a reader that does not read any
       more is not waited for. */
    const volatile sig_atomic_t *interrupts;
    struct buf b;
};

void out_init(struct out *o, int fd, bool ascii);
void out_free(struct out *o);
/* One line, which may hold anything; the line end is added. */
void out_line(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Bytes from outside, escaped, and a line end. */
void out_bytes(struct out *o, const char *p, size_t len);
/* A paragraph, wrapped at 78 columns: `lead` before the first line, as many blanks before the
 * others. */
void out_paragraph(struct out *o, const char *lead, const char *text);
/* Bytes as they are: a JSON document. */
void out_raw(struct out *o, const char *p, size_t len);
/* Writes what was collected. False when it cannot be written. */
bool out_flush(struct out *o);

/* "smtpscope: " and a sentence on standard error. */
void complain(bool ascii, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
