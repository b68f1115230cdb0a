#include "paste.h"

bool paste_next(const char *p, size_t len, size_t *at, struct span *line)
{
    size_t begin = *at;
    size_t end = begin;
    if (begin >= len) {
        return false;
    }
    while (end < len && p[end] != '\r' && p[end] != '\n') {
        end++;
    }
    *line = (struct span){p + begin, end - begin};
    *at = end + (end < len ? 1 : 0);
    if (*at < len && p[end] == '\r' && p[*at] == '\n') {
        (*at)++;
    }
    return true;
}

size_t paste_lines(const char *p, size_t len)
{
    struct span line;
    size_t count = 0;
    for (size_t at = 0; paste_next(p, len, &at, &line);) {
        count++;
    }
    return count;
}
