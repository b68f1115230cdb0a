/*
 * wake: a descriptor that becomes readable when another thread, or a signal handler, calls.
 *
 * Threads: wake_call is safe from any thread and from a signal handler; the rest belongs to the
 * sleeper. Ownership: the object owns its two descriptors (non-blocking, close-on-exec).
 */
#ifndef SMTPSCOPE_WAKE_H
#define SMTPSCOPE_WAKE_H

#include "base.h"

struct wake {
    int rd, wr;
};

enum status wake_init(struct wake *w) MUST_CHECK;
void wake_fini(struct wake *w);
void wake_call(const struct wake *w);
void wake_drain(const struct wake *w);

#endif
