/*
 * ehlo_name: the name that we give to servers (RFC 5321 4.1.1.1, 4.1.4).
 *
 * Threads: the engine's. Ownership: none.
 */
#ifndef SMTPSCOPE_EHLO_NAME_H
#define SMTPSCOPE_EHLO_NAME_H

#include "check.h"

/*
 * Fills c->ehlo_name, and says in a note where it comes from: the user's, the confirmed reverse
 * name, our host name when DNS gives it our address, else the address literal. A name is never made
 * up. May ask DNS; statuses as dns_ask.
 */
enum status ehlo_name_choose(struct check_context *c) MUST_CHECK;
/* The address literal of this machine (RFC 5321 4.1.3): what may be said by who has no name. */
void ehlo_name_literal(const struct check_context *c, char *out, size_t size);

#endif
