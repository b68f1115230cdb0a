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
    X(ST_OK, N_("ok"))                                                                             \
    X(ST_AGAIN, N_("again"))                                                                       \
    X(ST_CANCELLED, N_("cancelled"))                                                               \
    X(ST_TIMEOUT, N_("timed out"))                                                                 \
    X(ST_EOF, N_("closed by the other side"))                                                      \
    X(ST_REFUSED, N_("refused"))                                                                   \
    X(ST_RESET, N_("reset"))                                                                       \
    X(ST_UNREACHABLE, N_("unreachable"))                                                           \
    X(ST_IO, N_("input/output error"))                                                             \
    X(ST_PROTO, N_("protocol error"))                                                              \
    X(ST_TLS, N_("TLS error"))                                                                     \
    X(ST_DNS, N_("DNS error"))                                                                     \
    X(ST_LIMIT, N_("limit reached"))                                                               \
    X(ST_INVALID, N_("invalid input"))                                                             \
    X(ST_DENIED, N_("not permitted"))                                                              \
    X(ST_EXISTS, N_("exists already"))                                                             \
    X(ST_NOMEM, N_("out of memory"))

enum status {
#define X(id, text) id,
    STATUS_LIST(X)
#undef X
};

/* A short English word for logs and tests; never NULL. */
const char *status_name(enum status status);
/* The same for people, translated: fits behind a colon. */
const char *status_word(enum status status);

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
