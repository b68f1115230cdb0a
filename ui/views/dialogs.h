/*
 * dialogs: the boxes over the panes: target, log in, consents, save, quit, lists, texts.
 *
 * They lie on a stack in the app; the topmost gets the keys. None has a loop of its own.
 *
 * Threads: the face's. Ownership: dialog_close frees what dialog_push made.
 */
#ifndef SMTPSCOPE_DIALOGS_H
#define SMTPSCOPE_DIALOGS_H

#include "app.h"

/* NULL when the stack is full. */
struct dialog *dialog_push(struct app *a, enum dialog_kind kind);
void dialog_close(struct app *a); /* the topmost; nothing when there is none */
struct dialog *dialog_top(struct app *a);

void dialog_open_start(struct app *a);
void dialog_open_target(struct app *a);
void dialog_open_login(struct app *a);
void dialog_open_relay(struct app *a);
void dialog_open_send(struct app *a);
void dialog_open_save(struct app *a, enum report_format format);
void dialog_open_quit(struct app *a);
void dialog_open_list(struct app *a, enum list_purpose purpose);
/* Takes the text over. */
void dialog_open_text(struct app *a, const char *title, struct buf *text);

void dialog_key(struct app *a, uint32_t key);
void dialog_paste(struct app *a, const char *p, size_t len);
void dialog_draw(struct app *a, struct dialog *d, struct canvas *c);
bool dialog_in_text(const struct dialog *d);

/* lists.c */
void list_open(struct app *a, struct dialog *d, enum list_purpose purpose);
void list_key(struct app *a, struct dialog *d, uint32_t key);
void list_draw(struct app *a, struct dialog *d, struct canvas *c);
/* Does the filter let it through? ASCII case is ignored. */
bool list_contains(const char *text, const char *filter);
void text_key(struct app *a, struct dialog *d, uint32_t key);
void text_draw(struct dialog *d, struct canvas *c);

/* symptom_list.c: the rows of the guided mode's list */
void symptoms_fill(struct app *a, struct dialog *d); /* those that the filter lets through */
void symptoms_choose(struct app *a, struct dialog *d);
void symptoms_draw_row(const struct app *a, const struct dialog *d, struct canvas *c,
                       struct rect row, size_t at);
/* More about the one under the cursor. */
void symptoms_draw_about(const struct app *a, const struct dialog *d, struct canvas *c,
                         struct rect area);

#endif
