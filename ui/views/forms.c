#include "forms.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "keys.h"
#include "text.h"

#define LABEL_COLUMNS_MIN 17
#define CHECK_COLUMNS 4 /* "[x] " */
#define BUTTON_COLUMNS 4 /* "<  >" */
#define BUTTON_GAP 3
#define FIELD_TEXT_MAX 4096
#define NOTE_MAX 8192
#define ANSWER_COLUMNS 2 /* "> " */
#define STARS_AWAY 8

void form_init(struct form *f, const char *title)
{
    memset(f, 0, sizeof(*f));
    f->title = title;
}

void form_free(struct form *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct field *field = &f->fields[i];
        if (field->kind == FIELD_TEXT || field->kind == FIELD_PASSWORD) {
            lineedit_free(&field->edit);
        }
        free(field->note);
    }
    memset(f, 0, sizeof(*f));
}

static struct field *form_add(struct form *f, enum field_kind kind, int id, const char *label)
{
    /* The boxes are written in this program: one that does not fit is a bug, and the last field is the one to
       lose. */
    if (f->count == FORM_FIELDS_MAX) {
        f->count--;
    }
    struct field *field = &f->fields[f->count++];
    memset(field, 0, sizeof(*field));
    field->kind = kind;
    field->id = id;
    field->label = label;
    return field;
}

struct field *form_text(struct form *f, int id, const char *label, const char *value)
{
    struct field *field = form_add(f, FIELD_TEXT, id, label);
    if (lineedit_init(&field->edit, FIELD_TEXT_MAX, false) != ST_OK ||
        (value != NULL && lineedit_set(&field->edit, value) != ST_OK)) {
        str_copy(field->error, sizeof(field->error), _("Not enough memory for this field."));
    }
    return field;
}

struct field *form_password(struct form *f, int id, const char *label)
{
    struct field *field = form_add(f, FIELD_PASSWORD, id, label);
    if (lineedit_init(&field->edit, FIELD_TEXT_MAX, true) != ST_OK) {
        str_copy(field->error, sizeof(field->error), _("Not enough memory for this field."));
    }
    return field;
}

struct field *form_radio(struct form *f, int id, const char *label, const char *const *choices,
                         int count, int choice)
{
    struct field *field = form_add(f, FIELD_RADIO, id, label);
    field->choice_count = count < FORM_CHOICES_MAX ? count : FORM_CHOICES_MAX;
    for (int i = 0; i < field->choice_count; i++) {
        field->choices[i] = choices[i];
    }
    field->choice = choice < field->choice_count ? choice : 0;
    return field;
}

struct field *form_check(struct form *f, int id, const char *label, bool on)
{
    struct field *field = form_add(f, FIELD_CHECK, id, label);
    field->on = on;
    return field;
}

void form_note(struct form *f, const char *fmt, ...)
{
    struct field *field = form_add(f, FIELD_NOTE, -1, "");
    char text[NOTE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    field->note = str_dup(text);
}

void form_answer(struct form *f, int id, const char *label)
{
    form_add(f, FIELD_ANSWER, id, label);
}

void form_from_top(struct form *f)
{
    f->back = INT_MAX;
}

void form_button(struct form *f, int id, const char *label)
{
    form_add(f, FIELD_BUTTON, id, label);
}

static bool field_focusable(const struct field *field)
{
    return field->kind != FIELD_NOTE;
}

static size_t form_find(const struct form *f, int id)
{
    size_t i = 0;
    while (i < f->count && (f->fields[i].id != id || !field_focusable(&f->fields[i]))) {
        i++;
    }
    return i;
}

void form_focus(struct form *f, int id)
{
    size_t i = form_find(f, id);
    f->focus = i < f->count ? i : f->focus;
}

bool form_has(const struct form *f, int id)
{
    return form_find(f, id) < f->count;
}

struct field *form_field(struct form *f, int id)
{
    size_t i = form_find(f, id);
    return &f->fields[i < f->count ? i : 0];
}

const char *form_value(struct form *f, int id)
{
    return lineedit_text(&form_field(f, id)->edit);
}

void form_error(struct form *f, int id, const char *text)
{
    struct field *field = form_field(f, id);
    str_copy(field->error, sizeof(field->error), text);
    form_focus(f, id);
}

void form_clear_errors(struct form *f)
{
    for (size_t i = 0; i < f->count; i++) {
        f->fields[i].error[0] = '\0';
    }
}

static void form_step(struct form *f, int direction)
{
    f->back = 0;
    for (size_t tries = 0; tries < f->count; tries++) {
        f->focus = (f->focus + (direction > 0 ? 1 : f->count - 1)) % f->count;
        if (field_focusable(&f->fields[f->focus])) {
            return;
        }
    }
}

static int form_first_button(const struct form *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->fields[i].kind == FIELD_BUTTON) {
            return (int)i;
        }
    }
    return -1;
}

/* Enter outside a button: to the next field, and from the last one that is typed into to the first button. */
static enum form_result form_enter(struct form *f, bool careful, int *pressed)
{
    bool more = false;
    for (size_t i = f->focus + 1; i < f->count; i++) {
        more = more || f->fields[i].kind == FIELD_TEXT || f->fields[i].kind == FIELD_PASSWORD;
    }
    int button = form_first_button(f);
    if (!careful && !more && button >= 0) {
        *pressed = f->fields[button].id;
        return FORM_PRESSED;
    }
    form_step(f, 1);
    return FORM_CHANGED;
}

/* Through what is taller than the box, without moving the focus. */
static bool form_page(struct form *f, uint32_t key)
{
    int page = f->page > 1 ? f->page - 1 : 1;
    if (key == UKEY_PAGE_UP || key == KEY_CTRL('B')) {
        f->back += f->back < INT_MAX - page ? page : 0;
        return true;
    }
    if (key == UKEY_PAGE_DOWN || key == KEY_CTRL('F')) {
        f->back -= f->back > page ? page : f->back;
        return true;
    }
    return false;
}

static enum form_result form_key_choice(struct form *f, struct field *field, uint32_t key)
{
    if (form_page(f, key)) {
        return FORM_CHANGED;
    }
    int step = key == UKEY_LEFT ? -1 : key == UKEY_RIGHT || key == ' ' ? 1 : 0;
    if (field->kind == FIELD_RADIO && step != 0) {
        field->choice = (field->choice + field->choice_count + step) % field->choice_count;
        return FORM_CHANGED;
    }
    if (field->kind == FIELD_CHECK && (key == ' ' || key == 'x')) {
        field->on = !field->on;
        return FORM_CHANGED;
    }
    if (field->kind == FIELD_BUTTON && step != 0 && key != ' ') {
        form_step(f, step);
        return FORM_CHANGED;
    }
    if (key == 'q') {
        return FORM_CANCELLED;
    }
    return FORM_IGNORED;
}

enum form_result form_key(struct form *f, uint32_t key, bool careful, int *pressed)
{
    struct field *field = &f->fields[f->focus];
    switch (key) {
    case UKEY_ESC:
    case KEY_CTRL('G'):
        return FORM_CANCELLED;
    case UKEY_TAB:
    case UKEY_DOWN:
        form_step(f, 1);
        return FORM_CHANGED;
    case UKEY_BACKTAB:
    case UKEY_UP:
        form_step(f, -1);
        return FORM_CHANGED;
    case UKEY_ENTER:
        if (field->kind == FIELD_BUTTON || field->kind == FIELD_ANSWER) {
            *pressed = field->id;
            return FORM_PRESSED;
        }
        return form_enter(f, careful, pressed);
    case UKEY_F5:
        if (!careful && form_first_button(f) >= 0) {
            *pressed = f->fields[form_first_button(f)].id;
            return FORM_PRESSED;
        }
        return FORM_IGNORED;
    case ' ':
        if (field->kind == FIELD_BUTTON || field->kind == FIELD_ANSWER) {
            *pressed = field->id;
            return FORM_PRESSED;
        }
        break;
    default:
        break;
    }
    if (field->kind != FIELD_TEXT && field->kind != FIELD_PASSWORD) {
        return form_key_choice(f, field, key);
    }
    switch (lineedit_key(&field->edit, key)) {
    case EDIT_IGNORED:
        return FORM_IGNORED;
    case EDIT_CHANGED:
        field->error[0] = '\0';
        return FORM_CHANGED;
    case EDIT_CANCEL:
        return FORM_CANCELLED;
    default:
        return FORM_CHANGED;
    }
}

bool form_in_text(const struct form *f)
{
    enum field_kind kind = f->fields[f->focus].kind;
    return f->count > 0 && (kind == FIELD_TEXT || kind == FIELD_PASSWORD);
}

/* Where the fields begin: behind the longest label of this language, and no later than in the middle. */
static int label_columns(const struct form *f, int width)
{
    int most = LABEL_COLUMNS_MIN;
    for (size_t i = 0; i < f->count; i++) {
        const struct field *field = &f->fields[i];
        bool beside = field->kind == FIELD_TEXT || field->kind == FIELD_PASSWORD ||
                      field->kind == FIELD_RADIO;
        int w = beside ? (int)escape_columns(field->label, strlen(field->label), 0) + 1 : 0;
        most = w > most ? w : most;
    }
    return most < width / 2 ? most : width / 2;
}

static void draw_label(struct canvas *c, struct rect area, int labels, const char *label)
{
    struct rect left = {area.x, area.y, labels - 1, 1};
    canvas_label(c, left, area.x, area.y, ROLE_TEXT, label);
}

/* Choices stand side by side and go on in the next row where they do not fit. Draws when c is not NULL; returns the
   rows. */
static int radio_rows(struct canvas *c, struct rect area, const struct field *field, int labels,
                      bool focus)
{
    int x = area.x + labels, row = 0;
    for (int i = 0; i < field->choice_count; i++) {
        int w = 3 + (int)escape_columns(field->choices[i], strlen(field->choices[i]), 0);
        if (x + w > area.x + area.w && x > area.x + labels) {
            x = area.x + labels;
            row++;
        }
        if (c != NULL && row < area.h) {
            bool here = i == field->choice;
            enum role role = focus && here ? ROLE_BUTTON_FOCUS : ROLE_TEXT;
            if (focus && here) {
                c->cursor_x = x + 1;
                c->cursor_y = area.y + row;
            }
            canvas_printf(c, area, x, area.y + row, role, "(%s)%s", here ? "o" : " ",
                          field->choices[i]);
        }
        x += w + 1;
    }
    return row + 1;
}

static int field_rows(const struct field *field, int labels, int width)
{
    struct rect area = {0, 0, width, 1};
    int rows = 0;
    switch (field->kind) {
    case FIELD_NOTE:
        rows = text_wrapped(NULL, area, 0, ROLE_TEXT, field->note != NULL ? field->note : "", 0);
        break;
    case FIELD_BUTTON:
        return 0;
    case FIELD_RADIO:
        rows = radio_rows(NULL, area, field, labels, false);
        break;
    case FIELD_ANSWER:
        area.w = width - ANSWER_COLUMNS;
        rows = text_wrapped(NULL, area, 0, ROLE_TEXT, field->label, 0);
        break;
    case FIELD_CHECK:
        area.w = width - CHECK_COLUMNS;
        rows = text_wrapped(NULL, area, 0, ROLE_TEXT, field->label, 0);
        break;
    default:
        rows = 1;
        break;
    }
    if (field->error[0] != '\0') {
        area.w = width - 2;
        rows += text_wrapped(NULL, area, 0, ROLE_ERROR, field->error, 0);
    }
    return rows;
}

static void field_draw_edit(struct canvas *c, struct rect area, const struct field *field, int labels,
                            bool focus)
{
    int x = area.x + labels + 1;
    int width = area.w - labels - 2;
    if (width < 3) {
        return;
    }
    struct rect box = {x, area.y, width, 1};
    canvas_str(c, area, x - 1, area.y, ROLE_TEXT, "[");
    canvas_str(c, area, x + width, area.y, ROLE_TEXT, "]");
    const struct lineedit *e = &field->edit;
    if (field->kind != FIELD_PASSWORD || field->on) {
        edit_draw(c, box, e, focus);
        return;
    }
    enum role role = focus ? ROLE_FIELD_FOCUS : ROLE_FIELD;
    size_t from = 0;
    int cursor = 0;
    canvas_fill(c, box, role);
    if (focus) {
        lineedit_window(e, width, c->ascii, &from, &cursor);
        c->cursor_x = x + cursor;
        c->cursor_y = area.y;
    }
    /* Away from the field the stars say nothing about the length. */
    size_t stars = focus ? e->len - from : e->len > 0 ? STARS_AWAY : 0;
    for (int i = 0; i < width && (size_t)i < stars; i++) {
        canvas_str(c, box, x + i, area.y, role, "*");
    }
}

/* `skip`: rows of the field that lie above the area; only a note can begin there. */
static void field_draw(struct canvas *c, struct rect area, int skip, const struct field *field,
                       int labels, bool focus)
{
    enum role role = focus ? ROLE_BUTTON_FOCUS : ROLE_TEXT;
    switch (field->kind) {
    case FIELD_NOTE:
        text_wrapped(c, area, skip, ROLE_TEXT, field->note != NULL ? field->note : "", 0);
        return;
    case FIELD_TEXT:
    case FIELD_PASSWORD:
        draw_label(c, area, labels, field->label);
        field_draw_edit(c, area, field, labels, focus);
        return;
    case FIELD_RADIO:
        draw_label(c, area, labels, field->label);
        radio_rows(c, area, field, labels, focus);
        return;
    case FIELD_ANSWER: {
        struct rect words = {area.x + ANSWER_COLUMNS, area.y, area.w - ANSWER_COLUMNS, area.h};
        canvas_str(c, area, area.x, area.y, ROLE_TEXT, focus ? ">" : " ");
        text_wrapped(c, words, 0, role, field->label, 0);
        if (focus) {
            c->cursor_x = words.x;
            c->cursor_y = area.y;
        }
        return;
    }
    case FIELD_CHECK: {
        struct rect words = {area.x + CHECK_COLUMNS, area.y, area.w - CHECK_COLUMNS, area.h};
        canvas_str(c, area, area.x, area.y, role, field->on ? "[x] " : "[ ] ");
        text_wrapped(c, words, 0, role, field->label, 0);
        if (focus) {
            c->cursor_x = area.x + 1;
            c->cursor_y = area.y;
        }
        return;
    }
    case FIELD_BUTTON:
        return;
    }
}

/* One row of buttons from the field `from` on, as many as fit and at least one. Returns the field behind them. */
static size_t button_row(const struct form *f, size_t from, int width, int *total)
{
    size_t i = from;
    *total = 0;
    for (; i < f->count; i++) {
        const struct field *field = &f->fields[i];
        int w = (int)escape_columns(field->label, strlen(field->label), 0) + BUTTON_COLUMNS;
        int with_gap = w + (*total > 0 ? BUTTON_GAP : 0);
        if (field->kind != FIELD_BUTTON) {
            continue;
        }
        if (*total > 0 && *total + with_gap > width) {
            break;
        }
        *total += with_gap;
    }
    return i;
}

static int button_rows(const struct form *f, int width)
{
    int rows = 0, total = 0;
    for (size_t i = 0; i < f->count; rows++) {
        i = button_row(f, i, width, &total);
    }
    return rows;
}

static void form_draw_buttons(const struct form *f, struct canvas *c, struct rect area)
{
    for (size_t i = 0; i < f->count; area.y++) {
        int total = 0;
        size_t end = button_row(f, i, area.w, &total);
        int x = area.x + (area.w > total ? (area.w - total) / 2 : 0);
        for (; i < end; i++) {
            const struct field *field = &f->fields[i];
            bool focus = i == f->focus;
            if (field->kind != FIELD_BUTTON) {
                continue;
            }
            if (focus) {
                c->cursor_x = x;
                c->cursor_y = area.y;
            }
            x += canvas_printf(c, area, x, area.y, focus ? ROLE_BUTTON_FOCUS : ROLE_BUTTON, "< %s >",
                               field->label);
            x += BUTTON_GAP;
        }
        area.h--;
    }
}

/* The first row shown is the one that brings the focus into view; the buttons lie below the last. */
static void form_scroll(struct form *f, int rows, int body, int labels, int inner)
{
    int focus_row = 0;
    for (size_t i = 0; i < f->focus; i++) {
        focus_row += field_rows(&f->fields[i], labels, inner);
    }
    if (focus_row < f->top) {
        f->top = focus_row;
    } else if (focus_row >= f->top + body) {
        f->top = focus_row - body + 1;
    }
    if (f->top > rows - body || f->fields[f->focus].kind == FIELD_BUTTON) {
        f->top = rows - body;
    }
    f->back = f->back < f->top ? f->back : f->top;
    f->page = body;
}

/* A field whose first row is `row` rows below the first of the body; it may be above it. */
static void form_draw_field(struct form *f, struct canvas *c, struct rect body, size_t i, int row,
                            int labels)
{
    const struct field *field = &f->fields[i];
    int skip = row < 0 ? -row : 0;
    int take = field_rows(field, labels, body.w) - skip;
    struct rect area = {body.x, body.y + row + skip, body.w, body.h - row - skip};
    area.h = area.h < take ? area.h : take;
    if (area.h <= 0 || (skip > 0 && field->kind != FIELD_NOTE)) {
        return;
    }
    field_draw(c, area, skip, field, labels, i == f->focus);
    if (field->error[0] != '\0') {
        int own = take - text_wrapped(NULL, (struct rect){0, 0, body.w - 2, 1}, 0, ROLE_ERROR,
                                      field->error, 0);
        struct rect below = {area.x + 2, area.y + own, area.w - 2, area.h - own};
        text_wrapped(c, below, 0, ROLE_ERROR, field->error, 0);
    }
}

void form_draw(struct form *f, struct canvas *c)
{
    int width = c->w < FORM_WIDTH + 2 ? c->w : FORM_WIDTH;
    int inner = width - 4;
    if (inner < 8 || c->h < 5) {
        return;
    }
    int rows = 0, labels = label_columns(f, inner);
    int foot = button_rows(f, inner) + 3; /* with a blank row above, and the two edges */
    for (size_t i = 0; i < f->count; i++) {
        rows += field_rows(&f->fields[i], labels, inner);
    }
    int body_rows = rows < c->h - foot ? rows : c->h - foot;
    if (body_rows < 1) {
        return;
    }
    form_scroll(f, rows, body_rows, labels, inner);
    struct rect box = {(c->w - width) / 2, (c->h - body_rows - foot) / 2, width, body_rows + foot};
    struct rect body = {box.x + 2, box.y + 1, inner, body_rows};
    box_draw(c, box, f->title, f->tag);
    c->cursor_x = c->cursor_y = -1;
    int top = f->top - f->back, row = -top;
    if (!form_in_text(f)) {
        box_draw_hidden(c, box, top, rows - top - body_rows);
    }
    for (size_t i = 0; i < f->count; i++) {
        form_draw_field(f, c, body, i, row, labels);
        row += field_rows(&f->fields[i], labels, inner);
    }
    struct rect buttons = {body.x, body.y + body.h + 1, inner, foot - 3};
    form_draw_buttons(f, c, buttons);
}
