/*
 * buf: growable bytes with a ceiling, and views on bytes.
 *
 * A buffer is born with its largest size; growing past it is ST_LIMIT, never more memory.
 * p[len] is always a NUL once anything was stored, so p may be read as a string when the content
 * is known to hold no NUL.
 *
 * Threads: an object belongs to one thread at a time. Ownership: buf_init'd objects own their
 * memory until buf_free; spans own nothing.
 */
#ifndef SMTPSCOPE_BUF_H
#define SMTPSCOPE_BUF_H

#include <stdarg.h>

#include "base.h"

struct span {
    const char *p;
    size_t len;
};

struct buf {
    char *p;
    size_t len, cap, max;
};

struct span span_of(const char *text);
bool span_equal_nocase(struct span a, const char *word); /* ASCII case only (RFC 5321 2.4) */

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b); /* leaves an empty buffer with the same ceiling */
void buf_wipe(struct buf *b); /* overwrites, then frees: for anything that held a secret */
void buf_clear(struct buf *b);
enum status buf_add(struct buf *b, const void *p, size_t len) MUST_CHECK;
enum status buf_add_str(struct buf *b, const char *text) MUST_CHECK;
enum status buf_add_char(struct buf *b, char c) MUST_CHECK;
enum status buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
enum status buf_addv(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0) MUST_CHECK;
void buf_drop_front(struct buf *b, size_t len); /* len > b->len drops all */
const char *buf_str(const struct buf *b);       /* never NULL */

/* Heap copies; NULL stays NULL. They return NULL on no memory (and for a NULL source). */
char *str_dup(const char *text);
char *str_ndup(const char *text, size_t len);
/* Replaces *slot by a copy of text (NULL allowed). */
enum status str_set(char **slot, const char *text) MUST_CHECK;
/* Copies with truncation and always a NUL; true if all of it fitted. size > 0. */
bool str_copy(char *dst, size_t size, const char *src);
bool str_equal_nocase(const char *a, const char *b);

#endif
