/*
 * text: translation of every sentence that people read.
 *
 * Threads: callable from anywhere once main() has bound the domain. Ownership: results are const
 * and live as long as the program. JSON keys, check ids, protocol words and exit codes are never
 * passed through here.
 */
#ifndef SMTPSCOPE_TEXT_H
#define SMTPSCOPE_TEXT_H

#include <libintl.h>

#define TEXT_DOMAIN "smtpscope"

#define _(s) dgettext(TEXT_DOMAIN, s)
#define N_(s) (s)
#define Q_(one, many, n) dngettext(TEXT_DOMAIN, one, many, n)

#endif
