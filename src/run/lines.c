#include "lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * A block holds text from its front and index entries from its back, until the two meet. Every line
 * is followed by a NUL, so that no hit of a search can reach over two lines: a needle is a C string
 * and holds none. Offsets in a block fit 16 bits; a line that is too long gets a block of its own.
 */
#define BLOCK_BYTES 65536u
/* What stays of the beginning when the middle has to go. */
#define HEAD_BYTES ((size_t)4 << 20)
#define NEEDLE_MAX 1024

struct entry {
    uint32_t t;      /* microseconds since the block's first line */
    uint16_t number; /* since the block's first number */
    uint16_t offset;
    uint32_t meta; /* path 16, check 5, direction 2, tls 1, flags 8 */
};

static_assert(sizeof(struct entry) == 12, "a million entries must stay small");
static_assert(CHECK_COUNT < 32, "a check is kept in 5 bits");

struct block {
    char *p;
    size_t size, used;
    uint32_t count;
    uint32_t first, last; /* line numbers */
    int64_t t_us;
};

struct lines {
    struct block *blocks;
    size_t count, cap;
    size_t bytes;
    size_t head_count; /* blocks before the gap; 0: nothing was dropped yet */
    uint64_t dropped;
};

struct needle {
    unsigned char text[NEEDLE_MAX]; /* lower case */
    size_t len;
    uint16_t shift[256];
};

enum status lines_new(struct lines **out)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? ST_OK : ST_NOMEM;
}

void lines_free(struct lines *l)
{
    if (l == NULL) {
        return;
    }
    for (size_t i = 0; i < l->count; i++) {
        free(l->blocks[i].p);
    }
    free(l->blocks);
    free(l);
}

static struct entry *entry_at(const struct block *b, uint32_t i)
{
    return (struct entry *)(void *)(b->p + b->size) - 1 - i;
}

static size_t entry_len(const struct block *b, uint32_t i)
{
    size_t end = i + 1 < b->count ? entry_at(b, i + 1)->offset : b->used;
    return end - entry_at(b, i)->offset - 1;
}

static uint32_t entry_meta(const struct line *line, uint8_t flags)
{
    return (uint32_t)line->path | (uint32_t)(line->check & 31u) << 16 |
           (uint32_t)(line->dir & 3u) << 21 | (uint32_t)line->tls << 23 | (uint32_t)flags << 24;
}

static bool block_takes(const struct block *b, const struct line *line, size_t len)
{
    size_t taken = b->used + (b->count + 1) * sizeof(struct entry);
    return b->used < BLOCK_BYTES && taken <= b->size && len + 1 <= b->size - taken &&
           line->number - b->first <= UINT16_MAX && line->t_us >= b->t_us &&
           line->t_us - b->t_us <= (int64_t)UINT32_MAX;
}

static void drop_oldest(struct lines *l)
{
    if (l->head_count == 0) {
        size_t bytes = 0;
        while (l->head_count + 1 < l->count && bytes < HEAD_BYTES) {
            bytes += l->blocks[l->head_count].size;
            l->head_count++;
        }
    }
    size_t at = l->head_count;
    struct block *b = &l->blocks[at];
    l->dropped += b->count;
    l->bytes -= b->size + sizeof(*b);
    free(b->p);
    memmove(b, b + 1, (l->count - at - 1) * sizeof(*b));
    l->count--;
}

static enum status add_block(struct lines *l, const struct line *line, size_t len)
{
    size_t need = len + 1 + sizeof(struct entry);
    size_t size = need <= BLOCK_BYTES ? BLOCK_BYTES : (need + 3) / 4 * 4;
    while (l->count > 1 && l->count > l->head_count &&
           l->bytes + size + sizeof(struct block) > LINES_MAX_BYTES) {
        drop_oldest(l);
    }
    if (l->count == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 16;
        struct block *blocks = realloc(l->blocks, cap * sizeof(*blocks));
        if (blocks == NULL) {
            return ST_NOMEM;
        }
        l->blocks = blocks;
        l->cap = cap;
    }
    char *p = malloc(size);
    if (p == NULL) {
        return ST_NOMEM;
    }
    l->blocks[l->count++] = (struct block){
        .p = p, .size = size, .first = line->number, .last = line->number, .t_us = line->t_us};
    l->bytes += size + sizeof(struct block);
    return ST_OK;
}

enum status lines_add(struct lines *l, const struct line *line)
{
    size_t len = line->len;
    uint8_t flags = line->flags;
    if (len > LINE_KEPT_MAX) {
        len = LINE_KEPT_MAX;
        flags |= LINE_CUT;
    }
    if (line->number == 0 || line->number <= lines_last(l)) {
        return ST_INVALID;
    }
    if (l->count == 0 || !block_takes(&l->blocks[l->count - 1], line, len)) {
        enum status st = add_block(l, line, len);
        if (st != ST_OK) {
            return st;
        }
    }
    struct block *b = &l->blocks[l->count - 1];
    *entry_at(b, b->count) = (struct entry){.t = (uint32_t)(line->t_us - b->t_us),
                                            .number = (uint16_t)(line->number - b->first),
                                            .offset = (uint16_t)b->used,
                                            .meta = entry_meta(line, flags)};
    if (len > 0) {
        memcpy(b->p + b->used, line->text, len);
    }
    b->p[b->used + len] = '\0';
    b->used += len + 1;
    b->count++;
    b->last = line->number;
    return ST_OK;
}

/* The first block whose last number is not below `number`; l->count when there is none. */
static size_t find_block(const struct lines *l, uint32_t number)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (l->blocks[mid].last < number) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* The first entry of the block whose number is not below `number`; b->count when there is none. */
static uint32_t find_entry(const struct block *b, uint32_t number)
{
    uint32_t low = 0, high = b->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (b->first + entry_at(b, mid)->number < number) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static const struct block *find_line(const struct lines *l, uint32_t number, uint32_t *i)
{
    size_t at = find_block(l, number);
    if (number == 0 || at == l->count) {
        return NULL;
    }
    const struct block *b = &l->blocks[at];
    *i = find_entry(b, number);
    return b->first + entry_at(b, *i)->number == number ? b : NULL;
}

uint32_t lines_next(const struct lines *l, uint32_t number)
{
    size_t at = number < UINT32_MAX ? find_block(l, number + 1) : l->count;
    if (at == l->count) {
        return 0;
    }
    const struct block *b = &l->blocks[at];
    return b->first + entry_at(b, find_entry(b, number + 1))->number;
}

void lines_mark(struct lines *l, uint32_t number, uint8_t flags)
{
    uint32_t i;
    const struct block *b = find_line(l, number, &i);
    if (b != NULL) {
        entry_at(b, i)->meta |= (uint32_t)flags << 24;
    }
}

bool lines_get(const struct lines *l, uint32_t number, struct line *out)
{
    uint32_t i;
    const struct block *b = find_line(l, number, &i);
    if (b == NULL) {
        return false;
    }
    const struct entry *e = entry_at(b, i);
    *out = (struct line){.number = number,
                         .t_us = b->t_us + e->t,
                         .path = (uint16_t)(e->meta & 0xffffu),
                         .check = (uint8_t)(e->meta >> 16 & 31u),
                         .dir = (uint8_t)(e->meta >> 21 & 3u),
                         .flags = (uint8_t)(e->meta >> 24),
                         .tls = (e->meta >> 23 & 1u) != 0,
                         .text = b->p + e->offset,
                         .len = entry_len(b, i)};
    return true;
}

uint32_t lines_first(const struct lines *l)
{
    return l->count > 0 ? l->blocks[0].first : 0;
}

uint32_t lines_last(const struct lines *l)
{
    return l->count > 0 ? l->blocks[l->count - 1].last : 0;
}

uint64_t lines_dropped(const struct lines *l)
{
    return l->dropped;
}

uint32_t lines_gap_end(const struct lines *l, uint32_t *gap_start)
{
    if (l->head_count == 0 || l->head_count >= l->count) {
        return 0;
    }
    *gap_start = l->blocks[l->head_count - 1].last + 1;
    return l->blocks[l->head_count].first;
}

size_t lines_memory(const struct lines *l)
{
    return l->bytes + sizeof(*l);
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

/* Boyer-Moore-Horspool: on a mismatch the needle moves by what the text under its end allows. */
static bool needle_init(struct needle *n, const char *text)
{
    n->len = strlen(text);
    if (n->len == 0 || n->len > NEEDLE_MAX) {
        return false;
    }
    for (size_t i = 0; i < 256; i++) {
        n->shift[i] = (uint16_t)n->len;
    }
    for (size_t i = 0; i < n->len; i++) {
        unsigned char c = lower((unsigned char)text[i]);
        n->text[i] = c;
        if (i + 1 < n->len) {
            uint16_t shift = (uint16_t)(n->len - 1 - i);
            n->shift[c] = shift;
            if (c >= 'a' && c <= 'z') {
                n->shift[c - ('a' - 'A')] = shift;
            }
        }
    }
    return true;
}

static bool needle_is_at(const struct needle *n, const unsigned char *p)
{
    for (size_t i = n->len; i-- > 0;) {
        if (lower(p[i]) != n->text[i]) {
            return false;
        }
    }
    return true;
}

/* Offset of the first hit in p[from..len), or len. */
static size_t needle_find(const struct needle *n, const char *p, size_t from, size_t len)
{
    const unsigned char *text = (const unsigned char *)p;
    size_t end = from + n->len - 1;
    while (end < len) {
        if (needle_is_at(n, text + end + 1 - n->len)) {
            return end + 1 - n->len;
        }
        end += n->shift[text[end]];
    }
    return len;
}

/* The entry in whose text `offset` lies. */
static uint32_t entry_of_offset(const struct block *b, size_t offset)
{
    uint32_t low = 0, high = b->count;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (entry_at(b, mid)->offset <= offset) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

/* Searches entries [begin, end) of a block; end when there is no hit. */
static uint32_t search_block(const struct block *b, const struct needle *n, uint32_t begin,
                             uint32_t end, bool back)
{
    uint32_t found = end;
    size_t stop = end < b->count ? entry_at(b, end)->offset : b->used;
    size_t from = begin < b->count ? entry_at(b, begin)->offset : b->used;
    while (from < stop) {
        size_t hit = needle_find(n, b->p, from, stop);
        if (hit == stop) {
            break;
        }
        found = entry_of_offset(b, hit);
        if (!back) {
            break;
        }
        from = found + 1 < b->count ? entry_at(b, found + 1)->offset : b->used;
    }
    return found;
}

uint32_t lines_search(const struct lines *l, uint32_t from, bool back, const char *needle)
{
    struct needle n;
    if (l->count == 0 || !needle_init(&n, needle)) {
        return 0;
    }
    size_t at = find_block(l, from);
    if (back && (at == l->count || l->blocks[at].first > from)) {
        if (at == 0) {
            return 0;
        }
        at--;
    }
    while (at < l->count) {
        const struct block *b = &l->blocks[at];
        uint32_t begin = back ? 0 : find_entry(b, from);
        uint32_t end = b->count;
        if (back && from < b->last) {
            end = find_entry(b, from + 1);
        }
        uint32_t hit = search_block(b, &n, begin, end, back);
        if (hit != end) {
            return b->first + entry_at(b, hit)->number;
        }
        if (back && at == 0) {
            return 0;
        }
        at = back ? at - 1 : at + 1;
    }
    return 0;
}
