#include "dns.h"

#include <string.h>

#include "dns_bench.h"

#define CLOSED_PORT 1

/* Two servers: which one is asked how often, and whose word is reported. */
static void test_rotation(void **state)
{
    (void)state;
    static const struct fake_dns_step silence = {.act = FAKE_DNS_GARBAGE, .arg = SILENCE_MARK},
                                      answer = {.act = FAKE_DNS_ANSWER},
                                      servfail = {.act = FAKE_DNS_RCODE, .arg = 2},
                                      refused = {.act = FAKE_DNS_RCODE, .arg = 5},
                                      notauth = {.act = FAKE_DNS_RCODE, .arg = 9},
                                      cut = {.act = FAKE_DNS_CUT, .arg = 1},
                                      no_tcp = {.act = FAKE_DNS_TCP_CLOSE},
                                      dead = {.act = FAKE_DNS_END};
    struct {
        struct fake_dns_step first[2], second[2];
        enum dns_result result;
        int by; /* which server the answer names */
        size_t first_seen, second_seen;
    } cases[] = {
        {{servfail}, {answer}, DNS_ANSWER, 1, 1, 1},
        {{silence}, {answer}, DNS_ANSWER, 1, 1, 1},
        {{refused}, {answer}, DNS_ANSWER, 1, 1, 1},
        {{silence, answer}, {silence}, DNS_ANSWER, 0, 2, 1},
        {{servfail}, {silence}, DNS_SERVFAIL, 0, 1, 2},
        {{silence}, {servfail}, DNS_SERVFAIL, 1, 2, 1},
        {{refused}, {silence}, DNS_REFUSED, 0, 1, 2},
        {{refused}, {servfail}, DNS_SERVFAIL, 1, 1, 1},
        {{no_tcp}, {servfail}, DNS_UNREACHABLE, 0, 2, 1}, /* there is an answer, by TCP only */
        {{no_tcp}, {answer}, DNS_ANSWER, 1, 2, 1},
        {{silence}, {silence}, DNS_TIMEOUT, 0, 2, 2},
        {{cut}, {refused}, DNS_MALFORMED, 0, 1, 1},
        {{refused}, {notauth}, DNS_OTHER_RCODE, 1, 1, 1},
        {{silence}, {dead}, DNS_TIMEOUT, 0, 2, 0},
        {{dead}, {refused}, DNS_REFUSED, 1, 0, 1},
        {{dead}, {dead}, DNS_UNREACHABLE, 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_dns_rule first[] = {{.name = "example.org", .type = "MX"}, {.name = NULL}};
        struct fake_dns_rule second[] = {{.name = "example.org", .type = "MX"}, {.name = NULL}};
        memcpy(first[0].steps, cases[i].first, sizeof(cases[i].first));
        memcpy(second[0].steps, cases[i].second, sizeof(cases[i].second));
        struct bench b;
        struct crooked n;
        bench_open_crooked(&b, &n, &(struct fake_dns_config){.zone = zone, .rules = first});
        struct fake_dns *other =
            fake_dns_start(&(struct fake_dns_config){.zone = zone, .rules = second});
        bool first_dead = first[0].steps[0].act == FAKE_DNS_END;
        bool second_dead = second[0].steps[0].act == FAKE_DNS_END;
        struct net_address *servers = b.dns.config.servers;
        servers[0] = loopback(first_dead ? CLOSED_PORT : fake_dns_port(b.fake));
        servers[1] = loopback(second_dead ? CLOSED_PORT : fake_dns_port(other));
        b.dns.config.server_count = 2;
        struct dns_answer a = bench_ask(&b, "example.org", DNS_MX);
        struct fake_dns_seen log[8];
        size_t first_seen = bench_seen(b.fake, log, 8), second_seen = bench_seen(other, log, 8);
        if (a.result != cases[i].result || a.server.port != servers[cases[i].by].port ||
            first_seen != cases[i].first_seen || second_seen != cases[i].second_seen) {
            fail_msg("case %zu: %s, asked %zu and %zu times", i, dns_result_name(a.result),
                     first_seen, second_seen);
        }
        assert_int_equal(a.tries, first_seen + second_seen + first_dead + second_dead);
        dns_answer_free(&a);
        fake_dns_stop(other);
        bench_close(&b);
    }
}

/* Only forged replies, in both rounds; and a server that takes the question by TCP, and no more. */
static void test_time_outs(void **state)
{
    (void)state;
    static const struct fake_dns_rule rules[] = {
        {"example.org",
         "MX",
         {{.act = FAKE_DNS_WRONG_ID, .more = true},
          {.act = FAKE_DNS_WRONG_QUESTION, .more = true},
          {.act = FAKE_DNS_GARBAGE, .arg = SILENCE_MARK}}},
        {NULL, NULL, {{.act = FAKE_DNS_END}}},
    };
    struct bench b;
    struct crooked n;
    bench_open_crooked(&b, &n, &(struct fake_dns_config){.zone = zone, .rules = rules});
    struct dns_answer a = bench_ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_TIMEOUT);
    assert_int_equal(a.tries, 2);
    assert_int_equal(a.ignored, 6);
    assert_int_equal(a.count, 0);
    assert_true(a.elapsed_us >= 2 * LONG_MS * US_PER_MS);
    dns_answer_free(&a);
    bench_close(&b);

    bench_open_crooked(&b, &n, &(struct fake_dns_config){.zone = zone, .rules = bad_rules});
    n.tcp_silent = b.fake;
    a = bench_ask(&b, "tcp-silent.example.org", DNS_MX);
    assert_int_equal(a.result, DNS_TIMEOUT);
    assert_true(a.truncated && a.over_tcp);
    assert_int_equal(a.rcode, 0);
    assert_int_equal(a.tries, 2);
    dns_answer_free(&a);
    bench_close(&b);
}

static void test_defaults(void **state)
{
    (void)state;
    struct crooked n;
    struct bench b;
    bench_open_crooked(&b, &n, &(struct fake_dns_config){.zone = zone});
    dns_init(&b.dns, &n.base, NULL, NULL);
    assert_int_equal(b.dns.config.server_count, 1);
    assert_int_equal(b.dns.config.servers[0].port, 53);
    assert_int_equal(b.dns.config.timeout_ms, 5000);
    assert_int_equal(b.dns.config.tries, 2);
    struct dns_config many = {.server_count = 99, .tries = -1, .source = {.family = 6}};
    many.servers[7] = loopback(5353);
    dns_init(&b.dns, &n.base, NULL, &many);
    assert_int_equal(b.dns.config.server_count, DNS_SERVERS_MAX);
    assert_int_equal(b.dns.config.servers[0].port, 53);
    assert_int_equal(b.dns.config.servers[7].port, 5353);
    b.dns.config.servers[0] = (struct net_address){.family = 4, .bytes = {192}, .port = 53};
    struct dns_answer a =
        bench_ask(&b, "example.org", DNS_MX); /* a source of the other family is left out */
    assert_int_equal(a.result, DNS_ANSWER);
    dns_answer_free(&a);
    bench_close(&b);
}

/* Who may say that an answer is authentic. */
static void test_authentic(void **state)
{
    (void)state;
    static const struct {
        bool says, trusted, ours, demo, other_server, believed;
    } cases[] = {
        {.says = true},
        {.says = true, .trusted = true, .believed = true},
        {.says = true, .ours = true, .believed = true},
        {.says = true, .demo = true, .believed = true},
        {.says = true, .trusted = true, .other_server = true},
        {.trusted = true, .ours = true, .demo = true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct crooked n;
        struct bench b;
        bench_open_crooked(&b, &n,
                           &(struct fake_dns_config){.zone = zone, .authentic = cases[i].says});
        n.is_ours = cases[i].ours;
        n.base.demo = cases[i].demo;
        b.dns.config.trusted = cases[i].trusted;
        struct dns_question q = {.name = "example.org", .type = DNS_MX};
        if (cases[i].other_server) {
            struct net_address server = {.family = 4, .bytes = {192, 0, 2, 54}};
            assert_int_equal(dns_ask_server(&b.dns, &server, &q), ST_OK);
        } else {
            assert_int_equal(dns_ask_all(&b.dns, &q, 1), ST_OK);
        }
        assert_int_equal(q.answer.result, DNS_ANSWER);
        assert_int_equal(q.answer.authentic, cases[i].believed);
        dns_answer_free(&q.answer);
        bench_close(&b);
    }
}

static void test_octet_by_octet(void **state)
{
    (void)state;
    struct crooked n;
    struct bench b;
    bench_open_crooked(&b, &n, &(struct fake_dns_config){.zone = zone, .rules = bad_rules});
    n.drip = true;
    struct dns_answer a = bench_ask(&b, "truncated.example.org", DNS_MX);
    assert_int_equal(a.result, DNS_NXDOMAIN);
    assert_true(a.over_tcp);
    assert_non_null(a.authority);
    dns_answer_free(&a);
    assert_int_equal(n.open, 0);
    bench_close(&b);
}

static void test_few_descriptors(void **state)
{
    (void)state;
    enum { COUNT = 30 };
    struct crooked n;
    struct bench b;
    bench_open_crooked(&b, &n, &(struct fake_dns_config){.zone = zone, .rules = bad_rules});
    n.limit = 3;
    struct dns_question q[COUNT];
    memset(q, 0, sizeof(q));
    for (size_t i = 0; i < COUNT; i++) {
        q[i].name = i % 2 == 0 ? "example.org" : "truncated.example.org";
        q[i].type = DNS_MX;
    }
    assert_int_equal(dns_ask_all(&b.dns, q, COUNT), ST_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(q[i].answer.result, i % 2 == 0 ? DNS_ANSWER : DNS_NXDOMAIN);
        dns_answer_free(&q[i].answer);
    }
    assert_int_equal(n.peak, 3);
    assert_int_equal(n.open, 0);

    /* None at all, a dead network, and one without memory. */
    static const struct {
        enum status refuse, status;
        enum dns_result result;
    } cases[] = {
        {ST_LIMIT, ST_OK, DNS_UNREACHABLE},    {ST_UNREACHABLE, ST_OK, DNS_UNREACHABLE},
        {ST_INVALID, ST_OK, DNS_UNREACHABLE},  {ST_DENIED, ST_OK, DNS_UNREACHABLE},
        {ST_NOMEM, ST_NOMEM, DNS_UNREACHABLE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        n.refuse = cases[i].refuse;
        struct dns_answer a;
        assert_int_equal(dns_ask(&b.dns, "example.org", DNS_MX, &a), cases[i].status);
        assert_int_equal(a.result, cases[i].result);
        dns_answer_free(&a);
    }
    bench_close(&b);
}

/* Somebody guesses ids as fast as he can: the try ends long before its deadline. */
static void test_noise(void **state)
{
    (void)state;
    struct crooked n;
    struct bench b;
    bench_open_crooked(&b, &n, &(struct fake_dns_config){.zone = zone});
    n.noise = true;
    struct dns_answer a = bench_ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_TIMEOUT);
    assert_int_equal(a.tries, 2);
    assert_int_equal(a.ignored, 512);
    dns_answer_free(&a);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotation),       cmocka_unit_test(test_time_outs),
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_authentic),
        cmocka_unit_test(test_octet_by_octet), cmocka_unit_test(test_few_descriptors),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
