#include "report_writer.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"

#define LABEL_COLUMNS 15

static void write_heading(struct writer *w, const char *text)
{
    write_raw(w, "\n");
    write_text(w, text);
    write_raw(w, "\n");
    for (size_t i = escape_columns(text, strlen(text), w->flags); i > 0; i--) {
        write_raw(w, "-");
    }
    write_raw(w, "\n");
}

static void write_header(struct writer *w, const struct record *r, const struct report_options *o)
{
    struct report_header_row rows[REPORT_HEADER_ROWS];
    size_t count = report_header(r, o, rows);
    write_raw(w, "smtpscope " SMTPSCOPE_VERSION "\n\n");
    for (size_t i = 0; i < count; i++) {
        write_wrapped(w, rows[i].label, LABEL_COLUMNS, rows[i].text);
    }
}

static void write_padded(struct writer *w, const char *text, size_t columns)
{
    size_t width = escape_columns(text, strlen(text), w->flags);
    write_text(w, text);
    write_spaces(w, columns > width ? columns - width : 0);
}

static void write_titles(struct writer *w, const struct record *r, const struct report_options *o,
                         enum check_id check)
{
    for (size_t i = 0; i < r->finding_count && w->st == ST_OK; i++) {
        struct guide_text text;
        if (r->findings[i].check != check || report_is_told(r, &r->findings[i])) {
            continue;
        }
        w->st = guide_finding(o->guide, &r->findings[i].f, o->ascii, &text);
        if (w->st == ST_OK) {
            write_wrapped(w, "", 4, text.title);
            guide_text_free(&text);
        }
    }
}

static void write_steps(struct writer *w, const struct record *r, const struct report_options *o)
{
    write_heading(w, _("STEPS"));
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        const struct record_step *step = &r->steps[i];
        char time[32];
        report_step_time(step, time, sizeof(time));
        write_raw(w, report_verdict_mark(step->verdict));
        write_raw(w, " ");
        write_padded(w, _(checks[i].title), 20);
        write_raw(w, " ");
        write_padded(w, report_verdict_word(step->verdict), time[0] != '\0' ? 8 : 0);
        if (time[0] != '\0') {
            write_rawf(w, " %12s", time);
        }
        write_raw(w, "\n");
        if (step->verdict == VERDICT_SKIPPED && step->because < CHECK_COUNT) {
            char text[256];
            snprintf(text, sizeof(text), _("because \"%s\" did not succeed"),
                     _(checks[step->because].title));
            write_wrapped(w, "", 4, text);
        }
        write_titles(w, r, o, (enum check_id)i);
    }
}

static void write_todo(struct writer *w, const struct guide_text *text)
{
    size_t order[GUIDE_DO_MAX];
    const char *label = _("What to do");
    guide_group_steps(text->steps, text->step_count, order);
    for (size_t i = 0; i < text->step_count; i++) {
        const struct guide_step *step = &text->steps[order[i]];
        if (i == 0 || text->steps[order[i - 1]].who != step->who) {
            write_wrapped(w, label, LABEL_COLUMNS, report_who_heading(step->who));
            label = "";
        }
        char point[32];
        snprintf(point, sizeof(point), "%*s%u.", LABEL_COLUMNS, "", (unsigned)i + 1);
        write_wrapped(w, point, LABEL_COLUMNS + (i < 9 ? 3 : 4), step->text);
    }
}

static void write_finding(struct writer *w, const struct record *r, const struct report_options *o,
                          const struct finding *f, unsigned number)
{
    struct guide_text text;
    char label[GUIDE_BASIS_MAX];
    w->st = guide_finding(o->guide, f, o->ascii, &text);
    if (w->st != ST_OK) {
        return;
    }
    write_raw(w, "\n");
    snprintf(label, sizeof(label), "%u. %s:", number, report_verdict_word(f->verdict));
    size_t width = escape_columns(label, strlen(label), w->flags);
    write_wrapped(w, label, width + 1, text.title);
    write_wrapped(w, _("What it means"), LABEL_COLUMNS, text.means);
    guide_basis(f, label, sizeof(label));
    if (label[0] != '\0') {
        write_wrapped(w, "", LABEL_COLUMNS, label);
    }
    write_todo(w, &text);
    if (f->typed) {
        write_wrapped(w, _("Typed"), LABEL_COLUMNS, report_typed_sentence());
    }
    write_wrapped(w, _("Who"), LABEL_COLUMNS, who_sentence(f->who));
    if (f->evidence_count > 0) {
        char numbers[256];
        char lines[320];
        report_evidence(f, numbers, sizeof(numbers));
        snprintf(lines, sizeof(lines),
                 Q_("transcript line %s", "transcript lines %s", f->evidence_count), numbers);
        write_wrapped(w, _("Evidence"), LABEL_COLUMNS, lines);
        report_quote_evidence(r, f, w, 2);
    }
    if (f->kind->reference[0] != '\0') {
        write_wrapped(w, _("Reference"), LABEL_COLUMNS, f->kind->reference);
        if (text.link != NULL) {
            write_wrapped(w, "", LABEL_COLUMNS, text.link);
        }
    }
    snprintf(label, sizeof(label), "%s (%s)", f->kind->id, confidence_word(f->confidence));
    write_wrapped(w, _("Finding"), LABEL_COLUMNS, label);
    guide_text_free(&text);
}

static void write_findings(struct writer *w, const struct record *r, const struct report_options *o)
{
    size_t order[RECORD_FINDINGS_MAX];
    size_t count = report_problems(r, order);
    write_heading(w, _("FINDINGS"));
    for (size_t i = 0; i < count && w->st == ST_OK; i++) {
        write_finding(w, r, o, &r->findings[order[i]].f, (unsigned)i + 1);
    }
    if (count == 0) {
        write_wrapped(w, "", 0, _("No problem was found in the steps that were run."));
    }
    if (r->findings_dropped > 0) {
        write_wrapped(w, "", 0, _("There were more findings than could be kept."));
    }
}

enum status report_text(const struct record *r, const struct report_options *o, struct buf *out)
{
    struct writer w = {out, o->ascii ? ESCAPE_ASCII : 0, ST_OK};
    write_header(&w, r, o);
    write_steps(&w, r, o);
    write_findings(&w, r, o);
    write_heading(&w, _("TRANSCRIPT"));
    write_wrapped(
        &w, "", 0,
        _("Line, seconds, direction: C: client, S: server (C~ and S~ inside TLS), == facts "
          "about TLS, -- notes. An exclamation mark stands before lines that a verdict "
          "rests on. Bytes that cannot be shown are written like \\x1b."));
    write_raw(&w, "\n");
    report_each_line(r, report_write_line, &w);
    if (r->demo) {
        write_raw(&w, "\nDEMO: ");
        write_text(&w, report_demo_sentence());
        write_raw(&w, "\n");
    }
    return w.st;
}
