#include "layout.h"

#include <string.h>

/* Below it there is one line of text and nothing else. */
#define TABS_MIN_W 40
#define TABS_MIN_H 10

/* Every step on a row of its own, where there is room. */
#define STEPS_ROWS 12
#define TIMINGS_ROWS 18

#define TRANSCRIPT_MIN_W 28
#define LEFT_MIN_W 16

/* What a row of a step holds besides its title: cursor, mark, blanks and the time; from
   LAYOUT_STEPS_WIDE on also the number and the word. */
#define STEP_OTHERS 11
#define STEP_OTHERS_WIDE 23
#define LEFT_MORE 8 /* how much a language with long titles gets at most */

static int clamp(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

static enum layout_kind kind_for(int w, int h)
{
    if (w < TABS_MIN_W || h < TABS_MIN_H) {
        return LAYOUT_TOO_SMALL;
    }
    if (w >= 160 && h >= 40) {
        return LAYOUT_THREE;
    }
    if (w >= 100 && h >= 20) {
        return LAYOUT_TWO;
    }
    return w >= 72 && h >= 20 ? LAYOUT_COMPACT : LAYOUT_TABS;
}

/* A title row and the body below it take `area`. */
static void pane_place(struct layout *l, enum pane pane, struct rect area)
{
    if (area.w <= 0 || area.h <= 0) {
        return;
    }
    l->visible[pane] = true;
    l->title[pane] = (struct rect){area.x, area.y, area.w, 1};
    l->body[pane] = (struct rect){area.x, area.y + 1, area.w, area.h - 1};
}

static void pane_place_bare(struct layout *l, enum pane pane, struct rect area)
{
    if (area.w <= 0 || area.h <= 0) {
        return;
    }
    l->visible[pane] = true;
    l->body[pane] = area;
}

static void rule_place(struct layout *l, int x, int y, int h)
{
    if (h > 0) {
        l->rules[l->rule_count++] = (struct rect){x, y, 1, h};
    }
}

/* Takes `rows` off the lower end of the area. */
static struct rect cut_bottom(struct rect *area, int rows)
{
    rows = clamp(rows, 0, area->h);
    area->h -= rows;
    return (struct rect){area->x, area->y + area->h, area->w, rows};
}

/* The SMTP line, its title and its hint, as far as asked for. */
static void type_place(struct layout *l, struct rect *area, bool title, bool hint)
{
    if (hint) {
        l->hint = cut_bottom(area, 1);
    }
    l->prompt = cut_bottom(area, 1);
    if (title) {
        l->title[PANE_TYPE] = cut_bottom(area, 1);
    }
    l->visible[PANE_TYPE] = true;
}

/* Typing without seeing the answers is no use, so the transcript stays above the line. */
static void type_alone(struct layout *l, struct rect area)
{
    type_place(l, &area, area.h >= 8, area.h >= 6);
    pane_place(l, PANE_TRANSCRIPT, area);
}

static void place_tabs(const struct layout_wish *wish, struct layout *l, struct rect area)
{
    l->tabs = (struct rect){area.x, area.y, area.w, 1};
    area.y++;
    area.h--;
    switch (wish->focus) {
    case PANE_TYPE:
        type_alone(l, area);
        break;
    case PANE_TRANSCRIPT:
        /* Its title tells whether it follows, and what is filtered. */
        pane_place(l, PANE_TRANSCRIPT, area);
        break;
    case PANE_STEPS: {
        int strip = area.h - STEPS_ROWS - 1;
        if (strip >= 2 && !wish->advice_hidden) {
            pane_place(l, PANE_ADVICE, cut_bottom(&area, clamp(strip, 2, 8) + 1));
        }
        pane_place_bare(l, PANE_STEPS, area);
        break;
    }
    default:
        pane_place_bare(l, wish->focus, area);
        break;
    }
}

static void place_zoomed(const struct layout_wish *wish, struct layout *l, struct rect area)
{
    if (wish->focus == PANE_TYPE) {
        type_alone(l, area);
    } else {
        pane_place(l, wish->focus, area);
    }
}

/* Steps on the left, a rule, the transcript on the right. */
static void place_pair(struct layout *l, struct rect area, int left, int timings_rows)
{
    struct rect column = {area.x, area.y, left, area.h};
    if (timings_rows > 0) {
        pane_place(l, PANE_TIMINGS, cut_bottom(&column, timings_rows + 1));
    }
    pane_place(l, PANE_STEPS, column);
    rule_place(l, area.x + left, area.y, area.h);
    pane_place(l, PANE_TRANSCRIPT,
               (struct rect){area.x + left + 1, area.y, area.w - left - 1, area.h});
}

static int left_width(const struct layout_wish *wish, int natural, int others)
{
    int titles = clamp(wish->title_columns, 0, CANVAS_MAX_WIDTH);
    int needed = titles + (natural >= LAYOUT_STEPS_WIDE ? STEP_OTHERS_WIDE : STEP_OTHERS);
    natural = clamp(needed, natural, natural + LEFT_MORE);
    int delta = clamp(wish->left_delta, -CANVAS_MAX_WIDTH, CANVAS_MAX_WIDTH);
    int most = wish->w - 1 - others - TRANSCRIPT_MIN_W;
    return clamp(natural + delta, LEFT_MIN_W, most);
}

static void place_compact(const struct layout_wish *wish, struct layout *l, struct rect area)
{
    int usable = area.h - 3; /* less the line, and two rows of titles */
    /* Who types needs the hint, and nobody else. */
    type_place(l, &area, false, wish->focus == PANE_TYPE);
    /* One strip under the two panes; timings on demand take it over from the advice. */
    bool timings =
        wish->focus == PANE_TIMINGS || (wish->timings_shown && wish->focus != PANE_ADVICE);
    if (timings) {
        pane_place(l, PANE_TIMINGS, cut_bottom(&area, clamp(usable / 2, 4, 13) + 1));
    } else if (!wish->advice_hidden || wish->focus == PANE_ADVICE) {
        int rows = wish->guide ? clamp(usable / 2, 3, 14) : clamp(usable / 3, 3, 10);
        pane_place(l, PANE_ADVICE, cut_bottom(&area, rows + 1));
    }
    place_pair(l, area, left_width(wish, clamp(wish->w * 3 / 10, 24, 28), 0), 0);
}

static void place_two(const struct layout_wish *wish, struct layout *l, struct rect area)
{
    bool roomy = wish->h >= 30;
    type_place(l, &area, roomy, roomy);
    if (!wish->advice_hidden || wish->focus == PANE_ADVICE) {
        int rows = wish->guide ? clamp((area.h - 2) / 3, 4, 16) : clamp((area.h - 2) / 4, 4, 12);
        pane_place(l, PANE_ADVICE, cut_bottom(&area, rows + 1));
    }
    int rows = 0;
    int spare = area.h - 1 - STEPS_ROWS - 1; /* what all steps leave, less its own title */
    if (spare >= 6) {
        /* One row of air under the steps, as long as the bars have theirs. */
        rows = clamp(spare - 1, 6, TIMINGS_ROWS);
    } else if (wish->timings_shown || wish->focus == PANE_TIMINGS) {
        rows = (area.h - 2) / 2;
    }
    place_pair(l, area, left_width(wish, clamp(wish->w * 34 / 120, 28, 38), 0), rows);
}

static void place_three(const struct layout_wish *wish, struct layout *l, struct rect area)
{
    type_place(l, &area, true, true);
    int right = clamp(wish->w * 29 / 100, 46, 80);
    struct rect column = {area.x + area.w - right, area.y, right, area.h};
    rule_place(l, column.x - 1, area.y, area.h);
    area.w -= right + 1;
    if (wish->advice_hidden && wish->focus != PANE_ADVICE) {
        pane_place(l, PANE_TIMINGS, column);
    } else {
        pane_place(l, PANE_TIMINGS, cut_bottom(&column, clamp(column.h / 2, 4, TIMINGS_ROWS + 1)));
        pane_place(l, PANE_ADVICE, column);
    }
    int natural = clamp(34 + (wish->w - 120) * 6 / 80, 34, 44);
    place_pair(l, area, left_width(wish, natural, right + 1), 0);
}

void layout_compute(const struct layout_wish *wish, struct layout *out)
{
    memset(out, 0, sizeof(*out));
    out->kind = kind_for(wish->w, wish->h);
    if (out->kind == LAYOUT_TOO_SMALL) {
        out->header = (struct rect){0, 0, wish->w, wish->h};
        return;
    }
    int w = wish->w;
    int h = wish->h;
    out->header = (struct rect){0, 0, w, 1};
    out->status = (struct rect){0, h - 2, w, 1};
    out->keybar = (struct rect){0, h - 1, w, 1};
    struct rect area = {0, 1, w, h - 3};
    if (wish->zoom) {
        place_zoomed(wish, out, area);
        return;
    }
    switch (out->kind) {
    case LAYOUT_THREE:
        place_three(wish, out, area);
        break;
    case LAYOUT_TWO:
        place_two(wish, out, area);
        break;
    case LAYOUT_COMPACT:
        place_compact(wish, out, area);
        break;
    default:
        place_tabs(wish, out, area);
        break;
    }
}
