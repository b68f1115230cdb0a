/*
 * offer: --practice: from the options to the server that other programs may talk to.
 *
 * Threads: the main thread. Ownership: borrows all.
 */
#ifndef SMTPSCOPE_OFFER_H
#define SMTPSCOPE_OFFER_H

#include "options.h"
#include "practice.h"

struct offer_options {
    const struct options *options; /* what was typed */
    const char *scenario;
    const char *data_dir; /* NULL: what is built in */
    enum practice_pace pace;
    bool ascii;
};

/* The exit code; ends the process by the signal that ended the serving. */
int offer_run(const struct offer_options *o);

#endif
