/*
 * dns_facts: one question to name servers and what came back, as records and reports keep it.
 *
 * Threads: one owner at a time; the engine sends copies. Ownership: dns_facts_free.
 */
#ifndef SMTPSCOPE_DNS_FACTS_H
#define SMTPSCOPE_DNS_FACTS_H

#include "dns.h"

/* More MX records than are ever tried; a zone that has more is told to be long by `dropped`. */
#define DNS_FACTS_RECORDS_MAX 96
#define DNS_FACTS_TEXT_MAX 4096 /* of one record as text */

struct dns_facts {
    char *name;
    uint16_t type;
    enum dns_result result;
    bool authentic, checking_disabled, over_tcp;
    bool direct;               /* asked of one server that is not in the configuration */
    struct net_address server; /* that answered, or was asked last; family 0: none */
    char *alias;               /* where CNAME records led; NULL for none */
    char **records;            /* data as in a zone file: "10 mx1.example.com"; TXT raw */
    size_t count, dropped;
    int ede; /* Extended DNS Error (RFC 8914), -1 when absent */
    int64_t elapsed_us;
};

/* ST_NOMEM leaves an empty one. */
enum status dns_facts_make(struct dns_facts *out, const struct dns_question *q,
                           bool direct) MUST_CHECK;
enum status dns_facts_copy(struct dns_facts *dst, const struct dns_facts *src) MUST_CHECK;
/* Appends a copy of the text; what is over the limits counts as dropped. */
enum status dns_facts_add(struct dns_facts *f, const char *text) MUST_CHECK;
void dns_facts_free(struct dns_facts *f);
/* "MX" and "TYPE257" to a number; 0 when it is neither. */
uint16_t dns_facts_type(const char *name);

#endif
