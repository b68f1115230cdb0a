/*
 * facts: what is known of one path (MX host, address, port, TLS mode), for screens and reports.
 *
 * Path 0 stands for the domain and for our own side; paths from 1 on are what was tried.
 *
 * Threads: one owner at a time; the engine sends copies. Ownership: facts_free.
 */
#ifndef SMTPSCOPE_FACTS_H
#define SMTPSCOPE_FACTS_H

#include "smtp.h"

enum timing {
    TIMING_MX,
    TIMING_ADDRESS,
    TIMING_PTR,
    TIMING_CONNECT,
    TIMING_BANNER,
    TIMING_EHLO,
    TIMING_STARTTLS,
    TIMING_TLS,
    TIMING_EHLO2,
    TIMING_AUTH,
    TIMING_ENVELOPE,
    TIMING_DATA,
    TIMING_COUNT
};
const char *timing_key(enum timing t);   /* "connect", as in the report */
const char *timing_title(enum timing t); /* "TCP", "EHLO 2"; for people, translated */

struct timing_span {
    int64_t start_us; /* since the run began; -1: did not happen */
    int64_t length_us;
};

struct facts {
    uint16_t path;
    char *mx; /* host name, NULL when an address was named */
    int preference; /* -1: none */
    struct net_address address, local; /* path 0: `local` is ours towards the server */
    char mode[16]; /* "plain", "starttls", "implicit" */
    char *ptr;     /* of `address` */
    char *own_address, *own_ptr; /* path 0: how the world sees us */
    bool own_ptr_confirmed;
    char *banner; /* first line of the greeting, raw */
    char *ehlo_name; /* the name that we gave */
    char *capabilities; /* of the last EHLO, one a line, raw; NULL before */
    bool connected, tls_tried, authenticated;
    struct tls_facts *tls; /* NULL when TLS was not tried */
    struct timing_span timings[TIMING_COUNT];
    char *queue_id; /* of a sent test mail, raw */
    char *message_id;
};

/* How one attempt to connect ended. */
struct dial_facts {
    struct net_address to, local; /* local: family 0 when there is none */
    enum status status;
    int sys; /* errno, or 0 */
    bool no_route; /* this machine has no address of that family */
    int64_t elapsed_us;
};

void facts_init(struct facts *f, uint16_t path);
void facts_free(struct facts *f);
enum status facts_copy(struct facts *dst, const struct facts *src) MUST_CHECK;
/* Both times count from the start of the run. */
void facts_timing(struct facts *f, enum timing t, int64_t start_us, int64_t end_us);

#endif
