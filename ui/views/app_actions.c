#include "app.h"

#include <string.h>

#include "commands.h"
#include "dialogs.h"
#include "lessons.h"
#include "text.h"
#include "views.h"

#define STOP_TWICE_US (2 * US_PER_S)
#define LEFT_DELTA_MAX 60

static void act_help(struct app *a)
{
    dialog_open_list(a, LIST_HELP);
}

static void act_menu(struct app *a)
{
    dialog_open_list(a, LIST_MENU);
}

static void act_target(struct app *a)
{
    dialog_open_target(a);
}

static void ask_open(struct app *a, enum ask ask, const char *text)
{
    a->ask = ask;
    a->status[0] = '\0';
    if (lineedit_set(&a->ask_edit, text) != ST_OK) {
        a->ask = ASK_NOTHING;
    }
}

static void act_find(struct app *a)
{
    ask_open(a, ASK_FIND, "");
}

static void act_filter(struct app *a)
{
    ask_open(a, ASK_FILTER, tview_filter_text(a->tview));
}

static void find_again(struct app *a, int direction)
{
    if (tview_find_text(a->tview)[0] == '\0') {
        app_say(a, false, "%s", _("Nothing was looked for yet. / begins."));
    } else if (!tview_find_next(a->tview, &a->record, direction)) {
        app_say(a, true, "%s", _("Not found in the transcript."));
    } else {
        a->wish.focus = PANE_TRANSCRIPT;
    }
}

static void act_find_next(struct app *a)
{
    find_again(a, 1);
}

static void act_find_prev(struct app *a)
{
    find_again(a, -1);
}

static void act_run_rest(struct app *a)
{
    if (!a->record.started) {
        app_start_run(a);
        return;
    }
    if (app_busy(a)) {
        app_say(a, false, "%s", _("The steps are running already."));
        return;
    }
    a->paused = false;
    if (engine_continue(a->engine) != ST_OK) {
        app_say(a, true, "%s", _("The engine did not take the command."));
    }
}

static void act_run_step(struct app *a)
{
    if (app_mode(a) == MODE_GUIDE) {
        guide_again(a);
        return;
    }
    app_run_step(a);
}

void app_run_step(struct app *a)
{
    if (app_busy(a)) {
        app_say(a, false, "%s", _("A step is running; F8 stops it."));
        return;
    }
    if (!a->record.started) {
        app_start_run(a);
        return;
    }
    a->step_moved = true; /* what is run is what is looked at */
    switch (checks[a->step].risk) {
    case RISK_RELAY:
        dialog_open_relay(a);
        return;
    case RISK_LOGIN:
        dialog_open_login(a);
        return;
    case RISK_SEND:
        dialog_open_send(a);
        return;
    case RISK_SAFE:
        if (engine_step(a->engine, a->step, &a->plan) != ST_OK) {
            app_say(a, true, "%s", _("The engine did not take the command."));
        }
        return;
    }
}

static void act_run_new(struct app *a)
{
    app_start_run(a);
}

static void act_pause(struct app *a)
{
    if (a->engine == NULL || !(app_running(a) || a->paused)) {
        app_say(a, false, "%s", _("Nothing is running. q leaves the program."));
        return;
    }
    a->paused = !a->paused;
    engine_pause(a->engine, a->paused);
    app_say(a, false, "%s",
            a->paused ? _("Pausing after this step; p goes on.") : _("Going on."));
}

static void act_stop(struct app *a)
{
    bool busy = hand_stop(a) || app_running(a) || a->record.running != CHECK_NONE ||
                a->record.waiting != WAIT_NONE;
    if (a->engine == NULL || !busy) {
        app_say(a, false, "%s", _("Nothing is running. q leaves the program."));
        return;
    }
    bool again = a->now_us - a->last_stop_us < STOP_TWICE_US;
    engine_cancel(a->engine, again ? CANCEL_HARD : CANCEL_POLITE);
    a->last_stop_us = a->now_us;
    app_say(a, false, "%s",
            again ? _("The connection is cut.") : _("Stopping politely; again within 2 s cuts the connection."));
}

static void act_type(struct app *a)
{
    a->wish.focus = PANE_TYPE;
    if (!app_running(a) && a->record.session == SMTP_CLOSED) {
        hand_open(a, false);
    }
}

static void act_reconnect(struct app *a)
{
    hand_open(a, false);
}

static void act_connect_only(struct app *a)
{
    hand_open(a, true);
}

static void act_compose(struct app *a)
{
    composer_open(a, a->record.session != SMTP_RCPT, NULL, NULL);
}

static void act_replay(struct app *a)
{
    replay_open_file(a);
}

static void act_macros(struct app *a)
{
    dialog_open_macros(a);
}

static void act_save(struct app *a)
{
    if (!a->record.started) {
        app_say(a, false, "%s", _("There is nothing to save yet."));
        return;
    }
    dialog_open_save(a, REPORT_TEXT);
}

static void act_quit(struct app *a)
{
    if (app_running(a) || (a->session_wanted && !a->saved)) {
        dialog_open_quit(a);
        return;
    }
    a->requests |= APP_QUIT;
}

static void act_quit_report(struct app *a)
{
    a->requests |= APP_QUIT | APP_REPORT;
}

static void act_cancel(struct app *a)
{
    struct error error = {0};
    if (tview_find_text(a->tview)[0] != '\0') {
        (void)!tview_find(a->tview, &a->record, "", &error);
    } else if (tview_filter_text(a->tview)[0] != '\0') {
        (void)!tview_filter(a->tview, &a->record, "", &error);
    } else if (a->wish.zoom) {
        a->wish.zoom = false;
    }
    a->status[0] = '\0';
}

static void focus_to(struct app *a, enum pane pane)
{
    a->wish.focus = pane;
    if (pane == PANE_ADVICE) {
        a->wish.advice_hidden = false;
    }
    if (pane == PANE_TIMINGS) {
        a->wish.timings_shown = true;
    }
}

static void focus_step(struct app *a, int direction)
{
    for (int i = 1; i <= PANE_COUNT; i++) {
        int next = ((int)a->wish.focus + direction * i + PANE_COUNT * 2) % PANE_COUNT;
        bool shown = a->layout.kind == LAYOUT_TABS || a->wish.zoom || a->layout.visible[next];
        if (shown && next != PANE_TYPE) {
            a->wish.focus = (enum pane)next;
            return;
        }
    }
}

static void act_next_pane(struct app *a)
{
    focus_step(a, 1);
}

static void act_prev_pane(struct app *a)
{
    focus_step(a, -1);
}

static void act_pane_steps(struct app *a)
{
    focus_to(a, PANE_STEPS);
}

static void act_pane_transcript(struct app *a)
{
    focus_to(a, PANE_TRANSCRIPT);
}

static void act_pane_advice(struct app *a)
{
    focus_to(a, PANE_ADVICE);
}

static void act_pane_timings(struct app *a)
{
    focus_to(a, PANE_TIMINGS);
}

static void act_zoom(struct app *a)
{
    a->wish.zoom = !a->wish.zoom;
}

static void act_toggle_advice(struct app *a)
{
    a->wish.advice_hidden = !a->wish.advice_hidden;
    if (a->wish.advice_hidden && a->wish.focus == PANE_ADVICE) {
        a->wish.focus = PANE_STEPS;
    }
}

static void act_toggle_timings(struct app *a)
{
    a->wish.timings_shown = !a->wish.timings_shown;
    if (!a->wish.timings_shown && a->wish.focus == PANE_TIMINGS) {
        a->wish.focus = PANE_STEPS;
    }
}

static void act_wider(struct app *a)
{
    a->wish.left_delta += a->wish.left_delta < LEFT_DELTA_MAX ? 1 : 0;
}

static void act_narrower(struct app *a)
{
    a->wish.left_delta -= a->wish.left_delta > -LEFT_DELTA_MAX ? 1 : 0;
}

static void act_mouse(struct app *a)
{
    a->mouse = !a->mouse;
    a->requests |= APP_MOUSE;
    app_say(a, false, "%s",
            a->mouse ? _("Mouse on: Shift-drag selects text.") : _("Mouse off."));
}

static void act_redraw(struct app *a)
{
    a->requests |= APP_REDRAW;
}

static void act_suspend(struct app *a)
{
    a->requests |= APP_SUSPEND;
}

/* The cursor follows the transcript's, so that the advice is about the problem that is looked at. */
static void step_from_transcript(struct app *a)
{
    struct line line;
    if (lines_get(a->record.lines, tview_cursor(a->tview), &line) && line.check < CHECK_COUNT) {
        app_show_step(a, (enum check_id)line.check);
        a->step_moved = true;
    }
}

/* The line that the worst finding of a step rests on; else, and where finding it is a lesson, the
   step's first line; 0: none. */
static uint32_t proof_line(const struct app *a, enum check_id check)
{
    const struct finding *worst = NULL;
    for (size_t i = 0; i < a->record.finding_count && !lessons_veil(a); i++) {
        const struct record_finding *rf = &a->record.findings[i];
        if (rf->check == check && rf->f.evidence_count > 0 &&
            (worst == NULL || rf->f.verdict > worst->verdict)) {
            worst = &rf->f;
        }
    }
    return worst != NULL ? worst->evidence[worst->evidence_count - 1]
                         : a->record.steps[check].first_line;
}

static bool is_problem(const struct app *a, int step)
{
    enum verdict v = a->record.steps[step].verdict;
    return v == VERDICT_FAIL || v == VERDICT_WARN || v == VERDICT_INCONCLUSIVE;
}

static void problem_step(struct app *a, int direction)
{
    for (int i = 1; i <= CHECK_COUNT; i++) {
        int at = ((int)a->step + direction * i + CHECK_COUNT * 2) % CHECK_COUNT;
        if (is_problem(a, at)) {
            app_show_step(a, (enum check_id)at);
            a->step_moved = true;
            tview_goto(a->tview, &a->record, proof_line(a, a->step));
            return;
        }
    }
    app_say(a, false, "%s", _("No problem was found."));
}

static void act_next_problem(struct app *a)
{
    problem_step(a, 1);
}

static void act_prev_problem(struct app *a)
{
    problem_step(a, -1);
}

static void show_text(struct app *a, const char *title,
                      enum status (*fill)(const struct app *, enum check_id, struct buf *))
{
    struct buf text;
    buf_init(&text, 1u << 20);
    if (fill(a, a->step, &text) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
        buf_free(&text);
        return;
    }
    dialog_open_text(a, title, &text);
}

static void act_links(struct app *a)
{
    if (lessons_veil(a)) {
        app_say(a, false, "%s", _("The links come with the answer. L gives hints."));
        return;
    }
    show_text(a, _("Links"), advice_links);
}

static enum status same_command(const struct app *a, enum check_id check, struct buf *out)
{
    return commands_for(&a->record, &a->plan, check, out);
}

static void act_copy_command(struct app *a)
{
    show_text(a, _("The same as a command"), same_command);
}

/* To the first line that the advice rests on, each further time to the next. */
static void open_proof(struct app *a)
{
    size_t count = 0;
    uint32_t line = advice_proof_line(a, a->step, a->proof_at, &count);
    if (count == 0) {
        app_say(a, false, "%s", _("This advice rests on no line. o shows all of it."));
        return;
    }
    if (line == 0) {
        a->proof_at = 0;
        line = advice_proof_line(a, a->step, 0, &count);
    }
    a->proof_at++;
    tview_goto(a->tview, &a->record, line);
    app_say(a, false, _("Proof %zu of %zu: line %u."), a->proof_at, count, (unsigned)line);
    if (!a->layout.visible[PANE_TRANSCRIPT]) {
        focus_to(a, PANE_TRANSCRIPT);
    }
}

static void act_open(struct app *a)
{
    if (a->wish.focus == PANE_STEPS) {
        uint32_t proof = proof_line(a, a->step);
        if (proof == 0) {
            app_say(a, false, "%s", _("This step has no lines yet."));
            return;
        }
        tview_goto(a->tview, &a->record, proof);
        focus_to(a, PANE_TRANSCRIPT);
    } else if (a->wish.focus == PANE_TRANSCRIPT) {
        step_from_transcript(a);
        focus_to(a, PANE_ADVICE);
    } else if (a->wish.focus == PANE_ADVICE && lessons_veil(a)) {
        dialog_open_lesson(a);
    } else if (a->wish.focus == PANE_ADVICE && guide_in_front(a)) {
        guide_enter(a);
    } else if (a->wish.focus == PANE_ADVICE) {
        open_proof(a);
    }
}

static void act_long(struct app *a)
{
    show_text(a, _("Advice"), advice_text);
}

static void act_guide(struct app *a)
{
    guide_open(a);
}

static void act_guide_back(struct app *a)
{
    guide_back(a);
}

static void act_guide_skip(struct app *a)
{
    guide_skip(a);
}

static void act_guide_why(struct app *a)
{
    guide_why(a);
}

static void act_guide_save(struct app *a)
{
    guide_export(a);
}

static void act_guide_leave(struct app *a)
{
    guide_leave(a);
}

static void (*const act_table[ACTION_COUNT])(struct app *) = {
    [ACTION_HELP] = act_help,
    [ACTION_MENU] = act_menu,
    [ACTION_TARGET] = act_target,
    [ACTION_FIND] = act_find,
    [ACTION_FIND_NEXT] = act_find_next,
    [ACTION_FIND_PREV] = act_find_prev,
    [ACTION_FILTER] = act_filter,
    [ACTION_RUN_REST] = act_run_rest,
    [ACTION_RUN_STEP] = act_run_step,
    [ACTION_RUN_NEW] = act_run_new,
    [ACTION_PAUSE] = act_pause,
    [ACTION_STOP] = act_stop,
    [ACTION_TYPE] = act_type,
    [ACTION_RECONNECT] = act_reconnect,
    [ACTION_CONNECT_ONLY] = act_connect_only,
    [ACTION_COMPOSE] = act_compose,
    [ACTION_REPLAY] = act_replay,
    [ACTION_MACROS] = act_macros,
    [ACTION_SAVE] = act_save,
    [ACTION_QUIT] = act_quit,
    [ACTION_QUIT_REPORT] = act_quit_report,
    [ACTION_CANCEL] = act_cancel,
    [ACTION_NEXT_PANE] = act_next_pane,
    [ACTION_PREV_PANE] = act_prev_pane,
    [ACTION_PANE_STEPS] = act_pane_steps,
    [ACTION_PANE_TRANSCRIPT] = act_pane_transcript,
    [ACTION_PANE_ADVICE] = act_pane_advice,
    [ACTION_PANE_TIMINGS] = act_pane_timings,
    [ACTION_PANE_TYPE] = act_type,
    [ACTION_ZOOM] = act_zoom,
    [ACTION_TOGGLE_ADVICE] = act_toggle_advice,
    [ACTION_TOGGLE_TIMINGS] = act_toggle_timings,
    [ACTION_WIDER] = act_wider,
    [ACTION_NARROWER] = act_narrower,
    [ACTION_MOUSE] = act_mouse,
    [ACTION_REDRAW] = act_redraw,
    [ACTION_SUSPEND] = act_suspend,
    [ACTION_NEXT_PROBLEM] = act_next_problem,
    [ACTION_PREV_PROBLEM] = act_prev_problem,
    [ACTION_LINKS] = act_links,
    [ACTION_OPEN] = act_open,
    [ACTION_COPY_COMMAND] = act_copy_command,
    [ACTION_LONG] = act_long,
    [ACTION_GUIDE] = act_guide,
    [ACTION_GUIDE_BACK] = act_guide_back,
    [ACTION_GUIDE_SKIP] = act_guide_skip,
    [ACTION_GUIDE_WHY] = act_guide_why,
    [ACTION_GUIDE_SAVE] = act_guide_save,
    [ACTION_GUIDE_LEAVE] = act_guide_leave,
    [ACTION_LESSON] = dialog_open_lesson,
};

void app_action(struct app *a, enum action action)
{
    if (action > ACTION_NONE && action < ACTION_COUNT && act_table[action] != NULL) {
        act_table[action](a);
    } else {
        app_move_action(a, action);
    }
}
