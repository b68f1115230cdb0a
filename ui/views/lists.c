#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogs.h"
#include "escape.h"
#include "text.h"

#define LIST_WIDTH 76
#define NAME_MAX_BYTES 128
#define TITLE_MAX_BYTES 512
#define NAME_COLUMNS_MIN 12
#define NAME_COLUMNS_MAX 24
#define ABOUT_ROWS 3

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

static void list_refill_actions(struct dialog *d)
{
    const char *filter = lineedit_text(&d->filter);
    d->count = d->purpose == LIST_MENU ? menu_actions(filter, d->actions)
                                       : keys_help(d->mode, filter, d->actions, ACTION_COUNT);
    if (d->cursor >= d->count) {
        d->cursor = d->count > 0 ? d->count - 1 : 0;
    }
}

static bool contains_nocase(const char *line, size_t len, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = 0; i + n <= len; i++) {
        size_t k = 0;
        while (k < n && (line[i + k] | 0x20) == (needle[k] | 0x20)) {
            k++;
        }
        if (k == n) {
            return true;
        }
    }
    return n == 0;
}

/* Scenarios and symptoms are lines of text; help and menu are actions. */
static bool has_items(const struct dialog *d)
{
    return d->purpose == LIST_SCENARIOS || d->purpose == LIST_SYMPTOMS;
}

static void list_refill_items(struct dialog *d)
{
    const char *filter = lineedit_text(&d->filter);
    d->count = 0;
    for (const char *p = d->items; p != NULL && *p != '\0' && d->count < LIST_ITEMS_MAX;) {
        const char *end = strchr(p, '\n');
        size_t len = end != NULL ? (size_t)(end - p) : strlen(p);
        if (contains_nocase(p, len, filter)) {
            d->item_offsets[d->count++] = (size_t)(p - d->items);
        }
        p = end != NULL ? end + 1 : p + len;
    }
    if (d->cursor >= d->count) {
        d->cursor = d->count > 0 ? d->count - 1 : 0;
    }
}

static void list_refill(struct dialog *d)
{
    if (has_items(d)) {
        list_refill_items(d);
    } else {
        list_refill_actions(d);
    }
}

void list_open(struct app *a, struct dialog *d, enum list_purpose purpose)
{
    struct error error = {0};
    d->purpose = purpose;
    if (lineedit_init(&d->filter, 128, false) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
    }
    if (has_items(d)) {
        struct buf out;
        buf_init(&out, 1u << 20);
        enum status st = purpose == LIST_SYMPTOMS
                             ? guide_symptoms(a, &out, &error)
                             : a->options->list_scenarios(a->options->ctx, &out, &error);
        if (st != ST_OK) {
            app_say(a, true, "%s", error.text);
        } else {
            d->items = str_dup(buf_str(&out));
        }
        buf_free(&out);
    }
    list_refill(d);
}

static void list_choose(struct app *a, struct dialog *d)
{
    if (d->count == 0) {
        return;
    }
    if (!has_items(d)) {
        enum action action = d->actions[d->cursor];
        dialog_close(a);
        app_action(a, action);
        return;
    }
    char name[128];
    const char *item = d->items + d->item_offsets[d->cursor];
    size_t len = strcspn(item, "\t\n");
    if (len >= sizeof(name)) {
        return;
    }
    memcpy(name, item, len);
    name[len] = '\0';
    bool symptom = d->purpose == LIST_SYMPTOMS;
    while (a->dialog_count > 0) {
        dialog_close(a);
    }
    if (symptom) {
        guide_begin(a, name);
    } else if (app_connect_engine(a, name)) {
        app_start_run(a);
    } else {
        dialog_open_start(a);
    }
}

void list_key(struct app *a, struct dialog *d, uint32_t key)
{
    size_t page = 10;
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
        d->cursor += d->cursor + 1 < d->count ? 1 : 0;
        return;
    case UKEY_UP:
    case UKEY_BACKTAB:
        d->cursor -= d->cursor > 0 ? 1 : 0;
        return;
    case UKEY_PAGE_DOWN:
        d->cursor = d->cursor + page < d->count ? d->cursor + page : (d->count > 0 ? d->count - 1 : 0);
        return;
    case UKEY_PAGE_UP:
        d->cursor = d->cursor > page ? d->cursor - page : 0;
        return;
    default:
        break;
    }
    if (lineedit_key(&d->filter, key) == EDIT_CHANGED) {
        d->cursor = 0;
        list_refill(d);
    }
}

/* What stands on the left of a row: the name of a scenario, the keys of an action. */
static void row_name(const struct dialog *d, size_t at, char *out, size_t size)
{
    out[0] = '\0';
    if (has_items(d)) {
        const char *item = d->items + d->item_offsets[at];
        escape_copy(out, size, item, strcspn(item, "\t\n"), 0);
    } else if (d->purpose == LIST_MENU) {
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
    for (size_t i = 0; i < d->count; i++) {
        row_name(d, i, name, sizeof(name));
        size_t columns = escape_columns(name, strlen(name), 0) + 2;
        most = columns > most ? columns : most;
    }
    return most < NAME_COLUMNS_MAX ? (int)most : NAME_COLUMNS_MAX;
}

/* The n-th field of an item, of those that tabs divide. */
static struct span item_field(const struct dialog *d, size_t at, int n)
{
    const char *p = d->items + d->item_offsets[at];
    for (; n > 0 && p[strcspn(p, "\t\n")] == '\t'; n--) {
        p += strcspn(p, "\t\n") + 1;
    }
    return (struct span){p, n == 0 ? strcspn(p, "\t\n") : 0};
}

static void list_draw_row(const struct dialog *d, struct canvas *c, struct rect row, int names,
                          size_t at)
{
    char name[NAME_MAX_BYTES], title[TITLE_MAX_BYTES] = "";
    bool scenario = has_items(d);
    row_name(d, at, name, sizeof(name));
    if (scenario) {
        struct span field = item_field(d, at, 1);
        escape_copy(title, sizeof(title), field.p, field.len, 0);
    } else {
        str_copy(title, sizeof(title), action_title(d->actions[at]));
    }
    struct rect left = {row.x, row.y, names - 1, 1};
    canvas_label(c, left, row.x, row.y, scenario ? ROLE_TEXT : ROLE_BOLD, name);
    canvas_label(c, row, row.x + names, row.y, ROLE_TEXT, title);
}

/* Below the symptoms it says more about the one under the cursor. */
static void draw_about(const struct dialog *d, struct canvas *c, struct rect area)
{
    char about[TITLE_MAX_BYTES];
    if (d->cursor < d->count) {
        struct span field = item_field(d, d->cursor, 2);
        escape_copy(about, sizeof(about), field.p, field.len, 0);
        text_wrapped(c, area, 0, ROLE_DIM, about, 0);
    }
}

void list_draw(struct app *a, struct dialog *d, struct canvas *c)
{
    (void)a;
    const char *title = d->purpose == LIST_MENU        ? _("All commands")
                        : d->purpose == LIST_SCENARIOS ? _("Practise: choose a scenario")
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
    box_draw(c, box, title);
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
    if (d->cursor < d->top) {
        d->top = d->cursor;
    } else if (d->cursor >= d->top + (size_t)rows) {
        d->top = d->cursor - (size_t)rows + 1;
    }
    int names = name_columns(d);
    for (int i = 0; i < rows && d->top + (size_t)i < d->count; i++) {
        size_t at = d->top + (size_t)i;
        struct rect row = {box.x + 2, box.y + 2 + i, width - 4, 1};
        list_draw_row(d, c, row, names, at);
        if (at == d->cursor) {
            canvas_role(c, row, ROLE_CURSOR_ROW);
        }
    }
    if (d->count == 0) {
        canvas_str(c, box, box.x + 2, box.y + 2, ROLE_TEXT, _("Nothing fits."));
    }
    if (about) {
        draw_about(d, c, (struct rect){box.x + 2, box.y + 2 + rows, width - 4, ABOUT_ROWS});
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
    box_draw(c, box, d->title);
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
