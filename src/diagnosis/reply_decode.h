/*
 * reply_decode: from what a mail server answered to the cause, who can fix it, and how sure that is.
 *
 * What is known of replies is data: assets/replies.txt, which is compiled into const tables when the
 * program is built (tool/replies_compile.c; the format and the order in which rules win are described
 * at the top of that file). The texts for people are in the guide, one entry a cause
 * (assets/guide/en-replies.txt); a test ties both together.
 *
 * The same code means different things at different vendors and in different stages (5.7.30 is
 * "REQUIRETLS" in the registry, "DKIM failed" at Google, "basic authentication is off" at Microsoft),
 * so both belong to the question. Mail addresses in the text are left out, because local parts may
 * read like refusals ("user-unknown@example.com").
 *
 * Threads: pure; the tables are const. Ownership: none; results point into the tables.
 */
#ifndef SMTPSCOPE_REPLY_DECODE_H
#define SMTPSCOPE_REPLY_DECODE_H

#include "finding.h"

#define REPLY_DECODE_TEXT_MAX 2048 /* of the text that is looked at; the gist stands in front */

/* What the reply answered. Data is the answer to DATA, dot the one to the message itself. */
#define REPLY_STAGE_LIST(X)                                                                        \
    X(STAGE_UNKNOWN, "")                                                                           \
    X(STAGE_DNS, "dns")                                                                            \
    X(STAGE_CONNECT, "connect")                                                                    \
    X(STAGE_BANNER, "banner")                                                                      \
    X(STAGE_EHLO, "ehlo")                                                                          \
    X(STAGE_STARTTLS, "starttls")                                                                  \
    X(STAGE_TLS, "tls")                                                                            \
    X(STAGE_AUTH, "auth")                                                                          \
    X(STAGE_MAIL, "mail")                                                                          \
    X(STAGE_RCPT, "rcpt")                                                                          \
    X(STAGE_DATA, "data")                                                                          \
    X(STAGE_DOT, "dot")                                                                            \
    X(STAGE_QUIT, "quit")

enum reply_stage {
#define X(id, name) id,
    REPLY_STAGE_LIST(X)
#undef X
};
const char *reply_stage_name(enum reply_stage stage);
/* In any case; HELO and EHLO2 are "ehlo", TCP is "connect", BDAT is "dot". STAGE_UNKNOWN for what is
 * none. */
enum reply_stage reply_stage_find(const char *name);

/* Who speaks: a service ("google") or a program ("postfix"). */
struct reply_vendor {
    const char *id;   /* "google" */
    const char *name; /* "Google"; not translated */
};
const struct reply_vendor *reply_vendor_find(const char *id); /* NULL when unknown */

/* Why a server answered like that. */
struct reply_cause {
    const char *id; /* "reply.google.unauthenticated": also the name of its entry in the guide */
    enum reply_class class; /* CLASS_NONE: no refusal */
    enum who who;
    const char *reference; /* "RFC 7208, section 8.4"; untranslated; "" for none */
};
extern const struct reply_cause reply_causes[];
extern const size_t reply_cause_count;
const struct reply_cause *reply_cause_find(const char *id); /* NULL when unknown */
/* The cause of which no more is known than its class ("reply.class.greylisted"). NULL for CLASS_NONE.
 */
const struct reply_cause *reply_cause_of_class(enum reply_class class);

/* All but the text may be missing: NULL, "", {NULL, 0}, 0, STAGE_UNKNOWN. */
struct reply_question {
    const struct reply_vendor *vendor; /* where it is known for certain; else the marks below tell */
    struct span banner;                /* the greeting */
    struct span ehlo;                  /* the first line of the answer to EHLO */
    const char *host, *ptr;            /* name of the mail host, and of its address */
    enum reply_stage stage;
    int code;             /* 200..599; 0: no SMTP reply but the words of a sending program */
    const char *enhanced; /* "5.7.1" */
    struct span text;     /* all lines, with or without their codes */
};

struct reply_verdict {
    const struct reply_cause *cause; /* NULL: nothing can be said, or there is nothing to explain */
    enum confidence confidence;
    enum reply_basis basis;            /* what spoke */
    const struct reply_vendor *vendor; /* who it seems to be; NULL: unknown */
    bool vendor_spoke;                 /* the rule is this vendor's own */
    unsigned rule;                     /* its line in assets/replies.txt; 0: none */
    bool digits_disagree; /* basic and enhanced code differ in class; the basic code counts */
};

struct reply_verdict reply_decode(const struct reply_question *question);
/* Who speaks, from the marks in the question alone; NULL when there are none. */
const struct reply_vendor *reply_vendor_of(const struct reply_question *question);

/*
 * Puts class, cause and basis into the finding. With `decides` the cause also says who can fix it,
 * and the finding is not surer than the rule.
 */
void finding_explain(struct finding *f, const struct reply_verdict *verdict, bool decides);

/* Who can change what this class names; WHO_NOBODY when the class alone does not say. */
enum who reply_class_who(enum reply_class class);
/* True when the refusal speaks of the sending host (its address, name or conduct), not of a
 * mailbox. */
bool reply_class_about_client(enum reply_class class);

#endif
