/*
 * runner: an engine on the practice network, and the record of what it told.
 *
 * Threads: the test's thread is the face's. Ownership: runner_close frees all.
 */
#ifndef SMTPSCOPE_TEST_RUNNER_H
#define SMTPSCOPE_TEST_RUNNER_H

#include "engine.h"
#include "practice.h"
#include "record.h"

struct runner {
    struct network *net; /* the engine's */
    struct engine *engine;
    struct scenario_info info;
    struct plan plan;
    struct record record;
    struct buf log;     /* every event in words, one a line */
    struct buf text;    /* every text that an event carried */
    unsigned runs_done; /* EVENT_RUN_DONE of the present run */
    const char *expected;
    uint32_t expected_after;
};

/* A scenario that is built in. */
void runner_open(struct runner *r, const char *scenario, enum practice_pace pace);
/* A scenario from text; its first lines (title, target...) are put in. */
void runner_open_text(struct runner *r, const char *text, enum practice_pace pace);
/* A whole scenario as it stands in a file. */
void runner_open_whole(struct runner *r, const char *text, enum practice_pace pace);
void runner_close(struct runner *r);

void runner_start(struct runner *r); /* engine_start with r->plan, and a fresh record */
void runner_watch(struct runner *r); /* a fresh record for the run that the engine has begun */
/* Takes events until `done` says so. Fails the test when nothing comes for a long while. */
void runner_until(struct runner *r, bool (*done)(const struct runner *r, const void *arg),
                  const void *arg);
void runner_until_done(struct runner *r); /* until one more EVENT_RUN_DONE */
void runner_run(struct runner *r);        /* start and wait */
void runner_step(struct runner *r, enum check_id check, const struct plan *plan);
/* Types a line and waits for a transcript line that holds `answer`. */
void runner_type(struct runner *r, const char *line, const char *answer);
void runner_until_text(struct runner *r, const char *text);
/* Waits for a line that holds the text and came after runner_expect. */
void runner_expect(struct runner *r, const char *text);
void runner_until_expected(struct runner *r);
void runner_until_session(struct runner *r, enum smtp_state state);

bool runner_found(const struct runner *r, const char *id); /* a finding, or the cause of one */
enum verdict runner_verdict(const struct runner *r, enum check_id check);
bool runner_said(const struct runner *r, const char *text); /* in a transcript line */

#endif
