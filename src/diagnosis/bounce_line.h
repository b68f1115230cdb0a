/*
 * bounce_line: finds the reply of a mail server in what people paste: the reply itself, a line of a
 * log, a line of a bounce.
 *
 * It knows these forms, and falls back to the first thing that looks like a code and words:
 *
 *   550 5.1.1 ..., 550-5.1.1 ... and 550 5.1.1 ... joined; a transcript's "<<< 550", "S: 550"
 *   Postfix: host mx[ip] said: 550 ... (in reply to RCPT TO command); refused to talk to me: ...;
 *       status=deferred (connect to mx[ip]:25: Connection timed out); lost connection with ...;
 *       NOQUEUE: reject: RCPT from host[ip]: 554 5.7.1 ...; from=<...>
 *   Exim: SMTP error from remote mail server after RCPT TO:<...>: host mx [ip]: 550 ...;
 *       rejected RCPT <...>: ...; == ... defer (111): Connection refused
 *   sendmail: dsn=5.1.1, stat=User unknown; reply=550 ...
 *   Exchange: Remote Server returned '550 5.4.1 ...'
 *   DSN (RFC 3464): Diagnostic-Code: smtp; 550 ...
 *   qmail: Remote host said: 550 ...; ... does not like recipient.
 *   Gmail: The response was: 550 ... (state 13)
 *
 * Threads: pure. Ownership: the result holds copies, cut at its sizes.
 */
#ifndef SMTPSCOPE_BOUNCE_LINE_H
#define SMTPSCOPE_BOUNCE_LINE_H

#include "reply_decode.h"

#define BOUNCE_LINE_MAX 16384 /* of one line; what is longer is cut, and `cut` says so */
#define BOUNCE_ENHANCED_MAX 12

enum bounce_kind {
    BOUNCE_NOTHING, /* no code, and no form that we know: the whole line is its text */
    BOUNCE_LOG,     /* what a program says by itself, or a log that has no code */
    BOUNCE_REPLY    /* a reply with its code */
};

struct bounce_line {
    enum bounce_kind kind;
    int code;                           /* 0: none */
    char enhanced[BOUNCE_ENHANCED_MAX]; /* "" for none */
    enum reply_stage stage;
    const struct reply_vendor *vendor; /* where the form itself tells; mostly NULL */
    char host[256];                    /* the server that spoke; "" when it is not named */
    char text[REPLY_DECODE_TEXT_MAX];  /* the words, without repeated codes; controls are blanks */
    size_t text_len;
    bool cut;
};

/* Line ends within the line count as blanks, so that what was wrapped may be given whole. */
void bounce_line_read(struct span line, struct bounce_line *out);
/* What to ask the decoder. It points into *line. */
struct reply_question bounce_line_question(const struct bounce_line *line);
/* The decoder's answer. Words that stand in no form that we know are no more than a guess. */
struct reply_verdict bounce_line_decode(const struct bounce_line *line);

#endif
