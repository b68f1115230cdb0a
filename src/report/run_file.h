/*
 * run_file: a saved run (JSON, schema smtpscope.report/1), read back.
 *
 * The file is as hostile as anything else from outside: it may come from a stranger. It is read
 * whole up to RUN_FILE_MAX, checked for what kind each value is, and filled into the same structs
 * that a live run fills, with their limits. What has no meaning for this version (keys, checks and
 * findings that it does not know) is left out. A value of the wrong kind is an error that names its
 * key.
 *
 * Threads: pure. Ownership: run_file_free frees all.
 */
#ifndef SMTPSCOPE_RUN_FILE_H
#define SMTPSCOPE_RUN_FILE_H

#include "record.h"

#define RUN_FILE_MAX ((size_t)64 << 20)

struct run_file {
    struct record record;
    struct plan plan;   /* what was asked for; never a password, and files are empty */
    char version[32];   /* of the program that saved it */
    bool has_exchanges; /* it tells what name servers answered and how connecting went */
};

/* `name` is for messages. ST_INVALID with a sentence; ST_NOMEM. Nothing to free then. */
enum status run_file_read(struct run_file *out, const char *name, const char *text, size_t len,
                          struct error *error) MUST_CHECK;
/* The file, or standard input for "-". Also ST_LIMIT, ST_IO, ST_DENIED. */
enum status run_file_open(struct run_file *out, const char *path, struct error *error) MUST_CHECK;
void run_file_free(struct run_file *f);

#endif
