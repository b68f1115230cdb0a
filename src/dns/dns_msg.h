/*
 * dns_msg: DNS messages, built and read with libresolv's pure functions. No network here.
 *
 * Every byte is hostile: names come out in presentation form as libresolv escapes them (RFC 1035
 * 5.1), TXT strings as raw bytes. Limits: DNS_RECORDS_MAX records are kept of an answer, and
 * `dropped` says how many were not.
 *
 * Threads: pure. Ownership: dns_answer_free frees what dns_msg_parse allocated.
 */
#ifndef SMTPSCOPE_DNS_MSG_H
#define SMTPSCOPE_DNS_MSG_H

#include "net.h"

#define DNS_NAME_MAX 1025 /* 255 octets, each at worst written as \DDD, and a NUL */
#define DNS_MESSAGE_MAX 65535
#define DNS_RECORDS_MAX 1024
#define DNS_CNAME_MAX 10  /* links followed inside one answer */
#define DNS_TXT_MAX 65535 /* joined strings of one TXT record (RFC 7208 3.3, 6376 3.6.2.2) */

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
#define DNS_CLASS_IN 1
#define DNS_CLASS_CH 3

/* How a question ended. Each is a different fault with a different person to call. */
#define DNS_RESULT_LIST(X)                                                                         \
    X(DNS_ANSWER, "answer")                                                                        \
    X(DNS_NODATA, "nodata")           /* the name exists, the type does not */                     \
    X(DNS_NXDOMAIN, "nxdomain")                                                                    \
    X(DNS_SERVFAIL, "servfail")                                                                    \
    X(DNS_REFUSED, "refused")                                                                      \
    X(DNS_TIMEOUT, "timeout")                                                                      \
    X(DNS_UNREACHABLE, "unreachable") /* no name server could be reached or none is configured */  \
    X(DNS_MALFORMED, "malformed")                                                                  \
    X(DNS_CNAME_LOOP, "cname-loop")                                                                \
    X(DNS_BAD_NAME, "bad-name")       /* what was asked for cannot be a domain name */             \
    X(DNS_CANCELLED, "cancelled")                                                                  \
    X(DNS_OTHER_RCODE, "other-rcode")

enum dns_result {
#define X(id, name) id,
    DNS_RESULT_LIST(X)
#undef X
};
const char *dns_result_name(enum dns_result result); /* untranslated */

struct dns_record {
    char *owner; /* presentation form, no final dot except for the root "." */
    uint16_t type;
    uint32_t ttl;
    union {
        struct net_address address; /* A, AAAA; port 0 */
        char *name;                 /* NS, CNAME, PTR */
        struct {
            uint16_t preference;
            char *exchange; /* "." is the null MX (RFC 7505) */
        } mx;
        struct {
            uint16_t priority, weight, port;
            char *target;
        } srv;
        struct {
            char *text; /* strings joined without a gap; raw bytes */
            size_t len;
        } txt;
        struct {
            char *mname, *rname;
            uint32_t serial, minimum;
        } soa;
        struct {
            uint8_t *bytes; /* anything else: RDATA as it came */
            size_t len;
        } raw;
    } u;
};

struct dns_answer {
    enum dns_result result;
    int rcode; /* -1 when there was no reply */
    bool authoritative, authentic, truncated;
    char final_name[DNS_NAME_MAX]; /* owner of the records after following CNAMEs */
    unsigned cnames;               /* links followed */
    struct dns_record *records;    /* answer section, records of the asked type at final_name only */
    size_t count, dropped;
    struct dns_record *authority; /* first SOA of the authority section, or NULL */
    int ede;                      /* Extended DNS Error (RFC 8914), -1 when absent */
    char ede_text[128];           /* raw */
    /* Set by the exchange (dns.h). */
    struct net_address server;
    bool over_tcp;
    unsigned tries;
    int64_t elapsed_us;
};

/* A query with EDNS (1232 octets, DO set) and RD. ST_INVALID when the name cannot be encoded. */
enum status dns_msg_query(struct buf *out, uint16_t id, const char *name, uint16_t type,
                          uint16_t class, bool checking_disabled) MUST_CHECK;
/* True if the message answers this question: id, QR, opcode and question echo (case-insensitive). */
bool dns_msg_is_reply(const void *p, size_t len, uint16_t id, const char *name, uint16_t type,
                      uint16_t class);
/* Reads a reply. Never fails but for ST_NOMEM: what is wrong is in answer->result. */
enum status dns_msg_parse(struct dns_answer *answer, const void *p, size_t len, const char *name,
                          uint16_t type) MUST_CHECK;
void dns_answer_init(struct dns_answer *answer);
void dns_answer_free(struct dns_answer *answer);

/* Names equal, ignoring case and a final dot. */
bool dns_name_equal(const char *a, const char *b);
/* True for letters-digits-hyphen names (underscore when `underscore`), each label 1..63, 253 in all. */
bool dns_name_is_host(const char *name, bool underscore);
/* "25.2.0.192.in-addr.arpa" or the ip6.arpa form. */
void dns_reverse_name(const struct net_address *a, char *out, size_t size);
/* "MX", "A"...; "TYPE257" style for the rest. */
void dns_type_name(uint16_t type, char *out, size_t size);

#endif
