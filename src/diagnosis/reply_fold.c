#include "reply_fold.h"

#include <string.h>

#include "escape.h"

/* Base letters of U+00C0..U+017F; a blank is no letter. Ligatures are handled before. */
static const char latin[] = "aaaaaaaceeeeiiii"
                            "dnooooo ouuuuyts"
                            "aaaaaaaceeeeiiii"
                            "dnooooo ouuuuyty"
                            "aaaaaaccccccccdd"
                            "ddeeeeeeeeeegggg"
                            "gggghhhhiiiiiiii"
                            "iiiijjkkklllllll"
                            "lllnnnnnnnnnoooo"
                            "oooorrrrrrssssss"
                            "ssttttttuuuuuuuu"
                            "uuuuwwyyyzzzzzzs";

static bool is_ascii_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool ends_token(unsigned char c)
{
    return c <= ' ' || c >= 0x7f || strchr("<>()[]\"',;", c) != NULL;
}

/* Signs of other scripts that part words: those of Latin-1, general and CJK punctuation, full-width
 * forms. */
static bool is_separator(uint32_t c)
{
    return c < 0xc0 || (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x303f) ||
           (c >= 0xff00 && c <= 0xff0f) || (c >= 0xff1a && c <= 0xff20);
}

static uint32_t lower_cyrillic(uint32_t c)
{
    if (c >= 0x410 && c <= 0x42f) {
        return c + 0x20;
    }
    return c >= 0x400 && c <= 0x40f ? c + 0x50 : c;
}

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x800) {
        out[0] = (char)(0xc0 | (c >> 6));
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | (c >> 12));
        out[1] = (char)(0x80 | ((c >> 6) & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (c >> 18));
    out[1] = (char)(0x80 | ((c >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((c >> 6) & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* A code point beyond ASCII as it is compared: up to four bytes, none for a separator. */
static size_t fold_wide(uint32_t c, char *out)
{
    if (is_separator(c)) {
        return 0;
    }
    if (c == 0xdf || c == 0xc6 || c == 0xe6) {
        memcpy(out, c == 0xdf ? "ss" : "ae", 2);
        return 2;
    }
    if (c < 0x180) {
        out[0] = latin[c - 0xc0];
        return out[0] != ' ' ? 1 : 0;
    }
    return encode(lower_cyrillic(c), out);
}

struct folder {
    char *out;
    size_t n, size;
};

static void put_blank(struct folder *f)
{
    if (f->out[f->n - 1] != ' ') {
        f->out[f->n++] = ' ';
    }
}

/* Room for the longest character, the last blank and the NUL. */
static bool has_room(const struct folder *f)
{
    return f->n + 6 <= f->size;
}

/* One character at p; returns how many bytes it took. */
static size_t fold_one(struct folder *f, const char *p, size_t len)
{
    unsigned char c = (unsigned char)*p;
    uint32_t wide = c;
    size_t used = 1;
    if (c < 0x80) {
        if (is_ascii_word(c)) {
            f->out[f->n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        } else {
            put_blank(f);
        }
        return 1;
    }
    used = utf8_decode(p, len, &wide);
    if (used == 0) {
        used = 1;
        wide = c;
    }
    char bytes[4];
    size_t n = fold_wide(wide, bytes);
    if (n == 0) {
        put_blank(f);
    }
    memcpy(f->out + f->n, bytes, n);
    f->n += n;
    return used;
}

/* The length of a mail address that begins here; 0: there is none. */
static size_t mailbox_length(const char *p, size_t len)
{
    size_t n = 0;
    bool at = false;
    while (n < len && !ends_token((unsigned char)p[n])) {
        at = at || p[n] == '@';
        n++;
    }
    return at ? n : 0;
}

size_t fold_text(struct span text, char *out, size_t size)
{
    struct folder f = {out, 1, size};
    size_t i = 0;
    bool token = true; /* one begins here */
    out[0] = ' ';
    while (i < text.len && has_room(&f)) {
        size_t skip = token ? mailbox_length(text.p + i, text.len - i) : 0;
        if (skip > 0) {
            put_blank(&f);
            i += skip;
            token = false;
            continue;
        }
        token = ends_token((unsigned char)text.p[i]);
        i += fold_one(&f, text.p + i, text.len - i);
    }
    put_blank(&f);
    out[f.n] = '\0';
    return f.n;
}

static unsigned gram_of(const char *p)
{
    uint32_t three = (uint32_t)(unsigned char)p[0] | (uint32_t)(unsigned char)p[1] << 8 |
                     (uint32_t)(unsigned char)p[2] << 16;
    return (three * 2654435761u) >> 21;
}

void fold_grams(const char *folded, size_t len, struct fold_grams *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i + 3 <= len; i++) {
        unsigned gram = gram_of(folded + i);
        out->bits[gram / 64] |= UINT64_C(1) << (gram % 64);
    }
}

bool fold_has_grams(const struct fold_grams *text, const uint16_t *grams, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((text->bits[grams[i] / 64] >> (grams[i] % 64) & 1) == 0) {
            return false;
        }
    }
    return true;
}

/* Two signs that say the same, or contradict each other. */
static bool is_odd_pair(char a, char b)
{
    bool edge = a == ' ' || a == '_';
    return (edge && (b == ' ' || b == '_')) || (a == '*' && b == '*');
}

bool fold_pattern_check(const char *pattern, const char **wrong)
{
    char folded[FOLD_WORDS_MAX + 8];
    size_t len = strlen(pattern);
    if (len == 0 || len > FOLD_WORDS_MAX) {
        *wrong = pattern;
        return false;
    }
    for (const char *p = pattern; *p != '\0';) {
        if (strchr("*#_ ", *p) != NULL) {
            if (is_odd_pair(p[0], p[1])) {
                *wrong = p;
                return false;
            }
            p++;
            continue;
        }
        size_t run = strcspn(p, "*#_ ");
        size_t n = fold_text((struct span){p, run}, folded, sizeof(folded));
        if (n != run + 2 || memcmp(folded + 1, p, run) != 0) {
            *wrong = p;
            return false;
        }
        p += run;
    }
    *wrong = pattern;
    return pattern[0] != ' ' && pattern[0] != '*' && pattern[len - 1] != ' ' &&
           pattern[len - 1] != '*';
}

void fold_pattern_prepare(char *pattern)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '_') {
            *pattern = ' ';
        }
    }
}

size_t fold_pattern_grams(const char *pattern, uint16_t grams[FOLD_GRAMS_KEPT])
{
    const char *best = pattern;
    size_t best_len = 0;
    for (const char *p = pattern; *p != '\0';) {
        size_t run = strcspn(p, "*#");
        if (run > best_len) {
            best = p;
            best_len = run;
        }
        p += run + (p[run] != '\0' ? 1 : 0);
    }
    size_t most = best_len >= 3 ? best_len - 2 : 0;
    size_t count = most < FOLD_GRAMS_KEPT ? most : FOLD_GRAMS_KEPT;
    for (size_t i = 0; i < count; i++) {
        /* Spread over the piece. */
        size_t at = count > 1 ? i * (most - 1) / (count - 1) : 0;
        grams[i] = (uint16_t)gram_of(best + at);
    }
    return count;
}

/* Like memmem, with '#' for one digit. */
static const char *find_digits(const char *text, size_t len, const char *piece, size_t size)
{
    for (size_t i = 0; i + size <= len; i++) {
        size_t k = 0;
        while (k < size && (piece[k] == '#' ? text[i + k] >= '0' && text[i + k] <= '9'
                                            : piece[k] == text[i + k])) {
            k++;
        }
        if (k == size) {
            return text + i;
        }
    }
    return NULL;
}

bool fold_match(const char *folded, size_t len, const char *pattern)
{
    const char *end = folded + len;
    while (*pattern != '\0') {
        size_t size = strcspn(pattern, "*");
        size_t rest = (size_t)(end - folded);
        const char *found = memchr(pattern, '#', size) != NULL
                                ? find_digits(folded, rest, pattern, size)
                                : memmem(folded, rest, pattern, size);
        if (found == NULL) {
            return false;
        }
        /* A blank may end one piece and begin the next. */
        folded = found + size - (size > 0 && found[size - 1] == ' ' ? 1 : 0);
        pattern += size + (pattern[size] == '*' ? 1 : 0);
    }
    return true;
}
