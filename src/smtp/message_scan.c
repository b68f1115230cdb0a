#include "message_scan.h"

#include <stdio.h>
#include <string.h>

#define LINE_OCTETS 998

/* A line without its end; *used counts with it. */
static struct span next_line(const char *p, size_t len, size_t *used, bool *bare)
{
    size_t n = 0;
    while (n < len && p[n] != '\r' && p[n] != '\n') {
        n++;
    }
    bool crlf = n + 1 < len && p[n] == '\r' && p[n + 1] == '\n';
    *bare = n < len && !crlf;
    *used = n + (n == len ? 0 : crlf ? 2 : 1);
    return (struct span){p, n};
}

/* The value of the header when the line begins with its name. */
static bool header_value(struct span line, const char *name, struct span *value)
{
    size_t n = strlen(name);
    if (line.len < n || !span_equal_nocase((struct span){line.p, n}, name)) {
        return false;
    }
    /* RFC 5322 4.5 still lets blanks stand before the colon. */
    while (n < line.len && (line.p[n] == ' ' || line.p[n] == '\t')) {
        n++;
    }
    if (n == line.len || line.p[n] != ':') {
        return false;
    }
    n++;
    *value = (struct span){line.p + n, line.len - n};
    return true;
}

static void take_id(struct message_scan *s, struct span value)
{
    while (value.len > 0 && (*value.p == ' ' || *value.p == '\t')) {
        value.p++;
        value.len--;
    }
    const char *end = value.len > 0 ? memchr(value.p, '>', value.len) : NULL;
    size_t n = end != NULL ? (size_t)(end - value.p) + 1 : 0;
    if (n > 0 && n < sizeof(s->id) && value.p[0] == '<') {
        memcpy(s->id, value.p, n);
        s->id[n] = '\0';
    }
}

static void scan_header(struct message_scan *s, struct span line)
{
    struct span value;
    s->date = s->date || header_value(line, "Date", &value);
    s->from = s->from || header_value(line, "From", &value);
    s->to = s->to || header_value(line, "To", &value);
    if (header_value(line, "Message-ID", &value)) {
        s->message_id = true;
        take_id(s, value);
    }
}

static void scan_bytes(struct message_scan *s, struct span line)
{
    for (size_t i = 0; i < line.len; i++) {
        s->eight_bit = s->eight_bit || (unsigned char)line.p[i] >= 0x80;
        s->nul = s->nul || line.p[i] == '\0';
    }
}

void message_scan(const char *p, size_t len, struct message_scan *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t at = 0; at < len;) {
        size_t used;
        bool bare;
        struct span line = next_line(p + at, len - at, &used, &bare);
        out->bare_ends += bare ? 1 : 0;
        out->long_lines += line.len > LINE_OCTETS ? 1 : 0;
        out->wire_octets += line.len + 2;
        scan_bytes(out, line);
        if (!out->headers_end && line.len > 0) {
            scan_header(out, line);
        }
        out->headers_end = out->headers_end || line.len == 0;
        at += used;
    }
}

void message_scan_missing(const struct message_scan *s, char *out, size_t size)
{
    const struct {
        bool there;
        const char *name;
    } headers[] = {
        {s->date, "Date"}, {s->from, "From"}, {s->to, "To"}, {s->message_id, "Message-ID"}};
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(headers) && at < size; i++) {
        if (!headers[i].there) {
            int n = snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", headers[i].name);
            at += n > 0 ? (size_t)n : 0;
        }
    }
}
