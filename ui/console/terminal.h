/*
 * terminal: curses, and the promise that the terminal is always given back.
 *
 * terminal_open changes the terminal, terminal_close restores it; fatal signals restore it as well, with
 * nothing but write() of bytes that were prepared beforehand, and then kill the process by the same signal.
 *
 * Threads: the UI thread only; the fatal-signal path may run in any thread. Ownership: one terminal in the
 * process; signal handlers have no context argument, so what they need is the one file-scope state here.
 */
#ifndef SMTPSCOPE_TERMINAL_H
#define SMTPSCOPE_TERMINAL_H

#include "console.h"
#include "wake.h"

/* What the loop has to react to; read and cleared by terminal_signals. */
#define SIGNALLED_RESIZE 1u
#define SIGNALLED_STOP 2u     /* SIGTSTP from outside */
#define SIGNALLED_CONTINUE 4u
#define SIGNALLED_END 8u      /* SIGINT, SIGTERM, SIGHUP, SIGQUIT: terminal_end_signal says which */

#define PASTE_AHEAD 1024 /* keys read behind a paste, to see whether it goes on */

struct terminal {
    struct canvas shown; /* what is on the screen, to paint only what changed */
    bool color, mouse, paste, ascii;
    bool open;
    void *curses; /* SCREEN of curses */
    int attrs[ROLE_COUNT]; /* attributes of each role */
    int64_t click_us; /* the last click, when it may become a double one */
    int click_x, click_y;
    uint32_t ahead[PASTE_AHEAD]; /* keys that were read and not taken yet */
    size_t ahead_at, ahead_count;
};

/*
 * ST_DENIED with a sentence when TERM is missing or unknown, or stdin/stdout is no terminal: nothing was written
 * then. Also installs the signal handlers.
 */
enum status terminal_open(struct terminal *t, const struct console_options *options,
                          struct error *error) MUST_CHECK;
void terminal_close(struct terminal *t);
/* Gives the terminal back and stops the process by SIGTSTP; returns after it was continued, with how long it
   stood still. */
int64_t terminal_suspend(struct terminal *t);
/* The size as the system knows it; curses is told. */
void terminal_size(struct terminal *t, int *w, int *h);
void terminal_paint(struct terminal *t, const struct canvas *c);
void terminal_repaint(struct terminal *t); /* everything anew, after Ctrl-L or resize */
void terminal_mouse(struct terminal *t, bool on);
/* Next key, UKEY_NONE when there is none. */
uint32_t terminal_key(struct terminal *t);
/* Reads the pasted text after UKEY_PASTE_BEGIN up to its end. */
enum status terminal_paste(struct terminal *t, struct buf *out) MUST_CHECK;
/* After UKEY_MOUSE: what the mouse did. */
bool terminal_mouse_event(struct terminal *t, struct mouse_event *out);
int terminal_signal_fd(void);
unsigned terminal_signals(void);
int terminal_end_signal(void);

#endif
