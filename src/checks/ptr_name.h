/*
 * ptr_name: what a reverse name looks like to a receiver of mail.
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_PTR_NAME_H
#define SMTPSCOPE_PTR_NAME_H

#include "net.h"

/*
 * True when the name looks like one that a provider gave to a range by rule: it repeats the
 * address, or has a word such as "dyn", "pool" or "dsl" in front of the domain.
 */
bool ptr_name_is_generic(const char *name, const struct net_address *address);

#endif
