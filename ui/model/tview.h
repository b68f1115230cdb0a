/*
 * tview: the transcript as it is looked at: follow, folds by step, search, filter, wrap, time
 * column.
 *
 * It turns the lines of a record into screen rows. Only the rows on screen are computed, so the
 * cost does not grow with the transcript; arrival never moves the line that is being read.
 *
 * Threads: the face's. Ownership: borrows the record on every call; tview_free.
 */
#ifndef SMTPSCOPE_TVIEW_H
#define SMTPSCOPE_TVIEW_H

#include "canvas.h"
#include "record.h"

enum tview_time { TIME_RELATIVE, TIME_DELTA, TIME_ABSOLUTE, TIME_OFF };

struct tview; /* opaque, heap */

enum tview_row_kind { ROW_LINE, ROW_FOLD, ROW_GAP, ROW_EMPTY };

/* One row of the screen. A line that is wrapped takes several. */
struct tview_row {
    enum tview_row_kind kind;
    uint32_t number; /* transcript line; for folds the first line of the step, for gaps the first
                        missing */
    enum check_id check;
    unsigned part;   /* 0: first row of the line, else continuation */
    size_t from, to; /* bytes of the line's text on this row */
    size_t shown_from,
        shown_to; /* the same in what is shown: text, then what was decoded or how much was cut */
    bool cursor;
    bool folded;
    uint32_t fold_lines;  /* lines in the step's fold, with a filter those that match; of a gap: how
                             many are gone */
    uint32_t last_number; /* of the fold */
    int64_t t_us, delta_us;
    uint8_t dir, flags;
    bool tls;
};

enum status tview_new(struct tview **out) MUST_CHECK;
void tview_free(struct tview *v);
void tview_reset(struct tview *v); /* a new run */
/* Veiled, nothing tells the lines that a verdict rests on from the others: no mark, no filter. */
void tview_veil(struct tview *v, const struct record *r, bool veiled);

/* New lines are in the record; keeps the place, or the end when following. */
void tview_update(struct tview *v, const struct record *r);
/* Fills rows for a pane of this size. */
void tview_rows(struct tview *v, const struct record *r, int width, int height,
                struct tview_row *rows);
/* Draws those rows. `spin`: for the running step's fold mark. */
void tview_draw(struct tview *v, const struct record *r, struct canvas *c, struct rect body,
                bool focus, unsigned spin);

/* Movement in rows; any upward one stops following, reaching the end resumes it. */
void tview_move(struct tview *v, const struct record *r, int rows);
void tview_first(struct tview *v, const struct record *r);
void tview_last(struct tview *v, const struct record *r);
void tview_goto(struct tview *v, const struct record *r, uint32_t number); /* opens its fold */
void tview_step(struct tview *v, const struct record *r, int direction); /* previous or next step */
void tview_problem(struct tview *v, const struct record *r, int direction);
uint32_t tview_cursor(const struct tview *v);
bool tview_following(const struct tview *v);
void tview_follow(struct tview *v, const struct record *r, bool on);
/* Lines that came while it did not follow, and are below the rows last drawn. */
uint32_t tview_new_below(const struct tview *v, const struct record *r);

/* how: 1 fold, 0 open: all folds of that check; -1 toggles the one under the cursor if it belongs
 * to the check. */
void tview_fold(struct tview *v, const struct record *r, enum check_id check, int how);
/* Folds all but the step that runs, or opens all. */
void tview_fold_all(struct tview *v, const struct record *r, bool fold);
void tview_wrap(struct tview *v, bool wrap);
bool tview_wrapping(const struct tview *v);
/* Without wrap. INT_MIN: to column 0, INT_MAX: to the end of the longest line on screen. */
void tview_scroll_columns(struct tview *v, int columns);
void tview_time(struct tview *v, enum tview_time mode);
enum tview_time tview_time_mode(const struct tview *v);
void tview_base64(struct tview *v, bool on);
bool tview_base64_on(const struct tview *v);

/*
 * Finding and filtering go over at most so many lines in one call; tview_update, tview_rows and
 * tview_draw do the rest, piece by piece. While tview_busy, one of them should be called again
 * soon, without waiting for an event.
 */
bool tview_busy(const struct tview *v, const struct record *r);
/* Plain text, or /re:EXPR (re:EXPR) for a POSIX extended expression; case is ignored. ST_INVALID
   with the reason.
   "" clears. The place stays: tview_find_next goes to the hit. */
enum status tview_find(struct tview *v, const struct record *r, const char *what,
                       struct error *error) MUST_CHECK;
/* The first time the line under the cursor counts too. Goes round at the ends. False: no hit. */
bool tview_find_next(struct tview *v, const struct record *r, int direction);
/* The number of the hit under the cursor, or of the last one above it, and how many there are so
 * far. */
void tview_find_counts(const struct tview *v, const struct record *r, uint32_t *at,
                       uint32_t *total);
/* dir:c|s|note|tls tls:yes|no step:N|id code:4xx problem, or words; all must match. "" clears.
   Folds of their own are kept while a filter is set: at first all are open. */
enum status tview_filter(struct tview *v, const struct record *r, const char *what,
                         struct error *error) MUST_CHECK;
const char *tview_filter_text(const struct tview *v);
const char *tview_find_text(const struct tview *v);

#endif
