#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "reply_decode.h"
#include "told.h"

#define GOLDEN_MAX 65536

/* Descriptors of this process that are sockets. */
static bool has_sockets(void)
{
    bool found = false;
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char path[300];
        char target[64] = "";
        snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        found = found || (n > 0 && strncmp(target, "socket:", 7) == 0);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return found;
}

static bool is_expected(const struct scenario_info *info, const char *id)
{
    for (size_t i = 0; i < info->expect_count; i++) {
        if (strcmp(info->expect[i], id) == 0) {
            return true;
        }
    }
    return false;
}

/* A problem that the scenario does not have is as wrong as one that was missed. */
static bool is_problem(enum verdict v)
{
    return v == VERDICT_NOTE || v == VERDICT_WARN || v == VERDICT_FAIL ||
           v == VERDICT_INCONCLUSIVE || v == VERDICT_STOPPED;
}

/* Why the server refused, NULL where it did not. */
static const char *refusal_of(const struct finding *f)
{
    return f->cause != NULL && f->cause->class != CLASS_NONE ? f->cause->id : NULL;
}

static bool found_exactly(const struct runner *r)
{
    bool good = true;
    for (size_t i = 0; i < r->info.expect_count; i++) {
        if (!runner_found(r, r->info.expect[i])) {
            print_error("%s: %s was not found\n", r->info.name, r->info.expect[i]);
            good = false;
        }
    }
    for (size_t i = 0; i < r->record.finding_count; i++) {
        const struct finding *f = &r->record.findings[i].f;
        const char *const ids[] = {f->kind->id, refusal_of(f)};
        for (size_t k = 0; is_problem(f->verdict) && k < ARRAY_LEN(ids); k++) {
            if (ids[k] != NULL && !is_expected(&r->info, ids[k])) {
                print_error("%s: %s was found and is not expected\n", r->info.name, ids[k]);
                good = false;
            }
        }
    }
    return good;
}

static void test_every_scenario_is_diagnosed_right(void **state)
{
    (void)state;
    char **names = NULL;
    struct error error = {.text = ""};
    size_t all = 0;
    size_t right = 0;
    assert_int_equal(practice_names(NULL, &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        struct runner r;
        struct options o;
        char *storage = NULL;
        told_open(&r, &o, &storage, *name);
        runner_run(&r);
        assert_false(has_sockets());
        all++;
        right += found_exactly(&r) ? 1 : 0;
        told_close(&r, &o, storage);
    }
    practice_names_free(names);
    print_message("%zu of %zu scenarios were diagnosed right\n", right, all);
    assert_int_equal(right, all);
}

/* The lines of the log that say what was decided, in their order. */
static void add_decisions(const struct runner *r, struct buf *out)
{
    static const char *const kept[] = {"run ", "found ", "done ", "end "};
    const char *p = buf_str(&r->log);
    while (*p != '\0') {
        size_t n = strcspn(p, "\n");
        for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
            if (strncmp(p, kept[i], strlen(kept[i])) == 0) {
                assert_int_equal(buf_add(out, p, n), ST_OK);
                assert_int_equal(buf_add_char(out, '\n'), ST_OK);
            }
        }
        p += n + (p[n] == '\n' ? 1 : 0);
    }
}

/* With UPDATE_GOLDEN in the environment the file is written, for a person to look at. */
static void compare_with_golden(const char *name, const struct buf *decisions)
{
    char path[1000];
    char wanted[GOLDEN_MAX];
    bool update = getenv("UPDATE_GOLDEN") != NULL;
    snprintf(path, sizeof(path), "%s/golden/%s.txt", ENGINE_SOURCE_DIR, name);
    FILE *f = fopen(path, update ? "w" : "r");
    assert_non_null(f);
    if (update) {
        assert_int_equal(fwrite(decisions->p, 1, decisions->len, f), decisions->len);
        assert_int_equal(fclose(f), 0);
        return;
    }
    size_t n = fread(wanted, 1, sizeof(wanted) - 1, f);
    wanted[n] = '\0';
    fclose(f);
    if (strcmp(wanted, buf_str(decisions)) != 0) {
        fail_msg("%s differs; it is now:\n%s", path, buf_str(decisions));
    }
}

static void test_decisions_come_in_this_order(void **state)
{
    (void)state;
    static const char *const names[] = {"healthy",      "no-starttls", "starttls-454",
                                        "port-blocked", "open-relay",  "auth-535"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct runner r;
        struct options o;
        struct buf decisions;
        char *storage = NULL;
        told_open(&r, &o, &storage, names[i]);
        runner_run(&r);
        buf_init(&decisions, GOLDEN_MAX);
        add_decisions(&r, &decisions);
        compare_with_golden(names[i], &decisions);
        buf_free(&decisions);
        told_close(&r, &o, storage);
    }
}

/* Every text of every event, and so every byte that a person could see. */
static void test_same_texts_each_time(void **state)
{
    (void)state;
    static const char *const names[] = {"healthy", "open-relay", "greylist-451", "hostile-escapes",
                                        "long-lines"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct runner a, b;
        struct options o, p;
        char *first = NULL;
        char *second = NULL;
        told_open(&a, &o, &first, names[i]);
        told_open(&b, &p, &second, names[i]);
        runner_run(&a);
        runner_run(&b);
        assert_true(a.text.len > 0);
        assert_int_equal(a.text.len, b.text.len);
        assert_memory_equal(a.text.p, b.text.p, a.text.len);
        told_close(&a, &o, first);
        told_close(&b, &p, second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scenario_is_diagnosed_right),
        cmocka_unit_test(test_decisions_come_in_this_order),
        cmocka_unit_test(test_same_texts_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
