/*
 * recorded: a saved report made a scenario of, for --make-scenario. Neither a network nor a terminal
 * is needed.
 *
 * Threads: the main thread. Ownership: nothing is kept.
 */
#ifndef SMTPSCOPE_RECORDED_H
#define SMTPSCOPE_RECORDED_H

#include <stdbool.h>

struct recorded_options {
    const char *report; /* path of the JSON report; "-": standard input */
    const char *save;   /* where the scenario goes; NULL: standard output */
    bool quiet, ascii;
};

/* Returns the exit code. */
int recorded_make(const struct recorded_options *options);

#endif
