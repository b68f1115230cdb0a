/*
 * message_scan: what a message that somebody wrote holds and lacks, without changing it.
 *
 * Threads: pure. Ownership: plain data.
 */
#ifndef SMTPSCOPE_MESSAGE_SCAN_H
#define SMTPSCOPE_MESSAGE_SCAN_H

#include "buf.h"

struct message_scan {
    bool date, from, to, message_id; /* which headers are there (RFC 5322 3.6) */
    bool headers_end;                /* an empty line ends them */
    bool eight_bit, nul;
    size_t bare_ends;   /* line ends that are no CRLF */
    size_t long_lines;  /* over 998 octets (RFC 5322 2.1.1) */
    size_t wire_octets; /* with CRLF line ends, dots not doubled (RFC 1870 3) */
    char id[256];       /* the Message-ID with its brackets, raw; "" when there is none */
};

void message_scan(const char *p, size_t len, struct message_scan *out);
/* The headers that are missing, "Date, To", untranslated. "" when none is. */
void message_scan_missing(const struct message_scan *s, char *out, size_t size);

#endif
