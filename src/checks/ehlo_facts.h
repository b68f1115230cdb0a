/*
 * ehlo_facts: what an EHLO reply adds to the facts of a path, and how two of them differ.
 *
 * Threads: the engine's. Ownership: none.
 */
#ifndef SMTPSCOPE_EHLO_FACTS_H
#define SMTPSCOPE_EHLO_FACTS_H

#include "check.h"

/* Copies the present capabilities and the name that we gave to the path's facts, and tells them. */
enum status ehlo_facts_keep(struct check_context *c) MUST_CHECK;
/* Says in a note what was offered only before TLS, and what only after it (RFC 3207 4.2). */
void ehlo_facts_compare(struct check_context *c, const struct caps *before,
                        const struct caps *after);

#endif
