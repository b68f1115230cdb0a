/*
 * appbench: the console without a terminal: struct app on the practice network and a canvas, driven
 * by keys.
 *
 * The network jumps, and consent and passwords that a scenario assumes are given, so a run ends by
 * itself. A folder of its own stands in for the user's, so that nothing is left behind.
 *
 * Threads: the test's is the face's. Ownership: bench_end frees all.
 */
#ifndef SMTPSCOPE_TEST_APPBENCH_H
#define SMTPSCOPE_TEST_APPBENCH_H

#include "app.h"
#include "canvas.h"

struct bench {
    struct app app;
    struct app_options options;
    struct plan plan; /* empty: what was typed on the command line */
    struct canvas canvas;
    struct buf text; /* of the canvas as drawn last */
    unsigned draws;
};

/* Sets XDG_STATE_HOME to an empty folder and returns it; bench_folder_remove takes it away. */
const char *bench_folder(void);
void bench_folder_remove(void);

/* `scenario` as with --demo; NULL: the start screen. */
void bench_start(struct bench *b, int w, int h, const char *scenario);
void bench_end(struct bench *b);
void bench_size(struct bench *b, int w, int h);
/* Draws, and demands the word DEMO when anything is practised. */
const char *bench_draw(struct bench *b);
void bench_key(struct bench *b, uint32_t key);      /* and draws */
void bench_keys(struct bench *b, const char *keys); /* printable ones, one after the other */
/* Takes events until the run is done. */
void bench_until_done(struct bench *b);
bool bench_sees(const struct bench *b, const char *text); /* on the canvas as drawn last */
/* The same without regard to blanks and line ends, in one pane. */
bool bench_pane_sees(const struct bench *b, enum pane pane, const char *text);

#endif
