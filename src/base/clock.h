/*
 * clock: time as the engine sees it.
 *
 * Microseconds of a monotonic clock; deadlines are absolute values of it. The network
 * (net.h) hands out the time, so that the practice network can run on a clock of its own.
 *
 * Threads: pure or thread-safe. Ownership: none.
 */
#ifndef SMTPSCOPE_CLOCK_H
#define SMTPSCOPE_CLOCK_H

#include <time.h>

#include "base.h"

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define NO_DEADLINE INT64_MAX

int64_t clock_monotonic_us(void);
int64_t clock_wall_us(void); /* since 1970, UTC */

int64_t deadline_in_ms(int64_t now_us, int64_t ms); /* saturates; ms < 0 is now */
int64_t deadline_earlier(int64_t a, int64_t b);
/* For poll(): milliseconds until the deadline, rounded up, -1 for NO_DEADLINE, 0 when past. */
int deadline_poll_ms(int64_t deadline, int64_t now_us);

/* "2026-11-23T12:09:44Z" into out (at least 21 bytes). */
void clock_iso8601(int64_t wall_us, char *out, size_t size);
/* "Mon, 23 Nov 2026 12:09:44 +0000" (RFC 5322 3.3), never translated. At least 32 bytes. */
void clock_rfc5322(int64_t wall_us, char *out, size_t size);

#endif
