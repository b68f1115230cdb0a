/*
 * feed: lines that are sent one after the other on the live connection, each when the one before
 * was answered well: what was pasted, what a macro stands for, the text of a message.
 *
 * It stops at the first refusal, because what follows would be taken for something else: the text
 * of a message, after a refused DATA, for commands. It only says what is due; sending is the
 * caller's.
 *
 * Threads: the face's. Ownership: feed_clear wipes and frees (a line may be a password).
 */
#ifndef SMTPSCOPE_FEED_H
#define SMTPSCOPE_FEED_H

#include "record.h"

#define FEED_ITEMS_MAX 100000

enum feed_kind {
    FEED_LINE,  /* as typed */
    FEED_CHUNK, /* a BDAT with its octets */
    FEED_RAW    /* exact bytes; not waited for */
};

#define FEED_ANY 1u    /* any answer will do */
#define FEED_ALWAYS 2u /* is sent after a stop too: what tidies up */
#define FEED_TIDY 8u   /* is sent after a stop only */
#define FEED_QUIET 4u  /* not waited for, and no reply is its own */

struct feed_item {
    enum feed_kind kind;
    unsigned flags;
    char *text; /* NUL-terminated */
    size_t len;
    char *data;
    size_t data_len;
};

enum feed_state {
    FEED_IDLE,
    FEED_RUNNING,
    FEED_DONE,    /* all were answered well */
    FEED_REFUSED, /* stopped: an answer was 4xx or 5xx */
    FEED_BROKEN,  /* the connection ended */
    FEED_STOPPED  /* by the user */
};

struct feed {
    struct feed_item *items;
    size_t count, cap;
    size_t next;     /* the item that is due */
    bool waiting;    /* for the answer to the one before it */
    uint32_t since;  /* transcript lines after this one may be that answer */
    bool in_text;    /* after a 354 */
    uint64_t octets; /* of a typed BDAT that are still to come */
    enum feed_state state;
    enum feed_state end;   /* what the state will be when nothing is due any more */
    size_t stopped_at;     /* the item that was refused */
    int code;              /* of the last answer */
    unsigned asked, taken; /* items with FEED_ANY that were answered, and by 2xx */
};

void feed_init(struct feed *f);
void feed_clear(struct feed *f);
enum status feed_add(struct feed *f, enum feed_kind kind, unsigned flags, const char *text,
                     size_t len) MUST_CHECK;
enum status feed_add_chunk(struct feed *f, const char *text, size_t len, const char *data,
                           size_t data_len) MUST_CHECK;
/* All items were added: the first is due. */
void feed_start(struct feed *f);
bool feed_running(const struct feed *f);
/* What is due now; NULL while an answer is waited for, and at the end. */
const struct feed_item *feed_due(const struct feed *f);
/* It was handed over; `line`: the last number of the transcript then. */
void feed_sent(struct feed *f, uint32_t line);
/* An event of the run. True when the feed went on or ended by it. */
bool feed_event(struct feed *f, const struct event *e);
void feed_stop(struct feed *f, enum feed_state why);
/* "Line 2 of 3 was refused with 503; 1 line was not sent." Translated; "" while it runs. */
void feed_sentence(const struct feed *f, char *out, size_t size);

#endif
