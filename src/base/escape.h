/*
 * escape: the one door between hostile bytes and anything that people or files see.
 *
 * Text from servers, DNS, certificates, file names, the environment and libraries is hostile. It
 * is stored raw (after redaction), and goes through here when it is shown or saved.
 *
 * Kept as it is: printable ASCII, and valid UTF-8 (RFC 3629: no overlong forms, no surrogates)
 * whose code point takes 1 or 2 columns and is not on the list below. The columns come from a table
 * of our own (escape_table.c, Unicode 14), not from wcwidth: the answer is the same in every locale.
 * Shown as \xNN: C0 and DEL, bytes 0x80-0xff that are no valid UTF-8. Shown as \u{NNNN}: C1
 * controls written as UTF-8, bidi controls (U+061C U+200E U+200F U+202A-E U+2066-9), zero-width
 * and joiners (U+200B-D U+2060 U+FEFF U+FE00-F U+E0100-EF), line and paragraph separators, tags
 * (U+E0000-7F), private use and unassigned code points, and whatever else Unicode calls ignorable or
 * a format character (soft hyphen, fillers). A code point that is newer than the table counts as
 * unassigned. A combining mark is kept after a base
 * character, at most 4 in a row. The backslash itself stays single: the output is for reading;
 * loss-free output is the job of the JSON writer.
 *
 * With `ascii` set, every non-ASCII code point is shown as \u{NNNN}.
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_ESCAPE_H
#define SMTPSCOPE_ESCAPE_H

#include "buf.h"

/* One displayable piece: either a character as it is, or its visible escape. */
struct escape_cell {
    char text[24];     /* NUL-terminated UTF-8, safe to print; escapes are pure ASCII */
    uint8_t len;       /* bytes in text */
    uint8_t columns;   /* terminal columns it takes, at least 1 */
    uint8_t consumed;  /* input bytes it stands for, at least 1 */
    bool escaped;      /* shown as an escape, so a view may mark it */
};

#define ESCAPE_ASCII 1u   /* nothing over 0x7f in the output */
#define ESCAPE_KEEP_TAB 2u /* TAB becomes one space instead of \x09 */

/* Reads the next piece of p[0..len), len > 0. Never reads past len. */
void escape_next(const char *p, size_t len, unsigned flags, struct escape_cell *out);

/* The whole text. ST_LIMIT leaves what fitted. */
enum status escape_add(struct buf *out, const char *p, size_t len, unsigned flags) MUST_CHECK;
/* Into a fixed buffer, cut at a character border with "..." when it does not fit; size >= 8. */
void escape_copy(char *dst, size_t size, const char *p, size_t len, unsigned flags);
/* Columns that the whole text takes when escaped with these flags. */
size_t escape_columns(const char *p, size_t len, unsigned flags);

/* Reads one code point of valid UTF-8 (RFC 3629); 0 when p does not begin with one. */
size_t utf8_decode(const char *p, size_t len, uint32_t *code_point);

#endif
