/*
 * replay_box: a script that is played on the screen: the list of its steps, the one that is due,
 * and what was expected where it stopped.
 *
 * Threads: the face's. Ownership: struct replay_box lives in struct hand; replay_box_free wipes.
 */
#ifndef SMTPSCOPE_REPLAY_BOX_H
#define SMTPSCOPE_REPLAY_BOX_H

#include "lineedit.h"
#include "script.h"

struct app;
struct canvas;
struct dialog;
struct event;

struct replay_box {
    struct script *script; /* NULL: none was chosen */
    char name[256];        /* of its file */
    size_t top;
    struct lineedit answer; /* what takes the place of a hidden line */
    bool encode;            /* it is put into base64 */
};

enum status replay_box_init(struct replay_box *b) MUST_CHECK;
void replay_box_free(struct replay_box *b);

/* Reads the file and asks for consent; says why not. */
void replay_choose(struct app *a, const char *path);
/* A box that asks for the file. */
void replay_open_file(struct app *a);
/* The list again, of the script that was chosen before. */
void replay_open(struct app *a);
void replay_key(struct app *a, struct dialog *d, uint32_t key);
void replay_paste(struct app *a, const char *p, size_t len);
void replay_draw(struct app *a, struct dialog *d, struct canvas *c);
/* Rows that the panes leave to it; 0 when it is closed, or lies over them. */
int replay_rows(const struct app *a, int screen);
void press_script(struct app *a, struct dialog *d, int pressed);
void press_script_file(struct app *a, struct dialog *d, int pressed);
/* Says in the status line where it stands. */
void replay_event(struct app *a, const struct event *e);

#endif
