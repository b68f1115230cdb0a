/*
 * greeting: what the first words on a connection say about who speaks there.
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_GREETING_H
#define SMTPSCOPE_GREETING_H

#include "buf.h"

/*
 * The protocol that begins like this, when it is not SMTP: "HTTP", "SSH", "POP3"... NULL when it
 * may be SMTP. The bytes are those of the first lines as they came.
 */
const char *greeting_other_protocol(struct span first_bytes);
/* True for the text of a 220 that a firewall has overwritten: most of it is *, with the 2 and 0
 * left in. */
bool greeting_is_masked(struct span text);
/* The time that the server names in its greeting (RFC 5322 3.3), in seconds since 1970; false when it
 * does not, or not with its zone. */
bool greeting_time(struct span text, int64_t *seconds);
/* True when the text begins with a host name that can be meant for the world. */
bool greeting_has_name(struct span text);

#endif
