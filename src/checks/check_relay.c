#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_session.h"
#include "check_tools.h"
#include "control.h"
#include "compose.h"
#include "text.h"

/*
 * The relay test asks with MAIL and RCPT and takes everything back with RSET. The verb that would
 * let a message follow is not in this file.
 */

#define LOCAL_PART "relay-check"
#define ADDRESS_TEXT_MAX                                                                           \
    640 /* two names at their longest; what is too long the server will say                        \
         */
#define COMMAND_MAX (ADDRESS_TEXT_MAX + 32)
#define STEPS_PER_FORM 3
#define FORMS_MAX 4
#define STEPS_MAX (FORMS_MAX * STEPS_PER_FORM + 1)

/* Nobody's mailboxes (RFC 2606 3). The first that is neither theirs nor ours is taken. */
static const char *const foreign_domains[] = {"example.org", "example.net", "example.com"};

/* Ways to write a foreign recipient; the last two are for servers that still follow old routes. */
enum form_kind { FORM_PLAIN, FORM_PERCENT, FORM_QUOTED, FORM_COUNT };

struct form {
    char recipient[ADDRESS_TEXT_MAX];
    struct reply *mail, *rcpt;
    bool asked; /* both replies can be judged, or MAIL alone when it was refused */
};

struct test {
    char sender[ADDRESS_TEXT_MAX];
    struct form forms[FORM_COUNT];
    struct reply replies[STEPS_MAX];
    char commands[STEPS_MAX][COMMAND_MAX];
    struct smtp_step steps[STEPS_MAX];
    size_t step_count, done;
};

static bool belongs_to(const char *name, const char *domain)
{
    if (name == NULL) {
        return false;
    }
    size_t n = strlen(name);
    size_t d = strlen(domain);
    return n >= d && str_equal_nocase(name + n - d, domain) && (n == d || name[n - d - 1] == '.');
}

static bool is_foreign(const struct check_context *c, const char *domain)
{
    const char *own = c->plan->from != NULL ? address_domain(c->plan->from) : NULL;
    return !belongs_to(c->plan->domain, domain) && !belongs_to(c->facts.mx, domain) &&
           !belongs_to(c->ehlo_name, domain) && !belongs_to(own, domain) &&
           !belongs_to(c->smtp.caps.greeting_name, domain);
}

static const char *foreign_domain(const struct check_context *c)
{
    for (size_t i = 0; i < ARRAY_LEN(foreign_domains); i++) {
        if (is_foreign(c, foreign_domains[i])) {
            return foreign_domains[i];
        }
    }
    return foreign_domains[0];
}

/* The server as the right side of an address. */
static void their_host(const struct check_context *c, char *out, size_t size)
{
    char text[NET_ADDRESS_TEXT];
    struct net_address a = c->facts.address;
    if (c->facts.mx != NULL) {
        str_copy(out, size, c->facts.mx);
        return;
    }
    a.scope = 0;
    net_address_format(&a, text, sizeof(text));
    snprintf(out, size, a.family == 6 ? "[IPv6:%s]" : "[%s]", text);
}

static void set_addresses(const struct check_context *c, struct test *t)
{
    char host[DNS_HOST_NAME_MAX + 1];
    const char *domain = foreign_domain(c);
    const char *to = c->plan->to;
    their_host(c, host, sizeof(host));
    if (c->plan->from != NULL) {
        str_copy(t->sender, sizeof(t->sender), c->plan->from);
    } else {
        snprintf(t->sender, sizeof(t->sender), "postmaster@%s", c->ehlo_name);
    }
    const char *to_domain = to != NULL ? address_domain(to) : NULL;
    if (to_domain != NULL && is_foreign(c, to_domain)) {
        str_copy(t->forms[FORM_PLAIN].recipient, sizeof(t->forms[0].recipient), to);
    } else {
        snprintf(t->forms[FORM_PLAIN].recipient, sizeof(t->forms[0].recipient), LOCAL_PART "@%s",
                 domain);
    }
    snprintf(t->forms[FORM_PERCENT].recipient, sizeof(t->forms[0].recipient), LOCAL_PART "%%%s@%s",
             domain, host);
    snprintf(t->forms[FORM_QUOTED].recipient, sizeof(t->forms[0].recipient),
             "\"" LOCAL_PART "@%s\"@%s", domain, host);
}

static void add_step(struct test *t, enum smtp_wait wait, const char *verb, const char *address)
{
    /* Composed beside the test: the address lies inside it, and GCC 12 at -O3 takes that for overlap. */
    char command[COMMAND_MAX];
    if (address != NULL) {
        snprintf(command, sizeof(command), "%s:<%s>", verb, address);
    } else {
        str_copy(command, sizeof(command), verb);
    }
    str_copy(t->commands[t->step_count], COMMAND_MAX, command);
    t->steps[t->step_count] =
        (struct smtp_step){.wait = wait, .command = t->commands[t->step_count]};
    t->step_count++;
}

static void add_form(struct test *t, struct form *f)
{
    f->mail = &t->replies[t->step_count];
    add_step(t, WAIT_MAIL, "MAIL FROM", t->sender);
    f->rcpt = &t->replies[t->step_count];
    add_step(t, WAIT_RCPT, "RCPT TO", f->recipient);
    add_step(t, WAIT_OTHER, "RSET", NULL);
}

/* Everything in one flight where the server offers that: it does not matter what the single replies
 * are. */
static enum status ask_together(struct check_context *c, struct test *t)
{
    for (size_t i = 0; i < FORM_COUNT; i++) {
        add_form(t, &t->forms[i]);
    }
    if (c->last_on_connection) {
        add_step(t, WAIT_QUIT, "QUIT", NULL);
    }
    enum status st = smtp_pipeline(&c->smtp, t->steps, t->step_count, t->replies, &t->done);
    if (c->last_on_connection && t->done == t->step_count) {
        smtp_close(&c->smtp, ST_OK);
    }
    return st;
}

/* One by one: a refused MAIL makes its RCPT pointless, and a clear answer to the first form is
 * enough. */
static enum status ask_in_turn(struct check_context *c, struct test *t)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < FORM_COUNT && st == ST_OK; i++) {
        struct form *f = &t->forms[i];
        struct reply *reset = &t->replies[i * STEPS_PER_FORM + 2];
        f->mail = &t->replies[i * STEPS_PER_FORM];
        f->rcpt = &t->replies[i * STEPS_PER_FORM + 1];
        st = smtp_command(&c->smtp, WAIT_MAIL, f->mail, "MAIL FROM:<%s>", t->sender);
        if (!check_replied(st, f->mail) || f->mail->code / 100 != 2) {
            break;
        }
        st = smtp_command(&c->smtp, WAIT_RCPT, f->rcpt, "RCPT TO:<%s>", f->recipient);
        if (st == ST_OK && f->rcpt->code != 421) {
            st = smtp_command(&c->smtp, WAIT_OTHER, reset, "RSET");
        }
    }
    return st;
}

static bool was_answered(const struct reply *r)
{
    return r != NULL && r->line_count > 0 && r->code > 0;
}

static bool is_accepted(const struct form *f)
{
    return was_answered(f->mail) && f->mail->code / 100 == 2 && was_answered(f->rcpt) &&
           f->rcpt->code / 100 == 2;
}

static enum verdict report_reply(struct check_context *c, const char *id, const struct form *f,
                                 const struct reply *r)
{
    struct finding finding;
    size_t forms = FORM_COUNT;
    finding_init(&finding, id);
    check_add_reply(c, &finding, r);
    finding_argf(&finding, "forms", "%zu", forms);
    finding_arg(&finding, "recipient", f->recipient);
    return check_report(c, &finding);
}

/* The same /24 or /64 is what servers trust by default (Postfix mynetworks_style, for one). */
static const char *trusted_range(const struct check_context *c)
{
    struct net_address local = c->facts.local;
    const struct net_address *server = &c->facts.address;
    switch (net_address_range(&local)) {
    case RANGE_LOOPBACK:
        return "loopback";
    case RANGE_PRIVATE:
    case RANGE_UNIQUE_LOCAL:
    case RANGE_LINK_LOCAL:
        /* Behind a translator the server sees the other address. */
        if (net_address_range(server) == net_address_range(&local)) {
            return net_range_name(net_address_range(&local));
        }
        local = c->own_address;
        break;
    default:
        break;
    }
    if (local.family == server->family && local.family == 4 &&
        memcmp(local.bytes, server->bytes, 3) == 0) {
        return "/24";
    }
    if (local.family == server->family && local.family == 6 &&
        memcmp(local.bytes, server->bytes, 8) == 0) {
        return "/64";
    }
    return NULL;
}

static enum verdict report_open(struct check_context *c, const struct form *f, bool trick)
{
    struct finding finding;
    const char *range = trusted_range(c);
    finding_init(&finding, range != NULL ? "smtp.relay.trusted" : "smtp.relay.open");
    check_add_reply(c, &finding, f->rcpt);
    finding.class = CLASS_NONE;
    finding_arg(&finding, "recipient", f->recipient);
    finding_arg(&finding, "range", range);
    if (trick && range == NULL) {
        finding.verdict = VERDICT_WARN; /* only a delivery would prove that it is sent on */
        finding.confidence = CONFIDENCE_GUESS;
    }
    return check_report(c, &finding);
}

/*
 * A server that takes every mailbox of its own name takes the tricky forms as well, and relays
 * nothing. One mailbox that cannot exist tells the two apart. True: it takes everything.
 */
static enum status takes_everything(struct check_context *c, const struct test *t, bool *everything)
{
    struct reply reply;
    struct error error = {0};
    uint64_t random;
    char host[DNS_HOST_NAME_MAX + 1];
    *everything = false;
    enum status st = session_ready(c, &error);
    if (st != ST_OK) {
        return st;
    }
    check_note(c, _("For comparison, a mailbox that cannot exist at the server's own name"));
    reply_init(&reply);
    net_random(c->net, &random, sizeof(random));
    their_host(c, host, sizeof(host));
    st = smtp_command(&c->smtp, WAIT_MAIL, &reply, "MAIL FROM:<%s>", t->sender);
    if (st == ST_OK && reply.code / 100 == 2) {
        st = smtp_command(&c->smtp, WAIT_RCPT, &reply, "RCPT TO:<" LOCAL_PART "-%016" PRIx64 "@%s>",
                          random, host);
        *everything = st == ST_OK && reply.code / 100 == 2;
        if (st == ST_OK && c->smtp.state != SMTP_CLOSED) {
            st = smtp_command(&c->smtp, WAIT_OTHER, &reply, "RSET");
        }
    }
    reply_free(&reply);
    return st;
}

/* VERDICT_PENDING: no tricky form was accepted, or it means nothing. */
static enum verdict judge_tricks(struct check_context *c, struct test *t)
{
    enum verdict worst = VERDICT_PENDING;
    bool any = false;
    bool everything = false;
    for (size_t i = FORM_PLAIN + 1; i < FORM_COUNT; i++) {
        any = any || is_accepted(&t->forms[i]);
    }
    if (!any) {
        return VERDICT_PENDING;
    }
    enum status st = takes_everything(c, t, &everything);
    if (st == ST_CANCELLED || st == ST_NOMEM) {
        return check_gave_up(c, st, NULL);
    }
    if (everything) {
        check_note(
            c, _("It is accepted as well: the server takes any mailbox of its own name, and the "
                 "odd forms prove nothing"));
        return VERDICT_PENDING;
    }
    for (size_t i = FORM_PLAIN + 1; i < FORM_COUNT; i++) {
        if (is_accepted(&t->forms[i])) {
            worst = verdict_worse(worst, report_open(c, &t->forms[i], true));
        }
    }
    return worst;
}

/* Whoever comes from elsewhere, with TLS or later may get another answer. */
static bool is_no_answer(const struct reply *r, const struct reply_verdict *why)
{
    return check_wants_tls(why) || check_about_us(r, why);
}

static enum verdict judge_mail_refused(struct check_context *c, const struct form *f)
{
    const struct reply *r = f->mail;
    struct reply_verdict why = check_decode(c, r);
    if (is_no_answer(r, &why)) {
        return report_reply(c, "smtp.relay.blocked", f, r);
    }
    if (r->code == 530 || (why.cause != NULL && why.cause->class == CLASS_SECURITY)) {
        return report_reply(c, "smtp.relay.auth_required", f, r);
    }
    return report_reply(c, r->code / 100 == 4 ? "smtp.relay.deferred" : "smtp.relay.sender_refused",
                        f, r);
}

/* What a refused recipient teaches: only a refusal that is about the recipient says how relaying is
 * set. */
static enum verdict judge_rcpt_refused(struct check_context *c, const struct form *f)
{
    const struct reply *r = f->rcpt;
    struct reply_verdict why = check_decode(c, r);
    enum reply_class class = why.cause != NULL ? why.cause->class : CLASS_NONE;
    if (is_no_answer(r, &why)) {
        return report_reply(c, "smtp.relay.blocked", f, r);
    }
    if (r->code == 530 || class == CLASS_SECURITY) {
        return report_reply(c, "smtp.relay.auth_required", f, r);
    }
    if (class == CLASS_RELAY_DENIED) {
        return report_reply(c, "smtp.relay.denied", f, r);
    }
    if (class == CLASS_SENDER_REJECTED || class == CLASS_SENDER_AUTHENTICATION) {
        return report_reply(c, "smtp.relay.sender_refused", f, r);
    }
    return report_reply(c, r->code / 100 == 4 ? "smtp.relay.deferred" : "smtp.relay.denied", f, r);
}

static enum verdict judge(struct check_context *c, struct test *t, enum status status)
{
    enum verdict v;
    const struct form *plain = &t->forms[FORM_PLAIN];
    if (status == ST_CANCELLED || status == ST_NOMEM) {
        return check_gave_up(c, status, NULL);
    }
    if (is_accepted(plain)) {
        return report_open(c, plain, false);
    }
    v = judge_tricks(c, t);
    if (v != VERDICT_PENDING) {
        return v;
    }
    if (!was_answered(plain->mail)) {
        return check_broken(c, status, WAIT_MAIL, plain->mail);
    }
    if (check_shutdown(c, plain->mail, &v)) {
        return v;
    }
    if (plain->mail->code / 100 != 2) {
        return judge_mail_refused(c, plain);
    }
    if (!was_answered(plain->rcpt)) {
        return check_broken(c, status, WAIT_RCPT, plain->rcpt);
    }
    return check_shutdown(c, plain->rcpt, &v) ? v : judge_rcpt_refused(c, plain);
}

static void forget_answers(struct test *t)
{
    for (size_t i = 0; i < STEPS_MAX; i++) {
        reply_reset(&t->replies[i]);
    }
    t->step_count = t->done = 0;
}

/* The forms together, and one by one where something on the way does not bear that. */
static enum status ask(struct check_context *c, struct test *t, enum verdict *odd)
{
    if (!caps_has(&c->smtp.caps, CAP_PIPELINING)) {
        return ask_in_turn(c, t);
    }
    enum status together = ask_together(c, t);
    if (together == ST_OK) {
        return ST_OK;
    }
    enum status st = control_ungroup(c, together, t->replies, t->step_count);
    if (st != ST_OK) {
        return st == ST_CANCELLED || st == ST_NOMEM ? st : together;
    }
    forget_answers(t);
    st = ask_in_turn(c, t);
    if (st == ST_OK) {
        *odd = control_group_broken(c, together);
    }
    return st;
}

static enum verdict run_test(struct check_context *c, struct test *t)
{
    enum verdict odd = VERDICT_OK;
    struct error error = {0};
    int64_t start = net_now_us(c->net);
    set_addresses(c, t);
    /* What came in through a form must not carry a second command or parameter along. */
    if (address_check(t->sender, true, true, &error) != ST_OK ||
        address_check(t->forms[FORM_PLAIN].recipient, false, true, &error) != ST_OK) {
        return check_internal(c, ST_INVALID, error.text);
    }
    enum status st = ask(c, t, &odd);
    check_timed(c, TIMING_ENVELOPE, start);
    check_facts_changed(c);
    for (size_t i = 0; i < STEPS_MAX; i++) {
        if (was_answered(&t->replies[i])) {
            odd = verdict_worse(odd, check_oddities(c, &t->replies[i]));
        }
    }
    return verdict_worse(odd, judge(c, t, st));
}

enum verdict check_run_relay(struct check_context *c)
{
    struct error error = {0};
    if (c->plan->read_only) {
        return check_skipped(c, "--read-only");
    }
    if (!c->plan->relay_consent) {
        return check_report_plain(c, "check.needs_consent");
    }
    /* Who is logged in may relay; that says nothing about strangers. */
    enum status st =
        c->smtp.authenticated ? session_open(c, SESSION_READY, &error) : session_ready(c, &error);
    if (st != ST_OK) {
        return check_not_reopened(c, st, &error);
    }
    struct test *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return check_internal(c, ST_NOMEM, NULL);
    }
    for (size_t i = 0; i < STEPS_MAX; i++) {
        reply_init(&t->replies[i]);
    }
    enum verdict v = run_test(c, t);
    for (size_t i = 0; i < STEPS_MAX; i++) {
        reply_free(&t->replies[i]);
    }
    free(t);
    return v;
}
