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

#include "dns_name.h"

#define DNS_HEADER_SIZE 12
#define DNS_MESSAGE_MAX 65535
#define DNS_RECORDS_MAX 1024
#define DNS_CNAME_MAX 10  /* links followed inside one answer */
#define DNS_TXT_MAX 65535 /* joined strings of one TXT record (RFC 7208 3.3, 6376 3.6.2.2) */
#define DNS_EDNS_SIZE 1232 /* largest UDP answer that we ask for: no fragments on any path */

#define DNS_CLASS_IN 1
#define DNS_CLASS_CH 3

/* How a question ended. Each is a different fault with a different person to call. */
#define DNS_RESULT_LIST(X)                                                                         \
    X(DNS_ANSWER, N_("answer"))                                                                    \
    X(DNS_NODATA, N_("nodata"))           /* the name exists, the type does not */                 \
    X(DNS_NXDOMAIN, N_("nxdomain"))                                                                \
    X(DNS_SERVFAIL, N_("servfail"))                                                                \
    X(DNS_REFUSED, N_("refused"))                                                                  \
    X(DNS_TIMEOUT, N_("timeout"))                                                                  \
    X(DNS_UNREACHABLE, N_("unreachable")) /* no name server is reached, or none is configured */   \
    X(DNS_MALFORMED, N_("malformed"))                                                              \
    X(DNS_CNAME_LOOP, N_("cname-loop"))   /* or more than DNS_CNAME_MAX links */                   \
    X(DNS_BAD_NAME, N_("bad-name"))       /* what was asked for cannot be a domain name */         \
    X(DNS_CANCELLED, N_("cancelled"))                                                              \
    X(DNS_OTHER_RCODE, N_("other-rcode"))

enum dns_result {
#define X(id, name) id,
    DNS_RESULT_LIST(X)
#undef X
};
const char *dns_result_name(enum dns_result result); /* untranslated */
const char *dns_result_word(enum dns_result result); /* the same, translated */

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
    bool referral; /* the server sent us to other servers instead (result is DNS_REFUSED) */
    char final_name[DNS_NAME_MAX]; /* what was asked, or where the CNAMEs of the answer led */
    unsigned cnames;               /* links followed */
    struct dns_record *records;    /* of the answer section: asked type, at final_name only */
    size_t count, dropped;
    struct dns_record *authority; /* first SOA of the authority section, or NULL */
    int ede;                      /* Extended DNS Error (RFC 8914), -1 when absent */
    char ede_text[128];           /* raw */
    /* Set by the exchange (dns.h). */
    struct net_address server;
    bool over_tcp;    /* with `truncated`: the whole answer could be had over TCP only */
    unsigned tries;   /* questions sent, over all servers and both transports */
    unsigned ignored; /* datagrams that did not answer the question */
    int64_t elapsed_us;
};

/*
 * Appends a query with EDNS (DNS_EDNS_SIZE octets, DO set) and RD. ST_INVALID when the name cannot
 * be encoded.
 */
enum status dns_msg_query(struct buf *out, uint16_t id, const char *name, uint16_t type,
                          uint16_t class, bool checking_disabled) MUST_CHECK;
/* Takes the EDNS record off a query made by dns_msg_query alone in its buffer, for old servers. */
void dns_msg_drop_edns(struct buf *query);
/*
 * True if the message answers this question: id, QR, opcode and question echo (case-insensitive).
 * A bare header without a question is a reply too if it brings an error other than NXDOMAIN:
 * servers that do not know EDNS answer like that (RFC 6891 section 7).
 */
bool dns_msg_is_reply(const void *p, size_t len, uint16_t id, const char *name, uint16_t type,
                      uint16_t class);
/*
 * Reads a reply into an answer that dns_answer_init made. Never fails but for ST_NOMEM: what is
 * wrong is in answer->result. Every record must be framed well and have an owner name that ends;
 * RDATA is read of the records that are kept and of the CNAMEs on the way.
 */
enum status dns_msg_parse(struct dns_answer *answer, const void *p, size_t len, const char *name,
                          uint16_t type) MUST_CHECK;
void dns_answer_init(struct dns_answer *answer);
void dns_answer_free(struct dns_answer *answer);

#endif
