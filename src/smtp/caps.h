/*
 * caps: what a server offered in its EHLO reply (RFC 5321 4.1.1.1), with parameters.
 *
 * Threads: pure. Ownership: plain data with inline storage.
 */
#ifndef SMTPSCOPE_CAPS_H
#define SMTPSCOPE_CAPS_H

#include "net.h"
#include "reply.h"

#define CAPS_MAX 128
#define CAP_TEXT_MAX 512
#define CAPS_MECHS_MAX 32

enum cap_id {
    CAP_STARTTLS,
    CAP_AUTH,
    CAP_SIZE,
    CAP_PIPELINING,
    CAP_8BITMIME,
    CAP_CHUNKING,
    CAP_BINARYMIME,
    CAP_DSN,
    CAP_SMTPUTF8,
    CAP_ENHANCEDSTATUSCODES,
    CAP_VRFY,
    CAP_ETRN,
    CAP_HELP,
    CAP_REQUIRETLS,
    CAP_DELIVERBY,
    CAP_FUTURERELEASE,
    CAP_MT_PRIORITY,
    CAP_LIMITS,
    CAP_XCLIENT,
    CAP_OTHER
};

struct cap {
    enum cap_id id;
    char text[CAP_TEXT_MAX]; /* keyword and parameters, raw, cut if longer */
    size_t keyword_len;
    uint32_t line; /* transcript line */
    bool masked;   /* looks overwritten by a firewall: a run of X or * (knowledge base E06) */
    bool bad_syntax;
};

struct caps {
    bool esmtp;              /* answered to EHLO; false after HELO */
    char greeting_name[256]; /* the domain that the server calls itself, raw */
    char greeting_text[256]; /* the rest of the first line, raw */
    struct cap list[CAPS_MAX];
    size_t count, dropped;
    bool has_size;
    uint64_t size;                  /* 0: no limit stated (RFC 1870) */
    char mechs[CAPS_MECHS_MAX][32]; /* SASL mechanisms, upper case, of AUTH and of the old AUTH= */
    size_t mech_count;
    bool auth_old_form; /* "AUTH=LOGIN" only */
};

/* Reads a complete 250 reply to EHLO or HELO. */
void caps_parse(struct caps *caps, const struct reply *reply, bool esmtp);
void caps_clear(struct caps *caps);
bool caps_has(const struct caps *caps, enum cap_id id);
const struct cap *caps_find(const struct caps *caps, enum cap_id id);
bool caps_has_mech(const struct caps *caps, const char *mech);
/* What a keyword means, for people, translated; "" for unknown ones. */
const char *cap_meaning(enum cap_id id);
/*
 * The address of ours that a server repeats in its greeting line ("Hello name [192.0.2.1]",
 * "at your service, [192.0.2.1]"): first bracketed or bare literal in the text.
 */
bool caps_seen_address(const struct caps *caps, struct net_address *out);

#endif
