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
/*
 * Says in a note what was offered only before TLS, and what only after it (RFC 3207 4.2). What has
 * nothing to do with encryption and got lost is a finding; returns its verdict.
 */
enum verdict ehlo_facts_compare(struct check_context *c, const struct caps *before,
                                const struct caps *after);
/* Logging in on port 25, under TLS (in clear it is worse, and said by the EHLO check). */
enum verdict ehlo_facts_auth(struct check_context *c);
/* A limit that attachments exceed. */
enum verdict ehlo_facts_size(struct check_context *c);

#endif
