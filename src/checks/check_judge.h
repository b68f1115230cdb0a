/*
 * check_judge: what a reply means to a step, for the step itself and for the same command typed by
 * hand. Each reports under the context's current check.
 *
 * Threads: the engine's. Ownership: none.
 */
#ifndef SMTPSCOPE_CHECK_JUDGE_H
#define SMTPSCOPE_CHECK_JUDGE_H

#include "check.h"

/* EHLO, HELO or LHLO with this name was refused. */
enum verdict judge_hello(struct check_context *c, const struct reply *r, const char *name);
/* STARTTLS was refused. */
enum verdict judge_starttls(struct check_context *c, const struct reply *r);
/* Bytes came in clear behind the 220 to STARTTLS. */
enum verdict judge_injected(struct check_context *c, const struct reply *r, size_t count,
                            const char *text, size_t len);
/* TLS is up, as the line says. */
enum verdict judge_encrypted(struct check_context *c, const char *id, uint32_t line);
/* The certificate in the path's facts. */
enum verdict judge_certificate(struct check_context *c);
/* The end of a login, 235 or not. user and mech may be NULL: not known. */
enum verdict judge_login(struct check_context *c, const char *user, const char *mech, bool token,
                         const struct reply *r);

enum mail_stage { MAIL_STAGE_MAIL, MAIL_STAGE_RCPT, MAIL_STAGE_DATA, MAIL_STAGE_CHUNK, MAIL_STAGE_END };

/* The mail that a reply is about. NULL and 0 where it is not known. */
struct mail_subject {
    const char *sender, *recipient, *message_id;
    size_t size;
};

/* A reply that was no success. */
enum verdict judge_mail_refused(struct check_context *c, enum mail_stage stage,
                                const struct reply *r, const struct mail_subject *m);
/* The message was taken. */
enum verdict judge_mail_accepted(struct check_context *c, const struct reply *r,
                                 const struct mail_subject *m);

#endif
