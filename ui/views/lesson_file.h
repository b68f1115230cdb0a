/*
 * lesson_file: which lessons were solved, kept from one session to the next.
 *
 * The file is $XDG_STATE_HOME/smtpscope/lessons, or ~/.local/state/smtpscope/lessons: one name a
 * line, readable by its owner only. It is read when the course is first looked at and written when
 * a lesson is solved, never at start. A failure costs only the memory of it, so nothing is said.
 *
 * Threads: the face's. Ownership: none.
 */
#ifndef SMTPSCOPE_LESSON_FILE_H
#define SMTPSCOPE_LESSON_FILE_H

#include "lesson.h"

/* Adds what the file says; at most LESSON_FILE_MAX bytes of it. */
void lesson_file_read(struct lesson_progress *p);
/* Together with what another session has written meanwhile. Makes the folder where it is missing.
 */
void lesson_file_write(struct lesson_progress *p);

#endif
