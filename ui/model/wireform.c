#include "wireform.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

unsigned wireform_line(const struct textarea_line *line, bool in_header)
{
    unsigned flags = line->bare_lf ? WIRE_BARE_LF : 0;
    for (size_t i = 0; i < line->len; i++) {
        unsigned char c = (unsigned char)line->p[i];
        flags |= c == '\r' ? WIRE_BARE_CR : 0u;
        flags |= c == '\0' ? WIRE_NUL : 0u;
        flags |= c < 0x80 ? 0u : in_header ? WIRE_HEADER_UTF8 : WIRE_EIGHT_BIT;
    }
    flags |= line->len > 0 && line->p[0] == '.' ? WIRE_STUFFED : 0u;
    flags |= line->len > WIRE_LINE_MAX ? WIRE_LONG : 0u;
    return flags;
}

void wireform_measure(const struct textarea *t, bool exact, struct wireform *out)
{
    *out = (struct wireform){.header_lines = t->count};
    bool in_header = true;
    for (size_t i = 0; i < t->count; i++) {
        const struct textarea_line *line = &t->lines[i];
        if (i + 1 == t->count && line->len == 0) {
            break; /* behind the last line end */
        }
        if (in_header && line->len == 0) {
            in_header = false;
            out->header_lines = i;
        }
        unsigned flags = wireform_line(line, in_header);
        bool lf = exact && line->bare_lf;
        out->lines++;
        out->content += line->len + (lf ? 1 : 2);
        out->octets += line->len + (lf ? 1 : 2) + ((flags & WIRE_STUFFED) != 0 ? 1 : 0);
        out->flags |= flags;
        for (int bit = 0; bit < WIRE_FLAGS; bit++) {
            out->count[bit] += (flags >> bit) & 1u;
        }
    }
}

bool wireform_in_header(const struct wireform *w, size_t row)
{
    return row < w->header_lines;
}

/* So many lines have the flag. */
static void flag_sentence(unsigned flag, unsigned long n, char *out, size_t size)
{
    switch (flag) {
    case WIRE_STUFFED:
        (void)snprintf(out, size, Q_("%lu dot is doubled.", "%lu dots are doubled.", n), n);
        break;
    case WIRE_BARE_LF:
        (void)snprintf(out, size, Q_("%lu line ends in LF alone.", "%lu lines end in LF alone.", n),
                       n);
        break;
    case WIRE_BARE_CR:
        (void)snprintf(out, size, Q_("%lu line holds a CR.", "%lu lines hold a CR.", n), n);
        break;
    case WIRE_NUL:
        (void)snprintf(out, size, Q_("%lu line holds a NUL.", "%lu lines hold a NUL.", n), n);
        break;
    case WIRE_EIGHT_BIT:
        (void)snprintf(out, size, Q_("%lu line is 8-bit.", "%lu lines are 8-bit.", n), n);
        break;
    case WIRE_LONG:
        (void)snprintf(out, size,
                       Q_("%lu line is over %d bytes.", "%lu lines are over %d bytes.", n), n,
                       WIRE_LINE_MAX);
        break;
    default:
        (void)snprintf(out, size, Q_("%lu header line is 8-bit.", "%lu header lines are 8-bit.", n),
                       n);
        break;
    }
}

void wireform_sentence(const struct wireform *w, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (int bit = 0; bit < WIRE_FLAGS; bit++) {
        unsigned long n = (unsigned long)w->count[bit];
        char one[160];
        if (n == 0 || at + 1 >= size) {
            continue;
        }
        flag_sentence(1u << bit, n, one, sizeof(one));
        int put = snprintf(out + at, size - at, "%s%s", at > 0 ? " " : "", one);
        at += put > 0 ? (size_t)put : 0;
    }
}
