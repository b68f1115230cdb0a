/*
 * script: a conversation to be played again, read from a saved transcript or from a file that
 * somebody wrote.
 *
 * From our own reports (text, Markdown, JSON) come the client's lines, with the code that the
 * server answered then. A plain file has one command a line:
 *
 *   # a comment; empty lines are ignored outside of message text
 *   EHLO client.example
 *   expect 250              what the command before has to be answered with; also 2 or 25
 *   STARTTLS                is followed by a handshake
 *   raw NOOP\r\nNOOP\n      exact bytes (raw_text.h)
 *   BDAT 9 LAST             the lines below, with CRLF, are its octets: exactly so many
 *   DATA
 *   Subject: hello          message text up to the lone dot, as it goes out: with doubled dots
 *
 *   .
 *
 * What was hidden when the transcript was written stays a gap that a person has to fill.
 *
 * Threads: pure. Ownership: script_free frees all.
 */
#ifndef SMTPSCOPE_SCRIPT_H
#define SMTPSCOPE_SCRIPT_H

#include "smtp_verb.h"
#include "buf.h"

#define SCRIPT_BYTES_MAX ((size_t)64 << 20)
#define SCRIPT_STEPS_MAX 100000
#define SCRIPT_LINE_MAX (64 * 1024) /* SMTP_RAW_MAX */

enum script_kind {
    SCRIPT_COMMAND,
    SCRIPT_TEXT, /* a line of a message, up to the one before the dot */
    SCRIPT_DOT,
    SCRIPT_RAW,   /* text holds the exact bytes */
    SCRIPT_HIDDEN /* text holds what may be seen of it */
};

struct script_step {
    enum script_kind kind;
    enum smtp_verb verb; /* of a command; VERB_AUTH_LINE for an answer to a 334 */
    char *text;
    size_t len;
    char *data; /* the octets behind a BDAT; NULL: none */
    size_t data_len;
    int expect;    /* 250, 25, 2: how the code has to begin; 0: any good one (2 or 3) */
    unsigned line; /* in the file, from 1; in JSON the line's number in the transcript */
};

struct script {
    struct script_step *steps;
    size_t count;
    bool ends_in_text; /* no lone dot closes the last message */
    bool message_cut;  /* the transcript did not hold all of a message */
};

/* What somebody has to have agreed to before it is played without a screen. */
#define SCRIPT_ENVELOPE 1u /* MAIL, RCPT */
#define SCRIPT_MESSAGE 2u  /* DATA, BDAT */
#define SCRIPT_LOGIN 4u    /* AUTH */
#define SCRIPT_ASKING 8u   /* VRFY, EXPN */
#define SCRIPT_GAPS 16u    /* hidden lines */
unsigned script_needs(const struct script *s);

/*
 * The kind of file is recognised by its content. `name` is for messages. ST_INVALID: the sentence
 * says where and why; a file without a single line to send is one. ST_LIMIT, ST_NOMEM.
 */
enum status script_read(const char *name, const char *p, size_t len, struct script **out,
                        struct error *error) MUST_CHECK;
/* Where "<hidden N bytes>" begins in a line, or len. */
size_t script_hidden_at(const char *p, size_t len);
void script_free(struct script *s);
enum status script_copy(const struct script *s, struct script **out) MUST_CHECK;

#endif
