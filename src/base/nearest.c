#include "nearest.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_WORD_MAX + 1];
    size_t *above = rows[0], *row = rows[1], *free_row = rows[2];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > NEAREST_WORD_MAX || b_len > NEAREST_WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t k = 0; k <= b_len; k++) {
        row[k] = k;
        above[k] = k;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *next = free_row;
        next[0] = i;
        for (size_t k = 1; k <= b_len; k++) {
            size_t cost = a[i - 1] == b[k - 1] ? 0 : 1;
            next[k] = least(least(row[k], next[k - 1]) + 1, row[k - 1] + cost);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
                next[k] = least(next[k], above[k - 2] + 1);
            }
        }
        free_row = above;
        above = row;
        row = next;
    }
    return row[b_len];
}

size_t nearest_word(const char *word, const char *(*word_at)(const void *ctx, size_t i),
                    const void *ctx, size_t count)
{
    size_t best = count;
    size_t limit = strlen(word) / 2 + 1;
    size_t shortest = limit < 4 ? limit : 4;
    for (size_t i = 0; i < count; i++) {
        const char *known = word_at(ctx, i);
        if (known == NULL) {
            continue;
        }
        size_t d = nearest_distance(word, known);
        if (d < shortest) {
            shortest = d;
            best = i;
        }
    }
    return best;
}
