#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks_world.h"

#define SESSION_BYTES 1200 /* more than the server says in the whole session in clear */
#define TLS_STRIDE 37

static bool is_final(enum verdict v)
{
    return v != VERDICT_PENDING && v != VERDICT_RUNNING;
}

/* Every finding that a cut session brings can be shown, and something is said about the cut. */
static void run_cut(const char *how, unsigned at, bool tls)
{
    char scenario[2048];
    snprintf(scenario, sizeof(scenario),
             "me\n  name desk.office.example\n  address 198.51.100.7\n"
             "zone example.org\n  @ MX 10 mx1\n"
             "host mx1.example.org\n  address 192.0.2.10\n  port 25 mx %s-at %u\n"
             "server mx\n  local example.org\n  mailbox anna\n",
             how, at);
    struct world *w = world_open(scenario, "example.org");
    w->plan.relay_consent = w->plan.send_consent = true;
    w->plan.tls = tls ? PLAN_TLS_AUTO : PLAN_TLS_NONE;
    assert_int_equal(str_set(&w->plan.to, "anna@example.org"), ST_OK);
    world_run(w);
    bool troubled = false;
    for (int i = 0; i < CHECK_COUNT; i++) {
        enum verdict v = w->c.results[i];
        assert_true(is_final(v));
        if (i >= CHECK_CONNECT) {
            /* A warning: on a second connection, one by one, the same went well. */
            troubled = troubled || v == VERDICT_FAIL || v == VERDICT_INCONCLUSIVE ||
                       v == VERDICT_WARN;
        }
    }
    for (size_t i = 0; i < w->finding_count; i++) {
        const struct finding *f = &w->findings[i].f;
        assert_true(f->verdict >= VERDICT_SKIPPED);
        assert_true((f->verdict == VERDICT_INCONCLUSIVE) == (f->side != SIDE_NONE));
    }
    /* Whoever heard all of the answer has nothing to complain of. */
    if (!troubled && w->c.results[CHECK_SEND] != VERDICT_OK) {
        fail_msg("%s at byte %u: nothing was said about it", how, at);
    }
    world_close(w);
}

static void test_closed_at_every_byte(void **state)
{
    (void)state;
    for (unsigned at = 0; at < SESSION_BYTES; at++) {
        run_cut("close", at, false);
    }
}

static void test_reset_at_every_byte(void **state)
{
    (void)state;
    for (unsigned at = 0; at < SESSION_BYTES; at++) {
        run_cut("reset", at, false);
    }
}

static void test_silent_at_every_byte(void **state)
{
    (void)state;
    for (unsigned at = 0; at < SESSION_BYTES; at++) {
        run_cut("stall", at, false);
    }
}

static void test_cut_under_tls(void **state)
{
    (void)state;
    static const char *const ways[] = {"close", "reset", "stall"};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        for (unsigned at = 200; at < 200 + 3 * SESSION_BYTES; at += TLS_STRIDE) {
            run_cut(ways[i], at, true);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_at_every_byte),
        cmocka_unit_test(test_reset_at_every_byte),
        cmocka_unit_test(test_silent_at_every_byte),
        cmocka_unit_test(test_cut_under_tls),
    };
    return cmocka_run_group_tests_name("checks_cut", tests, NULL, NULL);
}
