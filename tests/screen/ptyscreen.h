/*
 * ptyscreen: the program on a pseudo-terminal, read through a terminal emulator (libvterm), as a person would see it.
 *
 * Waiting is always for a condition on the screen, with a generous limit that only bounds a hang; nothing is
 * timed. Every byte that the program wrote is kept for tests about bytes.
 *
 * Threads: the test's. Ownership: pty_end kills, reaps and frees.
 */
#ifndef SMTPSCOPE_TEST_PTYSCREEN_H
#define SMTPSCOPE_TEST_PTYSCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>
#include <vterm.h>

#define PTY_WAIT_MS 30000

struct pty {
    pid_t pid;    /* smtpscope */
    struct termios modes; /* of the terminal before smtpscope had it */
    pid_t leader; /* of the session, as a shell would be; ends as smtpscope ends */
    int fd; /* master */
    int w, h;
    VTerm *vt;
    VTermScreen *screen;
    char *log; /* all bytes of the program */
    size_t log_len, log_cap;
    bool exited;
    int status; /* of waitpid */
    char dir[64]; /* an empty folder that the program runs in; removed at the end */
    bool cursor_visible;
    int paints;
};

/*
 * Starts smtpscope with these arguments. `env` are NAME=VALUE pairs over a small fixed environment
 * (TERM=xterm-256color, LC_ALL=C.UTF-8, instant practice pace); "NAME" alone removes one. Both end with NULL.
 */
void pty_start(struct pty *p, int w, int h, const char *const *args, const char *const *env);
void pty_end(struct pty *p);

void pty_send(struct pty *p, const char *bytes);
void pty_send_raw(struct pty *p, const void *bytes, size_t len);
void pty_resize(struct pty *p, int w, int h);
/* Reads what comes until nothing came for `quiet_ms`. */
void pty_settle(struct pty *p, int quiet_ms);
/* True when the text is (or is not) on the screen within PTY_WAIT_MS. Prints the screen when not. */
bool pty_sees(struct pty *p, const char *text);
bool pty_misses(struct pty *p, const char *text);
/* In this row, within PTY_WAIT_MS. */
bool pty_row_sees(struct pty *p, int y, const char *text);
/* On the screen now? */
bool pty_has(struct pty *p, const char *text);
/* True when it ended within PTY_WAIT_MS; the status is in p->status. */
bool pty_ends(struct pty *p);

/* True when it is stopped (by Ctrl-Z), or goes on again, within PTY_WAIT_MS. */
bool pty_stops(struct pty *p, bool stopped);

/* The screen as UTF-8 text, rows without trailing blanks; the caller frees. */
char *pty_text(struct pty *p);
/* One row; the caller frees. */
char *pty_row(struct pty *p, int y);
void pty_cursor(struct pty *p, int *x, int *y);
/* Do the bytes that were written hold this? */
bool pty_wrote(const struct pty *p, const char *bytes, size_t len);
/* Compares with tests/screen/golden/<name>.txt; with UPDATE_GOLDEN=1 writes it instead. */
bool pty_golden(struct pty *p, const char *name);

/* Whole file, NUL-terminated; NULL when it cannot be read. The caller frees. */
char *file_read(const char *path, size_t *len);
/* Path of a file in the program's folder. */
void pty_path(const struct pty *p, const char *name, char *out, size_t size);

#endif
