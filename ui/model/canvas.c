#include "canvas.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "escape.h"

/* What canvas_printf can hold; longer text is wider than the widest canvas. */
#define PRINTF_MAX 4096

static const struct {
    const char *utf8, *ascii;
} glyphs[GLYPH_COUNT] = {
    [GLYPH_OK] = {"\u2713", "+"},        [GLYPH_FAIL] = {"\u2717", "x"},
    [GLYPH_HLINE] = {"\u2500", "-"},     [GLYPH_VLINE] = {"\u2502", "|"},
    [GLYPH_TEE_DOWN] = {"\u252c", "+"},  [GLYPH_TEE_UP] = {"\u2534", "+"},
    [GLYPH_CROSS] = {"\u253c", "+"},     [GLYPH_TEE_RIGHT] = {"\u251c", "+"},
    [GLYPH_TEE_LEFT] = {"\u2524", "+"},  [GLYPH_CORNER_UL] = {"\u250c", "+"},
    [GLYPH_CORNER_UR] = {"\u2510", "+"}, [GLYPH_CORNER_LL] = {"\u2514", "+"},
    [GLYPH_CORNER_LR] = {"\u2518", "+"}, [GLYPH_MORE] = {"\u2026", "~"},
};

const char *canvas_glyph(bool ascii, enum glyph glyph)
{
    return ascii ? glyphs[glyph].ascii : glyphs[glyph].utf8;
}

bool canvas_glyphs_usable(void)
{
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        return false;
    }
    for (size_t i = 0; i < GLYPH_COUNT; i++) {
        const char *text = glyphs[i].utf8;
        size_t len = strlen(text);
        wchar_t wide;
        mbstate_t state;
        memset(&state, 0, sizeof(state));
        if (mbrtowc(&wide, text, len, &state) != len || wcwidth(wide) != 1) {
            return false;
        }
    }
    return true;
}

static int clamp(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

enum status canvas_init(struct canvas *c, int w, int h, bool ascii)
{
    memset(c, 0, sizeof(*c));
    c->ascii = ascii;
    return canvas_resize(c, w, h);
}

enum status canvas_resize(struct canvas *c, int w, int h)
{
    w = clamp(w, 1, CANVAS_MAX_WIDTH);
    h = clamp(h, 1, CANVAS_MAX_HEIGHT);
    if (c->cells == NULL || w != c->w || h != c->h) {
        struct cell *cells = malloc((size_t)w * (size_t)h * sizeof(*cells));
        if (cells == NULL) {
            return ST_NOMEM;
        }
        free(c->cells);
        c->cells = cells;
        c->w = w;
        c->h = h;
    }
    canvas_clear(c);
    return ST_OK;
}

void canvas_free(struct canvas *c)
{
    free(c->cells);
    c->cells = NULL;
    c->w = c->h = 0;
}

static void cell_blank(struct cell *cell, uint8_t role)
{
    cell->text[0] = ' ';
    cell->text[1] = '\0';
    cell->columns = 1;
    cell->role = role;
}

void canvas_clear(struct canvas *c)
{
    size_t count = (size_t)c->w * (size_t)c->h;
    for (size_t i = 0; i < count; i++) {
        cell_blank(&c->cells[i], ROLE_TEXT);
    }
    c->cursor_x = c->cursor_y = -1;
}

static struct rect rect_inside(const struct canvas *c, struct rect r)
{
    /* In 64 bits, so that no rectangle can overflow. */
    int64_t left = r.x > 0 ? r.x : 0;
    int64_t top = r.y > 0 ? r.y : 0;
    int64_t right = (int64_t)r.x + r.w;
    int64_t bottom = (int64_t)r.y + r.h;
    right = right < c->w ? right : c->w;
    bottom = bottom < c->h ? bottom : c->h;
    struct rect out = {0, 0, 0, 0};
    if (left < right && top < bottom) {
        out = (struct rect){(int)left, (int)top, (int)(right - left), (int)(bottom - top)};
    }
    return out;
}

static struct cell *cell_at(const struct canvas *c, int x, int y)
{
    return &c->cells[(size_t)y * (size_t)c->w + (size_t)x];
}

/* What is about to be overwritten may be half of a wide character: the other half becomes a blank,
   so that every row keeps exactly as many columns as the canvas. */
static void cell_release(struct canvas *c, int x, int y)
{
    struct cell *cell = cell_at(c, x, y);
    if (cell->columns == 0 && x > 0) {
        cell_blank(cell - 1, (cell - 1)->role);
    } else if (cell->columns == 2 && x + 1 < c->w) {
        cell_blank(cell + 1, (cell + 1)->role);
    }
}

static void cell_store(struct canvas *c, int x, int y, uint8_t role, const char *p, size_t len)
{
    struct cell *cell = cell_at(c, x, y);
    cell_release(c, x, y);
    memcpy(cell->text, p, len);
    cell->text[len] = '\0';
    cell->columns = 1;
    cell->role = role;
}

static void cell_store_wide(struct canvas *c, int x, int y, uint8_t role, const char *p, size_t len)
{
    struct cell *cell = cell_at(c, x, y);
    cell_release(c, x, y);
    cell_release(c, x + 1, y);
    memcpy(cell->text, p, len);
    cell->text[len] = '\0';
    cell->columns = 2;
    cell->role = role;
    cell[1].text[0] = '\0';
    cell[1].columns = 0;
    cell[1].role = role;
}

/* The piece's columns [col, col + columns) against [left, right). Returns the columns drawn. */
static int piece_draw(struct canvas *c, int64_t col, int left, int right, int y, uint8_t role,
                      const struct escape_cell *piece)
{
    int drawn = 0;
    if (piece->escaped) {
        /* Every byte of an escape is one column. */
        for (int i = 0; i < piece->len; i++) {
            if (col + i >= left && col + i < right) {
                cell_store(c, (int)col + i, y, role, piece->text + i, 1);
                drawn++;
            }
        }
        return drawn;
    }
    if (piece->columns == 2 && col >= left && col + 1 < right) {
        cell_store_wide(c, (int)col, y, role, piece->text, piece->len);
        return 2;
    }
    for (int i = 0; i < piece->columns; i++) {
        if (col + i >= left && col + i < right) {
            bool whole = piece->columns == 1;
            cell_store(c, (int)col + i, y, role, whole ? piece->text : " ", whole ? piece->len : 1);
            drawn++;
        }
    }
    return drawn;
}

/* In a selected row or a field the escapes take the look of the row. */
static uint8_t role_of_escape(enum role role)
{
    switch (role) {
    case ROLE_CURSOR_ROW:
    case ROLE_CURSOR_ROW_DIM:
    case ROLE_KEYBAR:
    case ROLE_FIELD_FOCUS:
    case ROLE_BUTTON_FOCUS:
        return (uint8_t)role;
    default:
        return ROLE_ESCAPED;
    }
}

int canvas_text(struct canvas *c, struct rect clip, int x, int y, enum role role, const char *p,
                size_t len, int skip)
{
    struct rect in = rect_inside(c, clip);
    if (in.w == 0 || y < in.y || y >= in.y + in.h) {
        return 0;
    }
    int left = x > in.x ? x : in.x; /* what is skipped must not appear before x */
    int right = in.x + in.w;
    int64_t col = (int64_t)x - (skip > 0 ? skip : 0);
    int drawn = 0;
    unsigned flags = c->ascii ? ESCAPE_ASCII : 0;
    while (len > 0 && col < right) {
        struct escape_cell piece;
        escape_next(p, len, flags, &piece);
        if (col + piece.columns > left) {
            uint8_t as = piece.escaped ? role_of_escape(role) : (uint8_t)role;
            drawn += piece_draw(c, col, left, right, y, as, &piece);
        }
        col += piece.columns;
        p += piece.consumed;
        len -= piece.consumed;
    }
    return drawn;
}

int canvas_str(struct canvas *c, struct rect clip, int x, int y, enum role role, const char *text)
{
    return canvas_text(c, clip, x, y, role, text, strlen(text), 0);
}

int canvas_label(struct canvas *c, struct rect clip, int x, int y, enum role role, const char *text)
{
    int drawn = canvas_str(c, clip, x, y, role, text);
    size_t columns = escape_columns(text, strlen(text), c->ascii ? ESCAPE_ASCII : 0);
    if (drawn > 0 && (size_t)drawn < columns) {
        struct rect in = rect_inside(c, clip);
        canvas_put(c, in.x + in.w - 1, y, role, GLYPH_MORE);
    }
    return drawn;
}

int canvas_printf(struct canvas *c, struct rect clip, int x, int y, enum role role, const char *fmt,
                  ...)
{
    char text[PRINTF_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n <= 0) {
        return 0;
    }
    return canvas_str(c, clip, x, y, role, text);
}

void canvas_put(struct canvas *c, int x, int y, enum role role, enum glyph glyph)
{
    if (x < 0 || y < 0 || x >= c->w || y >= c->h) {
        return;
    }
    const char *text = canvas_glyph(c->ascii, glyph);
    cell_store(c, x, y, (uint8_t)role, text, strlen(text));
}

void canvas_fill(struct canvas *c, struct rect area, enum role role)
{
    struct rect in = rect_inside(c, area);
    for (int y = in.y; y < in.y + in.h; y++) {
        for (int x = in.x; x < in.x + in.w; x++) {
            cell_release(c, x, y);
            cell_blank(cell_at(c, x, y), (uint8_t)role);
        }
    }
}

void canvas_role(struct canvas *c, struct rect area, enum role role)
{
    struct rect in = rect_inside(c, area);
    for (int y = in.y; y < in.y + in.h; y++) {
        for (int x = in.x; x < in.x + in.w; x++) {
            cell_at(c, x, y)->role = (uint8_t)role;
        }
    }
}

enum status canvas_dump(const struct canvas *c, struct buf *out)
{
    for (int y = 0; y < c->h; y++) {
        int end = c->w;
        while (end > 0 && strcmp(cell_at(c, end - 1, y)->text, " ") == 0) {
            end--;
        }
        for (int x = 0; x < end; x++) {
            enum status st = buf_add_str(out, cell_at(c, x, y)->text);
            if (st != ST_OK) {
                return st;
            }
        }
        enum status st = buf_add_char(out, '\n');
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}
