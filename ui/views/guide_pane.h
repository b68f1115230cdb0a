/*
 * guide_pane: the guided mode on the screen, in the place of the advice: keys to steps, events to what is shown.
 *
 * Threads: the face's. Ownership: guide_pane_free.
 */
#ifndef SMTPSCOPE_GUIDE_PANE_H
#define SMTPSCOPE_GUIDE_PANE_H

#include "guided.h"
#include "lineedit.h"
#include "parts.h"

struct app;

struct guide_pane {
    struct guided guided;
    struct playbooks *books; /* NULL until they are needed */
    struct lineedit field;
    struct parts_view view;
    bool shown;    /* else the advice is; where one is stays known */
    bool why;      /* shows what the step is for */
    bool editing;  /* the keys go into the field */
    bool starting; /* the run that begins now is ours */
    bool zoomed;   /* the whole screen was taken for the last page */
};

enum status guide_pane_init(struct guide_pane *g) MUST_CHECK;
void guide_pane_free(struct guide_pane *g);

bool guide_in_front(const struct app *a); /* it stands where the advice does */
bool guide_edits(const struct app *a);    /* and the keys go into its field */
/* "guide 3/7" for the title of the steps; "" when it is not in front. */
void guide_place_text(const struct app *a, char *out, size_t size);

/* Back to where one was, or the list of symptoms. */
void guide_open(struct app *a);
void guide_begin(struct app *a, const struct playbook *book);
/* The playbooks are there from here on; false when there is no memory for them. */
bool guide_load_books(struct app *a);

/* What the keys do while it has the focus. */
void guide_enter(struct app *a);
void guide_again(struct app *a); /* does the steps once more, whatever is known */
void guide_back(struct app *a);
void guide_skip(struct app *a);
void guide_why(struct app *a);
void guide_leave(struct app *a);
void guide_export(struct app *a);
void guide_move(struct app *a, int rows);
void guide_field_key(struct app *a, uint32_t key);

/* What happens elsewhere. */
void guide_note_event(struct app *a, const struct event *e);
void guide_note_new_run(struct app *a);
/* True when a ticket that is saved now is this page. */
bool guide_has_page(const struct app *a);

/* view_guide.c */
void view_guide(struct app *a, struct canvas *c, struct rect body);
/* What is shown now; also for the keys, which have to know what can be seen. */
void guide_parts(struct app *a, struct parts *out);
/* The lines of the proof on the last page; returns how many. */
size_t guide_proof(struct app *a, uint32_t lines[FINDING_EVIDENCE_MAX]);

#endif
