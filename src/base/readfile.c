#include "readfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "text.h"

#define PIECE (64 * 1024)

static enum status failed(const char *shown, int sys, struct error *error)
{
    bool denied = sys == EACCES || sys == EPERM;
    return error_set(error,
                     denied          ? ST_DENIED
                     : sys == ENOENT ? ST_INVALID
                                     : ST_IO,
                     sys, _("%s cannot be read: %s."), shown, strerror(sys));
}

static enum status read_all(int fd, const char *shown, struct buf *out, struct error *error)
{
    char piece[PIECE];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return failed(shown, errno, error);
        }
        if (n == 0) {
            return ST_OK;
        }
        enum status st = buf_add(out, piece, (size_t)n);
        if (st == ST_LIMIT) {
            return error_set(error, st, 0, _("%s is larger than %zu bytes."), shown, out->max);
        }
        if (st != ST_OK) {
            return error_set(error, st, 0, _("There is not enough memory."));
        }
    }
}

enum status readfile(const char *path, struct buf *out, struct error *error)
{
    char shown[120];
    struct stat info;
    escape_copy(shown, sizeof(shown), path, strlen(path), 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return failed(shown, errno, error);
    }
    enum status st;
    if (fstat(fd, &info) != 0) {
        st = failed(shown, errno, error);
    } else if (S_ISDIR(info.st_mode)) {
        st = failed(shown, EISDIR, error);
    } else {
        st = read_all(fd, shown, out, error);
    }
    close(fd);
    return st;
}
