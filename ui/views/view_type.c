#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "hand.h"
#include "text.h"
#include "views.h"

#define HINT_MAX 900
#define BOX_LEFT_COLUMNS 30 /* of a candidate, where what it is stands beside it */
#define BOX_ROWS_MAX 14

void line_draw(struct app *a, struct canvas *c, struct rect row, const struct lineedit *e,
               bool focus)
{
    const char *line = lineedit_text(e);
    size_t from = 0;
    int cursor = 0;
    lineedit_window(e, row.w, c->ascii, &from, &cursor);
    if (e == &a->smtp && typehint_secret(&a->record, hand_mode(a), line)) {
        size_t secret = typehint_secret_from(&a->record, hand_mode(a), line);
        int x = row.x;
        if (from < secret) {
            x += canvas_text(c, row, x, row.y, ROLE_TEXT, line + from, secret - from, 0);
        }
        for (size_t i = from > secret ? from : secret; i < e->len && x < row.x + row.w; i++) {
            x += canvas_str(c, row, x, row.y, ROLE_TEXT, "*");
        }
    } else {
        canvas_text(c, row, row.x, row.y, ROLE_TEXT, line + from, e->len - from, 0);
    }
    if (focus) {
        c->cursor_x = row.x + (cursor < row.w ? cursor : row.w - 1);
        c->cursor_y = row.y;
    }
}

static void draw_hint(struct app *a, struct canvas *c, int x)
{
    struct typehint hint;
    char text[HINT_MAX];
    struct rect row = a->layout.hint;
    if (row.h == 0) {
        return;
    }
    typehint_hint(&a->record, hand_mode(a), lineedit_text(&a->smtp), &hint);
    typehint_join(&hint, row.w - x, text, sizeof(text));
    canvas_label(c, row, row.x + x, row.y, ROLE_DIM, text);
}

void view_type(struct app *a, struct canvas *c)
{
    struct rect row = a->layout.prompt;
    bool focus = a->wish.focus == PANE_TYPE && a->dialog_count == 0 && a->ask == ASK_NOTHING;
    if (row.h == 0) {
        return;
    }
    const char *prompt = typehint_prompt(&a->record, hand_mode(a));
    int x = canvas_str(c, row, row.x, row.y, focus ? ROLE_TITLE_FOCUS : ROLE_BOLD, prompt) + 1;
    struct rect line = {row.x + x, row.y, row.w - x, 1};
    draw_hint(a, c, x);
    if (!focus && a->smtp.len == 0) {
        canvas_label(c, line, line.x, line.y, ROLE_DIM,
                     _("i or F6 to type; Tab completes; only Enter sends"));
        return;
    }
    if (a->smtp.searching) {
        /* The line itself is drawn as always, so that what is masked stays so. */
        int w = canvas_printf(c, line, line.x, line.y, ROLE_TEXT, _("(search \"%s\") %s"),
                              a->smtp.search, "");
        line = (struct rect){line.x + w, line.y, line.w - w, 1};
    }
    line_draw(a, c, line, &a->smtp, focus);
}

/* The widest of what is put in, so that what it is stands in one column. */
static int left_columns(const struct typehint_candidates *found)
{
    size_t most = 0;
    for (size_t i = 0; i < found->count; i++) {
        const char *text = found->text[i] + found->keep;
        size_t w = escape_columns(text, strlen(text), 0);
        most = w > most ? w : most;
    }
    return most < BOX_LEFT_COLUMNS ? (int)most : BOX_LEFT_COLUMNS;
}

static int right_columns(const struct typehint_candidates *found)
{
    size_t most = 0;
    for (size_t i = 0; i < found->count; i++) {
        size_t w = escape_columns(found->note[i], strlen(found->note[i]), 0);
        most = w > most ? w : most;
    }
    return (int)most;
}

void candidates_draw(struct app *a, struct canvas *c)
{
    struct hand *h = &a->hand;
    const struct typehint_candidates *found = h->found;
    struct rect prompt = a->layout.prompt;
    if (found == NULL || prompt.h == 0) {
        return;
    }
    int room = prompt.y - a->layout.header.h - 2; /* less the two edges */
    int rows = (int)found->count < BOX_ROWS_MAX ? (int)found->count : BOX_ROWS_MAX;
    rows = rows < room ? rows : room;
    if (rows < 1) {
        return;
    }
    char title[80];
    size_t top = h->found_top;
    size_t left = found->count - top;
    h->found_rows = left < (size_t)rows ? left : (size_t)rows;
    (void)snprintf(title, sizeof(title), "%zu-%zu/%zu", top + 1, top + h->found_rows, found->count);
    int names = left_columns(found), notes = right_columns(found);
    int width = names + (notes > 0 ? notes + 2 : 0) + 4;
    width = width < (int)strlen(title) + 8 ? (int)strlen(title) + 8 : width;
    int x = prompt.x + (int)escape_columns(typehint_prompt(&a->record, hand_mode(a)),
                                           strlen(typehint_prompt(&a->record, hand_mode(a))), 0);
    width = width < c->w - x ? width : c->w - x;
    struct rect box = {x, prompt.y - (int)h->found_rows - 2, width, (int)h->found_rows + 2};
    box_draw(c, box, title, NULL);
    for (size_t i = 0; i < h->found_rows; i++) {
        struct rect row = {box.x + 2, box.y + 1 + (int)i, width - 4, 1};
        struct rect name = {row.x, row.y, names < row.w ? names : row.w, 1};
        canvas_label(c, name, name.x, name.y, ROLE_BOLD, found->text[top + i] + found->keep);
        struct rect note = {row.x + names + 2, row.y, row.w - names - 2, 1};
        if (note.w > 0) {
            canvas_label(c, note, note.x, note.y, ROLE_TEXT, found->note[top + i]);
        }
    }
}
