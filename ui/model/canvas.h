/*
 * canvas: the screen as a grid of cells, without a terminal.
 *
 * Views draw onto it; the console paints it with curses, and tests read it as text. All text that
 * is put on it goes through escape_next here, so hostile bytes cannot reach a terminal whatever a
 * view does. Text is clipped by columns at the given rectangle; a character of two columns that
 * does not fit is replaced by a blank.
 *
 * Threads: the face's. Ownership: canvas_free.
 */
#ifndef SMTPSCOPE_CANVAS_H
#define SMTPSCOPE_CANVAS_H

#include "buf.h"

#define CANVAS_MAX_WIDTH 1000
#define CANVAS_MAX_HEIGHT 500

/* What a piece of text is, not how it looks; the console maps roles to attributes and colours. */
enum role {
    ROLE_TEXT,
    ROLE_DIM,
    ROLE_BOLD,
    ROLE_TITLE, /* pane titles */
    ROLE_TITLE_FOCUS,
    ROLE_HEADER,
    ROLE_KEYBAR,
    ROLE_CURSOR_ROW,     /* selected row: reverse */
    ROLE_CURSOR_ROW_DIM, /* selected row of a pane without focus: bold */
    ROLE_MARK_RUN,       /* bracketed marks; the only places with colour */
    ROLE_MARK_OK,
    ROLE_MARK_WARN,
    ROLE_MARK_FAIL,
    ROLE_MARK_SKIP,
    ROLE_MARK_ASK,
    ROLE_MARK_STOP,
    ROLE_MARK_TODO,
    ROLE_PROBLEM, /* a line that a verdict rests on: bold */
    ROLE_ESCAPED, /* visible escapes of hostile bytes */
    ROLE_HIT,     /* search hit */
    ROLE_LINE,    /* rules between panes */
    ROLE_FIELD,   /* input field */
    ROLE_FIELD_FOCUS,
    ROLE_BUTTON,
    ROLE_BUTTON_FOCUS,
    ROLE_ERROR,
    ROLE_COUNT
};

struct cell {
    char text[24];   /* UTF-8 of one character with its combining marks; "" in the right half of a
                        wide one */
    uint8_t columns; /* 1 or 2; 0: right half */
    uint8_t role;
};

struct rect {
    int x, y, w, h;
};

struct canvas {
    int w, h;
    struct cell *cells;
    bool ascii;             /* no own glyph and no foreign text over 0x7f */
    int cursor_x, cursor_y; /* -1: hidden */
};

/* Own glyphs, each one column; canvas_glyph picks the ASCII twin when canvas.ascii is set. */
enum glyph {
    GLYPH_OK,
    GLYPH_FAIL,
    GLYPH_HLINE,
    GLYPH_VLINE,
    GLYPH_TEE_DOWN,
    GLYPH_TEE_UP,
    GLYPH_CROSS,
    GLYPH_TEE_RIGHT,
    GLYPH_TEE_LEFT,
    GLYPH_CORNER_UL,
    GLYPH_CORNER_UR,
    GLYPH_CORNER_LL,
    GLYPH_CORNER_LR,
    GLYPH_MORE,
    GLYPH_COUNT
};
const char *canvas_glyph(bool ascii, enum glyph glyph);
/* True if every own glyph has width 1 in the locale in force (wcwidth), else all become ASCII
 * (A28). */
bool canvas_glyphs_usable(void);

/* A size outside 1..CANVAS_MAX is brought inside. On ST_NOMEM a resized canvas keeps its size. */
enum status canvas_init(struct canvas *c, int w, int h, bool ascii) MUST_CHECK;
enum status canvas_resize(struct canvas *c, int w, int h) MUST_CHECK; /* and clears */
void canvas_free(struct canvas *c);
void canvas_clear(struct canvas *c); /* and hides the cursor */

/* Puts text at (x, y) inside `clip`, skipping the first `skip` columns of it. Returns columns
 * drawn. */
int canvas_text(struct canvas *c, struct rect clip, int x, int y, enum role role, const char *p,
                size_t len, int skip);
int canvas_str(struct canvas *c, struct rect clip, int x, int y, enum role role, const char *text);
/* A label that does not fit ends in GLYPH_MORE, so that nobody takes its beginning for the whole.
 */
int canvas_label(struct canvas *c, struct rect clip, int x, int y, enum role role,
                 const char *text);
int canvas_printf(struct canvas *c, struct rect clip, int x, int y, enum role role, const char *fmt,
                  ...) PRINTF_LIKE(6, 7);
/* A trusted glyph of our own. */
void canvas_put(struct canvas *c, int x, int y, enum role role, enum glyph glyph);
void canvas_fill(struct canvas *c, struct rect area, enum role role);
/* Changes the role of cells that are there (selection, hits). */
void canvas_role(struct canvas *c, struct rect area, enum role role);
/* The canvas as lines of UTF-8 text without trailing blanks. For tests and paper view. */
enum status canvas_dump(const struct canvas *c, struct buf *out) MUST_CHECK;

#endif
