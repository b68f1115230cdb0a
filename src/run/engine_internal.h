/*
 * engine_internal: what the files of the engine share. Nobody else includes it.
 *
 * engine.c is the public face, the queues and the thread; engine_hand.c the face for what is done
 * by hand; engine_tell.c turns what happens into events; engine_run.c decides which step runs;
 * engine_session.c serves the open connection; engine_replay.c plays scripts.
 *
 * Threads: everything here belongs to the engine's thread, but for the members of struct engine
 * that say otherwise. Ownership: struct engine owns all of it.
 */
#ifndef SMTPSCOPE_ENGINE_INTERNAL_H
#define SMTPSCOPE_ENGINE_INTERNAL_H

#include <pthread.h>

#include "engine.h"
#include "engine_net.h"

#define CHECK_BIT(id) (UINT64_C(1) << (id))
#define ALL_CHECKS (CHECK_BIT(CHECK_COUNT) - 1)

enum command_kind {
    COMMAND_START,
    COMMAND_STEP,
    COMMAND_CONTINUE,
    COMMAND_OPEN,
    COMMAND_TYPE,
    COMMAND_CHUNK,
    COMMAND_RAW,
    COMMAND_HANDSHAKE,
    COMMAND_HALF_CLOSE,
    COMMAND_REPLAY,
    COMMAND_REPLAY_GO,
    COMMAND_REPLAY_STOP,
    COMMAND_PAUSE,
    COMMAND_CANCEL,
    COMMAND_END
};

/* One block; what it points at moves with it. */
struct command {
    struct queue_item item; /* first: it is queued by this */
    enum command_kind kind;
    uint32_t run;
    uint64_t steps; /* COMMAND_STEP: their bits */
    bool paused;
    enum cancel_level level; /* COMMAND_CANCEL; for others: it was cancelled while it waited */
    struct plan *plan;
    /* The end of a job must be told even when memory is short, so its event exists before it. */
    struct event *done;
    char *text; /* typed, in the same block; may be a password */
    size_t len;
    size_t line_len;       /* COMMAND_CHUNK: of the text, what is the line; the rest is its data */
    unsigned flags;        /* COMMAND_RAW: SMTP_RAW_* */
    bool no_greeting;      /* START, OPEN: nothing is read before something is sent */
    bool one_step;         /* REPLAY, REPLAY_GO */
    struct script *script; /* REPLAY */
};

struct consent {
    bool relay, send, auth, in_clear, unproved;
};

struct engine {
    /* Shared between both threads. */
    struct queue commands, events;
    struct cancel cancel;
    struct engine_net net;
    struct wake ended; /* called as the thread's last act */

    /* The face's. */
    pthread_t thread;
    uint32_t generation;
    char *target; /* of the latest run, to know the same one again */
    struct command end;

    /* The engine thread's. */
    struct queue_item *pending, **pending_tail;
    bool ending, superseded, paused;
    bool no_greeting; /* what comes first on this connection is told and not waited for */
    struct replay replay;
    enum cancel_level cancelled; /* a cancel that came in behind the command being carried out */
    struct event *done;

    struct plan *plan;
    struct consent consent; /* as the run began */
    struct redactor redactor;
    struct check_sink sink;
    struct check_context c;
    bool have_context;

    uint32_t run, last_line;
    uint16_t path, last_path;
    enum check_id check;
    int64_t start_us;
    uint64_t remaining; /* of a paused run */
    enum check_id because[CHECK_COUNT];
    struct {
        enum verdict verdict;
        int64_t elapsed_us;
    } told[CHECK_COUNT]; /* the last EVENT_STEP_DONE of each */
    bool waiting;        /* the last wait told is still on */
    int64_t suspended_told_us;
    struct {
        enum smtp_state state;
        bool tls, authenticated, login_open;
    } session; /* as told last */
};

/* engine.c */

/* Moves what has come in to e->pending, and obeys at once what cannot wait. */
void engine_take_commands(struct engine *e);
/* True when what runs must not go on: cancelled, out of time, superseded by a new run, or ending.
 */
bool engine_interrupted(struct engine *e);
void command_free(struct command *c);
struct command *command_new(enum command_kind kind, size_t text_len);
/* A command that makes the engine work, and tells when the work is done. NULL on no memory. */
struct command *command_new_job(enum command_kind kind, uint32_t run, const struct plan *plan);
/* Takes the command in any case; NULL is ST_NOMEM. */
enum status command_send(struct engine *e, struct command *c) MUST_CHECK;
/* The plan is for another server than that of the latest run. */
enum status engine_is_elsewhere(const struct engine *e, const struct plan *plan,
                                bool *elsewhere) MUST_CHECK;
/* engine_start for a run that makes no more than the steps in the mask, and stays. */
uint32_t engine_start_opening(struct engine *e, const struct plan *plan, uint64_t only,
                              bool no_greeting);

/* engine_tell.c */
void engine_tell_init(struct engine *e);
int64_t engine_now(struct engine *e); /* since the run began */
void engine_tell(struct engine *e, struct event *event);
struct event *engine_event(struct engine *e, enum event_kind kind);
void engine_note(struct engine *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void engine_tell_session(struct engine *e); /* when it is not as told last */
void engine_tell_facts(struct engine *e);   /* of the path in use */
void engine_tell_no_wait(struct engine *e);
void engine_tell_suspended(struct engine *e); /* when the process stood still since told last */
/* Reports a finding of the engine's own about a step. */
void engine_report(struct engine *e, enum check_id check, struct finding *f);

/* engine_run.c */
void engine_run_start(struct engine *e, struct command *command);
void engine_run_step(struct engine *e, struct command *command);
void engine_run_continue(struct engine *e, struct command *command);
void engine_run_open(struct engine *e, struct command *command);
void engine_run_resume(struct engine *e); /* after a pause */
/* Ends a job: tells how the session is, and that nothing runs any more. */
void engine_run_finish(struct engine *e);
/* A job for a run that is over, or that could not begin, is done at once; false then. */
bool engine_run_is_current(struct engine *e, const struct command *command);
/* The login that the plan carries, for this run; the password is hidden from now on. */
void engine_take_login(struct engine *e, const struct plan *plan);
/* Ends the run: QUIT where lawful, and frees what belongs to it. */
void engine_run_close(struct engine *e);

/* engine_session.c */

/* Serves the open connection until a command is pending. */
void engine_idle(struct engine *e);
void engine_type_line(struct engine *e, const struct command *command);
void engine_type_data(struct engine *e, const struct command *command);
void engine_send_raw(struct engine *e, const struct command *command);
void engine_do_handshake(struct engine *e);
void engine_do_half_close(struct engine *e);
/* One typed line with all that follows from it. *code: of the reply, 0 when there is none. */
enum status engine_typed(struct engine *e, const char *line, size_t len, const char *data,
                         size_t data_len, int *code) MUST_CHECK;
/* What the screen shows of the path follows what was done by hand. */
void engine_follow_session(struct engine *e);
/* Takes note of a cancel that stopped something. The hard way cuts the connection; politely, it
   says QUIT when it is to leave. */
void engine_after_cancel(struct engine *e, bool leave);

/* engine_replay.c */
void engine_run_replay(struct engine *e, struct command *command);
void engine_replay_continue(struct engine *e, const struct command *command);
void engine_replay_end(struct engine *e); /* forgets the script, and says so */
/* True when the script waited for this line: it was sent, and the script goes on. */
bool engine_replay_answer(struct engine *e, const struct command *command);

#endif
