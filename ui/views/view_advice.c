#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "lessons.h"
#include "text.h"
#include "views.h"

#define PARTS_MAX 96
#define PART_TEXT_MAX 4096

/* One paragraph: a label in the left margin, text that wraps beside it. */
struct part {
    const char *label; /* translated, or "" */
    enum role role;
    char *text;
};

struct advice {
    struct part parts[PARTS_MAX];
    size_t count;
};

static void advice_free(struct advice *advice)
{
    for (size_t i = 0; i < advice->count; i++) {
        free(advice->parts[i].text);
    }
    advice->count = 0;
}

static void advice_add(struct advice *advice, const char *label, enum role role, const char *text)
{
    if (advice->count == PARTS_MAX || text == NULL || text[0] == '\0') {
        return;
    }
    char *copy = str_dup(text);
    if (copy != NULL) {
        advice->parts[advice->count++] = (struct part){label, role, copy};
    }
}

static void proof_text(const struct finding *f, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->evidence_count && at + 16 < size; i++) {
        int n = snprintf(out + at, size - at, "%s%u", i > 0 ? ", " : "", (unsigned)f->evidence[i]);
        at += n > 0 ? (size_t)n : 0;
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

static void add_finding(const struct app *a, struct advice *advice, const struct finding *f)
{
    struct guide_text text;
    char line[PART_TEXT_MAX], proof[200], quote[400];
    if (a->guide == NULL || guide_finding(a->guide, f, a->ascii, &text) != ST_OK) {
        return;
    }
    snprintf(line, sizeof(line), "%s", text.title);
    advice_add(advice, state_word(f->verdict), ROLE_BOLD, line);
    advice_add(advice, _("Means"), ROLE_TEXT, text.means);
    for (size_t i = 0; i < text.step_count; i++) {
        const char *who = text.steps[i].who != WHO_NOBODY ? who_word(text.steps[i].who) : NULL;
        if (who != NULL) {
            snprintf(line, sizeof(line), "%zu. (%s) %s", i + 1, who, text.steps[i].text);
        } else {
            snprintf(line, sizeof(line), "%zu. %s", i + 1, text.steps[i].text);
        }
        advice_add(advice, i == 0 ? _("Do") : "", ROLE_TEXT, line);
    }
    guide_basis(f, line, sizeof(line));
    advice_add(advice, _("Basis"), ROLE_TEXT, line);
    bool bad = f->verdict == VERDICT_FAIL || f->verdict == VERDICT_WARN ||
               f->verdict == VERDICT_INCONCLUSIVE;
    if (bad) {
        snprintf(line, sizeof(line), _("%s Sure: %s."), who_sentence(f->who),
                 confidence_word(f->confidence));
        advice_add(advice, _("Who"), ROLE_TEXT, line);
    }
    advice_proof(a, f, proof, sizeof(proof), quote, sizeof(quote));
    if (proof[0] != '\0') {
        snprintf(line, sizeof(line), _("transcript %s (Enter goes there): %s"), proof, quote);
        advice_add(advice, _("Proof"), bad ? ROLE_PROBLEM : ROLE_TEXT, line);
    }
    advice_add(advice, _("Ref"), ROLE_TEXT, f->kind->reference);
    guide_text_free(&text);
}

static void add_check(const struct app *a, struct advice *advice, enum check_id check)
{
    struct guide_text text;
    if (a->guide == NULL || guide_check(a->guide, checks[check].key, &text) != ST_OK) {
        return;
    }
    advice_add(advice, state_word(a->record.steps[check].verdict), ROLE_BOLD, text.title);
    advice_add(advice, _("Means"), ROLE_TEXT, text.means);
    for (size_t i = 0; i < text.step_count; i++) {
        advice_add(advice, i == 0 ? _("Do") : "", ROLE_TEXT, text.steps[i].text);
    }
    guide_text_free(&text);
}

static const char *next_keys(const struct app *a, enum check_id check)
{
    switch (a->record.steps[check].verdict) {
    case VERDICT_RUNNING:
        return _("F8 or Ctrl-C stops   p pauses after this step");
    case VERDICT_ASK:
        return _("x asks for your consent and runs it   i type it yourself");
    case VERDICT_FAIL:
    case VERDICT_WARN:
    case VERDICT_INCONCLUSIVE:
        return _("x retry this step   { } other problems   i type it yourself   c as a command");
    default:
        return _("x run this step again   i type SMTP   s save   ? help");
    }
}

/* A lesson that waits for its answer: what it is about, and what the step is for. */
static void add_lesson(const struct app *a, struct advice *advice, enum check_id check)
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
    advice_add(advice, _("Lesson"), ROLE_BOLD, line);
    /* Above the goal, so that it is seen in the smallest pane, too. */
    advice_add(advice, _("Next"), ROLE_BOLD, _("L story, hints and your answer"));
    advice_add(advice, _("Goal"), ROLE_TEXT, info->goal);
    advice_add(advice, _("Keys"), ROLE_TEXT, next_keys(a, check));
    if (a->guide != NULL && guide_check(a->guide, checks[check].key, &text) == ST_OK) {
        advice_add(advice, _("Step"), ROLE_BOLD, text.title);
        advice_add(advice, "", ROLE_TEXT, text.means);
        guide_text_free(&text);
    }
}

static void advice_build(const struct app *a, enum check_id check, struct advice *advice)
{
    static const enum verdict order[] = {VERDICT_FAIL,    VERDICT_WARN,    VERDICT_INCONCLUSIVE,
                                         VERDICT_STOPPED, VERDICT_ASK,     VERDICT_NOTE,
                                         VERDICT_OK,      VERDICT_SKIPPED};
    advice->count = 0;
    if (lessons_veil(a)) {
        add_lesson(a, advice, check);
        return;
    }
    if (a->record.steps[check].verdict == VERDICT_RUNNING ||
        a->record.steps[check].verdict == VERDICT_PENDING) {
        add_check(a, advice, check);
    }
    for (size_t v = 0; v < ARRAY_LEN(order); v++) {
        for (size_t i = 0; i < a->record.finding_count; i++) {
            const struct record_finding *rf = &a->record.findings[i];
            if (rf->check == check && rf->f.verdict == order[v]) {
                add_finding(a, advice, &rf->f);
            }
        }
    }
    const struct record_step *step = &a->record.steps[check];
    if (step->verdict == VERDICT_SKIPPED && step->because < CHECK_COUNT) {
        char line[200];
        snprintf(line, sizeof(line), _("Not done, because \"%s\" did not succeed."),
                 _(checks[step->because].title));
        advice_add(advice, state_word(VERDICT_SKIPPED), ROLE_BOLD, line);
    }
    if (advice->count == 0) {
        add_check(a, advice, check);
    }
    advice_add(advice, _("Next"), ROLE_TEXT, next_keys(a, check));
}

/* Width of the left margin: the longest label of this language. */
static int label_columns(const struct advice *advice)
{
    size_t most = 6;
    for (size_t i = 0; i < advice->count; i++) {
        const char *label = advice->parts[i].label;
        size_t w = escape_columns(label, strlen(label), 0) + 1;
        most = w > most ? w : most;
    }
    return most < 14 ? (int)most : 14;
}

void view_advice(struct app *a, struct canvas *c, struct rect body)
{
    struct advice *advice = calloc(1, sizeof(*advice));
    if (advice == NULL) {
        return;
    }
    advice_build(a, a->step, advice);
    int margin = label_columns(advice) + 1;
    int rows = 0;
    struct rect text = {body.x + margin, body.y, body.w - margin, 1};
    for (size_t i = 0; i < advice->count; i++) {
        rows += text_wrapped(NULL, text, 0, ROLE_TEXT, advice->parts[i].text, 0);
    }
    int most = rows > body.h ? rows - body.h : 0;
    a->advice_scroll = a->advice_scroll > most ? most : a->advice_scroll;
    a->advice_below = most - a->advice_scroll;
    int row = -a->advice_scroll;
    for (size_t i = 0; i < advice->count && row < body.h; i++) {
        const struct part *part = &advice->parts[i];
        int take = text_wrapped(NULL, text, 0, ROLE_TEXT, part->text, 0);
        int skip = row < 0 ? -row : 0;
        if (skip < take) {
            struct rect here = {text.x, body.y + row + skip, text.w, body.h - row - skip};
            struct rect label = {body.x, here.y, margin, 1};
            if (skip == 0) {
                canvas_str(c, label, body.x + 1, here.y, ROLE_BOLD, part->label);
            }
            here.h = here.h > take - skip ? take - skip : here.h;
            text_wrapped(c, here, skip, part->role, part->text, 0);
        }
        row += take;
    }
    if (a->wish.focus == PANE_ADVICE && a->dialog_count == 0 && a->ask == ASK_NOTHING) {
        c->cursor_x = body.x + margin;
        c->cursor_y = body.y;
    }
    advice_free(advice);
    free(advice);
}

enum status advice_text(const struct app *a, enum check_id check, struct buf *out)
{
    struct advice *advice = calloc(1, sizeof(*advice));
    if (advice == NULL) {
        return ST_NOMEM;
    }
    advice_build(a, check, advice);
    enum status status = ST_OK;
    for (size_t i = 0; i < advice->count && status == ST_OK; i++) {
        const struct part *part = &advice->parts[i];
        bool head = part->label[0] != '\0';
        status = head ? buf_addf(out, "%s%s: %s\n", i > 0 ? "\n" : "", part->label, part->text)
                      : buf_addf(out, "%s\n", part->text);
    }
    advice_free(advice);
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
