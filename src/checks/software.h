/*
 * software: which program or service speaks, by what it says in its greeting.
 *
 * Threads: pure. Ownership: results are const.
 */
#ifndef SMTPSCOPE_SOFTWARE_H
#define SMTPSCOPE_SOFTWARE_H

#include "buf.h"

/* "Postfix", "Exim", "Google"; "" when it does not say. Names are not translated. */
const char *software_name(struct span greeting);

#endif
