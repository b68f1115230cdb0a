#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks_world.h"

#define ME "me\n  name desk.office.example\n  address 198.51.100.7\n"
#define ZONE "zone example.org\n  @ MX 10 mx1\n"
#define HOST "host mx1.example.org\n  address 192.0.2.10\n  latency 20ms\n  port 25 mx\n"
#define SERVER "server mx\n  local example.org\n"

/* Everything up to the relay test, with consent. */
static struct world *open_relay(const char *server, const char *me, const char *target)
{
    char scenario[4096];
    snprintf(scenario, sizeof(scenario), "%s" ZONE HOST SERVER "%s", me, server);
    struct world *w = world_open(scenario, target);
    w->plan.relay_consent = true;
    for (int i = 0; i < CHECK_RELAY; i++) {
        world_step(w, (enum check_id)i);
    }
    return w;
}

/* Whatever happens in this test: no message can come of it. */
static void close_safely(struct world *w)
{
    assert_false(world_log_has(w, "DATA"));
    assert_false(world_log_has(w, "BDAT"));
    assert_int_equal(practice_text_bytes(w->net), 0);
    world_close(w);
}

static void test_verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *server, *ids;
        enum verdict verdict;
    } cases[] = {
        {"", "smtp.relay.denied", VERDICT_OK},
        {"  withhold PIPELINING\n", "smtp.relay.denied", VERDICT_OK},
        {"  relay open\n", "smtp.relay.open", VERDICT_FAIL},
        {"  relay open\n  withhold PIPELINING\n", "smtp.relay.open", VERDICT_FAIL},
        {"  require login\n", "smtp.relay.auth_required", VERDICT_OK},
        {"  on MAIL: reply \"530 5.7.0 Must issue a STARTTLS command first\"\n",
         "smtp.relay.blocked", VERDICT_INCONCLUSIVE},
        {"  on RCPT: reply \"554 5.7.1 Client host [198.51.100.7] blocked using x.example; Error: "
         "open resolver; https://check.spamhaus.org/returnc/pub/192.0.2.53/\"\n",
         "smtp.relay.blocked", VERDICT_INCONCLUSIVE},
        {"  on RCPT: reply \"554 5.3.0 Internal error\"\n", "smtp.relay.blocked",
         VERDICT_INCONCLUSIVE},
        {"  on MAIL: reply \"550 5.1.8 Sender address rejected: Domain not found\"\n",
         "smtp.relay.sender_refused", VERDICT_INCONCLUSIVE},
        {"  on MAIL: reply \"451 4.3.0 try later\"\n", "smtp.relay.deferred", VERDICT_INCONCLUSIVE},
        {"  on MAIL: reply \"554 5.7.1 Client host [198.51.100.7] blocked using x.example\"\n",
         "smtp.relay.blocked", VERDICT_INCONCLUSIVE},
        {"  on RCPT: reply \"450 4.7.1 <x@example.net>: Recipient address rejected: Greylisted\"\n",
         "smtp.relay.deferred", VERDICT_INCONCLUSIVE},
        {"  on RCPT: reply \"454 4.7.1 <x@example.net>: Relay access denied\"\n",
         "smtp.relay.denied", VERDICT_OK},
        {"  on RCPT: reply \"450 4.7.25 Client host rejected: cannot find your hostname\"\n",
         "smtp.relay.blocked", VERDICT_INCONCLUSIVE},
        {"  on RCPT: reply \"550 5.1.1 user unknown\"\n", "smtp.relay.denied", VERDICT_OK},
        {"  on RCPT: reply \"550 5.1.8 Sender address rejected: Domain not found\"\n",
         "smtp.relay.sender_refused", VERDICT_INCONCLUSIVE},
        {"  on RCPT: reply \"421 4.7.0 too many errors\", close\n", "smtp.session.shutdown",
         VERDICT_INCONCLUSIVE},
        {"  on RCPT: reply \"554 5.7.1 Relay access denied\", close\n", "smtp.relay.denied",
         VERDICT_OK},
        {"  on RCPT: close\n", "smtp.session.closed", VERDICT_FAIL},
        {"  on MAIL: reset\n", "smtp.session.reset", VERDICT_FAIL},
        {"  on RCPT: stall\n", "smtp.session.timeout", VERDICT_FAIL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("relay %zu: %s\n", i, cases[i].server);
        struct world *w = open_relay(cases[i].server, ME, "example.org");
        world_step(w, CHECK_RELAY);
        world_expect(w, CHECK_RELAY, cases[i].verdict, cases[i].ids);
        close_safely(w);
    }
}

static void test_what_is_asked(void **state)
{
    (void)state;
    struct world *w = open_relay("", ME, "example.org");
    world_step(w, CHECK_RELAY);
    world_arg(w, "smtp.relay.denied", "forms", "3");
    world_arg(w, "smtp.relay.denied", "code", "554");
    assert_true(world_log_has(w, "MAIL FROM:<postmaster@desk.office.example>"));
    /* example.org is theirs, so that the stranger is somebody else. */
    assert_true(world_log_has(w, "RCPT TO:<relay-check@example.net>"));
    assert_true(world_log_has(w, "RCPT TO:<relay-check%example.net@mx1.example.org>"));
    assert_true(world_log_has(w, "RCPT TO:<\"relay-check@example.net\"@mx1.example.org>"));
    assert_int_equal(world_log_count(w, "RSET"), 3);
    assert_int_equal(w->c.smtp.state, SMTP_READY);
    assert_true(w->c.facts.timings[TIMING_ENVELOPE].length_us >= 20000);
    close_safely(w);
}

/* One flight for everything, the farewell included. */
static void test_round_trips(void **state)
{
    (void)state;
    struct world *w = open_relay("  offer PIPELINING\n  offer STARTTLS\n", ME, "example.org");
    w->c.last_on_connection = true;
    int64_t start = net_now_us(w->net);
    world_step(w, CHECK_RELAY);
    assert_in_range(net_now_us(w->net) - start, 20000, 25000);
    assert_int_equal(world_log_count(w, "QUIT"), 1);
    assert_int_equal(w->c.smtp.state, SMTP_CLOSED);
    assert_int_equal(w->c.smtp.closed_by, ST_OK);
    world_expect(w, CHECK_RELAY, VERDICT_OK, "smtp.relay.denied");
    close_safely(w);
}

static void test_given_addresses(void **state)
{
    (void)state;
    struct world *w = open_relay("", ME, "example.org");
    assert_int_equal(str_set(&w->plan.from, ""), ST_OK);
    assert_int_equal(str_set(&w->plan.to, "me@elsewhere.example"), ST_OK);
    world_step(w, CHECK_RELAY);
    assert_true(world_log_has(w, "MAIL FROM:<>"));
    assert_true(world_log_has(w, "RCPT TO:<me@elsewhere.example>"));
    close_safely(w);

    /* A recipient of theirs is no stranger. */
    w = open_relay("", ME, "example.org");
    assert_int_equal(str_set(&w->plan.to, "anna@example.org"), ST_OK);
    world_step(w, CHECK_RELAY);
    assert_false(world_log_has(w, "anna@example.org"));
    close_safely(w);
}

/* A form is no way to a second parameter. */
static void test_crooked_addresses(void **state)
{
    (void)state;
    static const char *const bad[] = {"a@b.example> SIZE=1", "a@b.example>\r\nRSET",
                                      "a b@c.example"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct world *w = open_relay("", ME, "example.org");
        assert_int_equal(str_set(i % 2 == 0 ? &w->plan.from : &w->plan.to, bad[i]), ST_OK);
        world_step(w, CHECK_RELAY);
        world_expect(w, CHECK_RELAY, VERDICT_INCONCLUSIVE, "check.internal");
        assert_false(world_log_has(w, "MAIL"));
        close_safely(w);
    }
}

static void test_consent(void **state)
{
    (void)state;
    struct world *w = open_relay("", ME, "example.org");
    w->plan.relay_consent = false;
    world_step(w, CHECK_RELAY);
    world_expect(w, CHECK_RELAY, VERDICT_ASK, "check.needs_consent");
    world_forget(w);
    w->plan.relay_consent = w->plan.read_only = true;
    world_step(w, CHECK_RELAY);
    world_expect(w, CHECK_RELAY, VERDICT_SKIPPED, "check.skipped");
    assert_false(world_log_has(w, "MAIL"));
    close_safely(w);
}

/* Servers trust their neighbours; an open door there is no open relay. */
static void test_trusted_neighbour(void **state)
{
    (void)state;
    struct world *w = open_relay("  relay open\n",
                                 "me\n  name desk.office.example\n"
                                 "  address 192.0.2.99\n",
                                 "example.org");
    world_step(w, CHECK_RELAY);
    world_expect(w, CHECK_RELAY, VERDICT_NOTE, "smtp.relay.trusted");
    world_arg(w, "smtp.relay.trusted", "range", "/24");
    close_safely(w);
}

/* A trick that is accepted means something only when nonsense is refused. */
static void test_tricks(void **state)
{
    (void)state;
    struct world *w =
        open_relay("  on \"RCPT TO:*%*\": reply \"250 2.1.5 Ok\"\n", ME, "example.org");
    world_step(w, CHECK_RELAY);
    world_expect(w, CHECK_RELAY, VERDICT_WARN, "smtp.relay.open");
    assert_int_equal(world_find(w, "smtp.relay.open")->confidence, CONFIDENCE_GUESS);
    world_arg(w, "smtp.relay.open", "recipient", "relay-check%example.net@mx1.example.org");
    close_safely(w);

    w = open_relay("  on \"RCPT TO:*@mx1.example.org>\": reply \"250 2.1.5 Ok\"\n", ME,
                   "example.org");
    world_step(w, CHECK_RELAY);
    world_expect(w, CHECK_RELAY, VERDICT_OK, "smtp.relay.denied");
    assert_true(world_told(w, "takes any mailbox of its own name"));
    close_safely(w);
}

/* The connection was lost before: it is opened again, in clear when TLS had failed. */
static void test_after_a_lost_connection(void **state)
{
    (void)state;
    struct world *w = open_relay("  tls close\n", ME, "example.org");
    world_expect(w, CHECK_STARTTLS, VERDICT_FAIL, "tls.starttls.closed");
    world_step(w, CHECK_RELAY);
    world_expect(w, CHECK_RELAY, VERDICT_OK, "smtp.relay.denied");
    assert_false(w->c.smtp.tls);
    close_safely(w);

    w = open_relay("  on connect after 1: reply \"421 4.7.0 slow down\", close\n", ME,
                   "example.org");
    smtp_close(&w->c.smtp, ST_EOF);
    world_step(w, CHECK_RELAY);
    world_expect(w, CHECK_RELAY, VERDICT_INCONCLUSIVE, "smtp.session.shutdown");
    assert_int_equal(world_find(w, "smtp.session.shutdown")->side, SIDE_THEIRS);
    close_safely(w);
}

/* Who typed MAIL by hand does not spoil the test. */
static void test_half_a_transaction(void **state)
{
    (void)state;
    struct world *w = open_relay("", ME, "example.org");
    struct reply reply;
    reply_init(&reply);
    assert_int_equal(smtp_command(&w->c.smtp, WAIT_MAIL, &reply, "MAIL FROM:<a@b.example>"), ST_OK);
    reply_free(&reply);
    world_step(w, CHECK_RELAY);
    world_expect(w, CHECK_RELAY, VERDICT_OK, "smtp.relay.denied");
    assert_int_equal(world_log_count(w, "RSET"), 4);
    close_safely(w);
}

static void test_cancelled(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 20; at++) {
        struct world *w = open_relay("  withhold PIPELINING\n", ME, "example.org");
        w->cancel_after = at;
        enum verdict v = world_step(w, CHECK_RELAY);
        assert_true(v == VERDICT_STOPPED || (v == VERDICT_OK && at > 5));
        close_safely(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_what_is_asked),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_given_addresses),
        cmocka_unit_test(test_crooked_addresses),
        cmocka_unit_test(test_consent),
        cmocka_unit_test(test_trusted_neighbour),
        cmocka_unit_test(test_tricks),
        cmocka_unit_test(test_after_a_lost_connection),
        cmocka_unit_test(test_half_a_transaction),
        cmocka_unit_test(test_cancelled),
    };
    return cmocka_run_group_tests_name("checks_relay", tests, NULL, NULL);
}
