/*
 * practice_tls: the throw-away CA of the practice network, certificates with every usual fault, and
 * the server's end of a handshake over memory.
 *
 * Keys are new each time; names, dates and serial numbers follow from the scenario.
 *
 * Threads: the engine's. Ownership: practice_tls_free frees the CA and all contexts; a side is
 * freed by whoever made it, before that.
 */
#ifndef SMTPSCOPE_PRACTICE_TLS_H
#define SMTPSCOPE_PRACTICE_TLS_H

#include "scenario.h"

struct practice_tls; /* CA and contexts */
struct tls_side;     /* one connection */

enum status practice_tls_new(int64_t wall_us, struct practice_tls **out,
                             struct error *error) MUST_CHECK;
void practice_tls_free(struct practice_tls *t);
/* The root certificate as PEM text; lives as long as t. */
const char *practice_tls_root(const struct practice_tls *t);

enum tls_progress {
    TLS_GOING_ON,
    TLS_UP,     /* the handshake is done, now or before */
    TLS_OVER,   /* failed, or ended by the client: an alert may be in `wire`, then close */
    TLS_SILENT, /* TLS_KIND_STALL: nothing will ever come */
    TLS_RESET   /* TLS_KIND_RESET */
};

/* NULL on no memory, or when the library refuses the settings. */
struct tls_side *tls_side_new(struct practice_tls *t, const struct scenario_server *server,
                              const char *host, enum tls_kind kind);
void tls_side_free(struct tls_side *side);
/* Bytes from the wire: plain text goes to `plain`, what has to be sent to `wire`. */
enum tls_progress tls_side_feed(struct tls_side *side, const char *p, size_t len, struct buf *plain,
                                struct buf *wire);
enum status tls_side_write(struct tls_side *side, const char *p, size_t len,
                           struct buf *wire) MUST_CHECK;
/* close_notify. */
void tls_side_shut(struct tls_side *side, struct buf *wire);

#endif
