#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "redact.h"
#include "text.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_TRACED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_ARE_TRACED 1
#endif

void secret_wipe(void *p, size_t len)
{
    if (p != NULL && len > 0) {
        OPENSSL_cleanse(p, len);
    }
}

void secret_free(struct secret *s)
{
    if (s->p != NULL) {
        secret_wipe(s->p, s->mapped);
        munmap(s->p, s->mapped);
    }
    s->p = NULL;
    s->len = s->mapped = 0;
}

bool secret_is_set(const struct secret *s)
{
    return s->p != NULL;
}

/* Pages of its own: what is locked or kept out of a core dump is always a whole page. */
static enum status secret_allocate(struct secret *s, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (len / page + 1) * page;
    char *p = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return ST_NOMEM;
    }
    /* Best effort: the limit on locked memory may be zero, and that is no reason to stop. */
    (void)mlock(p, mapped);
#ifdef MADV_DONTDUMP
    (void)madvise(p, mapped, MADV_DONTDUMP);
#endif
    s->p = p;
    s->len = len;
    s->mapped = mapped;
    return ST_OK;
}

enum status secret_set_any(struct secret *s, const char *p, size_t len)
{
    struct secret fresh;
    enum status st = secret_allocate(&fresh, len);
    if (st != ST_OK) {
        return st;
    }
    if (len > 0) {
        memcpy(fresh.p, p, len);
    }
    secret_free(s);
    *s = fresh;
    return ST_OK;
}

enum status secret_set(struct secret *s, const char *p, size_t len)
{
    return len > SECRET_MAX ? ST_LIMIT : secret_set_any(s, p, len);
}

enum status secret_copy(struct secret *dst, const struct secret *src)
{
    if (!secret_is_set(src)) {
        secret_free(dst);
        return ST_OK;
    }
    return secret_set_any(dst, src->p, src->len);
}

/* 1: a byte, 0: end of file, -1: errno. */
static int read_byte(int fd, char *c)
{
    for (;;) {
        ssize_t n = read(fd, c, 1);
        if (n >= 0) {
            return (int)n;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd pfd = {.fd = fd, .events = POLLIN};
            if (poll(&pfd, 1, -1) < 0 && errno != EINTR) {
                return -1;
            }
        } else if (errno != EINTR) {
            return -1;
        }
    }
}

enum status secret_read_fd(struct secret *s, int fd, struct error *error)
{
    struct secret fresh;
    enum status st = secret_allocate(&fresh, SECRET_MAX + 1);
    if (st != ST_OK) {
        return error_set(error, st, 0, _("There is not enough memory to read the password."));
    }
    size_t len = 0;
    bool line_end = false;
    /* Byte by byte: what follows the line may be meant for somebody else. */
    while (!line_end) {
        char c;
        int n = read_byte(fd, &c);
        if (n < 0) {
            int sys = errno;
            st = error_set(error, ST_IO, sys, _("The password cannot be read: %s."),
                           strerror(sys));
            goto out;
        }
        if (n == 0) {
            break;
        }
        line_end = c == '\n';
        if (line_end) {
            if (len > 0 && fresh.p[len - 1] == '\r') {
                len--;
            }
        } else if (len == SECRET_MAX + 1) {
            st = error_set(error, ST_LIMIT, 0, _("The password is longer than %d bytes."),
                           SECRET_MAX);
            secret_wipe(&c, 1);
            goto out;
        } else {
            fresh.p[len++] = c;
        }
        secret_wipe(&c, 1);
    }
    if (len > SECRET_MAX) {
        st = error_set(error, ST_LIMIT, 0, _("The password is longer than %d bytes."), SECRET_MAX);
    } else if (len == 0) {
        st = error_set(error, ST_INVALID, 0, _("The password is empty."));
    } else {
        st = secret_set(s, fresh.p, len);
    }
out:
    secret_free(&fresh);
    return st;
}

enum status secret_read_file(struct secret *s, const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        int sys = errno;
        return error_set(error, sys == EACCES || sys == EPERM ? ST_DENIED : ST_IO, sys,
                         _("The password file %s cannot be opened: %s."), path, strerror(sys));
    }
    enum status st;
    struct stat sb;
    if (fstat(fd, &sb) != 0) {
        int sys = errno;
        st = error_set(error, ST_IO, sys, _("The password file %s cannot be examined: %s."), path,
                       strerror(sys));
        goto out;
    }
    /* Terminals and other devices have permissions of their own. */
    if ((S_ISREG(sb.st_mode) || S_ISFIFO(sb.st_mode)) && (sb.st_mode & (S_IRGRP | S_IROTH)) != 0) {
        st = error_set(error, ST_DENIED, 0,
                       _("The password file %s can be read by other users. Take that right away "
                         "first (chmod 600)."),
                       path);
        goto out;
    }
    st = secret_read_fd(s, fd, error);
out:
    close(fd);
    return st;
}

void secret_harden_process(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__) && !defined(LEAKS_ARE_TRACED)
    /* Left out where the leak checker of a test build has to trace the process. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
