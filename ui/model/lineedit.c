#include "lineedit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "escape.h"
#include "keys.h"
#include "secret.h"

static size_t map_size(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes / page + 1) * page;
}

/* Any line may turn out to be a password: the text lies in pages of its own, which can be locked,
   and an old place is wiped before it is given back. */
static char *text_map(size_t size)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
#ifdef MADV_DONTDUMP
    (void)madvise(p, size, MADV_DONTDUMP);
#endif
    return p;
}

static void text_unmap(char *p, size_t size)
{
    if (p != NULL) {
        secret_wipe(p, size);
        munmap(p, size);
    }
}

static void string_drop(char **text)
{
    if (*text != NULL) {
        secret_wipe(*text, strlen(*text));
        free(*text);
        *text = NULL;
    }
}

/* Room for `len` bytes and the NUL. */
static enum status text_reserve(struct lineedit *e, size_t len)
{
    if (len > e->max) {
        return ST_LIMIT;
    }
    if (len < e->cap) {
        return ST_OK;
    }
    size_t size = map_size(len + 1);
    char *p = text_map(size);
    if (p == NULL) {
        return ST_NOMEM;
    }
    if (e->masked) {
        /* Best effort: the limit on locked memory may be zero. */
        (void)mlock(p, size);
    }
    if (e->text != NULL) {
        memcpy(p, e->text, e->len);
    }
    text_unmap(e->text, e->cap);
    e->text = p;
    e->text[e->len] = '\0';
    e->cap = size;
    return ST_OK;
}

enum status lineedit_init(struct lineedit *e, size_t max, bool masked)
{
    memset(e, 0, sizeof(*e));
    e->max = max < LINEEDIT_MAX ? max : LINEEDIT_MAX;
    e->masked = masked;
    return text_reserve(e, 0);
}

void lineedit_free(struct lineedit *e)
{
    text_unmap(e->text, e->cap);
    for (size_t i = 0; i < e->history_count; i++) {
        string_drop(&e->history[i]);
    }
    free(e->history);
    string_drop(&e->draft);
    string_drop(&e->killed);
    secret_wipe(e->search, sizeof(e->search));
    memset(e, 0, sizeof(*e));
}

void lineedit_mask(struct lineedit *e, bool masked)
{
    if (masked && !e->masked) {
        if (e->text != NULL) {
            (void)mlock(e->text, e->cap);
        }
        /* What was typed so far may be in here already. */
        string_drop(&e->killed);
        string_drop(&e->draft);
        e->searching = false;
    }
    e->masked = masked;
}

const char *lineedit_text(const struct lineedit *e)
{
    return e->text != NULL ? e->text : "";
}

static void text_remove(struct lineedit *e, size_t from, size_t to)
{
    memmove(e->text + from, e->text + to, e->len - to);
    size_t left = e->len - (to - from);
    secret_wipe(e->text + left, e->len - left);
    e->len = left;
    e->text[left] = '\0';
    if (e->cursor >= to) {
        e->cursor -= to - from;
    } else if (e->cursor > from) {
        e->cursor = from;
    }
}

static enum status text_insert(struct lineedit *e, const char *p, size_t len)
{
    if (len > e->max - e->len) {
        return ST_LIMIT;
    }
    enum status st = text_reserve(e, e->len + len);
    if (st != ST_OK) {
        return st;
    }
    memmove(e->text + e->cursor + len, e->text + e->cursor, e->len - e->cursor);
    memcpy(e->text + e->cursor, p, len);
    e->len += len;
    e->cursor += len;
    e->text[e->len] = '\0';
    return ST_OK;
}

static enum status text_replace(struct lineedit *e, const char *text)
{
    size_t len = strlen(text);
    enum status st = text_reserve(e, len);
    if (st != ST_OK) {
        return st;
    }
    secret_wipe(e->text, e->len);
    memcpy(e->text, text, len + 1);
    e->len = e->cursor = len;
    return ST_OK;
}

enum status lineedit_set(struct lineedit *e, const char *text)
{
    enum status st = text_replace(e, text);
    if (st == ST_OK) {
        e->history_at = e->history_count;
        e->searching = e->quote_next = false;
    }
    return st;
}

enum status lineedit_insert(struct lineedit *e, const char *p, size_t len)
{
    enum status st = ST_OK;
    size_t cursor = e->cursor;
    e->searching = e->quote_next = false;
    for (size_t i = 0; i < len && st == ST_OK;) {
        size_t run = 0;
        while (i + run < len && p[i + run] != '\r' && p[i + run] != '\n' && p[i + run] != '\0') {
            run++;
        }
        st = text_insert(e, p + i, run);
        i += run + 1;
    }
    if (st != ST_OK) {
        /* All or nothing: half a pasted command would be another command. */
        text_remove(e, cursor, e->cursor);
    }
    return st;
}

static void history_forget_oldest(struct lineedit *e)
{
    string_drop(&e->history[0]);
    e->history_count--;
    memmove(e->history, e->history + 1, e->history_count * sizeof(*e->history));
}

static void history_add(struct lineedit *e)
{
    if (e->len == 0 || e->masked ||
        (e->history_count > 0 && strcmp(e->history[e->history_count - 1], e->text) == 0)) {
        return;
    }
    char *copy = str_ndup(e->text, e->len);
    if (copy == NULL) {
        return;
    }
    if (e->history == NULL) {
        e->history = calloc(LINEEDIT_HISTORY_MAX, sizeof(*e->history));
        if (e->history == NULL) {
            free(copy);
            return;
        }
    }
    if (e->history_count == LINEEDIT_HISTORY_MAX) {
        history_forget_oldest(e);
    }
    e->history[e->history_count++] = copy;
}

void lineedit_commit(struct lineedit *e, bool remember)
{
    if (remember) {
        history_add(e);
    }
    if (e->text != NULL) {
        text_remove(e, 0, e->len);
    }
    string_drop(&e->draft);
    e->history_at = e->history_count;
    e->searching = e->quote_next = false;
}

/* Borders of what is one character on the screen: a base and its marks go together. */
static size_t piece_next(const struct lineedit *e, size_t at)
{
    if (at >= e->len) {
        return e->len;
    }
    struct escape_cell piece;
    escape_next(e->text + at, e->len - at, 0, &piece);
    return at + piece.consumed;
}

static size_t piece_prev(const struct lineedit *e, size_t at)
{
    size_t border = 0;
    for (size_t next = 0; next < at; next = piece_next(e, next)) {
        border = next;
    }
    return border;
}

static size_t word_start(const struct lineedit *e, size_t at)
{
    while (at > 0 && e->text[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && e->text[at - 1] != ' ') {
        at--;
    }
    return at;
}

static enum lineedit_result kill_range(struct lineedit *e, size_t from, size_t to)
{
    if (from == to) {
        return EDIT_IGNORED;
    }
    if (!e->masked) {
        string_drop(&e->killed);
        e->killed = str_ndup(e->text + from, to - from);
    }
    text_remove(e, from, to);
    return EDIT_CHANGED;
}

static enum lineedit_result delete_range(struct lineedit *e, size_t from, size_t to)
{
    if (from == to) {
        return EDIT_IGNORED;
    }
    text_remove(e, from, to);
    return EDIT_CHANGED;
}

static enum lineedit_result move_to(struct lineedit *e, size_t at)
{
    if (at == e->cursor) {
        return EDIT_IGNORED;
    }
    e->cursor = at;
    return EDIT_MOVED;
}

static enum lineedit_result yank(struct lineedit *e)
{
    if (e->killed == NULL || e->masked || text_insert(e, e->killed, strlen(e->killed)) != ST_OK) {
        return EDIT_IGNORED;
    }
    return EDIT_CHANGED;
}

/* As readline: the character before the cursor goes behind the one under it; at the end of the
   line the last two change places. */
static enum lineedit_result transpose(struct lineedit *e)
{
    size_t second = e->cursor < e->len ? e->cursor : piece_prev(e, e->len);
    size_t first = piece_prev(e, second);
    size_t end = piece_next(e, second);
    if (e->cursor == 0 || first == second || end == second) {
        return EDIT_IGNORED;
    }
    char copy[64];
    size_t len = end - first;
    if (len > sizeof(copy)) {
        return EDIT_IGNORED;
    }
    memcpy(copy, e->text + first, len);
    memcpy(e->text + first, copy + (second - first), end - second);
    memcpy(e->text + first + (end - second), copy, second - first);
    secret_wipe(copy, sizeof(copy));
    e->cursor = end;
    return EDIT_CHANGED;
}

/* The draft is what stands in the line when history is entered. */
static bool draft_keep(struct lineedit *e)
{
    if (e->history_at == e->history_count) {
        string_drop(&e->draft);
        e->draft = str_ndup(e->text, e->len);
        return e->draft != NULL;
    }
    return true;
}

static enum lineedit_result history_show(struct lineedit *e, size_t at)
{
    const char *text = at == e->history_count ? (e->draft != NULL ? e->draft : "") : e->history[at];
    if (text_replace(e, text) != ST_OK) {
        return EDIT_IGNORED;
    }
    e->history_at = at;
    return EDIT_CHANGED;
}

static enum lineedit_result history_older(struct lineedit *e)
{
    if (e->history_count == 0 || e->masked) {
        return EDIT_PREV_FIELD;
    }
    if (e->history_at == 0 || !draft_keep(e)) {
        return EDIT_IGNORED;
    }
    return history_show(e, e->history_at - 1);
}

static enum lineedit_result history_newer(struct lineedit *e)
{
    if (e->history_count == 0 || e->masked) {
        return EDIT_NEXT_FIELD;
    }
    if (e->history_at >= e->history_count) {
        return EDIT_IGNORED;
    }
    return history_show(e, e->history_at + 1);
}

static enum lineedit_result search_begin(struct lineedit *e)
{
    if (e->masked || e->history_count == 0 || !draft_keep(e)) {
        return EDIT_IGNORED;
    }
    e->searching = true;
    e->search[0] = '\0';
    return EDIT_CHANGED;
}

/* Shows the newest line before `before` that holds the text; without one, what is shown stays. */
static enum lineedit_result search_show(struct lineedit *e, size_t before)
{
    for (size_t i = before; i > 0; i--) {
        if (strstr(e->history[i - 1], e->search) != NULL) {
            return history_show(e, i - 1);
        }
    }
    return EDIT_CHANGED;
}

static bool is_printable(uint32_t key)
{
    return key >= 0x20 && key <= 0x10ffff && key != 0x7f && !(key >= 0xd800 && key <= 0xdfff);
}

static enum lineedit_result insert_code_point(struct lineedit *e, uint32_t key)
{
    char text[4];
    size_t len = key_utf8(key, text);
    return text_insert(e, text, len) == ST_OK ? EDIT_CHANGED : EDIT_IGNORED;
}

/* The next key as it is. A line end is the one thing that cannot be part of a line. */
static enum lineedit_result insert_quoted(struct lineedit *e, uint32_t key)
{
    e->quote_next = false;
    if (key == UKEY_NONE || key >= UKEY_FIRST || key == '\r' || key == '\n' ||
        (key >= 0xd800 && key <= 0xdfff)) {
        return EDIT_IGNORED;
    }
    return insert_code_point(e, key);
}

/* True when the key was one of the search; else the search is over and the key is for the line. */
static bool search_key(struct lineedit *e, uint32_t key, enum lineedit_result *result)
{
    size_t used = strlen(e->search);
    *result = EDIT_CHANGED;
    switch (key) {
    case KEY_CTRL('r'):
        *result = search_show(e, e->history_at);
        return true;
    case UKEY_BACKSPACE:
    case KEY_CTRL('h'):
        while (used > 0 && ((unsigned char)e->search[--used] & 0xc0) == 0x80) {
        }
        e->search[used] = '\0';
        *result = search_show(e, e->history_count);
        return true;
    case UKEY_ESC:
        e->searching = false;
        return true;
    case KEY_CTRL('g'):
        e->searching = false;
        *result = history_show(e, e->history_count);
        return true;
    default:
        break;
    }
    char text[4];
    if (is_printable(key)) {
        size_t len = key_utf8(key, text);
        if (used + len < sizeof(e->search)) {
            memcpy(e->search + used, text, len);
            e->search[used + len] = '\0';
            /* The line that is shown may hold the longer text as well. */
            size_t before = e->history_at < e->history_count ? e->history_at + 1 : e->history_count;
            *result = search_show(e, before);
        }
        return true;
    }
    e->searching = false;
    return false;
}

enum lineedit_result lineedit_key(struct lineedit *e, uint32_t key)
{
    if (e->quote_next) {
        return insert_quoted(e, key);
    }
    enum lineedit_result result;
    if (e->searching && search_key(e, key, &result)) {
        return result;
    }
    switch (key) {
    case UKEY_ENTER:
    case KEY_CTRL('j'):
        return EDIT_ENTER;
    case UKEY_ESC:
    case KEY_CTRL('g'):
        return EDIT_CANCEL;
    case UKEY_TAB:
        return e->masked ? EDIT_NEXT_FIELD : EDIT_COMPLETE;
    case UKEY_BACKTAB:
        return EDIT_PREV_FIELD;
    case UKEY_LEFT:
    case KEY_CTRL('b'):
        return move_to(e, piece_prev(e, e->cursor));
    case UKEY_RIGHT:
    case KEY_CTRL('f'):
        return move_to(e, piece_next(e, e->cursor));
    case UKEY_HOME:
    case KEY_CTRL('a'):
        return move_to(e, 0);
    case UKEY_END:
    case KEY_CTRL('e'):
        return move_to(e, e->len);
    case UKEY_BACKSPACE:
    case KEY_CTRL('h'):
        return delete_range(e, piece_prev(e, e->cursor), e->cursor);
    case KEY_CTRL('d'):
        if (e->len == 0) {
            return EDIT_EOF;
        }
        return delete_range(e, e->cursor, piece_next(e, e->cursor));
    case UKEY_DELETE:
        return delete_range(e, e->cursor, piece_next(e, e->cursor));
    case KEY_CTRL('w'):
        return kill_range(e, word_start(e, e->cursor), e->cursor);
    case KEY_CTRL('u'):
        return kill_range(e, 0, e->cursor);
    case KEY_CTRL('k'):
        return kill_range(e, e->cursor, e->len);
    case KEY_CTRL('y'):
        return yank(e);
    case KEY_CTRL('t'):
        return transpose(e);
    case KEY_CTRL('c'):
        return delete_range(e, 0, e->len);
    case UKEY_UP:
    case KEY_CTRL('p'):
        return history_older(e);
    case UKEY_DOWN:
    case KEY_CTRL('n'):
        return history_newer(e);
    case KEY_CTRL('r'):
        return search_begin(e);
    case KEY_CTRL('v'):
        e->quote_next = true;
        return EDIT_MOVED;
    default:
        return is_printable(key) ? insert_code_point(e, key) : EDIT_IGNORED;
    }
}

void lineedit_window(const struct lineedit *e, int width, bool ascii, size_t *from,
                     int *cursor_column)
{
    unsigned flags = ascii ? ESCAPE_ASCII : 0;
    size_t columns = 0;
    struct escape_cell piece;
    for (size_t at = 0; at < e->cursor; at += piece.consumed) {
        escape_next(e->text + at, e->cursor - at, flags, &piece);
        columns += e->masked ? 1 : piece.columns;
    }
    /* Moves on by half a field at a time, so that the text stands still while it is typed. */
    size_t room = width > 1 ? (size_t)width : 1;
    size_t half = room > 1 ? room / 2 : 1;
    size_t start = columns < room ? 0 : ((columns - room) / half + 1) * half;
    size_t at = 0;
    size_t column = 0;
    while (at < e->cursor && column < start) {
        escape_next(e->text + at, e->cursor - at, flags, &piece);
        at += piece.consumed;
        column += e->masked ? 1 : piece.columns;
    }
    *from = at;
    *cursor_column = (int)(columns - column);
}
