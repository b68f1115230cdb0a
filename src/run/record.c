#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <string.h>

enum status record_init(struct record *r, uint32_t run)
{
    *r = (struct record){.run = run, .running = CHECK_NONE};
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        r->steps[i].because = CHECK_NONE;
    }
    return lines_new(&r->lines);
}

void record_free(struct record *r)
{
    free(r->target);
    for (size_t i = 0; i < r->finding_count; i++) {
        finding_free(&r->findings[i].f);
    }
    free(r->findings);
    for (size_t i = 0; i < r->answer_count; i++) {
        dns_facts_free(&r->answers[i].f);
    }
    free(r->answers);
    free(r->dials);
    for (size_t i = 0; i < RECORD_PATHS_MAX; i++) {
        if (r->paths[i] != NULL) {
            facts_free(r->paths[i]);
            free(r->paths[i]);
        }
    }
    lines_free(r->lines);
    *r = (struct record){.running = CHECK_NONE};
}

/* A step that runs again starts anew: what it said before does not count any more. */
static void forget_findings(struct record *r, enum check_id check)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->finding_count; i++) {
        if (r->findings[i].check == check) {
            finding_free(&r->findings[i].f);
        } else {
            r->findings[kept++] = r->findings[i];
        }
    }
    r->finding_count = kept;
}

/* What is typed again and again is told once, with its latest proof. */
static void forget_same(struct record *r, enum check_id check, const struct finding *f)
{
    for (size_t i = 0; f->typed && i < r->finding_count; i++) {
        struct record_finding *old = &r->findings[i];
        if (old->f.typed && old->check == check && old->f.kind == f->kind) {
            finding_free(&old->f);
            memmove(old, old + 1, (r->finding_count - i - 1) * sizeof(*old));
            r->finding_count--;
            return;
        }
    }
}

static void update_verdict(struct record *r)
{
    enum verdict worst = VERDICT_PENDING;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (r->steps[i].verdict != VERDICT_RUNNING) {
            worst = verdict_worse(worst, r->steps[i].verdict);
        }
    }
    r->verdict = worst;
}

static void step_started(struct record *r, const struct event *e)
{
    if (e->check >= CHECK_COUNT) {
        return;
    }
    forget_findings(r, e->check);
    r->steps[e->check] = (struct record_step){
        .verdict = VERDICT_RUNNING, .because = CHECK_NONE, .started_us = e->t_us, .path = e->path};
    r->running = e->check;
    r->done = false;
    update_verdict(r);
}

static void step_done(struct record *r, const struct event *e)
{
    if (e->check >= CHECK_COUNT) {
        return;
    }
    struct record_step *step = &r->steps[e->check];
    step->verdict = e->u.step.verdict;
    step->because = e->u.step.because;
    step->elapsed_us = e->u.step.elapsed_us;
    step->path = e->path;
    if (r->running == e->check) {
        r->running = CHECK_NONE;
    }
    r->waiting = WAIT_NONE;
    update_verdict(r);
}

static bool add_line(struct record *r, const struct event *e)
{
    struct line line = {.number = e->u.line.number,
                        .t_us = e->t_us,
                        .path = e->path,
                        .check = (uint8_t)e->check,
                        .dir = (uint8_t)e->u.line.dir,
                        .flags = e->u.line.flags,
                        .tls = e->u.line.tls,
                        .text = e->u.line.text,
                        .len = e->u.line.len};
    if (lines_add(r->lines, &line) != ST_OK) {
        return false;
    }
    if (e->check < CHECK_COUNT) {
        struct record_step *step = &r->steps[e->check];
        if (step->first_line == 0) {
            step->first_line = line.number;
        }
        step->last_line = line.number;
    }
    return true;
}

static bool add_finding(struct record *r, struct event *e)
{
    if (e->u.finding == NULL) {
        return false;
    }
    forget_same(r, e->check, e->u.finding);
    if (r->finding_count == RECORD_FINDINGS_MAX) {
        r->findings_dropped++;
        return true;
    }
    struct record_finding *grown =
        realloc(r->findings, (r->finding_count + 1) * sizeof(*r->findings));
    if (grown == NULL) {
        r->findings_dropped++;
        return true;
    }
    r->findings = grown;
    r->findings[r->finding_count++] =
        (struct record_finding){.check = e->check, .path = e->path, .f = *e->u.finding};
    free(e->u.finding);
    e->u.finding = NULL;
    return true;
}

static bool set_facts(struct record *r, struct event *e)
{
    if (e->u.facts == NULL || e->path >= RECORD_PATHS_MAX) {
        return false;
    }
    struct facts *old = r->paths[e->path];
    r->paths[e->path] = e->u.facts;
    e->u.facts = NULL;
    if (old != NULL) {
        facts_free(old);
        free(old);
    }
    if (r->path_count <= e->path) {
        r->path_count = (size_t)e->path + 1;
    }
    return true;
}

static bool add_answer(struct record *r, struct event *e)
{
    if (e->u.answer == NULL) {
        return false;
    }
    struct record_answer *grown = NULL;
    if (r->answer_count < RECORD_ANSWERS_MAX) {
        grown = realloc(r->answers, (r->answer_count + 1) * sizeof(*grown));
    }
    if (grown == NULL) {
        r->answers_dropped++;
        return true;
    }
    r->answers = grown;
    r->answers[r->answer_count++] =
        (struct record_answer){.check = e->check, .f = *e->u.answer};
    free(e->u.answer);
    e->u.answer = NULL;
    return true;
}

static void add_dial(struct record *r, const struct event *e)
{
    struct record_dial *grown = NULL;
    if (r->dial_count < RECORD_DIALS_MAX) {
        grown = realloc(r->dials, (r->dial_count + 1) * sizeof(*grown));
    }
    if (grown == NULL) {
        r->dials_dropped++;
        return;
    }
    r->dials = grown;
    r->dials[r->dial_count++] = (struct record_dial){.check = e->check,
                                                     .path = e->path,
                                                     .t_us = e->t_us,
                                                     .line = lines_last(r->lines),
                                                     .f = e->u.dial};
}

/* The conversation that opens is on the connection that was made last, and the one that ends is the
 * last one that opened. */
static void follow_dial(struct record *r, const struct event *e)
{
    bool open = e->u.session.state != SMTP_CLOSED;
    struct record_dial *last = r->dial_count > 0 ? &r->dials[r->dial_count - 1] : NULL;
    if (open && r->session == SMTP_CLOSED && last != NULL && last->f.status == ST_OK) {
        last->talked = true;
    }
    for (size_t i = r->dial_count; !open && i-- > 0;) {
        struct record_dial *d = &r->dials[i];
        if (d->talked) {
            if (!d->ended) {
                d->ended = true;
                d->why = e->u.session.why;
                d->last_line = lines_last(r->lines);
            }
            return;
        }
    }
}

static void run_started(struct record *r, struct event *e)
{
    r->started = true;
    r->done = false;
    r->demo = e->u.started.demo;
    r->started_wall_us = e->u.started.wall_us;
    free(r->target);
    r->target = e->u.started.target;
    e->u.started.target = NULL;
}

static void set_session(struct record *r, const struct event *e)
{
    follow_dial(r, e);
    r->session = e->u.session.state;
    r->session_tls = e->u.session.tls;
    r->session_authenticated = e->u.session.authenticated;
    r->expects_text = e->u.session.expects_text;
    r->login_open = e->u.session.login_open;
}

bool record_apply(struct record *r, struct event *e)
{
    if (e->run != r->run) {
        return false;
    }
    if (!r->done && e->t_us > r->elapsed_us) {
        r->elapsed_us = e->t_us;
    }
    switch (e->kind) {
    case EVENT_RUN_STARTED:
        run_started(r, e);
        return true;
    case EVENT_STEP_STARTED:
        step_started(r, e);
        return true;
    case EVENT_LINE:
        return add_line(r, e);
    case EVENT_MARK:
        lines_mark(r->lines, e->u.mark.number, e->u.mark.flags);
        return true;
    case EVENT_WAIT:
        r->waiting = e->u.wait.what;
        r->wait_since_us = e->t_us;
        r->wait_limit_ms = e->u.wait.limit_ms;
        return true;
    case EVENT_FINDING:
        return add_finding(r, e);
    case EVENT_FACTS:
        return set_facts(r, e);
    case EVENT_ANSWER:
        return add_answer(r, e);
    case EVENT_DIAL:
        add_dial(r, e);
        return true;
    case EVENT_STEP_DONE:
        step_done(r, e);
        return true;
    case EVENT_SESSION:
        set_session(r, e);
        return true;
    case EVENT_RUN_DONE:
        r->done = true;
        r->cancelled = e->u.done.cancelled;
        r->running = CHECK_NONE;
        r->waiting = WAIT_NONE;
        r->elapsed_us = e->t_us;
        return true;
    case EVENT_REPLAY:
        r->replay = e->u.replay;
        return true;
    case EVENT_SUSPENDED:
        return true;
    }
    return false;
}

/* An inconclusive step counts as ours unless a finding of it says that the other side limited us.
 */
static bool inconclusive_is_theirs(const struct record *r)
{
    bool theirs = false;
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = &r->findings[i].f;
        if (f->verdict == VERDICT_INCONCLUSIVE && !f->typed) {
            if (f->side != SIDE_THEIRS) {
                return false;
            }
            theirs = true;
        }
    }
    return theirs;
}

int record_exit_code(const struct record *r, bool strict)
{
    switch (r->verdict) {
    case VERDICT_FAIL:
        return 2;
    case VERDICT_WARN:
        return strict ? 2 : 1;
    case VERDICT_INCONCLUSIVE:
        if (inconclusive_is_theirs(r)) {
            return strict ? 2 : 1;
        }
        return 3;
    case VERDICT_OK:
    case VERDICT_NOTE:
        return 0;
    case VERDICT_PENDING:
    case VERDICT_RUNNING:
    case VERDICT_SKIPPED:
    case VERDICT_ASK:
    case VERDICT_STOPPED:
        break;
    }
    return 3;
}

void record_counts(const struct record *r, unsigned *ok, unsigned *warn, unsigned *fail,
                   unsigned *skip, unsigned *ask)
{
    *ok = *warn = *fail = *skip = *ask = 0;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        switch (r->steps[i].verdict) {
        case VERDICT_OK:
        case VERDICT_NOTE:
            (*ok)++;
            break;
        case VERDICT_WARN:
        case VERDICT_INCONCLUSIVE:
            (*warn)++;
            break;
        case VERDICT_FAIL:
            (*fail)++;
            break;
        case VERDICT_SKIPPED:
        case VERDICT_STOPPED:
            (*skip)++;
            break;
        case VERDICT_ASK:
            (*ask)++;
            break;
        case VERDICT_PENDING:
        case VERDICT_RUNNING:
            break;
        }
    }
}

const struct facts *record_path(const struct record *r)
{
    for (size_t i = r->path_count; i-- > 1;) {
        if (r->paths[i] != NULL) {
            return r->paths[i];
        }
    }
    return NULL;
}
