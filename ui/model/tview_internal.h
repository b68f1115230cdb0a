/*
 * tview_internal: what the files of the transcript view share.
 *
 * tview.c keeps the groups (folds), tview_place.c walks over rows, tview_shown.c turns a line into
 * what is shown, tview_match.c finds and filters, tview_move.c moves, tview_rows.c fills the rows
 * of a pane, tview_draw.c draws them.
 *
 * Threads and ownership: as in tview.h.
 */
#ifndef SMTPSCOPE_TVIEW_INTERNAL_H
#define SMTPSCOPE_TVIEW_INTERNAL_H

#include <regex.h>

#include "escape.h"
#include "tview.h"

#define FIND_TEXT_MAX 256
#define FILTER_TERMS_MAX 16
/* What is shown of a line, with what was decoded beside it. */
#define SHOWN_MAX (2 * LINE_SHOWN_MAX + 256)

/* Neighbouring lines of one check: one fold. A gap (lines that were dropped) is a fold of its own
   that never opens. */
struct group {
    uint32_t first, last; /* numbers */
    uint32_t count;       /* lines in it */
    uint8_t check;
    bool manual; /* typed by hand */
    bool gap;
    bool folded[2]; /* without, with a filter */
};

/* A row of the whole transcript. number 0: there is none. */
struct spot {
    uint32_t number;
    bool head; /* the fold's own row; number is its first line */
    unsigned part;
};

/* Line numbers in order. */
struct numbers {
    uint32_t *p;
    size_t count, cap;
};

enum term_kind { TERM_WORD, TERM_DIR, TERM_TLS, TERM_STEP, TERM_CODE, TERM_PROBLEM };

struct term {
    enum term_kind kind;
    unsigned value;           /* direction, yes/no, check */
    char word[FIND_TEXT_MAX]; /* lower case; for codes "4xx" */
};

struct match {
    char find_text[FIND_TEXT_MAX]; /* as given */
    char needle[FIND_TEXT_MAX];    /* plain: lower case; "" when not finding */
    bool regex;
    regex_t expression;
    bool fresh; /* find_next was not called yet */
    char filter_text[FIND_TEXT_MAX];
    struct term terms[FILTER_TERMS_MAX];
    size_t term_count;     /* 0: no filter */
    uint32_t indexed;      /* lines up to here are in the two lists */
    struct numbers passed; /* lines that the filter lets through */
    struct numbers hits;   /* of them those with a hit */
    uint64_t problems;     /* which problem lines were known at indexing */
    struct buf scratch;    /* a line as a string, for regexec */
};

struct tview {
    struct group *groups;
    size_t group_count, group_cap;
    uint32_t run, seen;
    uint32_t gap_start, gap_end;
    struct spot top, cursor;
    bool following;
    uint32_t paused_at; /* last line when following stopped */
    uint32_t bottom;    /* last line on screen */
    int width, height;  /* of the pane as drawn last */
    bool ascii, wrap, base64, veiled;
    enum tview_time time;
    int column, longest; /* without wrap */
    struct match match;
    struct buf shown;
    struct tview_row *rows;
    int row_cap;
};

/* tview.c */
bool tview_filtering(const struct tview *v);
size_t tview_group_find(const struct tview *v,
                        uint32_t number); /* first that ends at or after it; count: none */
bool tview_group_open(const struct tview *v, const struct group *g);

/* tview_place.c */
struct spot tview_spot_first(struct tview *v, const struct record *r);
struct spot tview_spot_last(struct tview *v, const struct record *r);
/* The nearest spot that exists, when folds, filters or drops took it away. */
struct spot tview_spot_fix(struct tview *v, const struct record *r, struct spot s);
int tview_spot_compare(struct spot a, struct spot b);
/* Moves by rows; returns how many there were. */
int tview_spot_forward(struct tview *v, const struct record *r, struct spot *s, int rows);
int tview_spot_back(struct tview *v, const struct record *r, struct spot *s, int rows);
/* Row by row is too dear for long lines: the next fold or line, at its first row. False at the end.
 */
bool tview_spot_next_item(struct tview *v, const struct record *r, struct spot *s);
size_t tview_group_next_visible(const struct tview *v, size_t g); /* after g; count: none */
size_t tview_group_prev_visible(const struct tview *v, size_t g); /* before g; count: none */

/* tview_shown.c */
struct shown {
    const char *p; /* good until the next call */
    size_t len;
    size_t raw; /* so much of it is the line's own text */
};
struct shown tview_shown_text(struct tview *v, const struct record *r, const struct line *line);
/* End of the row that begins at `from`. */
size_t tview_shown_wrap(const struct tview *v, const struct shown *s, size_t from, int width);
unsigned tview_shown_parts(struct tview *v, const struct record *r, const struct line *line);
int tview_shown_columns(const struct tview *v, const char *p, size_t len);
int tview_prefix_columns(const struct tview *v); /* mark, time, direction */
int tview_text_columns(const struct tview *v);   /* what is left for the text, at least 1 */
int tview_time_columns(const struct tview *v);

/* tview_match.c */
void tview_match_free(struct match *m);
void tview_match_restart(struct tview *v); /* the lists begin anew */
/* Takes up to `budget` new lines into the lists. */
void tview_match_index(struct tview *v, const struct record *r, uint32_t budget);
void tview_match_forget(struct tview *v, uint32_t gap_start, uint32_t gap_end);
/* Where the first hit in text at or after `from` lies. */
bool tview_match_text(struct match *m, const char *p, size_t len, size_t from, size_t *begin,
                      size_t *end);
#define INDEX_BUDGET 20000u
size_t tview_numbers_at(const struct numbers *n, uint32_t number); /* first index not below it */

#endif
