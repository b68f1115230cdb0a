#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "savefile.h"

struct folder {
    char path[64];
};

static int setup(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return -1;
    }
    str_copy(f->path, sizeof(f->path), "/tmp/savefile-XXXXXX");
    *state = f;
    return mkdtemp(f->path) != NULL ? 0 : -1;
}

static size_t count_files(const char *dir, bool remove_them)
{
    DIR *d = opendir(dir);
    size_t count = 0;
    const struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            count++;
            if (remove_them && unlinkat(dirfd(d), e->d_name, 0) != 0) {
                unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
            }
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    return count;
}

static int teardown(void **state)
{
    struct folder *f = *state;
    chmod(f->path, 0700);
    count_files(f->path, true);
    int rc = rmdir(f->path);
    free(f);
    return rc;
}

static const char *in(const struct folder *f, const char *name)
{
    static char path[600];
    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    return path;
}

static enum status save(const char *path, const char *text, unsigned flags, char *name, size_t size,
                        struct error *error)
{
    struct buf final_name;
    buf_init(&final_name, 4096);
    memset(error, 0, sizeof(*error));
    enum status st = savefile_write(path, text, strlen(text), flags, &final_name, error);
    if (name != NULL) {
        str_copy(name, size, buf_str(&final_name));
    }
    if (st != ST_OK && error->text[0] == '\0') {
        fail_msg("%s without a sentence", status_name(st));
    }
    buf_free(&final_name);
    return st;
}

static void assert_content(const char *path, const char *expected)
{
    char text[256] = "";
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("%s: %s", path, strerror(errno));
        return;
    }
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    assert_int_equal(n, strlen(expected));
    assert_string_equal(text, expected);
}

static void a_new_file_is_private(void **state)
{
    const struct folder *f = *state;
    struct error error;
    struct stat info;
    char name[600];
    static const mode_t masks[] = {0, 022, 0777};
    for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
        mode_t old = umask(masks[i]);
        assert_int_equal(save(in(f, "a.txt"), "hello", 0, name, sizeof(name), &error), ST_OK);
        umask(old);
        assert_string_equal(name, in(f, "a.txt"));
        assert_content(name, "hello");
        assert_int_equal(stat(name, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
        assert_int_equal(info.st_nlink, 1);
        assert_int_equal(count_files(f->path, true), 1);
    }
}

static void names_without_a_folder_work(void **state)
{
    const struct folder *f = *state;
    struct error error;
    char name[600], old[4096];
    assert_non_null(getcwd(old, sizeof(old)));
    assert_int_equal(chdir(f->path), 0);
    assert_int_equal(save("x", "1", 0, name, sizeof(name), &error), ST_OK);
    assert_string_equal(name, "x");
    assert_int_equal(save("./x", "2", SAVE_NUMBER, name, sizeof(name), &error), ST_OK);
    assert_string_equal(name, "./x-2");
    assert_int_equal(save(".hidden", "2", SAVE_NUMBER, name, sizeof(name), &error), ST_OK);
    assert_int_equal(save(".hidden", "3", SAVE_NUMBER, name, sizeof(name), &error), ST_OK);
    assert_string_equal(name, ".hidden-2");
    assert_int_equal(chdir(old), 0);
}

static void existing_files_are_safe(void **state)
{
    const struct folder *f = *state;
    struct error error;
    char name[600];
    assert_int_equal(save(in(f, "a.b.txt"), "first", 0, NULL, 0, &error), ST_OK);
    assert_int_equal(save(in(f, "a.b.txt"), "second", 0, name, sizeof(name), &error), ST_EXISTS);
    assert_content(in(f, "a.b.txt"), "first");
    assert_string_equal(name, "");
    assert_int_equal(save(in(f, "a.b.txt"), "second", SAVE_NUMBER, name, sizeof(name), &error),
                     ST_OK);
    assert_string_equal(name, in(f, "a.b-2.txt"));
    assert_int_equal(save(in(f, "a.b.txt"), "third", SAVE_NUMBER, name, sizeof(name), &error),
                     ST_OK);
    assert_string_equal(name, in(f, "a.b-3.txt"));
    assert_content(in(f, "a.b.txt"), "first");
    assert_content(in(f, "a.b-2.txt"), "second");
    assert_int_equal(chmod(in(f, "a.b.txt"), 0644), 0);
    assert_int_equal(save(in(f, "a.b.txt"), "new", SAVE_OVERWRITE, name, sizeof(name), &error),
                     ST_OK);
    assert_content(in(f, "a.b.txt"), "new");
    struct stat info;
    assert_int_equal(stat(in(f, "a.b.txt"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(count_files(f->path, false), 3);
}

/* Links, pipes, folders: refused under every flag, in time, and untouched. */
static void other_things_are_refused(void **state)
{
    const struct folder *f = *state;
    static const unsigned flags[] = {0, SAVE_OVERWRITE, SAVE_NUMBER, SAVE_OVERWRITE | SAVE_NUMBER};
    struct error error;
    assert_int_equal(save(in(f, "victim"), "keep", 0, NULL, 0, &error), ST_OK);
    assert_int_equal(symlink("victim", in(f, "link")), 0);
    assert_int_equal(symlink("nowhere", in(f, "dangling")), 0);
    assert_int_equal(mkfifo(in(f, "pipe"), 0600), 0);
    assert_int_equal(mkdir(in(f, "dir"), 0700), 0);
    static const struct {
        const char *name, *word;
    } things[] = {{"link", "symbolic link"}, {"dangling", "symbolic link"},
                  {"pipe", "pipe"},          {"dir", "folder"},
                  {"dir/", "folder"},        {".", "folder"},
                  {"..", "folder"}};
    for (size_t i = 0; i < ARRAY_LEN(things); i++) {
        for (size_t k = 0; k < ARRAY_LEN(flags); k++) {
            enum status st = save(in(f, things[i].name), "x", flags[k], NULL, 0, &error);
            assert_true(st == ST_DENIED || st == ST_INVALID);
            if (strstr(error.text, things[i].word) == NULL) {
                fail_msg("%s: %s", things[i].name, error.text);
            }
        }
        struct tee tee;
        assert_int_not_equal(tee_open(&tee, in(f, things[i].name), &error), ST_OK);
        tee_close(&tee);
    }
    assert_int_equal(save("/dev/full", "x", SAVE_OVERWRITE, NULL, 0, &error), ST_DENIED);
    assert_int_equal(save("/dev/null", "x", SAVE_OVERWRITE, NULL, 0, &error), ST_DENIED);
    assert_content(in(f, "victim"), "keep");
    assert_int_equal(access(in(f, "nowhere"), F_OK), -1);
    assert_int_equal(count_files(f->path, false), 5);
}

/* What stands at a numbered name is passed over, whatever it is. */
static void numbers_pass_over_links(void **state)
{
    const struct folder *f = *state;
    struct error error;
    char name[600];
    assert_int_equal(save(in(f, "a.txt"), "1", 0, NULL, 0, &error), ST_OK);
    assert_int_equal(symlink("nowhere", in(f, "a-2.txt")), 0);
    assert_int_equal(mkfifo(in(f, "a-3.txt"), 0600), 0);
    assert_int_equal(save(in(f, "a.txt"), "4", SAVE_NUMBER, name, sizeof(name), &error), ST_OK);
    assert_string_equal(name, in(f, "a-4.txt"));
    assert_int_equal(access(in(f, "nowhere"), F_OK), -1);
}

static void odd_names_are_refused(void **state)
{
    const struct folder *f = *state;
    struct error error;
    char name[600], longest[300];
    assert_int_equal(save("", "x", 0, NULL, 0, &error), ST_INVALID);
    assert_int_equal(save(in(f, "a\nb"), "x", 0, NULL, 0, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "a\\x0ab"));
    assert_int_equal(save(in(f, "a\x1b[2J"), "x", 0, NULL, 0, &error), ST_INVALID);
    assert_null(strchr(error.text, '\x1b'));
    memset(longest, 'n', sizeof(longest));
    longest[255] = '\0';
    assert_int_equal(save(in(f, longest), "x", 0, name, sizeof(name), &error), ST_OK);
    assert_int_equal(save(in(f, longest), "x", SAVE_NUMBER, name, sizeof(name), &error), ST_EXISTS);
    longest[255] = 'n';
    longest[256] = '\0';
    assert_int_equal(save(in(f, longest), "x", 0, NULL, 0, &error), ST_INVALID);
    char *path = malloc(70000);
    assert_non_null(path);
    memset(path, '/', 69998);
    path[69998] = 'x';
    path[69999] = '\0';
    assert_int_equal(save(path, "x", 0, NULL, 0, &error), ST_INVALID);
    free(path);
    assert_int_equal(save(in(f, "no/such/folder.txt"), "x", 0, NULL, 0, &error), ST_INVALID);
    assert_int_equal(count_files(f->path, false), 1);
}

/* Runs fn in a child and returns its exit code, so that limits and rights of this process stay. */
static int in_child(void (*fn)(const struct folder *f), const struct folder *f)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fn(f);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, error.text);       \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void save_without_rights(const struct folder *f)
{
    struct error error = {0};
    if (geteuid() == 0) {
        CHECK(chown(f->path, 65534, 65534) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
    }
    CHECK(chmod(f->path, 0500) == 0);
    CHECK(save(in(f, "a.txt"), "x", SAVE_NUMBER, NULL, 0, &error) == ST_DENIED);
    struct tee tee;
    CHECK(tee_open(&tee, in(f, "b.txt"), &error) == ST_DENIED);
    /* Written to but not read: fine. */
    CHECK(chmod(f->path, 0300) == 0);
    CHECK(save(in(f, "c.txt"), "x", 0, NULL, 0, &error) == ST_OK);
    CHECK(chmod(f->path, 0700) == 0);
}

static void rights_are_respected(void **state)
{
    const struct folder *f = *state;
    assert_int_equal(in_child(save_without_rights, f), 0);
    assert_int_equal(count_files(f->path, false), 1);
}

static void save_over_the_limit(const struct folder *f)
{
    struct error error = {0};
    static char big[65536];
    struct rlimit limit = {4096, 4096};
    memset(big, 'x', sizeof(big) - 1);
    CHECK(save(in(f, "old.txt"), "old", 0, NULL, 0, &error) == ST_OK);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(save(in(f, "a.txt"), big, 0, NULL, 0, &error) == ST_IO);
    CHECK(save(in(f, "old.txt"), big, SAVE_OVERWRITE, NULL, 0, &error) == ST_IO);
    CHECK(save(in(f, "b.txt"), "small", 0, NULL, 0, &error) == ST_OK);
    struct tee tee;
    CHECK(tee_open(&tee, in(f, "tee.txt"), &error) == ST_OK);
    CHECK(tee_add(&tee, "one\n", 4, &error) == ST_OK);
    CHECK(tee_add(&tee, big, sizeof(big), &error) == ST_IO);
    CHECK(tee.failed);
    CHECK(tee_add(&tee, "two\n", 4, &error) == ST_IO);
    tee_close(&tee);
}

static void a_limit_keeps_nothing(void **state)
{
    const struct folder *f = *state;
    assert_int_equal(in_child(save_over_the_limit, f), 0);
    assert_content(in(f, "old.txt"), "old");
    assert_content(in(f, "b.txt"), "small");
    assert_content(in(f, "tee.txt"), "one\n");
    assert_int_equal(count_files(f->path, false), 3);
}

static void save_on_full_disk(const struct folder *f)
{
    struct error error = {0};
    static char big[256 << 10];
    memset(big, 'x', sizeof(big) - 1);
    CHECK(save(in(f, "old.txt"), "old", 0, NULL, 0, &error) == ST_OK);
    CHECK(save(in(f, "a.txt"), big, 0, NULL, 0, &error) == ST_IO);
    CHECK(strstr(error.text, "no room") != NULL);
    CHECK(count_files(f->path, false) == 1);
    CHECK(save(in(f, "old.txt"), big, SAVE_OVERWRITE, NULL, 0, &error) == ST_IO);
    struct tee tee;
    CHECK(tee_open(&tee, in(f, "tee.txt"), &error) == ST_OK);
    CHECK(tee_add(&tee, "one\n", 4, &error) == ST_OK);
    CHECK(tee_add(&tee, big, sizeof(big), &error) == ST_IO);
    tee_close(&tee);
}

static void a_full_disk_keeps_nothing(void **state)
{
    const struct folder *f = *state;
    if (mount("tmpfs", f->path, "tmpfs", 0, "size=64k,mode=0700") != 0) {
        print_message("skipped: no right to mount a small file system (%s)\n", strerror(errno));
        skip();
    }
    int rc = in_child(save_on_full_disk, f);
    assert_int_equal(count_files(f->path, false), 2);
    assert_content(in(f, "old.txt"), "old");
    assert_content(in(f, "tee.txt"), "one\n");
    assert_int_equal(umount(f->path), 0);
    assert_int_equal(rc, 0);
}

static void tee_grows_as_it_goes(void **state)
{
    const struct folder *f = *state;
    struct error error;
    struct tee tee, other;
    assert_int_equal(tee_open(&tee, in(f, "t.txt"), &error), ST_OK);
    assert_int_equal(tee_add(&tee, "one\n", 4, &error), ST_OK);
    assert_content(in(f, "t.txt"), "one\n");
    assert_int_equal(tee_add(&tee, "two\n", 4, &error), ST_OK);
    assert_content(in(f, "t.txt"), "one\ntwo\n");
    struct stat info;
    assert_int_equal(stat(in(f, "t.txt"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(tee_open(&other, in(f, "t.txt"), &error), ST_EXISTS);
    assert_true(other.failed);
    assert_int_equal(tee_add(&other, "x", 1, &error), ST_IO);
    tee_close(&other);
    tee_close(&tee);
    tee_close(&tee);
    assert_content(in(f, "t.txt"), "one\ntwo\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_file_is_private, setup, teardown),
        cmocka_unit_test_setup_teardown(names_without_a_folder_work, setup, teardown),
        cmocka_unit_test_setup_teardown(existing_files_are_safe, setup, teardown),
        cmocka_unit_test_setup_teardown(other_things_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_pass_over_links, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_names_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(rights_are_respected, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_keeps_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(tee_grows_as_it_goes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
