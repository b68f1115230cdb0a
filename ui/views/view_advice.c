#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "lessons.h"
#include "text.h"
#include "views.h"

#define PART_TEXT_MAX 4096
#define ADVICE_FINDINGS_MAX 64

/* "20-23, 31" */
static void proof_text(const struct finding *f, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->evidence_count && at + 32 < size;) {
        size_t last = i;
        while (last + 1 < f->evidence_count && f->evidence[last + 1] == f->evidence[last] + 1) {
            last++;
        }
        const char *between = i > 0 ? ", " : "";
        int n = last > i ? snprintf(out + at, size - at, "%s%u-%u", between,
                                    (unsigned)f->evidence[i], (unsigned)f->evidence[last])
                         : snprintf(out + at, size - at, "%s%u", between, (unsigned)f->evidence[i]);
        at += n > 0 ? (size_t)n : 0;
        i = last + 1;
    }
}

/* The line that the verdict rests on, quoted, when there is one. */
static void proof_quote(const struct app *a, const struct finding *f, char *out, size_t size)
{
    struct line line;
    struct buf text;
    buf_init(&text, 64 * 1024);
    out[0] = '\0';
    if (f->evidence_count > 0 &&
        lines_get(a->record.lines, f->evidence[f->evidence_count - 1], &line) &&
        report_line(&line, a->ascii, &text) == ST_OK) {
        const char *quote = buf_str(&text);
        str_copy(out, size, quote + strspn(quote, " "));
    }
    buf_free(&text);
}

void advice_proof(const struct app *a, const struct finding *f, char *numbers, size_t size,
                  char *quote, size_t quote_size)
{
    proof_text(f, numbers, size);
    proof_quote(a, f, quote, quote_size);
}

/* Numbered; what is to be done on one side stands together, and begins with the side where there are two. Rows are
   few, so that gets none of its own. */
static void add_steps(struct parts *advice, const struct guide_text *text)
{
    char line[PART_TEXT_MAX];
    size_t order[GUIDE_DO_MAX];
    bool sides = false;
    guide_group_steps(text->steps, text->step_count, order);
    for (size_t i = 1; i < text->step_count; i++) {
        sides = sides || text->steps[i].who != text->steps[0].who;
    }
    const char *label = _("Do");
    for (size_t i = 0; i < text->step_count; i++) {
        const struct guide_step *step = &text->steps[order[i]];
        if (sides && (i == 0 || text->steps[order[i - 1]].who != step->who)) {
            snprintf(line, sizeof(line), "%s %zu. %s", report_who_heading(step->who), i + 1,
                     step->text);
        } else {
            snprintf(line, sizeof(line), "%zu. %s", i + 1, step->text);
        }
        parts_add(advice, label, ROLE_TEXT, line);
        label = "";
    }
}

static void add_finding(const struct app *a, struct parts *advice, const struct finding *f)
{
    struct guide_text text;
    char line[PART_TEXT_MAX], proof[200], quote[400];
    if (a->guide == NULL || guide_finding(a->guide, f, a->ascii, &text) != ST_OK) {
        return;
    }
    parts_add(advice, state_word(f->verdict), ROLE_BOLD, text.title);
    if (f->typed) {
        parts_add(advice, _("Typed"), ROLE_TEXT,
                  _("This was found in what was typed by hand; the step's own result does not "
                    "rest on it."));
    }
    parts_add(advice, _("Means"), ROLE_TEXT, text.means);
    add_steps(advice, &text);
    guide_basis(f, line, sizeof(line));
    parts_add(advice, _("Basis"), ROLE_TEXT, line);
    bool bad = f->verdict == VERDICT_FAIL || f->verdict == VERDICT_WARN ||
               f->verdict == VERDICT_INCONCLUSIVE;
    if (bad) {
        snprintf(line, sizeof(line), _("%s Sure: %s."), who_sentence(f->who),
                 confidence_word(f->confidence));
        parts_add(advice, _("Who"), ROLE_TEXT, line);
    }
    advice_proof(a, f, proof, sizeof(proof), quote, sizeof(quote));
    if (proof[0] != '\0') {
        snprintf(line, sizeof(line),
                 Q_("line %s (Enter jumps there): %s", "lines %s (Enter jumps there): %s",
                    f->evidence_count),
                 proof, quote);
        parts_add(advice, _("Proof"), bad ? ROLE_PROBLEM : ROLE_TEXT, line);
    }
    if (f->kind->reference[0] != '\0') {
        snprintf(line, sizeof(line), _("%s (u shows the link)"), f->kind->reference);
        parts_add(advice, _("Ref"), ROLE_TEXT, line);
    }
    guide_text_free(&text);
}

static void add_check(const struct app *a, struct parts *advice, enum check_id check)
{
    struct guide_text text;
    if (a->guide == NULL || guide_check(a->guide, checks[check].key, &text) != ST_OK) {
        return;
    }
    parts_add(advice, state_word(a->record.steps[check].verdict), ROLE_BOLD, text.title);
    parts_add(advice, _("Means"), ROLE_TEXT, text.means);
    add_steps(advice, &text);
    guide_text_free(&text);
}

static const char *next_keys(const struct app *a, enum check_id check)
{
    switch (a->record.steps[check].verdict) {
    case VERDICT_RUNNING:
        return _("F8 or Ctrl-C stops   p pauses after this step");
    case VERDICT_ASK:
        return _("x asks for your consent and runs it   i type it yourself   c as a command");
    case VERDICT_FAIL:
    case VERDICT_WARN:
    case VERDICT_INCONCLUSIVE:
        return _("x retry   { } other problems   i type it   c as a command   o all of this   B guide me");
    default:
        return _("x run this step again   i type SMTP   c as a command   s save   ? help");
    }
}

/* A lesson that waits for its answer: what it is about, and what the step is for. */
static void add_lesson(const struct app *a, struct parts *advice, enum check_id check)
{
    struct guide_text text;
    char line[PART_TEXT_MAX];
    const struct scenario_info *info = &a->lessons->info;
    if (info->lesson != 0) {
        snprintf(line, sizeof(line), _("%u of %u: %s"), info->lesson, lessons_count(a->lessons),
                 info->title);
    } else {
        snprintf(line, sizeof(line), "%s", info->title);
    }
    parts_add(advice, _("Lesson"), ROLE_BOLD, line);
    /* Above the goal, so that it is seen in the smallest pane, too. */
    parts_add(advice, _("Next"), ROLE_BOLD, _("L story, hints and your answer"));
    parts_add(advice, _("Goal"), ROLE_TEXT, info->goal);
    parts_add(advice, _("Keys"), ROLE_TEXT, next_keys(a, check));
    if (a->guide != NULL && guide_check(a->guide, checks[check].key, &text) == ST_OK) {
        parts_add(advice, _("Step"), ROLE_BOLD, text.title);
        parts_add(advice, "", ROLE_TEXT, text.means);
        guide_text_free(&text);
    }
}

/* The findings of a step in the order in which they are told. */
static size_t findings_of(const struct app *a, enum check_id check,
                          const struct finding *out[ADVICE_FINDINGS_MAX])
{
    static const enum verdict order[] = {VERDICT_FAIL,    VERDICT_WARN,    VERDICT_INCONCLUSIVE,
                                         VERDICT_STOPPED, VERDICT_ASK,     VERDICT_NOTE,
                                         VERDICT_OK,      VERDICT_SKIPPED};
    size_t count = 0;
    for (size_t v = 0; v < ARRAY_LEN(order); v++) {
        for (size_t i = 0; i < a->record.finding_count && count < ADVICE_FINDINGS_MAX; i++) {
            const struct record_finding *rf = &a->record.findings[i];
            if (rf->check == check && rf->f.verdict == order[v]) {
                out[count++] = &rf->f;
            }
        }
    }
    return count;
}

uint32_t advice_proof_line(const struct app *a, enum check_id check, size_t n, size_t *count)
{
    const struct finding *found[ADVICE_FINDINGS_MAX];
    size_t findings = findings_of(a, check, found);
    uint32_t line = 0;
    *count = 0;
    for (size_t i = 0; i < findings; i++) {
        for (size_t k = 0; k < found[i]->evidence_count; k++) {
            line = *count == n ? found[i]->evidence[k] : line;
            (*count)++;
        }
    }
    return line;
}

static void advice_build(const struct app *a, enum check_id check, struct parts *advice)
{
    advice->count = 0;
    if (lessons_veil(a)) {
        add_lesson(a, advice, check);
        return;
    }
    if (a->record.steps[check].verdict == VERDICT_RUNNING ||
        a->record.steps[check].verdict == VERDICT_PENDING) {
        add_check(a, advice, check);
    }
    const struct finding *found[ADVICE_FINDINGS_MAX];
    size_t count = findings_of(a, check, found);
    for (size_t i = 0; i < count; i++) {
        add_finding(a, advice, found[i]);
    }
    const struct record_step *step = &a->record.steps[check];
    if (step->verdict == VERDICT_SKIPPED && step->because < CHECK_COUNT) {
        char line[200];
        snprintf(line, sizeof(line), _("Not done, because \"%s\" did not succeed."),
                 _(checks[step->because].title));
        parts_add(advice, state_word(VERDICT_SKIPPED), ROLE_BOLD, line);
    }
    if (advice->count == 0) {
        add_check(a, advice, check);
    }
    parts_add(advice, _("Next"), ROLE_TEXT, next_keys(a, check));
}

void view_advice(struct app *a, struct canvas *c, struct rect body)
{
    struct parts *advice = calloc(1, sizeof(*advice));
    if (advice == NULL) {
        return;
    }
    advice_build(a, a->step, advice);
    struct parts_view view = {.scroll = a->advice_scroll, .item = PARTS_NO_ITEM};
    bool focus = a->wish.focus == PANE_ADVICE && a->dialog_count == 0 && a->ask == ASK_NOTHING;
    parts_draw(advice, c, body, &view, focus);
    a->advice_scroll = view.scroll;
    a->advice_below = view.below;
    parts_free(advice);
    free(advice);
}

enum status advice_text(const struct app *a, enum check_id check, struct buf *out)
{
    struct parts *advice = calloc(1, sizeof(*advice));
    if (advice == NULL) {
        return ST_NOMEM;
    }
    advice_build(a, check, advice);
    enum status status = ST_OK;
    for (size_t i = 0; i < advice->count && status == ST_OK; i++) {
        const struct part *part = &advice->list[i];
        bool head = part->label[0] != '\0';
        status = head ? buf_addf(out, "%s%s: %s\n", i > 0 ? "\n" : "", part->label, part->text)
                      : buf_addf(out, "%s\n", part->text);
    }
    parts_free(advice);
    free(advice);
    return status;
}

enum status advice_links(const struct app *a, enum check_id check, struct buf *out)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < a->record.finding_count && status == ST_OK; i++) {
        const struct record_finding *rf = &a->record.findings[i];
        struct guide_text text;
        if (rf->check != check || a->guide == NULL ||
            guide_finding(a->guide, &rf->f, a->ascii, &text) != ST_OK) {
            continue;
        }
        status = buf_addf(out, "%s\n", text.title);
        if (status == ST_OK && rf->f.kind->reference[0] != '\0') {
            status = buf_addf(out, "   %s\n", rf->f.kind->reference);
        }
        if (status == ST_OK && text.link != NULL) {
            status = buf_addf(out, "   %s\n", text.link);
        }
        guide_text_free(&text);
    }
    if (status == ST_OK && out->len == 0) {
        status = buf_add_str(out, _("This step has no references."));
    }
    return status;
}
