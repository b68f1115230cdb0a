/*
 * dns_name: domain names and type names as text.
 *
 * Names are in presentation form (RFC 1035 5.1): what is not a plain printable byte stands behind a
 * backslash, so the text itself is printable ASCII. The root is "."; others have no final dot.
 *
 * Threads: pure. Ownership: nothing here allocates.
 */
#ifndef SMTPSCOPE_DNS_NAME_H
#define SMTPSCOPE_DNS_NAME_H

#include "net.h"

#define DNS_NAME_MAX 1025 /* 255 octets, each at worst written as \DDD, and a NUL */
#define DNS_WIRE_NAME_MAX 255
#define DNS_LABEL_MAX 63
#define DNS_HOST_NAME_MAX 253 /* 255 octets less the first length and the root's */

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_DS = 43,
    DNS_DNSKEY = 48,
    DNS_TLSA = 52,
    DNS_CAA = 257
};

/*
 * The one spelling that libresolv gives to a name: escapes normalised, final dot gone. ST_INVALID
 * when the text cannot be a domain name (empty, empty label, label > 63, > 255 octets, bad escape).
 */
enum status dns_name_canonical(const char *name, char out[DNS_NAME_MAX]) MUST_CHECK;
/* The uncompressed octets of a name; *len of out's are used. ST_INVALID as above. */
enum status dns_name_encode(const char *name, uint8_t out[DNS_WIRE_NAME_MAX + 1], size_t *len)
    MUST_CHECK;

/* Names equal, ignoring case and a final dot. */
bool dns_name_equal(const char *a, const char *b);
/*
 * True for letters-digits-hyphen names (underscore when `underscore`), each label 1..63, 253 in
 * all; no hyphen at either end of a label (RFC 1123 2.1). One final dot is allowed; the root is no
 * host.
 */
bool dns_name_is_host(const char *name, bool underscore);
/* "25.2.0.192.in-addr.arpa" or the ip6.arpa form; empty for no address. */
void dns_reverse_name(const struct net_address *a, char *out, size_t size);
/* "MX", "A"...; "TYPE257" style for the rest. */
void dns_type_name(uint16_t type, char *out, size_t size);

#endif
