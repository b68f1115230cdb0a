/*
 * console: the full-screen face: terminal set-up and restore, and the one loop.
 *
 * Threads: the main thread, which is the only one that knows the terminal. It starts the engine thread and
 * joins it. Ownership: borrows everything in the options until it returns.
 */
#ifndef SMTPSCOPE_CONSOLE_H
#define SMTPSCOPE_CONSOLE_H

#include "app.h"

enum console_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum console_glyphs { GLYPHS_AUTO, GLYPHS_UTF8, GLYPHS_ASCII };

struct console_options {
    struct app_options app;
    enum console_color color;
    enum console_glyphs glyphs;
    bool mouse; /* capture it from the start; off by default */
};

/*
 * Returns the exit code of design.md. 64 with one sentence on stderr, and no escape byte written, when the
 * terminal cannot be used (TERM unset or unknown). Dies by the signal that ended it, after the terminal is
 * as it was.
 */
int console_run(const struct console_options *options);

#endif
