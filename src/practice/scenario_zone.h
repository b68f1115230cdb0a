/*
 * scenario_zone: the part of the scenario reader that knows DNS: zone blocks, and the records that
 * follow from the addresses of hosts.
 *
 * Threads: pure. Ownership: records go to the scenario.
 */
#ifndef SMTPSCOPE_SCENARIO_ZONE_H
#define SMTPSCOPE_SCENARIO_ZONE_H

#include "scenario_words.h"

/* zone NAME ...: the words behind "zone". */
enum status zone_open(struct scenario_reader *r, struct scenario *s) MUST_CHECK;
/* One line of the block that was opened last. */
enum status zone_record(struct scenario_reader *r, struct scenario *s) MUST_CHECK;
/* "servfail", "timeout"...: takes the word if it is one of the first `count` faults. */
bool fault_accept(struct scenario_reader *r, enum dns_fault last, enum dns_fault *out);
/* At the end of the file: A, AAAA and PTR of the hosts and of our own machine. */
enum status zone_add_hosts(struct scenario_reader *r, struct scenario *s) MUST_CHECK;

#endif
