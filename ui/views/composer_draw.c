#include <stdio.h>
#include <string.h>

#include "app.h"
#include "composer_parts.h"
#include "escape.h"
#include "text.h"
#include "textbox.h"
#include "wireform.h"

#define TWO_COLUMNS_FROM 100 /* columns of the screen */
#define ROOMY_ROWS 18        /* from here on MAIL and RCPT have rows of their own */
#define MARK_COLUMNS 2       /* before a line of the wire form */
#define STUFFED "[.]"
#define BAD_ON_THE_WIRE (WIRE_BARE_LF | WIRE_BARE_CR | WIRE_NUL | WIRE_LONG | WIRE_HEADER_UTF8)

/* What is drawn beside each other or instead of each other. */
struct places {
    struct rect text, wire; /* w 0: not shown */
};

static struct places divide(const struct composer *m, struct rect area, bool both)
{
    struct places p = {area, {area.x, area.y, 0, area.h}};
    if (both && m->view == 0) {
        p.text.w = (area.w - 3) / 2;
        p.wire = (struct rect){area.x + p.text.w + 3, area.y, area.w - p.text.w - 3, area.h};
    } else if (m->view == 1) {
        p.wire = area;
        p.text.w = 0;
    }
    return p;
}

/* A line from the column `left` on, with a mark where it goes on. */
static void draw_line(struct canvas *c, struct rect row, const struct textarea_line *line, int left)
{
    canvas_text(c, row, row.x, row.y, ROLE_TEXT, line->p, line->len, left);
    int columns = (int)escape_columns(line->p, line->len, c->ascii ? ESCAPE_ASCII : 0);
    if (columns - left > row.w) {
        canvas_str(c, row, row.x + row.w - 1, row.y, ROLE_DIM, ">");
    }
    if (left > 0) {
        canvas_str(c, row, row.x, row.y, ROLE_DIM, "<");
    }
}

static void draw_text(struct composer *m, struct canvas *c, struct rect area)
{
    const struct textarea *t = &m->text;
    for (int y = 0; y < area.h && t->top + (size_t)y < t->count; y++) {
        size_t i = t->top + (size_t)y;
        struct rect row = {area.x, area.y + y, area.w, 1};
        int left = i == t->row ? textarea_left(t, area.w, c->ascii) : 0;
        draw_line(c, row, &t->lines[i], left);
        if (i == t->row && m->button < 0) {
            c->cursor_x = row.x + textarea_column(t, c->ascii) - left;
            c->cursor_y = row.y;
        }
    }
}

static const char *wire_mark(unsigned flags)
{
    if ((flags & BAD_ON_THE_WIRE) != 0) {
        return "!";
    }
    return (flags & WIRE_EIGHT_BIT) != 0 ? "8" : "";
}

/* In chunks nothing is doubled. */
static void draw_wire_line(const struct composer *m, struct canvas *c, struct rect row, size_t i,
                           const struct wireform *w, bool cursor)
{
    const struct textarea_line *line = &m->text.lines[i];
    unsigned flags = wireform_line(line, wireform_in_header(w, i));
    int left = i == m->text.row ? textarea_left(&m->text, row.w - MARK_COLUMNS, c->ascii) : 0;
    bool stuffed = (flags & WIRE_STUFFED) != 0 && !m->bdat && left == 0;
    struct rect rest = {row.x + MARK_COLUMNS, row.y, row.w - MARK_COLUMNS, 1};
    canvas_str(c, row, row.x, row.y, ROLE_PROBLEM, wire_mark(flags));
    if (stuffed) {
        int n = canvas_str(c, rest, rest.x, rest.y, ROLE_BOLD, STUFFED);
        rest.x += n;
        rest.w -= n;
    }
    draw_line(c, rest, line, left);
    if ((flags & WIRE_BARE_LF) != 0 && m->exact) {
        int columns = (int)escape_columns(line->p, line->len, c->ascii ? ESCAPE_ASCII : 0) - left;
        canvas_str(c, rest, rest.x + (columns < rest.w - 4 ? columns : rest.w - 4), rest.y,
                   ROLE_BOLD, "[LF]");
    }
    if (cursor) {
        c->cursor_x = rest.x + textarea_column(&m->text, c->ascii) - left;
        c->cursor_y = rest.y;
    }
}

static void draw_wire(struct composer *m, struct canvas *c, struct rect area,
                      const struct wireform *w, bool cursor)
{
    const struct textarea *t = &m->text;
    for (int y = 0; y < area.h; y++) {
        size_t i = t->top + (size_t)y;
        struct rect row = {area.x, area.y + y, area.w, 1};
        if (i < t->count && !(i + 1 == t->count && t->lines[i].len == 0)) {
            draw_wire_line(m, c, row, i, w, cursor && i == t->row && m->button < 0);
            continue;
        }
        if (cursor && i == t->row && m->button < 0) {
            c->cursor_x = row.x + MARK_COLUMNS;
            c->cursor_y = row.y;
        }
        struct rect rest = {row.x + MARK_COLUMNS, row.y, row.w - MARK_COLUMNS, 1};
        if (!m->bdat) {
            canvas_str(c, rest, rest.x, rest.y, ROLE_BOLD, ".");
        }
        canvas_str(c, rest, rest.x + 3, rest.y, ROLE_DIM, _("end"));
        return;
    }
}

static void draw_command(const struct app *a, struct canvas *c, struct rect row,
                         enum envelope_command command, const char *behind)
{
    const struct composer *m = &a->hand.composer;
    const char *address = command == ENVELOPE_MAIL ? m->from : m->to;
    struct buf params;
    char shown[300], text[900];
    buf_init(&params, PARAM_COUNT * COMPOSER_VALUE_MAX);
    escape_copy(shown, sizeof(shown), address, strlen(address), 0);
    bool more = m->own_envelope && composer_params(a, command, &params) == ST_OK && params.len > 0;
    (void)snprintf(text, sizeof(text), "%s:<%s>%s%s%s",
                   command == ENVELOPE_MAIL ? "MAIL FROM" : "RCPT TO", shown, more ? " " : "",
                   more ? buf_str(&params) : "", behind);
    canvas_label(c, row, row.x, row.y, ROLE_TEXT, text);
    buf_free(&params);
}

/* One below the other where there is room, else side by side. */
static void draw_envelope(const struct app *a, struct canvas *c, struct rect area)
{
    const char *behind = a->hand.composer.bdat ? "   BDAT" : "   DATA";
    struct rect first = {area.x, area.y, area.h > 1 ? area.w : area.w / 2 - 1, 1};
    struct rect second = {area.x, area.y + 1, area.w, 1};
    if (area.h < 2) {
        second = (struct rect){area.x + first.w + 2, area.y, area.w - first.w - 2, 1};
    }
    draw_command(a, c, first, ENVELOPE_MAIL, "");
    draw_command(a, c, second, ENVELOPE_RCPT, behind);
}

/* What stands below: where the cursor is, how much goes out, and what is odd about it. */
static void draw_counts(const struct app *a, struct canvas *c, struct rect row,
                        const struct wireform *w)
{
    const struct composer *m = &a->hand.composer;
    char odd[400], text[600];
    size_t octets = m->bdat ? w->content : w->octets + 3;
    wireform_sentence(w, odd, sizeof(odd));
    if (a->status[0] != '\0' && a->status_error) {
        canvas_label(c, row, row.x, row.y, ROLE_ERROR, a->status);
        return;
    }
    (void)snprintf(text, sizeof(text), _("%zu:%d   %zu bytes on the wire.  %s"), m->text.row + 1,
                   textarea_column(&m->text, c->ascii) + 1, octets, odd);
    canvas_label(c, row, row.x, row.y, ROLE_DIM, text);
}

/* Buttons side by side, in as many rows as they need. Draws when c is not NULL; returns the rows.
 */
static int button_rows(const struct composer *m, struct canvas *c, struct rect area)
{
    int x = area.x;
    int row = 0;
    for (int i = 0; i < COMPOSER_BUTTONS; i++) {
        const char *label = _(composer_buttons[i]);
        int w = (int)escape_columns(label, strlen(label), 0) + 2;
        if (x > area.x && x + w > area.x + area.w) {
            x = area.x;
            row++;
        }
        if (c != NULL && row < area.h) {
            bool focus = i == m->button;
            if (focus) {
                c->cursor_x = x;
                c->cursor_y = area.y + row;
            }
            canvas_printf(c, area, x, area.y + row, focus ? ROLE_BUTTON_FOCUS : ROLE_BUTTON, "<%s>",
                          label);
        }
        x += w + 1;
    }
    return row + 1;
}

static void draw_titles(const struct composer *m, struct canvas *c, const struct places *p, int y)
{
    if (p->text.w > 0) {
        struct rect row = {p->text.x, y, p->text.w, 1};
        canvas_label(c, row, row.x, y, ROLE_TITLE, _("TEXT"));
    }
    if (p->wire.w > 0) {
        struct rect row = {p->wire.x, y, p->wire.w, 1};
        canvas_label(c, row, row.x + MARK_COLUMNS, y, ROLE_TITLE,
                     m->bdat ? _("IN CHUNKS") : _("ON THE WIRE"));
    }
}

void composer_draw(struct app *a, struct dialog *d, struct canvas *c)
{
    struct composer *m = &a->hand.composer;
    struct wireform w;
    struct rect box = {0, 1, c->w, c->h - 1};
    struct rect inner = {2, 2, c->w - 4, c->h - 3};
    int buttons = button_rows(m, NULL, inner);
    int envelope = inner.h >= ROOMY_ROWS ? 2 : 1;
    int rows = inner.h - buttons - envelope - 2; /* less titles and counts */
    if (rows < 1 || inner.w < 20) {
        return;
    }
    box_draw(c, box, _("Message: F5 sends, Tab to the buttons, F1 help, Esc leaves"), d->tag);
    m->both = c->w >= TWO_COLUMNS_FROM;
    struct rect area = {inner.x, inner.y + envelope + 1, inner.w, rows};
    struct places p = divide(m, area, m->both);
    m->page = rows;
    textarea_scroll(&m->text, rows);
    wireform_measure(&m->text, m->exact, &w);
    draw_envelope(a, c, (struct rect){inner.x, inner.y, inner.w, envelope});
    draw_titles(m, c, &p, area.y - 1);
    if (p.wire.w > 0) {
        draw_wire(m, c, p.wire, &w, p.text.w == 0);
    }
    if (p.text.w > 0) {
        draw_text(m, c, p.text);
    }
    bool rule = p.text.w > 0 && p.wire.w > 0;
    for (int y = area.y - 1; rule && y < area.y + rows; y++) {
        canvas_put(c, p.wire.x - 2, y, ROLE_LINE, GLYPH_VLINE);
    }
    draw_counts(a, c, (struct rect){inner.x, area.y + rows, inner.w, 1}, &w);
    (void)button_rows(m, c, (struct rect){inner.x, area.y + rows + 1, inner.w, buttons});
}
