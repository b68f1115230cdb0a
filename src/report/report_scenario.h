/*
 * report_scenario: a scenario of the practice network (smtpscope-scenarios(7)) made out of a
 * recorded run, for others to act out what somebody met.
 *
 * The text holds nothing that tells whose run it was (share_safe.h), whatever the run's own bytes
 * are, and is always a scenario that can be read. It is a best effort in all else: what was not
 * asked in the run is not known, and what the practice network cannot do is named in a comment.
 *
 * Threads: pure. Ownership: output goes to the caller's buffer.
 */
#ifndef SMTPSCOPE_REPORT_SCENARIO_H
#define SMTPSCOPE_REPORT_SCENARIO_H

#include "run_file.h"

#define REPORT_SCENARIO_MAX ((size_t)1 << 20) /* what the practice network takes */

/* ST_INVALID: the run does not hold what is needed; ST_LIMIT: it is too large. Both with a
 * sentence. */
enum status report_scenario(const struct run_file *run, struct buf *out,
                            struct error *error) MUST_CHECK;

#endif
