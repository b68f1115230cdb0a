/* A60, A61: saving never destroys and never loses. */
#include "ptyscreen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pty_test.h"

static void save_as(struct pty *p, const char *name)
{
    pty_send(p, "s");
    assert_true(pty_sees(p, "File name"));
    pty_send(p, "\025");
    pty_send(p, name);
    pty_send(p, "\r");
}

static void a60_an_existing_file_stays_as_it_is(void **state)
{
    (void)state;
    struct pty p;
    char path[300], second[300], link_path[300], target[300];
    struct stat st;
    pty_start(&p, 80, 24, ARGS("--demo=healthy", "--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    save_as(&p, "run.txt");
    assert_true(pty_sees(&p, "Saved: run.txt"));
    pty_path(&p, "run.txt", path, sizeof(path));
    pty_path(&p, "run-2.txt", second, sizeof(second));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char *before = file_read(path, NULL);
    assert_non_null(strstr(before, "DEMO"));
    save_as(&p, "run.txt");
    assert_true(pty_sees(&p, "Saved: run-2.txt"));
    char *after = file_read(path, NULL);
    assert_string_equal(before, after);
    assert_int_equal(stat(second, &st), 0);
    free(before);
    free(after);
    /* A link at the target is not followed. */
    pty_path(&p, "link.txt", link_path, sizeof(link_path));
    pty_path(&p, "victim.txt", target, sizeof(target));
    assert_int_equal(symlink(target, link_path), 0);
    save_as(&p, "link.txt");
    pty_settle(&p, 300);
    assert_int_not_equal(stat(target, &st), 0);
    pty_end(&p);
}

static void a61_disk_full_and_read_only_say_why(void **state)
{
    (void)state;
    struct pty p;
    char dir[300];
    struct stat st;
    pty_start(&p, 80, 24, ARGS("--demo=flood", "--ascii"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    save_as(&p, "/proc/smtpscope.txt");
    assert_true(pty_sees(&p, "/proc"));
    pty_settle(&p, 300);
    assert_true(pty_has(&p, "File name")); /* the box stays */
    pty_send(&p, "\033");
    assert_true(pty_misses(&p, "File name"));
    pty_path(&p, "small", dir, sizeof(dir));
    assert_int_equal(mkdir(dir, 0700), 0);
    if (geteuid() == 0 && mount("tmpfs", dir, "tmpfs", 0, "size=16k") == 0) {
        save_as(&p, "small/run.txt");
        bool stayed = pty_sees(&p, "no room left") && pty_has(&p, "File name");
        char command[400];
        snprintf(command, sizeof(command), "ls -A '%s' | wc -l", dir);
        FILE *f = popen(command, "r");
        int count = -1;
        int got = fscanf(f, "%d", &count);
        pclose(f);
        umount(dir);
        assert_int_equal(got, 1);
        assert_true(stayed);
        assert_int_equal(count, 0); /* no part file is left */
        pty_send(&p, "\025elsewhere.txt\r");
        assert_true(pty_sees(&p, "Saved: elsewhere.txt"));
        pty_path(&p, "elsewhere.txt", dir, sizeof(dir));
        assert_int_equal(stat(dir, &st), 0);
    } else {
        printf("SKIP: A61's full disk needs root to mount a small tmpfs\n");
    }
    pty_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a60_an_existing_file_stays_as_it_is),
        cmocka_unit_test(a61_disk_full_and_read_only_say_why),
    };
    return cmocka_run_group_tests_name("saving", tests, NULL, NULL);
}
