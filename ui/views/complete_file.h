/*
 * complete_file: the names of files for ":replay FILE".
 *
 * Threads: the face's. Ownership: the caller's.
 */
#ifndef SMTPSCOPE_COMPLETE_FILE_H
#define SMTPSCOPE_COMPLETE_FILE_H

#include "typehint.h"

/* Adds the files and folders that the last word of the line may become; nothing when the line is
   about something else. Hidden ones only when a dot was typed. */
void complete_file(const char *line, struct typehint_candidates *out);

#endif
