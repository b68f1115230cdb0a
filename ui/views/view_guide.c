/* The guided mode as it is seen: a node, what came of it, or the last page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "escape.h"
#include "text.h"
#include "textbox.h"
#include "views.h"

#define TEXT_MAX (32u << 10)
#define LINE_TEXT_MAX 4096
#define QUOTE_MAX 512
#define FIELD_ITEM 0

static void add_filled(struct app *a, struct parts *p, const char *label, enum role role,
                       const char *text, int item)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    enum status st =
        playbook_fill(&a->guide_pane.guided.walk, text, a->ascii ? ESCAPE_ASCII : 0, &b);
    if (st == ST_OK || st == ST_LIMIT) {
        parts_add_item(p, label, role, buf_str(&b), item);
    }
    buf_free(&b);
}

static void add_why(struct app *a, struct parts *p, const struct playbook_node *n)
{
    if (a->guide_pane.why) {
        add_filled(a, p, _("Why"), ROLE_TEXT, n->why, PARTS_NO_ITEM);
    }
}

static void ready_parts(struct app *a, struct parts *p, const struct playbook_node *n)
{
    const struct guided *g = &a->guide_pane.guided;
    switch (n->kind) {
    case PLAYBOOK_RUN:
        add_filled(a, p, _("Next"), ROLE_TEXT, n->say, PARTS_NO_ITEM);
        add_why(a, p, n);
        if (guided_wants(g, &a->record) == 0) {
            parts_add(p, "", ROLE_TEXT,
                      _("This run has done it already: Enter reads what came of it, x does it "
                        "again."));
        }
        parts_add(p, _("Keys"), ROLE_DIM,
                  _("Enter does it   o skips it   w why   b back   Esc leaves the guide"));
        break;
    case PLAYBOOK_CHOICE:
        add_filled(a, p, "", ROLE_TEXT, n->say, PARTS_NO_ITEM);
        add_why(a, p, n);
        add_filled(a, p, _("Ask"), ROLE_BOLD, n->question, PARTS_NO_ITEM);
        for (size_t i = 0; i < n->choice_count; i++) {
            add_filled(a, p, "", ROLE_TEXT, n->choices[i].text, (int)i);
        }
        parts_add(p, _("Keys"), ROLE_DIM,
                  _("Up, Down choose   Enter answers   w why   b back   Esc leaves the guide"));
        break;
    case PLAYBOOK_FIELD:
        add_filled(a, p, "", ROLE_TEXT, n->say, PARTS_NO_ITEM);
        add_why(a, p, n);
        add_filled(a, p, _("Ask"), ROLE_BOLD, n->question, PARTS_NO_ITEM);
        parts_add_item(p, "", ROLE_TEXT, " ", FIELD_ITEM);
        parts_add(p, _("Keys"), ROLE_DIM,
                  a->guide_pane.editing
                      ? _("Enter answers   Esc leaves the field, then: b back, w why")
                      : _("Enter goes into the field   o skips it   w why   b back   Esc leaves "
                          "the guide"));
        break;
    default:
        break;
    }
}

/* What the steps of this node have found, the worst first. */
static void add_findings(struct app *a, struct parts *p, uint64_t steps)
{
    for (int v = VERDICT_FAIL; v >= VERDICT_SKIPPED; v--) {
        for (size_t i = 0; i < a->record.finding_count; i++) {
            const struct record_finding *rf = &a->record.findings[i];
            struct guide_text text;
            if ((int)rf->f.verdict != v || (steps >> rf->check & 1u) == 0 || a->guide == NULL ||
                guide_finding(a->guide, &rf->f, a->ascii, &text) != ST_OK) {
                continue;
            }
            parts_add(p, state_word(rf->f.verdict),
                      v >= VERDICT_INCONCLUSIVE ? ROLE_PROBLEM : ROLE_TEXT, text.title);
            guide_text_free(&text);
        }
    }
}

static void outcome_parts(struct app *a, struct parts *p)
{
    const struct guided *g = &a->guide_pane.guided;
    add_filled(a, p, _("So"), ROLE_BOLD, g->walk.rule->explain, PARTS_NO_ITEM);
    add_findings(a, p, guided_steps(g));
    parts_add(p, _("Keys"), ROLE_DIM,
              guided_steps(g) != 0
                  ? _("Enter goes on   x does it again   b back   Esc leaves the guide")
                  : _("Enter goes on   b back   Esc leaves the guide"));
}

static void quote_line(const struct app *a, uint32_t number, char *out, size_t size)
{
    struct line line;
    struct buf text;
    buf_init(&text, 64 * 1024);
    out[0] = '\0';
    if (lines_get(a->record.lines, number, &line) &&
        report_line(&line, a->ascii, &text) == ST_OK) {
        char quote[QUOTE_MAX];
        str_copy(quote, sizeof(quote), buf_str(&text) + strspn(buf_str(&text), " "));
        snprintf(out, size, "%u  %s", (unsigned)number, quote);
    }
    buf_free(&text);
}

static void add_page_steps(struct parts *p, const struct report_page *page)
{
    char line[LINE_TEXT_MAX];
    const char *label = _("Do");
    for (size_t i = 0; i < page->step_count; i++) {
        if (i == 0 || page->steps[i - 1].who != page->steps[i].who) {
            parts_add(p, label, ROLE_TEXT, report_who_heading(page->steps[i].who));
            label = "";
        }
        snprintf(line, sizeof(line), "%zu. %s", i + 1, page->steps[i].text);
        parts_add(p, "", ROLE_TEXT, line);
    }
}

/* The page, or false when there is no memory for it. */
static bool build_page(struct app *a, struct report_page *page)
{
    const struct report_options o = {.format = REPORT_TICKET,
                                     .ascii = a->ascii,
                                     .plan = &a->plan,
                                     .guide = a->guide,
                                     .english_guide = a->guide};
    return a->guide != NULL &&
           guided_page(&a->guide_pane.guided, &a->record, &o, page) == ST_OK;
}

size_t guide_proof(struct app *a, uint32_t lines[FINDING_EVIDENCE_MAX])
{
    struct report_page page;
    size_t count = 0;
    if (!build_page(a, &page)) {
        return 0;
    }
    for (size_t i = 0; page.finding != NULL && i < page.finding->evidence_count; i++) {
        lines[count++] = page.finding->evidence[i];
    }
    report_page_free(&page);
    return count;
}

static void page_parts(struct app *a, struct parts *p)
{
    struct report_page page;
    char line[LINE_TEXT_MAX];
    if (!build_page(a, &page)) {
        parts_add(p, "", ROLE_TEXT, _("Not enough memory."));
        return;
    }
    int item = 0;
    parts_add(p, _("Result"), ROLE_BOLD, page.title);
    parts_add(p, "", ROLE_TEXT, page.summary);
    parts_add(p, page.finding != NULL ? state_word(page.verdict) : _("Cause"), ROLE_PROBLEM, page.cause);
    parts_add(p, _("Means"), ROLE_TEXT, page.means);
    parts_add(p, _("Basis"), ROLE_TEXT, page.basis);
    for (size_t i = 0; page.finding != NULL && i < page.finding->evidence_count; i++) {
        quote_line(a, page.finding->evidence[i], line, sizeof(line));
        parts_add_item(p, i == 0 ? _("Proof") : "", ROLE_TEXT, line, item++);
    }
    if (page.pasted != NULL) {
        escape_copy(line, sizeof(line), page.pasted, strlen(page.pasted), a->ascii ? ESCAPE_ASCII : 0);
        parts_add(p, _("Proof"), ROLE_TEXT, line);
    }
    parts_add(p, _("Who"), ROLE_TEXT, who_sentence(page.who));
    add_page_steps(p, &page);
    if (page.reference[0] != '\0') {
        parts_add(p, _("Ref"), ROLE_TEXT, page.reference);
    }
    size_t at = p->count;
    parts_add(p, _("Text"), ROLE_BOLD, report_ticket_addressee(page.who));
    parts_gap(p, at);
    parts_add(p, "", ROLE_TEXT, page.message);
    at = p->count;
    parts_add_item(p, _("Do"), ROLE_BUTTON, _("< Save this page as a ticket >   (e)"), item++);
    parts_gap(p, at);
    parts_add_item(p, "", ROLE_BUTTON, _("< Look at another symptom >   (B)"), item);
    parts_add(p, _("Keys"), ROLE_DIM,
              _("Up, Down move   Enter opens   b back   z smaller   Esc leaves the guide"));
    report_page_free(&page);
}

void guide_parts(struct app *a, struct parts *out)
{
    const struct guided *g = &a->guide_pane.guided;
    const struct playbook_node *n = guided_node(g);
    out->count = 0;
    switch (g->phase) {
    case GUIDED_OFF:
        break;
    case GUIDED_READY:
        ready_parts(a, out, n);
        break;
    case GUIDED_BUSY:
        add_filled(a, out, _("Now"), ROLE_TEXT, n->say, PARTS_NO_ITEM);
        parts_add(out, _("Keys"), ROLE_DIM, _("F8 or Ctrl-C stops it"));
        break;
    case GUIDED_OUTCOME:
        outcome_parts(a, out);
        break;
    case GUIDED_END:
        page_parts(a, out);
        break;
    }
}

static void draw_field(struct app *a, struct canvas *c, struct rect body, const struct parts *p)
{
    struct rect row = parts_item_rect(p, body, &a->guide_pane.view, FIELD_ITEM);
    bool focus = guide_edits(a) && a->dialog_count == 0 && a->ask == ASK_NOTHING;
    if (row.w < 4) {
        return;
    }
    canvas_str(c, row, row.x, row.y, ROLE_TEXT, "[");
    canvas_str(c, row, row.x + row.w - 1, row.y, ROLE_TEXT, "]");
    edit_draw(c, (struct rect){row.x + 1, row.y, row.w - 2, 1}, &a->guide_pane.field, focus);
}

void view_guide(struct app *a, struct canvas *c, struct rect body)
{
    struct parts *parts = calloc(1, sizeof(*parts));
    if (parts == NULL) {
        return;
    }
    guide_parts(a, parts);
    bool focus = a->wish.focus == PANE_ADVICE && a->dialog_count == 0 && a->ask == ASK_NOTHING;
    parts_draw(parts, c, body, &a->guide_pane.view, focus);
    const struct playbook_node *n = guided_node(&a->guide_pane.guided);
    if (n->kind == PLAYBOOK_FIELD && a->guide_pane.guided.phase == GUIDED_READY) {
        draw_field(a, c, body, parts);
    }
    parts_free(parts);
    free(parts);
}
