#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks_world.h"

#define ME                                                                                         \
    "me\n  name desk.office.example\n  address 198.51.100.7\n  resolver 192.0.2.53 latency 8ms\n"
#define MX1                                                                                        \
    "host mx1.example.org\n  address 192.0.2.10 2001:db8:2::10\n  port 25 mx\n"                    \
    "server mx\n  local example.org\n"

static void run_dns(struct world *w)
{
    world_step(w, CHECK_DNS_MX);
    if (check_blocked_by(&w->c, &checks[CHECK_DNS_ADDRESS]) == CHECK_NONE) {
        world_step(w, CHECK_DNS_ADDRESS);
    }
}

static void test_found(void **state)
{
    (void)state;
    struct world *w = world_open(ME "zone example.org\n  @ MX 20 mx1\n  @ MX 10 mx2\n" MX1
                                    "host mx2.example.org\n  address 192.0.2.20\n  port 25 mx\n",
                                 "example.org");
    run_dns(w);
    world_expect(w, CHECK_DNS_MX, VERDICT_OK, "dns.mx.found");
    world_arg(w, "dns.mx.found", "hosts", "10 mx2.example.org, 20 mx1.example.org");
    world_arg(w, "dns.mx.found", "count", "2");
    world_expect(w, CHECK_DNS_ADDRESS, VERDICT_OK, "dns.address.found");
    world_arg(w, "dns.address.found", "addresses", "192.0.2.20, 2001:db8:2::10, 192.0.2.10");
    assert_int_equal(w->c.target_count, 2);
    assert_string_equal(w->c.targets[0].host, "mx2.example.org");
    assert_int_equal(w->c.targets[1].address_count, 2);
    assert_int_equal(w->c.targets[1].addresses[0].family, 6);
    assert_int_equal(w->c.targets[1].addresses[0].port, 25);
    assert_true(w->c.domain_facts.timings[TIMING_MX].start_us >= 0);
    assert_true(world_told(w, "192.0.2.53"));
    world_close(w);
}

/* Equal preferences in random order, which stays the same within a run. */
static void test_equal_preferences(void **state)
{
    (void)state;
    static const char scenario[] = ME "zone example.org\n  @ MX 10 a\n  @ MX 10 b\n  @ MX 10 c\n"
                                      "  @ MX 5 z\n  a A 192.0.2.1\n  b A 192.0.2.2\n"
                                      "  c A 192.0.2.3\n  z A 192.0.2.4\n";
    struct world *w = world_open(scenario, "example.org");
    run_dns(w);
    assert_int_equal(w->c.target_count, 4);
    assert_string_equal(w->c.targets[0].host, "z.example.org");
    assert_int_equal(w->c.targets[3].preference, 10);
    world_close(w);
}

static void test_named_by_the_user(void **state)
{
    (void)state;
    struct world *w = world_open(ME MX1, "mx1.example.org:2525");
    run_dns(w);
    world_expect(w, CHECK_DNS_MX, VERDICT_OK, "dns.mx.not_needed");
    world_arg(w, "dns.mx.not_needed", "host", "mx1.example.org");
    world_expect(w, CHECK_DNS_ADDRESS, VERDICT_OK, "dns.address.found");
    assert_int_equal(w->c.targets[0].addresses[0].port, 2525);
    assert_int_equal(w->c.targets[0].preference, -1);
    world_close(w);

    w = world_open(ME MX1, "192.0.2.10");
    run_dns(w);
    world_expect(w, CHECK_DNS_MX, VERDICT_OK, "dns.mx.not_needed");
    world_expect(w, CHECK_DNS_ADDRESS, VERDICT_OK, "dns.address.found");
    assert_int_equal(w->c.targets[0].addresses[0].port, 25);
    world_close(w);
}

struct answer_case {
    const char *zone, *ids;
    enum verdict verdict;
};

static void test_answers(void **state)
{
    (void)state;
    static const struct answer_case cases[] = {
        {"zone example.org\n  @ A 192.0.2.9\n", "dns.mx.implicit", VERDICT_NOTE},
        {"zone example.org\n  @ TXT x\n", "dns.mx.none", VERDICT_FAIL},
        {"zone example.org\n  @ MX 0 .\n", "dns.mx.null", VERDICT_FAIL},
        {"zone example.org\n  @ MX 0 .\n  @ MX 10 mx1\n", "dns.mx.null_and_others", VERDICT_FAIL},
        {"zone example.net\n  @ MX 10 mx1\n", "dns.mx.nxdomain", VERDICT_FAIL},
        {"zone example.org servfail\n  @ MX 10 mx1\n", "dns.mx.servfail", VERDICT_FAIL},
        {"zone example.org signed bogus\n  @ MX 10 mx1\n", "dns.mx.dnssec_bogus", VERDICT_FAIL},
        {"zone example.org timeout\n  @ MX 10 mx1\n", "dns.mx.timeout", VERDICT_INCONCLUSIVE},
        {"zone example.org refused\n  @ MX 10 mx1\n", "dns.mx.refused", VERDICT_INCONCLUSIVE},
        {"zone example.org\n  @ malformed\n", "dns.mx.malformed", VERDICT_INCONCLUSIVE},
        {"zone example.org\n  @ MX 10 192.0.2.1.\n", "dns.mx.literal", VERDICT_FAIL},
        {"zone example.org\n  @ MX 10 192.0.2.1.\n  @ MX 20 mx1\n", "dns.mx.literal", VERDICT_WARN},
        {"zone example.org\n  @ MX 10 mx_1\n  mx_1 A 192.0.2.1\n", "dns.mx.bad_name", VERDICT_WARN},
        {"zone example.org\n  @ MX 10 mx1\n  @ MX 20 MX1\n", "dns.mx.duplicate dns.mx.found",
         VERDICT_NOTE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char scenario[1024];
        str_copy(scenario, sizeof(scenario), ME);
        str_copy(scenario + strlen(scenario), sizeof(scenario) - strlen(scenario), cases[i].zone);
        struct world *w = world_open(scenario, "example.org");
        world_step(w, CHECK_DNS_MX);
        world_expect(w, CHECK_DNS_MX, cases[i].verdict, cases[i].ids);
        world_close(w);
    }
}

/* RFC 5321 5.1: a failed MX question is no permission to use the address of the domain. */
static void test_failure_is_not_absence(void **state)
{
    (void)state;
    struct world *w =
        world_open(ME "zone example.org\n  @ A 192.0.2.9\n  @ MX servfail\n", "example.org");
    run_dns(w);
    world_expect(w, CHECK_DNS_MX, VERDICT_FAIL, "dns.mx.servfail");
    assert_int_equal(w->c.target_count, 0);
    world_close(w);
}

static void test_unreachable_resolver(void **state)
{
    (void)state;
    struct world *w = world_open("me\n  address 198.51.100.7\n  resolver 192.0.2.53 unreachable\n"
                                 "zone example.org\n  @ MX 10 mx1\n",
                                 "example.org");
    world_step(w, CHECK_DNS_MX);
    world_expect(w, CHECK_DNS_MX, VERDICT_INCONCLUSIVE, "dns.mx.unreachable");
    assert_int_equal(world_find(w, "dns.mx.unreachable")->side, SIDE_OURS);
    world_close(w);
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct answer_case cases[] = {
        {"  @ MX 10 mx1\n  mx1 TXT x\n", "dns.address.missing", VERDICT_FAIL},
        {"  @ MX 10 mx1\n  @ MX 20 mx2\n  mx2 A 192.0.2.2\n", "dns.address.missing", VERDICT_WARN},
        {"  @ MX 10 mx1\n  mx1 CNAME mx2\n  mx2 A 192.0.2.2\n", "dns.mx.cname", VERDICT_WARN},
        {"  @ MX 10 mx1\n  mx1 A 127.0.0.1\n", "dns.address.loopback", VERDICT_FAIL},
        {"  @ MX 10 mx1\n  mx1 A 127.0.0.1\n  mx1 A 192.0.2.2\n", "dns.address.loopback",
         VERDICT_WARN},
        {"  @ MX 10 mx1\n  mx1 A 10.1.2.3\n", "dns.address.private", VERDICT_FAIL},
        {"  @ MX 10 mx1\n  mx1 AAAA fe80::1\n", "dns.address.link_local", VERDICT_FAIL},
        {"  @ MX 10 mx1\n  mx1 servfail\n", "dns.address.servfail", VERDICT_FAIL},
        {"  @ MX 10 mx1\n  mx1 timeout\n", "dns.address.timeout", VERDICT_INCONCLUSIVE},
        {"  @ MX 10 mx1\n  mx1 refused\n", "dns.address.lookup_failed", VERDICT_INCONCLUSIVE},
        {"  @ MX 10 mx1\n  mx1 A 192.0.2.2\n  mx1 AAAA servfail\n", "dns.address.servfail",
         VERDICT_WARN},
        {"  @ MX 10 mx1\n  mx1 A 192.0.2.2\n  mx1 AAAA timeout\n",
         "dns.address.timeout dns.address.found", VERDICT_NOTE},
        {"  @ MX 10 mx1\n  @ MX 20 mx2\n  mx1 A 192.0.2.2\n  mx2 A 192.0.2.2\n",
         "dns.address.same dns.address.found", VERDICT_NOTE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char scenario[1024];
        str_copy(scenario, sizeof(scenario), ME "zone example.org\n");
        str_copy(scenario + strlen(scenario), sizeof(scenario) - strlen(scenario), cases[i].zone);
        struct world *w = world_open(scenario, "example.org");
        run_dns(w);
        world_expect(w, CHECK_DNS_ADDRESS, cases[i].verdict, cases[i].ids);
        world_close(w);
    }
}

/* Inside the same private network the address is right. */
static void test_private_with_private(void **state)
{
    (void)state;
    struct world *w = world_open("me\n  address 10.9.9.9\n  resolver 10.0.0.53\n"
                                 "zone example.org\n  @ MX 10 mx1\n  mx1 A 10.1.2.3\n",
                                 "example.org");
    run_dns(w);
    world_expect(w, CHECK_DNS_ADDRESS, VERDICT_NOTE, "dns.address.private dns.address.found");
    assert_int_equal(w->c.targets[0].address_count, 1);
    world_close(w);
}

static void test_family_filter(void **state)
{
    (void)state;
    struct world *w = world_open(ME "zone example.org\n  @ MX 10 mx1\n" MX1, "example.org");
    w->plan.family = 4;
    run_dns(w);
    world_expect(w, CHECK_DNS_ADDRESS, VERDICT_OK, "dns.address.found");
    world_arg(w, "dns.address.found", "addresses", "192.0.2.10");
    world_close(w);

    w = world_open(ME "zone example.org\n  @ MX 10 mx1\n  mx1 A 192.0.2.1\n", "example.org");
    w->plan.family = 6;
    run_dns(w);
    world_expect(w, CHECK_DNS_ADDRESS, VERDICT_INCONCLUSIVE, "dns.address.family");
    world_arg(w, "dns.address.family", "family", "IPv6");
    world_close(w);
}

static void test_many_exchanges(void **state)
{
    (void)state;
    struct buf scenario;
    buf_init(&scenario, 1 << 20);
    assert_int_equal(buf_add_str(&scenario, ME "zone example.org\n"), ST_OK);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(
            buf_addf(&scenario, "  @ MX %d mx%d\n  mx%d A 192.0.2.%d\n", i, i, i, i % 250 + 1),
            ST_OK);
    }
    struct world *w = world_open(buf_str(&scenario), "example.org");
    run_dns(w);
    world_expect(w, CHECK_DNS_MX, VERDICT_NOTE, "dns.mx.too_many dns.mx.found");
    world_arg(w, "dns.mx.too_many", "count", "300");
    world_arg(w, "dns.mx.too_many", "kept", "64");
    assert_int_equal(w->c.target_count, TARGETS_MAX);
    assert_string_equal(w->c.targets[63].host, "mx63.example.org");
    world_close(w);
    buf_free(&scenario);
}

static void run_self(struct world *w)
{
    run_dns(w);
    world_step(w, CHECK_SELF_ADDRESS);
    world_step(w, CHECK_SELF_PTR);
}

#define ZONE "zone example.org\n  @ MX 10 mx1\n"

static void test_own_name(void **state)
{
    (void)state;
    struct world *w =
        world_open(ME "zone office.example\n  desk A 198.51.100.7\n" ZONE MX1, "example.org");
    run_self(w);
    world_expect(w, CHECK_SELF_ADDRESS, VERDICT_OK, "self.address.found");
    world_arg(w, "self.address.found", "address", "198.51.100.7");
    world_arg(w, "self.address.found", "source", "socket");
    world_expect(w, CHECK_SELF_PTR, VERDICT_OK, "self.ptr.confirmed");
    assert_string_equal(w->c.ehlo_name, "desk.office.example");
    assert_true(w->c.own_ptr_confirmed);
    assert_string_equal(w->c.domain_facts.own_ptr, "desk.office.example");
    assert_int_equal(w->c.server_ptr_count, 2);
    assert_string_equal(w->c.server_ptrs[0].name, "mx1.example.org");
    world_close(w);
}

static void test_reverse_names(void **state)
{
    (void)state;
    static const struct {
        const char *me, *ids, *ehlo;
        enum verdict verdict;
    } cases[] = {
        {"  ptr none\n", "self.ptr.missing", "[198.51.100.7]", VERDICT_WARN},
        {"  ptr other.office.example\n", "self.ptr.unconfirmed", "[198.51.100.7]", VERDICT_WARN},
        {"  ptr 7-100-51-198.pool.office.example\n", "self.ptr.unconfirmed self.ptr.generic",
         "[198.51.100.7]", VERDICT_WARN},
        {"  ptr servfail\n", "self.ptr.lookup_failed", "[198.51.100.7]", VERDICT_INCONCLUSIVE},
        {"  ptr timeout\n", "self.ptr.lookup_failed", "[198.51.100.7]", VERDICT_INCONCLUSIVE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char scenario[2048] = "me\n  name short\n  address 198.51.100.7\n";
        str_copy(scenario + strlen(scenario), sizeof(scenario) - strlen(scenario), cases[i].me);
        str_copy(scenario + strlen(scenario), sizeof(scenario) - strlen(scenario),
                 "zone office.example\n  other A 198.51.100.99\n" ZONE MX1);
        struct world *w = world_open(scenario, "example.org");
        run_self(w);
        world_expect(w, CHECK_SELF_PTR, cases[i].verdict, cases[i].ids);
        assert_string_equal(w->c.ehlo_name, cases[i].ehlo);
        world_close(w);
    }
}

/* The name that this machine calls itself is good enough when DNS confirms it. */
static void test_host_name(void **state)
{
    (void)state;
    struct world *w =
        world_open("me\n  name desk.office.example\n  address 198.51.100.7\n  ptr none\n"
                   "zone office.example\n  desk A 198.51.100.7\n" ZONE MX1,
                   "example.org");
    run_self(w);
    world_expect(w, CHECK_SELF_PTR, VERDICT_WARN, "self.ptr.missing");
    assert_string_equal(w->c.ehlo_name, "desk.office.example");
    world_close(w);
}

static void test_given_helo(void **state)
{
    (void)state;
    struct world *w =
        world_open(ME "zone office.example\n  desk A 198.51.100.7\n" ZONE MX1, "example.org");
    assert_int_equal(str_set(&w->plan.helo, "mail.elsewhere.example"), ST_OK);
    run_self(w);
    world_expect(w, CHECK_SELF_PTR, VERDICT_WARN, "self.ptr.confirmed self.ptr.helo_unknown");
    assert_string_equal(w->c.ehlo_name, "mail.elsewhere.example");
    world_close(w);
}

/* What is wrong with a name is said before a server says it in its own way, or not at all. */
static void test_names_to_greet_with(void **state)
{
    (void)state;
    static const struct {
        const char *helo, *id;
        enum verdict verdict;
    } cases[] = {
        {"desk.office.example", "", VERDICT_OK},
        {"DESK.office.example", "", VERDICT_OK},
        {"[198.51.100.7]", "", VERDICT_OK},
        {"[IPv6:2001:db8::7]", "", VERDICT_OK},
        {"alias.office.example", " self.ptr.helo_mismatch", VERDICT_NOTE},
        {"www.office.example", " self.ptr.helo_elsewhere", VERDICT_NOTE},
        {"nobody.office.example", " self.ptr.helo_unknown", VERDICT_WARN},
        {"desk", " self.ptr.helo_invalid", VERDICT_WARN},
        {"localhost", " self.ptr.helo_invalid", VERDICT_WARN},
        {"localhost.localdomain", " self.ptr.helo_invalid", VERDICT_WARN},
        {"my_desk.office.example", " self.ptr.helo_invalid", VERDICT_WARN},
        {"198.51.100.7", " self.ptr.helo_invalid", VERDICT_WARN},
        {"[desk.office.example]", " self.ptr.helo_invalid", VERDICT_WARN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char ids[128];
        struct world *w = world_open(ME "zone office.example\n  desk A 198.51.100.7\n"
                                        "  alias A 198.51.100.7\n  www A 203.0.113.80\n" ZONE MX1,
                                     "example.org");
        assert_int_equal(str_set(&w->plan.helo, cases[i].helo), ST_OK);
        run_self(w);
        snprintf(ids, sizeof(ids), "self.ptr.confirmed%s", cases[i].id);
        world_expect(w, CHECK_SELF_PTR, cases[i].verdict, ids);
        world_close(w);
    }
}

#define NAT "me\n  name desk\n  address 10.0.0.7\n  seen-as 203.0.113.9\n"

static void test_behind_nat(void **state)
{
    (void)state;
    struct world *w = world_open(NAT ZONE MX1, "example.org");
    run_self(w);
    world_expect(w, CHECK_SELF_ADDRESS, VERDICT_NOTE, "self.address.unknown");
    world_expect(w, CHECK_SELF_PTR, VERDICT_SKIPPED, "check.skipped");
    assert_string_equal(w->c.ehlo_name, "[10.0.0.7]");
    assert_true(world_told(w, "resolver1.opendns.com"));
    assert_true(world_told(w, "ns1.google.com"));
    world_close(w);
}

/* A name server that answers with the address that the question came from. */
static void test_told_by_a_service(void **state)
{
    (void)state;
    struct world *w = world_open(NAT "  resolver 192.0.2.53\n  resolver 203.0.113.53\n" ZONE MX1
                                     "zone opendns.com\n  resolver1 A 203.0.113.53\n"
                                     "  myip A 203.0.113.9\n"
                                     "zone 113.0.203.in-addr.arpa\n  9 PTR mail.office.example.\n"
                                     "zone office.example\n  mail A 203.0.113.9\n",
                                 "example.org");
    run_self(w);
    world_expect(w, CHECK_SELF_ADDRESS, VERDICT_NOTE, "self.address.found self.address.nat");
    world_arg(w, "self.address.found", "source", "resolver1.opendns.com");
    world_arg(w, "self.address.nat", "address", "203.0.113.9");
    world_arg(w, "self.address.nat", "local", "10.0.0.7");
    world_expect(w, CHECK_SELF_PTR, VERDICT_OK, "self.ptr.confirmed");
    assert_string_equal(w->c.ehlo_name, "mail.office.example");
    assert_string_equal(w->c.domain_facts.own_address, "203.0.113.9");
    assert_false(world_told(w, "ns1.google.com"));
    world_close(w);
}

/* The own machine by its name: no question leaves it, and nobody is asked who we are. */
static void test_this_machine(void **state)
{
    (void)state;
    struct world *w = world_open_here("localhost:1");
    run_self(w);
    world_expect(w, CHECK_DNS_MX, VERDICT_OK, "dns.mx.not_needed");
    world_expect(w, CHECK_DNS_ADDRESS, VERDICT_OK, "dns.address.found");
    assert_true(world_told(w, "hosts file"));
    world_expect(w, CHECK_SELF_ADDRESS, VERDICT_OK, "self.address.found");
    world_arg(w, "self.address.found", "source", "socket");
    assert_int_equal(net_address_range(&w->c.own_address), RANGE_LOOPBACK);
    assert_false(world_told(w, "opendns"));
    world_step(w, CHECK_CONNECT);
    assert_int_equal(w->c.results[CHECK_CONNECT], VERDICT_FAIL);
    assert_non_null(world_find(w, "net.connect.refused"));
    world_close(w);
}

static void test_cancel_in_dns(void **state)
{
    (void)state;
    struct world *w = world_open(ME ZONE MX1, "example.org");
    cancel_request(&w->cancel, CANCEL_POLITE);
    world_step(w, CHECK_DNS_MX);
    world_expect(w, CHECK_DNS_MX, VERDICT_STOPPED, "check.stopped");
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_equal_preferences),
        cmocka_unit_test(test_named_by_the_user),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_failure_is_not_absence),
        cmocka_unit_test(test_unreachable_resolver),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_private_with_private),
        cmocka_unit_test(test_family_filter),
        cmocka_unit_test(test_many_exchanges),
        cmocka_unit_test(test_own_name),
        cmocka_unit_test(test_reverse_names),
        cmocka_unit_test(test_host_name),
        cmocka_unit_test(test_given_helo),
        cmocka_unit_test(test_names_to_greet_with),
        cmocka_unit_test(test_behind_nat),
        cmocka_unit_test(test_told_by_a_service),
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_cancel_in_dns),
    };
    return cmocka_run_group_tests_name("checks_dns", tests, NULL, NULL);
}
