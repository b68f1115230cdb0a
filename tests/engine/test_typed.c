#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base64.h"
#include "runner.h"

#define CANARY "Kanarienvogel-8431"

/* A server that repeats whatever it is given, passwords included. */
static const char world[] = "me\n"
                            "    name desk.office.example\n"
                            "    address 198.51.100.7\n"
                            "zone example.org\n"
                            "    @ MX 10 mx1\n"
                            "host mx1.example.org\n"
                            "    address 192.0.2.10\n"
                            "    port 25 mx\n"
                            "server mx\n"
                            "    offer SIZE 52428800\n"
                            "    offer STARTTLS\n"
                            "    offer-tls AUTH PLAIN LOGIN\n"
                            "    local example.org\n"
                            "    mailbox postmaster\n"
                            "    user anna " CANARY "\n"
                            "    on XECHO: reply \"250 you said {command}\"\n"
                            "    on XSHUT: reply \"421 4.3.2 closing\", close\n";

static void open_typed(struct runner *r)
{
    runner_open_text(r, world, PRACTICE_INSTANT);
    assert_int_equal(engine_open(r->engine, &r->plan), ST_OK);
    runner_watch(r);
    runner_until_done(r);
}

static void assert_no_canary(const struct runner *r)
{
    static const char *const forms[] = {CANARY, "anna\0" CANARY};
    const size_t lens[] = {sizeof(CANARY) - 1, sizeof("anna\0" CANARY) - 1};
    const char *text = buf_str(&r->text);
    assert_null(memmem(text, r->text.len, CANARY, sizeof(CANARY) - 1));
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct buf b;
        buf_init(&b, 4096);
        assert_int_equal(base64_encode(&b, forms[i], lens[i]), ST_OK);
        assert_null(memmem(text, r->text.len, b.p, b.len));
        buf_free(&b);
    }
}

static void test_opening_only(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r);
    assert_int_equal(engine_generation(r.engine), 1);
    assert_int_equal(runner_verdict(&r, CHECK_BANNER), VERDICT_OK);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_PENDING);
    assert_int_equal(r.record.session, SMTP_GREETED);
    runner_close(&r);
}

static void test_a_whole_session_by_hand(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r);
    runner_type(&r, "EHLO by.hand.example", "250 ");
    runner_until_session(&r, SMTP_READY);
    assert_non_null(record_path(&r.record)->capabilities);
    assert_non_null(strstr(record_path(&r.record)->capabilities, "STARTTLS"));
    assert_null(strstr(record_path(&r.record)->capabilities, "AUTH"));
    runner_type(&r, "STARTTLS", "TLSv1");
    runner_type(&r, "EHLO by.hand.example", "AUTH PLAIN");
    runner_type(&r, "NOOP", "250 ");
    assert_true(r.record.session_tls);
    assert_non_null(strstr(record_path(&r.record)->capabilities, "AUTH"));
    assert_true(record_path(&r.record)->tls->done);
    runner_type(&r, "MAIL FROM:<me@desk.office.example>", "250 ");
    runner_type(&r, "RCPT TO:<postmaster@example.org>", "250 ");
    runner_type(&r, "DATA", "354 ");
    runner_type(&r, "Subject: by hand", "Subject: by hand");
    runner_type(&r, ".", "250 ");
    assert_true(practice_text_bytes(r.net) > 0);
    runner_type(&r, "QUIT", "221 ");
    engine_cancel(r.engine, CANCEL_HARD);
    runner_type(&r, "NOOP", "no connection");
    runner_until_session(&r, SMTP_CLOSED);
    runner_close(&r);
}

static bool is_authenticated(const struct runner *r, const void *arg)
{
    (void)arg;
    return r->record.session_authenticated && record_path(&r->record)->authenticated;
}

static void add_base64(struct buf *line, const char *p, size_t len)
{
    assert_int_equal(base64_encode(line, p, len), ST_OK);
}

static void secure(struct runner *r)
{
    open_typed(r);
    runner_type(r, "EHLO by.hand.example", "250 ");
    runner_type(r, "STARTTLS", "TLSv1");
    runner_type(r, "EHLO by.hand.example", "AUTH PLAIN");
}

static void test_typed_plain_is_hidden(void **state)
{
    (void)state;
    static const char token[] = "\0anna\0" CANARY;
    struct runner r;
    struct buf line;
    secure(&r);
    buf_init(&line, 4096);
    assert_int_equal(buf_add_str(&line, "AUTH PLAIN "), ST_OK);
    add_base64(&line, token, sizeof(token) - 1);
    runner_type(&r, buf_str(&line), "235");
    runner_until(&r, is_authenticated, NULL);
    /* Echoed as it is, decoded, and as typed. */
    runner_type(&r, "XECHO " CANARY, "you said");
    buf_clear(&line);
    assert_int_equal(buf_add_str(&line, "XECHO "), ST_OK);
    add_base64(&line, token, sizeof(token) - 1);
    runner_type(&r, buf_str(&line), "you said");
    runner_type(&r, "NOOP", "250 ");
    assert_no_canary(&r);
    buf_free(&line);
    runner_close(&r);
}

static void test_typed_login_is_hidden(void **state)
{
    (void)state;
    struct runner r;
    struct buf line;
    secure(&r);
    buf_init(&line, 4096);
    runner_type(&r, "AUTH LOGIN", "334 ");
    add_base64(&line, "anna", 4);
    runner_type(&r, buf_str(&line), "334 ");
    runner_until_session(&r, SMTP_CONTINUATION);
    buf_clear(&line);
    add_base64(&line, CANARY, sizeof(CANARY) - 1);
    runner_type(&r, buf_str(&line), "235");
    runner_type(&r, "XECHO " CANARY, "you said");
    runner_type(&r, "NOOP", "250 ");
    assert_no_canary(&r);
    /* The same in a step that runs later. */
    runner_step(&r, CHECK_EHLO, NULL);
    assert_no_canary(&r);
    buf_free(&line);
    runner_close(&r);
}

static void test_the_server_goes_and_comes_back(void **state)
{
    (void)state;
    struct runner r;
    secure(&r);
    runner_type(&r, "XSHUT", "421 ");
    runner_until_session(&r, SMTP_CLOSED);
    /* Opened by hand, so no more than the greeting comes back. */
    assert_int_equal(engine_open(r.engine, NULL), ST_OK);
    runner_until_done(&r);
    assert_int_equal(engine_generation(r.engine), 1);
    assert_int_equal(r.record.session, SMTP_GREETED);
    /* After the steps it is as they had it. */
    runner_step(&r, CHECK_STARTTLS, NULL);
    runner_type(&r, "XSHUT", "421 ");
    runner_until_session(&r, SMTP_CLOSED);
    assert_int_equal(engine_open(r.engine, &r.plan), ST_OK);
    runner_until_done(&r);
    assert_int_equal(engine_generation(r.engine), 1);
    assert_int_equal(r.record.session, SMTP_READY);
    assert_true(r.record.session_tls);
    runner_type(&r, "NOOP", "250 ");
    /* Another target is another run. */
    struct error error;
    assert_int_equal(plan_set_target(&r.plan, "mx1.example.org", &error), ST_OK);
    assert_int_equal(engine_open(r.engine, &r.plan), ST_OK);
    assert_int_equal(engine_generation(r.engine), 2);
    runner_watch(&r);
    runner_until_done(&r);
    assert_int_equal(r.record.session, SMTP_GREETED);
    runner_close(&r);
}

static void test_what_the_server_says_by_itself(void **state)
{
    (void)state;
    struct runner r;
    struct buf text;
    buf_init(&text, 8192);
    assert_int_equal(
        buf_addf(&text, "%s    on idle 30s: reply \"421 4.4.2 idle for too long\", close\n", world),
        ST_OK);
    runner_open_text(&r, buf_str(&text), PRACTICE_INSTANT);
    r.plan.stay = true;
    runner_run(&r);
    runner_until_text(&r, "idle for too long");
    runner_until_session(&r, SMTP_CLOSED);
    assert_int_equal(runner_verdict(&r, CHECK_CERTIFICATE), VERDICT_OK);
    /* Typed lines and steps after that find the way back or say why not. */
    runner_type(&r, "NOOP", "no connection");
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    buf_free(&text);
    runner_close(&r);
}

static void test_odd_lines(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r);
    runner_type(&r, "", "500 ");
    char *longest = malloc(SMTP_RAW_MAX + 2);
    assert_non_null(longest);
    memset(longest, 'x', SMTP_RAW_MAX + 1);
    longest[SMTP_RAW_MAX + 1] = '\0';
    assert_int_equal(engine_type(r.engine, longest, SMTP_RAW_MAX + 1), ST_LIMIT);
    assert_int_equal(engine_type(r.engine, "NOOP\r\nNOOP", 10), ST_OK);
    runner_until_text(&r, "line end");
    free(longest);
    runner_close(&r);
}

static void test_a_step_waits_for_text_to_end(void **state)
{
    (void)state;
    struct runner r;
    open_typed(&r);
    runner_type(&r, "EHLO by.hand.example", "250 ");
    runner_type(&r, "MAIL FROM:<me@desk.office.example>", "250 ");
    runner_type(&r, "RCPT TO:<postmaster@example.org>", "250 ");
    runner_type(&r, "DATA", "354 ");
    runner_until_session(&r, SMTP_TEXT);
    assert_true(r.record.expects_text);
    runner_type(&r, "half a message", "half a message");
    /* A step must not end it: no dot, so nothing is delivered. */
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    assert_null(strstr(buf_str(practice_log(r.net)), "\n.\n"));
    runner_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening_only),
        cmocka_unit_test(test_a_whole_session_by_hand),
        cmocka_unit_test(test_typed_plain_is_hidden),
        cmocka_unit_test(test_typed_login_is_hidden),
        cmocka_unit_test(test_the_server_goes_and_comes_back),
        cmocka_unit_test(test_what_the_server_says_by_itself),
        cmocka_unit_test(test_odd_lines),
        cmocka_unit_test(test_a_step_waits_for_text_to_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
