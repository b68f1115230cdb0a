/*
 * textbox: wrapped text and framed boxes on the canvas, as forms, lists, advice and notices use them.
 *
 * Threads: the face's. Ownership: nothing is kept.
 */
#ifndef SMTPSCOPE_TEXTBOX_H
#define SMTPSCOPE_TEXTBOX_H

#include "canvas.h"
#include "lineedit.h"

/* An empty box with a title in its upper edge; `tag`, or NULL, stands at the edge's other end. */
void box_draw(struct canvas *c, struct rect box, const char *title, const char *tag);
/* Tells in the lower edge how many rows are out of sight above and below, when there are any. */
void box_draw_hidden(struct canvas *c, struct rect box, int above, int below);
/* Wrapped text lines in a rectangle; returns the rows it takes. Draws when c is not NULL. */
int text_wrapped(struct canvas *c, struct rect area, int skip_rows, enum role role, const char *text,
                 int indent);

/* A line that is being edited, in one row. With `focus` the cursor is in it. */
void edit_draw(struct canvas *c, struct rect box, const struct lineedit *e, bool focus);

#endif
