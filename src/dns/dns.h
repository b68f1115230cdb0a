/*
 * dns: questions to name servers over the network interface.
 *
 * Each question goes out with a random id from a fresh random port, to each configured server in
 * turn, `tries` times round, by TCP when the answer is truncated. What does not answer the question
 * is ignored until the deadline. Only silence is asked again: a server that said anything, or that
 * cannot be reached, has had its say. When no server settles the question, the failure that tells
 * most is reported (TCP blocked, servfail, malformed, other rcode, refused, timeout, unreachable).
 * Independent questions go out together with dns_ask_all, 64 at a time.
 *
 * The AD bit (answer.authentic) is believed only when the server is on this machine or declared
 * trusted; otherwise it is cleared.
 *
 * Threads: the engine's. Ownership: struct dns borrows the network and the token.
 */
#ifndef SMTPSCOPE_DNS_H
#define SMTPSCOPE_DNS_H

#include "dns_msg.h"

#define DNS_SERVERS_MAX 8

struct dns_config {
    struct net_address servers[DNS_SERVERS_MAX]; /* port 53 where 0 */
    size_t server_count;
    bool trusted;   /* the user vouches for them (AD bit) */
    int timeout_ms; /* one try, default 5000 when 0 */
    int tries;      /* rounds over the servers, default 2 when 0 */
    struct net_address source; /* family 0: any */
};

struct dns {
    struct network *net;
    struct cancel *cancel;
    struct dns_config config;
};

struct dns_question {
    const char *name;
    uint16_t type;
    uint16_t class; /* 0 means IN */
    bool checking_disabled;
    struct dns_answer answer; /* filled by the call */
};

/* Takes the system's servers when config names none. */
void dns_init(struct dns *d, struct network *net, struct cancel *cancel,
              const struct dns_config *config);

/* One question. The only statuses are ST_OK (look at answer->result), ST_CANCELLED and ST_NOMEM. */
enum status dns_ask(struct dns *d, const char *name, uint16_t type, struct dns_answer *answer)
    MUST_CHECK;
/* Many questions at once; returns when all are decided. Same statuses. */
enum status dns_ask_all(struct dns *d, struct dns_question *questions, size_t count) MUST_CHECK;
/* One question to one server that is not in the configuration (whoami services). */
enum status dns_ask_server(struct dns *d, const struct net_address *server,
                           struct dns_question *question) MUST_CHECK;

#endif
