/*
 * plan: what the user asked for. Deep-copied when a run starts, and immutable from then on.
 *
 * It lives below run/ because a check may know the wish, but nothing of the thread that carries it out.
 *
 * Threads: one owner at a time; a started plan is read by the engine thread only. Ownership: plan_free
 * frees the strings and wipes the password.
 */
#ifndef SMTPSCOPE_PLAN_H
#define SMTPSCOPE_PLAN_H

#include "dns.h"
#include "proxy_header.h"
#include "sample.h"
#include "smtp.h"

enum plan_tls { PLAN_TLS_AUTO, PLAN_TLS_STARTTLS, PLAN_TLS_IMPLICIT, PLAN_TLS_NONE };
const char *plan_tls_name(enum plan_tls tls); /* "auto" ... */

#define PLAN_RECIPIENTS_MAX 5
#define PLAN_MESSAGE_MAX ((size_t)25 << 20) /* of a message from a file, and of an attachment */
#define PLAN_CHUNK_DEFAULT ((size_t)64 * 1024)

/* What a file held. */
struct plan_bytes {
    char *p; /* NULL: none */
    size_t len;
};

struct plan {
    char *input;     /* as typed */
    char *domain;    /* A-label form; NULL when a host or address was named */
    char *domain_shown; /* as typed, U-label form */
    char *host;      /* host name or address literal; NULL: found by MX */
    uint16_t port;   /* 0: 25, or 465 when TLS is to come first */
    enum plan_tls tls;
    int family;      /* 0, 4, 6 */
    struct net_address source; /* family 0: any */
    char *helo;      /* NULL: taken from the PTR */
    char *from, *to; /* envelope; NULL: made up */
    char *subject;
    /* The test mail: a file as it is, or the built-in text with what is added to it. */
    char *message_name, *attach_name; /* names of the files, without their folders */
    struct plan_bytes message, attach;
    enum sample sample;
    size_t chunk;                    /* octets of one BDAT; 0: DATA */
    char *mail_params, *rcpt_params; /* words for MAIL and RCPT, separated by blanks; NULL: none */
    /* Who speaks to the server, and how. */
    char *xclient;           /* "ADDR=192.0.2.1 NAME=spike.example"; NULL: none */
    struct proxy_wish proxy; /* version 0: none */
    bool lmtp;               /* RFC 2033 instead of SMTP */
    struct dns_config dns;
    char *ca_file, *cert_file, *key_file;
    struct smtp_limits limits;
    int deadline_s;  /* whole run, 0: none */
    char *auth_user, *auth_mech;
    struct secret password;
    bool auth_wanted;     /* log in as part of the run (headless, or the form was accepted) */
    bool auth_in_clear;   /* the password may go out without TLS: the user said so, in this run */
    bool auth_unproved;   /* or under TLS to a server that did not prove its name */
    bool relay_consent, send_consent;
    bool read_only;       /* never AUTH, MAIL, RCPT, DATA, VRFY, EXPN from steps */
    bool stay;            /* keep the connection open when the steps are done (console) */
    bool first_path;      /* only the first address of the first host is tried */
    uint64_t only;        /* bit mask of check indexes, 0: all */
};

/* Takes the bytes over from the buffer, which is empty then. */
void plan_take_bytes(struct plan_bytes *slot, struct buf *b);
enum status plan_copy_bytes(struct plan_bytes *dst, const struct plan_bytes *src) MUST_CHECK;

void plan_init(struct plan *p);
void plan_free(struct plan *p);
enum status plan_copy(struct plan *dst, const struct plan *src) MUST_CHECK;
/*
 * Understands a domain, user@domain, host:port, [v6]:port, an address, and smtp:// smtps:// submission://
 * submissions:// URLs. Fills input, domain, host; port and tls where the text names them. IDNA through
 * libidn2. A name without a dot is a host. ST_INVALID with a sentence that says what is wrong and what would
 * be right; the plan is then unchanged.
 */
enum status plan_set_target(struct plan *p, const char *text, struct error *error) MUST_CHECK;
/* "mx.example.com", "mx:2525", "192.0.2.1", "[2001:db8::1]:25" */
enum status plan_set_host(struct plan *p, const char *text, struct error *error) MUST_CHECK;
/* Everything that has to be true before a packet is sent: addresses, names, contradictions. */
enum status plan_validate(const struct plan *p, struct error *error) MUST_CHECK;
uint16_t plan_port(const struct plan *p);
/* What TLS mode `auto` means for this port: implicit on 465, else STARTTLS where offered. */
enum plan_tls plan_tls_effective(const struct plan *p);

#endif
