/*
 * signals: how the faces without a screen are asked to stop: SIGINT, SIGTERM, SIGHUP.
 *
 * Threads: the main thread; the handlers may run in any. Ownership: process-wide, once.
 */
#ifndef SMTPSCOPE_SIGNALS_H
#define SMTPSCOPE_SIGNALS_H

#include <signal.h>

#include "base.h"

/* What nohup and shells without job control ignore stays ignored. */
enum status signals_catch(void) MUST_CHECK;
/* Readable when one came; signals_drain makes it unreadable again. -1 before signals_catch. */
int signals_fd(void);
void signals_drain(void);
/* How many have come; good for looking at in between. */
const volatile sig_atomic_t *signals_count(void);
/* Ends the process by the last one, if there was one: the wait status keeps the signal, so that a
 * shell loop stops with us. */
void signals_die(void);
/* The same by this one. */
void signals_die_by(int number);

#endif
