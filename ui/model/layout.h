/*
 * layout: which pane lies where, as a pure function of the size (ux.md 5 of the design notes is
 * where the breakpoints come from: three columns from 160x40, two from 100 wide, the 80x24 shape
 * from 72x20, tabs from 40x10).
 *
 * Threads: pure. Ownership: by value.
 */
#ifndef SMTPSCOPE_LAYOUT_H
#define SMTPSCOPE_LAYOUT_H

#include "canvas.h"

/* From here on a row of the steps shows its number and its word, too. */
#define LAYOUT_STEPS_WIDE 33

enum pane { PANE_STEPS, PANE_TRANSCRIPT, PANE_ADVICE, PANE_TIMINGS, PANE_TYPE, PANE_COUNT };

enum layout_kind { LAYOUT_TOO_SMALL, LAYOUT_TABS, LAYOUT_COMPACT, LAYOUT_TWO, LAYOUT_THREE };

struct layout_wish {
    int w, h;
    enum pane focus;
    bool zoom;                         /* the focused pane alone */
    bool advice_hidden, timings_shown; /* timings below 100 columns only on demand */
    bool guide; /* the advice pane holds the guided mode, which has more to say */
    int title_columns;                 /* the longest title of a step, in this language */
    int left_delta;                    /* columns more (or fewer) for the left pane, by + and _ */
};

struct layout {
    enum layout_kind kind;
    struct rect header; /* LAYOUT_TOO_SMALL: the whole screen, for the message */
    struct rect tabs;   /* LAYOUT_TABS only */
    struct rect
        title[PANE_COUNT]; /* one row; h 0 when there is none: not on screen, or a tab says it */
    struct rect body[PANE_COUNT]; /* PANE_TYPE has none: prompt and hint are its body */
    bool visible[PANE_COUNT];     /* the pane with the focus always is, from 40x10 on */
    struct rect prompt;           /* the SMTP> line */
    struct rect hint;             /* below it; h 0 when there is no room */
    struct rect status;
    struct rect keybar;
    struct rect rules[8]; /* vertical lines, one column wide, from the row of titles down */
    size_t rule_count;
};

/* Every rectangle lies inside w x h, none overlap; for any w, h >= 1. While a person types in tabs
   or zoomed, the transcript stays visible above the line. */
void layout_compute(const struct layout_wish *wish, struct layout *out);

#endif
