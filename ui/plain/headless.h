/*
 * headless: a run without a screen: plain lines as they come, or one JSON document; findings and
 * summary; files. For pipes, scripts, monitoring, and terminals that cannot do more.
 *
 * Threads: the main thread; it starts the engine and joins it. Ownership: takes the network,
 * borrows all else.
 */
#ifndef SMTPSCOPE_HEADLESS_H
#define SMTPSCOPE_HEADLESS_H

#include "plan.h"
#include "script.h"

struct headless_options {
    const struct plan *plan;
    struct network *net;
    const char *data_dir; /* NULL: built-in texts */
    bool own_english;     /* data_dir has English texts that differ from the built-in ones */
    const char *lang;
    bool json, strict, quiet, verbose, ascii;
    const char *save_path, *tee_path; /* NULL: none */
    const struct script *script;      /* played instead of the steps; NULL: none */
};

/*
 * Returns the exit code of design.md. Ends the process by the signal that ended the run (SIGINT,
 * SIGTERM, SIGHUP, or SIGPIPE when nobody reads), after the server was told and what is known was
 * written.
 */
int headless_run(const struct headless_options *options);

#endif
