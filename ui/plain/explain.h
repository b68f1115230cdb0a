/*
 * explain: what a reply of a mail server means, for --explain: one text, or one reply a line of
 * standard input.
 *
 * Threads: the main thread. Ownership: everything is borrowed.
 */
#ifndef SMTPSCOPE_EXPLAIN_H
#define SMTPSCOPE_EXPLAIN_H

#include "reply_decode.h"

struct explain_options {
    const char *text;     /* NULL: standard input is read, line by line */
    const char *data_dir; /* NULL: built-in texts */
    const char *lang;
    enum reply_stage stage; /* STAGE_UNKNOWN: what the text tells */
    bool json, ascii;
};

/*
 * The exit code: EXIT_CODE_OK when everything was decoded, EXIT_CODE_WARN when only some was,
 * EXIT_CODE_INPUT when there was nothing that could be read as a reply.
 */
int explain_run(const struct explain_options *options);

#endif
