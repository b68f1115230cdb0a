/*
 * cancel: how the user stops the engine, in every phase, within milliseconds.
 *
 * Level 1 asks politely: the running step ends, and the engine says RSET or QUIT where that is
 * lawful. Level 2 cuts the connection. The token also carries the wake-up for new commands.
 *
 * Threads: cancel_request and cancel_wake from any thread (not from signal handlers);
 * cancel_level from any; cancel_ack from the engine thread only. Ownership: made by the engine's
 * owner, outlives the engine thread.
 */
#ifndef SMTPSCOPE_CANCEL_H
#define SMTPSCOPE_CANCEL_H

#include <stdatomic.h>

#include "wake.h"

enum cancel_level { CANCEL_NONE, CANCEL_POLITE, CANCEL_HARD };

struct cancel {
    atomic_int level;
    struct wake wake;
};

enum status cancel_init(struct cancel *c) MUST_CHECK;
void cancel_fini(struct cancel *c);
void cancel_request(struct cancel *c, enum cancel_level level); /* raises, never lowers; wakes */
void cancel_wake(struct cancel *c);                             /* wakes without cancelling */
enum cancel_level cancel_level(const struct cancel *c);
/*
 * The engine has taken note. Lowers the level to none if it still is `seen`; a higher level that
 * came in between stays, so that a second Ctrl-C is never lost.
 */
void cancel_ack(struct cancel *c, enum cancel_level seen);

#endif
