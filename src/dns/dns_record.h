/*
 * dns_record: one resource record of a message, read into its typed form.
 *
 * RDATA that is too short, too long or inconsistent for its type is ST_PROTO; nothing is guessed.
 *
 * Threads: pure. Ownership: dns_record_free frees what dns_record_read allocated.
 */
#ifndef SMTPSCOPE_DNS_RECORD_H
#define SMTPSCOPE_DNS_RECORD_H

#include "dns_msg.h"

/* A record as it lies in the message. The lengths have been checked against the message. */
struct dns_place {
    const uint8_t *msg, *msg_end;
    char *owner;
    uint16_t type;
    uint32_t ttl;
    const uint8_t *rdata, *rdata_end;
};

/* ST_OK, ST_PROTO or ST_NOMEM; when it fails there is nothing to free. */
enum status dns_record_read(struct dns_record *out, const struct dns_place *place) MUST_CHECK;
void dns_record_free(struct dns_record *r); /* what it holds, not the struct */

#endif
