/*
 * event: what the engine tells the faces. One block, whose owner moves with the pointer.
 *
 * Threads: made by the engine thread, read and freed by the face's. Ownership: whoever holds the
 * pointer. Every event carries the run's generation and its path; the reader drops what is stale.
 */
#ifndef SMTPSCOPE_EVENT_H
#define SMTPSCOPE_EVENT_H

#include "check.h"
#include "queue.h"
#include "replay.h"

enum event_kind {
    EVENT_RUN_STARTED,
    EVENT_STEP_STARTED,
    EVENT_LINE,
    EVENT_MARK, /* flags added to a line told before */
    EVENT_WAIT, /* waiting for something, or WAIT_NONE: no more */
    EVENT_FINDING,
    EVENT_FACTS,
    EVENT_ANSWER, /* name servers were asked */
    EVENT_DIAL,   /* a connection was tried */
    EVENT_STEP_DONE,
    EVENT_SESSION, /* the connection opened, became encrypted, closed */
    EVENT_RUN_DONE,
    EVENT_REPLAY,   /* a script that is played went on, or stopped */
    EVENT_SUSPENDED /* the process stood still for a while (Ctrl-Z) */
};

struct event {
    struct queue_item item; /* first: it is queued by this */
    enum event_kind kind;
    uint32_t run;
    uint16_t path;
    enum check_id check;
    int64_t t_us; /* since the run began */
    union {
        struct {
            char *target; /* for the header: "example.com" */
            bool demo;
            int64_t wall_us;
        } started;
        struct {
            uint32_t number;
            enum smtp_dir dir;
            bool tls;
            uint8_t flags;
            size_t len;
            const char *text; /* in the same block */
        } line;
        struct {
            uint32_t number;
            uint8_t flags;
        } mark;
        struct {
            enum smtp_wait what;
            int limit_ms;
        } wait;
        struct finding *finding;
        struct facts *facts;
        struct dns_facts *answer;
        struct dial_facts dial;
        struct {
            enum verdict verdict;
            int64_t elapsed_us;
            enum check_id because; /* with SKIPPED: the check that failed; else CHECK_NONE */
        } step;
        struct {
            enum smtp_state state;
            bool tls, authenticated;
            enum status why;   /* when closed */
            bool expects_text; /* after 354 */
            bool login_open;   /* a login failed, and what is typed next may be meant for it */
        } session;
        struct {
            enum verdict verdict; /* worst */
            bool cancelled;
        } done;
        struct replay_progress replay;
        int64_t suspended_us;
    } u;
};

struct event *event_new(enum event_kind kind, uint32_t run, uint16_t path, enum check_id check,
                        int64_t t_us);
struct event *event_new_line(uint32_t run, uint16_t path, enum check_id check, int64_t t_us,
                             uint32_t number, enum smtp_dir dir, bool tls, uint8_t flags,
                             const char *p, size_t len);
void event_free(struct event *e);
void event_free_item(struct queue_item *item); /* for the queue */

#endif
