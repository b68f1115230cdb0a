/*
 * practice_serve: a server of a scenario on a real socket, for other programs to talk to.
 *
 * Every TCP connection that is accepted becomes one connection in the practice world, and bytes go
 * through in both directions as that world has them: with its latencies and pauses, with ends,
 * resets, half-closed connections and servers that take nothing any more. What rules of the
 * scenario count, they count over all connections. A client that does not read, or a server that
 * does not, makes the other side wait; nothing is stored without a limit.
 *
 * Time is the real one, whatever happens in the world. With PRACTICE_INSTANT the world's clock
 * jumps over latencies and over what servers wait for by themselves, but not over the time that a
 * server gives its client (`idle` rules).
 *
 * Threads: one, which runs all; another may make the descriptor readable that ends it. Ownership:
 * the caller's network has to outlive it, and is used by nothing else meanwhile.
 */
#ifndef SMTPSCOPE_PRACTICE_SERVE_H
#define SMTPSCOPE_PRACTICE_SERVE_H

#include "practice.h"

/* Connections at a time. Others wait until the kernel's list of those that were not accepted yet is
 * full. */
#define SERVE_CLIENTS_MAX 256

struct serve_wish {
    const char *host;   /* name or address in the scenario; NULL: where the MX of `domain` leads */
    const char *domain; /* asked for in the scenario's own DNS */
    uint16_t port;      /* in the scenario; 0: 25, or the first that the host has */
    struct net_address listen; /* port 0: any that is free */
};

/* What is offered, and where. */
struct serve_offer {
    const char *host;
    struct net_address address; /* in the scenario */
    bool tls;                   /* from the first byte */
    struct net_address listen;
};

enum serve_event_kind { SERVE_CONNECTED, SERVE_COMMAND, SERVE_CLOSED };

enum serve_end {
    SERVE_END_CLIENT, /* it closed first */
    SERVE_END_CLIENT_RESET,
    SERVE_END_SERVER,
    SERVE_END_SERVER_RESET,
    SERVE_END_STOPPED /* with the whole server */
};

struct serve_event {
    enum serve_event_kind kind;
    int64_t at_us;           /* on the world's clock, since it was opened */
    unsigned client;         /* from 1 */
    struct net_address peer; /* of the client */
    bool tls;                /* SERVE_COMMAND: came encrypted */
    const char *text;        /* SERVE_COMMAND: raw bytes, secrets hidden */
    size_t len;
    enum serve_end end; /* SERVE_CLOSED */
};

struct practice_serve;

/*
 * Finds the server in the scenario and listens. ST_INVALID: the scenario has no such server, or one
 * that a real socket cannot act out. ST_DENIED, ST_IO: the address cannot be used. ST_NOMEM. Each
 * with a sentence.
 */
enum status practice_serve_open(struct network *net, const struct serve_wish *wish,
                                struct practice_serve **out, struct error *error) MUST_CHECK;
const struct serve_offer *practice_serve_offer(const struct practice_serve *s);
/*
 * Serves until `stop_fd` is readable: ST_OK. `tell` is called for each event, and what it is given
 * is good for that call. ST_IO when waiting fails.
 */
enum status practice_serve_run(struct practice_serve *s, int stop_fd,
                               void (*tell)(void *ctx, const struct serve_event *event), void *ctx,
                               struct error *error) MUST_CHECK;
/* Ends what is still open. NULL is allowed. */
void practice_serve_close(struct practice_serve *s);

#endif
