/*
 * replay: where a script that is being played stands, and when it has to stop.
 *
 * It stops before the next step when the reply's first digit is another one than the script expects
 * (2 or 3 when it expects nothing), when the connection ends, at a line that was hidden when it was
 * saved, and when it was asked to go step by step.
 *
 * Threads: the engine's. Ownership: replay_free frees the script.
 */
#ifndef SMTPSCOPE_REPLAY_H
#define SMTPSCOPE_REPLAY_H

#include "script.h"
#include "smtp.h"

enum replay_state {
    REPLAY_IDLE,       /* nothing is loaded */
    REPLAY_PLAYING,    /* the step was begun */
    REPLAY_WAITING,    /* step by step: the next one is due when it is asked for */
    REPLAY_ASKING,     /* the step's line was hidden: what is typed next takes its place */
    REPLAY_UNEXPECTED, /* the reply to the step was not the expected one */
    REPLAY_BROKEN,     /* the connection ended, or could not be opened */
    REPLAY_STOPPED,    /* by the user */
    REPLAY_DONE        /* all steps were played */
};

struct replay {
    struct script *script;
    size_t next; /* the step that is due */
    enum replay_state state;
    bool step_by_step;
    bool skip_text; /* DATA was refused: its text must not be sent as commands */
    int got;        /* code of the last reply; 0: none */
};

/* As it is told and kept. */
struct replay_progress {
    enum replay_state state;
    uint32_t step, count; /* from 1; the step that was played, or that is due */
    uint32_t source;      /* its line in the file */
    int expected, got;    /* codes; see struct script_step; 0: none */
};
/* "as-expected", "unexpected"...: untranslated, for reports; NULL when idle. */
const char *replay_state_name(enum replay_state state);
/* One sentence for people, translated: what was played, and why it stopped. "" when idle. */
void replay_sentence(const struct replay_progress *p, char *out, size_t size);

void replay_init(struct replay *r);
void replay_free(struct replay *r);
/* Takes the script over. */
void replay_load(struct replay *r, struct script *script);
/* The step that is due, or NULL. */
const struct script_step *replay_step(const struct replay *r);
/* Whether this code is what the step expects. 0: there was no reply. */
bool replay_expected(const struct script_step *step, int code);
/* The step that is due was played: without a reply of its own (0), or with this code. Moves on,
   and stops where it has to. */
void replay_played(struct replay *r, enum status status, int code);
/* The step, and those that belong to the same login, were played in another way. */
void replay_logged_in(struct replay *r, enum status status, int code);
/* Goes on after a stop. */
void replay_go(struct replay *r, bool step_by_step);

#endif
