#include "report_writer.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"

static void write_row(struct writer *w, const char *a, const char *b)
{
    write_raw(w, "| ");
    write_markdown(w, a);
    write_raw(w, " | ");
    write_markdown(w, b);
    write_raw(w, " |\n");
}

static void write_header(struct writer *w, const struct record *r, const struct report_options *o)
{
    struct report_header_row rows[REPORT_HEADER_ROWS];
    size_t count = report_header(r, o, rows);
    write_raw(w, "# smtpscope " SMTPSCOPE_VERSION "\n\n");
    if (r->demo) {
        write_raw(w, "**DEMO.** ");
        write_markdown(w, report_demo_sentence());
        write_raw(w, "\n\n");
    }
    write_raw(w, "| | |\n| --- | --- |\n");
    for (size_t i = r->demo ? 1 : 0; i < count; i++) {
        write_row(w, rows[i].label, rows[i].text);
    }
}

static void write_heading(struct writer *w, const char *text)
{
    write_raw(w, "\n## ");
    write_markdown(w, text);
    write_raw(w, "\n\n");
}

static void write_titles(struct writer *w, const struct record *r, const struct report_options *o,
                         enum check_id check)
{
    const char *between = "";
    for (size_t i = 0; i < r->finding_count && w->st == ST_OK; i++) {
        struct guide_text text;
        if (r->findings[i].check != check || report_is_told(r, &r->findings[i])) {
            continue;
        }
        w->st = guide_finding(o->guide, &r->findings[i].f, o->ascii, &text);
        if (w->st == ST_OK) {
            write_raw(w, between);
            write_markdown(w, text.title);
            guide_text_free(&text);
            between = "<br>";
        }
    }
}

static void write_steps(struct writer *w, const struct record *r, const struct report_options *o)
{
    write_heading(w, _("Steps"));
    write_raw(w, "| ");
    write_markdown(w, _("Step"));
    write_raw(w, " | ");
    write_markdown(w, _("Result"));
    write_raw(w, " | ");
    write_markdown(w, _("Time"));
    write_raw(w, " | ");
    write_markdown(w, _("What was found"));
    write_raw(w, " |\n| --- | --- | ---: | --- |\n");
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        const struct record_step *step = &r->steps[i];
        char time[32];
        report_step_time(step, time, sizeof(time));
        write_raw(w, "| ");
        write_markdown(w, _(checks[i].title));
        write_raw(w, " | ");
        write_markdown(w, report_verdict_word(step->verdict));
        write_rawf(w, " | %s | ", time);
        if (step->verdict == VERDICT_SKIPPED && step->because < CHECK_COUNT) {
            char text[256];
            snprintf(text, sizeof(text), _("because \"%s\" did not succeed"),
                     _(checks[step->because].title));
            write_markdown(w, text);
            write_raw(w, " ");
        }
        write_titles(w, r, o, (enum check_id)i);
        write_raw(w, " |\n");
    }
}

static void write_evidence(struct writer *w, const struct record *r, const struct finding *f)
{
    struct report_fence fence = {0};
    char numbers[256];
    report_evidence(f, numbers, sizeof(numbers));
    write_raw(w, "**");
    write_markdown(w, _("Evidence"));
    write_rawf(w, ":** %s\n\n", numbers);
    for (size_t i = 0; i < f->evidence_count; i++) {
        struct line line;
        if (lines_get(r->lines, f->evidence[i], &line)) {
            report_fence_look(&fence, line.text, line.len);
        }
    }
    report_write_fence(w, &fence, "text");
    report_quote_evidence(r, f, w, 0);
    report_write_fence(w, &fence, "");
    write_raw(w, "\n");
}

static void write_todo(struct writer *w, const struct guide_text *text)
{
    size_t order[GUIDE_DO_MAX];
    guide_group_steps(text->steps, text->step_count, order);
    for (size_t i = 0; i < text->step_count; i++) {
        const struct guide_step *step = &text->steps[order[i]];
        if (i == 0 || text->steps[order[i - 1]].who != step->who) {
            write_raw(w, i == 0 ? "*" : "\n*");
            write_markdown(w, report_who_heading(step->who));
            write_raw(w, "*\n\n");
        }
        write_rawf(w, "%u. ", (unsigned)i + 1);
        write_markdown(w, step->text);
        write_raw(w, "\n");
    }
    write_raw(w, "\n");
}

/* A link is only made of what can stand in one without being escaped. */
static bool is_plain_link(const char *link)
{
    for (; *link != '\0'; link++) {
        bool letter = (*link >= 'a' && *link <= 'z') || (*link >= 'A' && *link <= 'Z') ||
                      (*link >= '0' && *link <= '9');
        if (!letter && strchr(":/.-_#?=%", *link) == NULL) {
            return false;
        }
    }
    return true;
}

static void write_reference(struct writer *w, const struct finding *f, const char *link)
{
    if (f->kind->reference[0] == '\0') {
        return;
    }
    write_raw(w, "**");
    write_markdown(w, _("Reference"));
    write_raw(w, ":** ");
    bool linked = link != NULL && is_plain_link(link);
    write_raw(w, linked ? "[" : "");
    write_markdown(w, f->kind->reference);
    if (linked) {
        write_rawf(w, "](%s)", link);
    }
    write_raw(w, "\n\n");
}

static void write_finding(struct writer *w, const struct record *r, const struct report_options *o,
                          const struct finding *f, unsigned number)
{
    struct guide_text text;
    char basis[GUIDE_BASIS_MAX];
    w->st = guide_finding(o->guide, f, o->ascii, &text);
    if (w->st != ST_OK) {
        return;
    }
    write_rawf(w, "### %u. ", number);
    write_markdown(w, report_verdict_word(f->verdict));
    write_raw(w, ": ");
    write_markdown(w, text.title);
    write_raw(w, "\n\n**");
    write_markdown(w, _("What it means"));
    write_raw(w, ":** ");
    write_markdown(w, text.means);
    write_raw(w, " ");
    guide_basis(f, basis, sizeof(basis));
    if (basis[0] != '\0') {
        write_markdown(w, basis);
        write_raw(w, " ");
    }
    write_markdown(w, who_sentence(f->who));
    if (f->typed) {
        write_raw(w, " ");
        write_markdown(w, report_typed_sentence());
    }
    write_raw(w, "\n\n");
    if (text.step_count > 0) {
        write_raw(w, "**");
        write_markdown(w, _("What to do"));
        write_raw(w, ":**\n\n");
        write_todo(w, &text);
    }
    if (f->evidence_count > 0) {
        write_evidence(w, r, f);
    }
    write_reference(w, f, text.link);
    write_rawf(w, "`%s` (", f->kind->id);
    write_markdown(w, confidence_word(f->confidence));
    write_raw(w, ")\n\n");
    guide_text_free(&text);
}

static void write_findings(struct writer *w, const struct record *r, const struct report_options *o)
{
    size_t order[RECORD_FINDINGS_MAX];
    size_t count = report_problems(r, order);
    write_heading(w, _("Findings"));
    for (size_t i = 0; i < count && w->st == ST_OK; i++) {
        write_finding(w, r, o, &r->findings[order[i]].f, (unsigned)i + 1);
    }
    if (count == 0) {
        write_markdown(w, _("No problem was found in the steps that were run."));
        write_raw(w, "\n");
    }
    if (r->findings_dropped > 0) {
        write_markdown(w, _("There were more findings than could be kept."));
        write_raw(w, "\n");
    }
}

static bool look_at_line(void *ctx, const struct line *line)
{
    report_fence_look(ctx, line->text, line->len);
    return true;
}

static void write_transcript(struct writer *w, const struct record *r)
{
    struct report_fence fence = {0};
    report_each_line(r, look_at_line, &fence);
    report_write_fence(w, &fence, "text");
    report_each_line(r, report_write_line, w);
    report_write_fence(w, &fence, "");
}

enum status report_markdown(const struct record *r, const struct report_options *o, struct buf *out)
{
    struct writer w = {out, o->ascii ? ESCAPE_ASCII : 0, ST_OK};
    write_header(&w, r, o);
    write_steps(&w, r, o);
    write_findings(&w, r, o);
    write_heading(&w, _("Transcript"));
    write_transcript(&w, r);
    return w.st;
}
