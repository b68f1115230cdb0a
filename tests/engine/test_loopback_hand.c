/* The hand-made session over real sockets: exact bytes, half an end, what goes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "loopback_bench.h"

static struct testcert root, leaf;

static int setup(void **state)
{
    (void)state;
    int64_t now = (int64_t)time(NULL);
    const struct testcert_spec ca = {.name = "Test Root",
                                     .ca = true,
                                     .not_before = now - TESTCERT_DAY,
                                     .not_after = now + 60 * TESTCERT_DAY};
    const struct testcert_spec spec = {.name = "127.0.0.1",
                                       .san = "IP:127.0.0.1",
                                       .usage = "serverAuth",
                                       .not_before = now - TESTCERT_DAY,
                                       .not_after = now + 60 * TESTCERT_DAY};
    testcert_make(&root, &ca, NULL);
    testcert_make(&leaf, &spec, &root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    testcert_free(&root);
    testcert_free(&leaf);
    return 0;
}

static void open_hand(struct runner *r, struct fake_smtp *server, bool no_greeting)
{
    bench_open_engine(r, 4, fake_smtp_port(server));
    assert_int_equal(no_greeting ? engine_connect(r->engine, &r->plan)
                                 : engine_open(r->engine, &r->plan),
                     ST_OK);
    runner_watch(r);
    runner_until_done(r);
}

/* The server sees the end of our direction and still says what it has to say. */
static void test_half_close(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = "NOOP", .send = "250 slow\r\n", .pause_ms = 50},
        {.verb = "QUIT", .send = "221 bye\r\n", .pause_ms = 50, .then = FAKE_CLOSE},
        RULES_END};
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *server = fake_smtp_start(&config);
    struct runner r;
    open_hand(&r, server, false);
    assert_int_equal(engine_raw(r.engine, "NOOP\r\nQUIT\r\n", 12, 0), ST_OK);
    assert_int_equal(engine_half_close(r.engine), ST_OK);
    runner_until_text(&r, "250 slow");
    runner_until_text(&r, "221 bye");
    runner_until_session(&r, SMTP_CLOSED);
    runner_close(&r);
    fake_smtp_settle(server, 1);
    assert_string_equal(bench_heard(server, 0), "NOOP\r\nQUIT\r\n");
    fake_smtp_stop(server);
}

static void test_exact_bytes(void **state)
{
    (void)state;
    static const char bytes[] = "EHLO x\nNO\0OP\rRSET\r\n.\r.\n\xff\r\n";
    static const struct fake_smtp_rule rules[] = {
        {.verb = "EHLO", .send = "250 one\r\n501 two\r\n"}, RULES_END};
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *server = fake_smtp_start(&config);
    struct runner r;
    open_hand(&r, server, false);
    assert_int_equal(engine_raw(r.engine, bytes, sizeof(bytes) - 1, 0), ST_OK);
    runner_until_text(&r, "501 two");
    engine_cancel(r.engine, CANCEL_HARD);
    runner_until_session(&r, SMTP_CLOSED);
    runner_close(&r);
    fake_smtp_settle(server, 1);
    bench_heard(server, 0);
    assert_int_equal(fake_smtp_heard(server, 0)->len, sizeof(bytes) - 1);
    assert_memory_equal(fake_smtp_heard(server, 0)->p, bytes, sizeof(bytes) - 1);
    fake_smtp_stop(server);
}

/* A server that greets late hears us before. */
static void test_early_talk(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = FAKE_ON_CONNECT, .send = "220 late\r\n", .pause_ms = 200}, RULES_END};
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *server = fake_smtp_start(&config);
    struct runner r;
    open_hand(&r, server, true);
    assert_int_equal(engine_raw(r.engine, "NOOP\r\n", 6, 0), ST_OK);
    runner_until_text(&r, "220 late");
    runner_until_session(&r, SMTP_GREETED);
    runner_type(&r, "QUIT", "221");
    runner_close(&r);
    fake_smtp_stop(server);
}

static void test_injected_commands(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        RULE_OFFER_TLS, {.verb = "STARTTLS", .send = "220 go\r\n", .then = FAKE_TLS}, RULES_END};
    const struct fake_smtp_config config = {.rules = rules, .cert = &leaf};
    struct fake_smtp *server = fake_smtp_start(&config);
    struct runner r;
    open_hand(&r, server, false);
    assert_int_equal(engine_raw(r.engine, "EHLO a\r\n", 8, 0), ST_OK);
    runner_until_text(&r, "250 STARTTLS");
    assert_int_equal(engine_raw(r.engine, "STARTTLS\r\n", 10, 0), ST_OK);
    runner_until_text(&r, "220 go");
    assert_int_equal(engine_handshake(r.engine), ST_OK);
    runner_until_text(&r, "Encrypted with");
    runner_type(&r, "NOOP", "250");
    runner_type(&r, "QUIT", "221");
    runner_close(&r);
    fake_smtp_settle(server, 1);
    assert_non_null(strstr(bench_heard(server, 0), "STARTTLS\r\n<TLS>\nNOOP\r\n"));
    fake_smtp_stop(server);
}

static void test_proxy_header_goes_first(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = FAKE_ON_CONNECT, .then = FAKE_LISTEN},
        {.verb = FAKE_ON_OCTETS, .send = "220 behind a proxy\r\n"},
        RULES_END};
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *server = fake_smtp_start(&config);
    struct runner r;
    struct error error;
    bench_open_engine(&r, 4, fake_smtp_port(server));
    assert_int_equal(proxy_wish_parse("v1:203.0.113.7:4711", &r.plan.proxy, &error), ST_OK);
    assert_int_equal(engine_open(r.engine, &r.plan), ST_OK);
    runner_watch(&r);
    runner_until_done(&r);
    runner_until_text(&r, "220 behind a proxy");
    assert_true(runner_said(&r, "PROXY TCP4 203.0.113.7 127.0.0.1 4711"));
    engine_cancel(r.engine, CANCEL_HARD);
    runner_until_session(&r, SMTP_CLOSED);
    runner_close(&r);
    fake_smtp_settle(server, 1);
    assert_memory_equal(bench_heard(server, 0), "PROXY TCP4 203.0.113.7 127.0.0.1 4711 ", 38);
    fake_smtp_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_exact_bytes),
        cmocka_unit_test(test_early_talk),
        cmocka_unit_test(test_injected_commands),
        cmocka_unit_test(test_proxy_header_goes_first),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
