#include "fill.h"

#include <string.h>

#include "escape.h"

size_t fill_placeholder(const char *p, struct span *name)
{
    size_t n = 1;
    while ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= '0' && p[n] <= '9') || p[n] == '_') {
        n++;
    }
    name->p = p + 1;
    name->len = n - 1;
    return n > 1 && p[n] == '}' ? n + 1 : 0;
}

bool fill_brackets_match(const char *text)
{
    bool open = false;
    const char *p = text != NULL ? strpbrk(text, "[]") : NULL;
    for (; p != NULL; p = strpbrk(p, "[]")) {
        bool twice = p[0] == p[1];
        if (twice && open == (*p == '[')) {
            return false;
        }
        if (twice) {
            open = !open;
        }
        p += twice ? 2 : 1;
    }
    return !open;
}

/* True when every word that p[0..len) names is there and says something. */
static bool has_words(const char *p, size_t len,
                      const char *(*word)(const void *ctx, struct span name), const void *ctx)
{
    const char *end = p + len;
    while ((p = memchr(p, '{', (size_t)(end - p))) != NULL) {
        struct span name;
        size_t n = p[1] == '{' ? 0 : fill_placeholder(p, &name);
        const char *value = n > 0 ? word(ctx, name) : NULL;
        if (n > 0 && (value == NULL || value[0] == '\0')) {
            return false;
        }
        p += n > 0 ? n : 2;
    }
    return true;
}

enum status fill_text(struct buf *b, const char *text,
                      const char *(*word)(const void *ctx, struct span name), const void *ctx,
                      unsigned escape_flags)
{
    enum status st = ST_OK;
    while (*text != '\0' && st == ST_OK) {
        size_t run = strcspn(text, "{[]");
        st = escape_add(b, text, run, escape_flags);
        text += run;
        if (st != ST_OK || *text == '\0') {
            break;
        }
        if (text[0] == '[' && text[1] == '[') {
            const char *end = strstr(text, "]]");
            bool shown = end == NULL || has_words(text, (size_t)(end - text), word, ctx);
            text = shown ? text + 2 : end + 2;
        } else if (text[0] == ']' && text[1] == ']') {
            text += 2;
        } else if (text[0] == '{') {
            struct span name = {NULL, 0};
            size_t len = text[1] == '{' ? 0 : fill_placeholder(text, &name);
            const char *value = len > 0 ? word(ctx, name) : "{";
            value = value != NULL ? value : "?";
            st = escape_add(b, value, strlen(value), escape_flags);
            text += len > 0 ? len : 2;
        } else {
            st = buf_add_char(b, *text++);
        }
    }
    return st;
}
