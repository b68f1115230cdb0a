/*
 * model_canvas: what the tests of the console's model ask of every canvas.
 *
 * Threads: tests are single-threaded. Ownership: canvas_text_of returns a heap copy.
 */
#ifndef SMTPSCOPE_TEST_MODEL_CANVAS_H
#define SMTPSCOPE_TEST_MODEL_CANVAS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canvas.h"

/* Every row is exactly as wide as the canvas (A14), halves belong together, no control character is
   in any cell (A40), and in an ASCII canvas nothing over 0x7f (A26). */
static inline void assert_canvas_sound(const struct canvas *c)
{
    for (int y = 0; y < c->h; y++) {
        int columns = 0;
        for (int x = 0; x < c->w; x++) {
            const struct cell *cell = &c->cells[y * c->w + x];
            columns += cell->columns;
            assert_true(cell->role < ROLE_COUNT);
            assert_true(strlen(cell->text) < sizeof(cell->text));
            if (cell->columns == 2) {
                assert_true(x + 1 < c->w);
                assert_int_equal(cell[1].columns, 0);
            }
            if (cell->columns == 0) {
                assert_true(x > 0);
                assert_int_equal(cell[-1].columns, 2);
                assert_string_equal(cell->text, "");
            } else {
                assert_true(cell->text[0] != '\0');
            }
            for (const unsigned char *p = (const unsigned char *)cell->text; *p != '\0'; p++) {
                assert_true(*p >= 0x20 && *p != 0x7f);
                assert_false(c->ascii && *p > 0x7f);
                assert_false(*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f);
            }
        }
        assert_int_equal(columns, c->w);
    }
}

static inline char *canvas_text_of(const struct canvas *c)
{
    struct buf out;
    buf_init(&out, 16u << 20);
    assert_int_equal(canvas_dump(c, &out), ST_OK);
    char *text = str_dup(buf_str(&out));
    buf_free(&out);
    assert_non_null(text);
    return text;
}

/* One row without trailing blanks, as a heap copy. */
static inline char *canvas_row_of(const struct canvas *c, int y)
{
    char *text = canvas_text_of(c);
    char *p = text;
    for (int i = 0; i < y; i++) {
        p = strchr(p, '\n');
        assert_non_null(p);
        p++;
    }
    char *row = str_ndup(p, strcspn(p, "\n"));
    free(text);
    assert_non_null(row);
    return row;
}

static inline void assert_row(const struct canvas *c, int y, const char *want)
{
    char *row = canvas_row_of(c, y);
    assert_string_equal(row, want);
    free(row);
}

#endif
