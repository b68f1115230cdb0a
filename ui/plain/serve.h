/*
 * serve: a server of a scenario, offered to other programs: says where it is, then a line for each
 * thing that a client does, until a signal ends it.
 *
 * Whatever a client sends is escaped before it is shown, and what may be a password is not shown.
 * Every line says DEMO.
 *
 * Threads: the main thread. Ownership: borrows all.
 */
#ifndef SMTPSCOPE_SERVE_H
#define SMTPSCOPE_SERVE_H

#include "practice_serve.h"

struct serve_options {
    struct network *net;  /* of the scenario */
    const char *scenario; /* its name */
    struct serve_wish wish;
    const char *ca_path; /* where the root certificate goes; NULL: nowhere */
    bool quiet;          /* the first line alone */
    bool ascii;
};

/*
 * Returns the exit code of design.md when it cannot begin or go on. Ends the process by the signal
 * that ended the serving, after all connections were closed.
 */
int serve_run(const struct serve_options *options);

#endif
