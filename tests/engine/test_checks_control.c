#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks_world.h"

/* The probe must not take its own limits, manners or haste for the server's faults. */

#define ME "me\n  name desk.office.example\n  address 198.51.100.7\n"
#define HOST "zone example.org\n  @ MX 10 mx1\nhost mx1.example.org\n  address 192.0.2.10\n"         \
             "  latency 20ms\n  port 25 mx\n  port 465 mx tls\nserver mx\n  local example.org\n"

static struct world *run_to(const char *server, const char *target, enum check_id last)
{
    char scenario[4096];
    snprintf(scenario, sizeof(scenario), ME HOST "%s", server);
    struct world *w = world_open(scenario, target);
    for (int i = 0; i <= (int)last; i++) {
        world_step(w, (enum check_id)i);
    }
    return w;
}

static void test_no_starttls_is_looked_at_twice(void **state)
{
    (void)state;
    struct world *w = run_to("  withhold STARTTLS\n", "example.org", CHECK_STARTTLS);
    world_expect(w, CHECK_STARTTLS, VERDICT_WARN, "tls.starttls.not_offered");
    assert_int_equal(world_find(w, "tls.starttls.not_offered")->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(world_log_count(w, "<connect>"), 2);
    assert_int_equal(world_log_count(w, "QUIT"), 1); /* the first one was taken leave of */
    assert_int_equal(w->c.smtp.state, SMTP_READY);   /* and the second goes on */
    world_close(w);
}

static void test_a_limit_is_no_missing_starttls(void **state)
{
    (void)state;
    struct world *w = run_to("  withhold STARTTLS\n  on connect after 1: reply \"421 4.7.0 Too "
                             "many connections\", close\n",
                             "example.org", CHECK_STARTTLS);
    world_expect(w, CHECK_STARTTLS, VERDICT_INCONCLUSIVE, "tls.starttls.withheld");
    world_arg(w, "tls.starttls.withheld", "text", "421 4.7.0 Too many connections");
    assert_int_equal(world_find(w, "tls.starttls.withheld")->side, SIDE_THEIRS);
    world_close(w);
}

static void test_starttls_that_comes_and_goes(void **state)
{
    (void)state;
    struct world *w = run_to("  on EHLO first 1: reply \"250-b.example.org\" \"250 SIZE\"\n",
                             "example.org", CHECK_CERTIFICATE);
    world_expect(w, CHECK_STARTTLS, VERDICT_WARN, "tls.starttls.varies tls.starttls.ok");
    world_arg(w, "tls.starttls.varies", "first", "b.example.org");
    world_arg(w, "tls.starttls.varies", "second", "mx1.example.org");
    world_expect(w, CHECK_CERTIFICATE, VERDICT_OK, "tls.certificate.ok");
    assert_true(w->c.smtp.tls);
    world_close(w);
}

static void test_patience_with_slow_answers(void **state)
{
    (void)state;
    struct world *w = run_to("  think 40s\n", "example.org", CHECK_CERTIFICATE);
    world_expect(w, CHECK_BANNER, VERDICT_NOTE, "smtp.banner.slow smtp.banner.ok");
    world_expect(w, CHECK_EHLO, VERDICT_NOTE, "smtp.reply.slow smtp.ehlo.ok");
    world_arg(w, "smtp.reply.slow", "seconds", "40");
    world_expect(w, CHECK_STARTTLS, VERDICT_OK, "tls.starttls.ok");
    world_close(w);
}

static void test_greeted_on_the_second_try(void **state)
{
    (void)state;
    static const struct {
        const char *server, *target, *first;
    } cases[] = {
        {"  on connect first 1: close\n", "example.org", "closed without a word"},
        {"  on connect first 1: reset\n", "example.org", "closed without a word"},
        {"  on connect first 1: reply \"421 4.3.2 busy\", close\n", "example.org",
         "421 4.3.2 busy"},
        {"  on connect first 1: close\n", "mx1.example.org:465", "closed without a word"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = run_to(cases[i].server, cases[i].target, CHECK_EHLO);
        world_expect(w, CHECK_BANNER, VERDICT_WARN, "smtp.banner.second_try smtp.banner.ok");
        world_arg(w, "smtp.banner.second_try", "first", cases[i].first);
        world_expect(w, CHECK_EHLO, VERDICT_OK, "smtp.ehlo.ok");
        assert_int_equal(world_log_count(w, "<connect>"), 2);
        world_close(w);
    }
}

static void test_turned_away_twice(void **state)
{
    (void)state;
    static const struct {
        const char *server, *ids;
        enum verdict verdict;
    } cases[] = {
        {"  on connect: close\n", "smtp.banner.closed", VERDICT_FAIL},
        {"  on connect: reply \"421 4.3.2 busy\", close\n", "smtp.banner.refused",
         VERDICT_INCONCLUSIVE},
        {"  on connect first 1: close\n  on connect: reply \"554 no\", close\n",
         "smtp.banner.closed", VERDICT_FAIL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = run_to(cases[i].server, "example.org", CHECK_BANNER);
        world_expect(w, CHECK_BANNER, cases[i].verdict, cases[i].ids);
        assert_int_equal(world_log_count(w, "<connect>"), 2);
        world_close(w);
    }
}

static void test_a_bad_name_is_no_broken_server(void **state)
{
    (void)state;
    struct world *w = run_to("  on \"EHLO desk*\": reply \"501 5.5.4 Invalid domain name\"\n",
                             "example.org", CHECK_STARTTLS);
    world_expect(w, CHECK_EHLO, VERDICT_WARN, "smtp.ehlo.ok smtp.ehlo.name_rejected");
    world_arg(w, "smtp.ehlo.name_rejected", "accepted", "[198.51.100.7]");
    world_arg(w, "smtp.ehlo.name_rejected", "name", "desk.office.example");
    world_expect(w, CHECK_STARTTLS, VERDICT_OK, "tls.starttls.ok");
    assert_int_equal(world_log_count(w, "EHLO [198.51.100.7]"), 2); /* and again under TLS */
    world_close(w);
}

static void test_handshakes_that_a_device_stops(void **state)
{
    (void)state;
    static const struct {
        const char *server, *works;
    } cases[] = {
        {"  on STARTTLS first 1: reply \"220 go\", tls close\n",
         "without the name of the host (SNI)"},
        {"  on STARTTLS first 2: reply \"220 go\", tls close\n", "with TLS 1.2"},
        {"  on STARTTLS: reply \"220 go\", tls close\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = run_to(cases[i].server, "example.org", CHECK_STARTTLS);
        world_expect(w, CHECK_STARTTLS, VERDICT_FAIL, "tls.starttls.closed");
        world_arg(w, "tls.starttls.closed", "works", cases[i].works);
        assert_int_equal(w->c.smtp.state, SMTP_CLOSED);
        assert_false(w->c.tls_limits.no_sni || w->c.tls_limits.only_tls_1_2);
        world_close(w);
    }
    struct world *w = run_to("  tls unknown-name\n", "example.org", CHECK_STARTTLS);
    world_expect(w, CHECK_STARTTLS, VERDICT_FAIL, "tls.starttls.unknown_name");
    world_arg(w, "tls.starttls.unknown_name", "works", "without the name of the host (SNI)");
    world_close(w);
}

static void test_groups_that_something_does_not_bear(void **state)
{
    (void)state;
    char scenario[4096];
    snprintf(scenario, sizeof(scenario), ME HOST "%s", "  on anything grouped: close\n");
    struct world *w = world_open(scenario, "example.org");
    w->plan.relay_consent = w->plan.send_consent = true;
    assert_int_equal(str_set(&w->plan.to, "anna@example.org"), ST_OK);
    world_run(w);
    world_expect(w, CHECK_RELAY, VERDICT_WARN, "smtp.ehlo.pipelining_broken smtp.relay.denied");
    world_expect(w, CHECK_SEND, VERDICT_WARN, "smtp.ehlo.pipelining_broken smtp.send.ok");
    assert_int_equal(world_log_count(w, "DATA"), 1);
    world_close(w);
}

/* What breaks one by one as well is not the group's fault. */
static void test_commands_that_break_alone(void **state)
{
    (void)state;
    char scenario[4096];
    snprintf(scenario, sizeof(scenario), ME HOST "%s", "  on RCPT: close\n");
    struct world *w = world_open(scenario, "example.org");
    w->plan.relay_consent = true;
    world_run(w);
    world_expect(w, CHECK_RELAY, VERDICT_FAIL, "smtp.session.closed");
    world_close(w);
}

static void test_clocks(void **state)
{
    (void)state;
    /* The practice network begins at 2026-11-23T12:00:00Z. */
    static const struct {
        const char *banner, *seconds; /* NULL: no finding */
    } cases[] = {
        {"ready; Mon, 23 Nov 2026 12:00:01 +0000", NULL},
        {"ready; Mon, 23 Nov 2026 13:01:00 +0100", NULL},
        {"ready; Mon, 23 Nov 2026 06:30:00 -0530", NULL},
        {"ready; Mon, 23 Nov 2026 13:00:00 +0000", "3600"},
        {"ready; 23 Nov 2025 12:00:00 +0000", "31536000"},
        {"ready; Mon, 23 Nov 2026 13:00:00", NULL},
        {"ready; Mon, 23 Foo 2026 13:00:00 +0000", NULL},
        {"ready; 99 Nov 99999 13:00:00 +0000", NULL},
        {"version 8.17.1 13:00 +0000", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char server[256];
        snprintf(server, sizeof(server), "  banner \"220 {host} ESMTP %s\"\n", cases[i].banner);
        struct world *w = run_to(server, "example.org", CHECK_BANNER);
        bool off = cases[i].seconds != NULL;
        world_expect(w, CHECK_BANNER, off ? VERDICT_NOTE : VERDICT_OK,
                     off ? "smtp.banner.clock smtp.banner.ok" : "smtp.banner.ok");
        if (off) {
            const char *seconds = finding_arg_get(world_find(w, "smtp.banner.clock"), "seconds");
            assert_int_equal(strtol(seconds, NULL, 10) / 60, strtol(cases[i].seconds, NULL, 10) / 60);
        }
        world_close(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_starttls_is_looked_at_twice),
        cmocka_unit_test(test_a_limit_is_no_missing_starttls),
        cmocka_unit_test(test_starttls_that_comes_and_goes),
        cmocka_unit_test(test_patience_with_slow_answers),
        cmocka_unit_test(test_greeted_on_the_second_try),
        cmocka_unit_test(test_turned_away_twice),
        cmocka_unit_test(test_a_bad_name_is_no_broken_server),
        cmocka_unit_test(test_handshakes_that_a_device_stops),
        cmocka_unit_test(test_groups_that_something_does_not_bear),
        cmocka_unit_test(test_commands_that_break_alone),
        cmocka_unit_test(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
