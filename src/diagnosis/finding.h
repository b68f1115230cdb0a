/*
 * finding: what a check can conclude, as data: an id, a verdict, who can fix it, how sure we are.
 *
 * The table in finding.c lists every id. Texts for people are not here but in the guide (guide.h),
 * one entry for each id and language; a test ties both together.
 *
 * Threads: the table is const; a struct finding belongs to one thread at a time. Ownership: a finding
 * owns its argument values.
 */
#ifndef SMTPSCOPE_FINDING_H
#define SMTPSCOPE_FINDING_H

#include "buf.h"

/* Ordered: the worst of several is the largest, see verdict_worse(). */
#define VERDICT_LIST(X)                                                                            \
    X(VERDICT_PENDING, "todo")                                                                        \
    X(VERDICT_RUNNING, "running")                                                                  \
    X(VERDICT_SKIPPED, "skipped")                                                                  \
    X(VERDICT_ASK, "ask")                                                                          \
    X(VERDICT_OK, "ok")                                                                            \
    X(VERDICT_NOTE, "note")                                                                        \
    X(VERDICT_STOPPED, "stopped")                                                                  \
    X(VERDICT_INCONCLUSIVE, "inconclusive")                                                        \
    X(VERDICT_WARN, "warn")                                                                        \
    X(VERDICT_FAIL, "fail")

enum verdict {
#define X(id, name) id,
    VERDICT_LIST(X)
#undef X
};
const char *verdict_name(enum verdict verdict); /* as in the report, untranslated */
enum verdict verdict_worse(enum verdict a, enum verdict b);

enum who { WHO_NOBODY, WHO_CLIENT, WHO_SERVER, WHO_DNS, WHO_NETWORK, WHO_THIRD_PARTY, WHO_TOOL };
const char *who_name(enum who who);     /* "client", "third-party"; untranslated */
const char *who_word(enum who who);     /* "client", "third party"; translated */
const char *who_sentence(enum who who); /* "Whoever runs the mail server can fix this." translated */

enum confidence { CONFIDENCE_GUESS, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN };
const char *confidence_name(enum confidence confidence);
const char *confidence_word(enum confidence confidence); /* translated */

/* Whose limit made a result inconclusive. */
enum side { SIDE_NONE, SIDE_OURS, SIDE_THEIRS };
const char *side_name(enum side side); /* "ours", "theirs", NULL for none */

/* Reply classes (design.md): what a refusal is about. */
#define REPLY_CLASS_LIST(X)                                                                        \
    X(CLASS_NONE, "")                                                                              \
    X(CLASS_UNKNOWN_RECIPIENT, "unknown-recipient")                                                \
    X(CLASS_MAILBOX_FULL, "mailbox-full")                                                          \
    X(CLASS_MAILBOX_DISABLED, "mailbox-disabled")                                                  \
    X(CLASS_RECIPIENT_MOVED, "recipient-moved")                                                    \
    X(CLASS_UNKNOWN_HOST, "unknown-host")                                                          \
    X(CLASS_RELAY_DENIED, "relay-denied")                                                          \
    X(CLASS_SENDER_AUTHENTICATION, "sender-authentication")                                        \
    X(CLASS_SECURITY, "security")                                                                  \
    X(CLASS_MISSING_PTR, "missing-ptr")                                                            \
    X(CLASS_BLOCKED_ADDRESS, "blocked-address")                                                    \
    X(CLASS_BAD_REPUTATION, "bad-reputation")                                                      \
    X(CLASS_RATE_LIMITED, "rate-limited")                                                          \
    X(CLASS_GREYLISTED, "greylisted")                                                              \
    X(CLASS_POLICY, "policy")                                                                      \
    X(CLASS_SENDER_REJECTED, "sender-rejected")                                                    \
    X(CLASS_SPAM, "spam")                                                                          \
    X(CLASS_CONTENT, "content")                                                                    \
    X(CLASS_VIRUS, "virus")                                                                        \
    X(CLASS_TOO_BIG, "too-big")                                                                    \
    X(CLASS_PROTOCOL, "protocol")                                                                  \
    X(CLASS_NO_MAIL_ACCEPTED, "no-mail-accepted")                                                  \
    X(CLASS_SYSTEM_ERROR, "system-error")                                                          \
    X(CLASS_SYSTEM_FULL, "system-full")                                                            \
    X(CLASS_NETWORK, "network")

enum reply_class {
#define X(id, name) id,
    REPLY_CLASS_LIST(X)
#undef X
};
const char *reply_class_name(enum reply_class class);

/* What of a reply told its cause (reply_decode.h). */
enum reply_basis { BASIS_NONE, BASIS_CODE, BASIS_ENHANCED, BASIS_WORDS };
const char *reply_basis_name(enum reply_basis basis); /* "words", "enhanced", "code"; "" for none */

struct reply_cause;
struct reply_vendor;

#define FINDING_ARGS_MAX 10
#define FINDING_EVIDENCE_MAX 16
#define FINDING_ARG_TEXT_MAX 1024

/* One row of the table. */
struct finding_kind {
    const char *id;         /* "dns.mx.null": check id first, stable */
    enum verdict verdict;   /* what it usually means */
    enum who who;
    enum confidence confidence;
    const char *reference;  /* "RFC 7505, section 3"; untranslated; "" for none */
    const char *args;       /* names of the arguments its texts may use, space-separated */
    enum side side;         /* usual one of an inconclusive result, else SIDE_NONE */
    bool by_cause;          /* the reply decides what to do: advice of its cause is added (guide.h) */
};

struct finding_arg {
    char name[24];
    char *value; /* raw: escape before showing */
    bool word;   /* an English word of this program, which guides in other languages translate */
};

struct finding {
    const struct finding_kind *kind;
    enum verdict verdict; /* the kind's, unless the check knows better */
    enum who who;
    enum confidence confidence;
    enum reply_class class;
    const struct reply_cause *cause; /* of the reply that it rests on; NULL: there is none */
    enum reply_basis basis;          /* what of the reply told the cause, */
    enum confidence cause_confidence; /* how surely, */
    const struct reply_vendor *vendor; /* and by whose rule; NULL: a rule for all */
    enum side side; /* with VERDICT_INCONCLUSIVE */
    bool typed;     /* from what was typed by hand: the step's own verdict does not rest on it */
    struct finding_arg args[FINDING_ARGS_MAX];
    size_t arg_count;
    uint32_t evidence[FINDING_EVIDENCE_MAX]; /* transcript line numbers */
    size_t evidence_count;
};

extern const struct finding_kind finding_kinds[];
extern const size_t finding_kind_count;
const struct finding_kind *finding_find(const char *id); /* NULL when unknown */

/* Starts a finding with the kind's defaults. An unknown id aborts in debug builds: it is a bug. Others
   report it as check.internal, which is the truth. */
void finding_init(struct finding *f, const char *id);
void finding_free(struct finding *f);
enum status finding_copy(struct finding *dst, const struct finding *src) MUST_CHECK;
/* Arguments are cut at FINDING_ARG_TEXT_MAX; a failure to store one leaves it out. A name that was given
   before gets the new value. A NUL in a span becomes the four characters \x00. */
void finding_arg(struct finding *f, const char *name, const char *value);
void finding_arg_span(struct finding *f, const char *name, const char *p, size_t len);
void finding_argf(struct finding *f, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A word that is marked with N_(): JSON has it in English, people read it in their language. */
void finding_arg_word(struct finding *f, const char *name, const char *word);
const char *finding_arg_get(const struct finding *f, const char *name); /* NULL when absent */
void finding_evidence(struct finding *f, uint32_t line);                /* 0 is ignored */

#endif
