/*
 * recorded_talk: the conversations of a recorded run, taken apart: what the client said, which
 * lines of the server answered it, how long that took and how it ended. Private to this room.
 *
 * What was typed by hand is left out: it came after the steps.
 *
 * Threads: pure. Ownership: talk_free. Lines are named by number and stay in the record.
 */
#ifndef SMTPSCOPE_RECORDED_TALK_H
#define SMTPSCOPE_RECORDED_TALK_H

#include "record.h"

#define TALK_TURNS_MAX 2048 /* of one conversation; what comes behind is not looked at */
#define TALK_VERB_MAX 16

enum talk_event {
    TALK_CONNECT, /* the greeting */
    TALK_COMMAND,
    TALK_LOGIN,   /* a response inside of AUTH */
    TALK_MESSAGE, /* the final dot */
    TALK_TEXT     /* a refusal inside of the message */
};

/* What came after the reply, or instead of it. */
enum talk_end {
    TALK_GOES_ON,
    TALK_CLOSED,
    TALK_RESET,
    TALK_SILENT,
    TALK_STOPPED, /* by us, while it was waited for */
    TALK_ENDLESS
};

struct talk_turn {
    enum talk_event event;
    char verb[TALK_VERB_MAX]; /* upper case; of a command */
    bool tls, complete;
    bool no_recipient;    /* in a transaction in which every RCPT was refused */
    bool initial;         /* AUTH with a response in the same line */
    bool last_chunk;      /* BDAT whose octets end the message (RFC 3030) */
    bool secured;         /* STARTTLS whose handshake was completed */
    uint32_t command;     /* line of the client; 0: none */
    uint32_t first, last; /* the server's lines stand in this range; 0: none */
    int code;             /* of the last line that had one; 0: none */
    int64_t start_us;
    int64_t delay_us; /* beyond the way there and back */
    enum talk_end end;
};

struct talk {
    const struct record_dial *dial;
    struct talk_turn *turns;
    size_t count;
    int proxy; /* version of the header of the PROXY protocol that went first; 0: none */
};

/* The conversation on this connection. */
enum status talk_read(struct talk *t, const struct record *r, size_t dial) MUST_CHECK;
void talk_free(struct talk *t);
/* The server's next line of this turn behind `number` (0: the first); false when there is none. */
bool talk_line(const struct record *r, const struct talk_turn *turn, uint32_t number,
               struct line *out);
/* EHLO, or LHLO of LMTP (RFC 2033 4.1), whose reply is the same. */
bool talk_is_hello(const struct talk_turn *turn);
/* "250" and a blank or hyphen: the code, and whether the reply ends here. 0: the line has no code.
 */
int talk_code(const struct line *line, bool *final);

#endif
