/* A ticket as text and as Markdown. */
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "report_ticket.h"
#include "report_writer.h"
#include "text.h"

#define LABEL_COLUMNS 15

static void text_steps(struct writer *w, const struct report_page *page)
{
    const char *label = _("What to do");
    for (size_t i = 0; i < page->step_count; i++) {
        if (i == 0 || page->steps[i - 1].who != page->steps[i].who) {
            write_wrapped(w, label, LABEL_COLUMNS, report_who_heading(page->steps[i].who));
            label = "";
        }
        char point[32];
        snprintf(point, sizeof(point), "%*s%u.", LABEL_COLUMNS, "", (unsigned)i + 1);
        write_wrapped(w, point, LABEL_COLUMNS + (i < 9 ? 3 : 4), page->steps[i].text);
    }
}

static void text_proof(struct writer *w, const struct record *r, const struct report_page *page)
{
    if (page->finding != NULL && page->finding->evidence_count > 0) {
        char numbers[256], lines[320];
        report_evidence(page->finding, numbers, sizeof(numbers));
        snprintf(lines, sizeof(lines),
                 Q_("transcript line %s", "transcript lines %s", page->finding->evidence_count),
                 numbers);
        write_wrapped(w, _("Proof"), LABEL_COLUMNS, lines);
        report_quote_evidence(r, page->finding, w, 2);
    }
    if (page->pasted != NULL) {
        write_wrapped(w, _("Refusal"), LABEL_COLUMNS, page->pasted);
    }
}

static void rule(struct writer *w)
{
    for (int i = 0; i < REPORT_COLUMNS; i++) {
        write_raw(w, "-");
    }
    write_raw(w, "\n");
}

static void ticket_text(struct writer *w, const struct record *r, const struct report_page *page)
{
    write_raw(w, "smtpscope " SMTPSCOPE_VERSION "\n\n");
    if (page->demo) {
        write_wrapped(w, "DEMO", LABEL_COLUMNS, report_demo_sentence());
    }
    write_wrapped(w, _("Result"), LABEL_COLUMNS, page->title);
    if (page->summary != NULL) {
        write_wrapped(w, "", LABEL_COLUMNS, page->summary);
    }
    if (page->cause != NULL) {
        write_wrapped(w, _("Cause"), LABEL_COLUMNS, page->cause);
    }
    if (page->means != NULL) {
        write_wrapped(w, _("What it means"), LABEL_COLUMNS, page->means);
    }
    if (page->basis[0] != '\0') {
        write_wrapped(w, "", LABEL_COLUMNS, page->basis);
    }
    text_proof(w, r, page);
    write_wrapped(w, _("Who"), LABEL_COLUMNS, who_sentence(page->who));
    text_steps(w, page);
    if (page->reference[0] != '\0') {
        write_wrapped(w, _("Reference"), LABEL_COLUMNS, page->reference);
    }
    if (page->finding != NULL) {
        char id[128];
        snprintf(id, sizeof(id), "%s (%s)", page->finding->kind->id,
                 confidence_word(page->confidence));
        write_wrapped(w, _("Finding"), LABEL_COLUMNS, id);
    }
    write_raw(w, "\n");
    write_wrapped(w, "", 0, report_ticket_addressee(page->who));
    rule(w);
    write_raw(w, page->message);
    rule(w);
}

static void markdown_label(struct writer *w, const char *label)
{
    write_raw(w, "**");
    write_markdown(w, label);
    write_raw(w, ":**");
}

static void markdown_paragraph(struct writer *w, const char *label, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        markdown_label(w, label);
        write_raw(w, " ");
        write_markdown(w, text);
        write_raw(w, "\n\n");
    }
}

static void markdown_proof(struct writer *w, const struct record *r, const struct report_page *page)
{
    struct report_fence fence = {0};
    const struct finding *f = page->finding;
    bool lines = f != NULL && f->evidence_count > 0;
    if (!lines && page->pasted == NULL) {
        return;
    }
    for (size_t i = 0; lines && i < f->evidence_count; i++) {
        struct line line;
        if (lines_get(r->lines, f->evidence[i], &line)) {
            report_fence_look(&fence, line.text, line.len);
        }
    }
    if (page->pasted != NULL) {
        report_fence_look(&fence, page->pasted, strlen(page->pasted));
    }
    markdown_label(w, _("Proof"));
    write_raw(w, "\n\n");
    report_write_fence(w, &fence, "text");
    if (lines) {
        report_quote_evidence(r, f, w, 0);
    }
    if (page->pasted != NULL) {
        write_text(w, page->pasted);
        write_raw(w, "\n");
    }
    report_write_fence(w, &fence, "");
    write_raw(w, "\n");
}

static void markdown_steps(struct writer *w, const struct report_page *page)
{
    if (page->step_count == 0) {
        return;
    }
    markdown_label(w, _("What to do"));
    write_raw(w, "\n\n");
    for (size_t i = 0; i < page->step_count; i++) {
        if (i == 0 || page->steps[i - 1].who != page->steps[i].who) {
            write_raw(w, i == 0 ? "*" : "\n*");
            write_markdown(w, report_who_heading(page->steps[i].who));
            write_raw(w, "*\n\n");
        }
        write_rawf(w, "%u. ", (unsigned)i + 1);
        write_markdown(w, page->steps[i].text);
        write_raw(w, "\n");
    }
    write_raw(w, "\n");
}

static void ticket_markdown(struct writer *w, const struct record *r, const struct report_page *page)
{
    struct report_fence fence = {0};
    write_raw(w, "# ");
    write_markdown(w, page->title);
    write_raw(w, "\n\n");
    if (page->demo) {
        write_raw(w, "**DEMO.** ");
        write_markdown(w, report_demo_sentence());
        write_raw(w, "\n\n");
    }
    if (page->summary != NULL) {
        write_markdown(w, page->summary);
        write_raw(w, "\n\n");
    }
    markdown_paragraph(w, _("Cause"), page->cause);
    markdown_paragraph(w, _("What it means"), page->means);
    if (page->basis[0] != '\0') {
        write_markdown(w, page->basis);
        write_raw(w, "\n\n");
    }
    markdown_proof(w, r, page);
    markdown_paragraph(w, _("Who"), who_sentence(page->who));
    markdown_steps(w, page);
    markdown_paragraph(w, _("Reference"), page->reference);
    if (page->finding != NULL) {
        write_rawf(w, "`%s` (", page->finding->kind->id);
        write_markdown(w, confidence_word(page->confidence));
        write_raw(w, ")\n\n");
    }
    write_raw(w, "## ");
    write_markdown(w, report_ticket_addressee(page->who));
    write_raw(w, "\n\n");
    report_fence_look(&fence, page->message, strlen(page->message));
    report_write_fence(w, &fence, "text");
    write_raw(w, page->message);
    report_write_fence(w, &fence, "");
    write_raw(w, "\nsmtpscope " SMTPSCOPE_VERSION "\n");
}

enum status report_ticket(const struct record *r, const struct report_options *o, struct buf *out)
{
    struct report_ticket worst;
    struct report_page page;
    const struct report_ticket *ticket = o->ticket;
    if (ticket == NULL) {
        report_ticket_worst(r, &worst);
        ticket = &worst;
    }
    enum status st = report_ticket_page(r, o, ticket, &page);
    if (st != ST_OK) {
        return st;
    }
    struct writer w = {out, o->ascii ? ESCAPE_ASCII : 0, ST_OK};
    if (o->format == REPORT_TICKET_MARKDOWN) {
        ticket_markdown(&w, r, &page);
    } else {
        ticket_text(&w, r, &page);
    }
    report_page_free(&page);
    return w.st;
}
