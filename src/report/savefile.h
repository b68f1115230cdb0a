/*
 * savefile: files that are either whole or not there.
 *
 * Created under a temporary name in the same folder (O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, mode 0600), written,
 * synced, then linked to the final name, which fails when that exists. Never follows a link at the target, never
 * blocks on a FIFO, leaves no part file behind when the disk is full. Only a regular file can be overwritten;
 * links, folders, pipes and devices are refused (ST_DENIED) whatever the flags. SIGXFSZ should be ignored by the
 * program, so that a limit on the size of files is an error and no end.
 *
 * Threads: one owner. Ownership: the caller's strings.
 */
#ifndef SMTPSCOPE_SAVEFILE_H
#define SMTPSCOPE_SAVEFILE_H

#include "buf.h"

#define SAVE_OVERWRITE 1u /* the user chose to; replaces by rename */
#define SAVE_NUMBER 2u    /* when it exists: adds "-2", "-3"... before the extension */

/* ST_EXISTS, ST_DENIED, ST_IO (disk full...), ST_INVALID (name). `final_name` gets the name used. */
enum status savefile_write(const char *path, const void *p, size_t len, unsigned flags,
                           struct buf *final_name, struct error *error) MUST_CHECK;

/* --tee: grows with the run, survives a crash. A file that exists is left alone: ST_EXISTS. After the first
   failure nothing more is written, and what is there ends with a whole piece. */
struct tee {
    int fd;
    bool failed;
};
enum status tee_open(struct tee *t, const char *path, struct error *error) MUST_CHECK;
enum status tee_add(struct tee *t, const char *p, size_t len, struct error *error) MUST_CHECK;
void tee_close(struct tee *t);

#endif
