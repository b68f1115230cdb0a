/*
 * fake_smtp: a small SMTP server on a loopback address, port chosen by the system, which says what
 * a const table makes it say, in the pieces that the table wants, and then hangs up, resets,
 * half-closes or falls silent. It keeps what every client said.
 *
 * A line that no rule of the table is for gets the answer of a well-behaved server.
 *
 * Threads: one that accepts and one for each connection, from start to stop; the calls here are the
 * test's. Ownership: tables, certificate and key are borrowed until fake_smtp_stop. Set-up errors
 * end the test program.
 */
#ifndef SMTPSCOPE_TEST_FAKE_SMTP_H
#define SMTPSCOPE_TEST_FAKE_SMTP_H

#include <stdint.h>

#include "buf.h"
#include "testcert.h"

#define FAKE_SMTP_CONNECTIONS 8 /* in the life of one server; more are refused */

/* Instead of a verb. */
#define FAKE_ON_CONNECT "<connect>"
#define FAKE_ON_OCTETS "<octets>" /* any bytes at all, behind FAKE_LISTEN */

enum fake_smtp_then {
    FAKE_GO_ON,
    FAKE_CLOSE,
    FAKE_RESET,
    FAKE_HALF_CLOSE, /* our direction only; still reads */
    FAKE_STALL,      /* reads and keeps all, answers nothing more */
    FAKE_LISTEN,     /* waits for octets, and then for FAKE_ON_OCTETS */
    FAKE_TLS         /* handshake; from then on the table for TLS counts */
};

struct fake_smtp_rule {
    const char *verb;  /* what the line begins with, case ignored; NULL ends the table */
    const char *send;  /* NULL: nothing */
    unsigned piece;    /* octets in one write; 0: all */
    unsigned split;    /* one cut behind that many octets; 0: none */
    unsigned pause_ms; /* before the first octet */
    unsigned gap_ms;   /* between pieces */
    unsigned times;    /* how often all of it is sent; 0: once */
    enum fake_smtp_then then;
};

#define FAKE_FOR_EVER UINT32_MAX /* times: until the client is gone */

struct fake_smtp_config {
    int family;                         /* 4 (also for 0) or 6 */
    const struct fake_smtp_rule *rules; /* NULL: none */
    const struct fake_smtp_rule *tls;   /* inside TLS; NULL: none */
    const struct fake_smtp_rule *later; /* of all connections but the first; NULL: as the first */
    const struct testcert *cert;        /* NULL: it cannot do TLS */
};

struct fake_smtp; /* opaque, heap */

/* NULL when the address does not exist here. */
struct fake_smtp *fake_smtp_start(const struct fake_smtp_config *config);
void fake_smtp_stop(struct fake_smtp *s); /* cuts what is still open */
uint16_t fake_smtp_port(const struct fake_smtp *s);
/* Waits until `connections` of them came, and all that came have ended. */
void fake_smtp_settle(struct fake_smtp *s, size_t connections);
/* What the client said on that connection, from 0, as it came; "<TLS>" stands for a handshake that
   was completed, and what follows it is in clear. Only after fake_smtp_settle. */
const struct buf *fake_smtp_heard(const struct fake_smtp *s, size_t connection);

#endif
