/*
 * wireform: what becomes of a message on the wire, line by line: doubled dots, and what a server
 * may stumble over.
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_WIREFORM_H
#define SMTPSCOPE_WIREFORM_H

#include "textarea.h"

#define WIRE_LINE_MAX 998 /* octets without the line end (RFC 5322 2.1.1) */

#define WIRE_STUFFED 1u    /* begins with a dot, so one more goes before it (RFC 5321 4.5.2) */
#define WIRE_BARE_LF 2u    /* ended by LF alone (RFC 5321 2.3.8) */
#define WIRE_BARE_CR 4u    /* a CR inside */
#define WIRE_NUL 8u        /* RFC 5321 4.5.2, RFC 5322 2.1 */
#define WIRE_EIGHT_BIT 16u /* over 0x7f in the text: asks for 8BITMIME (RFC 6152) */
#define WIRE_LONG 32u
#define WIRE_HEADER_UTF8 64u /* over 0x7f in a header: asks for SMTPUTF8 (RFC 6531) */
#define WIRE_FLAGS 7

/* Of one line. */
unsigned wireform_line(const struct textarea_line *line, bool in_header);

struct wireform {
    size_t lines;
    size_t octets;            /* as sent, dots and line ends included */
    size_t content;           /* without the doubled dots: what SIZE counts (RFC 1870 3) */
    size_t count[WIRE_FLAGS]; /* lines with the flag of that bit */
    unsigned flags;           /* of all lines together */
    size_t header_lines;      /* up to the empty line; all of them when there is none */
};
/* `exact`: line ends stay as they are, else all are CRLF. */
void wireform_measure(const struct textarea *t, bool exact, struct wireform *out);
/* The line is part of the header: it lies before the first empty one. */
bool wireform_in_header(const struct wireform *w, size_t row);
/* "2 lines with a doubled dot, 1 line over 998 bytes." Translated; "" when there is nothing. */
void wireform_sentence(const struct wireform *w, char *out, size_t size);

#endif
