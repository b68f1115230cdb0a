#include "spoken.h"

#include <stdio.h>
#include <string.h>

#include "report.h"
#include "text.h"

#define LINE_MAX_BYTES ((size_t)8 << 20)
#define PROOF_LINES 6

static const char *const verdict_words[] = {
    [VERDICT_PENDING] = N_("not done"),   [VERDICT_RUNNING] = N_("running"),
    [VERDICT_SKIPPED] = N_("skipped"), [VERDICT_ASK] = N_("needs consent"),
    [VERDICT_OK] = N_("ok"),           [VERDICT_NOTE] = N_("ok, with a note"),
    [VERDICT_STOPPED] = N_("stopped"), [VERDICT_INCONCLUSIVE] = N_("could not be tested"),
    [VERDICT_WARN] = N_("warning"),    [VERDICT_FAIL] = N_("failed"),
};

/* How to give the consent that a step waits for. */
static const char *consent_option(enum check_id id)
{
    switch (checks[id].risk) {
    case RISK_RELAY:
        return "--relay-test";
    case RISK_LOGIN:
        return "--auth-user";
    case RISK_SEND:
        return "--send";
    case RISK_SAFE:
        break;
    }
    return "";
}

static void speak_started(const struct spoken *s, const struct event *e)
{
    char time[32];
    clock_iso8601(e->u.started.wall_us, time, sizeof(time));
    const char *target = e->u.started.target != NULL ? e->u.started.target : "";
    if (e->u.started.demo) {
        out_line(s->out, _("Practice: this network exists only inside smtpscope (DEMO)."));
    }
    out_line(s->out, _("Target: %s, %s, smtpscope %s"), target, time, SMTPSCOPE_VERSION);
}

static void speak_line(const struct spoken *s, const struct event *e)
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
    struct buf text;
    buf_init(&text, LINE_MAX_BYTES);
    if (report_line(&line, s->out->ascii, &text) == ST_OK) {
        out_line(s->out, "%s", buf_str(&text));
    }
    buf_free(&text);
}

static void speak_result(const struct spoken *s, const struct event *e)
{
    if (e->check >= CHECK_COUNT) {
        return;
    }
    const char *title = _(checks[e->check].title);
    enum verdict verdict = e->u.step.verdict;
    if (verdict == VERDICT_SKIPPED && e->u.step.because < CHECK_COUNT) {
        out_line(s->out, _("Result: %s: skipped, because of %s"), title,
                 _(checks[e->u.step.because].title));
    } else if (verdict == VERDICT_ASK) {
        out_line(s->out, _("Result: %s: not done, it needs consent (%s)"), title,
                 consent_option(e->check));
    } else if (verdict == VERDICT_SKIPPED) {
        out_line(s->out, _("Result: %s: skipped"), title);
    } else {
        out_line(s->out, _("Result: %s: %s, %lld ms"), title, _(verdict_words[verdict]),
                 (long long)(e->u.step.elapsed_us / US_PER_MS));
    }
}

static void speak_replay(const struct spoken *s, const struct event *e)
{
    char sentence[256];
    replay_sentence(&e->u.replay, sentence, sizeof(sentence));
    /* The lines themselves say which step is played. */
    if (e->u.replay.state != REPLAY_PLAYING || s->verbose) {
        out_line(s->out, "%s", sentence);
    }
}

void spoken_event(const struct spoken *s, const struct event *e)
{
    if (s->quiet) {
        return;
    }
    switch (e->kind) {
    case EVENT_RUN_STARTED:
        speak_started(s, e);
        break;
    case EVENT_STEP_STARTED:
        if (e->check < CHECK_COUNT) {
            out_line(s->out, _("Check: %s"), _(checks[e->check].title));
        }
        break;
    case EVENT_LINE:
        speak_line(s, e);
        break;
    case EVENT_STEP_DONE:
        speak_result(s, e);
        break;
    case EVENT_MARK:
    case EVENT_WAIT:
    case EVENT_FINDING:
    case EVENT_FACTS:
    case EVENT_ANSWER:
    case EVENT_DIAL:
    case EVENT_SESSION:
    case EVENT_RUN_DONE:
    case EVENT_SUSPENDED:
        break;
    case EVENT_REPLAY:
        speak_replay(s, e);
        break;
    }
}

static void blank_line(const struct spoken *s)
{
    if (s->out->begun) {
        out_line(s->out, "%s", "");
    }
}

static void speak_proof(const struct spoken *s, const struct record *r, const struct finding *f)
{
    for (size_t i = 0; i < f->evidence_count && i < PROOF_LINES; i++) {
        struct line line;
        struct buf text;
        buf_init(&text, LINE_MAX_BYTES);
        if (lines_get(r->lines, f->evidence[i], &line) &&
            report_line(&line, s->out->ascii, &text) == ST_OK) {
            if (i == 0) {
                out_line(s->out, "  %s", _("Proof:"));
            }
            out_line(s->out, "  %s", buf_str(&text));
        }
        buf_free(&text);
    }
}

static void speak_advice(const struct spoken *s, const struct finding *f,
                         const struct guide_text *text)
{
    if (f->typed) {
        out_paragraph(s->out, "  ",
                      _("This was found in what was typed by hand; the step's own result does not "
                        "rest on it."));
    }
    if (text->means != NULL && text->means[0] != '\0') {
        out_paragraph(s->out, "  ", text->means);
    }
    for (size_t i = 0; i < text->step_count; i++) {
        struct buf lead;
        buf_init(&lead, 64);
        if (buf_addf(&lead, "  %zu. ", i + 1) == ST_OK) {
            out_paragraph(s->out, buf_str(&lead), text->steps[i].text);
        }
        buf_free(&lead);
    }
}

static void speak_finding(const struct spoken *s, const struct record *r,
                          const struct record_finding *rf, const struct guide *guide)
{
    const struct finding *f = &rf->f;
    struct guide_text text;
    char basis[GUIDE_BASIS_MAX];
    if (guide_finding(guide, f, s->out->ascii, &text) != ST_OK) {
        out_line(s->out, "%s: %s", _(verdict_words[f->verdict]), f->kind->id);
        return;
    }
    blank_line(s);
    out_line(s->out, _("Finding (%s): %s"), _(verdict_words[f->verdict]),
             text.title != NULL ? text.title : f->kind->id);
    speak_advice(s, f, &text);
    guide_basis(f, basis, sizeof(basis));
    if (basis[0] != '\0') {
        out_paragraph(s->out, "  ", basis);
    }
    speak_proof(s, r, f);
    if (f->who != WHO_NOBODY) {
        out_paragraph(s->out, "  ", who_sentence(f->who));
    }
    if (f->kind->reference[0] != '\0') {
        out_line(s->out, _("  Reference: %s (%s, %s)"), f->kind->reference, f->kind->id,
                 confidence_word(f->confidence));
    } else {
        out_line(s->out, "  %s (%s)", f->kind->id, confidence_word(f->confidence));
    }
    guide_text_free(&text);
}

void spoken_findings(const struct spoken *s, const struct record *r, const struct guide *guide)
{
    static const enum verdict order[] = {VERDICT_FAIL, VERDICT_WARN, VERDICT_INCONCLUSIVE,
                                         VERDICT_NOTE, VERDICT_OK};
    for (size_t k = 0; k < ARRAY_LEN(order); k++) {
        if (order[k] == VERDICT_OK && !s->verbose) {
            continue;
        }
        for (size_t i = 0; i < r->finding_count; i++) {
            if (r->findings[i].f.verdict == order[k]) {
                speak_finding(s, r, &r->findings[i], guide);
            }
        }
    }
}

void spoken_summary(const struct spoken *s, const struct record *r)
{
    unsigned ok, warn, fail, skip, ask;
    record_counts(r, &ok, &warn, &fail, &skip, &ask);
    long long ms = (long long)(r->elapsed_us / US_PER_MS);
    char target[FINDING_ARG_TEXT_MAX];
    /* The only line of a quiet run, so the mark of practice is in it, too. */
    snprintf(target, sizeof(target), "%s%s", r->demo ? "DEMO " : "",
             r->target != NULL ? r->target : "");
    blank_line(s);
    out_line(s->out,
             _("Summary: %s: %s. %u ok, %u warnings, %u failed, %u skipped, %u without consent; "
               "%lld.%03lld s."),
             target, _(verdict_words[r->verdict]), ok, warn, fail, skip,
             ask, ms / 1000, ms % 1000);
}
