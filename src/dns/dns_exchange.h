/*
 * dns_exchange: one question on its way over the servers, as a state machine that never waits.
 *
 * The owner starts it, waits for `conn` to be ready for `want` or for `deadline`, and steps it
 * until it is done. Rounds exist because datagrams get lost: a server that said anything, even an
 * error, or that cannot be reached is not asked again (resolvers cache failures too, RFC 9520 3.2),
 * only a silent one is.
 *
 * Threads: the engine's. Ownership: an exchange borrows its route and its question, whose answer it
 * fills when it is done; dns_exchange_free closes and frees the rest.
 */
#ifndef SMTPSCOPE_DNS_EXCHANGE_H
#define SMTPSCOPE_DNS_EXCHANGE_H

#include "dns.h"

/* Datagrams that are no reply, in one try. More is somebody who guesses ids: the try ends. */
#define DNS_IGNORED_MAX 256

/* What the questions of one call share. */
struct dns_route {
    struct network *net;
    const struct net_address *servers;
    size_t server_count;
    bool trusted;
    struct net_address source;
    int timeout_ms, rounds;
    uint8_t *scratch; /* DNS_MESSAGE_MAX octets to receive a datagram */
};

enum dns_phase {
    DNS_PHASE_START, /* the next try has to be started */
    DNS_PHASE_SEND,
    DNS_PHASE_RECEIVE,
    DNS_PHASE_CONNECT, /* from here on TCP */
    DNS_PHASE_WRITE,
    DNS_PHASE_READ,
    DNS_PHASE_DONE
};

struct dns_exchange {
    const struct dns_route *route;
    struct dns_question *question;
    char canonical[DNS_NAME_MAX];
    enum dns_phase phase;
    struct net_conn *conn; /* NULL unless something is under way */
    unsigned want;         /* NET_READ or NET_WRITE */
    int64_t deadline, started;
    size_t server;
    int round;
    uint32_t struck; /* one bit a server: do not ask it again */
    bool edns;
    uint16_t id;
    int truncated_rcode;
    unsigned tries, ignored, ignored_in_try;
    struct buf query, out, in;
    size_t written;
    bool has_best;
    struct dns_answer best; /* the most telling failure so far */
};

/* A question that cannot be asked at all is done at once. */
void dns_exchange_init(struct dns_exchange *x, const struct dns_route *route,
                       struct dns_question *question);
/*
 * Begins the next try. ST_OK: it is under way, or done. ST_LIMIT: there was no descriptor left, and
 * nothing has changed; only with may_wait, without it that server counts as unreachable. ST_NOMEM.
 */
enum status dns_exchange_start(struct dns_exchange *x, bool may_wait) MUST_CHECK;
/* Goes on after a wait; also when only the time has come. ST_OK or ST_NOMEM. */
enum status dns_exchange_step(struct dns_exchange *x, unsigned ready) MUST_CHECK;
/* Ends it with this result, unless it is done already. */
void dns_exchange_stop(struct dns_exchange *x, enum dns_result result);
void dns_exchange_free(struct dns_exchange *x);

#endif
