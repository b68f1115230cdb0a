/*
 * embedded: files of assets/ that are built into the program, so that it works from any folder.
 *
 * The tables are made at build time (assets/embed.cmake).
 *
 * Threads: const data, callable from anywhere. Ownership: none.
 */
#ifndef SMTPSCOPE_EMBEDDED_H
#define SMTPSCOPE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* file name without folder */
    const char *data; /* followed by a NUL that is not counted */
    size_t len;
};

#endif
