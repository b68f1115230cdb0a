#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runner.h"

/* One host with one server, to which a test adds lines. */
#define WORLD                                                                                      \
    "me\n"                                                                                         \
    "    name desk.office.example\n"                                                               \
    "    address 198.51.100.7\n"                                                                   \
    "zone example.org\n"                                                                           \
    "    @ MX 10 mx1\n"                                                                            \
    "host mx1.example.org\n"                                                                       \
    "    address 192.0.2.10\n"                                                                     \
    "    latency 2ms\n"                                                                            \
    "    port 25 mx\n"                                                                             \
    "server mx\n"                                                                                  \
    "    offer PIPELINING\n"                                                                       \
    "    offer STARTTLS\n"                                                                         \
    "    offer-tls AUTH PLAIN LOGIN\n"                                                             \
    "    local example.org\n"                                                                      \
    "    mailbox postmaster\n"                                                                     \
    "    user anna secret-of-anna\n"

/* Far more than it should take; the time itself is printed, not judged. */
#define CANCEL_LIMIT_MS 2000

struct phase {
    const char *name;
    const char *world;
    enum check_id check; /* which stands still */
    enum smtp_wait wait;
};

#define NO_ANSWER(server_line) WORLD "    " server_line "\n"

static const struct phase phases[] = {
    {"name server",
     "me\n    address 198.51.100.7\n    resolver 192.0.2.53 timeout\nzone example.org\n    @ MX 10 "
     "mx1\n",
     CHECK_DNS_MX, WAIT_DNS},
    {"connect",
     "me\n    address 198.51.100.7\nzone example.org\n    @ MX 10 mx1\nhost mx1.example.org\n"
     "    address 192.0.2.10\n    port 25 drop\n",
     CHECK_CONNECT, WAIT_CONNECT},
    {"banner", NO_ANSWER("on connect: stall"), CHECK_BANNER, WAIT_BANNER},
    {"EHLO", NO_ANSWER("on EHLO: stall"), CHECK_EHLO, WAIT_EHLO},
    {"STARTTLS", NO_ANSWER("on STARTTLS: stall"), CHECK_STARTTLS, WAIT_STARTTLS},
    {"TLS", NO_ANSWER("tls stall"), CHECK_STARTTLS, WAIT_TLS},
    {"relay test", NO_ANSWER("on MAIL: stall"), CHECK_RELAY, WAIT_MAIL},
    {"AUTH", NO_ANSWER("on AUTH: stall"), CHECK_AUTH, WAIT_AUTH},
    {"end of message", NO_ANSWER("on message: stall"), CHECK_SEND, WAIT_DOT},
};

static void consent_to_all(struct plan *p)
{
    p->relay_consent = p->auth_wanted = true;
    p->send_consent = true;
    assert_int_equal(str_set(&p->auth_user, "anna"), ST_OK);
    assert_int_equal(str_set(&p->to, "postmaster@example.org"), ST_OK);
    assert_int_equal(secret_set(&p->password, "secret-of-anna", 14), ST_OK);
}

static void consent_for(struct plan *p, enum check_id check)
{
    if (check == CHECK_AUTH || check == CHECK_RELAY || check == CHECK_SEND) {
        consent_to_all(p);
        p->relay_consent = check == CHECK_RELAY;
        p->auth_wanted = check == CHECK_AUTH;
        p->send_consent = check == CHECK_SEND;
    }
}

static bool is_waiting(const struct runner *r, const void *arg)
{
    const struct phase *p = arg;
    return r->record.running == p->check && r->record.waiting == p->wait;
}

static bool is_stopped(const struct runner *r, const void *arg)
{
    const struct phase *p = arg;
    return runner_verdict(r, p->check) != VERDICT_RUNNING;
}

static void cancel_in(const struct phase *p, enum cancel_level level, bool stay)
{
    struct runner r;
    runner_open_text(&r, p->world, PRACTICE_PACED);
    consent_for(&r.plan, p->check);
    r.plan.stay = stay;
    runner_start(&r);
    runner_until(&r, is_waiting, p);
    int64_t start = clock_monotonic_us();
    engine_cancel(r.engine, level);
    runner_until(&r, is_stopped, p);
    int64_t us = clock_monotonic_us() - start;
    print_message("cancelled in %s (%s): %lld us\n", p->name,
                  level == CANCEL_HARD ? "hard" : "politely", (long long)us);
    assert_true(us < CANCEL_LIMIT_MS * US_PER_MS);
    assert_int_equal(runner_verdict(&r, p->check), VERDICT_STOPPED);
    assert_true(runner_found(&r, "check.stopped"));
    /* The second time is for good: whatever is still being said is cut. */
    engine_cancel(r.engine, CANCEL_HARD);
    if (!r.record.done) {
        runner_until_done(&r);
    }
    assert_true(r.record.cancelled);
    assert_int_equal(r.record.session, SMTP_CLOSED);
    for (size_t i = p->check + 1; i < CHECK_COUNT; i++) {
        assert_int_equal(r.record.steps[i].verdict, stay ? VERDICT_PENDING : VERDICT_SKIPPED);
    }
    runner_close(&r);
}

static void test_cancel_in_every_phase(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
        cancel_in(&phases[i], CANCEL_POLITE, i % 2 == 0);
        cancel_in(&phases[i], CANCEL_HARD, i % 2 != 0);
    }
}

static void test_freeing_in_every_phase(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
        struct runner r;
        runner_open_text(&r, phases[i].world, PRACTICE_PACED);
        consent_for(&r.plan, phases[i].check);
        runner_start(&r);
        runner_until(&r, is_waiting, &phases[i]);
        runner_close(&r);
    }
}

static void test_freeing_without_a_run(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, WORLD, PRACTICE_INSTANT);
    runner_close(&r);
    runner_open_text(&r, WORLD, PRACTICE_INSTANT);
    assert_int_not_equal(engine_start(r.engine, &r.plan), 0);
    runner_close(&r);
}

/* Nobody takes the events: the engine waits, and still can be ended. */
static void test_a_full_queue(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(
        &r, WORLD "    on EHLO: repeat 300000 \"250-AND-ANOTHER-KEYWORD-OF-A-SERVER\\r\\n\"\n",
        PRACTICE_INSTANT);
    r.plan.only = UINT64_C(1) << CHECK_EHLO;
    assert_int_not_equal(engine_start(r.engine, &r.plan), 0);
    engine_cancel(r.engine, CANCEL_NONE);
    runner_watch(&r);
    runner_until_text(&r, "AND-ANOTHER");
    runner_close(&r);
}

static void test_a_new_run_ends_the_old_one(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, phases[2].world, PRACTICE_PACED);
    for (int i = 0; i < 5; i++) {
        uint32_t before = engine_generation(r.engine);
        runner_start(&r);
        assert_int_equal(engine_generation(r.engine), before + 1);
        if (i % 2 == 0) {
            runner_until(&r, is_waiting, &phases[2]);
        }
    }
    engine_cancel(r.engine, CANCEL_POLITE);
    runner_until_done(&r);
    assert_true(r.record.cancelled);
    runner_close(&r);
}

/* A cancel that comes before the engine has begun is not lost, and one for the last run does not
   hit the next. */
static void test_cancel_belongs_to_its_run(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct runner r;
        runner_open_text(&r, phases[2].world, PRACTICE_PACED);
        runner_start(&r);
        engine_cancel(r.engine, CANCEL_POLITE);
        runner_until_done(&r);
        assert_true(r.record.cancelled);
        runner_close(&r);

        runner_open_text(&r, WORLD, PRACTICE_INSTANT);
        runner_start(&r);
        engine_cancel(r.engine, i % 2 == 0 ? CANCEL_POLITE : CANCEL_HARD);
        runner_start(&r);
        runner_until_done(&r);
        assert_false(r.record.cancelled);
        assert_int_equal(runner_verdict(&r, CHECK_CERTIFICATE), VERDICT_OK);
        runner_close(&r);
    }
}

static bool is_past(const struct runner *r, const void *arg)
{
    enum verdict v = runner_verdict(r, *(const enum check_id *)arg);
    return v != VERDICT_PENDING && v != VERDICT_RUNNING;
}

static void test_pause_and_go_on(void **state)
{
    (void)state;
    static const struct phase slow = {"EHLO", NO_ANSWER("on EHLO within 1s: wait 300ms, default"),
                                      CHECK_EHLO, WAIT_EHLO};
    static const enum check_id ehlo = CHECK_EHLO;
    struct runner r;
    runner_open_text(&r, slow.world, PRACTICE_PACED);
    r.plan.stay = true;
    engine_pause(r.engine, true); /* a new run is not paused */
    runner_start(&r);
    runner_until(&r, is_waiting, &slow);
    engine_pause(r.engine, true);
    runner_until(&r, is_past, &ehlo);
    /* While it pauses, lines can be typed and single steps run; the rest comes with going on. */
    runner_type(&r, "NOOP", "250 2");
    runner_step(&r, CHECK_DNS_MX, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_DNS_MX), VERDICT_OK);
    assert_int_equal(runner_verdict(&r, CHECK_STARTTLS), VERDICT_PENDING);
    engine_pause(r.engine, false);
    runner_until_done(&r);
    assert_int_equal(runner_verdict(&r, CHECK_STARTTLS), VERDICT_NOTE); /* log-in on port 25 */
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_ASK);
    runner_close(&r);
}

/* Meant for the run that it was asked after, even when both come at once. */
static void test_pause_behind_a_start(void **state)
{
    (void)state;
    static const enum check_id mx = CHECK_DNS_MX;
    struct runner r;
    runner_open_text(&r, WORLD, PRACTICE_PACED);
    runner_start(&r);
    runner_until(&r, is_past, &mx);
    runner_start(&r);
    engine_pause(r.engine, true);
    assert_int_equal(engine_type(r.engine, "NOOP", 4), ST_OK);
    runner_until_text(&r, "There is no connection");
    assert_int_equal(runner_verdict(&r, CHECK_CONNECT), VERDICT_PENDING);
    engine_pause(r.engine, false);
    runner_until_done(&r);
    assert_int_equal(runner_verdict(&r, CHECK_CERTIFICATE), VERDICT_OK);
    runner_close(&r);
}

/* Nobody wants to log in, but mail programs could not either. Nothing is sent to find that out. */
static void test_offer_without_a_wish(void **state)
{
    (void)state;
    struct runner r;
    struct error error = {.text = ""};
    runner_open_text(&r,
                     "me\n    name desk.office.example\n    address 198.51.100.7\n"
                     "host mx1.example.org\n    address 192.0.2.10\n    port 587 mx\n"
                     "server mx\n    offer STARTTLS\n    withhold AUTH\n",
                     PRACTICE_INSTANT);
    assert_int_equal(plan_set_target(&r.plan, "mx1.example.org:587", &error), ST_OK);
    runner_run(&r);
    assert_true(runner_found(&r, "smtp.auth.not_offered"));
    assert_int_equal(runner_verdict(&r, CHECK_AUTH), VERDICT_FAIL);
    assert_null(strstr(buf_str(practice_log(r.net)), "AUTH"));
    runner_close(&r);
}

static void test_consent(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, WORLD, PRACTICE_INSTANT);
    r.plan.stay = true;
    runner_run(&r);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_ASK);
    assert_int_equal(runner_verdict(&r, CHECK_AUTH), VERDICT_ASK);
    assert_int_equal(runner_verdict(&r, CHECK_SEND), VERDICT_ASK);
    assert_true(runner_found(&r, "check.needs_consent"));
    assert_null(strstr(buf_str(practice_log(r.net)), "MAIL FROM"));

    runner_step(&r, CHECK_RELAY, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_ASK);

    struct plan consent;
    plan_init(&consent);
    consent.relay_consent = true;
    runner_step(&r, CHECK_RELAY, &consent);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_OK);
    assert_true(runner_found(&r, "smtp.relay.denied"));
    /* For this once. */
    runner_step(&r, CHECK_RELAY, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_ASK);
    assert_int_equal(practice_text_bytes(r.net), 0);

    consent_to_all(&consent);
    runner_step(&r, CHECK_AUTH, &consent);
    assert_int_equal(runner_verdict(&r, CHECK_AUTH), VERDICT_OK);
    assert_true(r.record.session_authenticated);
    runner_step(&r, CHECK_SEND, &consent);
    assert_int_equal(runner_verdict(&r, CHECK_SEND), VERDICT_OK);
    assert_true(practice_text_bytes(r.net) > 0);
    assert_null(strstr(buf_str(&r.text), "secret-of-anna"));
    plan_free(&consent);
    runner_close(&r);
}

static void test_read_only(void **state)
{
    (void)state;
    static const char *const verbs[] = {"AUTH", "MAIL", "RCPT", "DATA", "VRFY", "EXPN"};
    struct runner r;
    runner_open_text(&r, WORLD, PRACTICE_INSTANT);
    consent_to_all(&r.plan);
    r.plan.read_only = true;
    r.plan.stay = true;
    runner_run(&r);
    struct plan consent;
    assert_int_equal(plan_copy(&consent, &r.plan), ST_OK);
    consent.read_only = false;
    runner_step(&r, CHECK_SEND, &consent);
    runner_step(&r, CHECK_RELAY, &consent);
    runner_step(&r, CHECK_AUTH, &consent);
    plan_free(&consent);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_SKIPPED);
    assert_int_equal(runner_verdict(&r, CHECK_AUTH), VERDICT_SKIPPED);
    assert_int_equal(runner_verdict(&r, CHECK_SEND), VERDICT_SKIPPED);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strstr(buf_str(practice_log(r.net)), verbs[i]) != NULL) {
            fail_msg("%s was said:\n%s", verbs[i], buf_str(practice_log(r.net)));
        }
    }
    runner_close(&r);
}

static void test_skipping_names_the_cause(void **state)
{
    (void)state;
    struct runner r;
    runner_open(&r, "nxdomain", PRACTICE_INSTANT);
    runner_run(&r);
    assert_int_equal(runner_verdict(&r, CHECK_DNS_MX), VERDICT_FAIL);
    static const enum check_id fell[] = {CHECK_DNS_ADDRESS, CHECK_CONNECT,  CHECK_BANNER,
                                         CHECK_EHLO,        CHECK_STARTTLS, CHECK_CERTIFICATE,
                                         CHECK_RELAY,       CHECK_SEND};
    for (size_t i = 0; i < ARRAY_LEN(fell); i++) {
        assert_int_equal(runner_verdict(&r, fell[i]), VERDICT_SKIPPED);
        assert_int_equal(r.record.steps[fell[i]].because, CHECK_DNS_MX);
    }
    assert_true(runner_found(&r, "check.skipped"));
    assert_int_equal(record_exit_code(&r.record, false), 2);
    runner_close(&r);
}

static void test_only(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, WORLD, PRACTICE_INSTANT);
    r.plan.only = UINT64_C(1) << CHECK_BANNER;
    runner_run(&r);
    assert_int_equal(runner_verdict(&r, CHECK_BANNER), VERDICT_OK);
    assert_int_equal(runner_verdict(&r, CHECK_DNS_MX), VERDICT_OK);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_PENDING);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_PENDING);
    runner_close(&r);
}

static void test_steps_again(void **state)
{
    (void)state;
    static const enum check_id again[] = {CHECK_STARTTLS, CHECK_EHLO,        CHECK_CONNECT,
                                          CHECK_BANNER,   CHECK_CERTIFICATE, CHECK_DNS_MX,
                                          CHECK_SELF_PTR, CHECK_STARTTLS};
    struct runner r;
    runner_open_text(&r, WORLD, PRACTICE_INSTANT);
    r.plan.stay = true;
    runner_run(&r);
    size_t findings = r.record.finding_count;
    for (size_t i = 0; i < ARRAY_LEN(again); i++) {
        runner_step(&r, again[i], NULL);
        /* The server offers to log in on port 25, which is worth a note. */
        assert_int_equal(runner_verdict(&r, again[i]),
                         again[i] == CHECK_STARTTLS ? VERDICT_NOTE : VERDICT_OK);
        assert_int_equal(r.record.session, SMTP_READY);
        assert_true(r.record.session_tls);
        /* They replace what they said before. */
        assert_int_equal(r.record.finding_count, findings);
    }
    engine_cancel(r.engine, CANCEL_HARD);
    runner_until_text(&r, "cut");
    runner_until_session(&r, SMTP_CLOSED);
    runner_step(&r, CHECK_STARTTLS, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_STARTTLS), VERDICT_NOTE);
    runner_close(&r);
}

static void test_single_step_runs_what_it_rests_on(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, WORLD, PRACTICE_INSTANT);
    r.plan.stay = true;
    r.plan.only = UINT64_C(1) << CHECK_DNS_MX;
    runner_run(&r);
    assert_int_equal(runner_verdict(&r, CHECK_CONNECT), VERDICT_PENDING);
    runner_step(&r, CHECK_STARTTLS, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_CONNECT), VERDICT_OK);
    assert_int_equal(runner_verdict(&r, CHECK_STARTTLS), VERDICT_NOTE);
    assert_int_equal(runner_verdict(&r, CHECK_CERTIFICATE), VERDICT_PENDING);
    assert_int_equal(engine_continue(r.engine), ST_OK);
    runner_until_done(&r);
    assert_int_equal(runner_verdict(&r, CHECK_CERTIFICATE), VERDICT_OK);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_PENDING);
    runner_close(&r);
}

static void test_deadline(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, phases[3].world, PRACTICE_INSTANT);
    r.plan.deadline_s = 7;
    runner_run(&r);
    /* Not "the server did not answer": it was not waited for. */
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_STOPPED);
    assert_int_equal(runner_verdict(&r, CHECK_STARTTLS), VERDICT_SKIPPED);
    assert_false(runner_found(&r, "smtp.session.timeout"));
    assert_true(runner_said(&r, "7 s"));
    assert_true(r.record.cancelled);
    assert_int_equal(record_exit_code(&r.record, false), 3);
    runner_close(&r);
}

static void test_timeout(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, phases[3].world, PRACTICE_INSTANT);
    runner_run(&r);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_FAIL);
    assert_true(runner_found(&r, "smtp.session.timeout"));
    assert_true(r.record.steps[CHECK_EHLO].elapsed_us >= 300 * US_PER_S);
    runner_close(&r);
}

static bool was_suspended(const struct runner *r, const void *arg)
{
    (void)arg;
    return strstr(buf_str(&r->log), "suspended") != NULL;
}

static void test_standing_still(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, WORLD, PRACTICE_INSTANT);
    r.plan.stay = true;
    runner_run(&r);
    int64_t before = r.record.elapsed_us;
    engine_suspended(r.engine, 4 * US_PER_S);
    runner_until(&r, was_suspended, NULL);
    runner_until_text(&r, "suspended 4 s");
    struct line line;
    assert_true(lines_get(r.record.lines, lines_last(r.record.lines), &line));
    /* The clock of the run stood still as well, and never goes back. */
    assert_true(line.t_us >= before && line.t_us < before + US_PER_S);
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    runner_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_in_every_phase),
        cmocka_unit_test(test_freeing_in_every_phase),
        cmocka_unit_test(test_freeing_without_a_run),
        cmocka_unit_test(test_a_full_queue),
        cmocka_unit_test(test_a_new_run_ends_the_old_one),
        cmocka_unit_test(test_cancel_belongs_to_its_run),
        cmocka_unit_test(test_pause_and_go_on),
        cmocka_unit_test(test_pause_behind_a_start),
        cmocka_unit_test(test_offer_without_a_wish),
        cmocka_unit_test(test_consent),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_skipping_names_the_cause),
        cmocka_unit_test(test_only),
        cmocka_unit_test(test_steps_again),
        cmocka_unit_test(test_single_step_runs_what_it_rests_on),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_standing_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
