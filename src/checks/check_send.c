#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_judge.h"
#include "check_login.h"
#include "check_session.h"
#include "check_tools.h"
#include "compose.h"
#include "text.h"

#define MESSAGE_MAX (1u << 20)
#define STEPS 3
#define SENDER_MAX 320

struct mail {
    char sender[SENDER_MAX];
    const char *recipient;
    struct buf text, message_id;
    bool eight_bit, utf8;
    struct reply replies[STEPS]; /* MAIL, RCPT, DATA */
    struct reply end;
    char commands[STEPS][SMTP_COMMAND_MAX];
};

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Who is logged in may send as himself; else the name that we gave has to serve. */
static void choose_sender(const struct check_context *c, struct mail *m)
{
    struct error unused;
    const char *user = c->plan->auth_user;
    if (c->plan->from != NULL) {
        str_copy(m->sender, sizeof(m->sender), c->plan->from);
    } else if (c->smtp.authenticated && user != NULL && strchr(user, '@') != NULL &&
               address_check(user, false, true, &unused) == ST_OK) {
        str_copy(m->sender, sizeof(m->sender), user);
    } else {
        snprintf(m->sender, sizeof(m->sender), "postmaster@%s", c->ehlo_name);
    }
}

static enum status build(struct check_context *c, struct mail *m, struct error *error)
{
    char run_id[32];
    uint64_t random;
    net_random(c->net, &random, sizeof(random));
    snprintf(run_id, sizeof(run_id), "%016" PRIx64, random);
    net_random(c->net, &random, sizeof(random));
    choose_sender(c, m);
    m->recipient = c->plan->to;
    m->utf8 = !is_ascii(m->sender) || !is_ascii(m->recipient);
    const struct compose_message message = {
        .from = m->sender,
        .to = m->recipient,
        .subject = c->plan->subject != NULL ? c->plan->subject : _("Test mail from smtpscope"),
        .helo = c->ehlo_name,
        .run_id = run_id,
        .wall_us = net_wall_us(c->net),
        .random = random,
    };
    return compose_build(&message, &m->text, &m->message_id, &m->eight_bit, error);
}

/* Parameters only where the server offered them (RFC 5321 4.1.1.11). */
static void write_commands(struct check_context *c, struct mail *m)
{
    const struct caps *caps = &c->smtp.caps;
    char *mail = m->commands[0];
    int n = snprintf(mail, SMTP_COMMAND_MAX, "MAIL FROM:<%s>", m->sender);
    if (caps_has(caps, CAP_SIZE)) {
        /* RFC 1870 3: counted without the dots that are doubled on the wire. */
        n += snprintf(mail + n, SMTP_COMMAND_MAX - (size_t)n, " SIZE=%zu", m->text.len);
    }
    if (m->eight_bit && caps_has(caps, CAP_8BITMIME)) {
        n += snprintf(mail + n, SMTP_COMMAND_MAX - (size_t)n, " BODY=8BITMIME");
    }
    if (m->utf8 && caps_has(caps, CAP_SMTPUTF8)) {
        snprintf(mail + n, SMTP_COMMAND_MAX - (size_t)n, " SMTPUTF8");
    }
    snprintf(m->commands[1], SMTP_COMMAND_MAX, "RCPT TO:<%s>", m->recipient);
    snprintf(m->commands[2], SMTP_COMMAND_MAX, "DATA");
}

/* In one flight where that is offered; else a refusal ends it before the next command. */
static enum status envelope(struct check_context *c, struct mail *m, size_t *done)
{
    static const enum smtp_wait waits[STEPS] = {WAIT_MAIL, WAIT_RCPT, WAIT_DATA};
    static const int good[STEPS] = {2, 2, 3};
    struct smtp_step steps[STEPS];
    enum status st = ST_OK;
    for (size_t i = 0; i < STEPS; i++) {
        steps[i] = (struct smtp_step){.wait = waits[i], .command = m->commands[i]};
    }
    if (caps_has(&c->smtp.caps, CAP_PIPELINING)) {
        return smtp_pipeline(&c->smtp, steps, STEPS, m->replies, done);
    }
    for (*done = 0; *done < STEPS; (*done)++) {
        struct reply *r = &m->replies[*done];
        st = smtp_command(&c->smtp, waits[*done], r, "%s", m->commands[*done]);
        if (st != ST_OK || r->code / 100 != good[*done]) {
            *done += st == ST_OK ? 1 : 0;
            break;
        }
    }
    return st;
}

static struct mail_subject subject_of(const struct mail *m)
{
    return (struct mail_subject){.sender = m->sender,
                                 .recipient = m->recipient,
                                 .message_id = buf_str(&m->message_id),
                                 .size = m->text.len};
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

static enum verdict send_text(struct check_context *c, struct mail *m)
{
    int64_t start = net_now_us(c->net);
    enum status st = smtp_send_text(&c->smtp, buf_str(&m->text), m->text.len, &m->end);
    check_timed(c, TIMING_DATA, start);
    if (st == ST_CANCELLED || st == ST_NOMEM || st == ST_INVALID) {
        /* Without its dot no server takes the message for whole (RFC 5321 4.1.1.4). */
        if (c->smtp.state == SMTP_TEXT) {
            smtp_close(&c->smtp, st);
        }
        return check_gave_up(c, st, NULL);
    }
    if (!check_replied(st, &m->end)) {
        return unsure(c, st);
    }
    enum verdict odd = check_oddities(c, &m->end);
    const struct mail_subject subject = subject_of(m);
    return verdict_worse(odd, m->end.code / 100 == 2
                                  ? judge_mail_accepted(c, &m->end, &subject)
                                  : judge_mail_refused(c, STAGE_END, &m->end, &subject));
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

static enum verdict deliver(struct check_context *c, struct mail *m)
{
    static const int good[STEPS] = {2, 2, 3};
    static const enum smtp_wait waits[STEPS] = {WAIT_MAIL, WAIT_RCPT, WAIT_DATA};
    static const enum mail_stage stages[STEPS] = {STAGE_MAIL, STAGE_RCPT, STAGE_DATA};
    size_t done = 0;
    enum verdict odd = VERDICT_OK;
    int64_t start = net_now_us(c->net);
    write_commands(c, m);
    enum status st = envelope(c, m, &done);
    check_timed(c, TIMING_ENVELOPE, start);
    for (size_t i = 0; i < STEPS; i++) {
        const struct reply *r = &m->replies[i];
        if (i >= done && !check_replied(st, r)) {
            return check_broken(c, st, waits[i], r);
        }
        odd = verdict_worse(odd, check_oddities(c, r));
        if (r->code / 100 != good[i]) {
            const struct mail_subject subject = subject_of(m);
            enum verdict v = judge_mail_refused(c, stages[i], r, &subject);
            take_back(c);
            return verdict_worse(odd, v);
        }
    }
    return verdict_worse(odd, st == ST_OK ? send_text(c, m) : check_broken(c, st, WAIT_DATA, NULL));
}

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

static enum verdict needs_utf8(struct check_context *c, const struct mail *m)
{
    struct finding f;
    finding_init(&f, "smtp.send.recipient_refused");
    finding_arg(&f, "address", is_ascii(m->recipient) ? m->sender : m->recipient);
    finding_arg(&f, "code", "-");
    finding_arg(&f, "text", _("The address is not ASCII and the server does not offer SMTPUTF8"));
    finding_evidence(&f, c->smtp.last_client_line);
    return check_report(c, &f);
}

static enum verdict prepare_and_deliver(struct check_context *c, struct mail *m)
{
    struct error error = {0};
    enum status st = build(c, m, &error);
    if (st != ST_OK) {
        return check_internal(c, st, error.text);
    }
    /* RFC 6531 3.1: without the extension such an address cannot be said at all. */
    if (m->utf8 && !caps_has(&c->smtp.caps, CAP_SMTPUTF8)) {
        return needs_utf8(c, m);
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
    buf_init(&m->text, MESSAGE_MAX);
    buf_init(&m->message_id, ADDRESS_MAX * 2);
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
    buf_free(&m->text);
    buf_free(&m->message_id);
    free(m);
    return v;
}
