/*
 * secret: a password or token, and the net that keeps it out of everything that is written.
 *
 * The bytes lie in memory that is locked where the system allows it, kept out of core dumps, and
 * overwritten on free. A secret is never copied by value and has no printing function.
 *
 * The redactor is the second net (the first is that commands with secrets are recorded in their
 * visible form, smtp.h): it knows each secret in the encodings in which it can travel, and blanks
 * them in any text before that text is recorded, in either direction (a server may echo).
 *
 * Threads: one owner at a time. Ownership: secret_free wipes.
 */
#ifndef SMTPSCOPE_SECRET_H
#define SMTPSCOPE_SECRET_H

#include "buf.h"

#define SECRET_MAX 8192 /* OAuth tokens are the longest that travel in one line */

/* Begins as {0}. */
struct secret {
    char *p; /* NUL-terminated for convenience; may hold NULs inside */
    size_t len;
    size_t mapped;
};

/* Takes a copy. ST_LIMIT over SECRET_MAX. The source is the caller's to wipe. */
enum status secret_set(struct secret *s, const char *p, size_t len) MUST_CHECK;
enum status secret_copy(struct secret *dst, const struct secret *src) MUST_CHECK;
void secret_free(struct secret *s);
bool secret_is_set(const struct secret *s);
void secret_wipe(void *p, size_t len);

/* Reads a secret from a descriptor up to end of file, or the first line end; strips that line end. */
enum status secret_read_fd(struct secret *s, int fd, struct error *error) MUST_CHECK;
/* ST_DENIED with a sentence when group or world can read the file. */
enum status secret_read_file(struct secret *s, const char *path, struct error *error) MUST_CHECK;

/* Once at start: no core dumps with our memory, no ptrace by others of the same user. */
void secret_harden_process(void);

#define REDACT_MAX_NEEDLES 64
/* Begins as {0}. */
struct redactor {
    struct secret needle[REDACT_MAX_NEEDLES];
    size_t count;
};
/*
 * Adds the secret as it is, in base64 (all three offsets), in hex, percent-encoded and as the SASL
 * PLAIN / LOGIN / XOAUTH2 / OAUTHBEARER tokens made of (user, secret). Needles under 4 bytes are
 * left out: they would blank ordinary words.
 */
enum status redactor_add(struct redactor *r, const char *user, const struct secret *s) MUST_CHECK;
/* Adds one more needle, for example a raw line typed after a 334. */
enum status redactor_add_bytes(struct redactor *r, const char *p, size_t len) MUST_CHECK;
/* Appends text to out with every needle replaced by "<hidden N bytes>". */
enum status redactor_apply(const struct redactor *r, const char *p, size_t len, struct buf *out)
    MUST_CHECK;
void redactor_free(struct redactor *r);

#endif
