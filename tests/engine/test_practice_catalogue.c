#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine.h"
#include "practice.h"

/* Real time that an instant run may take before the test says that it hangs. */
#define PATIENCE_MS 60000
#define FINDINGS_MAX 128
#define TRANSCRIPT_MAX (8u << 20)
/* What the story of auth-535 tells. */
#define STORY_PASSWORD "autumn2025"

struct outcome {
    char *ids[FINDINGS_MAX];
    size_t count;
    struct buf transcript;
    bool sockets;
};

/* The next word of the scenario's options, or NULL; *at is moved behind it. */
static char *next_word(const char **at)
{
    *at += strspn(*at, " ");
    size_t n = strcspn(*at, " ");
    char *word = n > 0 ? str_ndup(*at, n) : NULL;
    *at += n;
    return word;
}

static void apply_options(struct plan *plan, const char *options)
{
    const char *at = options;
    char *word;
    while ((word = next_word(&at)) != NULL) {
        if (strcmp(word, "--relay-test") == 0) {
            plan->relay_consent = true;
        } else if (strcmp(word, "--send") == 0) {
            plan->send_consent = true;
        } else if (strcmp(word, "--to") == 0) {
            plan->to = next_word(&at);
        } else if (strcmp(word, "--auth-user") == 0) {
            plan->auth_user = next_word(&at);
            plan->auth_wanted = true;
            assert_int_equal(
                secret_set(&plan->password, STORY_PASSWORD, strlen(STORY_PASSWORD)), ST_OK);
        } else {
            fail_msg("this test does not know the option %s", word);
        }
        free(word);
    }
}

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

static bool take_event(struct outcome *o, const struct event *e)
{
    if (e->kind == EVENT_LINE) {
        assert_int_equal(buf_addf(&o->transcript, "%lld %d ", (long long)e->t_us, e->u.line.dir),
                         ST_OK);
        assert_int_equal(buf_add(&o->transcript, e->u.line.text, e->u.line.len), ST_OK);
        assert_int_equal(buf_add_char(&o->transcript, '\n'), ST_OK);
    }
    if (e->kind == EVENT_FINDING && e->u.finding->kind != NULL && o->count < FINDINGS_MAX) {
        o->ids[o->count++] = str_dup(e->u.finding->kind->id);
    }
    return e->kind == EVENT_RUN_DONE;
}

static void run_scenario(const char *name, struct scenario_info *info, struct outcome *o)
{
    struct network *n = NULL;
    struct engine *engine = NULL;
    struct plan plan;
    struct error error = {0};
    struct practice_options options = {.pace = PRACTICE_INSTANT};
    memset(o, 0, sizeof(*o));
    buf_init(&o->transcript, TRANSCRIPT_MAX);
    plan_init(&plan);
    if (practice_open(NULL, name, &options, &n, info, &error) != ST_OK ||
        plan_set_target(&plan, info->target, &error) != ST_OK) {
        fail_msg("%s: %s", name, error.text);
    }
    apply_options(&plan, info->options);
    assert_int_equal(plan_validate(&plan, &error), ST_OK);
    assert_int_equal(engine_new(&engine, n, &error), ST_OK);
    assert_int_not_equal(engine_start(engine, &plan), 0);
    bool done = false;
    while (!done) {
        struct pollfd fd = {.fd = engine_fd(engine), .events = POLLIN};
        if (poll(&fd, 1, PATIENCE_MS) != 1) {
            fail_msg("%s: nothing happens any more", name);
        }
        struct event *e = engine_events(engine, 0);
        while (e != NULL) {
            struct event *next = (struct event *)e->item.next;
            done = take_event(o, e) || done;
            event_free(e);
            e = next;
        }
        o->sockets = o->sockets || has_sockets();
    }
    engine_free(engine);
    plan_free(&plan);
}

static void outcome_free(struct outcome *o)
{
    for (size_t i = 0; i < o->count; i++) {
        free(o->ids[i]);
    }
    buf_free(&o->transcript);
}

static bool was_found(const struct outcome *o, const char *id)
{
    for (size_t i = 0; i < o->count; i++) {
        if (strcmp(o->ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static void test_every_scenario_is_diagnosed_right(void **state)
{
    (void)state;
    char **names = NULL;
    struct error error = {0};
    size_t all = 0;
    size_t right = 0;
    assert_int_equal(practice_names(NULL, &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        struct scenario_info info;
        struct outcome o;
        bool good = true;
        run_scenario(*name, &info, &o);
        for (size_t i = 0; i < info.expect_count; i++) {
            if (!was_found(&o, info.expect[i])) {
                print_error("%s: %s was not found\n", *name, info.expect[i]);
                good = false;
            }
        }
        assert_false(o.sockets);
        all++;
        right += good ? 1 : 0;
        outcome_free(&o);
        scenario_info_free(&info);
    }
    practice_names_free(names);
    print_message("%zu of %zu scenarios were diagnosed right\n", right, all);
    assert_int_equal(right, all);
}

static void test_same_transcript_each_time(void **state)
{
    (void)state;
    static const char *const names[] = {"healthy", "open-relay", "greylist-451", "hostile-escapes",
                                        "long-lines"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct scenario_info info;
        struct outcome a, b;
        run_scenario(names[i], &info, &a);
        scenario_info_free(&info);
        run_scenario(names[i], &info, &b);
        scenario_info_free(&info);
        assert_int_equal(a.transcript.len, b.transcript.len);
        assert_memory_equal(a.transcript.p, b.transcript.p, a.transcript.len);
        outcome_free(&a);
        outcome_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scenario_is_diagnosed_right),
        cmocka_unit_test(test_same_transcript_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
