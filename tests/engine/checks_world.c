#include "checks_world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX 1024

static uint32_t keep_line(void *ctx, enum smtp_dir dir, bool tls, unsigned flags, const char *p,
                          size_t len)
{
    struct world *w = ctx;
    (void)tls;
    assert_true(w->line_count < WORLD_LINES_MAX);
    struct world_line *line = &w->lines[w->line_count++];
    line->dir = dir;
    line->flags = flags;
    line->path = w->paths;
    line->text = str_ndup(p, len);
    line->len = len;
    assert_non_null(line->text);
    if (w->cancel_after > 0 && --w->cancel_after == 0) {
        cancel_request(&w->cancel, CANCEL_POLITE);
    }
    return w->line_count;
}

static void keep_mark(void *ctx, uint32_t number, unsigned flags)
{
    struct world *w = ctx;
    assert_in_range(number, 1, w->line_count);
    w->lines[number - 1].flags |= flags;
}

static void keep_wait(void *ctx, enum smtp_wait what, int limit_ms)
{
    (void)ctx;
    assert_true(what == WAIT_NONE || limit_ms > 0);
}

static void keep_finding(void *ctx, enum check_id check, struct finding *f)
{
    struct world *w = ctx;
    assert_true(w->finding_count < WORLD_FINDINGS_MAX);
    assert_non_null(f->kind);
    w->findings[w->finding_count].check = check;
    w->findings[w->finding_count].path = w->paths;
    w->findings[w->finding_count++].f = *f;
    memset(f, 0, sizeof(*f));
}

static void keep_facts(void *ctx, const struct facts *f)
{
    struct world *w = ctx;
    struct facts copy;
    assert_true(f->path <= w->paths);
    assert_int_equal(facts_copy(&copy, f), ST_OK);
    facts_free(&copy);
    w->facts_told++;
}

static void keep_answer(void *ctx, const struct dns_facts *f)
{
    struct world *w = ctx;
    assert_non_null(f->name);
    w->answers_told++;
}

static void keep_dial(void *ctx, const struct dial_facts *f)
{
    struct world *w = ctx;
    assert_int_not_equal(f->to.family, 0);
    w->dials_told++;
}

static uint16_t keep_path(void *ctx)
{
    struct world *w = ctx;
    return ++w->paths;
}

static struct world *world_new(const char *target)
{
    struct world *w = calloc(1, sizeof(*w));
    struct error error = {0};
    assert_non_null(w);
    assert_int_equal(cancel_init(&w->cancel), ST_OK);
    plan_init(&w->plan);
    if (plan_set_target(&w->plan, target, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    w->sink = (struct check_sink){.ctx = w,
                                  .line = keep_line,
                                  .mark = keep_mark,
                                  .wait = keep_wait,
                                  .finding = keep_finding,
                                  .facts = keep_facts,
                                  .answer = keep_answer,
                                  .dial = keep_dial,
                                  .new_path = keep_path};
    return w;
}

struct world *world_open(const char *scenario, const char *target)
{
    struct world *w = world_new(target);
    struct error error = {0};
    const struct practice_options options = {.pace = PRACTICE_INSTANT};
    struct buf text;
    buf_init(&text, SCENARIO_FILE_MAX);
    assert_int_equal(buf_addf(&text, "title test\ntarget %s\n%s", target, scenario), ST_OK);
    if (practice_open_text("test", buf_str(&text), text.len, &options, &w->net, NULL, &error) !=
        ST_OK) {
        print_message("%s\n", buf_str(&text));
        fail_msg("%s", error.text);
    }
    buf_free(&text);
    return w;
}

struct world *world_open_here(const char *target)
{
    struct world *w = world_new(target);
    struct error error = {0};
    if (net_system_open(&w->net, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    return w;
}

static void start(struct world *w)
{
    struct error error = {0};
    if (w->running) {
        return;
    }
    if (plan_validate(&w->plan, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(
        check_context_init(&w->c, &w->plan, w->net, &w->cancel, &w->redactor, &w->sink), ST_OK);
    w->running = true;
}

void world_forget(struct world *w)
{
    for (size_t i = 0; i < w->finding_count; i++) {
        finding_free(&w->findings[i].f);
    }
    w->finding_count = 0;
}

void world_close(struct world *w)
{
    if (w->running) {
        check_context_free(&w->c);
    }
    world_forget(w);
    for (uint32_t i = 0; i < w->line_count; i++) {
        free(w->lines[i].text);
    }
    plan_free(&w->plan);
    redactor_free(&w->redactor);
    cancel_fini(&w->cancel);
    net_network_close(w->net);
    free(w);
}

enum verdict world_step(struct world *w, enum check_id id)
{
    start(w);
    check_begin(&w->c, id);
    w->c.results[id] = checks[id].run(&w->c);
    return w->c.results[id];
}

void world_run(struct world *w)
{
    start(w);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (check_blocked_by(&w->c, &checks[i]) != CHECK_NONE) {
            w->c.results[i] = VERDICT_SKIPPED;
        } else {
            world_step(w, (enum check_id)i);
        }
    }
}

/* Texts are made of these; a name that is missing would leave a hole in a sentence. */
static void arguments_are_there(const struct finding *f)
{
    char names[256];
    str_copy(names, sizeof(names), f->kind->args);
    for (char *p = names; *p != '\0';) {
        size_t len = strcspn(p, " ");
        char after = p[len];
        p[len] = '\0';
        bool optional = strcmp(p, "ede") == 0 || strcmp(p, "software") == 0;
        if (len > 0 && !optional && finding_arg_get(f, p) == NULL) {
            fail_msg("%s lacks its argument %s", f->kind->id, p);
        }
        p += len + (after != '\0' ? 1 : 0);
    }
}

static void evidence_is_marked(struct world *w, const struct finding *f)
{
    bool problem = f->verdict == VERDICT_WARN || f->verdict == VERDICT_FAIL;
    for (size_t i = 0; i < f->evidence_count; i++) {
        assert_in_range(f->evidence[i], 1, w->line_count);
        assert_true(!problem || (w->lines[f->evidence[i] - 1].flags & LINE_PROBLEM) != 0);
    }
}

static void dump(const struct world *w)
{
    for (uint32_t i = 0; i < w->line_count; i++) {
        static const char *const dirs[] = {"C", "S", "-", "="};
        print_message("%u %s %s\n", i + 1, dirs[w->lines[i].dir], w->lines[i].text);
    }
    for (size_t i = 0; i < w->finding_count; i++) {
        const struct finding *f = &w->findings[i].f;
        print_message("%s: %s (%s)\n", checks[w->findings[i].check].key, f->kind->id,
                      verdict_name(f->verdict));
        for (size_t k = 0; k < f->arg_count; k++) {
            print_message("    %s = %s\n", f->args[k].name, f->args[k].value);
        }
    }
}

void world_expect(struct world *w, enum check_id id, enum verdict verdict, const char *ids)
{
    struct buf got;
    enum verdict worst = VERDICT_PENDING;
    buf_init(&got, IDS_MAX);
    for (size_t i = 0; i < w->finding_count; i++) {
        const struct finding *f = &w->findings[i].f;
        if (w->findings[i].check != id) {
            continue;
        }
        assert_int_equal(buf_addf(&got, got.len > 0 ? " %s" : "%s", f->kind->id), ST_OK);
        arguments_are_there(f);
        evidence_is_marked(w, f);
        worst = verdict_worse(worst, f->verdict);
        assert_true((f->verdict == VERDICT_INCONCLUSIVE) == (f->side != SIDE_NONE));
    }
    if (strcmp(buf_str(&got), ids) != 0 || w->c.results[id] != verdict ||
        (got.len > 0 && worst != verdict)) {
        dump(w);
        fail_msg("%s: wanted %s [%s], got %s [%s], worst finding %s", checks[id].key,
                 verdict_name(verdict), ids, verdict_name(w->c.results[id]), buf_str(&got),
                 verdict_name(worst));
    }
    buf_free(&got);
}

const struct finding *world_find(struct world *w, const char *id)
{
    for (size_t i = 0; i < w->finding_count; i++) {
        if (strcmp(w->findings[i].f.kind->id, id) == 0) {
            return &w->findings[i].f;
        }
    }
    dump(w);
    fail_msg("%s was not reported", id);
    return NULL;
}

void world_arg(struct world *w, const char *id, const char *arg, const char *value)
{
    const char *got = finding_arg_get(world_find(w, id), arg);
    if (got == NULL || strcmp(got, value) != 0) {
        dump(w);
        fail_msg("%s: %s is \"%s\", not \"%s\"", id, arg, got != NULL ? got : "(none)", value);
    }
}

bool world_told(const struct world *w, const char *text)
{
    for (uint32_t i = 0; i < w->line_count; i++) {
        if (strstr(w->lines[i].text, text) != NULL) {
            return true;
        }
    }
    return false;
}

unsigned world_log_count(const struct world *w, const char *text)
{
    unsigned n = 0;
    const struct buf *log = practice_log(w->net);
    for (const char *p = buf_str(log); (p = strstr(p, text)) != NULL; p += strlen(text)) {
        n++;
    }
    return n;
}

bool world_log_has(const struct world *w, const char *text)
{
    return world_log_count(w, text) > 0;
}
