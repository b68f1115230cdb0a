/*
 * dns_bench: a dns that asks a fake server, over the system's network or a crooked one.
 *
 * Threads: one thread, but for the fake server's. Ownership: bench_close ends all of it.
 */
#ifndef SMTPSCOPE_TEST_DNS_BENCH_H
#define SMTPSCOPE_TEST_DNS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crooked.h"
#include "dns.h"
#include "fake_dns.h"

#define SHORT_MS 30             /* for servers that never answer */
#define LONG_MS CROOKED_JUMP_MS /* who waits for this has failed already: see the limit of ctest   \
                                 */

extern const char *const zone[];               /* of example.org */
extern const struct fake_dns_rule bad_rules[]; /* names under example.org, by what goes wrong */

struct bench {
    struct network *net;
    struct cancel cancel;
    struct dns dns;
    struct fake_dns *fake;
};

/* A network, a fake server that is set up like this, and a dns that asks it. */
void bench_open(struct bench *b, const struct fake_dns_config *fake, int timeout_ms);
/* The same behind a crooked network, whose resolver is 192.0.2.53. */
void bench_open_crooked(struct bench *b, struct crooked *n, const struct fake_dns_config *fake);
void bench_close(struct bench *b);
/* The caller frees the answer. */
struct dns_answer bench_ask(struct bench *b, const char *name, uint16_t type);
/* What the server was asked, all of which must fit; returns how much it was. */
size_t bench_seen(struct fake_dns *f, struct fake_dns_seen *out, size_t max);

#endif
