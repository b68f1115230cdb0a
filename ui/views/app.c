#include "app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogs.h"
#include "exit_code.h"
#include "text.h"
#include "views.h"

#define SPIN_US (250 * US_PER_MS) /* four steps a second (ux: more is noise) */
#define STOP_TWICE_US (2 * US_PER_S)

enum status app_init(struct app *a, const struct app_options *options, bool ascii,
                     struct error *error)
{
    memset(a, 0, sizeof(*a));
    a->options = options;
    a->ascii = ascii;
    a->tee.fd = -1;
    a->step = CHECK_DNS_MX;
    a->wish.focus = PANE_STEPS;
    a->last_stop_us = -STOP_TWICE_US;
    plan_init(&a->plan);
    enum status status = plan_copy(&a->plan, options->plan);
    if (status == ST_OK) {
        status = record_init(&a->record, 0);
    }
    if (status == ST_OK) {
        status = tview_new(&a->tview);
    }
    if (status == ST_OK) {
        status = lineedit_init(&a->smtp, LINEEDIT_MAX, false);
    }
    if (status == ST_OK) {
        status = lineedit_init(&a->ask_edit, 1024, false);
    }
    if (status != ST_OK) {
        return error_set(error, status, 0, "%s", _("Not enough memory."));
    }
    /* At once: nobody wants to find after the test that nothing was written. */
    if (options->tee_path != NULL) {
        status = tee_open(&a->tee, options->tee_path, error);
        if (status != ST_OK) {
            return status;
        }
        a->tee_open = true;
    }
    a->plan.stay = true;
    a->demo = options->scenario != NULL;
    if (!options->have_target && options->scenario == NULL) {
        dialog_open_start(a);
    }
    return ST_OK;
}

void app_free(struct app *a)
{
    while (a->dialog_count > 0) {
        dialog_close(a);
    }
    if (a->engine != NULL) {
        engine_free(a->engine);
    }
    if (a->tee_open) {
        tee_close(&a->tee);
    }
    lineedit_free(&a->smtp);
    lineedit_free(&a->ask_edit);
    tview_free(a->tview);
    record_free(&a->record);
    guide_free(a->guide);
    guide_free(a->english);
    plan_free(&a->plan);
    memset(a, 0, sizeof(*a));
}

void app_say(struct app *a, bool is_error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(a->status, sizeof(a->status), fmt, ap);
    va_end(ap);
    a->status_error = is_error;
    a->said_us = a->now_us;
}

bool app_running(const struct app *a)
{
    return a->record.started && !a->record.done;
}

bool app_busy(const struct app *a)
{
    return app_running(a) && !(a->paused && a->record.running == CHECK_NONE);
}

enum key_mode app_mode(const struct app *a)
{
    return a->wish.focus == PANE_TYPE ? MODE_TEXT : (enum key_mode)(MODE_PANE + a->wish.focus);
}

/* What is shown begins afresh; run 0 is the state before any run. */
static bool app_new_record(struct app *a, uint32_t run)
{
    struct record fresh;
    if (record_init(&fresh, run) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory for a new run."));
        return false;
    }
    record_free(&a->record);
    a->record = fresh;
    tview_reset(a->tview);
    a->step = CHECK_DNS_MX;
    a->step_moved = false;
    a->advice_scroll = 0;
    a->saved = a->session_wanted = false;
    a->tee_next = 1;
    return true;
}

bool app_connect_engine(struct app *a, const char *scenario)
{
    struct error error = {0};
    struct network *net = NULL;
    if (a->engine != NULL) {
        engine_free(a->engine);
        a->engine = NULL;
        /* Its run ended with it, and another engine counts its runs from one again. */
        if (!app_new_record(a, 0)) {
            return false;
        }
    }
    if (a->options->open_network(a->options->ctx, scenario, &a->plan, &net, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
        return false;
    }
    a->demo = net->demo;
    if (engine_new(&a->engine, net, &error) != ST_OK) {
        net_network_close(net);
        app_say(a, true, "%s", error.text);
        return false;
    }
    a->plan.stay = true;
    return true;
}

void app_start_run(struct app *a)
{
    struct error error = {0};
    if (a->engine == NULL && !app_connect_engine(a, a->options->scenario)) {
        return;
    }
    if (a->plan.domain == NULL && a->plan.host == NULL) {
        dialog_open_target(a);
        return;
    }
    if (plan_validate(&a->plan, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
        return;
    }
    a->paused = false;
    uint32_t run = engine_start(a->engine, &a->plan);
    if (run == 0) {
        app_say(a, true, "%s", _("Not enough memory for a new run."));
        return;
    }
    a->status[0] = '\0';
    a->status_error = false;
    (void)app_new_record(a, run);
}

void app_adopt_run(struct app *a)
{
    uint32_t run = engine_generation(a->engine);
    if (run != a->record.run) {
        (void)app_new_record(a, run);
    }
}

void app_begin(struct app *a)
{
    struct error error = {0};
    if (a->options->scenario != NULL || a->options->have_target) {
        app_start_run(a);
    }
    if (guide_load(&a->guide, a->options->data_dir, a->options->lang, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
        if (guide_load(&a->guide, NULL, "en", &error) != ST_OK) {
            app_say(a, true, "%s", error.text);
        }
    }
}

static void app_tee(struct app *a)
{
    struct error error = {0};
    struct buf out;
    buf_init(&out, REPORT_MAX);
    uint32_t last = lines_last(a->record.lines);
    for (; a->tee_next <= last && !a->tee.failed; a->tee_next++) {
        struct line line;
        if (!lines_get(a->record.lines, a->tee_next, &line)) {
            continue;
        }
        buf_clear(&out);
        if (report_line(&line, a->ascii, &out) != ST_OK || buf_add_char(&out, '\n') != ST_OK ||
            tee_add(&a->tee, out.p, out.len, &error) != ST_OK) {
            app_say(a, true, "%s", error.text);
            break;
        }
    }
    buf_free(&out);
}

/* The cursor goes to the first failure by itself, unless the user has taken it. */
static void app_follow_failure(struct app *a, const struct event *e)
{
    bool failed = e->kind == EVENT_STEP_DONE && e->u.step.verdict == VERDICT_FAIL;
    if ((failed || e->kind == EVENT_STEP_STARTED) && !a->step_moved &&
        a->record.steps[a->step].verdict != VERDICT_FAIL) {
        a->step = e->check;
        a->advice_scroll = 0;
    }
}

/* The end of a run: the worst of what was found, unless the user looks at something else. */
static void app_show_worst(struct app *a)
{
    enum check_id worst = CHECK_DNS_MX;
    if (a->step_moved) {
        return;
    }
    for (int i = 1; i < CHECK_COUNT; i++) {
        enum verdict v = a->record.steps[i].verdict;
        if (v >= VERDICT_INCONCLUSIVE && v > a->record.steps[worst].verdict) {
            worst = (enum check_id)i;
        }
    }
    a->step = worst;
    a->advice_scroll = 0;
}

static void app_note_event(struct app *a, const struct event *e)
{
    if (e->kind == EVENT_SESSION && e->u.session.state == SMTP_CLOSED && a->wish.focus == PANE_TYPE) {
        app_say(a, false, "%s", _("The connection is closed. Enter connects again."));
    }
    if (e->kind == EVENT_RUN_DONE) {
        app_show_worst(a);
        unsigned ok = 0, warn = 0, fail = 0, skip = 0, ask = 0;
        record_counts(&a->record, &ok, &warn, &fail, &skip, &ask);
        if (e->u.done.cancelled) {
            app_say(a, false, "%s", _("Stopped. r runs the remaining steps, R begins anew."));
        } else if (ask > 0) {
            app_say(a, false,
                    Q_("Done: %u failed, %u warned. %u step waits for your consent (x).",
                       "Done: %u failed, %u warned. %u steps wait for your consent (x).", ask),
                    fail, warn, ask);
        } else {
            app_say(a, false, _("Done: %u failed, %u warned."), fail, warn);
        }
    }
    if (e->kind == EVENT_STEP_STARTED || e->kind == EVENT_LINE) {
        a->saved = false;
    }
    if (e->kind == EVENT_RUN_STARTED) {
        a->run_seen_us = a->now_us;
    }
    if (e->kind == EVENT_STEP_STARTED) {
        a->step_seen_us = a->now_us;
    }
    if (e->kind == EVENT_WAIT) {
        a->wait_seen_us = a->now_us;
    }
}

/* A line may become a password while it is typed, or by the question that comes from the server. */
static void type_mask(struct app *a)
{
    lineedit_mask(&a->smtp, typehint_secret(&a->record, lineedit_text(&a->smtp)));
}

bool app_events(struct app *a, size_t max)
{
    if (a->engine == NULL) {
        return false;
    }
    bool changed = false;
    struct event *e = engine_events(a->engine, max);
    while (e != NULL) {
        struct event *next = (struct event *)(void *)e->item.next;
        if (record_apply(&a->record, e)) {
            app_follow_failure(a, e);
            app_note_event(a, e);
            changed = true;
        }
        event_free(e);
        e = next;
    }
    if (changed) {
        type_mask(a);
        tview_update(a->tview, &a->record);
        if (a->tee_open) {
            app_tee(a);
        }
    }
    return changed;
}

int app_events_fd(const struct app *a)
{
    return a->engine != NULL ? engine_fd(a->engine) : -1;
}

bool app_tick(struct app *a, int64_t now_us)
{
    a->now_us = now_us;
    if (!app_busy(a) && a->record.waiting == WAIT_NONE) {
        return false;
    }
    if (now_us - a->spin_us < SPIN_US) {
        return false;
    }
    a->spin_us = now_us;
    if (a->options->animation) {
        a->spin = (a->spin + 1) % 4;
    }
    return true;
}

int64_t app_next_tick(const struct app *a)
{
    if (!app_busy(a) && a->record.waiting == WAIT_NONE) {
        return NO_DEADLINE;
    }
    return a->spin_us + (a->options->animation ? SPIN_US : US_PER_S);
}

enum status app_save(struct app *a, const char *path, enum report_format format, unsigned flags,
                     size_t *size, struct error *error)
{
    struct buf out, name;
    buf_init(&out, REPORT_MAX);
    buf_init(&name, 8192);
    enum status status = ST_OK;
    if (a->english == NULL) {
        status = guide_load(&a->english, NULL, "en", error);
    }
    if (status == ST_OK) {
        struct report_options o = {format, a->ascii, &a->plan, a->guide, a->english};
        status = report_build(&a->record, &o, &out);
        if (status != ST_OK) {
            error_set(error, status, 0, "%s", _("The report does not fit into memory."));
        }
    }
    if (status == ST_OK) {
        status = savefile_write(path, out.p, out.len, flags, &name, error);
    }
    if (status == ST_OK) {
        a->saved = true;
        str_copy(a->saved_name, sizeof(a->saved_name), buf_str(&name));
        *size = out.len;
    }
    buf_free(&out);
    buf_free(&name);
    return status;
}

void app_finish(struct app *a)
{
    if (!a->record.started) {
        return;
    }
    a->exit_code = record_exit_code(&a->record, false);
    if (a->tee.failed) {
        a->exit_code = EXIT_CODE_IO;
        app_say(a, true, "%s", _("The running copy of the transcript has ended."));
    }
    if (a->options->save_path != NULL) {
        enum report_format format = REPORT_TEXT;
        struct error error = {0};
        size_t size = 0;
        (void)report_format_of(a->options->save_path, &format);
        enum status status =
            app_save(a, a->options->save_path, format, SAVE_NUMBER, &size, &error);
        if (status != ST_OK) {
            a->exit_code = (int)exit_code_of_file(status);
            app_say(a, true, "%s", error.text);
        }
    }
}

/* The line under the prompt, when it asks for what to find or which lines to keep. */
static void ask_key(struct app *a, uint32_t key)
{
    struct error error = {0};
    if (key == UKEY_ESC || key == KEY_CTRL('G') || key == KEY_CTRL('C')) {
        a->ask = ASK_NOTHING;
        return;
    }
    enum action action = keys_find(MODE_TEXT, key);
    if (action != ACTION_NONE) {
        bool stays = action == ACTION_REDRAW || action == ACTION_SUSPEND || action == ACTION_STOP;
        a->ask = stays ? a->ask : ASK_NOTHING;
        app_action(a, action);
        return;
    }
    enum lineedit_result result = lineedit_key(&a->ask_edit, key);
    bool filter = a->ask == ASK_FILTER;
    if (result == EDIT_CANCEL) {
        a->ask = ASK_NOTHING;
        return;
    }
    if (result != EDIT_ENTER) {
        return;
    }
    enum status status = filter
                             ? tview_filter(a->tview, &a->record, lineedit_text(&a->ask_edit), &error)
                             : tview_find(a->tview, &a->record, lineedit_text(&a->ask_edit), &error);
    if (status != ST_OK) {
        app_say(a, true, "%s", error.text);
        return;
    }
    if (!filter && lineedit_text(&a->ask_edit)[0] != '\0' &&
        !tview_find_next(a->tview, &a->record, 1)) {
        app_say(a, true, "%s", _("Not found in the transcript."));
    }
    lineedit_commit(&a->ask_edit, true);
    a->ask = ASK_NOTHING;
    a->wish.focus = PANE_TRANSCRIPT;
}

static void type_enter(struct app *a)
{
    const char *line = lineedit_text(&a->smtp);
    if (app_busy(a)) {
        app_say(a, false, "%s", _("A step is running. Your line is kept; Enter sends it afterwards."));
        return;
    }
    if (a->engine == NULL || a->record.session == SMTP_CLOSED) {
        app_action(a, ACTION_TYPE);
        return;
    }
    if (typehint_dangerous(&a->record, line) && !a->second_enter) {
        a->second_enter = true;
        app_say(a, false, "%s", _("This has consequences on the other side. Enter again sends it."));
        return;
    }
    a->second_enter = false;
    /* What is typed ahead may be the answer to a question that has not come yet: it is not remembered either. */
    bool secret = a->record.waiting != WAIT_NONE || typehint_secret(&a->record, line);
    if (engine_type(a->engine, line, a->smtp.len) != ST_OK) {
        app_say(a, true, "%s", _("The line could not be handed to the connection. It is kept."));
        return;
    }
    a->status[0] = '\0';
    a->session_wanted = true;
    a->saved = false;
    lineedit_commit(&a->smtp, !secret && line[0] != '\0');
    tview_follow(a->tview, &a->record, true);
}

/* Fills in what all candidates share, and lists them in the status line. */
static void type_complete_many(struct app *a, const struct typehint_candidates *found)
{
    char shared[sizeof(found->text[0])];
    str_copy(shared, sizeof(shared), found->text[0]);
    size_t at = 0;
    a->status[0] = '\0';
    a->status_error = false;
    for (size_t i = 0; i < found->count; i++) {
        size_t same = 0;
        while (shared[same] != '\0' && shared[same] == found->text[i][same]) {
            same++;
        }
        shared[same] = '\0';
        if (at + 3 < sizeof(a->status)) {
            int n = snprintf(a->status + at, sizeof(a->status) - at, "%s%s", i > 0 ? "  " : "",
                             found->text[i]);
            at += n > 0 ? (size_t)n : 0;
        }
    }
    if (strlen(shared) > a->smtp.len && lineedit_set(&a->smtp, shared) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
    }
}

static void type_complete(struct app *a)
{
    const char *line = lineedit_text(&a->smtp);
    if (str_equal_nocase(line, "AUTH") || str_equal_nocase(line, "AUTH ")) {
        dialog_open_login(a);
        return;
    }
    struct typehint_candidates *found = calloc(1, sizeof(*found));
    if (found == NULL) {
        return;
    }
    typehint_complete(&a->record, line, found);
    if (found->count == 0) {
        app_say(a, false, "%s", _("Nothing to complete here."));
    } else if (found->count == 1) {
        if (lineedit_set(&a->smtp, found->text[0]) != ST_OK) {
            app_say(a, true, "%s", _("Not enough memory."));
        }
    } else {
        type_complete_many(a, found);
    }
    free(found);
}

static void type_key(struct app *a, uint32_t key)
{
    if (key == KEY_CTRL('C')) {
        if (a->smtp.len > 0) {
            lineedit_commit(&a->smtp, false);
        } else {
            app_action(a, ACTION_STOP);
        }
        return;
    }
    enum action action = a->smtp.quote_next ? ACTION_NONE : keys_find(MODE_TEXT, key);
    if (action != ACTION_NONE) {
        app_action(a, action);
        return;
    }
    switch (lineedit_key(&a->smtp, key)) {
    case EDIT_ENTER:
        type_enter(a);
        break;
    case EDIT_CANCEL:
    case EDIT_EOF:
        a->wish.focus = PANE_TRANSCRIPT;
        break;
    case EDIT_COMPLETE:
        a->second_enter = false;
        type_complete(a);
        break;
    case EDIT_CHANGED:
        a->second_enter = false;
        break;
    default:
        break;
    }
}

/* In a terminal that is too small no box can be seen, so none may open and no question be asked. */
static void small_key(struct app *a, uint32_t key)
{
    enum action action = keys_find((enum key_mode)(MODE_PANE + PANE_STEPS), key);
    if (action == ACTION_QUIT) {
        a->requests |= APP_QUIT;
    } else if (action == ACTION_STOP || action == ACTION_SUSPEND || action == ACTION_REDRAW ||
               action == ACTION_QUIT_REPORT) {
        app_action(a, action);
    }
}

void app_key(struct app *a, uint32_t key)
{
    if (a->layout.kind == LAYOUT_TOO_SMALL) {
        small_key(a, key);
        return;
    }
    if (a->ask != ASK_NOTHING) {
        ask_key(a, key);
        return;
    }
    if (a->dialog_count > 0) {
        dialog_key(a, key);
        return;
    }
    if (a->wish.focus == PANE_TYPE) {
        type_key(a, key);
        type_mask(a);
        return;
    }
    enum action action = keys_find(app_mode(a), key);
    if (action != ACTION_NONE) {
        app_action(a, action);
    }
}

void app_paste(struct app *a, const char *p, size_t len)
{
    struct lineedit *into = NULL;
    if (a->ask != ASK_NOTHING) {
        into = &a->ask_edit;
    } else if (a->dialog_count > 0) {
        dialog_paste(a, p, len);
        return;
    } else if (a->wish.focus == PANE_TYPE) {
        into = &a->smtp;
        a->second_enter = false;
    }
    if (into == NULL) {
        app_say(a, false, "%s", _("Pasted text was ignored: no field is open. i opens the SMTP line."));
        return;
    }
    if (lineedit_insert(into, p, len) != ST_OK) {
        app_say(a, true, "%s", _("The pasted text is too long for this line."));
    }
    type_mask(a);
}

void app_draw(struct app *a, struct canvas *c)
{
    canvas_clear(c);
    c->cursor_x = c->cursor_y = -1;
    a->wish.w = c->w;
    a->wish.h = c->h;
    a->wish.title_columns = view_title_columns();
    layout_compute(&a->wish, &a->layout);
    struct dialog *top = dialog_top(a);
    if (a->layout.kind == LAYOUT_TOO_SMALL) {
        struct rect all = {0, 0, c->w, c->h};
        char text[160];
        snprintf(text, sizeof(text), _("Terminal is %dx%d, needs 40x10. Session goes on. q quits"), c->w,
                 c->h);
        text_wrapped(c, all, 0, ROLE_TEXT, text, 0);
        return;
    }
    if (top != NULL && a->dialogs[0].kind == DIALOG_START) {
        for (size_t i = 0; i < a->dialog_count; i++) {
            dialog_draw(a, &a->dialogs[i], c);
        }
        return;
    }
    if (a->layout.visible[PANE_STEPS]) {
        view_steps(a, c, a->layout.body[PANE_STEPS]);
    }
    if (a->layout.visible[PANE_TRANSCRIPT]) {
        tview_draw(a->tview, &a->record, c, a->layout.body[PANE_TRANSCRIPT],
                   a->wish.focus == PANE_TRANSCRIPT && top == NULL, a->spin);
    }
    if (a->layout.visible[PANE_ADVICE]) {
        view_advice(a, c, a->layout.body[PANE_ADVICE]);
    }
    if (a->layout.visible[PANE_TIMINGS]) {
        view_timings(a, c, a->layout.body[PANE_TIMINGS]);
    }
    view_type(a, c);
    view_status(a, c);
    /* Last, because titles say what the panes above left out. */
    view_frame(a, c);
    for (size_t i = 0; i < a->dialog_count; i++) {
        dialog_draw(a, &a->dialogs[i], c);
    }
}
