#include "parts.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "textbox.h"

#define LABEL_MIN 6
#define LABEL_MAX 14

void parts_free(struct parts *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].text);
    }
    p->count = 0;
}

void parts_add_item(struct parts *p, const char *label, enum role role, const char *text, int item)
{
    if (p->count == PARTS_MAX || text == NULL || text[0] == '\0') {
        return;
    }
    char *copy = str_dup(text);
    if (copy != NULL) {
        p->list[p->count++] = (struct part){label, role, copy, item, false};
    }
}

void parts_add(struct parts *p, const char *label, enum role role, const char *text)
{
    parts_add_item(p, label, role, text, PARTS_NO_ITEM);
}

void parts_gap(struct parts *p, size_t first)
{
    if (first > 0 && first < p->count) {
        p->list[first].gap = true;
    }
}

/* Width of the left margin: the longest label of this language. */
static int margin_columns(const struct parts *p)
{
    size_t most = LABEL_MIN;
    for (size_t i = 0; i < p->count; i++) {
        const char *label = p->list[i].label;
        size_t w = escape_columns(label, strlen(label), 0) + 1;
        most = w > most ? w : most;
    }
    return (most < LABEL_MAX ? (int)most : LABEL_MAX) + 1;
}

static struct rect text_area(const struct parts *p, struct rect body)
{
    int margin = margin_columns(p);
    return (struct rect){body.x + margin, body.y, body.w - margin, 1};
}

static int part_rows(const struct part *part, struct rect text)
{
    return text_wrapped(NULL, text, 0, ROLE_TEXT, part->text, 0);
}

/* The row in which an item begins, or the number of all rows when there is no such item. */
static int item_row(const struct parts *p, struct rect text, int item)
{
    int row = 0;
    for (size_t i = 0; i < p->count; i++) {
        row += p->list[i].gap ? 1 : 0;
        if (item != PARTS_NO_ITEM && p->list[i].item == item) {
            return row;
        }
        row += part_rows(&p->list[i], text);
    }
    return row;
}

static int all_rows(const struct parts *p, struct rect text)
{
    return item_row(p, text, PARTS_NO_ITEM);
}

static void clip(const struct parts *p, struct rect body, struct parts_view *v)
{
    int rows = all_rows(p, text_area(p, body));
    int most = rows > body.h ? rows - body.h : 0;
    v->scroll = v->scroll < 0 ? 0 : v->scroll > most ? most : v->scroll;
    v->below = most - v->scroll;
}

static bool in_sight(const struct parts *p, struct rect body, const struct parts_view *v, int item)
{
    struct rect text = text_area(p, body);
    int row = item_row(p, text, item);
    return item != PARTS_NO_ITEM && row < all_rows(p, text) && row >= v->scroll &&
           row < v->scroll + body.h;
}

int parts_selected(const struct parts *p, struct rect body, const struct parts_view *v)
{
    return in_sight(p, body, v, v->item) ? v->item : PARTS_NO_ITEM;
}

struct rect parts_item_rect(const struct parts *p, struct rect body, const struct parts_view *v,
                            int item)
{
    struct rect text = text_area(p, body);
    if (!in_sight(p, body, v, item)) {
        return (struct rect){0, 0, 0, 0};
    }
    return (struct rect){text.x, body.y + item_row(p, text, item) - v->scroll, text.w, 1};
}

/* The item before or behind the one under the cursor; where that is none, the first in sight. */
static int next_item(const struct parts *p, struct rect body, const struct parts_view *v,
                     int direction)
{
    int found = PARTS_NO_ITEM;
    bool selected = parts_selected(p, body, v) != PARTS_NO_ITEM;
    for (size_t i = 0; i < p->count; i++) {
        int item = p->list[i].item;
        if (item == PARTS_NO_ITEM) {
            continue;
        }
        if (!selected && in_sight(p, body, v, item)) {
            return item;
        }
        if (selected && direction > 0 && item > v->item) {
            return item;
        }
        if (selected && direction < 0 && item < v->item) {
            found = item;
        }
    }
    return found;
}

void parts_move(const struct parts *p, struct rect body, struct parts_view *v, int rows)
{
    bool one = rows == 1 || rows == -1;
    int next = next_item(p, body, v, rows);
    if (one && in_sight(p, body, v, next)) {
        v->item = next;
        return;
    }
    v->scroll += rows;
    clip(p, body, v);
    if (one && in_sight(p, body, v, next)) {
        v->item = next;
        return;
    }
    if (parts_selected(p, body, v) == PARTS_NO_ITEM) {
        next = next_item(p, body, v, rows);
        v->item = next != PARTS_NO_ITEM ? next : v->item;
    }
}

static void draw_part(const struct part *part, struct canvas *c, struct rect body, struct rect text,
                      int row, bool selected, bool focus)
{
    int take = part_rows(part, text);
    int skip = row < 0 ? -row : 0;
    if (skip >= take) {
        return;
    }
    struct rect here = {text.x, body.y + row + skip, text.w, body.h - row - skip};
    struct rect margin = {body.x, here.y, text.x - body.x, 1};
    here.h = here.h > take - skip ? take - skip : here.h;
    if (skip == 0) {
        canvas_label(c, margin, body.x + 1, here.y, ROLE_BOLD, part->label);
    }
    text_wrapped(c, here, skip, part->role, part->text, 0);
    if (selected) {
        canvas_str(c, margin, text.x - 1, here.y, ROLE_TEXT, ">");
        canvas_role(c, here, focus ? ROLE_CURSOR_ROW : ROLE_CURSOR_ROW_DIM);
        c->cursor_x = focus ? text.x - 1 : c->cursor_x;
        c->cursor_y = focus ? here.y : c->cursor_y;
    }
}

void parts_draw(const struct parts *p, struct canvas *c, struct rect body, struct parts_view *v,
                bool focus)
{
    struct rect text = text_area(p, body);
    clip(p, body, v);
    if (focus) {
        c->cursor_x = text.x;
        c->cursor_y = body.y;
    }
    int selected = parts_selected(p, body, v), row = -v->scroll;
    for (size_t i = 0; i < p->count; i++) {
        const struct part *part = &p->list[i];
        row += part->gap ? 1 : 0;
        if (row >= body.h) {
            return;
        }
        draw_part(part, c, body, text, row,
                  part->item != PARTS_NO_ITEM && part->item == selected, focus);
        row += part_rows(part, text);
    }
}
