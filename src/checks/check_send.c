#include <stdlib.h>
#include <string.h>

#include "check_judge.h"
#include "check_login.h"
#include "check_session.h"
#include "check_tools.h"
#include "control.h"
#include "mail_build.h"
#include "text.h"

#define STEPS 3

struct mail {
    struct mail_draft draft;
    size_t steps;                /* MAIL, RCPT and, unless there are chunks, DATA */
    struct reply replies[STEPS];
    struct reply end;
};

static const enum smtp_wait waits[STEPS] = {WAIT_MAIL, WAIT_RCPT, WAIT_DATA};
static const int good_class[STEPS] = {2, 2, 3};

/* A connection that was opened again is nobody's; what is sent next may need the login. */
static enum verdict log_in_again(struct check_context *c)
{
    struct reply reply;
    struct error error = {0};
    enum verdict v = VERDICT_OK;
    if (!c->facts.authenticated || c->smtp.authenticated || !secret_is_set(&c->plan->password)) {
        return VERDICT_OK;
    }
    enum sasl_mech mech = login_mech(c);
    if (mech == MECH_NONE || !login_is_allowed(c, mech)) {
        return VERDICT_OK;
    }
    check_note(c, _("The connection is new: logging in again, as before"));
    reply_init(&reply);
    enum status st = login_run(c, mech, &reply, &error);
    if (st != ST_OK && st != ST_PROTO) {
        v = check_broken(c, st, WAIT_AUTH, &reply);
    }
    reply_free(&reply);
    return v;
}

static void commands_of(const struct mail *m, struct smtp_step steps[STEPS])
{
    const char *const commands[STEPS] = {m->draft.commands[0], m->draft.commands[1], "DATA"};
    for (size_t i = 0; i < STEPS; i++) {
        steps[i] = (struct smtp_step){.wait = waits[i], .command = commands[i]};
    }
}

/* A refusal ends it before the next command. */
static enum status envelope_in_turn(struct check_context *c, struct mail *m, size_t *done)
{
    struct smtp_step steps[STEPS];
    enum status st = ST_OK;
    commands_of(m, steps);
    for (*done = 0; *done < m->steps; (*done)++) {
        struct reply *r = &m->replies[*done];
        st = smtp_command(&c->smtp, waits[*done], r, "%s", steps[*done].command);
        if (st != ST_OK || r->code / 100 != good_class[*done]) {
            *done += st == ST_OK ? 1 : 0;
            break;
        }
    }
    return st;
}

/* In one flight where that is offered, and one by one where something on the way does not bear it:
   up to the 354 no server has taken anything. */
static enum status envelope(struct check_context *c, struct mail *m, size_t *done,
                            enum verdict *odd)
{
    struct smtp_step steps[STEPS];
    if (!caps_has(&c->smtp.caps, CAP_PIPELINING)) {
        return envelope_in_turn(c, m, done);
    }
    commands_of(m, steps);
    enum status together = smtp_pipeline(&c->smtp, steps, m->steps, m->replies, done);
    if (together == ST_OK) {
        return ST_OK;
    }
    enum status st = control_ungroup(c, together, m->replies, m->steps);
    if (st != ST_OK) {
        return st == ST_CANCELLED || st == ST_NOMEM ? st : together;
    }
    if (log_in_again(c) != VERDICT_OK) {
        return together;
    }
    for (size_t i = 0; i < m->steps; i++) {
        reply_reset(&m->replies[i]);
    }
    st = envelope_in_turn(c, m, done);
    if (st == ST_OK) {
        *odd = control_group_broken(c, together);
    }
    return st;
}

static struct mail_subject subject_of(const struct mail *m)
{
    const struct buf *id = &m->draft.message_id;
    return (struct mail_subject){.sender = m->draft.sender,
                                 .recipient = m->draft.recipient,
                                 .message_id = id->len > 0 ? buf_str(id) : NULL,
                                 .size = m->draft.octets};
}

/* RFC 5321 4.5.3.2.6, RFC 1047: after the dot a broken link leaves it open who has the message. */
static enum verdict unsure(struct check_context *c, enum status st)
{
    struct finding f;
    finding_init(&f, "smtp.send.unsure");
    finding_arg_word(&f, "detail", status_name(st));
    finding_evidence(&f, c->smtp.last_client_line);
    return check_report(c, &f);
}

/* A filter that thinks long, or a way on which large packets get lost (RFC 2923 2.1). */
static enum verdict no_answer(struct check_context *c, const struct mail *m, int64_t start_us)
{
    struct finding f;
    finding_init(&f, "smtp.send.no_answer");
    finding_argf(&f, "seconds", "%d", (int)((net_now_us(c->net) - start_us) / US_PER_S));
    finding_argf(&f, "size", "%zu", m->draft.octets);
    finding_evidence(&f, c->smtp.last_client_line);
    return check_report(c, &f);
}

static bool by_chunks(const struct mail *m)
{
    return m->steps < STEPS;
}

static enum status send_message(struct check_context *c, struct mail *m)
{
    const struct mail_draft *d = &m->draft;
    return by_chunks(m) ? smtp_bdat(&c->smtp, d->text.p, d->text.len, c->plan->chunk, d->binary,
                                    &m->end)
                        : smtp_send_text(&c->smtp, d->text.p, d->text.len, &m->end);
}

static enum verdict send_text(struct check_context *c, struct mail *m)
{
    int64_t start = net_now_us(c->net);
    enum status st = send_message(c, m);
    check_timed(c, TIMING_DATA, start);
    if (st == ST_CANCELLED || st == ST_NOMEM || st == ST_INVALID) {
        /* Without its dot no server takes the message for whole (RFC 5321 4.1.1.4). */
        if (c->smtp.state == SMTP_TEXT) {
            smtp_close(&c->smtp, st);
        }
        return check_gave_up(c, st, NULL);
    }
    if (!check_replied(st, &m->end)) {
        return st == ST_TIMEOUT ? no_answer(c, m, start) : unsure(c, st);
    }
    enum verdict odd = check_oddities(c, &m->end);
    const struct mail_subject subject = subject_of(m);
    if (m->end.code / 100 == 2) {
        return verdict_worse(odd, judge_mail_accepted(c, &m->end, &subject));
    }
    enum mail_stage stage = by_chunks(m) ? MAIL_STAGE_CHUNK : MAIL_STAGE_END;
    return verdict_worse(odd, judge_mail_refused(c, stage, &m->end, &subject));
}

static void take_back(struct check_context *c)
{
    struct reply reply;
    /* A server that wants text for a message that has no recipient gets none. */
    if (c->smtp.state == SMTP_TEXT) {
        smtp_close(&c->smtp, ST_OK);
        return;
    }
    if (c->smtp.state != SMTP_MAIL && c->smtp.state != SMTP_RCPT) {
        return;
    }
    reply_init(&reply);
    enum status st = smtp_command(&c->smtp, WAIT_OTHER, &reply, "RSET");
    (void)st; /* the refusal is the result */
    reply_free(&reply);
}

/* BDAT where it was wished for and is offered. */
static void choose_way(struct check_context *c, struct mail *m)
{
    bool offered = caps_has(&c->smtp.caps, CAP_CHUNKING);
    m->steps = c->plan->chunk > 0 && offered ? STEPS - 1 : STEPS;
    if (c->plan->chunk > 0 && !offered) {
        check_note(c, _("The server does not offer CHUNKING, so the message goes by DATA"));
        m->draft.binary = false;
    }
}

static enum verdict deliver(struct check_context *c, struct mail *m)
{
    static const enum mail_stage stages[STEPS] = {MAIL_STAGE_MAIL, MAIL_STAGE_RCPT, MAIL_STAGE_DATA};
    size_t done = 0;
    enum verdict odd = VERDICT_OK;
    choose_way(c, m);
    enum status st = mail_draft_commands(c, &m->draft);
    if (st != ST_OK) {
        return check_internal(c, st, NULL);
    }
    int64_t start = net_now_us(c->net);
    st = envelope(c, m, &done, &odd);
    check_timed(c, TIMING_ENVELOPE, start);
    for (size_t i = 0; i < m->steps; i++) {
        const struct reply *r = &m->replies[i];
        if (i >= done && !check_replied(st, r)) {
            return verdict_worse(odd, check_broken(c, st, waits[i], r));
        }
        odd = verdict_worse(odd, check_oddities(c, r));
        if (r->code / 100 != good_class[i]) {
            const struct mail_subject subject = subject_of(m);
            enum verdict v = judge_mail_refused(c, stages[i], r, &subject);
            take_back(c);
            return verdict_worse(odd, v);
        }
    }
    enum verdict v = st == ST_OK ? send_text(c, m) : check_broken(c, st, WAIT_DATA, NULL);
    take_back(c);
    return verdict_worse(odd, v);
}

static enum verdict needs_utf8(struct check_context *c, const struct mail_draft *d)
{
    struct finding f;
    bool recipient = false;
    for (const char *p = d->recipient; *p != '\0'; p++) {
        recipient = recipient || (unsigned char)*p >= 0x80;
    }
    finding_init(&f, "smtp.send.recipient_refused");
    finding_arg(&f, "address", recipient ? d->recipient : d->sender);
    finding_arg(&f, "code", "-");
    finding_arg(&f, "text", _("The address is not ASCII and the server does not offer SMTPUTF8"));
    finding_evidence(&f, c->smtp.last_client_line);
    return check_report(c, &f);
}

static enum verdict prepare_and_deliver(struct check_context *c, struct mail *m)
{
    struct error error = {0};
    enum status st = mail_draft_write(c, &m->draft, &error);
    if (st != ST_OK) {
        return check_internal(c, st, error.text);
    }
    /* RFC 6531 3.1: without the extension such an address cannot be said at all. */
    if (m->draft.utf8 && !caps_has(&c->smtp.caps, CAP_SMTPUTF8)) {
        return needs_utf8(c, &m->draft);
    }
    return deliver(c, m);
}

enum verdict check_run_send(struct check_context *c)
{
    struct error error = {0};
    if (c->plan->read_only) {
        return check_skipped(c, "--read-only");
    }
    if (!c->plan->send_consent || c->plan->to == NULL) {
        return check_report_plain(c, "check.needs_consent");
    }
    enum status st = session_ready(c, &error);
    if (st != ST_OK) {
        return check_not_reopened(c, st, &error);
    }
    enum verdict v = log_in_again(c);
    if (v != VERDICT_OK) {
        return v;
    }
    struct mail *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return check_internal(c, ST_NOMEM, NULL);
    }
    mail_draft_init(&m->draft);
    for (size_t i = 0; i < STEPS; i++) {
        reply_init(&m->replies[i]);
    }
    reply_init(&m->end);
    v = prepare_and_deliver(c, m);
    check_facts_changed(c);
    for (size_t i = 0; i < STEPS; i++) {
        reply_free(&m->replies[i]);
    }
    reply_free(&m->end);
    mail_draft_free(&m->draft);
    free(m);
    return v;
}
