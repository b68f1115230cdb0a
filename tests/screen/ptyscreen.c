#include "ptyscreen.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pty_test.h"

#define ENV_MAX 32

extern char **environ;

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int on_term_prop(VTermProp prop, VTermValue *value, void *user)
{
    struct pty *p = user;
    if (prop == VTERM_PROP_CURSORVISIBLE) {
        p->cursor_visible = value->boolean != 0;
    }
    return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = on_term_prop};

static void env_set(const char **list, size_t *count, const char *pair)
{
    size_t name = strcspn(pair, "=");
    for (size_t i = 0; i < *count; i++) {
        if (strncmp(list[i], pair, name) == 0 && list[i][name] == '=') {
            memmove(&list[i], &list[i + 1], (*count - i - 1) * sizeof(*list));
            (*count)--;
            break;
        }
    }
    if (pair[name] == '=' && *count + 1 < ENV_MAX) {
        list[(*count)++] = pair;
    }
    list[*count] = NULL;
}

static void child(const struct pty *p, const char *const *args, const char *const *env)
{
    const char *list[ENV_MAX + 1];
    size_t count = 0;
    static char home[96], path[512], data[600];
    snprintf(home, sizeof(home), "HOME=%s", p->dir);
    snprintf(path, sizeof(path), "PATH=%s", getenv("PATH") != NULL ? getenv("PATH") : "/usr/bin:/bin");
    env_set(list, &count, "TERM=xterm-256color");
    env_set(list, &count, "LC_ALL=C.UTF-8");
    env_set(list, &count, "TZ=UTC");
    env_set(list, &count, "SMTPSCOPE_PACE=instant");
    env_set(list, &count, "ASAN_OPTIONS=detect_leaks=1:handle_segv=0:handle_abort=0:handle_sigfpe=0:handle_sigbus=0");
    env_set(list, &count, "LSAN_OPTIONS=suppressions=" SCREEN_SOURCE_DIR "/../lsan.supp:print_suppressions=0");
    env_set(list, &count, home);
    env_set(list, &count, path);
    snprintf(data, sizeof(data), "SMTPSCOPE_DATA=%s", getenv("SMTPSCOPE_DATA") != NULL ? getenv("SMTPSCOPE_DATA") : "");
    if (getenv("SMTPSCOPE_DATA") != NULL) {
        env_set(list, &count, data);
    }
    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        env_set(list, &count, env[i]);
    }
    const char *argv[40] = {SMTPSCOPE_PROGRAM};
    for (size_t i = 0; args[i] != NULL && i + 2 < 40; i++) {
        argv[i + 1] = args[i];
    }
    if (chdir(p->dir) != 0) {
        _exit(126);
    }
    execve(SMTPSCOPE_PROGRAM, (char *const *)(const void *)argv, (char *const *)(const void *)list);
    _exit(127);
}

/*
 * The session's leader, as a shell would be: the program has a process group of its own in the foreground, so that it
 * can be stopped (the kernel does not stop orphaned groups). It ends as the program ended.
 */
static void leader(const struct pty *p, const char *const *args, const char *const *env, int tell)
{
    struct termios modes;
    int rc = tcgetattr(STDIN_FILENO, &modes);
    ssize_t told = write(tell, &modes, rc == 0 ? sizeof(modes) : 0);
    (void)told;
    pid_t pid = fork();
    if (pid == 0) {
        close(tell);
        setpgid(0, 0);
        child(p, args, env);
    }
    setpgid(pid, pid);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, pid);
    ssize_t n = write(tell, &pid, sizeof(pid));
    (void)n;
    close(tell);
    int status = 0;
    while (waitpid(pid, &status, 0) != pid) {
    }
    if (WIFSIGNALED(status)) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
}

void pty_start(struct pty *p, int w, int h, const char *const *args, const char *const *env)
{
    memset(p, 0, sizeof(*p));
    p->w = w;
    p->h = h;
    p->cursor_visible = true;
    snprintf(p->dir, sizeof(p->dir), "/tmp/smtpscope-screen-XXXXXX");
    char *made = mkdtemp(p->dir);
    assert(made != NULL);
    (void)made;
    p->vt = vterm_new(h, w);
    vterm_set_utf8(p->vt, 1);
    p->screen = vterm_obtain_screen(p->vt);
    vterm_screen_set_callbacks(p->screen, &callbacks, p);
    vterm_screen_enable_altscreen(p->screen, 1);
    vterm_screen_reset(p->screen, 1);
    struct winsize size = {.ws_row = (unsigned short)h, .ws_col = (unsigned short)w};
    int tell[2];
    int rc = pipe(tell);
    assert(rc == 0);
    p->leader = forkpty(&p->fd, NULL, NULL, &size);
    assert(p->leader >= 0);
    if (p->leader == 0) {
        close(tell[0]);
        leader(p, args, env, tell[1]);
    }
    close(tell[1]);
    ssize_t n = read(tell[0], &p->modes, sizeof(p->modes));
    assert(n == (ssize_t)sizeof(p->modes));
    n = read(tell[0], &p->pid, sizeof(p->pid));
    assert(n == (ssize_t)sizeof(p->pid));
    (void)n;
    (void)rc;
    close(tell[0]);
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    fcntl(p->fd, F_SETFD, FD_CLOEXEC);
}

static void reap(struct pty *p, int flags)
{
    if (!p->exited && waitpid(p->leader, &p->status, flags) == p->leader) {
        p->exited = true;
    }
}

void pty_end(struct pty *p)
{
    if (!p->exited) {
        kill(p->pid, SIGKILL);
        reap(p, 0);
    }
    if (p->fd >= 0) {
        close(p->fd);
    }
    vterm_free(p->vt);
    free(p->log);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
    int rc = system(command);
    (void)rc;
}

/* Reads once; false when there was nothing. */
static bool pump(struct pty *p, int wait_ms)
{
    char bytes[65536];
    if (p->fd < 0) {
        return false;
    }
    struct pollfd fd = {p->fd, POLLIN, 0};
    if (poll(&fd, 1, wait_ms) <= 0) {
        return false;
    }
    ssize_t n = read(p->fd, bytes, sizeof(bytes));
    if (n <= 0) {
        return false;
    }
    if (p->log_len + (size_t)n > p->log_cap) {
        p->log_cap = (p->log_len + (size_t)n) * 2;
        p->log = realloc(p->log, p->log_cap);
        assert(p->log != NULL);
    }
    memcpy(p->log + p->log_len, bytes, (size_t)n);
    p->log_len += (size_t)n;
    p->paints++;
    vterm_input_write(p->vt, bytes, (size_t)n);
    return true;
}

void pty_send_raw(struct pty *p, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = write(p->fd, at, len);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return;
        } else {
            pump(p, 10);
        }
    }
}

void pty_send(struct pty *p, const char *bytes)
{
    pty_send_raw(p, bytes, strlen(bytes));
}

void pty_resize(struct pty *p, int w, int h)
{
    p->w = w;
    p->h = h;
    vterm_set_size(p->vt, h, w);
    struct winsize size = {.ws_row = (unsigned short)h, .ws_col = (unsigned short)w};
    ioctl(p->fd, TIOCSWINSZ, &size);
}

void pty_settle(struct pty *p, int quiet_ms)
{
    long long limit = now_ms() + PTY_WAIT_MS;
    while (pump(p, quiet_ms) && now_ms() < limit) {
    }
}

char *pty_row(struct pty *p, int y)
{
    size_t cap = (size_t)p->w * 4 * VTERM_MAX_CHARS_PER_CELL + 1, len = 0, keep = 0;
    char *out = calloc(1, cap);
    assert(out != NULL);
    for (int x = 0; x < p->w; x++) {
        VTermScreenCell cell;
        VTermPos pos = {.row = y, .col = x};
        vterm_screen_get_cell(p->screen, pos, &cell);
        if (cell.chars[0] == (uint32_t)-1) {
            continue;
        }
        for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && (i == 0 || cell.chars[i] != 0); i++) {
            uint32_t c = cell.chars[i] != 0 ? cell.chars[i] : ' ';
            if (c < 0x80) {
                out[len++] = (char)c;
            } else if (c < 0x800) {
                out[len++] = (char)(0xc0 | c >> 6);
                out[len++] = (char)(0x80 | (c & 0x3f));
            } else if (c < 0x10000) {
                out[len++] = (char)(0xe0 | c >> 12);
                out[len++] = (char)(0x80 | (c >> 6 & 0x3f));
                out[len++] = (char)(0x80 | (c & 0x3f));
            } else {
                out[len++] = (char)(0xf0 | c >> 18);
                out[len++] = (char)(0x80 | (c >> 12 & 0x3f));
                out[len++] = (char)(0x80 | (c >> 6 & 0x3f));
                out[len++] = (char)(0x80 | (c & 0x3f));
            }
            keep = c != ' ' ? len : keep;
        }
    }
    out[keep] = '\0';
    return out;
}

char *pty_text(struct pty *p)
{
    size_t cap = 1, len = 0;
    char *out = calloc(1, 1);
    for (int y = 0; y < p->h; y++) {
        char *row = pty_row(p, y);
        size_t n = strlen(row);
        cap += n + 1;
        out = realloc(out, cap);
        assert(out != NULL);
        memcpy(out + len, row, n);
        len += n;
        out[len++] = '\n';
        out[len] = '\0';
        free(row);
    }
    return out;
}

bool pty_has(struct pty *p, const char *text)
{
    char *screen = pty_text(p);
    bool found = strstr(screen, text) != NULL;
    free(screen);
    return found;
}

bool pty_row_sees(struct pty *p, int y, const char *text)
{
    long long limit = now_ms() + PTY_WAIT_MS;
    for (;;) {
        char *row = pty_row(p, y);
        bool found = strstr(row, text) != NULL;
        free(row);
        if (found || now_ms() > limit) {
            return found;
        }
        pump(p, 50);
    }
}

static bool wait_for(struct pty *p, const char *text, bool present)
{
    long long limit = now_ms() + PTY_WAIT_MS;
    while (pty_has(p, text) != present) {
        if (now_ms() > limit || (!pump(p, 100) && p->exited)) {
            char *screen = pty_text(p);
            fprintf(stderr, "-- %s \"%s\"; the screen is:\n%s--\n",
                    present ? "does not show" : "still shows", text, screen);
            free(screen);
            return false;
        }
        reap(p, WNOHANG);
    }
    return true;
}

bool pty_sees(struct pty *p, const char *text)
{
    return wait_for(p, text, true);
}

bool pty_misses(struct pty *p, const char *text)
{
    return wait_for(p, text, false);
}

bool pty_stops(struct pty *p, bool stopped)
{
    char path[64];
    long long limit = now_ms() + PTY_WAIT_MS;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)p->pid);
    while (now_ms() < limit) {
        char *stat = file_read(path, NULL);
        const char *end = stat != NULL ? strrchr(stat, ')') : NULL;
        bool is = end != NULL && end[1] == ' ' && end[2] == 'T';
        free(stat);
        if (is == stopped) {
            return true;
        }
        pump(p, 10);
    }
    return false;
}

bool pty_ends(struct pty *p)
{
    long long limit = now_ms() + PTY_WAIT_MS;
    while (!p->exited && now_ms() < limit) {
        if (!pump(p, 20) && p->fd < 0) {
            usleep(5000);
        }
        reap(p, WNOHANG);
    }
    while (pump(p, 20)) {
    }
    return p->exited;
}

void pty_cursor(struct pty *p, int *x, int *y)
{
    VTermPos pos;
    vterm_state_get_cursorpos(vterm_obtain_state(p->vt), &pos);
    *x = pos.col;
    *y = pos.row;
}

bool pty_wrote(const struct pty *p, const char *bytes, size_t len)
{
    return p->log_len >= len && memmem(p->log, p->log_len, bytes, len) != NULL;
}

char *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    size_t cap = 1 << 16, n = 0;
    char *out = malloc(cap + 1);
    assert(out != NULL);
    for (size_t got; (got = fread(out + n, 1, cap - n, f)) > 0;) {
        n += got;
        if (n == cap) {
            cap *= 2;
            out = realloc(out, cap + 1);
            assert(out != NULL);
        }
    }
    fclose(f);
    out[n] = '\0';
    if (len != NULL) {
        *len = n;
    }
    return out;
}

void pty_path(const struct pty *p, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", p->dir, name);
}

bool pty_golden(struct pty *p, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/golden/%s.txt", SCREEN_SOURCE_DIR, name);
    char *screen = pty_text(p);
    bool same = true;
    if (getenv("UPDATE_GOLDEN") != NULL) {
        FILE *f = fopen(path, "wb");
        assert(f != NULL);
        fputs(screen, f);
        fclose(f);
    } else {
        char *golden = file_read(path, NULL);
        same = golden != NULL && strcmp(golden, screen) == 0;
        if (!same) {
            fprintf(stderr, "-- %s differs from its golden screen; it is now:\n%s-- and should be:\n%s--\n",
                    name, screen, golden != NULL ? golden : "(no such file)\n");
        }
        free(golden);
    }
    free(screen);
    return same;
}
