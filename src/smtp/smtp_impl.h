/*
 * smtp_impl: what the files of the conversation share with each other and with auth.c.
 *
 * Threads: the engine's. Ownership: as in smtp.h.
 */
#ifndef SMTPSCOPE_SMTP_IMPL_H
#define SMTPSCOPE_SMTP_IMPL_H

#include "smtp.h"

enum smtp_wait verb_wait(enum smtp_verb verb);
bool verb_ends_group(enum smtp_verb verb); /* RFC 2920 3.1 */
/* What a complete reply to the verb does to the state. */
void smtp_track(struct smtp *s, enum smtp_verb verb, const struct reply *reply);
/* The same for a reply that no call waits for, after raw bytes or a typed BDAT. */
void raw_track(struct smtp *s, enum smtp_verb verb, const struct reply *reply);
/* One more reply will come that no call waits for. */
void wire_owe(struct smtp *s, enum smtp_verb verb);
int smtp_limit_ms(const struct smtp *s, enum smtp_wait wait);

/* What has to happen before anything goes out: unasked replies, and whether the link is up. */
enum status smtp_before_sending(struct smtp *s) MUST_CHECK;

/* One line on its way out. */
struct outgoing {
    enum smtp_verb verb;
    enum smtp_wait wait;
    const char *line; /* without CRLF */
    size_t len;
    const char *shown; /* NULL: the line itself */
    size_t shown_len;
    const char *note; /* told behind the line: what it says; or NULL */
    unsigned flags;
    bool keep_raw; /* the reply is needed as it came; the caller calls wire_redact */
    struct span data; /* octets that go out behind the line, in the same write (BDAT) */
    int data_lines;   /* how many lines of them are told */
};
/* Sends, reads the reply, keeps the state. */
enum status smtp_exchange(struct smtp *s, const struct outgoing *out,
                          struct reply *reply) MUST_CHECK;
/* The status of a conversation that is over. */
enum status smtp_gone(const struct smtp *s);

uint32_t wire_tell(struct smtp *s, enum smtp_dir dir, unsigned flags, const char *p, size_t len);
void wire_note(struct smtp *s, enum smtp_dir dir, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Raised far enough to stop what is going on. */
bool wire_cancelled(const struct smtp *s);
/* What was read and not parsed yet. */
struct span wire_in(const struct smtp *s);
/* Reads what is there into s->in without waiting. ST_OK when bytes came, ST_AGAIN, or the end. */
enum status wire_poll(struct smtp *s) MUST_CHECK;
/* Reads all that is there: ST_AGAIN when the link is up, else why it is not. */
enum status wire_poll_all(struct smtp *s) MUST_CHECK;
/* Writes p and whatever is left in s->out before it. *put counts the bytes of p. */
enum status wire_write(struct smtp *s, const char *p, size_t len, int64_t deadline,
                       size_t *put) MUST_CHECK;
/*
 * Reads one reply until the deadline. Lines are told as they come. On a failure the partial reply
 * is told and kept, the reason is told, and the connection is closed (but not on ST_CANCELLED).
 */
enum status wire_reply(struct smtp *s, enum smtp_wait wait, int64_t sent_us, int64_t deadline,
                       struct reply *reply) MUST_CHECK;
/* Tells what the server said without being asked, from s->in. ST_AGAIN when the link is fine. */
enum status wire_unasked(struct smtp *s, unsigned flags) MUST_CHECK;
/* Tells the reason and closes. Returns st. */
enum status wire_fail(struct smtp *s, enum status st, enum smtp_wait wait);
/* Replaces secrets in a reply that goes to somebody else. */
void wire_redact(struct smtp *s, struct reply *reply);

/* From now on these bytes are replaced wherever they turn up. */
enum status learn_bytes(struct smtp *s, const char *p, size_t len) MUST_CHECK;
enum status learn_secret(struct smtp *s, const char *user, const char *p, size_t len) MUST_CHECK;
/* The base64 text of a response of an AUTH exchange, and what it decodes to. */
enum status learn_response(struct smtp *s, const char *p, size_t len, bool user_name) MUST_CHECK;
/* Tells what a 334 asks for, decoded, when that is text. True: it is the user name of LOGIN. */
bool note_challenge(struct smtp *s, const struct reply *reply);

/*
 * How much of a typed line may be shown; the rest is a secret. Takes note of what the line begins:
 * the mechanism, and whether a user name is asked for next.
 */
size_t typed_visible(struct smtp *s, const char *line, size_t len, enum smtp_verb verb);
/* What a line is, typed in the present state. */
enum smtp_verb typed_verb(const struct smtp *s, const char *line, size_t len);
/* Learns the words of a hidden line. */
enum status learn_typed(struct smtp *s, const char *p, size_t len, bool user_name) MUST_CHECK;

/* Tells the octets that go out behind a BDAT. */
void chunk_tell(struct smtp *s, const struct outgoing *out);
/* A typed BDAT whose octets are typed next. */
enum status chunk_begin(struct smtp *s, const char *line, size_t len, uint64_t octets, bool last,
                        struct error *error) MUST_CHECK;
/* They are all there: waits for the reply, unless the server has refused before. */
enum status chunk_end(struct smtp *s, struct reply *reply, bool *expects_reply,
                      struct error *error) MUST_CHECK;

/* The handshake on a connection that waits for it. */
enum status smtp_secure(struct smtp *s, const struct tls_config *config,
                        struct error *error) MUST_CHECK;
/* After the reply to STARTTLS: looks for injected text, then shakes hands. */
enum status smtp_after_starttls(struct smtp *s, const struct tls_config *config,
                                const struct reply *reply, struct buf *injected,
                                struct error *error) MUST_CHECK;

#endif
