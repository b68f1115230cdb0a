#include "tview_internal.h"

static void row_line(const struct record *r, const struct line *line, struct tview_row *row)
{
    struct line before;
    *row = (struct tview_row){.kind = ROW_LINE};
    row->check = (enum check_id)line->check;
    row->t_us = line->t_us;
    row->delta_us = line->number > 1 && lines_get(r->lines, line->number - 1, &before)
                        ? line->t_us - before.t_us
                        : 0;
    row->dir = line->dir;
    row->flags = line->flags;
    row->tls = line->tls;
}

static void row_head(struct tview *v, const struct record *r, const struct group *g,
                     struct tview_row *row)
{
    struct line line;
    *row = (struct tview_row){.kind = g->gap ? ROW_GAP : ROW_FOLD};
    row->check = (enum check_id)g->check;
    row->folded = !tview_group_open(v, g);
    row->fold_lines = g->count;
    row->last_number = g->last;
    if (tview_filtering(v)) {
        const struct numbers *passed = &v->match.passed;
        row->fold_lines =
            (uint32_t)(tview_numbers_at(passed, g->last + 1) - tview_numbers_at(passed, g->first));
    }
    if (g->gap) {
        row->fold_lines = (uint32_t)lines_dropped(r->lines);
    } else if (lines_get(r->lines, g->first, &line)) {
        row->t_us = line.t_us;
        row->flags = (uint8_t)(line.flags & LINE_MANUAL);
    }
}

/* All rows of one line, from part `s.part` on; returns how many were filled. */
static int fill_line(struct tview *v, const struct record *r, struct spot s, struct tview_row *rows,
                     int max)
{
    struct line line;
    if (!lines_get(r->lines, s.number, &line)) {
        return 0;
    }
    struct shown shown = tview_shown_text(v, r, &line);
    int width = tview_text_columns(v);
    int count = 0;
    size_t at = 0;
    unsigned part = 0;
    if (!v->wrap) {
        int columns = tview_shown_columns(v, shown.p, shown.len);
        v->longest = columns > v->longest ? columns : v->longest;
    }
    do {
        size_t end = v->wrap ? tview_shown_wrap(v, &shown, at, width) : shown.len;
        if (part >= s.part) {
            struct tview_row *row = &rows[count++];
            row_line(r, &line, row);
            row->flags &= (uint8_t)(v->veiled ? ~LINE_PROBLEM : ~0u);
            row->number = s.number;
            row->part = part;
            row->shown_from = at;
            row->shown_to = end;
            row->from = at < shown.raw ? at : shown.raw;
            row->to = end < shown.raw ? end : shown.raw;
            row->cursor = tview_spot_compare(v->cursor, (struct spot){s.number, false, part}) == 0;
        }
        part++;
        at = end;
    } while (at < shown.len && count < max);
    return count;
}

static int fill_rows(struct tview *v, const struct record *r, struct tview_row *rows, int height)
{
    struct spot s = v->top;
    bool more = s.number != 0;
    int y = 0;
    v->longest = 0;
    while (more && y < height) {
        if (s.head) {
            size_t at = tview_group_find(v, s.number);
            if (at < v->group_count) {
                row_head(v, r, &v->groups[at], &rows[y]);
                rows[y].number = s.number;
                rows[y].cursor = tview_spot_compare(v->cursor, s) == 0;
                v->bottom = tview_group_open(v, &v->groups[at]) ? s.number : v->groups[at].last;
                y++;
            }
        } else {
            y += fill_line(v, r, s, rows + y, height - y);
            v->bottom = s.number;
        }
        more = tview_spot_next_item(v, r, &s);
    }
    return y;
}

static void top_place(struct tview *v, const struct record *r)
{
    if (v->following || v->cursor.number == 0) {
        v->cursor = v->top = tview_spot_last(v, r);
        tview_spot_back(v, r, &v->top, v->height - 1);
        return;
    }
    v->cursor = tview_spot_fix(v, r, v->cursor);
    v->top = v->top.number != 0 ? tview_spot_fix(v, r, v->top) : v->cursor;
    if (tview_spot_compare(v->cursor, v->top) <= 0) {
        v->top = v->cursor;
        return;
    }
    struct spot bottom = v->top;
    tview_spot_forward(v, r, &bottom, v->height - 1);
    if (tview_spot_compare(v->cursor, bottom) > 0) {
        v->top = v->cursor;
        tview_spot_back(v, r, &v->top, v->height - 1);
    }
}

void tview_rows(struct tview *v, const struct record *r, int width, int height,
                struct tview_row *rows)
{
    v->width = width > 1 ? width : 1;
    v->height = height > 1 ? height : 1;
    tview_update(v, r);
    top_place(v, r);
    for (int y = 0; y < height; y++) {
        rows[y] = (struct tview_row){.kind = ROW_EMPTY, .check = CHECK_NONE};
    }
    int filled = fill_rows(v, r, rows, height);
    if (filled < height && filled > 0) {
        /* After the pane grew, or folds closed: no empty rows as long as there is something above.
         */
        struct spot top = v->top;
        if (tview_spot_back(v, r, &top, height - filled) > 0) {
            v->top = top;
            (void)fill_rows(v, r, rows, height);
        }
    }
}
