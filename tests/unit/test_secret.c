#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void holds_a_copy_and_forgets_it(void **state)
{
    (void)state;
    struct secret s = {0};
    assert_false(secret_is_set(&s));
    char source[] = "pa\0ss";
    assert_int_equal(secret_set(&s, source, 5), ST_OK);
    memset(source, 'x', sizeof(source));
    assert_true(secret_is_set(&s));
    assert_int_equal(s.len, 5);
    assert_memory_equal(s.p, "pa\0ss", 6);
    struct secret other = {0};
    assert_int_equal(secret_copy(&other, &s), ST_OK);
    assert_ptr_not_equal(other.p, s.p);
    assert_memory_equal(other.p, "pa\0ss", 6);
    assert_int_equal(secret_set(&s, s.p, 2), ST_OK);
    assert_string_equal(s.p, "pa");
    secret_free(&s);
    assert_false(secret_is_set(&s));
    secret_free(&s);
    assert_int_equal(secret_copy(&other, &s), ST_OK);
    assert_false(secret_is_set(&other));
}

static void has_a_ceiling(void **state)
{
    (void)state;
    static char big[SECRET_MAX + 1];
    memset(big, 'k', sizeof(big));
    struct secret s = {0};
    assert_int_equal(secret_set(&s, big, SECRET_MAX), ST_OK);
    assert_int_equal(s.p[SECRET_MAX], '\0');
    assert_int_equal(secret_set(&s, big, SECRET_MAX + 1), ST_LIMIT);
    assert_int_equal(s.len, SECRET_MAX);
    secret_free(&s);
    assert_int_equal(secret_set(&s, "", 0), ST_OK);
    assert_true(secret_is_set(&s));
    assert_string_equal(s.p, "");
    secret_free(&s);
}

#ifdef __linux__
static void is_kept_out_of_core_dumps(void **state)
{
    (void)state;
    struct secret s = {0};
    assert_int_equal(secret_set(&s, "canary", 6), ST_OK);
    FILE *f = fopen("/proc/self/smaps", "r");
    assert_non_null(f);
    char line[512];
    bool inside = false, seen = false;
    while (fgets(line, sizeof(line), f) != NULL) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside = (unsigned long)s.p >= from && (unsigned long)s.p < to;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            seen = true;
            assert_non_null(strstr(line, " dd"));
        }
    }
    fclose(f);
    if (!seen) {
        secret_free(&s);
        skip(); /* a kernel without VmFlags */
    }
    secret_free(&s);
}
#endif

static enum status read_through_pipe(const char *text, size_t len, struct secret *s,
                                     char *rest, size_t rest_size)
{
    int fd[2];
    struct error e;
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], text, len), (ssize_t)len);
    close(fd[1]);
    enum status st = secret_read_fd(s, fd[0], &e);
    if (st != ST_OK) {
        assert_int_equal(e.code, st);
        assert_true(strlen(e.text) > 0);
    }
    if (rest != NULL) {
        ssize_t n = read(fd[0], rest, rest_size - 1);
        assert_true(n >= 0);
        rest[n] = '\0';
    }
    close(fd[0]);
    return st;
}

static void reads_one_line_and_no_more(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t len;
        const char *secret;
        const char *rest;
    } cases[] = {
        {"hunter2\n", 8, "hunter2", ""},
        {"hunter2\r\n", 9, "hunter2", ""},
        {"hunter2", 7, "hunter2", ""},
        {" hunter 2 \nnext line\n", 21, " hunter 2 ", "next line\n"},
        {"a\rb\r\r\n", 6, "a\rb\r", ""},
        {"tail\r", 5, "tail\r", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct secret s = {0};
        char rest[50];
        assert_int_equal(read_through_pipe(cases[i].in, cases[i].len, &s, rest, sizeof(rest)),
                         ST_OK);
        assert_string_equal(s.p, cases[i].secret);
        assert_string_equal(rest, cases[i].rest);
        secret_free(&s);
    }
}

static void refuses_empty_and_overlong(void **state)
{
    (void)state;
    static char big[SECRET_MAX + 3];
    struct secret s = {0};
    assert_int_equal(read_through_pipe("", 0, &s, NULL, 0), ST_INVALID);
    assert_int_equal(read_through_pipe("\n", 1, &s, NULL, 0), ST_INVALID);
    assert_int_equal(read_through_pipe("\r\n", 2, &s, NULL, 0), ST_INVALID);
    memset(big, 'k', sizeof(big));
    assert_int_equal(read_through_pipe(big, SECRET_MAX + 1, &s, NULL, 0), ST_LIMIT);
    assert_int_equal(read_through_pipe(big, SECRET_MAX + 2, &s, NULL, 0), ST_LIMIT);
    assert_false(secret_is_set(&s));
    big[SECRET_MAX] = '\n';
    assert_int_equal(read_through_pipe(big, SECRET_MAX + 1, &s, NULL, 0), ST_OK);
    assert_int_equal(s.len, SECRET_MAX);
    big[SECRET_MAX] = '\r';
    big[SECRET_MAX + 1] = '\n';
    assert_int_equal(read_through_pipe(big, SECRET_MAX + 2, &s, NULL, 0), ST_OK);
    assert_int_equal(s.len, SECRET_MAX);
    secret_free(&s);
    struct error e;
    assert_int_equal(secret_read_fd(&s, -1, &e), ST_IO);
    assert_int_equal(e.sys, EBADF);
}

static void waits_on_a_non_blocking_descriptor(void **state)
{
    (void)state;
    int fd[2];
    struct secret s = {0};
    assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ssize_t n = write(fd[1], "late\n", 5);
        _exit(n == 5 ? 0 : 1);
    }
    assert_int_equal(secret_read_fd(&s, fd[0], NULL), ST_OK);
    assert_string_equal(s.p, "late");
    secret_free(&s);
    close(fd[0]);
    close(fd[1]);
}

static void file_must_be_private(void **state)
{
    (void)state;
    char path[] = "/tmp/smtpscope-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "open sesame\n", 12), 12);
    struct secret s = {0};
    struct error e;
    static const struct {
        mode_t mode;
        enum status status;
    } cases[] = {
        {0600, ST_OK},     {0400, ST_OK},     {0640, ST_DENIED},
        {0604, ST_DENIED}, {0644, ST_DENIED}, {0620, ST_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(fchmod(fd, cases[i].mode), 0);
        assert_int_equal(secret_read_file(&s, path, &e), cases[i].status);
        if (cases[i].status == ST_OK) {
            assert_string_equal(s.p, "open sesame");
        } else {
            assert_non_null(strstr(e.text, path));
        }
        secret_free(&s);
    }
    close(fd);
    unlink(path);
    assert_int_equal(secret_read_file(&s, path, &e), ST_IO);
    assert_int_equal(e.sys, ENOENT);
    assert_int_equal(secret_read_file(&s, "/", &e), ST_IO);
    assert_int_equal(secret_read_file(&s, "/dev/null", &e), ST_INVALID);
}

static void hardening_forbids_core_dumps(void **state)
{
    (void)state;
    struct rlimit now;
    secret_harden_process();
    assert_int_equal(getrlimit(RLIMIT_CORE, &now), 0);
    assert_true(now.rlim_cur == 0 && now.rlim_max == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_a_copy_and_forgets_it),
        cmocka_unit_test(has_a_ceiling),
#ifdef __linux__
        cmocka_unit_test(is_kept_out_of_core_dumps),
#endif
        cmocka_unit_test(reads_one_line_and_no_more),
        cmocka_unit_test(refuses_empty_and_overlong),
        cmocka_unit_test(waits_on_a_non_blocking_descriptor),
        cmocka_unit_test(file_must_be_private),
        cmocka_unit_test(hardening_forbids_core_dumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
