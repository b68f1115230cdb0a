#include "guided.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "text.h"

#define TEXT_MAX (64u << 10)
#define CHECK_BIT(id) (UINT64_C(1) << (id))

void guided_free(struct guided *g)
{
    playbook_walk_free(&g->walk);
    free(g->pasted);
    memset(g, 0, sizeof(*g));
}

const struct playbook_node *guided_node(const struct guided *g)
{
    return g->phase != GUIDED_OFF ? playbook_node(&g->walk) : NULL;
}

/* Arrived at a node. */
static void enter(struct guided *g, const struct plan *plan, const struct record *record)
{
    const struct playbook_node *n = playbook_node(&g->walk);
    size_t at = (size_t)(n - g->walk.book->nodes);
    g->phase = n->kind == PLAYBOOK_END ? GUIDED_END : GUIDED_READY;
    g->again = n->kind == PLAYBOOK_RUN && g->walk.visits[at] > 1;
    g->asked = 0;
    /* A word that is missing is shown as "?". */
    (void)!guided_facts(&g->walk, plan, record);
}

enum status guided_begin(struct guided *g, const struct playbook *book, const struct plan *plan,
                         const struct record *record)
{
    guided_free(g);
    playbook_walk_begin(&g->walk, book);
    enter(g, plan, record);
    g->fresh = !record->started;
    return guided_facts(&g->walk, plan, record);
}

void guided_restart(struct guided *g, const struct plan *plan, const struct record *record)
{
    if (g->phase != GUIDED_OFF) {
        playbook_restart(&g->walk);
        g->fresh = false;
        enter(g, plan, record);
    }
}

uint64_t guided_steps(const struct guided *g)
{
    const struct playbook_node *n = guided_node(g);
    uint64_t mask = 0;
    for (size_t i = 0; n != NULL && i < n->step_count; i++) {
        const struct check *check = check_find(n->steps[i]);
        mask |= check != NULL ? CHECK_BIT(check->id) : 0;
    }
    return mask;
}

static bool is_decided(enum verdict v)
{
    return v != VERDICT_PENDING && v != VERDICT_RUNNING && v != VERDICT_ASK && v != VERDICT_STOPPED;
}

uint64_t guided_wants(const struct guided *g, const struct record *record)
{
    uint64_t mask = guided_steps(g);
    for (size_t i = 0; i < CHECK_COUNT && !g->fresh && !g->again; i++) {
        mask &= is_decided(record->steps[i].verdict) ? ~CHECK_BIT(i) : ~UINT64_C(0);
    }
    return mask;
}

void guided_started(struct guided *g, uint64_t mask)
{
    g->phase = GUIDED_BUSY;
    g->asked = mask;
    g->again = false;
    g->fresh = false;
}

static void decide(struct guided *g, const struct plan *plan, const struct record *record)
{
    struct playbook_outcome outcomes[GUIDED_OUTCOMES_MAX];
    size_t count = guided_outcomes(record, g->pasted != NULL ? &g->reply : NULL, outcomes);
    (void)!guided_facts(&g->walk, plan, record);
    /* The reader has seen to it that a rule takes whatever comes. */
    g->phase = playbook_decide(&g->walk, outcomes, count) == ST_OK ? GUIDED_OUTCOME : GUIDED_READY;
}

bool guided_rested(struct guided *g, const struct plan *plan, const struct record *record)
{
    if (g->phase != GUIDED_BUSY) {
        return false;
    }
    uint64_t asked = g->asked;
    g->asked = 0;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if ((asked & CHECK_BIT(i)) != 0 && !is_decided(record->steps[i].verdict)) {
            g->phase = GUIDED_READY;
            return false;
        }
    }
    decide(g, plan, record);
    return true;
}

void guided_take_known(struct guided *g, const struct plan *plan, const struct record *record)
{
    decide(g, plan, record);
}

static enum status too_often(struct error *error)
{
    return error_set(error, ST_LIMIT, 0,
                     _("This was tried %d times. Choose another answer, or go back."),
                     PLAYBOOK_VISITS_MAX);
}

enum status guided_go(struct guided *g, const struct plan *plan, const struct record *record,
                      struct error *error)
{
    enum status st = playbook_go(&g->walk);
    if (st == ST_OK) {
        enter(g, plan, record);
        return ST_OK;
    }
    g->phase = GUIDED_READY;
    return st == ST_LIMIT ? too_often(error)
                          : error_set(error, st, 0, "%s", _("There is no way on from here."));
}

enum status guided_skip(struct guided *g, const struct plan *plan, const struct record *record,
                        struct error *error)
{
    enum status st = playbook_skip(&g->walk);
    if (st == ST_OK) {
        enter(g, plan, record);
        return ST_OK;
    }
    return st == ST_LIMIT
               ? too_often(error)
               : error_set(error, st, 0, "%s", _("This cannot be skipped. Choose an answer."));
}

bool guided_back(struct guided *g, const struct plan *plan, const struct record *record)
{
    if (g->phase == GUIDED_OUTCOME) {
        /* Back to what was about to be done. */
        g->walk.rule = NULL;
        enter(g, plan, record);
        return true;
    }
    if (!playbook_back(&g->walk)) {
        return false;
    }
    enter(g, plan, record);
    return true;
}

/* Straight on, unless there is something to read first. */
static enum status go_or_tell(struct guided *g, const struct plan *plan, const struct record *record,
                              struct error *error)
{
    if (g->walk.rule->explain != NULL) {
        g->phase = GUIDED_OUTCOME;
        return ST_OK;
    }
    return guided_go(g, plan, record, error);
}

enum status guided_choose(struct guided *g, size_t choice, const struct plan *plan,
                          const struct record *record, struct error *error)
{
    const struct playbook_node *n = playbook_node(&g->walk);
    if (choice >= n->choice_count) {
        return error_set(error, ST_INVALID, 0, "%s", _("There is no such answer."));
    }
    const struct playbook_outcome outcome = {n->choices[choice].name, ""};
    enum status st = playbook_decide(&g->walk, &outcome, 1);
    if (st != ST_OK) {
        return error_set(error, st, 0, "%s", _("There is no way on from here."));
    }
    /* The name of a choice is no cause. */
    g->walk.by[0] = '\0';
    return go_or_tell(g, plan, record, error);
}

static enum status take_answer(struct guided *g, const struct guided_field *field, const char *text,
                               struct plan *plan, struct error *error)
{
    if (field->accept == NULL) {
        if (text[strspn(text, " \t")] == '\0') {
            return error_set(error, ST_INVALID, 0, "%s", _("There is nothing to read yet."));
        }
        g->reply = guided_reply_read(text);
        return str_set(&g->pasted, text) == ST_OK
                   ? ST_OK
                   : error_set(error, ST_NOMEM, 0, "%s", _("Not enough memory."));
    }
    struct plan before;
    plan_init(&before);
    enum status st = plan_copy(&before, plan);
    st = st == ST_OK ? field->accept(plan, text, error)
                     : error_set(error, st, 0, "%s", _("Not enough memory."));
    if (st == ST_OK && field->target) {
        const char *const was[] = {before.domain, before.host}, *const is[] = {plan->domain, plan->host};
        for (size_t i = 0; i < ARRAY_LEN(was); i++) {
            const char *a = was[i] != NULL ? was[i] : "", *b = is[i] != NULL ? is[i] : "";
            g->fresh = g->fresh || strcmp(a, b) != 0;
        }
        g->fresh = g->fresh || before.port != plan->port || before.tls != plan->tls;
    }
    plan_free(&before);
    return st;
}

enum status guided_answer(struct guided *g, const char *text, struct plan *plan,
                          const struct record *record, struct error *error)
{
    const struct playbook_node *n = playbook_node(&g->walk);
    const struct guided_field *field = guided_field_find(n->field);
    if (field == NULL) {
        return error_set(error, ST_INVALID, 0, "%s", _("There is no such answer."));
    }
    enum status st = take_answer(g, field, text, plan, error);
    if (st != ST_OK) {
        return st;
    }
    if (playbook_set_fact(&g->walk, n->field, text) != ST_OK) {
        return error_set(error, ST_NOMEM, 0, "%s", _("Not enough memory."));
    }
    decide(g, plan, record);
    return go_or_tell(g, plan, record, error);
}

enum status guided_preset(const struct guided *g, const struct plan *plan, struct buf *out)
{
    const struct playbook_node *n = playbook_node(&g->walk);
    const struct guided_field *field = n->field != NULL ? guided_field_find(n->field) : NULL;
    return field != NULL ? field->preset(plan, out) : ST_OK;
}

/* The finding that the end is about: the worst of those that its patterns name. */
static const struct record_finding *find_cause(const struct guided *g, const struct record *record)
{
    const char *patterns = playbook_cause(&g->walk);
    const struct record_finding *found = NULL;
    for (size_t i = 0; i < record->finding_count && patterns != NULL; i++) {
        const struct record_finding *rf = &record->findings[i];
        const struct playbook_outcome outcome = {rf->f.kind->id, verdict_name(rf->f.verdict)};
        if (playbook_match(patterns, &outcome, 1) != SIZE_MAX &&
            (found == NULL || rf->f.verdict > found->f.verdict)) {
            found = rf;
        }
    }
    return found;
}

enum check_id guided_cause_step(const struct guided *g, const struct record *record)
{
    const struct record_finding *cause = find_cause(g, record);
    return cause != NULL ? cause->check : CHECK_NONE;
}

static bool names_reply(const struct guided *g)
{
    const struct reply_cause *cause = g->reply.cause;
    const char *patterns = playbook_cause(&g->walk);
    if (g->pasted == NULL || patterns == NULL) {
        return false;
    }
    const struct playbook_outcome outcome = {cause != NULL ? cause->id : GUIDED_REPLY_NONE,
                                             cause != NULL ? reply_class_name(cause->class) : ""};
    return playbook_match(patterns, &outcome, 1) != SIZE_MAX;
}

/* One text of the end, filled in; NULL stays NULL. */
static enum status fill_into(const struct guided *g, const char *text, unsigned flags, char **out)
{
    *out = NULL;
    if (text == NULL) {
        return ST_OK;
    }
    struct buf b;
    buf_init(&b, TEXT_MAX);
    enum status st = playbook_fill(&g->walk, text, flags, &b);
    if (st == ST_OK || st == ST_LIMIT) {
        st = str_set(out, buf_str(&b));
    }
    buf_free(&b);
    return st;
}

/* What of a ticket is the guide's own: to be freed. */
struct end_texts {
    char *title, *summary, *message, *todo[GUIDE_DO_MAX];
};

static void end_texts_free(struct end_texts *t)
{
    for (size_t i = 0; i < GUIDE_DO_MAX; i++) {
        free(t->todo[i]);
    }
    free(t->title);
    free(t->summary);
    free(t->message);
}

static enum status fill_ticket(const struct guided *g, const struct record *record, unsigned flags,
                               struct end_texts *t, struct report_ticket *out)
{
    const struct playbook_node *n = playbook_node(&g->walk);
    memset(t, 0, sizeof(*t));
    memset(out, 0, sizeof(*out));
    enum status st = fill_into(g, n->title, flags, &t->title);
    if (st == ST_OK) {
        st = fill_into(g, n->say, flags, &t->summary);
    }
    if (st == ST_OK) {
        st = fill_into(g, n->message, flags, &t->message);
    }
    for (size_t i = 0; i < n->todo_count && st == ST_OK; i++) {
        st = fill_into(g, n->todo[i].text, flags, &t->todo[i]);
        out->todo[i] = (struct guide_step){n->todo[i].who, t->todo[i]};
        out->todo_count = i + 1;
    }
    /* A refusal that was pasted is what the trouble is about; a finding of this run goes before it. */
    const struct record_finding *cause = find_cause(g, record);
    out->finding = cause != NULL ? &cause->f : NULL;
    if (out->finding == NULL && names_reply(g)) {
        out->reply = g->reply.cause;
        out->confidence = g->reply.confidence;
        out->basis = g->reply.basis;
        out->vendor = g->reply.vendor_spoke ? g->reply.vendor : NULL;
        out->pasted = g->pasted;
    }
    out->title = t->title;
    out->summary = t->summary;
    out->message = t->message;
    out->names_who = n->names_who;
    out->who = n->who;
    return st;
}

enum status guided_page(const struct guided *g, const struct record *record,
                        const struct report_options *options, struct report_page *out)
{
    struct end_texts texts;
    struct report_ticket ticket;
    memset(out, 0, sizeof(*out));
    enum status st =
        fill_ticket(g, record, options->ascii ? ESCAPE_ASCII : 0, &texts, &ticket);
    if (st == ST_OK) {
        st = report_ticket_page(record, options, &ticket, out);
    }
    end_texts_free(&texts);
    return st;
}

enum status guided_report(const struct guided *g, const struct record *record,
                          const struct report_options *options, struct buf *out)
{
    struct end_texts texts;
    struct report_ticket ticket;
    enum status st =
        fill_ticket(g, record, options->ascii ? ESCAPE_ASCII : 0, &texts, &ticket);
    if (st == ST_OK) {
        struct report_options with = *options;
        with.ticket = &ticket;
        st = report_build(record, &with, out);
    }
    end_texts_free(&texts);
    return st;
}
