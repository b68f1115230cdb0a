/*
 * parts: text for a pane, as paragraphs with a label in the left margin. Some of them are items: a cursor walks over
 * them, and scrolls where there is none to walk to.
 *
 * Threads: the face's. Ownership: parts_free; labels are borrowed.
 */
#ifndef SMTPSCOPE_PARTS_H
#define SMTPSCOPE_PARTS_H

#include "canvas.h"

#define PARTS_MAX 128
#define PARTS_NO_ITEM (-1)

struct part {
    const char *label; /* translated, or "" */
    enum role role;
    char *text;
    int item;
    bool gap; /* an empty row above */
};

struct parts {
    struct part list[PARTS_MAX];
    size_t count;
};

/* How a pane looks at them. */
struct parts_view {
    int scroll, below; /* rows above and below what is shown */
    int item;          /* under the cursor */
};

void parts_free(struct parts *p);
/* Text that is NULL or empty is left out, as is what comes after PARTS_MAX. */
void parts_add(struct parts *p, const char *label, enum role role, const char *text);
void parts_add_item(struct parts *p, const char *label, enum role role, const char *text, int item);
/* The next part gets an empty row above it. */
void parts_gap(struct parts *p, size_t first);

void parts_draw(const struct parts *p, struct canvas *c, struct rect body, struct parts_view *v,
                bool focus);
/* One row up or down goes to the next item where that is in sight; more rows scroll. */
void parts_move(const struct parts *p, struct rect body, struct parts_view *v, int rows);
/* The first row of an item on the canvas; w 0 when it cannot be seen. */
struct rect parts_item_rect(const struct parts *p, struct rect body, const struct parts_view *v,
                            int item);
/* The item under the cursor when it can be seen, else PARTS_NO_ITEM. */
int parts_selected(const struct parts *p, struct rect body, const struct parts_view *v);

#endif
