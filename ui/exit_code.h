/*
 * exit_code: what the program ends with. Those from 64 on are those of sysexits.h.
 *
 * Threads: constants. Ownership: none.
 */
#ifndef SMTPSCOPE_EXIT_CODE_H
#define SMTPSCOPE_EXIT_CODE_H

#include "base.h"

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_WARN = 1,
    EXIT_CODE_FAIL = 2,
    EXIT_CODE_UNTESTED = 3, /* for a reason of ours */
    EXIT_CODE_USAGE = 64,
    EXIT_CODE_INPUT = 65,
    EXIT_CODE_INTERNAL = 70,
    EXIT_CODE_CREATE = 73, /* a file cannot be created */
    EXIT_CODE_IO = 74,
    EXIT_CODE_DENIED = 77
};

/* What a file that cannot be written makes of the exit code. */
static inline enum exit_code exit_code_of_file(enum status st)
{
    return st == ST_DENIED ? EXIT_CODE_DENIED : st == ST_IO ? EXIT_CODE_IO : EXIT_CODE_CREATE;
}

/* What input that is no good makes of it. */
static inline enum exit_code exit_code_of_input(enum status st)
{
    return st == ST_NOMEM                   ? EXIT_CODE_INTERNAL
           : st == ST_DENIED || st == ST_IO ? exit_code_of_file(st)
                                            : EXIT_CODE_INPUT;
}

#endif
