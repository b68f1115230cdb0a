/*
 * lineedit: one line of text being edited with readline keys, with history and an optional mask.
 *
 * Threads: the face's. Ownership: lineedit_free wipes and frees (a line may be a password).
 */
#ifndef SMTPSCOPE_LINEEDIT_H
#define SMTPSCOPE_LINEEDIT_H

#include "buf.h"

#define LINEEDIT_MAX (64 * 1024)
#define LINEEDIT_HISTORY_MAX 500

enum lineedit_result {
    EDIT_IGNORED,
    EDIT_CHANGED,
    EDIT_MOVED,
    EDIT_ENTER,
    EDIT_CANCEL,
    EDIT_COMPLETE,
    EDIT_NEXT_FIELD,
    EDIT_PREV_FIELD,
    EDIT_EOF
};

struct lineedit {
    char *text; /* locked memory when masked */
    size_t len, cap, max;
    size_t cursor;  /* byte offset, always at a character border */
    bool masked;    /* a password: never in history, kill buffer or drafts */
    char **history; /* oldest first */
    size_t history_count, history_at;
    char *draft; /* what was typed before going into history */
    char *killed;
    bool quote_next; /* Ctrl-V */
    bool searching;  /* Ctrl-R */
    char search[128];
};

enum status lineedit_init(struct lineedit *e, size_t max, bool masked) MUST_CHECK;
void lineedit_free(struct lineedit *e);
/* For a line that becomes a password while it is typed (an AUTH, an answer to a 334). */
void lineedit_mask(struct lineedit *e, bool masked);
enum status lineedit_set(struct lineedit *e, const char *text) MUST_CHECK;
const char *lineedit_text(const struct lineedit *e);
/*
 * Keys as in keys.h; code points are inserted. Up and Down walk the history; where there is none
 * (fields of forms) they are EDIT_PREV_FIELD and EDIT_NEXT_FIELD. Tab is EDIT_COMPLETE, in a masked
 * line EDIT_NEXT_FIELD. Esc and Ctrl-G are EDIT_CANCEL, unless they end a search. Ctrl-C empties
 * the line and is EDIT_IGNORED when it is empty: the caller stops what is running. Ctrl-D in an
 * empty line is EDIT_EOF. Call it before keys_find: after Ctrl-V, and in a search, every key is the
 * line's.
 */
enum lineedit_result lineedit_key(struct lineedit *e, uint32_t key);
enum status lineedit_insert(struct lineedit *e, const char *p, size_t len) MUST_CHECK; /* paste:
   line ends removed; all of it or, with ST_LIMIT, nothing */
/* Puts the line into the history (unless masked, empty, or equal to the last) and empties it. */
void lineedit_commit(struct lineedit *e, bool remember);
/* First byte to show and the cursor's column (less than `width`) for a field of `width` columns. A
   masked line is shown as one star a character. */
void lineedit_window(const struct lineedit *e, int width, bool ascii, size_t *from,
                     int *cursor_column);

#endif
