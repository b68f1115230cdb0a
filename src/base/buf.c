#include "buf.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAP 64

static unsigned char ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static bool bytes_equal_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (ascii_lower((unsigned char)a[i]) != ascii_lower((unsigned char)b[i])) {
            return false;
        }
    }
    return true;
}

struct span span_of(const char *text)
{
    struct span s = {text, text != NULL ? strlen(text) : 0};
    return s;
}

bool span_equal_nocase(struct span a, const char *word)
{
    return a.len == strlen(word) && bytes_equal_nocase(a.p, word, a.len);
}

void buf_init(struct buf *b, size_t max)
{
    b->p = NULL;
    b->len = 0;
    b->cap = 0;
    /* One byte is always needed for the NUL. */
    b->max = max < SIZE_MAX ? max : SIZE_MAX - 1;
}

void buf_free(struct buf *b)
{
    free(b->p);
    buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
    if (b->p != NULL) {
        OPENSSL_cleanse(b->p, b->cap);
    }
    buf_free(b);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->p != NULL) {
        b->p[0] = '\0';
    }
}

/*
 * Not realloc: a buffer may hold a password on its way to the wire, and the memory that it grew out
 * of must not keep a copy.
 */
static enum status buf_reserve(struct buf *b, size_t more)
{
    if (more > b->max - b->len) {
        return ST_LIMIT;
    }
    size_t need = b->len + more + 1;
    if (need <= b->cap) {
        return ST_OK;
    }
    size_t cap = b->cap > 0 ? b->cap : BUF_FIRST_CAP;
    while (cap < need) {
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    }
    if (cap > b->max + 1) {
        cap = b->max + 1;
    }
    char *p = malloc(cap);
    if (p == NULL) {
        return ST_NOMEM;
    }
    if (b->p != NULL) {
        memcpy(p, b->p, b->len);
        OPENSSL_cleanse(b->p, b->cap);
        free(b->p);
    }
    p[b->len] = '\0';
    b->p = p;
    b->cap = cap;
    return ST_OK;
}

enum status buf_add(struct buf *b, const void *p, size_t len)
{
    enum status st = buf_reserve(b, len);
    if (st != ST_OK) {
        return st;
    }
    if (len > 0) {
        memcpy(b->p + b->len, p, len);
        b->len += len;
    }
    b->p[b->len] = '\0';
    return ST_OK;
}

enum status buf_add_str(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

enum status buf_add_char(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

enum status buf_addv(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    enum status st = ST_INVALID;
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0) {
        st = buf_reserve(b, (size_t)n);
    }
    if (st == ST_OK) {
        n = vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return st;
}

enum status buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    enum status st = buf_addv(b, fmt, ap);
    va_end(ap);
    return st;
}

void buf_drop_front(struct buf *b, size_t len)
{
    if (len >= b->len) {
        buf_clear(b);
        return;
    }
    memmove(b->p, b->p + len, b->len - len);
    b->len -= len;
    b->p[b->len] = '\0';
}

const char *buf_str(const struct buf *b)
{
    return b->p != NULL ? b->p : "";
}

char *str_ndup(const char *text, size_t len)
{
    if (text == NULL || len == SIZE_MAX) {
        return NULL;
    }
    char *copy = malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *str_dup(const char *text)
{
    return text != NULL ? str_ndup(text, strlen(text)) : NULL;
}

enum status str_set(char **slot, const char *text)
{
    char *copy = str_dup(text);
    if (copy == NULL && text != NULL) {
        return ST_NOMEM;
    }
    free(*slot);
    *slot = copy;
    return ST_OK;
}

bool str_copy(char *dst, size_t size, const char *src)
{
    size_t len = strlen(src);
    bool fits = len < size;
    if (!fits) {
        len = size - 1;
    }
    memmove(dst, src, len);
    dst[len] = '\0';
    return fits;
}

bool str_equal_nocase(const char *a, const char *b)
{
    size_t len = strlen(a);
    return len == strlen(b) && bytes_equal_nocase(a, b, len);
}
