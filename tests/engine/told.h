/*
 * told: a scenario on the practice network, with the options that its story assumes, read as the
 * program reads them.
 *
 * Threads: the test's thread is the face's. Ownership: told_close frees all.
 */
#ifndef SMTPSCOPE_TEST_TOLD_H
#define SMTPSCOPE_TEST_TOLD_H

#include "options.h"
#include "runner.h"

/* A scenario that is built in. */
void told_open(struct runner *r, struct options *o, char **storage, const char *name);
/* A whole one from text; `name` is for messages. */
void told_open_whole(struct runner *r, struct options *o, char **storage, const char *name,
                     const char *text);
void told_close(struct runner *r, struct options *o, char *storage);

#endif
