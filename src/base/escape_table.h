/*
 * escape_table: how a code point behaves on a terminal, from tables of our own, so that the answer
 * does not change with the locale. Only escape.c uses it.
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_ESCAPE_TABLE_H
#define SMTPSCOPE_ESCAPE_TABLE_H

#include <stdint.h>

enum escape_class { ESCAPE_HIDDEN, ESCAPE_NARROW, ESCAPE_WIDE, ESCAPE_MARK };

/* For code points from U+0080 on; ASCII is the caller's. */
enum escape_class escape_classify(uint32_t code_point);

#endif
