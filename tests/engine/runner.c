#include "runner.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reply_decode.h"

#define LOG_MAX ((size_t)64 << 20)
/* Only a hang takes that long. */
#define PATIENCE_MS 60000

static const char head[] = "title Made for a test\n"
                           "theme test\n"
                           "story None.\n"
                           "goal None.\n"
                           "target example.org\n";

static void open_engine(struct runner *r)
{
    struct error error = {.text = ""};
    buf_init(&r->log, LOG_MAX);
    buf_init(&r->text, LOG_MAX);
    plan_init(&r->plan);
    if (plan_set_target(&r->plan, r->info.target, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    if (engine_new(&r->engine, r->net, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
}

void runner_open(struct runner *r, const char *scenario, enum practice_pace pace)
{
    struct practice_options options = {.pace = pace};
    struct error error = {.text = ""};
    memset(r, 0, sizeof(*r));
    if (practice_open(NULL, scenario, &options, &r->net, &r->info, &error) != ST_OK) {
        fail_msg("%s: %s", scenario, error.text);
    }
    open_engine(r);
}

void runner_open_whole(struct runner *r, const char *text, enum practice_pace pace)
{
    struct practice_options options = {.pace = pace};
    struct error error = {.text = ""};
    memset(r, 0, sizeof(*r));
    if (practice_open_text("test", text, strlen(text), &options, &r->net, &r->info, &error) !=
        ST_OK) {
        fail_msg("%s\n%s", error.text, text);
    }
    open_engine(r);
}

void runner_open_text(struct runner *r, const char *text, enum practice_pace pace)
{
    struct buf whole;
    buf_init(&whole, SCENARIO_FILE_MAX);
    assert_int_equal(buf_addf(&whole, "%s%s", head, text), ST_OK);
    runner_open_whole(r, buf_str(&whole), pace);
    buf_free(&whole);
}

void runner_close(struct runner *r)
{
    engine_free(r->engine);
    if (r->record.lines != NULL) {
        record_free(&r->record);
    }
    plan_free(&r->plan);
    scenario_info_free(&r->info);
    buf_free(&r->log);
    buf_free(&r->text);
}

static void note_text(struct runner *r, const char *p, size_t len)
{
    if (p != NULL && len > 0) {
        assert_int_equal(buf_add(&r->text, p, len), ST_OK);
        assert_int_equal(buf_add_char(&r->text, '\n'), ST_OK);
    }
}

static void note_string(struct runner *r, const char *p)
{
    note_text(r, p, p != NULL ? strlen(p) : 0);
}

static void note_finding(struct runner *r, const struct finding *f)
{
    for (size_t i = 0; i < f->arg_count; i++) {
        note_string(r, f->args[i].value);
    }
}

static void note_facts(struct runner *r, const struct facts *f)
{
    const char *const all[] = {f->mx,     f->ptr,       f->own_address,  f->own_ptr,
                               f->banner, f->ehlo_name, f->capabilities, f->queue_id};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        note_string(r, all[i]);
    }
}

static const char *check_key(enum check_id id)
{
    return id < CHECK_COUNT ? checks[id].key : "-";
}

static void note_event(struct runner *r, const struct event *e)
{
    enum status st = ST_OK;
    switch (e->kind) {
    case EVENT_RUN_STARTED:
        st = buf_addf(&r->log, "run %s\n", e->u.started.target);
        break;
    case EVENT_STEP_STARTED:
        st = buf_addf(&r->log, "step %s\n", check_key(e->check));
        break;
    case EVENT_STEP_DONE:
        st =
            buf_addf(&r->log, "done %s %s\n", check_key(e->check), verdict_name(e->u.step.verdict));
        break;
    case EVENT_FINDING:
        st = buf_addf(&r->log, "found %s\n", e->u.finding->kind->id);
        note_finding(r, e->u.finding);
        break;
    case EVENT_FACTS:
        note_facts(r, e->u.facts);
        break;
    case EVENT_LINE:
        note_text(r, e->u.line.text, e->u.line.len);
        break;
    case EVENT_SESSION:
        st = buf_addf(&r->log, "session %d%s%s\n", (int)e->u.session.state,
                      e->u.session.tls ? " tls" : "", e->u.session.authenticated ? " auth" : "");
        break;
    case EVENT_RUN_DONE:
        st = buf_addf(&r->log, "end %s%s\n", verdict_name(e->u.done.verdict),
                      e->u.done.cancelled ? " cancelled" : "");
        r->runs_done += e->run == r->record.run;
        break;
    case EVENT_REPLAY:
        st = buf_addf(&r->log, "replay %d %u/%u %d %d\n", (int)e->u.replay.state,
                      (unsigned)e->u.replay.step, (unsigned)e->u.replay.count,
                      e->u.replay.expected, e->u.replay.got);
        break;
    case EVENT_SUSPENDED:
        st = buf_addf(&r->log, "suspended\n");
        break;
    case EVENT_ANSWER:
        note_string(r, e->u.answer->name);
        for (size_t i = 0; i < e->u.answer->count; i++) {
            note_string(r, e->u.answer->records[i]);
        }
        break;
    case EVENT_DIAL:
    case EVENT_MARK:
    case EVENT_WAIT:
        break;
    }
    assert_int_equal(st, ST_OK);
}

static void take(struct runner *r)
{
    struct event *e = engine_events(r->engine, 100);
    while (e != NULL) {
        struct event *next = (struct event *)(void *)e->item.next;
        if (e->run == r->record.run) {
            note_event(r, e);
        }
        (void)record_apply(&r->record, e);
        event_free(e);
        e = next;
    }
}

void runner_watch(struct runner *r)
{
    if (r->record.lines != NULL) {
        record_free(&r->record);
    }
    assert_int_equal(record_init(&r->record, engine_generation(r->engine)), ST_OK);
    r->runs_done = 0;
}

void runner_start(struct runner *r)
{
    assert_int_not_equal(engine_start(r->engine, &r->plan), 0);
    runner_watch(r);
}

void runner_until(struct runner *r, bool (*done)(const struct runner *r, const void *arg),
                  const void *arg)
{
    while (!done(r, arg)) {
        struct pollfd p = {.fd = engine_fd(r->engine), .events = POLLIN};
        if (poll(&p, 1, PATIENCE_MS) == 0) {
            fail_msg("nothing comes any more; so far:\n%s%s", buf_str(&r->log), buf_str(&r->text));
        }
        take(r);
    }
}

static bool is_done(const struct runner *r, const void *arg)
{
    return r->runs_done > *(const unsigned *)arg;
}

void runner_until_done(struct runner *r)
{
    const unsigned before = r->runs_done;
    runner_until(r, is_done, &before);
}

void runner_run(struct runner *r)
{
    runner_start(r);
    runner_until_done(r);
}

void runner_step(struct runner *r, enum check_id check, const struct plan *plan)
{
    assert_int_equal(engine_step(r->engine, check, plan), ST_OK);
    runner_until_done(r);
}

/* The last line in which the text stands, 0 for none. */
static uint32_t find_text(const struct runner *r, const char *text)
{
    return lines_search(r->record.lines, UINT32_MAX, true, text);
}

struct later {
    const char *text;
    uint32_t after;
};

static bool came_later(const struct runner *r, const void *arg)
{
    const struct later *l = arg;
    return find_text(r, l->text) > l->after;
}

void runner_until_text(struct runner *r, const char *text)
{
    const struct later l = {text, 0};
    runner_until(r, came_later, &l);
}

void runner_expect(struct runner *r, const char *text)
{
    r->expected = text;
    r->expected_after = lines_last(r->record.lines);
}

void runner_until_expected(struct runner *r)
{
    const struct later l = {r->expected, r->expected_after};
    runner_until(r, came_later, &l);
}

static bool is_in_state(const struct runner *r, const void *arg)
{
    return r->record.session == *(const enum smtp_state *)arg;
}

void runner_until_session(struct runner *r, enum smtp_state state)
{
    runner_until(r, is_in_state, &state);
}

void runner_type(struct runner *r, const char *line, const char *answer)
{
    const struct later l = {answer, lines_last(r->record.lines)};
    assert_int_equal(engine_type(r->engine, line, strlen(line)), ST_OK);
    runner_until(r, came_later, &l);
}

bool runner_found(const struct runner *r, const char *id)
{
    for (size_t i = 0; i < r->record.finding_count; i++) {
        const struct finding *f = &r->record.findings[i].f;
        if (strcmp(f->kind->id, id) == 0 || (f->cause != NULL && strcmp(f->cause->id, id) == 0)) {
            return true;
        }
    }
    return false;
}

enum verdict runner_verdict(const struct runner *r, enum check_id check)
{
    return r->record.steps[check].verdict;
}

bool runner_said(const struct runner *r, const char *text)
{
    return find_text(r, text) != 0;
}
