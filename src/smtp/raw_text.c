#include "raw_text.h"

#include <string.h>

#include "text.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The escape at text, of which len bytes are left. Returns its length, 0 when it is none. */
static size_t read_escape(const char *text, size_t len, char *out)
{
    static const char letters[] = "rnt0\\";
    static const char bytes[] = {'\r', '\n', '\t', '\0', '\\'};
    const char *found = len > 1 ? memchr(letters, text[1], sizeof(letters) - 1) : NULL;
    if (found != NULL) {
        *out = bytes[found - letters];
        return 2;
    }
    if (len < 4 || text[1] != 'x' || hex_value(text[2]) < 0 || hex_value(text[3]) < 0) {
        return 0;
    }
    *out = (char)(hex_value(text[2]) * 16 + hex_value(text[3]));
    return 4;
}

enum status raw_text_read(const char *text, size_t len, struct buf *out, struct error *error)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < len && st == ST_OK;) {
        char byte = text[i];
        size_t n = byte == '\\' ? read_escape(text + i, len - i, &byte) : 1;
        if (n == 0) {
            return error_set(error, ST_INVALID, 0,
                             _("There is no such escape at position %zu. Known are \\r \\n \\t \\0 "
                               "\\\\ and \\x with two hexadecimal digits."),
                             i + 1);
        }
        st = buf_add_char(out, byte);
        i += n;
    }
    if (st == ST_LIMIT) {
        return error_set(error, st, 0, _("These are more than %zu bytes."), out->max);
    }
    return st == ST_OK ? ST_OK : error_set(error, st, 0, _("There is not enough memory."));
}

enum status raw_text_write(const char *p, size_t len, struct buf *out)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < len && st == ST_OK; i++) {
        switch (p[i]) {
        case '\r':
            st = buf_add_str(out, "\\r");
            break;
        case '\n':
            st = buf_add_str(out, "\\n");
            break;
        case '\t':
            st = buf_add_str(out, "\\t");
            break;
        case '\0':
            st = buf_add_str(out, "\\0");
            break;
        case '\\':
            st = buf_add_str(out, "\\\\");
            break;
        default:
            st = p[i] >= ' ' && p[i] <= '~' ? buf_add_char(out, p[i])
                                            : buf_addf(out, "\\x%02x", (unsigned char)p[i]);
            break;
        }
    }
    return st;
}

static unsigned odd_bytes(struct span text)
{
    unsigned odd = 0;
    for (size_t i = 0; i < text.len; i++) {
        odd |= text.p[i] == '\r' ? RAW_BARE_CR : 0u;
        odd |= text.p[i] == '\0' ? RAW_NUL : 0u;
        odd |= (unsigned char)text.p[i] >= 0x80 ? RAW_EIGHT_BIT : 0u;
    }
    return odd;
}

bool raw_next_line(const char *p, size_t len, size_t *at, struct raw_line *out)
{
    if (*at >= len) {
        return false;
    }
    const char *begin = p + *at;
    const char *lf = memchr(begin, '\n', len - *at);
    size_t whole = lf != NULL ? (size_t)(lf - begin) + 1 : len - *at;
    bool crlf = lf != NULL && lf > begin && lf[-1] == '\r';
    size_t end = lf == NULL ? 0 : crlf ? 2 : 1;
    *out = (struct raw_line){.text = {begin, whole - end}, .whole = {begin, whole}};
    /* A CR at the end may still get its LF. */
    bool open = lf == NULL && begin[whole - 1] == '\r';
    out->odd = odd_bytes((struct span){begin, out->text.len - (open ? 1 : 0)});
    out->odd |= lf == NULL ? RAW_UNFINISHED : crlf ? 0u : RAW_BARE_LF;
    *at += whole;
    return true;
}
