#include "guide_pane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "dialogs.h"
#include "lessons.h"
#include "text.h"

#define FIELD_MAX (16u << 10) /* a whole bounce may be pasted */

enum status guide_pane_init(struct guide_pane *g)
{
    return lineedit_init(&g->field, FIELD_MAX, false);
}

void guide_pane_free(struct guide_pane *g)
{
    guided_free(&g->guided);
    playbooks_free(g->books);
    lineedit_free(&g->field);
}

bool guide_in_front(const struct app *a)
{
    /* A lesson that waits for its answer must not be told it. */
    return a->guide_pane.shown && a->guide_pane.guided.phase != GUIDED_OFF && !lessons_veil(a);
}

bool guide_edits(const struct app *a)
{
    return guide_in_front(a) && a->guide_pane.editing && a->wish.focus == PANE_ADVICE;
}

bool guide_has_page(const struct app *a)
{
    return guide_in_front(a) && a->guide_pane.guided.phase == GUIDED_END;
}

void guide_place_text(const struct app *a, char *out, size_t size)
{
    size_t about = 0;
    out[0] = '\0';
    if (guide_in_front(a)) {
        size_t at = playbook_place(&a->guide_pane.guided.walk, &about);
        snprintf(out, size, _("guide %zu/%zu"), at, about);
    }
}

/* Files of one's own that are broken must not keep anybody from being guided. */
bool guide_load_books(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    struct error error = {0};
    if (g->books != NULL) {
        return true;
    }
    if (playbooks_load(&g->books, a->options->data_dir, a->options->lang, &guided_known, &error) ==
        ST_OK) {
        return true;
    }
    app_say(a, true, "%s", error.text);
    return playbooks_load(&g->books, NULL, "en", &guided_known, &error) == ST_OK;
}

static void unzoom(struct app *a)
{
    if (a->guide_pane.zoomed) {
        a->wish.zoom = false;
        a->guide_pane.zoomed = false;
    }
}

static void show(struct app *a)
{
    a->guide_pane.shown = true;
    a->wish.focus = PANE_ADVICE;
    a->wish.advice_hidden = false;
}

/* The last page gets the whole screen where the pane is a strip. */
static void zoom_page(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    bool strip = a->layout.kind == LAYOUT_COMPACT || a->layout.kind == LAYOUT_TWO;
    if (g->guided.phase != GUIDED_END) {
        unzoom(a);
    } else if (strip && !a->wish.zoom) {
        a->wish.zoom = g->zoomed = true;
    }
}

/* What is shown begins at its top. */
static void look_from_top(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    g->view = (struct parts_view){.item = g->guided.phase == GUIDED_READY ? 0 : PARTS_NO_ITEM};
    zoom_page(a);
}

/* The cursor of the steps stands where the guide is; at the end, at the step that found the cause. */
static void point_at_step(struct app *a)
{
    const struct guided *g = &a->guide_pane.guided;
    uint64_t mask = guided_steps(g);
    enum check_id cause = g->phase == GUIDED_END ? guided_cause_step(g, &a->record) : CHECK_NONE;
    mask = cause != CHECK_NONE ? UINT64_C(1) << cause : mask;
    for (int i = 0; i < CHECK_COUNT; i++) {
        if ((mask >> i & 1u) != 0) {
            app_show_step(a, (enum check_id)i);
            a->step_moved = true;
            return;
        }
    }
}

static void arrive(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    const struct playbook_node *n = guided_node(&g->guided);
    g->why = false;
    g->editing = n->kind == PLAYBOOK_FIELD && g->guided.phase == GUIDED_READY;
    if (g->editing) {
        struct buf preset;
        buf_init(&preset, FIELD_MAX);
        const char *known = playbook_fact(&g->guided.walk, n->field);
        bool ready = known == NULL && guided_preset(&g->guided, &a->plan, &preset) == ST_OK;
        (void)!lineedit_set(&g->field, ready ? buf_str(&preset) : known != NULL ? known : "");
        buf_free(&preset);
    }
    point_at_step(a);
    look_from_top(a);
}

void guide_open(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    bool there = guide_in_front(a) && a->wish.focus == PANE_ADVICE;
    if (lessons_veil(a)) {
        app_say(a, false, "%s",
                _("A lesson asks you to find it yourself; the guide comes after your answer (L)."));
        return;
    }
    if (g->guided.phase == GUIDED_OFF || there) {
        dialog_open_list(a, LIST_SYMPTOMS);
        return;
    }
    show(a);
    zoom_page(a);
}

void guide_begin(struct app *a, const struct playbook *book)
{
    struct guide_pane *g = &a->guide_pane;
    if (guided_begin(&g->guided, book, &a->plan, &a->record) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
        return;
    }
    show(a);
    arrive(a);
    a->status[0] = '\0';
}

/* Something came of it that is to be read, or one is at another node. */
static void moved_on(struct app *a, enum status status, const struct error *error)
{
    if (status != ST_OK) {
        app_say(a, true, "%s", error->text);
    } else if (a->guide_pane.guided.phase == GUIDED_OUTCOME) {
        a->guide_pane.editing = false;
        look_from_top(a);
    } else {
        arrive(a);
    }
}

static enum check_id risky_step(uint64_t mask)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        if ((mask >> i & 1u) != 0 && checks[i].risk != RISK_SAFE) {
            return (enum check_id)i;
        }
    }
    return CHECK_NONE;
}

static void run_steps(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    if (app_busy(a)) {
        app_say(a, false, "%s", _("A step is running; F8 stops it."));
        return;
    }
    uint64_t mask = guided_wants(&g->guided, &a->record);
    if (mask == 0) {
        guided_take_known(&g->guided, &a->plan, &a->record);
        tview_goto(a->tview, &a->record, a->record.steps[a->step].first_line);
        look_from_top(a);
        return;
    }
    enum check_id risky = risky_step(mask);
    if (risky != CHECK_NONE && !g->guided.fresh) {
        /* Its box asks; when the step has begun, an event tells. */
        app_show_step(a, risky);
        app_run_step(a);
        return;
    }
    bool begun;
    if (g->guided.fresh) {
        g->starting = true;
        begun = app_start_checks(a, mask);
        g->starting = false;
    } else {
        begun = engine_steps(a->engine, mask, &a->plan) == ST_OK;
        if (!begun) {
            app_say(a, true, "%s", _("The engine did not take the command."));
        }
    }
    if (begun) {
        guided_started(&g->guided, mask);
        tview_follow(a->tview, &a->record, true);
        look_from_top(a);
    }
}

static void answer(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    struct error error = {0};
    if (app_busy(a)) {
        app_say(a, false, "%s", _("A step is running; F8 stops it."));
        return;
    }
    enum status st =
        guided_answer(&g->guided, lineedit_text(&g->field), &a->plan, &a->record, &error);
    a->status[0] = '\0';
    moved_on(a, st, &error);
}

/* The item under the cursor; a key that finds none in sight shows more. */
static int selected_item(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    struct parts *parts = calloc(1, sizeof(*parts));
    if (parts == NULL) {
        return PARTS_NO_ITEM;
    }
    guide_parts(a, parts);
    int item = parts_selected(parts, a->layout.body[PANE_ADVICE], &g->view);
    parts_free(parts);
    free(parts);
    return item;
}

static void jump(struct app *a, uint32_t line)
{
    unzoom(a);
    tview_goto(a->tview, &a->record, line);
    a->wish.focus = PANE_TRANSCRIPT;
    app_say(a, false, _("Line %u. B leads back to the guide."), (unsigned)line);
}

/* The last page: lines of the proof, then what can be done with the page. */
static void open_item(struct app *a, int item)
{
    uint32_t lines[FINDING_EVIDENCE_MAX];
    size_t count = guide_proof(a, lines);
    if (item < 0) {
        guide_move(a, a->layout.body[PANE_ADVICE].h - 1);
    } else if ((size_t)item < count) {
        jump(a, lines[item]);
    } else if ((size_t)item == count) {
        guide_export(a);
    } else {
        dialog_open_list(a, LIST_SYMPTOMS);
    }
}

static void ready_enter(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    struct error error = {0};
    switch (guided_node(&g->guided)->kind) {
    case PLAYBOOK_RUN:
        run_steps(a);
        break;
    case PLAYBOOK_CHOICE: {
        int item = selected_item(a);
        if (item < 0) {
            guide_move(a, a->layout.body[PANE_ADVICE].h - 1);
            break;
        }
        enum status st = guided_choose(&g->guided, (size_t)item, &a->plan, &a->record, &error);
        moved_on(a, st, &error);
        break;
    }
    case PLAYBOOK_FIELD:
        if (g->editing) {
            answer(a);
        }
        g->editing = g->guided.phase == GUIDED_READY &&
                     guided_node(&g->guided)->kind == PLAYBOOK_FIELD;
        break;
    default:
        break;
    }
}

void guide_enter(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    struct error error = {0};
    switch (g->guided.phase) {
    case GUIDED_OFF:
        break;
    case GUIDED_READY:
        ready_enter(a);
        break;
    case GUIDED_BUSY:
        app_say(a, false, "%s", _("A step is running; F8 stops it."));
        break;
    case GUIDED_OUTCOME: {
        enum status st = guided_go(&g->guided, &a->plan, &a->record, &error);
        moved_on(a, st, &error);
        break;
    }
    case GUIDED_END:
        open_item(a, selected_item(a));
        break;
    }
}

void guide_again(struct app *a)
{
    struct guided *g = &a->guide_pane.guided;
    if (guided_steps(g) == 0) {
        app_say(a, false, "%s", _("Nothing is run here."));
        return;
    }
    if (g->phase == GUIDED_BUSY) {
        app_say(a, false, "%s", _("A step is running; F8 stops it."));
        return;
    }
    g->again = true;
    run_steps(a);
}

static bool busy(struct app *a)
{
    if (a->guide_pane.guided.phase == GUIDED_BUSY) {
        app_say(a, false, "%s", _("A step is running; F8 stops it."));
        return true;
    }
    return false;
}

void guide_back(struct app *a)
{
    if (busy(a)) {
        return;
    }
    if (guided_back(&a->guide_pane.guided, &a->plan, &a->record)) {
        arrive(a);
        a->status[0] = '\0';
    } else {
        app_say(a, false, "%s", _("This is the first step. B lists the symptoms."));
    }
}

void guide_skip(struct app *a)
{
    struct error error = {0};
    if (a->guide_pane.guided.phase == GUIDED_READY) {
        enum status st = guided_skip(&a->guide_pane.guided, &a->plan, &a->record, &error);
        moved_on(a, st, &error);
    } else if (!busy(a)) {
        app_say(a, false, "%s", _("There is nothing to skip here."));
    }
}

void guide_why(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    const struct playbook_node *n = guided_node(&g->guided);
    if (n == NULL || n->why == NULL || g->guided.phase == GUIDED_END) {
        app_say(a, false, "%s", _("There is no more to say about this step."));
        return;
    }
    g->why = !g->why;
    g->view.scroll = 0;
}

void guide_leave(struct app *a)
{
    unzoom(a);
    a->guide_pane.shown = false;
    a->wish.focus = PANE_STEPS;
    app_say(a, false, "%s", _("B leads back to where the guide is."));
}

void guide_export(struct app *a)
{
    if (!guide_has_page(a)) {
        app_say(a, false, "%s", _("The page can be saved when the guide has come to an end."));
        return;
    }
    dialog_open_save(a, REPORT_TICKET);
}

void guide_move(struct app *a, int rows)
{
    struct parts *parts = calloc(1, sizeof(*parts));
    if (parts != NULL) {
        guide_parts(a, parts);
        parts_move(parts, a->layout.body[PANE_ADVICE], &a->guide_pane.view, rows);
        parts_free(parts);
        free(parts);
    }
}

void guide_field_key(struct app *a, uint32_t key)
{
    struct guide_pane *g = &a->guide_pane;
    if (key == KEY_CTRL('C') && g->field.len == 0) {
        app_action(a, ACTION_STOP);
        return;
    }
    enum action action = g->field.quote_next ? ACTION_NONE : keys_find(MODE_TEXT, key);
    if (action == ACTION_PAGE_DOWN || action == ACTION_PAGE_UP) {
        guide_move(a, action == ACTION_PAGE_DOWN ? a->layout.body[PANE_ADVICE].h - 1
                                                 : 1 - a->layout.body[PANE_ADVICE].h);
        return;
    }
    if (action != ACTION_NONE) {
        app_action(a, action);
        return;
    }
    switch (lineedit_key(&g->field, key)) {
    case EDIT_ENTER:
        guide_enter(a);
        break;
    case EDIT_CANCEL:
    case EDIT_EOF:
        g->editing = false;
        break;
    case EDIT_COMPLETE:
        app_action(a, ACTION_NEXT_PANE);
        break;
    case EDIT_NEXT_FIELD:
        guide_move(a, 1);
        break;
    case EDIT_PREV_FIELD:
        guide_move(a, -1);
        break;
    default:
        break;
    }
}

/* Steps of this node may have been begun by its own key, by a box, or by x and r: it does not matter which. */
void guide_note_event(struct app *a, const struct event *e)
{
    struct guided *g = &a->guide_pane.guided;
    if (e->kind == EVENT_STEP_STARTED && g->phase != GUIDED_OFF && g->phase != GUIDED_END &&
        e->check < CHECK_COUNT && (guided_steps(g) >> e->check & 1u) != 0) {
        guided_started(g, g->asked | UINT64_C(1) << e->check);
        return;
    }
    if (e->kind != EVENT_RUN_DONE || g->phase != GUIDED_BUSY) {
        return;
    }
    (void)guided_rested(g, &a->plan, &a->record);
    a->guide_pane.why = false;
    point_at_step(a);
    look_from_top(a);
}

void guide_note_new_run(struct app *a)
{
    struct guide_pane *g = &a->guide_pane;
    if (g->guided.phase == GUIDED_OFF || g->starting) {
        return;
    }
    guided_restart(&g->guided, &a->plan, &a->record);
    arrive(a);
}
