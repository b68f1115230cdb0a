/* Files that somebody named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "readfile.h"

static char dir[] = "/tmp/smtpscope-read-XXXXXX";

static void path_of(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", dir, name);
}

static void write_file(const char *name, size_t len)
{
    char path[200];
    path_of(path, sizeof(path), name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < len; i++) {
        fputc((int)(i & 0xff), f);
    }
    assert_int_equal(fclose(f), 0);
}

static enum status read_file(const char *name, size_t max, size_t *len, struct error *error)
{
    char path[200];
    struct buf b;
    path_of(path, sizeof(path), name);
    buf_init(&b, max);
    error->text[0] = '\0';
    enum status st = readfile(path, &b, error);
    *len = b.len;
    for (size_t i = 0; st == ST_OK && i < b.len; i++) {
        assert_int_equal((unsigned char)b.p[i], i & 0xff);
    }
    buf_free(&b);
    return st;
}

static void test_sizes(void **state)
{
    (void)state;
    size_t len;
    struct error error;
    write_file("empty", 0);
    write_file("some", 200000);
    assert_int_equal(read_file("empty", 10, &len, &error), ST_OK);
    assert_int_equal(len, 0);
    assert_int_equal(read_file("some", 200000, &len, &error), ST_OK);
    assert_int_equal(len, 200000);
    assert_int_equal(read_file("some", 199999, &len, &error), ST_LIMIT);
    assert_non_null(strstr(error.text, "larger than 199999 bytes"));
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    size_t len;
    struct error error;
    assert_int_equal(read_file("\x1b[2Jnothing", 10, &len, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "nothing cannot be read"));
    assert_null(strchr(error.text, '\x1b'));
    assert_int_equal(read_file(".", 10, &len, &error), ST_IO);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"empty", "some"};
    for (size_t i = 0; i < 2; i++) {
        char path[200];
        path_of(path, sizeof(path), names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_what_is_no_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
