/*
 * practice_bench: a client for tests of the practice network: opens a scenario from text, connects,
 * and talks line by line. Whatever goes wrong ends the test.
 *
 * Threads: tests are single-threaded. Ownership: talk_end closes the connection; the network is the
 * test's.
 */
#ifndef SMTPSCOPE_TEST_PRACTICE_BENCH_H
#define SMTPSCOPE_TEST_PRACTICE_BENCH_H

#include "practice.h"

#define BENCH_HEAD "title T\ntarget example.org\n"
/* One host at 192.0.2.10 and 2001:db8:2::10, whose port 25 is the server block that has to follow.
 */
#define BENCH_HOST                                                                                 \
    BENCH_HEAD "zone example.org\n  @ MX 10 mx1\n"                                                 \
               "host mx1.example.org\n  address 192.0.2.10 2001:db8:2::10\n  latency 20ms\n"       \
               "  port 25 s\n  port 465 s tls\n"                                                   \
               "server s\n"

struct network *bench_open(const char *text, enum practice_pace pace, uint64_t seed);
struct net_address bench_address(const char *text, uint16_t port);

struct talk {
    struct network *net;
    struct net_conn *conn;
    struct buf in;
    char line[70000]; /* the last line that was read, without its end */
    size_t line_len;
};

/* The last 60 virtual seconds of patience; every call fails the test when they are over. */
void talk_begin(struct talk *t, struct network *n, const char *address, uint16_t port);
void talk_end(struct talk *t);
void talk_send(struct talk *t, const char *text);
/* The next line that ends in LF. */
const char *talk_line(struct talk *t);
/* A whole reply; its last line stays in t->line. Returns the code. */
int talk_reply(struct talk *t);
/* Sends the command with CRLF, and returns the code of the reply. */
int talk_command(struct talk *t, const char *command);
/* Reads on until something other than bytes comes, and says what. */
enum status talk_until_end(struct talk *t);

#endif
