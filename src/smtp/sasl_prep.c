#include "sasl_impl.h"

#include "escape.h"

struct range {
    uint32_t first, last;
};

/* RFC 3454 table C.1.2 */
static const struct range other_spaces[] = {
    {0x00a0, 0x00a0}, {0x1680, 0x1680}, {0x2000, 0x200b},
    {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

/* RFC 3454 table B.1 */
static const struct range mapped_to_nothing[] = {
    {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x1806, 0x1806}, {0x180b, 0x180d},
    {0x200c, 0x200d}, {0x2060, 0x2060}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
};

/* RFC 3454 tables C.2, C.3, C.4, C.6, C.7, C.8 and C.9; surrogates are no UTF-8 in the first place.
 */
static const struct range forbidden[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},    {0x0340, 0x0341},   {0x06dd, 0x06dd},
    {0x070f, 0x070f},   {0x180e, 0x180e},    {0x200e, 0x200f},   {0x2028, 0x202e},
    {0x2061, 0x2063},   {0x206a, 0x206f},    {0x2ff0, 0x2ffb},   {0xe000, 0xf8ff},
    {0xfdd0, 0xfdef},   {0xfff9, 0xffff},    {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff},
    {0xe0000, 0xe007f}, {0xf0000, 0x10ffff},
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

enum status sasl_prep(const char *p, size_t len, struct buf *out)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < len && st == ST_OK;) {
        uint32_t code;
        size_t n = utf8_decode(p + i, len - i, &code);
        if (n == 0 || in_ranges(forbidden, ARRAY_LEN(forbidden), code)) {
            return ST_INVALID;
        }
        if (in_ranges(other_spaces, ARRAY_LEN(other_spaces), code)) {
            st = buf_add_char(out, ' ');
        } else if (!in_ranges(mapped_to_nothing, ARRAY_LEN(mapped_to_nothing), code)) {
            st = buf_add(out, p + i, n);
        }
        i += n;
    }
    return st;
}
