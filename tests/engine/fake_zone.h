/*
 * fake_zone: what a well-behaved resolver would answer from a few lines of text, as octets.
 *
 * A zone is a NULL-terminated list of lines "owner TTL TYPE RDATA" in the manner of a zone file:
 *     "example.org 300 MX 10 mx1.example.org"
 *     "example.org 300 TXT \"v=spf1 \" \"-all\""          (raw bytes between the quotes)
 *     "_25._tcp.mx1.example.org 300 TYPE52 030101abcd"    (any type; RDATA in hex)
 * Types with a name here: A AAAA NS CNAME PTR MX SRV TXT SOA. Names may hold \DDD and \. escapes.
 * It shares no code with the program that it tests.
 *
 * Threads: pure. Ownership: the caller's buffers. A line that cannot be read ends the test program.
 */
#ifndef SMTPSCOPE_FAKE_ZONE_H
#define SMTPSCOPE_FAKE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_MESSAGE_MAX 65535
#define FAKE_NAME_MAX 512 /* of a name in text */

/* A question as it came. */
struct fake_query {
    char name[FAKE_NAME_MAX]; /* labels joined by dots, lower case, no escapes; the root is "." */
    uint16_t type, class, id, flags;
    uint16_t udp_size; /* what the asker can take: 512 without EDNS */
    bool edns, dnssec_ok;
    size_t question_len; /* octets of the question section, behind the header */
};

struct fake_message {
    uint8_t p[FAKE_MESSAGE_MAX];
    size_t len;
    bool full; /* something did not fit any more and was left out */
};

bool fake_query_read(struct fake_query *q, const uint8_t *p, size_t len);
/* A header with QR, RD and RA, the question as it was asked, and nothing else. */
void fake_reply_begin(struct fake_message *m, const struct fake_query *q, const uint8_t *query,
                      unsigned rcode);
/* The records that answer, CNAMEs followed; NXDOMAIN or NODATA with the zone's SOA otherwise. */
void fake_reply_fill(struct fake_message *m, const struct fake_query *q, const char *const *zone);
/* One line into a section: 6 answer, 8 authority, 10 additional (the offsets of their counts). */
void fake_reply_add(struct fake_message *m, unsigned section, const char *line);
/* The EDNS record; ede < 0: without an Extended DNS Error. Does nothing if the query had none. */
void fake_reply_edns(struct fake_message *m, const struct fake_query *q, int ede,
                     const char *ede_text);
void fake_set16(struct fake_message *m, size_t at, unsigned value);
unsigned fake_get16(const uint8_t *p);
/* The number of a type, also of "TYPE257". */
uint16_t fake_type(const char *name);

#endif
