/*
 * app: the console without a terminal: state, keys to actions, events to state, state to canvas.
 *
 * The console feeds it keys and time and paints what it draws; tests do the same without a terminal.
 *
 * Threads: the face's. It talks to the engine through engine.h alone. Ownership: app_free ends the engine and
 * frees everything; options are borrowed for the app's life.
 */
#ifndef SMTPSCOPE_APP_H
#define SMTPSCOPE_APP_H

#include "engine.h"
#include "forms.h"
#include "guide_pane.h"
#include "hand.h"
#include "keys.h"
#include "lineedit.h"
#include "record.h"
#include "report.h"
#include "savefile.h"
#include "tview.h"
#include "typehint.h"

#define APP_DIALOGS_MAX 4

struct app_options {
    const struct plan *plan;  /* defaults from the command line */
    bool have_target;         /* begin with the safe checks; else the start screen */
    const char *scenario;     /* --demo: its name; NULL: the real network */
    const char *data_dir, *lang;
    bool ascii, animation;
    const char *save_path, *tee_path;
    /* Opens the network: a practice scenario, or the system's when scenario is NULL. May change the plan
       (a scenario brings its own target). */
    enum status (*open_network)(void *ctx, const char *scenario, struct plan *plan,
                                struct network **out, struct error *error);
    void *ctx;
};

enum dialog_kind {
    DIALOG_NONE,
    DIALOG_START,
    DIALOG_TARGET,
    DIALOG_LOGIN,
    DIALOG_RELAY,
    DIALOG_SEND,
    DIALOG_SAVE,
    DIALOG_QUIT,
    DIALOG_LIST, /* help, menu, scenarios: a filter and a list */
    DIALOG_TEXT, /* something to read */
    DIALOG_LESSON, /* story, goal and hints */
    DIALOG_ANSWER, /* which of five causes it is */
    DIALOG_WRONG,
    DIALOG_CAUSE, /* what it was */
    DIALOG_COMPOSER,
    DIALOG_ENVELOPE,
    DIALOG_FILE,  /* a file for the message */
    DIALOG_POST,  /* the consent to send the message */
    DIALOG_PASTE, /* what to do with lines that were pasted */
    DIALOG_SCRIPT_FILE,
    DIALOG_SCRIPT, /* the consent to play it */
    DIALOG_REPLAY
};

enum list_purpose { LIST_HELP, LIST_MENU, LIST_SCENARIOS, LIST_SYMPTOMS };

struct lessons;
struct scenario_row;

struct dialog {
    enum dialog_kind kind;
    const char *tag; /* at the other end of the box's upper edge, or NULL */
    struct form form;
    /* DIALOG_LIST */
    enum list_purpose purpose;
    enum key_mode mode; /* whose help it is */
    struct lineedit filter;
    enum action actions[ACTION_COUNT];
    struct scenario_row *rows; /* LIST_SCENARIOS */
    size_t symptoms[PLAYBOOKS_MAX]; /* LIST_SYMPTOMS: numbers of playbooks */
    size_t count, cursor, top;
    /* DIALOG_TEXT */
    const char *title;
    struct buf text;
};

/* What the console has to do for the app; it clears them. */
#define APP_QUIT 1u
#define APP_SUSPEND 2u
#define APP_REDRAW 4u
#define APP_MOUSE 8u
#define APP_REPORT 16u /* with APP_QUIT: a plain report stays in the scroll-back */

/* What the one-line prompt in the status row is for. */
enum ask { ASK_NOTHING, ASK_FIND, ASK_FILTER };

struct app {
    const struct app_options *options;
    struct plan plan;
    struct network *net; /* owned by the engine from engine_new on */
    struct engine *engine;
    struct guide *guide, *english;
    struct record record;
    struct lessons *lessons; /* what is practised, and how far */
    struct tview *tview;
    struct layout layout;
    struct layout_wish wish;
    enum check_id step;   /* under the cursor */
    bool step_moved;      /* the user moved it in this run: it is not moved for him any more */
    int advice_scroll, advice_below; /* rows above and below what is shown */
    size_t proof_at; /* how many lines of the advice's proof were gone to */
    struct guide_pane guide_pane;
    struct lineedit smtp; /* the SMTP> line */
    bool second_enter;    /* asked once for the second Enter */
    struct hand hand;     /* the rest of the session by hand */
    struct lineedit ask_edit;
    enum ask ask;
    struct dialog dialogs[APP_DIALOGS_MAX];
    size_t dialog_count;
    char status[320];     /* already safe to show */
    bool status_error;
    int64_t said_us;      /* when the status was said */
    bool paused, mouse, ascii, demo, session_wanted;
    bool saved;           /* since the last change */
    char saved_name[512];
    struct tee tee;
    bool tee_open;
    uint32_t tee_next;
    unsigned requests;
    int64_t now_us, last_stop_us, spin_us;
    int64_t run_seen_us, step_seen_us, wait_seen_us; /* by our clock: when each began */
    unsigned spin;
    int exit_code;
};

/* Draws nothing and opens nothing but the --tee file: the first paint comes before the first packet. */
enum status app_init(struct app *a, const struct app_options *options, bool ascii,
                     struct error *error) MUST_CHECK;
void app_free(struct app *a);
/* After the first paint: loads the guide, opens the network, starts the run (with a target). */
void app_begin(struct app *a);

void app_key(struct app *a, uint32_t key);
enum mouse_kind { MOUSE_CLICK, MOUSE_DOUBLE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };
struct mouse_event {
    int x, y;
    enum mouse_kind kind;
};
/* Only when the mouse is on. Nothing can be done with it that keys cannot do. */
void app_mouse(struct app *a, const struct mouse_event *event);
/* Text that the terminal marked as pasted: goes into a field, never acts. */
void app_paste(struct app *a, const char *p, size_t len);
/* Takes at most max events; true when something changed. */
bool app_events(struct app *a, size_t max);
int app_events_fd(const struct app *a); /* -1 when there is no engine */
/* Time goes on: the spinner, waiting times. True when something on screen changes. */
bool app_tick(struct app *a, int64_t now_us);
/* When app_tick is due next; NO_DEADLINE when nothing moves by itself. */
int64_t app_next_tick(const struct app *a);
void app_draw(struct app *a, struct canvas *c);

/* For the rest of this room. */
/* Masks the SMTP line while what is typed there is a secret. */
void app_mask_line(struct app *a);
void app_action(struct app *a, enum action action);
void app_move_action(struct app *a, enum action action); /* those that only move what is shown */
void app_say(struct app *a, bool is_error, const char *fmt, ...) PRINTF_LIKE(3, 4);
enum key_mode app_mode(const struct app *a);
/* The cursor of the steps goes there, and the advice begins at its top. */
void app_show_step(struct app *a, enum check_id check);
void app_start_run(struct app *a);
/* A run of these steps alone, and of what they rest on; false with the reason in the status line. */
bool app_start_checks(struct app *a, uint64_t mask);
/* The engine may have begun a run by itself (engine_open): shows that one. */
void app_adopt_run(struct app *a);
/* Opens the network and the engine for the app's plan; says why not. */
bool app_connect_engine(struct app *a, const char *scenario);
/* The step under the cursor; those with risk ask first. */
void app_run_step(struct app *a);
bool app_running(const struct app *a);
bool app_busy(const struct app *a); /* running, and not waiting in a pause */
void app_finish(struct app *a); /* --save, exit code */
/* Writes a report of the run as it is, a ticket of the guide's page where that is in front; *size gets its length. */
enum status app_save(struct app *a, const char *path, enum report_format format, unsigned flags,
                     size_t *size, struct error *error) MUST_CHECK;

#endif
