/*
 * terminfo: the two things that are needed of <term.h>, kept apart because that header defines macros named
 * lines, columns and many more.
 *
 * Threads: the UI thread. Ownership: none.
 */
#ifndef SMTPSCOPE_TERMINFO_H
#define SMTPSCOPE_TERMINFO_H

#include <stdbool.h>

/* True if the terminal named by TERM is known. Writes nothing to it. terminfo_forget frees what it loaded. */
bool terminfo_load(int fd);
void terminfo_forget(void);
/* Keeps curses from resetting the palette on the way out (OSC 104): it was never changed. */
void terminfo_keep_palette(void);

#endif
