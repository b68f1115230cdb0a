#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record.h"

#define RUN 4

static bool apply(struct record *r, struct event *e)
{
    assert_non_null(e);
    bool changed = record_apply(r, e);
    event_free(e);
    return changed;
}

static struct event *make(enum event_kind kind, enum check_id check, int64_t t_us)
{
    struct event *e = event_new(kind, RUN, 1, check, t_us);
    assert_non_null(e);
    return e;
}

static void start(struct record *r, enum check_id check, int64_t t_us)
{
    assert_true(apply(r, make(EVENT_STEP_STARTED, check, t_us)));
}

static void finish(struct record *r, enum check_id check, int64_t t_us, enum verdict verdict)
{
    struct event *e = make(EVENT_STEP_DONE, check, t_us);
    e->u.step.verdict = verdict;
    e->u.step.elapsed_us = t_us - r->steps[check].started_us;
    e->u.step.because = CHECK_NONE;
    assert_true(apply(r, e));
}

static void report(struct record *r, enum check_id check, const char *id)
{
    struct event *e = make(EVENT_FINDING, check, 0);
    e->u.finding = calloc(1, sizeof(*e->u.finding));
    assert_non_null(e->u.finding);
    finding_init(e->u.finding, id);
    assert_true(apply(r, e));
}

static void line(struct record *r, enum check_id check, uint32_t number, const char *text)
{
    assert_true(apply(r, event_new_line(RUN, 1, check, number, number, DIR_SERVER, false, 0, text,
                                        strlen(text))));
}

static void step(struct record *r, enum check_id check, enum verdict verdict)
{
    start(r, check, 0);
    finish(r, check, 1, verdict);
}

static int setup(void **state)
{
    struct record *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    assert_int_equal(record_init(r, RUN), ST_OK);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    record_free(*state);
    free(*state);
    return 0;
}

static void test_fresh(void **state)
{
    struct record *r = *state;
    assert_false(r->started);
    assert_int_equal(r->running, CHECK_NONE);
    assert_int_equal(r->verdict, VERDICT_PENDING);
    assert_null(record_path(r));
    assert_int_equal(record_exit_code(r, false), 3);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        assert_int_equal(r->steps[i].verdict, VERDICT_PENDING);
        assert_int_equal(r->steps[i].because, CHECK_NONE);
    }
}

static void test_other_runs_are_dropped(void **state)
{
    struct record *r = *state;
    struct event *e = event_new(EVENT_STEP_STARTED, RUN - 1, 1, CHECK_EHLO, 5);
    assert_false(apply(r, e));
    assert_int_equal(r->steps[CHECK_EHLO].verdict, VERDICT_PENDING);
    e = event_new_line(RUN + 1, 1, CHECK_EHLO, 5, 1, DIR_SERVER, false, 0, "x", 1);
    assert_false(apply(r, e));
    assert_int_equal(lines_last(r->lines), 0);
}

static void test_a_step_goes_through_its_life(void **state)
{
    struct record *r = *state;
    struct event *e = make(EVENT_RUN_STARTED, CHECK_NONE, 0);
    e->u.started.target = str_dup("example.com");
    e->u.started.demo = true;
    e->u.started.wall_us = 99;
    assert_true(apply(r, e));
    assert_true(r->started && r->demo);
    assert_string_equal(r->target, "example.com");
    assert_int_equal(r->started_wall_us, 99);

    line(r, CHECK_NONE, 1, "before");
    start(r, CHECK_EHLO, 100);
    assert_int_equal(r->running, CHECK_EHLO);
    assert_int_equal(r->steps[CHECK_EHLO].verdict, VERDICT_RUNNING);
    e = make(EVENT_WAIT, CHECK_EHLO, 110);
    e->u.wait.what = WAIT_EHLO;
    e->u.wait.limit_ms = 300000;
    assert_true(apply(r, e));
    assert_int_equal(r->waiting, WAIT_EHLO);
    assert_int_equal(r->wait_since_us, 110);
    assert_int_equal(r->wait_limit_ms, 300000);
    line(r, CHECK_EHLO, 2, "250-mx");
    line(r, CHECK_EHLO, 3, "250 SIZE");
    report(r, CHECK_EHLO, "smtp.ehlo.ok");
    finish(r, CHECK_EHLO, 150, VERDICT_OK);
    assert_int_equal(r->waiting, WAIT_NONE);
    assert_int_equal(r->running, CHECK_NONE);
    assert_int_equal(r->steps[CHECK_EHLO].verdict, VERDICT_OK);
    assert_int_equal(r->steps[CHECK_EHLO].elapsed_us, 50);
    assert_int_equal(r->steps[CHECK_EHLO].first_line, 2);
    assert_int_equal(r->steps[CHECK_EHLO].last_line, 3);
    assert_int_equal(r->steps[CHECK_EHLO].path, 1);
    assert_int_equal(r->finding_count, 1);
    assert_string_equal(r->findings[0].f.kind->id, "smtp.ehlo.ok");

    e = make(EVENT_MARK, CHECK_EHLO, 151);
    e->u.mark.number = 3;
    e->u.mark.flags = LINE_PROBLEM;
    assert_true(apply(r, e));
    struct line kept;
    assert_true(lines_get(r->lines, 3, &kept));
    assert_int_equal(kept.flags, LINE_PROBLEM);

    e = make(EVENT_RUN_DONE, CHECK_NONE, 200);
    e->u.done.verdict = VERDICT_OK;
    assert_true(apply(r, e));
    assert_true(r->done);
    assert_false(r->cancelled);
    assert_int_equal(r->elapsed_us, 200);
    /* What comes later, while the connection idles, is not part of the run's time. */
    struct event *late =
        event_new_line(RUN, 1, CHECK_NONE, 90000, 4, DIR_SERVER, false, 0, "421", 3);
    assert_true(apply(r, late));
    assert_int_equal(r->elapsed_us, 200);
}

static void test_a_step_run_again_replaces_itself(void **state)
{
    struct record *r = *state;
    start(r, CHECK_BANNER, 0);
    report(r, CHECK_BANNER, "smtp.banner.ok");
    finish(r, CHECK_BANNER, 1, VERDICT_OK);
    start(r, CHECK_STARTTLS, 2);
    report(r, CHECK_STARTTLS, "tls.starttls.refused_temp");
    report(r, CHECK_STARTTLS, "tls.starttls.masked");
    line(r, CHECK_STARTTLS, 1, "454 no");
    finish(r, CHECK_STARTTLS, 3, VERDICT_FAIL);
    assert_int_equal(r->verdict, VERDICT_FAIL);
    assert_int_equal(record_exit_code(r, false), 2);

    start(r, CHECK_STARTTLS, 10);
    assert_int_equal(r->finding_count, 1);
    assert_int_equal(r->steps[CHECK_STARTTLS].first_line, 0);
    assert_false(r->done);
    report(r, CHECK_STARTTLS, "tls.starttls.ok");
    finish(r, CHECK_STARTTLS, 11, VERDICT_OK);
    assert_int_equal(r->finding_count, 2);
    assert_string_equal(r->findings[0].f.kind->id, "smtp.banner.ok");
    assert_string_equal(r->findings[1].f.kind->id, "tls.starttls.ok");
    assert_int_equal(r->verdict, VERDICT_OK);
    assert_int_equal(record_exit_code(r, true), 0);
}

static void test_facts_are_taken_over(void **state)
{
    struct record *r = *state;
    for (int round = 0; round < 2; round++) {
        struct event *e = make(EVENT_FACTS, CHECK_CONNECT, 5);
        e->u.facts = calloc(1, sizeof(*e->u.facts));
        assert_non_null(e->u.facts);
        facts_init(e->u.facts, 1);
        e->u.facts->banner = str_dup(round == 0 ? "220 one" : "220 two");
        assert_true(apply(r, e));
    }
    assert_int_equal(r->path_count, 2);
    assert_null(r->paths[0]);
    assert_non_null(record_path(r));
    assert_string_equal(record_path(r)->banner, "220 two");
    struct event *e = event_new(EVENT_FACTS, RUN, RECORD_PATHS_MAX, CHECK_CONNECT, 5);
    e->u.facts = calloc(1, sizeof(*e->u.facts));
    assert_non_null(e->u.facts);
    facts_init(e->u.facts, RECORD_PATHS_MAX);
    assert_false(apply(r, e));
}

static void test_findings_are_bounded(void **state)
{
    struct record *r = *state;
    for (int i = 0; i < RECORD_FINDINGS_MAX + 3; i++) {
        report(r, CHECK_DNS_MX, "dns.mx.duplicate");
    }
    assert_int_equal(r->finding_count, RECORD_FINDINGS_MAX);
    assert_int_equal(r->findings_dropped, 3);
}

static void test_session(void **state)
{
    struct record *r = *state;
    struct event *e = make(EVENT_SESSION, CHECK_NONE, 5);
    e->u.session.state = SMTP_TEXT;
    e->u.session.tls = e->u.session.authenticated = e->u.session.expects_text = true;
    assert_true(apply(r, e));
    assert_int_equal(r->session, SMTP_TEXT);
    assert_true(r->session_tls && r->session_authenticated && r->expects_text);
    assert_true(apply(r, make(EVENT_SESSION, CHECK_NONE, 6)));
    assert_int_equal(r->session, SMTP_CLOSED);
    assert_false(r->session_tls || r->session_authenticated || r->expects_text);
}

static void test_exit_codes(void **state)
{
    struct record *r = *state;
    step(r, CHECK_DNS_MX, VERDICT_OK);
    assert_int_equal(record_exit_code(r, false), 0);
    step(r, CHECK_RELAY, VERDICT_ASK);
    step(r, CHECK_AUTH, VERDICT_SKIPPED);
    step(r, CHECK_DNS_ADDRESS, VERDICT_NOTE);
    assert_int_equal(record_exit_code(r, true), 0);
    step(r, CHECK_CONNECT, VERDICT_STOPPED);
    assert_int_equal(record_exit_code(r, false), 3);

    start(r, CHECK_SELF_PTR, 0);
    report(r, CHECK_SELF_PTR, "self.ptr.lookup_failed");
    finish(r, CHECK_SELF_PTR, 1, VERDICT_INCONCLUSIVE);
    assert_int_equal(record_exit_code(r, false), 3);
    start(r, CHECK_SELF_PTR, 0);
    report(r, CHECK_SELF_PTR, "smtp.session.shutdown");
    r->findings[r->finding_count - 1].f.side = SIDE_THEIRS;
    finish(r, CHECK_SELF_PTR, 1, VERDICT_INCONCLUSIVE);
    assert_int_equal(record_exit_code(r, false), 1);

    step(r, CHECK_BANNER, VERDICT_WARN);
    assert_int_equal(record_exit_code(r, false), 1);
    assert_int_equal(record_exit_code(r, true), 2);
    step(r, CHECK_EHLO, VERDICT_FAIL);
    assert_int_equal(record_exit_code(r, false), 2);

    unsigned ok, warn, fail, skip, ask;
    record_counts(r, &ok, &warn, &fail, &skip, &ask);
    assert_int_equal(ok, 2);
    assert_int_equal(warn, 2);
    assert_int_equal(fail, 1);
    assert_int_equal(skip, 2);
    assert_int_equal(ask, 1);
}

static void answer(struct record *r, const char *name)
{
    struct event *e = make(EVENT_ANSWER, CHECK_DNS_MX, 0);
    e->u.answer = calloc(1, sizeof(*e->u.answer));
    assert_non_null(e->u.answer);
    e->u.answer->type = DNS_MX;
    assert_int_equal(str_set(&e->u.answer->name, name), ST_OK);
    assert_int_equal(dns_facts_add(e->u.answer, "10 mx1.example.com"), ST_OK);
    assert_true(apply(r, e));
}

static void test_answers_are_kept(void **state)
{
    struct record *r = *state;
    for (size_t i = 0; i < RECORD_ANSWERS_MAX + 3; i++) {
        answer(r, "example.com");
    }
    assert_int_equal(r->answer_count, RECORD_ANSWERS_MAX);
    assert_int_equal(r->answers_dropped, 3);
    assert_string_equal(r->answers[0].f.name, "example.com");
    assert_string_equal(r->answers[0].f.records[0], "10 mx1.example.com");
    assert_int_equal(r->answers[0].check, CHECK_DNS_MX);
}

static void dial(struct record *r, enum status status)
{
    struct event *e = make(EVENT_DIAL, CHECK_CONNECT, 7);
    e->u.dial.status = status;
    assert_true(apply(r, e));
}

static void session(struct record *r, enum smtp_state state, enum status why)
{
    struct event *e = make(EVENT_SESSION, CHECK_CONNECT, 8);
    e->u.session.state = state;
    e->u.session.why = why;
    assert_true(apply(r, e));
}

/* Which attempt carried the conversation, where it began and how it ended. */
static void test_dials_are_followed(void **state)
{
    struct record *r = *state;
    line(r, CHECK_CONNECT, 1, "connecting");
    dial(r, ST_REFUSED);
    line(r, CHECK_CONNECT, 2, "connecting");
    dial(r, ST_OK);
    session(r, SMTP_CONNECTED, ST_OK);
    dial(r, ST_OK); /* for comparison, beside it */
    line(r, CHECK_BANNER, 3, "220 hello");
    session(r, SMTP_GREETED, ST_OK);
    session(r, SMTP_CLOSED, ST_EOF);
    line(r, CHECK_BANNER, 4, "connecting again");
    dial(r, ST_OK);
    session(r, SMTP_CONNECTED, ST_OK);
    assert_int_equal(r->dial_count, 4);
    assert_int_equal(r->dials_dropped, 0);
    assert_false(r->dials[0].talked);
    assert_true(r->dials[1].talked);
    assert_true(r->dials[1].ended);
    assert_int_equal(r->dials[1].why, ST_EOF);
    assert_int_equal(r->dials[1].line, 2);
    assert_int_equal(r->dials[1].last_line, 3);
    assert_false(r->dials[2].talked);
    assert_true(r->dials[3].talked);
    assert_false(r->dials[3].ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fresh, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_runs_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_step_goes_through_its_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_step_run_again_replaces_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facts_are_taken_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_findings_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_session, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exit_codes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dials_are_followed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
