#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum status wake_init(struct wake *w)
{
    int fd[2];
    w->rd = w->wr = -1;
    if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) != 0) {
        return errno == EMFILE || errno == ENFILE ? ST_LIMIT : ST_IO;
    }
    w->rd = fd[0];
    w->wr = fd[1];
    return ST_OK;
}

void wake_fini(struct wake *w)
{
    if (w->rd >= 0) {
        close(w->rd);
        close(w->wr);
    }
    w->rd = w->wr = -1;
}

void wake_call(const struct wake *w)
{
    /* errno belongs to the code that a signal handler interrupted. A full pipe is as good as one
       more byte: the sleeper wakes in any case. */
    int keep = errno;
    ssize_t n;
    do {
        n = write(w->wr, "", 1);
    } while (n < 0 && errno == EINTR);
    errno = keep;
}

void wake_drain(const struct wake *w)
{
    char bytes[256];
    ssize_t n;
    do {
        n = read(w->rd, bytes, sizeof(bytes));
    } while (n == (ssize_t)sizeof(bytes) || (n < 0 && errno == EINTR));
}
