/*
 * engine_net: the network as the engine's run sees it: a layer over the real or practice network
 * that takes away the time in which the whole process stood still (Ctrl-Z), and ends a run that
 * takes longer than the plan allows.
 *
 * Without it, ten seconds in the background would look like ten seconds of a silent server.
 *
 * Threads: engine_net_suspended from the face's thread, the rest from the engine's. Ownership: owns
 * the network below from engine_net_init on.
 */
#ifndef SMTPSCOPE_ENGINE_NET_H
#define SMTPSCOPE_ENGINE_NET_H

#include <stdatomic.h>

#include "net.h"

struct engine_net {
    struct network base; /* first: a pointer to it is a network */
    struct network *below;
    struct cancel *cancel;
    _Atomic int64_t suspended_us;
    int64_t last_us;     /* what was told last: the clock never goes back */
    int64_t deadline_us; /* of the whole run */
    bool expired;        /* the deadline passed, and the token was raised for it */
};

void engine_net_init(struct engine_net *n, struct network *below, struct cancel *cancel);
void engine_net_fini(struct engine_net *n);
void engine_net_suspended(struct engine_net *n, int64_t us);
/* NO_DEADLINE for none. */
void engine_net_deadline(struct engine_net *n, int64_t deadline_us);
/* Raises the token when the deadline has passed, for when nothing waits. */
void engine_net_check(struct engine_net *n);

#endif
