/*
 * check: the checks, the one table that lists them, and what a check may touch while it runs.
 *
 * A check reads like the dialogue in the RFC: it talks through the context, reports findings and returns a
 * verdict. It knows nothing of threads, screens or advice.
 *
 * Threads: the engine's. Ownership: the context and all it points at belong to the run.
 */
#ifndef SMTPSCOPE_CHECK_H
#define SMTPSCOPE_CHECK_H

#include "dns_facts.h"
#include "facts.h"
#include "finding.h"
#include "plan.h"

#define CHECK_LIST(X)                                                                              \
    X(CHECK_DNS_MX, "dns.mx")                                                                      \
    X(CHECK_DNS_ADDRESS, "dns.address")                                                            \
    X(CHECK_SELF_ADDRESS, "self.address")                                                          \
    X(CHECK_SELF_PTR, "self.ptr")                                                                  \
    X(CHECK_CONNECT, "net.connect")                                                                \
    X(CHECK_BANNER, "smtp.banner")                                                                 \
    X(CHECK_EHLO, "smtp.ehlo")                                                                     \
    X(CHECK_STARTTLS, "tls.starttls")                                                              \
    X(CHECK_CERTIFICATE, "tls.certificate")                                                        \
    X(CHECK_RELAY, "smtp.relay")                                                                   \
    X(CHECK_AUTH, "smtp.auth")                                                                     \
    X(CHECK_SEND, "smtp.send")

enum check_id {
#define X(id, name) id,
    CHECK_LIST(X)
#undef X
    CHECK_COUNT,
    CHECK_NONE = CHECK_COUNT /* lines that belong to no step: typed by hand, opening, closing */
};

enum check_scope { SCOPE_DOMAIN, SCOPE_SELF, SCOPE_HOST, SCOPE_PATH };
enum check_risk {
    RISK_SAFE,  /* runs by itself */
    RISK_RELAY, /* needs consent */
    RISK_LOGIN, /* needs consent and a password */
    RISK_SEND   /* needs consent; a message leaves */
};

struct check_context;

struct check {
    enum check_id id;
    const char *key;   /* "dns.mx" */
    const char *title; /* N_("DNS MX"): short, for the checklist */
    enum check_scope scope;
    enum check_risk risk;
    uint64_t needs; /* bits of checks that must not have failed, else this one is skipped */
    enum verdict (*run)(struct check_context *c);
};

extern const struct check checks[CHECK_COUNT];
const struct check *check_find(const char *key); /* NULL when unknown */
/* "dns.mx,smtp.relay" to a mask; ST_INVALID names the unknown one and the nearest known. */
enum status check_mask(const char *list, uint64_t *mask, struct error *error) MUST_CHECK;
/* The mask and all that its checks rest on. */
uint64_t check_closure(uint64_t mask);

#define TARGETS_MAX 64
#define TARGET_ADDRESSES_MAX 16
#define SERVER_PTRS_MAX 8 /* reverse names of servers that are asked for in advance */

#define ADDRESS_TEXT 320        /* an address as it is quoted in a finding */

/* A host that takes the mail, in the order in which it is tried. */
struct target {
    char host[256];  /* "" when an address was named */
    int preference;  /* -1: none (implicit MX, or named by the user) */
    struct net_address addresses[TARGET_ADDRESSES_MAX];
    size_t address_count;
};

/* What the run lends to a check. The callbacks are the run's; checks never see behind them. */
struct check_sink {
    void *ctx;
    uint32_t (*line)(void *ctx, enum smtp_dir dir, bool tls, unsigned flags, const char *p, size_t len);
    void (*mark)(void *ctx, uint32_t line, unsigned flags); /* adds flags to a line told before */
    void (*wait)(void *ctx, enum smtp_wait what, int limit_ms);
    void (*finding)(void *ctx, enum check_id check, struct finding *f); /* takes the content over */
    void (*facts)(void *ctx, const struct facts *f); /* the path's facts have changed */
    void (*answer)(void *ctx, const struct dns_facts *f); /* name servers were asked */
    void (*dial)(void *ctx, const struct dial_facts *f); /* a connection was tried */
    uint16_t (*new_path)(void *ctx); /* the next lines and findings belong to it */
};

struct check_context {
    const struct plan *plan;
    struct network *net;
    struct cancel *cancel;
    struct dns dns;
    struct smtp smtp;          /* the live conversation */
    struct redactor *redactor;
    const struct check_sink *sink;
    const struct check *current;
    int64_t run_start_us;
    bool typed; /* what is judged was typed by hand: findings say so, and no result changes */
    bool typed_helo; /* HELO was typed, so that what the server offers is not known any more */
    char typed_sender[ADDRESS_TEXT]; /* of the transaction that is being typed, raw */
    char typed_recipient[ADDRESS_TEXT];
    bool last_on_connection; /* QUIT may go out with the last pipelined group */

    /* What earlier checks found out. */
    struct target *targets; /* TARGETS_MAX of them, heap */
    size_t target_count;
    size_t target_index, address_index; /* which one the path uses */
    bool implicit_mx, null_mx;
    struct facts domain_facts; /* path 0 */
    struct facts facts;        /* the path in use */
    struct net_address own_address; /* as the world sees us; family 0: unknown */
    struct net_address own_local;   /* as this machine does */
    char ehlo_name[256];
    bool own_ptr_confirmed;
    struct {
        struct net_address address;
        char *name;
    } server_ptrs[SERVER_PTRS_MAX];
    size_t server_ptr_count;
    char tls_name[TLS_NAME_TEXT]; /* what the certificate of the path in use must name */
    struct tls_limits tls_limits; /* of a control's handshake (control.h); else none */
    unsigned reply_flags_told;    /* deviations of replies are reported once a run */
    unsigned reply_flags_told_by[CHECK_COUNT]; /* by which check, until that one runs again */
    /* What the conversation told last, for evidence. */
    uint32_t tls_line;  /* how the handshake ended */
    uint32_t odd_line;  /* a line of the server's that violates the protocol, or ends the session (421) */
    char odd_text[256]; /* the beginning of it, raw */
    enum verdict results[CHECK_COUNT]; /* VERDICT_PENDING before; kept by the run */
};

/* The conversation tells its lines through the context, which must not be moved from then on. */
enum status check_context_init(struct check_context *c, const struct plan *plan, struct network *net,
                               struct cancel *cancel, struct redactor *redactor,
                               const struct check_sink *sink) MUST_CHECK;
void check_context_free(struct check_context *c); /* closes the connection without QUIT */
/* To be called before a check runs, also when it runs again: what it told before it may tell anew. */
void check_begin(struct check_context *c, enum check_id id);
/*
 * The check whose result keeps this one from being run, or CHECK_NONE. What did not end in ok, note or warn
 * keeps others; what concerns our own side (SCOPE_SELF) never does.
 */
enum check_id check_blocked_by(const struct check_context *c, const struct check *check);
/* How the path's server is to be verified; the strings live as long as the context. */
void check_tls_config(const struct check_context *c, struct tls_config *config);

/* Helpers that every check uses. */
/* Tells a note of ours; the text is for people, translated. Returns its line. */
uint32_t check_note(struct check_context *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Hands the finding in, marks its evidence as problem where it is warn or fail, returns its verdict. The
   content of *f is given away. */
enum verdict check_report(struct check_context *c, struct finding *f);
/*
 * Opening (connect, greeting, EHLO, TLS, EHLO) again after the connection was lost, without judging. With TLS
 * if the path had it. Logging in is not repeated.
 */
enum status check_reopen(struct check_context *c, struct error *error) MUST_CHECK;
/* The same as far as the connection: nothing was said, not even the greeting read. */
enum status check_reconnect(struct check_context *c, struct error *error) MUST_CHECK;
/* As far as the greeting, under TLS where it comes first. */
enum status check_regreet(struct check_context *c, struct error *error) MUST_CHECK;
/* A conversation call failed: one place that turns the status into the finding for this check. */
enum verdict check_broken(struct check_context *c, enum status status, enum smtp_wait during,
                          const struct reply *reply);

#endif
