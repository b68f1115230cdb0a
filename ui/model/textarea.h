/*
 * textarea: text of many lines being edited, as the message of the composer.
 *
 * Every line has an end of its own: CRLF, or the LF alone that somebody loaded or typed on purpose
 * (RFC 5321 2.3.8 forbids it in mail). All other bytes are kept as they are; the view escapes them.
 *
 * Threads: the face's. Ownership: textarea_free.
 */
#ifndef SMTPSCOPE_TEXTAREA_H
#define SMTPSCOPE_TEXTAREA_H

#include "buf.h"

#define TEXTAREA_MAX ((size_t)4 << 20) /* bytes of all lines */
#define TEXTAREA_LINES_MAX 100000

struct textarea_line {
    char *p; /* NUL-terminated; may hold NULs inside */
    size_t len, cap;
    bool bare_lf;
};

struct textarea {
    struct textarea_line *lines; /* at least one; the last one has no end */
    size_t count, cap;
    size_t bytes;   /* of all lines, their ends not counted */
    size_t row, at; /* the cursor: a line, and a byte in it at a character border */
    int goal;       /* the column that Up and Down keep; -1: the cursor's own */
    size_t top;     /* first line shown */
    char *killed;   /* of Ctrl-K, Ctrl-U, Ctrl-W */
    bool quote_next;
    bool changed; /* since textarea_set */
};

enum textarea_result { AREA_IGNORED, AREA_MOVED, AREA_CHANGED, AREA_FULL };

enum status textarea_init(struct textarea *t) MUST_CHECK;
void textarea_free(struct textarea *t);
/*
 * The text is this now, with the cursor at its begin. Where a text has CRLF, its LFs alone are kept
 * as they are; a text with LF alone is one of this system, and its line ends become CRLF. ST_LIMIT
 * or ST_NOMEM leave what was there.
 */
enum status textarea_set(struct textarea *t, const char *p, size_t len) MUST_CHECK;
/* At the cursor. Any line end is an ordinary one. All of it or, with ST_LIMIT or ST_NOMEM,
   nothing. */
enum status textarea_insert(struct textarea *t, const char *p, size_t len) MUST_CHECK;
/* Keys as in keys.h: what moves and edits. Ctrl-V takes the next key as it is: Ctrl-J is then a
   line end by LF alone. `page`: the rows that are shown. */
enum textarea_result textarea_key(struct textarea *t, uint32_t key, int page);
void textarea_goto(struct textarea *t, size_t row, size_t at);
bool textarea_is_empty(const struct textarea *t);
/* The whole text with its line ends, and one behind the last line. `exact`: those that are LF alone
   stay so; else all are CRLF. Dots are not doubled. */
enum status textarea_text(const struct textarea *t, bool exact, struct buf *out) MUST_CHECK;

/* Brings the cursor's line into view: t->top. */
void textarea_scroll(struct textarea *t, int rows);
/* The column of the cursor in its line, and the first column to show in a field of that width: the
   line of the cursor is moved to the left where it is too long. */
int textarea_column(const struct textarea *t, bool ascii);
int textarea_left(const struct textarea *t, int width, bool ascii);

#endif
