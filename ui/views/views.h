/*
 * views: the panes of the main screen, each drawn from the app's state onto the canvas.
 *
 * Threads: the face's. Ownership: nothing is kept; the app is only read, but for scroll positions that
 * are clipped to what there is.
 */
#ifndef SMTPSCOPE_VIEWS_H
#define SMTPSCOPE_VIEWS_H

#include "app.h"

void view_frame(struct app *a, struct canvas *c); /* header, titles, rules, tabs, key bar */
int view_title_columns(void); /* of the longest title of a step */
void view_steps(struct app *a, struct canvas *c, struct rect body);
int view_steps_top(const struct app *a, int rows); /* the step in the first of so many rows */
void view_advice(struct app *a, struct canvas *c, struct rect body);
void view_timings(struct app *a, struct canvas *c, struct rect body);
void view_type(struct app *a, struct canvas *c);
/* A line that is edited; the SMTP line with its secrets as stars. */
void line_draw(struct app *a, struct canvas *c, struct rect row, const struct lineedit *e, bool focus);
void view_status(struct app *a, struct canvas *c);

/* The whole advice about a step as text, for the box that Enter opens, and for the reports' reader. */
enum status advice_text(const struct app *a, enum check_id check, struct buf *out) MUST_CHECK;
/* The n-th line that the findings of a step rest on, in the order in which they are told; 0 behind the last one.
   *count gets how many there are. */
uint32_t advice_proof_line(const struct app *a, enum check_id check, size_t n, size_t *count);
/* The lines that a finding rests on ("20, 21"), and the last of them; "" when there are none. */
void advice_proof(const struct app *a, const struct finding *f, char *numbers, size_t size,
                  char *quote, size_t quote_size);
/* Links of the findings of a step, one a line. */
enum status advice_links(const struct app *a, enum check_id check, struct buf *out) MUST_CHECK;

/* Mark, word and role of a state. The mark is three columns with its brackets. */
const char *state_mark(enum verdict verdict, bool ascii, unsigned spin);
const char *state_word(enum verdict verdict); /* not translated: four letters at most, as documented */
enum role state_role(enum verdict verdict);
enum role state_word_role(enum verdict verdict);
/* "12ms", "410ms", "2.1s", "61s" */
void duration_text(int64_t us, char *out, size_t size);

#endif
