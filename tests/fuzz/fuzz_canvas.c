/* Draws arbitrary bytes, clipped and scrolled anywhere: no cell may hold a control character, and
   every row must stay exactly as wide as the canvas. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIDTH 37
#define HEIGHT 3

static void check_cell(const struct canvas *c, int x, int y)
{
    const struct cell *cell = &c->cells[y * c->w + x];
    size_t len = strlen(cell->text);
    if (cell->columns > 2 || (len == 0) != (cell->columns == 0) || cell->role >= ROLE_COUNT) {
        abort();
    }
    if (cell->columns == 2 && (x + 1 == c->w || cell[1].columns != 0)) {
        abort();
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char b = (unsigned char)cell->text[i];
        unsigned char next = (unsigned char)cell->text[i + 1];
        /* C0, DEL, C1 as UTF-8; bare 0x80-0x9f can only follow a lead byte. */
        bool c1 = b == 0xc2 && next >= 0x80 && next <= 0x9f;
        if (b < 0x20 || b == 0x7f || c1 || (i == 0 && b >= 0x80 && b < 0xc2) ||
            (c->ascii && b > 0x7e)) {
            abort();
        }
    }
}

static void check_canvas(const struct canvas *c)
{
    for (int y = 0; y < c->h; y++) {
        int columns = 0;
        for (int x = 0; x < c->w; x++) {
            check_cell(c, x, y);
            columns += c->cells[y * c->w + x].columns;
        }
        if (columns != c->w) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct canvas c;
    uint8_t head[6] = {0};
    memcpy(head, data, size < sizeof(head) ? size : sizeof(head));
    if (canvas_init(&c, WIDTH, HEIGHT, (head[0] & 1) != 0) != ST_OK) {
        return 0;
    }
    struct rect clip = {(int8_t)head[1], 0, head[2], HEIGHT};
    int x = (int8_t)head[3];
    const char *text = (const char *)data;
    /* Twice over each other, so that halves of wide characters are overwritten. */
    canvas_text(&c, clip, x, 1, ROLE_TEXT, text, size, head[4]);
    check_canvas(&c);
    canvas_text(&c, clip, x + 1, 1, ROLE_PROBLEM, text, size, head[5]);
    canvas_fill(&c, (struct rect){head[4] % WIDTH, 1, 1, 1}, ROLE_LINE);
    canvas_put(&c, head[5] % WIDTH, 1, ROLE_LINE, GLYPH_VLINE);
    check_canvas(&c);
    canvas_free(&c);
    return 0;
}
