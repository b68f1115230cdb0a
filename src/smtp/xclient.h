/*
 * xclient: the XCLIENT command of Postfix, by which a client that the server trusts says for whom
 * it speaks.
 *
 * "ADDR=192.0.2.1 NAME=spike.example" is what a person writes; on the wire the values are xtext
 * (RFC 3461 4), and an IPv6 address carries IPV6: before it.
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_XCLIENT_H
#define SMTPSCOPE_XCLIENT_H

#include "caps.h"

#define XCLIENT_LINE_MAX 512 /* as any command; the attributes are not split over several */

/*
 * Words NAME=VALUE of ADDR NAME PORT PROTO HELO LOGIN DESTADDR DESTPORT REVERSE_NAME, separated by
 * blanks; [UNAVAILABLE] and [TEMPUNAVAIL] stand for what is not known. Appends the command without
 * its line end. ST_INVALID: the sentence says which word and why.
 */
enum status xclient_line(const char *text, struct buf *out, struct error *error) MUST_CHECK;
/* The first attribute of a command line that the server's offer does not name, or an empty span. */
struct span xclient_not_offered(struct span line, const struct caps *caps);

#endif
