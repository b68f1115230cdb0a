/*
 * record: a run as it is kept: events reduced to steps, findings, paths and transcript.
 *
 * Screens show it, reports print it. It is a pure function of the events.
 *
 * Threads: one owner, the face's thread. Ownership: record_free frees all; pointers into it are
 * good until the next record_apply.
 */
#ifndef SMTPSCOPE_RECORD_H
#define SMTPSCOPE_RECORD_H

#include "event.h"
#include "lines.h"

#define RECORD_PATHS_MAX 64
#define RECORD_FINDINGS_MAX 512
#define RECORD_ANSWERS_MAX 1024
#define RECORD_DIALS_MAX 512

struct record_step {
    enum verdict verdict; /* VERDICT_PENDING before */
    enum check_id because;
    int64_t started_us, elapsed_us;
    uint32_t first_line, last_line; /* 0: none */
    uint16_t path;
};

struct record_finding {
    enum check_id check;
    uint16_t path;
    struct finding f;
};

/* One question to name servers. */
struct record_answer {
    enum check_id check;
    struct dns_facts f;
};

/* One attempt to connect, and what became of the conversation on it. */
struct record_dial {
    enum check_id check;
    uint16_t path;
    int64_t t_us;  /* when it was decided */
    uint32_t line; /* the last one told before; the conversation stands behind it */
    struct dial_facts f;
    bool talked; /* it carried a conversation; else it was a try for comparison */
    bool ended;
    enum status why;    /* of its end; ST_OK: we left */
    uint32_t last_line; /* told before it ended */
};

struct record {
    uint32_t run; /* generation; events of others are dropped */
    bool started, done, cancelled, demo;
    char *target;
    int64_t started_wall_us, elapsed_us;
    struct record_step steps[CHECK_COUNT]; /* of the path in use: one path in this version */
    struct record_finding *findings;
    size_t finding_count, findings_dropped;
    struct facts *paths[RECORD_PATHS_MAX]; /* index 0: domain and own side */
    size_t path_count;
    struct record_answer *answers;
    size_t answer_count, answers_dropped;
    struct record_dial *dials;
    size_t dial_count, dials_dropped;
    struct lines *lines;
    enum smtp_wait waiting;
    int64_t wait_since_us;
    int wait_limit_ms;
    enum smtp_state session;
    bool session_tls, session_authenticated, expects_text, login_open;
    struct replay_progress replay; /* REPLAY_IDLE: none was ever played */
    enum check_id running; /* CHECK_NONE: none */
    enum verdict verdict;  /* worst so far */
};

enum status record_init(struct record *r, uint32_t run) MUST_CHECK;
void record_free(struct record *r);
/* True if the event belonged to this run and changed something. The event stays the caller's to
   free; big parts may be taken out of it. */
bool record_apply(struct record *r, struct event *e);
/* Exit code of design.md: 0 ok, 1 warnings, 2 a check failed, 3 could not be tested for a reason of
 * ours. */
int record_exit_code(const struct record *r, bool strict);
/* Counts of steps by verdict. */
void record_counts(const struct record *r, unsigned *ok, unsigned *warn, unsigned *fail,
                   unsigned *skip, unsigned *ask);
/* The path in use, or NULL before there is one. */
const struct facts *record_path(const struct record *r);

#endif
