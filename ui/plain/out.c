#include "out.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"

#define LINE_MAX_BYTES ((size_t)8 << 20)
#define PARAGRAPH_COLUMNS 78

void out_init(struct out *o, int fd, bool ascii)
{
    memset(o, 0, sizeof(*o));
    o->fd = fd;
    o->ascii = ascii;
    buf_init(&o->b, OUT_MAX);
}

void out_free(struct out *o)
{
    buf_free(&o->b);
}

static bool is_broken(const struct out *o)
{
    return o->closed || o->sys != 0;
}

static unsigned escape_flags(const struct out *o)
{
    return o->ascii ? ESCAPE_ASCII : 0;
}

static void add_escaped(struct out *o, const char *p, size_t len)
{
    if (!is_broken(o) && escape_add(&o->b, p, len, escape_flags(o)) != ST_OK) {
        o->sys = ENOMEM;
    }
}

void out_raw(struct out *o, const char *p, size_t len)
{
    o->begun = true;
    if (!is_broken(o) && buf_add(&o->b, p, len) != ST_OK) {
        o->sys = ENOMEM;
    }
}

void out_line(struct out *o, const char *fmt, ...)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    va_list ap;
    va_start(ap, fmt);
    enum status st = buf_addv(&line, fmt, ap);
    va_end(ap);
    if (st == ST_OK) {
        add_escaped(o, buf_str(&line), line.len);
        out_raw(o, "\n", 1);
    }
    buf_free(&line);
}

void out_bytes(struct out *o, const char *p, size_t len)
{
    add_escaped(o, p, len);
    out_raw(o, "\n", 1);
}

void out_paragraph(struct out *o, const char *lead, const char *text)
{
    size_t indent = escape_columns(lead, strlen(lead), escape_flags(o));
    size_t column = indent;
    bool first = true;
    add_escaped(o, lead, strlen(lead));
    while (*text != '\0') {
        size_t len = strcspn(text, " \n");
        size_t width = escape_columns(text, len, escape_flags(o));
        if (len > 0 && !first && column + 1 + width > PARAGRAPH_COLUMNS) {
            out_raw(o, "\n", 1);
            for (column = 0; column < indent; column++) {
                out_raw(o, " ", 1);
            }
            first = true;
        }
        if (len > 0 && !first) {
            out_raw(o, " ", 1);
            column++;
        }
        add_escaped(o, text, len);
        column += width;
        first = first && len == 0;
        text += len;
        text += strspn(text, " \n");
    }
    out_raw(o, "\n", 1);
}

bool out_flush(struct out *o)
{
    size_t done = 0;
    while (done < o->b.len && !is_broken(o)) {
        if (o->interrupts != NULL && *o->interrupts > 1) {
            o->sys = EINTR;
            break;
        }
        ssize_t n = write(o->fd, o->b.p + done, o->b.len - done);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd p = {.fd = o->fd, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (errno == EPIPE) {
            o->closed = true;
        } else if (errno != EINTR) {
            o->sys = errno;
        }
    }
    buf_clear(&o->b);
    return !is_broken(o);
}

void complain(bool ascii, const char *fmt, ...)
{
    struct out o;
    struct buf line;
    out_init(&o, STDERR_FILENO, ascii);
    buf_init(&line, LINE_MAX_BYTES);
    va_list ap;
    va_start(ap, fmt);
    if (buf_addv(&line, fmt, ap) == ST_OK) {
        out_line(&o, "smtpscope: %s", buf_str(&line));
        (void)out_flush(&o);
    }
    va_end(ap);
    buf_free(&line);
    out_free(&o);
}
