/*
 * check_tools: what the files of the single checks share. Nothing outside this room includes it.
 *
 * Threads: the engine's. Ownership: as in check.h.
 */
#ifndef SMTPSCOPE_CHECK_TOOLS_H
#define SMTPSCOPE_CHECK_TOOLS_H

#include "check.h"
#include "reply_decode.h"

/* In reply_flags_told, beside the flags of reply.h. */
#define REPLY_UNASKED 0x80000000u
#define REPLY_SLOW 0x40000000u

enum verdict check_run_dns_mx(struct check_context *c);
enum verdict check_run_dns_address(struct check_context *c);
enum verdict check_run_self_address(struct check_context *c);
enum verdict check_run_self_ptr(struct check_context *c);
enum verdict check_run_connect(struct check_context *c);
enum verdict check_run_banner(struct check_context *c);
enum verdict check_run_ehlo(struct check_context *c);
enum verdict check_run_starttls(struct check_context *c);
enum verdict check_run_certificate(struct check_context *c);
enum verdict check_run_relay(struct check_context *c);
enum verdict check_run_auth(struct check_context *c);
enum verdict check_run_send(struct check_context *c);

/* check_report under the name of another check, whose result it may worsen. */
enum verdict check_report_for(struct check_context *c, enum check_id id, struct finding *f);
/* A finding without arguments. */
enum verdict check_report_plain(struct check_context *c, const char *id);
/* Because the named thing ("smtp.auth", "--read-only") says so. */
enum verdict check_skipped(struct check_context *c, const char *because);
enum verdict check_stopped(struct check_context *c);
enum verdict check_internal(struct check_context *c, enum status status, const char *detail);
/* Maps ST_CANCELLED to stopped, the rest to internal. */
enum verdict check_gave_up(struct check_context *c, enum status status, const char *detail);
/* Opening the connection again did not work; nothing is known about what the check wanted to know.
 */
enum verdict check_not_reopened(struct check_context *c, enum status status,
                                const struct error *error);

/* What the reply says to the decoder: its words, what it answers, and who spoke on this path. */
struct reply_verdict check_decode(const struct check_context *c, const struct reply *reply);
enum reply_class check_class(const struct check_context *c, const struct reply *reply);
/* The refusal is about the channel: what was refused may be said again once it is encrypted. */
bool check_wants_tls(const struct reply_verdict *verdict);
/*
 * The refusal is about the sending host, or about the server's own trouble for good: no other mailbox
 * would get another answer.
 */
bool check_about_us(const struct reply *reply, const struct reply_verdict *verdict);
/* The arguments `code` and `text`, class and cause, and the lines of command and reply as evidence.
 */
void check_add_reply(const struct check_context *c, struct finding *f, const struct reply *reply);
/* The same, and the cause decides who can fix it and how sure we are (finding_explain). */
void check_add_refusal(const struct check_context *c, struct finding *f, const struct reply *reply);
/* A finding that rests on one refusal. */
enum verdict check_refused(struct check_context *c, const char *id, const struct reply *reply);
/* True when the reply can be judged: it is complete, or the link dropped right behind a refusal. */
bool check_replied(enum status status, const struct reply *reply);
/* 421 (RFC 5321 3.8): the server is going away, whatever was asked. Closes, reports and returns
 * true. */
bool check_shutdown(struct check_context *c, const struct reply *reply, enum verdict *verdict);
/* True the first time in a run, and again when the check that was told so runs once more. */
bool check_once(struct check_context *c, unsigned flag);
/* Reports how the reply violates the protocol, each way once a run; returns the worst verdict. */
enum verdict check_oddities(struct check_context *c, const struct reply *reply);

void check_facts_changed(struct check_context *c);
/* A span of the path's, or of the domain's, that ends now. start_us is of the network's clock. */
void check_timed(struct check_context *c, enum timing t, int64_t start_us);
void check_timed_domain(struct check_context *c, enum timing t, int64_t start_us);
/* Appends to a list in a finding's argument: a comma before each but the first. Never fails. */
void check_list(struct buf *list, const char *item);

/* DNS with the wait told to the screen, and the answers to the record. */
enum status check_ask_all(struct check_context *c, struct dns_question *questions,
                          size_t count) MUST_CHECK;
/* What came back, for the record; direct: from a server that is not in the configuration. */
void check_tell_answer(struct check_context *c, const struct dns_question *q, bool direct);
/* "MX of example.com: answered by 192.0.2.53 in 12 ms" or why not. */
uint32_t check_note_answer(struct check_context *c, const char *name, uint16_t type,
                           const struct dns_answer *answer);
/* The server that answered, or was asked last, for the argument `server`. */
void check_add_server(struct finding *f, const struct dns_answer *answer);

#endif
