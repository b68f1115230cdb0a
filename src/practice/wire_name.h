/*
 * wire_name: domain names as they stand in a DNS message (RFC 1035 3.1).
 *
 * Names that are compared are lower case; names in record data keep the case in which they were
 * written.
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_WIRE_NAME_H
#define SMTPSCOPE_WIRE_NAME_H

#include "net.h"

#define WIRE_NAME_MAX 255
/* Longest presentation form: each octet at worst \DDD. */
#define WIRE_TEXT_MAX 1100

struct wire_name {
    uint8_t p[WIRE_NAME_MAX];
    uint8_t len;
};

/* Presentation form (RFC 1035 5.1) to wire form, case kept. False when it is no name. */
bool wire_encode(const char *text, uint8_t out[WIRE_NAME_MAX], uint8_t *len);
/* The same in lower case. */
bool wire_name_parse(const char *text, struct wire_name *out);
void wire_lower(uint8_t *p, size_t len);
bool wire_name_equal(const struct wire_name *a, const struct wire_name *b);
/* True when name is zone, or lies below it. */
bool wire_name_within(const struct wire_name *name, const struct wire_name *zone);
/* How many octets the label at `at` takes with its length; 0 at the root. */
size_t wire_label(const struct wire_name *name, size_t at);
/* "25.2.0.192.in-addr.arpa" or the ip6.arpa form. */
void wire_reverse(const struct net_address *a, struct wire_name *out);
/*
 * Completes a name in a zone file: "@" is the zone. With `below`, a name with dots lies below the
 * zone, as owners do, unless it ends in the zone's name already; without it, a name with dots is a
 * full one.
 */
bool wire_complete(const char *word, const char *zone, bool below, char out[WIRE_TEXT_MAX]);

#endif
