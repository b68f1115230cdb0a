#include "textbox.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"

int text_wrapped(struct canvas *c, struct rect area, int skip_rows, enum role role, const char *text,
                 int indent)
{
    int row = 0;
    bool begins = true; /* a paragraph: what it goes on with is indented */
    const char *p = text;
    while (*p != '\0' || row == 0) {
        int left = begins ? 0 : indent;
        int room = area.w - left;
        if (room < 1) {
            room = 1;
        }
        size_t fit = 0, word = 0;
        int columns = 0;
        while (p[fit] != '\0' && p[fit] != '\n') {
            struct escape_cell cell;
            escape_next(p + fit, strlen(p + fit), 0, &cell);
            if (columns + cell.columns > room) {
                break;
            }
            columns += cell.columns;
            fit += cell.consumed;
            if (p[fit] == ' ' || p[fit] == '\0' || p[fit] == '\n') {
                word = fit;
            }
        }
        size_t take = p[fit] == '\0' || p[fit] == '\n' ? fit : word > 0 ? word : fit > 0 ? fit : 1;
        if (c != NULL && row >= skip_rows && row - skip_rows < area.h) {
            canvas_text(c, area, area.x + left, area.y + row - skip_rows, role, p, take, 0);
        }
        row++;
        p += take;
        begins = *p == '\n';
        if (begins) {
            p++;
        } else {
            while (*p == ' ') {
                p++;
            }
        }
        if (*p == '\0') {
            break;
        }
    }
    return row;
}

/* Words in an edge of a box, at its right end. Returns the columns that they take from it. */
static int edge_words(struct canvas *c, struct rect edge, const char *text)
{
    int w = (int)escape_columns(text, strlen(text), 0) + 2;
    if (w > edge.w) {
        return 0;
    }
    canvas_printf(c, edge, edge.x + edge.w - w, edge.y, ROLE_TITLE, " %s ", text);
    return w;
}

void box_draw_hidden(struct canvas *c, struct rect box, int above, int below)
{
    struct rect edge = {box.x + 2, box.y + box.h - 1, box.w - 4, 1};
    char text[120];
    if (below > 0 && above > 0) {
        snprintf(text, sizeof(text), _("%d above (PgUp), %d below (PgDn)"), above, below);
    } else if (below > 0) {
        snprintf(text, sizeof(text), _("%d below (PgDn)"), below);
    } else if (above > 0) {
        snprintf(text, sizeof(text), _("%d above (PgUp)"), above);
    } else {
        return;
    }
    (void)edge_words(c, edge, text);
}

void box_draw(struct canvas *c, struct rect box, const char *title, const char *tag)
{
    canvas_fill(c, box, ROLE_TEXT);
    for (int x = box.x; x < box.x + box.w; x++) {
        canvas_put(c, x, box.y, ROLE_LINE, GLYPH_HLINE);
        canvas_put(c, x, box.y + box.h - 1, ROLE_LINE, GLYPH_HLINE);
    }
    for (int y = box.y; y < box.y + box.h; y++) {
        canvas_put(c, box.x, y, ROLE_LINE, GLYPH_VLINE);
        canvas_put(c, box.x + box.w - 1, y, ROLE_LINE, GLYPH_VLINE);
    }
    canvas_put(c, box.x, box.y, ROLE_LINE, GLYPH_CORNER_UL);
    canvas_put(c, box.x + box.w - 1, box.y, ROLE_LINE, GLYPH_CORNER_UR);
    canvas_put(c, box.x, box.y + box.h - 1, ROLE_LINE, GLYPH_CORNER_LL);
    canvas_put(c, box.x + box.w - 1, box.y + box.h - 1, ROLE_LINE, GLYPH_CORNER_LR);
    struct rect top = {box.x + 2, box.y, box.w - 4, 1};
    top.w -= tag != NULL ? edge_words(c, top, tag) : 0;
    struct rect words = {top.x + 1, top.y, top.w - 2, 1};
    int w = canvas_label(c, words, words.x, words.y, ROLE_TITLE_FOCUS, title);
    canvas_str(c, top, top.x, top.y, ROLE_TITLE_FOCUS, " ");
    canvas_str(c, top, words.x + w, top.y, ROLE_TITLE_FOCUS, " ");
}

void edit_draw(struct canvas *c, struct rect box, const struct lineedit *e, bool focus)
{
    enum role role = focus ? ROLE_FIELD_FOCUS : ROLE_FIELD;
    size_t from = 0;
    int cursor = 0;
    canvas_fill(c, box, role);
    if (focus) {
        lineedit_window(e, box.w, c->ascii, &from, &cursor);
        c->cursor_x = box.x + cursor;
        c->cursor_y = box.y;
    }
    canvas_text(c, box, box.x, box.y, role, lineedit_text(e) + from, e->len - from, 0);
}
