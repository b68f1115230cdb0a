#include "savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define SAVE_NUMBER_MAX 999
#define SAVE_MODE (S_IRUSR | S_IWUSR)
#define TEMP_TRIES 16

/* A folder, held open so that it cannot be exchanged on the way, and names in it. */
struct place {
    int dir;
    size_t dir_len;          /* of the path, with the slash */
    char name[NAME_MAX + 1]; /* the one that is asked for or, with SAVE_NUMBER, the next one */
    char temp[32];           /* "" when there is none to remove */
};

static enum status fail_system(struct error *error, const char *path, int sys)
{
    enum status st = ST_IO;
    switch (sys) {
    case EACCES:
    case EPERM:
    case EROFS:
        st = ST_DENIED;
        break;
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
        st = ST_INVALID;
        break;
    default:
        break;
    }
    return error_set(error, st, sys, _("%s cannot be written: %s."), path, strerror(sys));
}

/* Sentence for what already stands there; ST_OK for nothing. Only regular files may ever be
 * replaced. */
static enum status look_at(const struct place *p, const char *path, struct error *error)
{
    struct stat info;
    if (fstatat(p->dir, p->name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? ST_OK : fail_system(error, path, errno);
    }
    switch (info.st_mode & S_IFMT) {
    case S_IFREG:
        return error_set(error, ST_EXISTS, 0, _("%s exists already."), path);
    case S_IFDIR:
        return error_set(error, ST_DENIED, 0, _("%s is a folder."), path);
    case S_IFLNK:
        return error_set(error, ST_DENIED, 0,
                         _("%s is a symbolic link; it is not followed. Choose another name."),
                         path);
    case S_IFIFO:
        return error_set(error, ST_DENIED, 0, _("%s is a pipe. Choose another name."), path);
    default:
        break;
    }
    return error_set(error, ST_DENIED, 0, _("%s is not a regular file. Choose another name."),
                     path);
}

static enum status open_place(struct place *p, const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    p->dir = -1;
    p->temp[0] = '\0';
    p->dir_len = (size_t)(name - path);
    if (path[0] == '\0') {
        return error_set(error, ST_INVALID, 0, _("The file name is empty."));
    }
    if (name[0] == '\0') {
        return error_set(error, ST_INVALID, 0, _("%s names a folder, not a file."), path);
    }
    for (const unsigned char *c = (const unsigned char *)path; *c != '\0'; c++) {
        if (*c < 0x20 || *c == 0x7f) {
            return error_set(error, ST_INVALID, 0, _("The file name holds a control character: %s"),
                             path);
        }
    }
    if (!str_copy(p->name, sizeof(p->name), name) || p->dir_len >= PATH_MAX) {
        return error_set(error, ST_INVALID, ENAMETOOLONG,
                         _("The file name is too long: at most %d bytes."), NAME_MAX);
    }
    char *dir = p->dir_len > 0 ? str_ndup(path, p->dir_len) : str_dup(".");
    if (dir == NULL) {
        return error_set(error, ST_NOMEM, 0, _("Not enough memory to save the file."));
    }
    p->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#ifdef O_PATH
    if (p->dir < 0 && errno == EACCES) {
        /* A folder may be written to without being readable. */
        p->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
#endif
    free(dir);
    return p->dir >= 0 ? ST_OK : fail_system(error, path, errno);
}

static void close_place(struct place *p)
{
    if (p->temp[0] != '\0') {
        unlinkat(p->dir, p->temp, 0);
    }
    if (p->dir >= 0) {
        close(p->dir);
    }
}

static int create_temp(struct place *p)
{
    for (int i = 0; i < TEMP_TRIES; i++) {
        uint64_t number = 0;
        if (RAND_bytes((unsigned char *)&number, sizeof(number)) != 1) {
            errno = EIO;
            break;
        }
        snprintf(p->temp, sizeof(p->temp), ".%016llx.part", (unsigned long long)number);
        int fd = openat(p->dir, p->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        SAVE_MODE);
        if (fd >= 0) {
            return fd;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    p->temp[0] = '\0';
    return -1;
}

/* Returns how much was written; less than len: errno says why. */
static size_t write_all(int fd, const char *p, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(fd, p + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            break;
        }
        done += (size_t)n;
    }
    return done;
}

static enum status fail_write(struct error *error, const char *path, int sys)
{
    if (sys == ENOSPC || sys == EDQUOT) {
        return error_set(error, ST_IO, sys, _("There is no room left for %s; nothing was saved."),
                         path);
    }
    if (sys == EFBIG) {
        return error_set(error, ST_IO, sys,
                         _("%s would be larger than files may be here; nothing was saved."), path);
    }
    return fail_system(error, path, sys);
}

static enum status write_temp(struct place *p, const char *path, const void *bytes, size_t len,
                              struct error *error)
{
    int fd = create_temp(p);
    if (fd < 0) {
        return fail_write(error, path, errno);
    }
    int sys = 0;
    /* The mode that was asked for, whatever the umask takes away. */
    if (fchmod(fd, SAVE_MODE) != 0 || write_all(fd, bytes, len) != len || fsync(fd) != 0) {
        sys = errno;
    }
    /* File systems over a network may tell only now that there is no room. */
    if (close(fd) != 0 && sys == 0) {
        sys = errno;
    }
    return sys == 0 ? ST_OK : fail_write(error, path, sys);
}

/* For file systems without hard links (FAT, some network shares). 0, or errno. */
static int rename_new(const struct place *p)
{
#ifdef RENAME_NOREPLACE
    if (renameat2(p->dir, p->temp, p->dir, p->name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
#endif
    /* Not even that. The name is taken with an empty file that can only be ours, then replaced. */
    int fd =
        openat(p->dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, SAVE_MODE);
    if (fd < 0) {
        return errno;
    }
    close(fd);
    if (renameat(p->dir, p->temp, p->dir, p->name) == 0) {
        return 0;
    }
    int sys = errno;
    unlinkat(p->dir, p->name, 0);
    return sys;
}

/* Gives the temporary file its name, if that is free. 0, or errno. */
static int name_new(struct place *p)
{
    if (linkat(p->dir, p->temp, p->dir, p->name, 0) == 0) {
        return 0; /* close_place removes the temporary name */
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) {
        return errno;
    }
    int sys = rename_new(p);
    if (sys == 0) {
        p->temp[0] = '\0';
    }
    return sys;
}

static int name_over(struct place *p)
{
    if (renameat(p->dir, p->temp, p->dir, p->name) != 0) {
        return errno;
    }
    p->temp[0] = '\0';
    return 0;
}

/* "report.txt" becomes "report-2.txt". False when that is too long for a name. */
static bool number_name(char *out, size_t size, const char *name, unsigned number)
{
    const char *dot = strrchr(name, '.');
    size_t stem = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
    int n = snprintf(out, size, "%.*s-%u%s", (int)stem, name, number, name + stem);
    return n > 0 && (size_t)n < size;
}

static enum status name_temp(struct place *p, const char *path, unsigned flags, struct error *error)
{
    char first[NAME_MAX + 1];
    str_copy(first, sizeof(first), p->name);
    int sys = (flags & SAVE_OVERWRITE) != 0 ? name_over(p) : name_new(p);
    for (unsigned n = 2; sys == EEXIST && (flags & SAVE_NUMBER) != 0 && n <= SAVE_NUMBER_MAX; n++) {
        if (!number_name(p->name, sizeof(p->name), first, n)) {
            return error_set(error, ST_EXISTS, 0,
                             _("%s exists already, and the name is too long for a number."), path);
        }
        sys = name_new(p);
    }
    if (sys == EEXIST) {
        return error_set(error, ST_EXISTS, 0, _("%s exists already."), path);
    }
    return sys == 0 ? ST_OK : fail_write(error, path, sys);
}

enum status savefile_write(const char *path, const void *bytes, size_t len, unsigned flags,
                           struct buf *final_name, struct error *error)
{
    struct place p;
    enum status st = open_place(&p, path, error);
    if (st == ST_OK) {
        st = look_at(&p, path, error);
        if (st == ST_EXISTS && (flags & (SAVE_OVERWRITE | SAVE_NUMBER)) != 0) {
            st = ST_OK;
        }
    }
    if (st == ST_OK) {
        st = write_temp(&p, path, bytes, len, error);
    }
    if (st == ST_OK) {
        st = name_temp(&p, path, flags, error);
    }
    if (st == ST_OK) {
        /* The name itself must survive a power cut too. Not all file systems can; then it is as it
         * is. */
        (void)fsync(p.dir);
        buf_clear(final_name);
        st = buf_add(final_name, path, p.dir_len);
        if (st == ST_OK) {
            st = buf_add_str(final_name, p.name);
        }
        if (st != ST_OK) {
            st = error_set(error, st, 0, _("%s was saved, but its name does not fit."), path);
        }
    }
    close_place(&p);
    return st;
}

enum status tee_open(struct tee *t, const char *path, struct error *error)
{
    struct place p;
    t->fd = -1;
    t->failed = true;
    enum status st = open_place(&p, path, error);
    if (st == ST_OK) {
        st = look_at(&p, path, error);
    }
    if (st == ST_OK) {
        t->fd =
            openat(p.dir, p.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, SAVE_MODE);
        if (t->fd < 0) {
            st = errno == EEXIST ? look_at(&p, path, error) : fail_write(error, path, errno);
        } else if (fchmod(t->fd, SAVE_MODE) != 0) {
            st = fail_write(error, path, errno);
            tee_close(t);
        }
    }
    close_place(&p);
    t->failed = st != ST_OK;
    return st;
}

enum status tee_add(struct tee *t, const char *bytes, size_t len, struct error *error)
{
    if (t->failed || t->fd < 0) {
        return error_set(error, ST_IO, 0, _("The running copy of the transcript has ended."));
    }
    size_t done = write_all(t->fd, bytes, len);
    if (done == len) {
        return ST_OK;
    }
    int sys = errno;
    t->failed = true;
    /* No half line stays: what is in the file can be believed. */
    off_t end = lseek(t->fd, 0, SEEK_CUR);
    if (end < (off_t)done || ftruncate(t->fd, end - (off_t)done) != 0) {
        return error_set(error, ST_IO, sys,
                         _("The transcript is not written on, and its last line "
                           "may be incomplete: %s."),
                         strerror(sys));
    }
    return error_set(error, ST_IO, sys, _("The transcript is not written on: %s."), strerror(sys));
}

void tee_close(struct tee *t)
{
    if (t->fd >= 0) {
        close(t->fd);
    }
    t->fd = -1;
}
