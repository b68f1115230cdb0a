#include "app.h"

#include <limits.h>

#include "views.h"

#define SCROLL_COLUMNS 8

/* Who types reads the transcript above the line. */
static enum pane moved_pane(const struct app *a)
{
    return a->wish.focus == PANE_TYPE ? PANE_TRANSCRIPT : a->wish.focus;
}

static void move_by(struct app *a, int rows)
{
    switch (moved_pane(a)) {
    case PANE_STEPS: {
        int at = (int)a->step + rows;
        at = at < 0 ? 0 : at >= CHECK_COUNT ? CHECK_COUNT - 1 : at;
        app_show_step(a, (enum check_id)at);
        a->step_moved = true;
        break;
    }
    case PANE_TRANSCRIPT:
        tview_move(a->tview, &a->record, rows);
        break;
    case PANE_ADVICE:
        if (guide_in_front(a)) {
            guide_move(a, rows);
            break;
        }
        a->advice_scroll += rows;
        a->advice_scroll = a->advice_scroll < 0 ? 0 : a->advice_scroll;
        break;
    default:
        break;
    }
}

static int page_rows(const struct app *a)
{
    int h = a->layout.body[moved_pane(a)].h;
    return h > 2 ? h - 1 : 1;
}

static void act_down(struct app *a)
{
    move_by(a, 1);
}

static void act_up(struct app *a)
{
    move_by(a, -1);
}

static void act_page_down(struct app *a)
{
    move_by(a, page_rows(a));
}

static void act_page_up(struct app *a)
{
    move_by(a, -page_rows(a));
}

static void act_half_down(struct app *a)
{
    move_by(a, (page_rows(a) + 1) / 2);
}

static void act_half_up(struct app *a)
{
    move_by(a, -(page_rows(a) + 1) / 2);
}

static void act_first(struct app *a)
{
    if (a->wish.focus == PANE_TRANSCRIPT) {
        tview_first(a->tview, &a->record);
    } else {
        move_by(a, -CHECK_COUNT - a->advice_scroll);
    }
}

static void act_last(struct app *a)
{
    if (a->wish.focus == PANE_TRANSCRIPT) {
        tview_last(a->tview, &a->record);
    } else {
        move_by(a, a->wish.focus == PANE_ADVICE ? 10000 : CHECK_COUNT);
    }
}

static void act_fold(struct app *a)
{
    struct line line;
    if (a->wish.focus == PANE_TRANSCRIPT &&
        lines_get(a->record.lines, tview_cursor(a->tview), &line)) {
        tview_fold(a->tview, &a->record, (enum check_id)line.check, -1);
    }
}

static void act_fold_all(struct app *a)
{
    tview_fold_all(a->tview, &a->record, true);
}

static void act_unfold_all(struct app *a)
{
    tview_fold_all(a->tview, &a->record, false);
}

static void act_follow(struct app *a)
{
    tview_follow(a->tview, &a->record, !tview_following(a->tview));
}

static void act_wrap(struct app *a)
{
    tview_wrap(a->tview, !tview_wrapping(a->tview));
}

static void act_time(struct app *a)
{
    tview_time(a->tview, (enum tview_time)((tview_time_mode(a->tview) + 1) % (TIME_OFF + 1)));
}

static void act_base64(struct app *a)
{
    tview_base64(a->tview, !tview_base64_on(a->tview));
}

static void act_left(struct app *a)
{
    tview_scroll_columns(a->tview, -SCROLL_COLUMNS);
}

static void act_right(struct app *a)
{
    tview_scroll_columns(a->tview, SCROLL_COLUMNS);
}

static void act_line_start(struct app *a)
{
    tview_scroll_columns(a->tview, INT_MIN);
}

static void act_line_end(struct app *a)
{
    tview_scroll_columns(a->tview, INT_MAX);
}

static void act_next_step(struct app *a)
{
    tview_step(a->tview, &a->record, 1);
}

static void act_prev_step(struct app *a)
{
    tview_step(a->tview, &a->record, -1);
}

static void (*const move_table[ACTION_COUNT])(struct app *) = {
    [ACTION_DOWN] = act_down,
    [ACTION_UP] = act_up,
    [ACTION_FIRST] = act_first,
    [ACTION_LAST] = act_last,
    [ACTION_PAGE_DOWN] = act_page_down,
    [ACTION_PAGE_UP] = act_page_up,
    [ACTION_HALF_DOWN] = act_half_down,
    [ACTION_HALF_UP] = act_half_up,
    [ACTION_FOLD] = act_fold,
    [ACTION_FOLD_ALL] = act_fold_all,
    [ACTION_UNFOLD_ALL] = act_unfold_all,
    [ACTION_FOLLOW] = act_follow,
    [ACTION_WRAP] = act_wrap,
    [ACTION_TIME] = act_time,
    [ACTION_BASE64] = act_base64,
    [ACTION_LEFT] = act_left,
    [ACTION_RIGHT] = act_right,
    [ACTION_LINE_START] = act_line_start,
    [ACTION_LINE_END] = act_line_end,
    [ACTION_NEXT_STEP] = act_next_step,
    [ACTION_PREV_STEP] = act_prev_step,
};

void app_move_action(struct app *a, enum action action)
{
    if (action > ACTION_NONE && action < ACTION_COUNT && move_table[action] != NULL) {
        move_table[action](a);
    }
}

static bool rect_has(struct rect r, int x, int y)
{
    return x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h;
}

void app_mouse(struct app *a, const struct mouse_event *event)
{
    if (a->dialog_count > 0 || a->ask != ASK_NOTHING) {
        return;
    }
    for (int p = 0; p < PANE_COUNT; p++) {
        if (!a->layout.visible[p] || !rect_has(a->layout.body[p], event->x, event->y)) {
            continue;
        }
        if (event->kind == MOUSE_WHEEL_UP || event->kind == MOUSE_WHEEL_DOWN) {
            enum pane focus = a->wish.focus;
            a->wish.focus = (enum pane)p;
            move_by(a, event->kind == MOUSE_WHEEL_UP ? -3 : 3);
            a->wish.focus = focus;
            return;
        }
        bool had_focus = (int)a->wish.focus == p;
        a->wish.focus = (enum pane)p;
        int row = event->y - a->layout.body[p].y;
        int step = p == PANE_STEPS ? view_steps_top(a, a->layout.body[p].h) + row : 0;
        if (p == PANE_STEPS && had_focus && step < CHECK_COUNT) {
            app_show_step(a, (enum check_id)step);
            a->step_moved = true;
        }
        if (event->kind == MOUSE_DOUBLE) {
            app_action(a, ACTION_OPEN);
        }
        return;
    }
    if (rect_has(a->layout.prompt, event->x, event->y)) {
        app_action(a, ACTION_TYPE);
    }
}
