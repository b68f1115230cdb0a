#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "text.h"

static enum status read_all(int fd, const char *path, struct buf *out, struct error *error)
{
    char piece[16384];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n == 0) {
            return ST_OK;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return error_set(error, ST_IO, errno, _("%s cannot be read: %s"), path,
                             strerror(errno));
        }
        enum status st = buf_add(out, piece, (size_t)n);
        if (st == ST_LIMIT) {
            return error_set(error, ST_INVALID, 0, _("%s is over %zu bytes"), path, out->max);
        }
        if (st != ST_OK) {
            return error_set(error, st, 0, _("%s: not enough memory"), path);
        }
    }
}

enum status textfile_read(const char *path, struct buf *out, bool *there, struct error *error)
{
    *there = false;
    /* Not blocking: somebody may have put a FIFO there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return ST_OK;
        }
        return error_set(error, errno == EACCES ? ST_DENIED : ST_IO, errno,
                         _("%s cannot be read: %s"), path, strerror(errno));
    }
    *there = true;
    struct stat info;
    enum status st;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        st = error_set(error, ST_INVALID, 0, _("%s is not a regular file"), path);
    } else {
        st = read_all(fd, path, out, error);
    }
    close(fd);
    return st;
}

struct textfile textfile_over(const char *name, const char *p, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t skipped = len >= 3 && memcmp(p, mark, 3) == 0 ? 3 : 0;
    return (struct textfile){.name = name, .p = p + skipped, .len = len - skipped};
}

static enum status line_check(const struct textfile *t, const char *p, size_t len,
                              struct error *error)
{
    while (len > 0) {
        /* Nearly all of it, and these files are read in every process, however short. */
        if (*p >= 0x20 && *p < 0x7f) {
            p++;
            len--;
            continue;
        }
        uint32_t c;
        size_t n = utf8_decode(p, len, &c);
        if (n == 0) {
            return error_set(error, ST_INVALID, 0, _("%s:%u: expected UTF-8"), t->name, t->line);
        }
        if ((c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0)) {
            return error_set(error, ST_INVALID, 0, _("%s:%u: a control character is in it"),
                             t->name, t->line);
        }
        p += n;
        len -= n;
    }
    return ST_OK;
}

enum status textfile_line(struct textfile *t, struct buf *out, struct error *error)
{
    if (t->len == 0) {
        return ST_EOF;
    }
    t->line++;
    const char *p = t->p;
    const char *end = memchr(p, '\n', t->len);
    size_t whole = end != NULL ? (size_t)(end - p) + 1 : t->len;
    size_t n = end != NULL ? whole - 1 : whole;
    while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t')) {
        n--;
    }
    t->p += whole;
    t->len -= whole;
    enum status st = line_check(t, p, n, error);
    if (st != ST_OK) {
        return st;
    }
    buf_clear(out);
    st = buf_add(out, p, n);
    if (st == ST_LIMIT) {
        return error_set(error, ST_INVALID, 0, _("%s:%u: the line is over %zu bytes"), t->name,
                         t->line, out->max);
    }
    return st == ST_OK ? ST_OK
                       : error_set(error, st, 0, _("%s:%u: not enough memory"), t->name, t->line);
}
