#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogs.h"
#include "escape.h"
#include "lessons.h"
#include "text.h"

#define LIST_WIDTH 76
#define NAME_MAX_BYTES 128
#define NAME_COLUMNS_MIN 12
#define NAME_COLUMNS_MAX 24
#define ABOUT_ROWS 3 /* of text about the symptom under the cursor */

bool list_contains(const char *text, const char *filter)
{
    size_t n = strlen(filter);
    for (; n > 0 && *text != '\0'; text++) {
        size_t k = 0;
        while (k < n && text[k] != '\0' && (text[k] | 0x20) == (filter[k] | 0x20)) {
            k++;
        }
        if (k == n) {
            return true;
        }
    }
    return n == 0;
}

/* The menu holds what is live anywhere, help what is live where it was called. */
static size_t menu_actions(const char *filter, enum action *out)
{
    bool live[ACTION_COUNT] = {false};
    enum action some[ACTION_COUNT];
    size_t count = 0;
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        size_t n = keys_help((enum key_mode)mode, filter, some, ACTION_COUNT);
        for (size_t i = 0; i < n; i++) {
            live[some[i]] = true;
        }
    }
    for (int action = 0; action < ACTION_COUNT; action++) {
        if (live[action]) {
            out[count++] = (enum action)action;
        }
    }
    return count;
}

/* Without what only a lesson has, where there is none. */
static size_t without_lesson(enum action *actions, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (actions[i] != ACTION_LESSON) {
            actions[kept++] = actions[i];
        }
    }
    return kept;
}

static void list_refill_actions(const struct app *a, struct dialog *d)
{
    const char *filter = lineedit_text(&d->filter);
    d->count = d->purpose == LIST_MENU ? menu_actions(filter, d->actions)
                                       : keys_help(d->mode, filter, d->actions, ACTION_COUNT);
    if (!lessons_live(a)) {
        d->count = without_lesson(d->actions, d->count);
    }
    if (d->cursor >= d->count) {
        d->cursor = d->count > 0 ? d->count - 1 : 0;
    }
}

static void list_refill(struct app *a, struct dialog *d)
{
    if (d->purpose == LIST_SCENARIOS) {
        scenarios_fill(a, d);
    } else if (d->purpose == LIST_SYMPTOMS) {
        symptoms_fill(a, d);
    } else {
        list_refill_actions(a, d);
    }
}

void list_open(struct app *a, struct dialog *d, enum list_purpose purpose)
{
    d->purpose = purpose;
    if (lineedit_init(&d->filter, 128, false) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
    }
    if (purpose == LIST_SCENARIOS) {
        scenarios_open(a, d);
    } else {
        list_refill(a, d);
    }
}

static void list_choose(struct app *a, struct dialog *d)
{
    if (d->count == 0) {
        return;
    }
    if (d->purpose == LIST_SCENARIOS) {
        scenarios_choose(a, d);
        return;
    }
    if (d->purpose == LIST_SYMPTOMS) {
        symptoms_choose(a, d);
        return;
    }
    enum action action = d->actions[d->cursor];
    dialog_close(a);
    app_action(a, action);
}

static bool list_can_choose(const struct dialog *d, size_t at)
{
    return d->purpose != LIST_SCENARIOS || scenarios_can_choose(d, at);
}

/* The cursor goes by so many rows, and stands on none that cannot be chosen. */
static void list_move(struct dialog *d, long rows)
{
    long last = (long)d->count - 1, at = (long)d->cursor + rows;
    long step = rows < 0 ? -1 : 1;
    at = at < 0 ? 0 : at > last ? last : at;
    for (int turns = 0; turns < 2 && d->count > 0; turns++) {
        long found = at;
        while (found >= 0 && found <= last && !list_can_choose(d, (size_t)found)) {
            found += step;
        }
        if (found >= 0 && found <= last) {
            d->cursor = (size_t)found;
            return;
        }
        step = -step;
    }
}

void list_key(struct app *a, struct dialog *d, uint32_t key)
{
    const long page = 10;
    switch (key) {
    case UKEY_ESC:
    case KEY_CTRL('G'):
        dialog_close(a);
        return;
    case UKEY_ENTER:
        list_choose(a, d);
        return;
    case UKEY_DOWN:
    case UKEY_TAB:
        list_move(d, 1);
        return;
    case UKEY_UP:
    case UKEY_BACKTAB:
        list_move(d, -1);
        return;
    case UKEY_PAGE_DOWN:
        list_move(d, page);
        return;
    case UKEY_PAGE_UP:
        list_move(d, -page);
        return;
    default:
        break;
    }
    if (lineedit_key(&d->filter, key) == EDIT_CHANGED) {
        d->cursor = d->top = 0;
        list_refill(a, d);
        list_move(d, 0);
    }
}

/* What stands on the left of a row: the keys of an action. */
static void row_name(const struct dialog *d, size_t at, char *out, size_t size)
{
    out[0] = '\0';
    if (d->purpose == LIST_MENU) {
        for (int mode = 0; mode < MODE_COUNT && out[0] == '\0'; mode++) {
            keys_text((enum key_mode)mode, d->actions[at], out, size);
        }
    } else {
        keys_text(d->mode, d->actions[at], out, size);
    }
}

static int name_columns(const struct dialog *d)
{
    char name[NAME_MAX_BYTES];
    size_t most = NAME_COLUMNS_MIN;
    bool actions = d->purpose == LIST_MENU || d->purpose == LIST_HELP;
    for (size_t i = 0; i < d->count && actions; i++) {
        row_name(d, i, name, sizeof(name));
        size_t columns = escape_columns(name, strlen(name), 0) + 2;
        most = columns > most ? columns : most;
    }
    return most < NAME_COLUMNS_MAX ? (int)most : NAME_COLUMNS_MAX;
}

static void list_draw_row(const struct dialog *d, struct canvas *c, struct rect row, int names,
                          size_t at)
{
    char name[NAME_MAX_BYTES];
    row_name(d, at, name, sizeof(name));
    struct rect left = {row.x, row.y, names - 1, 1};
    canvas_label(c, left, row.x, row.y, ROLE_BOLD, name);
    canvas_label(c, row, row.x + names, row.y, ROLE_TEXT, action_title(d->actions[at]));
}

void list_draw(struct app *a, struct dialog *d, struct canvas *c)
{
    const char *title = d->purpose == LIST_MENU        ? _("All commands")
                        : d->purpose == LIST_SCENARIOS ? _("Practise: choose a lesson")
                        : d->purpose == LIST_SYMPTOMS  ? _("Guide me: what is wrong?")
                                                       : _("Help: what the keys do here");
    int width = c->w < LIST_WIDTH + 2 ? c->w : LIST_WIDTH;
    int height = c->h > 6 ? c->h - 4 : c->h;
    bool about = d->purpose == LIST_SYMPTOMS && height > 4 + 2 * ABOUT_ROWS;
    int rows = height - 4 - (about ? ABOUT_ROWS : 0);
    if (rows < 1) {
        return;
    }
    struct rect box = {(c->w - width) / 2, (c->h - height) / 2, width, height};
    box_draw(c, box, title, d->tag);
    struct rect filter = {box.x + 2, box.y + 1, width - 4, 1};
    int x = canvas_str(c, filter, filter.x, filter.y, ROLE_TEXT, _("Type to filter: "));
    struct rect field = {filter.x + x, filter.y, filter.w - x, 1};
    canvas_fill(c, field, ROLE_FIELD_FOCUS);
    size_t from = 0;
    int cursor = 0;
    lineedit_window(&d->filter, field.w, c->ascii, &from, &cursor);
    canvas_str(c, field, field.x, field.y, ROLE_FIELD_FOCUS, lineedit_text(&d->filter) + from);
    c->cursor_x = field.x + cursor;
    c->cursor_y = field.y;
    /* A heading is seen with the first row below it. */
    size_t first = d->cursor - (d->cursor > 0 && !list_can_choose(d, d->cursor - 1) ? 1 : 0);
    if (first < d->top) {
        d->top = first;
    } else if (d->cursor >= d->top + (size_t)rows) {
        d->top = d->cursor - (size_t)rows + 1;
    }
    int names = name_columns(d);
    for (int i = 0; i < rows && d->top + (size_t)i < d->count; i++) {
        size_t at = d->top + (size_t)i;
        struct rect row = {box.x + 2, box.y + 2 + i, width - 4, 1};
        if (d->purpose == LIST_SCENARIOS) {
            scenarios_draw_row(a, d, c, row, at);
        } else if (d->purpose == LIST_SYMPTOMS) {
            symptoms_draw_row(a, d, c, row, at);
        } else {
            list_draw_row(d, c, row, names, at);
        }
        if (at == d->cursor) {
            canvas_role(c, row, ROLE_CURSOR_ROW);
        }
    }
    if (d->count == 0) {
        canvas_str(c, box, box.x + 2, box.y + 2, ROLE_TEXT, _("Nothing fits."));
    }
    int below = (int)d->count - (int)d->top - rows;
    box_draw_hidden(c, box, (int)d->top, below > 0 ? below : 0);
    if (about) {
        symptoms_draw_about(a, d, c,
                            (struct rect){box.x + 2, box.y + 2 + rows, width - 4, ABOUT_ROWS});
    }
    struct rect foot = {box.x + 2, box.y + height - 2, width - 4, 1};
    canvas_str(c, foot, foot.x, foot.y, ROLE_DIM, _("Enter does it   Esc closes"));
}

void text_key(struct app *a, struct dialog *d, uint32_t key)
{
    switch (key) {
    case UKEY_ESC:
    case UKEY_ENTER:
    case 'q':
    case KEY_CTRL('G'):
        dialog_close(a);
        return;
    case UKEY_DOWN:
    case 'j':
    case KEY_CTRL('N'):
        d->top++;
        return;
    case UKEY_UP:
    case 'k':
    case KEY_CTRL('P'):
        d->top -= d->top > 0 ? 1 : 0;
        return;
    case UKEY_PAGE_DOWN:
    case ' ':
    case KEY_CTRL('F'):
        d->top += 10;
        return;
    case UKEY_PAGE_UP:
    case KEY_CTRL('B'):
        d->top = d->top > 10 ? d->top - 10 : 0;
        return;
    case UKEY_HOME:
    case 'g':
        d->top = 0;
        return;
    case UKEY_END:
    case 'G':
        d->top = d->text.len; /* brought back to the last rows when it is drawn */
        return;
    default:
        return;
    }
}

void text_draw(struct dialog *d, struct canvas *c)
{
    int width = c->w < LIST_WIDTH + 2 ? c->w : LIST_WIDTH;
    int height = c->h > 6 ? c->h - 4 : c->h;
    struct rect box = {(c->w - width) / 2, (c->h - height) / 2, width, height};
    struct rect body = {box.x + 2, box.y + 1, width - 4, height - 3};
    if (body.w < 4 || body.h < 1) {
        return;
    }
    box_draw(c, box, d->title, d->tag);
    int rows = text_wrapped(NULL, body, 0, ROLE_TEXT, buf_str(&d->text), 3);
    int most = rows > body.h ? rows - body.h : 0;
    if (d->top > (size_t)most) {
        d->top = (size_t)most;
    }
    text_wrapped(c, body, (int)d->top, ROLE_TEXT, buf_str(&d->text), 3);
    struct rect foot = {box.x + 2, box.y + height - 2, width - 4, 1};
    if (most > (int)d->top) {
        canvas_printf(c, foot, foot.x, foot.y, ROLE_DIM, _("%d more lines below   Esc closes"),
                      most - (int)d->top);
    } else {
        canvas_str(c, foot, foot.x, foot.y, ROLE_DIM, _("Esc closes"));
    }
    c->cursor_x = body.x;
    c->cursor_y = body.y;
}
