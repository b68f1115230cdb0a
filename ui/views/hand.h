/*
 * hand: the session by hand: the SMTP line with its macros, lines that are fed one by one, the
 * composer, and replaying.
 *
 * type_keys.c takes the keys of the line, macros.c does what begins with a colon, hand.c hands
 * lines to the engine, view_type.c draws the line and the candidates above it.
 *
 * Threads: the face's. Ownership: struct hand lives in the app; hand_free wipes.
 */
#ifndef SMTPSCOPE_HAND_H
#define SMTPSCOPE_HAND_H

#include "composer.h"
#include "feed.h"
#include "replay_box.h"
#include "typehint.h"

struct app;
struct event;
struct canvas;

/* What the lines that are fed are for: what is said at the end depends on it. */
enum hand_job { HAND_LINES, HAND_MESSAGE, HAND_PROBE };

struct hand {
    unsigned mode; /* TYPEHINT_RAW, TYPEHINT_ENCODE */
    struct feed feed;
    enum hand_job job;
    struct typehint_candidates *found; /* listed above the line; NULL: nothing is */
    size_t found_top, found_rows;      /* the first that is shown, and how many are */
    bool tabbed;                       /* the last key was a Tab that several lines fit */
    struct composer composer;
    struct replay_box replay;
};

enum status hand_init(struct hand *h) MUST_CHECK;
void hand_free(struct hand *h);

/* How the line is taken now. */
unsigned hand_mode(const struct app *a);
/* Keys while the SMTP line has the focus. */
void hand_key(struct app *a, uint32_t key);
/* Pasted text for the line: one line goes into it, several are asked about. */
void hand_paste(struct app *a, const char *p, size_t len);
/* Enter. */
void hand_enter(struct app *a);
/* The line that begins with a colon; false when it is kept as it is. */
bool macro_run(struct app *a, const char *line);

/* One line, as typed. False with the reason in the status line. */
bool hand_send(struct app *a, const char *line, size_t len);
/* The answer to a 334, put into base64. */
bool hand_answer(struct app *a, const char *text);
/* Exact bytes; `hidden`: they may not be told. */
bool hand_send_raw(struct app *a, const char *notation, bool hidden);
/* A connection is there and no step uses it; else says why not. */
bool hand_ready(struct app *a);
/* Sends what the feed holds. */
void hand_feed(struct app *a, enum hand_job job);
/* Opens the connection (again); `no_greeting`: reads none. */
void hand_open(struct app *a, bool no_greeting);
/* An event of the run went into the record. */
void hand_event(struct app *a, const struct event *e);
/* What is due goes out; called after a batch of events. */
void hand_pump(struct app *a);
/* Stops what is fed; true when something was. */
bool hand_stop(struct app *a);
/* A new run: what was fed to the old one is over. */
void hand_new_run(struct app *a);

/* Above the line, while candidates are listed. */
void candidates_draw(struct app *a, struct canvas *c);

/* The box that asks about pasted lines. */
void dialog_open_paste(struct app *a, const char *p, size_t len);
/* The list of macros. */
void dialog_open_macros(struct app *a);

#endif
