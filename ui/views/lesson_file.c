#include "lesson_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "savefile.h"

#define FILE_PATH_MAX 4096
#define OWNER_ONLY 0700

/* A relative path would be another one in each folder (XDG base directory specification). */
static bool absolute(const char *path)
{
    return path != NULL && path[0] == '/';
}

static bool file_path(struct buf *out)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    enum status st = ST_INVALID;
    if (absolute(state)) {
        st = buf_addf(out, "%s/smtpscope/lessons", state);
    } else if (absolute(home)) {
        st = buf_addf(out, "%s/.local/state/smtpscope/lessons", home);
    }
    return st == ST_OK;
}

static void read_into(int fd, struct lesson_progress *p)
{
    char *text = malloc(LESSON_FILE_MAX);
    size_t len = 0;
    ssize_t n = text != NULL ? 1 : 0;
    while (n > 0 && len < LESSON_FILE_MAX) {
        n = read(fd, text + len, LESSON_FILE_MAX - len);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    if (n >= 0 && text != NULL) {
        lesson_progress_read(p, text, len);
    }
    free(text);
}

void lesson_file_read(struct lesson_progress *p)
{
    struct buf path;
    struct stat info;
    buf_init(&path, FILE_PATH_MAX);
    /* Not blocking: somebody may have put a FIFO there. */
    int fd = file_path(&path) ? open(path.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        read_into(fd, p);
    }
    if (fd >= 0) {
        close(fd);
    }
    buf_free(&path);
}

/* Each folder above the file. What is there already stays as it is. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, OWNER_ONLY);
        *slash = '/';
    }
}

void lesson_file_write(struct lesson_progress *p)
{
    struct buf path, text, name;
    struct error error = {0};
    buf_init(&path, FILE_PATH_MAX);
    buf_init(&text, LESSON_FILE_MAX);
    buf_init(&name, FILE_PATH_MAX);
    lesson_file_read(p);
    if (file_path(&path) && lesson_progress_write(p, &text) == ST_OK) {
        make_folders(path.p);
        (void)!savefile_write(path.p, text.p, text.len, SAVE_OVERWRITE, &name, &error);
    }
    buf_free(&path);
    buf_free(&text);
    buf_free(&name);
}
