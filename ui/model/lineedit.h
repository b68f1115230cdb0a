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

enum lineedit_result { EDIT_IGNORED, EDIT_CHANGED, EDIT_MOVED, EDIT_ENTER, EDIT_CANCEL, EDIT_COMPLETE,
                       EDIT_NEXT_FIELD, EDIT_PREV_FIELD, EDIT_EOF };

struct lineedit {
    char *text; /* locked memory when masked */
    size_t len, cap, max;
    size_t cursor;    /* byte offset, always at a character border */
    bool masked;      /* a password: never in history, kill buffer or drafts */
    char **history;   /* oldest first */
    size_t history_count, history_at;
    char *draft;      /* what was typed before going into history */
    char *killed;
    bool quote_next;  /* Ctrl-V */
    bool searching;   /* Ctrl-R */
    char search[128];
};

enum status lineedit_init(struct lineedit *e, size_t max, bool masked) MUST_CHECK;
void lineedit_free(struct lineedit *e);
enum status lineedit_set(struct lineedit *e, const char *text) MUST_CHECK;
const char *lineedit_text(const struct lineedit *e);
/* Keys as in keys.h; code points are inserted. Up and Down walk the history. */
enum lineedit_result lineedit_key(struct lineedit *e, uint32_t key);
enum status lineedit_insert(struct lineedit *e, const char *p, size_t len) MUST_CHECK; /* paste: line ends removed */
/* Puts the line into the history (unless masked, empty, or equal to the last) and empties it. */
void lineedit_commit(struct lineedit *e, bool remember);
/* First byte to show and the cursor's column for a field of `width` columns. */
void lineedit_window(const struct lineedit *e, int width, bool ascii, size_t *from, int *cursor_column);

#endif
