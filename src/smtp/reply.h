/*
 * reply: the exact parser of SMTP replies (RFC 5321 4.2), fed byte by byte or in pieces.
 *
 * It accepts what a person would still read as a reply, and flags every deviation, because a
 * diagnosis tool has to show a broken server and not only refuse it. The raw text is kept.
 *
 * Threads: pure. Ownership: reply_free frees; the reply owns its text.
 */
#ifndef SMTPSCOPE_REPLY_H
#define SMTPSCOPE_REPLY_H

#include "buf.h"

#define REPLY_LINE_KEPT 4096  /* of one line; RFC 5321 4.5.3.1.5 allows 512 */
#define REPLY_LINE_READ 65536 /* a longer line ends the reply with REPLY_OVERLONG and ST_LIMIT */
#define REPLY_LINES_MAX 512
#define REPLY_TEXT_MAX (256 * 1024)

/* Deviations. */
#define REPLY_BAD_SEPARATOR 0x0001u /* neither '-' nor ' ' after the code */
#define REPLY_CODE_CHANGED 0x0002u  /* lines of one reply with different codes */
#define REPLY_BARE_LF 0x0004u       /* line ended by LF alone */
#define REPLY_BARE_CR 0x0008u       /* CR inside a line */
#define REPLY_OVERLONG 0x0010u      /* a line over 512 octets */
#define REPLY_TOO_MANY 0x0020u      /* over REPLY_LINES_MAX lines or REPLY_TEXT_MAX */
#define REPLY_NO_CODE 0x0040u       /* a line that does not begin with three digits */
#define REPLY_BAD_CODE 0x0080u      /* first digit not 2..5, or second not 0..5 (RFC 5321 4.2.1) */
#define REPLY_NUL 0x0100u
#define REPLY_EIGHT_BIT 0x0200u   /* not ASCII; whether SMTPUTF8 allowed it is not known here */
#define REPLY_TEXT_BEFORE 0x0400u /* lines without a code came first (text before the 220) */
#define REPLY_EMPTY_LINE 0x0800u
#define REPLY_CUT 0x1000u /* the connection ended inside the reply */

struct reply_line {
    size_t off, len; /* in reply.text: the line without its line end */
    size_t wire_len; /* with line end, as it came */
    size_t text_off; /* where the text after code and separator begins, from off */
    bool cut;        /* longer than REPLY_LINE_KEPT, or unfinished */
    unsigned flags;  /* the deviations of this line */
    uint32_t number; /* transcript line, set by the conversation; 0 when none */
};

struct reply {
    int code; /* of the last line that had one, 0 when none */
    bool complete;
    unsigned flags;
    char enhanced[12]; /* "5.7.1" of the first line that has one (RFC 2034), or "" */
    struct buf text;   /* lines joined by '\n', raw */
    struct reply_line lines[REPLY_LINES_MAX];
    size_t line_count;
    uint32_t command_line; /* transcript number of the command that it answers; 0 when none */
    unsigned answers;      /* enum smtp_wait: what it was waited for as, set by the conversation */
    int64_t elapsed_us;    /* from sending the command to the end of the reply */
    size_t state_len;      /* parser: bytes of the line in progress */
    unsigned state;
};

void reply_init(struct reply *r);
void reply_free(struct reply *r);
void reply_reset(struct reply *r);
/*
 * Consumes bytes. ST_OK: the reply is complete, *used bytes of p belong to it. ST_AGAIN: all bytes
 * used, more needed. ST_LIMIT: the reply is endless or a line is; what there is was kept. ST_NOMEM.
 */
enum status reply_feed(struct reply *r, const char *p, size_t len, size_t *used) MUST_CHECK;
/* The connection ended: keeps a partial line as a line, sets REPLY_CUT. */
void reply_end(struct reply *r);

int reply_class(const struct reply *r); /* first digit, 0 when there is no code */
struct span reply_line_text(const struct reply *r, size_t line);  /* after code and separator */
struct span reply_line_whole(const struct reply *r, size_t line); /* with code */
/* Text of all lines, joined by one space, the enhanced code removed from each (for people). */
enum status reply_join(const struct reply *r, struct buf *out) MUST_CHECK;

#endif
