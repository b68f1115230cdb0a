/*
 * fake_dns: a small hostile name server on 127.0.0.1, UDP and TCP on one port that the system
 * picks.
 *
 * It answers from a zone (fake_zone.h) like a resolver would: CNAMEs followed, NXDOMAIN, NODATA, TC
 * when the answer is larger than the asker can take. A rule changes that for one name and type: the
 * first query gets its first step, the second the second, and so on; the last step is kept. A step
 * with `more` is sent together with the one behind it, for the same query.
 *
 * Threads: it runs a thread of its own from start to stop; the calls here may come from any thread.
 * Ownership: zone and rules are borrowed until fake_dns_stop. Set-up errors end the test program.
 */
#ifndef SMTPSCOPE_FAKE_DNS_H
#define SMTPSCOPE_FAKE_DNS_H

#include "fake_zone.h"

#define FAKE_DNS_STEPS 8
#define FAKE_DNS_LOG 512

enum fake_dns_act {
    FAKE_DNS_END, /* of the steps */
    FAKE_DNS_ANSWER,
    FAKE_DNS_SILENCE,        /* over TCP: the connection stays open, and nothing comes */
    FAKE_DNS_RCODE,          /* arg; with `ede` an Extended DNS Error beside it */
    FAKE_DNS_RCODE_BARE,     /* arg; the header alone, no question */
    FAKE_DNS_OLD,            /* FORMERR to EDNS, the answer to a question without it */
    FAKE_DNS_TRUNCATE,       /* UDP: TC and no records; TCP: the answer */
    FAKE_DNS_WRONG_ID,       /* otherwise an answer of wrong records */
    FAKE_DNS_WRONG_QUESTION, /* the same for another name */
    FAKE_DNS_GARBAGE,        /* arg octets that mean nothing; 0: 64 of them */
    FAKE_DNS_CUT,            /* the answer without its last arg octets */
    FAKE_DNS_POINTER_LOOP,   /* an answer whose record is owned by a name without end */
    FAKE_DNS_REFERRAL,       /* name servers to ask instead; no recursion offered */
    FAKE_DNS_STILL_TC,       /* the answer with TC set, over TCP too */
    /* These say TC over UDP and misbehave over TCP. */
    FAKE_DNS_TCP_CLOSE, /* closes without a word */
    FAKE_DNS_TCP_RESET, /* the same with a reset */
    FAKE_DNS_TCP_SILENCE,
    FAKE_DNS_TCP_SHORT_PREFIX, /* the length says arg octets, more follow */
    FAKE_DNS_TCP_LONG_PREFIX,  /* the length says arg octets more than come; then it closes */
    FAKE_DNS_TCP_DRIP          /* one octet at a time, each in a segment of its own */
};

struct fake_dns_step {
    enum fake_dns_act act;
    int arg;
    const char *ede_text; /* NULL: no Extended DNS Error */
    int ede;
    bool more;
};

struct fake_dns_rule {
    const char *name; /* lower case; NULL ends the list */
    const char *type; /* as in a zone */
    struct fake_dns_step steps[FAKE_DNS_STEPS];
};

struct fake_dns_config {
    const char *const *zone;           /* NULL-terminated; NULL is an empty zone */
    const struct fake_dns_rule *rules; /* or NULL */
    bool authentic;                    /* sets AD in what it answers */
    bool no_tcp;                       /* TCP connections to the port are refused */
    unsigned
        gather; /* datagrams are held back until so many queries have come, then all answered */
};

/* What was asked. */
struct fake_dns_seen {
    struct fake_query query;
    uint16_t port; /* of the asker */
    bool tcp;
};

struct fake_dns;

struct fake_dns *fake_dns_start(const struct fake_dns_config *config);
uint16_t fake_dns_port(const struct fake_dns *f);
/* Copies the queries so far (at most FAKE_DNS_LOG are kept); returns how many came. */
size_t fake_dns_seen(struct fake_dns *f, struct fake_dns_seen *out, size_t max);
/* Returns once so many queries have come. */
void fake_dns_await(struct fake_dns *f, size_t queries);
void fake_dns_stop(struct fake_dns *f);

#endif
