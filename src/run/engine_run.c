#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "text.h"

/* Steps that make or greet a connection: when one is repeated, those behind it speak of the old
 * one. */
#define OPENING (CHECK_BIT(CHECK_CONNECT) | CHECK_BIT(CHECK_BANNER) | CHECK_BIT(CHECK_EHLO))
#define AFTER_OPENING                                                                              \
    (CHECK_BIT(CHECK_BANNER) | CHECK_BIT(CHECK_EHLO) | CHECK_BIT(CHECK_STARTTLS) |                 \
     CHECK_BIT(CHECK_CERTIFICATE))

enum gate { GATE_RUN, GATE_SKIP, GATE_READ_ONLY, GATE_ASK };

static bool has_consent(const struct plan *p, const struct check *check)
{
    switch (check->risk) {
    case RISK_SAFE:
        return true;
    case RISK_RELAY:
        return p->relay_consent;
    case RISK_LOGIN:
        return p->auth_wanted;
    case RISK_SEND:
        return p->send_consent;
    }
    return false;
}

static enum gate step_gate(const struct engine *e, const struct check *check,
                           enum check_id *because)
{
    *because = CHECK_NONE;
    if (e->plan->read_only && check->risk != RISK_SAFE) {
        return GATE_READ_ONLY;
    }
    enum check_id blocker = check_blocked_by(&e->c, check);
    if (blocker != CHECK_NONE) {
        /* The step to look at is the one that failed, not the next one that fell with it. */
        bool fell = e->c.results[blocker] == VERDICT_SKIPPED && e->because[blocker] != CHECK_NONE;
        *because = fell ? e->because[blocker] : blocker;
        return GATE_SKIP;
    }
    /* Without a wish to log in, that step only looks at what the server has offered. */
    return has_consent(e->plan, check) || check->risk == RISK_LOGIN ? GATE_RUN : GATE_ASK;
}

/* Whether none of the steps behind this one will talk on the connection. */
static bool is_last_to_talk(const struct engine *e)
{
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if ((e->remaining & CHECK_BIT(i)) != 0 && checks[i].scope == SCOPE_PATH &&
            has_consent(e->plan, &checks[i]) && i != CHECK_CERTIFICATE) {
            return false;
        }
    }
    return true;
}

static void report_skipped(struct engine *e, enum check_id id, const char *because)
{
    struct finding f;
    finding_init(&f, "check.skipped");
    finding_arg(&f, "because", because);
    engine_report(e, id, &f);
}

static void tell_started(struct engine *e, enum check_id id)
{
    bool of_path = checks[id].scope == SCOPE_HOST || checks[id].scope == SCOPE_PATH;
    e->check = id;
    e->path = of_path ? e->last_path : 0;
    e->because[id] = CHECK_NONE;
    check_begin(&e->c, id);
    e->c.results[id] = VERDICT_RUNNING;
    engine_tell(e, engine_event(e, EVENT_STEP_STARTED));
}

static void tell_done(struct engine *e, enum check_id id, int64_t elapsed_us)
{
    e->told[id].verdict = e->c.results[id];
    e->told[id].elapsed_us = elapsed_us;
    struct event *event = engine_event(e, EVENT_STEP_DONE);
    if (event != NULL) {
        event->check = id;
        event->u.step.verdict = e->c.results[id];
        event->u.step.elapsed_us = elapsed_us;
        event->u.step.because = e->because[id];
        engine_tell(e, event);
    }
}

/* A step can learn something about an earlier one, whose verdict has to be told again then. */
static void tell_changed_verdicts(struct engine *e)
{
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        enum verdict v = e->c.results[i];
        if (v != e->told[i].verdict && v != VERDICT_PENDING && v != VERDICT_RUNNING) {
            tell_done(e, (enum check_id)i, e->told[i].elapsed_us);
        }
    }
}

static void skip_step(struct engine *e, enum check_id id, enum check_id because)
{
    tell_started(e, id);
    report_skipped(e, id, because != CHECK_NONE ? checks[because].key : "--deadline");
    e->because[id] = because;
    e->c.results[id] = VERDICT_SKIPPED;
    tell_done(e, id, 0);
    e->check = CHECK_NONE;
}

static void take_step(struct engine *e, enum check_id id)
{
    const struct check *check = &checks[id];
    enum check_id because;
    enum gate gate = step_gate(e, check, &because);
    int64_t start = engine_now(e);
    struct finding f;
    enum verdict verdict = VERDICT_SKIPPED;
    if (gate == GATE_SKIP) {
        skip_step(e, id, because);
        return;
    }
    tell_started(e, id);
    switch (gate) {
    case GATE_RUN:
        e->c.last_on_connection = !e->plan->stay && is_last_to_talk(e);
        verdict = check->run(&e->c);
        e->c.last_on_connection = false;
        break;
    case GATE_READ_ONLY:
        report_skipped(e, id, "--read-only");
        break;
    case GATE_ASK:
        finding_init(&f, "check.needs_consent");
        verdict = VERDICT_ASK;
        engine_report(e, id, &f);
        break;
    case GATE_SKIP:
        break;
    }
    engine_tell_no_wait(e);
    e->c.results[id] = verdict;
    tell_done(e, id, engine_now(e) - start);
    tell_changed_verdicts(e);
    engine_tell_session(e);
    e->check = CHECK_NONE;
}

static enum verdict worst_result(const struct engine *e)
{
    enum verdict worst = VERDICT_PENDING;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (e->c.results[i] != VERDICT_RUNNING) {
            worst = verdict_worse(worst, e->c.results[i]);
        }
    }
    return worst;
}

static void tell_run_done(struct engine *e, enum verdict verdict, bool cancelled)
{
    struct event *event = e->done;
    e->done = NULL;
    if (event == NULL) {
        event = engine_event(e, EVENT_RUN_DONE);
    }
    if (event == NULL) {
        return;
    }
    event->path = 0;
    event->t_us = engine_now(e);
    event->u.done.verdict = verdict;
    event->u.done.cancelled = cancelled;
    engine_tell(e, event);
}

bool engine_run_is_current(struct engine *e, const struct command *command)
{
    if (e->have_context && command->run == e->run) {
        return true;
    }
    tell_run_done(e, VERDICT_PENDING, true);
    return false;
}

/* Nobody will come back to them when there is no screen: they say why they were not done. */
static void skip_rest(struct engine *e, uint64_t rest)
{
    enum check_id stopped = CHECK_NONE;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (e->c.results[i] == VERDICT_STOPPED) {
            stopped = (enum check_id)i;
        }
    }
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if ((rest & CHECK_BIT(i)) != 0) {
            skip_step(e, (enum check_id)i, stopped);
        }
    }
}

void engine_run_finish(struct engine *e)
{
    bool stopped = engine_interrupted(e);
    uint64_t rest = e->remaining;
    e->remaining = 0;
    e->path = e->last_path;
    if (stopped) {
        engine_after_cancel(e, true);
        if (!e->plan->stay) {
            skip_rest(e, rest);
        }
    } else if (!e->plan->stay) {
        smtp_quit(&e->c.smtp);
    }
    engine_tell_no_wait(e);
    engine_tell_session(e);
    engine_net_deadline(&e->net, NO_DEADLINE);
    tell_run_done(e, worst_result(e), stopped);
}

static void run_steps(struct engine *e, uint64_t mask, bool pausable)
{
    e->remaining = mask;
    while (e->remaining != 0 && !engine_interrupted(e)) {
        if (pausable && e->paused) {
            return;
        }
        size_t i = 0;
        while ((e->remaining & CHECK_BIT(i)) == 0) {
            i++;
        }
        e->remaining &= ~CHECK_BIT(i);
        take_step(e, (enum check_id)i);
    }
    engine_run_finish(e);
}

static void set_deadline(struct engine *e)
{
    int64_t until = NO_DEADLINE;
    if (e->plan->deadline_s > 0) {
        until = deadline_in_ms(net_now_us(&e->net.base), (int64_t)e->plan->deadline_s * 1000);
    }
    engine_net_deadline(&e->net, until);
}

static void take_consent(struct engine *e, const struct consent *consent)
{
    e->plan->relay_consent = consent->relay;
    e->plan->send_consent = consent->send;
    e->plan->auth_wanted = consent->auth;
    e->plan->auth_in_clear = consent->in_clear;
    e->plan->auth_unproved = consent->unproved;
}

/* The redactor has to know a password before anything can echo it; without that it is not used. */
static bool protect_password(struct engine *e, const struct plan *p)
{
    if (!secret_is_set(&p->password)) {
        return true;
    }
    return redactor_add(&e->redactor, p->auth_user != NULL ? p->auth_user : "", &p->password) ==
           ST_OK;
}

static void forget_password(struct engine *e)
{
    secret_free(&e->plan->password);
    e->plan->auth_wanted = false;
    engine_note(e, _("The password is not used, because it could not be kept out of the "
                     "transcript. Begin a new run to try again."));
}

static void tell_run_started(struct engine *e)
{
    const struct plan *p = e->plan;
    const char *target = p->domain_shown != NULL ? p->domain_shown
                         : p->domain != NULL     ? p->domain
                         : p->host != NULL       ? p->host
                                                 : p->input;
    struct event *event = engine_event(e, EVENT_RUN_STARTED);
    if (event != NULL) {
        event->u.started.target = str_dup(target);
        event->u.started.demo = e->net.base.demo;
        event->u.started.wall_us = net_wall_us(&e->net.base);
        engine_tell(e, event);
    }
}

static void reset_run(struct engine *e, struct command *command)
{
    e->plan = command->plan;
    command->plan = NULL;
    e->consent = (struct consent){.relay = e->plan->relay_consent,
                                  .send = e->plan->send_consent,
                                  .auth = e->plan->auth_wanted,
                                  .in_clear = e->plan->auth_in_clear,
                                  .unproved = e->plan->auth_unproved};
    e->run = command->run;
    e->last_line = 0;
    e->path = e->last_path = 0;
    e->check = CHECK_NONE;
    e->waiting = false;
    e->start_us = net_now_us(&e->net.base);
    e->suspended_told_us = atomic_load(&e->net.suspended_us);
    memset(&e->session, 0, sizeof(e->session));
    memset(e->told, 0, sizeof(e->told));
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        e->because[i] = CHECK_NONE;
    }
}

void engine_run_start(struct engine *e, struct command *command)
{
    engine_run_close(e);
    reset_run(e, command);
    e->no_greeting = command->no_greeting;
    bool hidden = protect_password(e, e->plan);
    tell_run_started(e);
    if (check_context_init(&e->c, e->plan, &e->net.base, &e->cancel, &e->redactor, &e->sink) !=
        ST_OK) {
        tell_run_done(e, VERDICT_INCONCLUSIVE, false);
        return;
    }
    e->have_context = true;
    e->c.run_start_us = e->start_us;
    if (!hidden) {
        forget_password(e);
    }
    set_deadline(e);
    run_steps(e, e->plan->only != 0 ? check_closure(e->plan->only) & ALL_CHECKS : ALL_CHECKS, true);
}

void engine_run_resume(struct engine *e)
{
    run_steps(e, e->remaining, true);
}

/* Prerequisites that were never decided come first. */
static uint64_t with_needs(const struct engine *e, uint64_t mask)
{
    uint64_t needs = check_closure(mask) & ~mask;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        enum verdict v = e->c.results[i];
        bool decided = v != VERDICT_PENDING && v != VERDICT_STOPPED && v != VERDICT_SKIPPED;
        if ((needs & CHECK_BIT(i)) != 0 && !decided) {
            mask |= CHECK_BIT(i);
        }
    }
    return mask;
}

static uint64_t with_followers(const struct engine *e, uint64_t mask)
{
    bool opening = false;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (opening && (AFTER_OPENING & CHECK_BIT(i)) != 0 && e->c.results[i] != VERDICT_PENDING) {
            mask |= CHECK_BIT(i);
        }
        opening = opening || (mask & OPENING & CHECK_BIT(i)) != 0;
    }
    return mask;
}

/* A fresh connection is made for these steps; the old one is left politely. */
static void leave_for(struct engine *e, uint64_t mask)
{
    bool replaced = (mask & (CHECK_BIT(CHECK_CONNECT) | CHECK_BIT(CHECK_BANNER))) != 0 ||
                    ((mask & CHECK_BIT(CHECK_EHLO)) != 0 && e->c.smtp.tls);
    if (replaced) {
        e->path = e->last_path;
        smtp_quit(&e->c.smtp);
    }
}

static enum status set_if_given(char **slot, const char *text)
{
    return text != NULL ? str_set(slot, text) : ST_OK;
}

/* What the test mail is made of. */
static enum status take_message(struct plan *p, const struct plan *from)
{
    p->sample = from->sample;
    p->chunk = from->chunk;
    enum status st = plan_copy_bytes(&p->message, &from->message);
    if (st == ST_OK) {
        st = plan_copy_bytes(&p->attach, &from->attach);
    }
    if (st == ST_OK) {
        st = str_set(&p->message_name, from->message_name);
    }
    if (st == ST_OK) {
        st = str_set(&p->attach_name, from->attach_name);
    }
    if (st == ST_OK) {
        st = str_set(&p->mail_params, from->mail_params);
    }
    return st == ST_OK ? str_set(&p->rcpt_params, from->rcpt_params) : st;
}

static enum status take_wishes(struct engine *e, const struct plan *from)
{
    struct plan *p = e->plan;
    const struct consent consent = {.relay = from->relay_consent,
                                    .send = from->send_consent,
                                    .auth = from->auth_wanted,
                                    .in_clear = from->auth_in_clear,
                                    .unproved = from->auth_unproved};
    enum status st = set_if_given(&p->auth_user, from->auth_user);
    if (st == ST_OK) {
        st = str_set(&p->auth_mech, from->auth_mech);
    }
    if (st == ST_OK) {
        st = set_if_given(&p->from, from->from);
    }
    if (st == ST_OK) {
        st = set_if_given(&p->to, from->to);
    }
    if (st == ST_OK) {
        st = set_if_given(&p->subject, from->subject);
    }
    if (st == ST_OK) {
        st = take_message(p, from);
    }
    if (st == ST_OK && secret_is_set(&from->password)) {
        st = secret_copy(&p->password, &from->password);
    }
    if (st == ST_OK) {
        take_consent(e, &consent);
    }
    return st;
}

void engine_take_login(struct engine *e, const struct plan *plan)
{
    struct plan *p = e->plan;
    if (!plan->auth_wanted) {
        return;
    }
    if (!protect_password(e, plan)) {
        forget_password(e);
        return;
    }
    enum status st = set_if_given(&p->auth_user, plan->auth_user);
    if (st == ST_OK && secret_is_set(&plan->password)) {
        st = secret_copy(&p->password, &plan->password);
    }
    p->auth_wanted = st == ST_OK;
    p->auth_in_clear = plan->auth_in_clear;
    p->auth_unproved = plan->auth_unproved;
}

void engine_run_step(struct engine *e, struct command *command)
{
    if (!engine_run_is_current(e, command)) {
        return;
    }
    uint64_t paused = e->remaining & ~command->steps;
    const struct consent none = {0};
    take_consent(e, &none);
    if (command->plan != NULL) {
        if (!protect_password(e, command->plan)) {
            forget_password(e);
        } else if (take_wishes(e, command->plan) != ST_OK) {
            take_consent(e, &none);
        }
    }
    set_deadline(e);
    uint64_t mask = with_followers(e, with_needs(e, command->steps));
    leave_for(e, mask);
    run_steps(e, mask, false);
    take_consent(e, &e->consent);
    e->remaining = paused;
}

void engine_run_continue(struct engine *e, struct command *command)
{
    if (!engine_run_is_current(e, command)) {
        return;
    }
    uint64_t mask = 0;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        enum verdict v = e->c.results[i];
        bool open = v == VERDICT_PENDING || v == VERDICT_STOPPED || v == VERDICT_SKIPPED;
        /* A mail that was stopped behind its final dot may be under way: never a second one. */
        bool sent = v == VERDICT_STOPPED && checks[i].risk == RISK_SEND;
        if (open && !sent && has_consent(e->plan, &checks[i])) {
            mask |= CHECK_BIT(i);
        }
    }
    e->paused = false;
    set_deadline(e);
    mask = with_followers(e, with_needs(e, mask));
    leave_for(e, mask);
    run_steps(e, mask, true);
}

/* As it was opened by the steps, TLS included, or as far as a single connection; without judging
   again. */
static void reopen(struct engine *e, bool no_greeting)
{
    struct error error = {.text = ""};
    enum status st = no_greeting ? check_reconnect(&e->c, &error) : check_reopen(&e->c, &error);
    if (st != ST_OK && st != ST_CANCELLED) {
        engine_note(e, "%s", error.text[0] != '\0' ? error.text : status_word(st));
    }
    engine_run_finish(e);
}

/* A step that came to a result, whatever it was. */
static bool is_decided(const struct engine *e, enum check_id id)
{
    enum verdict v = e->c.results[id];
    return v != VERDICT_PENDING && v != VERDICT_STOPPED && v != VERDICT_SKIPPED;
}

void engine_run_open(struct engine *e, struct command *command)
{
    if (!engine_run_is_current(e, command)) {
        return;
    }
    uint64_t paused = e->remaining;
    bool found = e->c.facts.address.family != 0;
    e->remaining = 0;
    e->path = e->last_path;
    e->no_greeting = command->no_greeting;
    set_deadline(e);
    smtp_quit(&e->c.smtp);
    if (found && (command->no_greeting || is_decided(e, CHECK_EHLO))) {
        reopen(e, command->no_greeting);
    } else {
        /* Nothing but the greeting was ever asked for: the rest is typed by hand. */
        uint64_t mask = CHECK_BIT(CHECK_CONNECT);
        mask |= command->no_greeting ? 0 : CHECK_BIT(CHECK_BANNER);
        run_steps(e, with_needs(e, mask), false);
    }
    e->remaining = paused;
}

void engine_run_close(struct engine *e)
{
    if (e->have_context) {
        cancel_ack(&e->cancel, CANCEL_POLITE);
        smtp_quit(&e->c.smtp);
        check_context_free(&e->c);
        e->have_context = false;
    }
    redactor_free(&e->redactor);
    replay_free(&e->replay);
    e->no_greeting = false;
    if (e->plan != NULL) {
        plan_free(e->plan);
        free(e->plan);
        e->plan = NULL;
    }
    e->remaining = 0;
}
