/*
 * base: the words that every room of the engine shares.
 *
 * Threads: constants and pure functions only; callable from anywhere.
 * Ownership: nothing here allocates.
 */
#ifndef SMTPSCOPE_BASE_H
#define SMTPSCOPE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#if defined(__GNUC__)
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define NO_RETURN __attribute__((noreturn))
#else
#define MUST_CHECK
#define PRINTF_LIKE(fmt, first)
#define NO_RETURN
#endif

/*
 * What became of a call. The enum steers control flow; the sentence for people travels in
 * struct error. ST_AGAIN: nothing to do now, wait and call again. ST_LIMIT: a named ceiling was hit.
 */
#define STATUS_LIST(X)                                                                             \
    X(ST_OK, "ok")                                                                                 \
    X(ST_AGAIN, "again")                                                                           \
    X(ST_CANCELLED, "cancelled")                                                                   \
    X(ST_TIMEOUT, "timed out")                                                                     \
    X(ST_EOF, "closed by the other side")                                                          \
    X(ST_REFUSED, "refused")                                                                       \
    X(ST_RESET, "reset")                                                                           \
    X(ST_UNREACHABLE, "unreachable")                                                               \
    X(ST_IO, "input/output error")                                                                 \
    X(ST_PROTO, "protocol error")                                                                  \
    X(ST_TLS, "TLS error")                                                                         \
    X(ST_DNS, "DNS error")                                                                         \
    X(ST_LIMIT, "limit reached")                                                                   \
    X(ST_INVALID, "invalid input")                                                                 \
    X(ST_DENIED, "not permitted")                                                                  \
    X(ST_EXISTS, "exists already")                                                                 \
    X(ST_NOMEM, "out of memory")

enum status {
#define X(id, text) id,
    STATUS_LIST(X)
#undef X
};

/* A short English word for logs and tests; never NULL. */
const char *status_name(enum status status);

/*
 * The details of a failure, by value. Whoever fails first fills it; callers pass it on. `text` is a
 * whole sentence or clause for people, already translated, and already safe to show (see escape.h).
 */
struct error {
    enum status code;
    int sys; /* errno, or 0 */
    char text[240];
};

/* Sets *e (NULL is allowed) and returns `code`, so that a failing function can end in one line. */
enum status error_set(struct error *e, enum status code, int sys, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#endif
