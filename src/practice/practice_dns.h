/*
 * practice_dns: the resolver of the practice network: answers questions from the scenario's zones.
 *
 * Threads: the engine's. Ownership: none.
 */
#ifndef SMTPSCOPE_PRACTICE_DNS_H
#define SMTPSCOPE_PRACTICE_DNS_H

#include "practice_world.h"

/* False: no answer comes (a time-out, or bytes that are no question). */
bool dns_respond(struct practice *w, const struct scenario_resolver *resolver, bool tcp,
                 const void *query, size_t len, struct buf *out);

#endif
