#include "textarea.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "keys.h"

#define LINES_STEP 64
#define LINE_STEP 64

static void line_free(struct textarea_line *line)
{
    free(line->p);
    memset(line, 0, sizeof(*line));
}

static enum status line_reserve(struct textarea_line *line, size_t len)
{
    if (len < line->cap) {
        return ST_OK;
    }
    size_t cap = len + LINE_STEP;
    char *p = realloc(line->p, cap);
    if (p == NULL) {
        return ST_NOMEM;
    }
    line->p = p;
    line->cap = cap;
    line->p[line->len] = '\0';
    return ST_OK;
}

/* `n` empty lines before line `at`. */
static enum status lines_open(struct textarea *t, size_t at, size_t n)
{
    if (n > TEXTAREA_LINES_MAX - t->count) {
        return ST_LIMIT;
    }
    if (t->count + n > t->cap) {
        size_t cap = t->count + n + LINES_STEP;
        struct textarea_line *lines = realloc(t->lines, cap * sizeof(*lines));
        if (lines == NULL) {
            return ST_NOMEM;
        }
        t->lines = lines;
        t->cap = cap;
    }
    memmove(&t->lines[at + n], &t->lines[at], (t->count - at) * sizeof(*t->lines));
    memset(&t->lines[at], 0, n * sizeof(*t->lines));
    t->count += n;
    for (size_t i = 0; i < n; i++) {
        if (line_reserve(&t->lines[at + i], 0) != ST_OK) {
            /* Those that have no memory go again, and with them the whole wish. */
            for (size_t k = 0; k < n; k++) {
                line_free(&t->lines[at + k]);
            }
            memmove(&t->lines[at], &t->lines[at + n], (t->count - at - n) * sizeof(*t->lines));
            t->count -= n;
            return ST_NOMEM;
        }
    }
    return ST_OK;
}

static void lines_close(struct textarea *t, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        line_free(&t->lines[at + i]);
    }
    memmove(&t->lines[at], &t->lines[at + n], (t->count - at - n) * sizeof(*t->lines));
    t->count -= n;
}

static struct textarea_line *line_here(struct textarea *t)
{
    return &t->lines[t->row];
}

enum status textarea_init(struct textarea *t)
{
    memset(t, 0, sizeof(*t));
    t->goal = -1;
    return lines_open(t, 0, 1);
}

void textarea_free(struct textarea *t)
{
    for (size_t i = 0; i < t->count; i++) {
        line_free(&t->lines[i]);
    }
    free(t->lines);
    free(t->killed);
    memset(t, 0, sizeof(*t));
}

static enum status line_insert(struct textarea *t, size_t row, size_t at, const char *p, size_t len)
{
    struct textarea_line *line = &t->lines[row];
    if (len > TEXTAREA_MAX - t->bytes) {
        return ST_LIMIT;
    }
    enum status st = line_reserve(line, line->len + len);
    if (st != ST_OK) {
        return st;
    }
    memmove(line->p + at + len, line->p + at, line->len - at);
    memcpy(line->p + at, p, len);
    line->len += len;
    line->p[line->len] = '\0';
    t->bytes += len;
    return ST_OK;
}

static void line_remove(struct textarea *t, size_t row, size_t from, size_t to)
{
    struct textarea_line *line = &t->lines[row];
    memmove(line->p + from, line->p + to, line->len - to);
    line->len -= to - from;
    line->p[line->len] = '\0';
    t->bytes -= to - from;
}

/* One line of a text: up to its LF, or to the end. */
struct piece {
    const char *p;
    size_t len; /* without its end */
    bool ended, lf_alone;
};

static bool next_piece(const char *p, size_t len, size_t *at, struct piece *out)
{
    if (*at >= len) {
        return false;
    }
    const char *lf = memchr(p + *at, '\n', len - *at);
    size_t whole = lf != NULL ? (size_t)(lf - p) - *at : len - *at;
    bool cr = lf != NULL && whole > 0 && p[*at + whole - 1] == '\r';
    *out = (struct piece){p + *at, whole - cr, lf != NULL, lf != NULL && !cr};
    *at += whole + (lf != NULL);
    return true;
}

static bool has_crlf(const char *p, size_t len)
{
    struct piece piece;
    for (size_t at = 0; next_piece(p, len, &at, &piece);) {
        if (piece.ended && !piece.lf_alone) {
            return true;
        }
    }
    return false;
}

static enum status fill(struct textarea *t, const char *p, size_t len)
{
    struct piece piece = {.ended = true};
    bool crlf = has_crlf(p, len);
    enum status st = ST_OK;
    size_t row = 0;
    for (size_t at = 0; st == ST_OK && next_piece(p, len, &at, &piece);) {
        st = line_insert(t, row, 0, piece.p, piece.len);
        t->lines[row].bare_lf = crlf && piece.lf_alone;
        if (st == ST_OK && piece.ended) {
            st = lines_open(t, ++row, 1);
        }
    }
    return st;
}

enum status textarea_set(struct textarea *t, const char *p, size_t len)
{
    struct textarea fresh;
    enum status st = textarea_init(&fresh);
    if (st == ST_OK) {
        st = fill(&fresh, p, len);
    }
    if (st != ST_OK) {
        textarea_free(&fresh);
        return st;
    }
    fresh.killed = t->killed;
    t->killed = NULL;
    textarea_free(t);
    *t = fresh;
    return ST_OK;
}

/* Makes two lines of the cursor's. */
static enum status split(struct textarea *t, bool bare_lf)
{
    enum status st = lines_open(t, t->row + 1, 1);
    if (st != ST_OK) {
        return st;
    }
    struct textarea_line *line = line_here(t);
    size_t rest = line->len - t->at;
    st = line_reserve(&t->lines[t->row + 1], rest);
    if (st != ST_OK) {
        lines_close(t, t->row + 1, 1);
        return st;
    }
    struct textarea_line *next = &t->lines[t->row + 1];
    memcpy(next->p, line->p + t->at, rest + 1);
    next->len = rest;
    next->bare_lf = line->bare_lf;
    line->len = t->at;
    line->p[t->at] = '\0';
    line->bare_lf = bare_lf;
    t->row++;
    t->at = 0;
    return ST_OK;
}

static void join_next(struct textarea *t)
{
    struct textarea_line *line = line_here(t);
    struct textarea_line *next = &t->lines[t->row + 1];
    if (line_reserve(line, line->len + next->len) != ST_OK) {
        return; /* nothing is lost, and the key may be pressed again */
    }
    memcpy(line->p + line->len, next->p, next->len + 1);
    line->len += next->len;
    line->bare_lf = next->bare_lf;
    lines_close(t, t->row + 1, 1);
}

enum status textarea_insert(struct textarea *t, const char *p, size_t len)
{
    size_t row = t->row;
    size_t at = t->at;
    size_t tail = t->lines[row].len - at;
    struct piece piece;
    enum status st = ST_OK;
    for (size_t from = 0; st == ST_OK && next_piece(p, len, &from, &piece);) {
        st = line_insert(t, t->row, t->at, piece.p, piece.len);
        t->at += st == ST_OK ? piece.len : 0;
        if (st == ST_OK && piece.ended) {
            st = split(t, false);
        }
    }
    if (st != ST_OK) {
        /* The lines are as many as were begun; what stood behind the cursor ends the last. */
        while (t->row > row) {
            t->row--;
            join_next(t);
        }
        line_remove(t, row, at, t->lines[row].len - tail);
        t->at = at;
    }
    t->changed = t->changed || st == ST_OK;
    t->goal = -1;
    return st;
}

static size_t piece_end(const struct textarea_line *line, size_t at)
{
    if (at >= line->len) {
        return line->len;
    }
    struct escape_cell cell;
    escape_next(line->p + at, line->len - at, 0, &cell);
    return at + cell.consumed;
}

static size_t piece_begin(const struct textarea_line *line, size_t at)
{
    size_t border = 0;
    for (size_t next = 0; next < at; next = piece_end(line, next)) {
        border = next;
    }
    return border;
}

static int columns_to(const struct textarea_line *line, size_t at, bool ascii)
{
    return (int)escape_columns(line->p, at, ascii ? ESCAPE_ASCII : 0);
}

/* The border nearest to the column, not behind it. */
static size_t at_column(const struct textarea_line *line, int column)
{
    size_t at = 0;
    int columns = 0;
    while (at < line->len) {
        struct escape_cell cell;
        escape_next(line->p + at, line->len - at, 0, &cell);
        if (columns + cell.columns > column) {
            break;
        }
        columns += cell.columns;
        at += cell.consumed;
    }
    return at;
}

static enum textarea_result move_rows(struct textarea *t, long rows)
{
    long last = (long)t->count - 1;
    long row = (long)t->row + rows;
    if (t->goal < 0) {
        t->goal = columns_to(line_here(t), t->at, false);
    }
    row = row < 0 ? 0 : row > last ? last : row;
    t->row = (size_t)row;
    t->at = at_column(line_here(t), t->goal);
    return AREA_MOVED;
}

static enum textarea_result move_to(struct textarea *t, size_t row, size_t at)
{
    t->row = row;
    t->at = at;
    t->goal = -1;
    return AREA_MOVED;
}

void textarea_goto(struct textarea *t, size_t row, size_t at)
{
    row = row < t->count ? row : t->count - 1;
    size_t len = t->lines[row].len;
    (void)move_to(t, row, at < len ? at : len);
}

static enum textarea_result move_left(struct textarea *t)
{
    if (t->at > 0) {
        return move_to(t, t->row, piece_begin(line_here(t), t->at));
    }
    return t->row > 0 ? move_to(t, t->row - 1, t->lines[t->row - 1].len) : AREA_IGNORED;
}

static enum textarea_result move_right(struct textarea *t)
{
    if (t->at < line_here(t)->len) {
        return move_to(t, t->row, piece_end(line_here(t), t->at));
    }
    return t->row + 1 < t->count ? move_to(t, t->row + 1, 0) : AREA_IGNORED;
}

static enum textarea_result changed(struct textarea *t)
{
    t->changed = true;
    t->goal = -1;
    return AREA_CHANGED;
}

static enum textarea_result delete_right(struct textarea *t)
{
    struct textarea_line *line = line_here(t);
    if (t->at < line->len) {
        line_remove(t, t->row, t->at, piece_end(line, t->at));
    } else if (t->row + 1 < t->count) {
        join_next(t);
    } else {
        return AREA_IGNORED;
    }
    return changed(t);
}

static enum textarea_result delete_left(struct textarea *t)
{
    return move_left(t) == AREA_MOVED ? delete_right(t) : AREA_IGNORED;
}

static enum textarea_result kill_range(struct textarea *t, size_t from, size_t to)
{
    struct textarea_line *line = line_here(t);
    char *copy = to > from ? str_ndup(line->p + from, to - from) : NULL;
    if (copy == NULL) {
        return AREA_IGNORED;
    }
    free(t->killed);
    t->killed = copy;
    line_remove(t, t->row, from, to);
    t->at = from;
    return changed(t);
}

static size_t word_begin(const struct textarea_line *line, size_t at)
{
    while (at > 0 && line->p[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && line->p[at - 1] != ' ') {
        at--;
    }
    return at;
}

static enum textarea_result result_of(struct textarea *t, enum status st)
{
    return st == ST_OK ? changed(t) : AREA_FULL;
}

static enum textarea_result insert_key(struct textarea *t, uint32_t key)
{
    char text[4];
    size_t len = key_utf8(key, text);
    enum status st = line_insert(t, t->row, t->at, text, len);
    t->at += st == ST_OK ? len : 0;
    return result_of(t, st);
}

static bool is_text(uint32_t key)
{
    return key >= 0x20 && key <= 0x10ffff && key != 0x7f && !(key >= 0xd800 && key <= 0xdfff);
}

static enum textarea_result quoted_key(struct textarea *t, uint32_t key)
{
    t->quote_next = false;
    if (key == '\n') {
        return result_of(t, split(t, true));
    }
    bool control = key < 0x20 || key == UKEY_BACKSPACE;
    return control || is_text(key) ? insert_key(t, key) : AREA_IGNORED;
}

static enum textarea_result move_key(struct textarea *t, uint32_t key, int page)
{
    switch (key) {
    case UKEY_UP:
    case KEY_CTRL('p'):
        return move_rows(t, -1);
    case UKEY_DOWN:
    case KEY_CTRL('n'):
        return move_rows(t, 1);
    case UKEY_PAGE_UP:
        return move_rows(t, -(page > 1 ? page - 1 : 1));
    case UKEY_PAGE_DOWN:
        return move_rows(t, page > 1 ? page - 1 : 1);
    case UKEY_LEFT:
    case KEY_CTRL('b'):
        return move_left(t);
    case UKEY_RIGHT:
    case KEY_CTRL('f'):
        return move_right(t);
    case UKEY_HOME:
    case KEY_CTRL('a'):
        return move_to(t, t->row, 0);
    case UKEY_END:
    case KEY_CTRL('e'):
        return move_to(t, t->row, line_here(t)->len);
    default:
        return AREA_IGNORED;
    }
}

enum textarea_result textarea_key(struct textarea *t, uint32_t key, int page)
{
    if (t->quote_next) {
        return quoted_key(t, key);
    }
    switch (key) {
    case UKEY_ENTER:
    case KEY_CTRL('j'):
        return result_of(t, split(t, false));
    case UKEY_BACKSPACE:
    case KEY_CTRL('h'):
        return delete_left(t);
    case UKEY_DELETE:
        return delete_right(t);
    case KEY_CTRL('k'):
        return t->at < line_here(t)->len ? kill_range(t, t->at, line_here(t)->len)
                                         : delete_right(t);
    case KEY_CTRL('u'):
        return kill_range(t, 0, t->at);
    case KEY_CTRL('w'):
        return kill_range(t, word_begin(line_here(t), t->at), t->at);
    case KEY_CTRL('y'):
        return t->killed == NULL ? AREA_IGNORED
                                 : result_of(t, textarea_insert(t, t->killed, strlen(t->killed)));
    case KEY_CTRL('v'):
        t->quote_next = true;
        return AREA_MOVED;
    default:
        return is_text(key) ? insert_key(t, key) : move_key(t, key, page);
    }
}

bool textarea_is_empty(const struct textarea *t)
{
    return t->count == 1 && t->lines[0].len == 0;
}

enum status textarea_text(const struct textarea *t, bool exact, struct buf *out)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < t->count && st == ST_OK; i++) {
        const struct textarea_line *line = &t->lines[i];
        bool last = i + 1 == t->count;
        if (last && line->len == 0) {
            break;
        }
        st = buf_add(out, line->p, line->len);
        if (st == ST_OK) {
            st = buf_add_str(out, exact && line->bare_lf ? "\n" : "\r\n");
        }
    }
    return st;
}

void textarea_scroll(struct textarea *t, int rows)
{
    size_t room = rows > 0 ? (size_t)rows : 1;
    if (t->row < t->top) {
        t->top = t->row;
    } else if (t->row >= t->top + room) {
        t->top = t->row - room + 1;
    }
    /* Lines that went away at the end leave no hole. */
    if (t->top + room > t->count) {
        t->top = t->count > room ? t->count - room : 0;
    }
}

int textarea_column(const struct textarea *t, bool ascii)
{
    return columns_to(&t->lines[t->row], t->at, ascii);
}

int textarea_left(const struct textarea *t, int width, bool ascii)
{
    /* By half a field at a time, so that the text stands still while it is typed. */
    int room = width > 2 ? width : 2;
    int half = room / 2;
    int column = textarea_column(t, ascii);
    return column < room ? 0 : ((column - room) / half + 1) * half;
}
