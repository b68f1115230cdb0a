/* What is typed by hand is judged like the steps, and never changes what the steps have found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runner.h"

#define WORLD                                                                                      \
    "me\n"                                                                                         \
    "    name desk.office.example\n"                                                               \
    "    address 198.51.100.7\n"                                                                   \
    "zone example.org\n"                                                                           \
    "    @ MX 10 mx1\n"                                                                            \
    "host mx1.example.org\n"                                                                       \
    "    address 192.0.2.10\n"                                                                     \
    "    port 25 mx\n"                                                                             \
    "server mx\n"                                                                                  \
    "    local example.org\n"                                                                      \
    "    mailbox postmaster\n"                                                                     \
    "    user anna secret-of-anna\n"

static void open_world(struct runner *r, const char *more)
{
    char text[4096];
    snprintf(text, sizeof(text), "%s%s", WORLD, more);
    runner_open_text(r, text, PRACTICE_INSTANT);
}

/* Connected and greeted, no step before EHLO. */
static void open_typed(struct runner *r, const char *more)
{
    open_world(r, more);
    assert_int_equal(engine_open(r->engine, &r->plan), ST_OK);
    runner_watch(r);
    runner_until_done(r);
}

/* All safe steps done, connection kept. */
static void open_run(struct runner *r, const char *more)
{
    open_world(r, more);
    r->plan.stay = true;
    runner_run(r);
}

static const struct record_finding *typed(const struct runner *r, const char *id)
{
    for (size_t i = 0; i < r->record.finding_count; i++) {
        const struct record_finding *f = &r->record.findings[i];
        if (f->f.typed && strcmp(f->f.kind->id, id) == 0) {
            return f;
        }
    }
    return NULL;
}

static size_t count_typed(const struct runner *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->record.finding_count; i++) {
        n += r->record.findings[i].f.typed ? 1 : 0;
    }
    return n;
}

static bool has_typed(const struct runner *r, const void *arg)
{
    return typed(r, arg) != NULL;
}

/* The finding stands under the step, and its proof is the typed line and the reply. */
static void assert_typed(struct runner *r, const char *id, enum check_id check, const char *line,
                         const char *reply)
{
    struct line proof;
    runner_until(r, has_typed, id);
    const struct record_finding *f = typed(r, id);
    assert_int_equal(f->check, check);
    assert_true(f->f.evidence_count >= 2);
    assert_true(lines_get(r->record.lines, f->f.evidence[0], &proof));
    assert_true((proof.flags & LINE_MANUAL) != 0);
    assert_non_null(memmem(proof.text, proof.len, line, strlen(line)));
    assert_true(lines_get(r->record.lines, f->f.evidence[1], &proof));
    assert_non_null(memmem(proof.text, proof.len, reply, strlen(reply)));
}

static void hello(struct runner *r)
{
    runner_type(r, "EHLO by.hand.example", "250 ");
    runner_until_session(r, SMTP_READY);
}

static void test_refused_envelope(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r, "    on \"MAIL FROM:<bad@*\": reply \"550 5.7.1 <{address}>: Sender address rejected: not welcome\"\n");
    hello(&r);
    runner_type(&r, "MAIL FROM:<bad@desk.office.example>", "550 ");
    assert_typed(&r, "smtp.send.sender_refused", CHECK_SEND, "MAIL FROM:<bad@", "550 5.7.1");
    assert_string_equal(finding_arg_get(&typed(&r, "smtp.send.sender_refused")->f, "address"),
                        "bad@desk.office.example");
    runner_type(&r, "MAIL FROM:<me@desk.office.example>", "250 ");
    runner_type(&r, "RCPT TO:<nobody@example.org>", "550 ");
    assert_typed(&r, "smtp.send.recipient_refused", CHECK_SEND, "RCPT TO:<nobody@", "550 5.1.1");
    runner_type(&r, "rcpt to:<x@elsewhere.example>", "554 ");
    assert_typed(&r, "smtp.send.relay_denied", CHECK_SEND, "rcpt to:<x@", "554 5.7.1");
    assert_int_equal(runner_verdict(&r, CHECK_SEND), VERDICT_PENDING);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_PENDING);
    runner_close(&r);
}

/* What is refused for its form or its place says nothing about the server. */
static void test_slips_are_no_findings(void **state)
{
    (void)state;
    static const char *const slips[][2] = {
        {"MAIL FROM:<a@b.example>", "503 "},
        {"EHLO", "501 "},
        {"EHLO a.example", "250 "},
        {"RCPT TO:<a@b.example>", "503 "},
        {"DATA", "503 "},
        {"MAIL FRM:<a>", "501 "},
        {"MAIL FROM:<> X=1", "555 "},
        {"AUTH PLAIN", "503 "},
        {"QUUX", "500 "},
        {"STARTTLS now", "501 "},
        {"EXPN list", "502 "},
    };
    struct runner r;
    open_typed(&r, "    withhold STARTTLS\n    on AUTH: reply \"503 5.5.1 not enabled\"\n");
    for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
        runner_type(&r, slips[i][0], slips[i][1]);
    }
    runner_type(&r, "NOOP", "250 ");
    assert_int_equal(count_typed(&r), 0);
    runner_close(&r);
}

/* RCPT for elsewhere that is accepted may have a hundred reasons. */
static void test_an_accepted_stranger_is_no_relay(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r, "    relay open\n");
    hello(&r);
    runner_type(&r, "MAIL FROM:<me@desk.office.example>", "250 ");
    runner_type(&r, "RCPT TO:<x@elsewhere.example>", "250 2.1.5");
    runner_type(&r, "RSET", "250 ");
    assert_int_equal(count_typed(&r), 0);
    assert_int_equal(runner_verdict(&r, CHECK_RELAY), VERDICT_PENDING);
    runner_close(&r);
}

static void test_message_accepted_and_refused(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r, "    on message first 1: reply \"554 5.7.1 spam message rejected\"\n");
    hello(&r);
    for (int i = 0; i < 2; i++) {
        runner_type(&r, "MAIL FROM:<me@desk.office.example>", "250 ");
        runner_type(&r, "RCPT TO:<postmaster@example.org>", "250 ");
        runner_type(&r, "DATA", "354 ");
        runner_type(&r, "Subject: x", "Subject: x");
        runner_type(&r, ".", i == 0 ? "554 " : "250 2.0.0 Ok: queued");
    }
    runner_until(&r, has_typed, "smtp.send.ok");
    assert_typed(&r, "smtp.send.content_refused", CHECK_SEND, ".", "554 5.7.1");
    assert_typed(&r, "smtp.send.ok", CHECK_SEND, ".", "250 2.0.0");
    assert_string_equal(finding_arg_get(&typed(&r, "smtp.send.ok")->f, "recipient"),
                        "postmaster@example.org");
    runner_type(&r, "NOOP", "250 ");
    assert_non_null(record_path(&r.record)->queue_id);
    assert_int_equal(r.record.verdict, VERDICT_OK);
    runner_close(&r);
}

static void test_starttls_by_hand(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r, "    tls expired\n");
    hello(&r);
    runner_type(&r, "STARTTLS", "TLSv1");
    runner_until(&r, has_typed, "tls.certificate.expired");
    assert_int_equal(typed(&r, "tls.starttls.ok")->check, CHECK_STARTTLS);
    assert_int_equal(typed(&r, "tls.certificate.expired")->check, CHECK_CERTIFICATE);
    assert_true(record_path(&r.record)->tls->done);
    assert_false(record_path(&r.record)->tls->verified);
    assert_string_equal(record_path(&r.record)->mode, "starttls");
    /* Neither step was done, and nothing is wrong with what was. */
    assert_int_equal(runner_verdict(&r, CHECK_STARTTLS), VERDICT_PENDING);
    assert_int_equal(runner_verdict(&r, CHECK_CERTIFICATE), VERDICT_PENDING);
    assert_int_equal(r.record.verdict, VERDICT_OK);
    assert_int_equal(record_exit_code(&r.record, true), 0);
    runner_close(&r);
}

static void test_starttls_that_fails(void **state)
{
    (void)state;
    static const struct {
        const char *more, *id;
    } cases[] = {
        {"    on STARTTLS: reply \"454 4.7.0 not now\"\n", "tls.starttls.refused_temp"},
        {"    on STARTTLS: reply \"502 5.5.1 no\"\n", "tls.starttls.refused"},
        {"    tls no-shared-cipher\n", "tls.starttls.no_cipher"},
        {"    tls close\n", "tls.starttls.closed"},
        {"    on STARTTLS: reply \"220 go\", send \"250 injected\\r\\n\"\n",
         "tls.starttls.injected"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct runner r;
        open_typed(&r, cases[i].more);
        hello(&r);
        assert_int_equal(engine_type(r.engine, "STARTTLS", 8), ST_OK);
        runner_until(&r, has_typed, cases[i].id);
        assert_int_equal(count_typed(&r), 1);
        /* No second look behind the back of whoever types. */
        assert_false(runner_said(&r, "For comparison"));
        runner_close(&r);
    }
}

static void test_login_by_hand(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r, "");
    hello(&r);
    runner_type(&r, "STARTTLS", "TLSv1");
    hello(&r);
    runner_type(&r, "AUTH PLAIN AGFubmEAd3Jvbmc=", "535 ");
    runner_until(&r, has_typed, "smtp.auth.wrong");
    assert_int_equal(typed(&r, "smtp.auth.wrong")->check, CHECK_AUTH);
    assert_string_equal(finding_arg_get(&typed(&r, "smtp.auth.wrong")->f, "mech"), "PLAIN");
    assert_null(finding_arg_get(&typed(&r, "smtp.auth.wrong")->f, "user"));
    runner_type(&r, "AUTH LOGIN", "334 ");
    runner_type(&r, "*", "501 ");
    runner_type(&r, "AUTH LOGIN", "334 ");
    runner_type(&r, "YW5uYQ==", "334 ");
    runner_type(&r, "c2VjcmV0LW9mLWFubmE=", "235 ");
    runner_until(&r, has_typed, "smtp.auth.ok");
    assert_string_equal(finding_arg_get(&typed(&r, "smtp.auth.ok")->f, "mech"), "LOGIN");
    assert_true(record_path(&r.record)->authenticated);
    assert_null(memmem(r.text.p, r.text.len, "secret-of-anna", 14));
    assert_int_equal(runner_verdict(&r, CHECK_AUTH), VERDICT_PENDING);
    runner_close(&r);
}

static void test_refused_hello(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r, "    on \"EHLO bad*\": reply \"501 5.7.1 invalid domain name\"\n");
    runner_type(&r, "EHLO bad.example", "501 ");
    runner_until(&r, has_typed, "smtp.ehlo.name_rejected");
    assert_string_equal(finding_arg_get(&typed(&r, "smtp.ehlo.name_rejected")->f, "name"),
                        "bad.example");
    assert_false(runner_said(&r, "For comparison"));
    hello(&r);
    assert_string_equal(record_path(&r.record)->ehlo_name, "by.hand.example");
    runner_close(&r);
}

/* The same again replaces what was found before; a step that begins anew forgets it. */
static void test_how_long_it_is_kept(void **state)
{
    (void)state;
    struct runner r;
    open_run(&r, "");
    runner_type(&r, "MAIL FROM:<me@desk.office.example>", "250 ");
    runner_type(&r, "RCPT TO:<a@example.org>", "550 ");
    runner_until(&r, has_typed, "smtp.send.recipient_refused");
    uint32_t first = typed(&r, "smtp.send.recipient_refused")->f.evidence[0];
    runner_type(&r, "RCPT TO:<b@example.org>", "550 ");
    runner_type(&r, "NOOP", "250 ");
    assert_int_equal(count_typed(&r), 1);
    assert_true(typed(&r, "smtp.send.recipient_refused")->f.evidence[0] > first);
    enum verdict before = r.record.verdict;
    int exit_code = record_exit_code(&r.record, false);
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(count_typed(&r), 1);
    assert_int_equal(r.record.verdict, before);
    assert_int_equal(record_exit_code(&r.record, false), exit_code);
    r.plan.send_consent = true;
    assert_int_equal(str_set(&r.plan.to, "postmaster@example.org"), ST_OK);
    runner_step(&r, CHECK_SEND, &r.plan);
    assert_int_equal(runner_verdict(&r, CHECK_SEND), VERDICT_OK);
    assert_int_equal(count_typed(&r), 0);
    runner_close(&r);
}

/* Every state in which a step may find the connection. */
static void test_steps_go_on_after_anything(void **state)
{
    (void)state;
    static const char *const before[][4] = {
        {"MAIL FROM:<a@desk.office.example>", NULL},
        {"MAIL FROM:<a@desk.office.example>", "RCPT TO:<postmaster@example.org>", NULL},
        {"MAIL FROM:<a@desk.office.example>", "RCPT TO:<postmaster@example.org>", "DATA", NULL},
        {"AUTH LOGIN", NULL},
        {"QUIT", NULL},
        {"RSET", NULL},
        {"HELO old.example", NULL},
        {"BDAT 100 LAST", NULL},
    };
    static const enum check_id steps[] = {CHECK_EHLO, CHECK_STARTTLS, CHECK_RELAY,
                                          CHECK_AUTH, CHECK_SEND,     CHECK_BANNER};
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
            struct runner r;
            open_run(&r, "");
            r.plan.relay_consent = r.plan.send_consent = r.plan.auth_wanted = true;
            assert_int_equal(str_set(&r.plan.to, "postmaster@example.org"), ST_OK);
            assert_int_equal(str_set(&r.plan.auth_user, "anna"), ST_OK);
            assert_int_equal(secret_set(&r.plan.password, "secret-of-anna", 14), ST_OK);
            for (size_t n = 0; n < 4 && before[i][n] != NULL; n++) {
                assert_int_equal(engine_type(r.engine, before[i][n], strlen(before[i][n])), ST_OK);
            }
            runner_step(&r, steps[k], &r.plan);
            enum verdict v = runner_verdict(&r, steps[k]);
            if (v != VERDICT_OK && v != VERDICT_NOTE) {
                fail_msg("%s, %s:\n%s\n%s", before[i][0], checks[steps[k]].key, buf_str(&r.log),
                         buf_str(&r.text));
            }
            /* Half a message is never made a whole one. */
            assert_null(strstr(buf_str(practice_log(r.net)), "tls .\n"));
            runner_close(&r);
        }
    }
}

static void test_opening_from_any_state(void **state)
{
    (void)state;
    static const char *const before[][4] = {
        {NULL},
        {"MAIL FROM:<a@desk.office.example>", "RCPT TO:<postmaster@example.org>", "DATA", NULL},
        {"AUTH LOGIN", NULL},
        {"QUIT", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        struct runner r;
        open_run(&r, "");
        for (size_t n = 0; n < 4 && before[i][n] != NULL; n++) {
            assert_int_equal(engine_type(r.engine, before[i][n], strlen(before[i][n])), ST_OK);
        }
        assert_int_equal(engine_open(r.engine, &r.plan), ST_OK);
        runner_until_done(&r);
        assert_int_equal(r.record.session, SMTP_READY);
        assert_true(r.record.session_tls);
        runner_type(&r, "NOOP", "250 ");
        assert_int_equal(engine_connect(r.engine, NULL), ST_OK);
        runner_until_done(&r);
        runner_until_text(&r, "220 mx1.example.org ESMTP Postfix");
        assert_false(r.record.session_tls);
        runner_type(&r, "EHLO x.example", "250 ");
        runner_close(&r);
    }
}

/* The server was not there at first: opening looks again from the beginning. */
static void test_opening_after_a_failure(void **state)
{
    (void)state;
    struct runner r;
    open_run(&r, "    on connect first 2: close\n");
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_SKIPPED);
    assert_int_equal(engine_open(r.engine, NULL), ST_OK);
    runner_until_done(&r);
    assert_int_equal(runner_verdict(&r, CHECK_BANNER), VERDICT_OK);
    assert_int_equal(r.record.session, SMTP_GREETED);
    hello(&r);
    runner_close(&r);
}

static void test_the_link_breaks(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r, "    on MAIL: close\n");
    hello(&r);
    assert_int_equal(engine_type(r.engine, "MAIL FROM:<>", 12), ST_OK);
    runner_until(&r, has_typed, "smtp.session.closed");
    assert_int_equal(typed(&r, "smtp.session.closed")->check, CHECK_SEND);
    runner_until_session(&r, SMTP_CLOSED);
    runner_close(&r);
}

static void test_shutdown_leaves_the_last_word_to_the_server(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r, "    on MAIL: reply \"421 4.3.2 going down\"\n");
    hello(&r);
    runner_type(&r, "MAIL FROM:<>", "421 ");
    runner_until(&r, has_typed, "smtp.session.shutdown");
    runner_until_session(&r, SMTP_CLOSED);
    runner_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_envelope),
        cmocka_unit_test(test_slips_are_no_findings),
        cmocka_unit_test(test_an_accepted_stranger_is_no_relay),
        cmocka_unit_test(test_message_accepted_and_refused),
        cmocka_unit_test(test_starttls_by_hand),
        cmocka_unit_test(test_starttls_that_fails),
        cmocka_unit_test(test_login_by_hand),
        cmocka_unit_test(test_refused_hello),
        cmocka_unit_test(test_how_long_it_is_kept),
        cmocka_unit_test(test_steps_go_on_after_anything),
        cmocka_unit_test(test_opening_from_any_state),
        cmocka_unit_test(test_opening_after_a_failure),
        cmocka_unit_test(test_the_link_breaks),
        cmocka_unit_test(test_shutdown_leaves_the_last_word_to_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
