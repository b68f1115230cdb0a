#include "app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogs.h"
#include "escape.h"
#include "exit_code.h"
#include "lessons.h"
#include "text.h"
#include "views.h"

#define SEARCH_US (10 * US_PER_MS) /* between pieces of a long search or filter */
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
    if (status == ST_OK) {
        status = hand_init(&a->hand);
    }
    if (status == ST_OK) {
        status = lessons_new(&a->lessons);
    }
    if (status == ST_OK) {
        status = guide_pane_init(&a->guide_pane);
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
    guide_pane_free(&a->guide_pane);
    hand_free(&a->hand);
    lineedit_free(&a->smtp);
    lineedit_free(&a->ask_edit);
    lessons_free(a->lessons);
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
    if (a->wish.focus == PANE_TYPE || guide_edits(a)) {
        return MODE_TEXT;
    }
    bool guide = a->wish.focus == PANE_ADVICE && guide_in_front(a);
    return guide ? MODE_GUIDE : (enum key_mode)(MODE_PANE + a->wish.focus);
}

void app_show_step(struct app *a, enum check_id check)
{
    a->proof_at = check == a->step ? a->proof_at : 0;
    a->step = check;
    a->advice_scroll = 0;
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
    hand_new_run(a);
    tview_reset(a->tview);
    app_show_step(a, CHECK_DNS_MX);
    a->step_moved = false;
    a->proof_at = 0;
    a->saved = a->session_wanted = false;
    a->tee_next = 1;
    guide_note_new_run(a);
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
    lessons_adopt(a, scenario);
    if (engine_new(&a->engine, net, &error) != ST_OK) {
        net_network_close(net);
        app_say(a, true, "%s", error.text);
        return false;
    }
    a->plan.stay = true;
    return true;
}

bool app_start_checks(struct app *a, uint64_t mask)
{
    struct error error = {0};
    if (a->engine == NULL && !app_connect_engine(a, a->options->scenario)) {
        return false;
    }
    if (a->plan.domain == NULL && a->plan.host == NULL) {
        dialog_open_target(a);
        return false;
    }
    if (plan_validate(&a->plan, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
        return false;
    }
    a->paused = false;
    uint64_t only = a->plan.only;
    a->plan.only = mask != 0 ? mask : only;
    uint32_t run = engine_start(a->engine, &a->plan);
    a->plan.only = only;
    if (run == 0) {
        app_say(a, true, "%s", _("Not enough memory for a new run."));
        return false;
    }
    a->status[0] = '\0';
    a->status_error = false;
    return app_new_record(a, run);
}

void app_start_run(struct app *a)
{
    (void)app_start_checks(a, 0);
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

/* Before the first line of each run: a file may have runs of both kinds of network. */
static void app_tee_demo(struct app *a, struct buf *out)
{
    struct error error = {0};
    const char *sentence = report_demo_sentence();
    if (buf_add_str(out, "DEMO: ") != ST_OK ||
        escape_add(out, sentence, strlen(sentence), a->ascii ? ESCAPE_ASCII : 0) != ST_OK ||
        buf_add_char(out, '\n') != ST_OK || tee_add(&a->tee, out->p, out->len, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
    }
}

static void app_tee(struct app *a)
{
    struct error error = {0};
    struct buf out;
    buf_init(&out, REPORT_MAX);
    uint32_t last = lines_last(a->record.lines);
    if (a->tee_next == 1 && last > 0 && a->record.demo) {
        app_tee_demo(a, &out);
    }
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
        app_show_step(a, e->check);
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
    app_show_step(a, worst);
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
void app_mask_line(struct app *a)
{
    lineedit_mask(&a->smtp, typehint_secret(&a->record, hand_mode(a), lineedit_text(&a->smtp)));
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
            hand_event(a, e);
            guide_note_event(a, e);
            changed = true;
        }
        event_free(e);
        e = next;
    }
    hand_pump(a);
    if (changed) {
        app_mask_line(a);
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
    if (tview_busy(a->tview, &a->record)) {
        tview_update(a->tview, &a->record); /* one more piece */
        return true;
    }
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
    if (tview_busy(a->tview, &a->record)) {
        return a->now_us + SEARCH_US;
    }
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
        struct report_options o = {format, a->ascii, &a->plan, a->guide, a->english, NULL};
        bool ticket = format == REPORT_TICKET || format == REPORT_TICKET_MARKDOWN;
        status = ticket && guide_has_page(a)
                     ? guided_report(&a->guide_pane.guided, &a->record, &o, &out)
                     : report_build(&a->record, &o, &out);
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

void app_draw(struct app *a, struct canvas *c)
{
    canvas_clear(c);
    c->cursor_x = c->cursor_y = -1;
    a->wish.w = c->w;
    a->wish.h = c->h - replay_rows(a, c->h);
    a->wish.title_columns = view_title_columns();
    a->wish.guide = guide_in_front(a);
    layout_compute(&a->wish, &a->layout);
    struct dialog *top = dialog_top(a);
    if (a->layout.kind == LAYOUT_TOO_SMALL) {
        struct rect all = {0, 0, c->w, c->h};
        char text[160];
        int n = snprintf(text, sizeof(text), "%s", a->demo ? "DEMO. " : "");
        snprintf(text + n, sizeof(text) - (size_t)n,
                 _("Terminal is %dx%d, needs 40x10. Session goes on. q quits"), c->w, c->h);
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
        struct rect body = a->layout.body[PANE_ADVICE];
        if (guide_in_front(a)) {
            view_guide(a, c, body);
        } else {
            view_advice(a, c, body);
        }
    }
    if (a->layout.visible[PANE_TIMINGS]) {
        view_timings(a, c, a->layout.body[PANE_TIMINGS]);
    }
    view_type(a, c);
    view_status(a, c);
    /* Last, because titles say what the panes above left out. */
    view_frame(a, c);
    candidates_draw(a, c);
    for (size_t i = 0; i < a->dialog_count; i++) {
        dialog_draw(a, &a->dialogs[i], c);
    }
}
