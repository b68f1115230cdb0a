#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_login.h"
#include "check_session.h"
#include "check_tools.h"
#include "compose.h"
#include "control.h"
#include "queue_id.h"
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

static const enum smtp_wait step_waits[STEPS] = {WAIT_MAIL, WAIT_RCPT, WAIT_DATA};
static const int step_good[STEPS] = {2, 2, 3};

static enum status envelope_together(struct check_context *c, struct mail *m, size_t *done)
{
    struct smtp_step steps[STEPS];
    for (size_t i = 0; i < STEPS; i++) {
        steps[i] = (struct smtp_step){.wait = step_waits[i], .command = m->commands[i]};
    }
    return smtp_pipeline(&c->smtp, steps, STEPS, m->replies, done);
}

/* A refusal ends it before the next command. */
static enum status envelope_in_turn(struct check_context *c, struct mail *m, size_t *done)
{
    enum status st = ST_OK;
    for (*done = 0; *done < STEPS; (*done)++) {
        struct reply *r = &m->replies[*done];
        st = smtp_command(&c->smtp, step_waits[*done], r, "%s", m->commands[*done]);
        if (st != ST_OK || r->code / 100 != step_good[*done]) {
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
    if (!caps_has(&c->smtp.caps, CAP_PIPELINING)) {
        return envelope_in_turn(c, m, done);
    }
    enum status together = envelope_together(c, m, done);
    if (together == ST_OK) {
        return ST_OK;
    }
    enum status st = control_ungroup(c, together, m->replies, STEPS);
    if (st != ST_OK) {
        return st == ST_CANCELLED || st == ST_NOMEM ? st : together;
    }
    if (log_in_again(c) != VERDICT_OK) {
        return together;
    }
    for (size_t i = 0; i < STEPS; i++) {
        reply_reset(&m->replies[i]);
    }
    st = envelope_in_turn(c, m, done);
    if (st == ST_OK) {
        *odd = control_group_broken(c, together);
    }
    return st;
}

static enum verdict report(struct check_context *c, const char *id, const struct mail *m,
                           const struct reply *r, const char *address)
{
    struct finding f;
    finding_init(&f, id);
    check_add_refusal(c, &f, r);
    if (strcmp(id, "smtp.send.greylisted") == 0) {
        f.who = WHO_NOBODY;
        f.class = CLASS_GREYLISTED;
    }
    finding_arg(&f, "address", address[0] != '\0' ? address : "<>");
    finding_argf(&f, "size", "%zu", m->text.len);
    if (c->smtp.caps.has_size && c->smtp.caps.size > 0) {
        finding_argf(&f, "limit", "%" PRIu64, c->smtp.caps.size);
    } else {
        finding_arg(&f, "limit", "-");
    }
    return check_report(c, &f);
}

/* Not all servers use 530 for it. */
static bool wants_login(const struct reply_verdict *why)
{
    return why->cause != NULL && strcmp(why->cause->id, "reply.auth.required") == 0;
}

/* What any command may be refused for; NULL when it is this command's own matter. */
static const char *common_id(const struct reply *r, const struct reply_verdict *why)
{
    enum reply_class class = why->cause != NULL ? why->cause->class : CLASS_NONE;
    if (check_wants_tls(why)) {
        return "smtp.send.tls_required";
    }
    if (r->code == 530 || wants_login(why)) {
        return "smtp.send.auth_required";
    }
    if (class == CLASS_TOO_BIG) {
        return "smtp.send.too_big";
    }
    if (class == CLASS_GREYLISTED) {
        return "smtp.send.greylisted";
    }
    /* Postfix and others answer relaying with 454 while their tables are out of order. */
    if (r->code / 100 == 4 && class != CLASS_RELAY_DENIED) {
        return "smtp.send.deferred";
    }
    bool guessed = why->confidence == CONFIDENCE_GUESS;
    return !guessed && check_about_us(r, why) ? "smtp.send.blocked" : NULL;
}

static enum verdict judge_refused(struct check_context *c, const struct mail *m, size_t step)
{
    const struct reply *r = &m->replies[step];
    enum verdict v;
    if (check_shutdown(c, r, &v)) {
        return v;
    }
    struct reply_verdict why = check_decode(c, r);
    enum reply_class class = why.cause != NULL ? why.cause->class : CLASS_NONE;
    const char *id = common_id(r, &why);
    const char *address = step == 0 ? m->sender : m->recipient;
    if (id == NULL && step == 0) {
        id = "smtp.send.sender_refused";
    } else if (id == NULL && step == 1 && class == CLASS_RELAY_DENIED) {
        id = "smtp.send.relay_denied";
    } else if (id == NULL && step == 1 &&
               (class == CLASS_SENDER_REJECTED || class == CLASS_SENDER_AUTHENTICATION)) {
        id = "smtp.send.sender_refused";
        address = m->sender;
    } else if (id == NULL) {
        id = step == 1 ? "smtp.send.recipient_refused" : "smtp.send.data_refused";
    }
    return report(c, id, m, r, address);
}

static enum verdict accepted(struct check_context *c, struct mail *m)
{
    struct finding f;
    struct buf text;
    char id[QUEUE_ID_MAX];
    buf_init(&text, REPLY_TEXT_MAX);
    enum status st = reply_join(&m->end, &text);
    if (st == ST_OK && queue_id_find((struct span){buf_str(&text), text.len}, id)) {
        st = str_set(&c->facts.queue_id, id);
    }
    buf_free(&text);
    if (st == ST_OK) {
        st = str_set(&c->facts.message_id, buf_str(&m->message_id));
    }
    if (st != ST_OK) {
        return check_internal(c, st, NULL);
    }
    finding_init(&f, "smtp.send.ok");
    check_add_reply(c, &f, &m->end);
    finding_arg(&f, "queue_id", c->facts.queue_id != NULL ? c->facts.queue_id : "-");
    finding_arg(&f, "recipient", m->recipient);
    finding_arg(&f, "message_id", buf_str(&m->message_id));
    return check_report(c, &f);
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
    finding_argf(&f, "size", "%zu", m->text.len);
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
        return st == ST_TIMEOUT ? no_answer(c, m, start) : unsure(c, st);
    }
    enum verdict odd = check_oddities(c, &m->end);
    enum verdict v;
    if (m->end.code / 100 == 2) {
        return verdict_worse(odd, accepted(c, m));
    }
    if (check_shutdown(c, &m->end, &v)) {
        return v;
    }
    struct reply_verdict why = check_decode(c, &m->end);
    const char *id = common_id(&m->end, &why);
    v = report(c, id != NULL ? id : "smtp.send.content_refused", m, &m->end, m->recipient);
    return verdict_worse(odd, v);
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
    size_t done = 0;
    enum verdict odd = VERDICT_OK;
    int64_t start = net_now_us(c->net);
    write_commands(c, m);
    enum status st = envelope(c, m, &done, &odd);
    check_timed(c, TIMING_ENVELOPE, start);
    for (size_t i = 0; i < STEPS; i++) {
        const struct reply *r = &m->replies[i];
        if (i >= done && !check_replied(st, r)) {
            return verdict_worse(odd, check_broken(c, st, step_waits[i], r));
        }
        odd = verdict_worse(odd, check_oddities(c, r));
        if (r->code / 100 != step_good[i]) {
            enum verdict v = judge_refused(c, m, i);
            take_back(c);
            return verdict_worse(odd, v);
        }
    }
    return verdict_worse(odd, st == ST_OK ? send_text(c, m) : check_broken(c, st, WAIT_DATA, NULL));
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
