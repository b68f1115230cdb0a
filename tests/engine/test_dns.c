#include "dns.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_bench.h"

static void test_answer(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .authentic = true}, LONG_MS);
    struct dns_answer a = bench_ask(&b, "Example.org.", DNS_MX);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.rcode, 0);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.records[1].u.mx.exchange, "mx2.example.org");
    assert_int_equal(a.tries, 1);
    assert_int_equal(a.ignored, 0);
    assert_false(a.over_tcp);
    assert_true(a.authentic); /* on this machine */
    assert_true(a.elapsed_us >= 0);
    assert_int_equal(a.server.port, fake_dns_port(b.fake));
    dns_answer_free(&a);

    struct fake_dns_seen log[4];
    assert_int_equal(bench_seen(b.fake, log, 4), 1);
    assert_true(log[0].query.edns && log[0].query.dnssec_ok);
    assert_int_equal(log[0].query.udp_size, DNS_EDNS_SIZE);
    assert_int_equal(log[0].query.flags, 0x0100); /* RD alone */

    a = bench_ask(&b, "alias.example.org", DNS_A);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.cnames, 1);
    assert_string_equal(a.final_name, "mx1.example.org");
    dns_answer_free(&a);
    bench_close(&b);
}

static void test_question_options(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone}, LONG_MS);
    struct dns_question q = {
        .name = "id.server", .type = DNS_TXT, .class = DNS_CLASS_CH, .checking_disabled = true};
    struct net_address server = b.dns.config.servers[0];
    b.dns.config.servers[0].port = 1; /* not the one that is asked */
    assert_int_equal(dns_ask_server(&b.dns, &server, &q), ST_OK);
    assert_int_equal(q.answer.result, DNS_NXDOMAIN);
    dns_answer_free(&q.answer);
    struct fake_dns_seen log[4];
    assert_int_equal(bench_seen(b.fake, log, 4), 1);
    assert_int_equal(log[0].query.class, DNS_CLASS_CH);
    assert_int_equal(log[0].query.flags, 0x0110);
    bench_close(&b);
}

/* Every way that a question can end, and how many questions that takes. */
static void test_results(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum dns_result result;
        int rcode;
        bool tcp;
        unsigned tries;
    } cases[] = {
        {"example.org", DNS_ANSWER, 0, false, 1},
        {"null.example.org", DNS_ANSWER, 0, false, 1},
        {"mx1.example.org", DNS_NODATA, 0, false, 1},
        {"nope.example.org", DNS_NXDOMAIN, 3, false, 1},
        {"loop1.example.org", DNS_CNAME_LOOP, 0, false, 1},
        {"a..b", DNS_BAD_NAME, -1, false, 0},
        {"servfail.example.org", DNS_SERVFAIL, 2, false, 1},
        {"bare.example.org", DNS_SERVFAIL, 2, false, 1},
        {"refused.example.org", DNS_REFUSED, 5, false, 1},
        {"notauth.example.org", DNS_OTHER_RCODE, 9, false, 1},
        {"formerr.example.org", DNS_OTHER_RCODE, 1, false, 2}, /* the second without EDNS */
        {"cut.example.org", DNS_MALFORMED, 3, false, 1},
        {"pointers.example.org", DNS_MALFORMED, 0, false, 1},
        {"referral.example.org", DNS_REFUSED, 0, false, 1},
        {"silent.example.org", DNS_TIMEOUT, -1, false, 2},
        {"wrong-id.example.org", DNS_TIMEOUT, -1, false, 2},
        {"garbage.example.org", DNS_TIMEOUT, -1, false, 2},
        {"truncated.example.org", DNS_NXDOMAIN, 3, true, 2},
        {"tcp-drip.example.org", DNS_NXDOMAIN, 3, true, 2},
        {"tcp-close.example.org", DNS_UNREACHABLE, 0, true, 2},
        {"tcp-reset.example.org", DNS_UNREACHABLE, 0, true, 2},
        {"tcp-short5.example.org", DNS_MALFORMED, 0, true, 2},
        {"tcp-short40.example.org", DNS_MALFORMED, 0, true, 2},
        {"tcp-short50.example.org", DNS_MALFORMED, 3, true, 2},
        {"tcp-long.example.org", DNS_MALFORMED, 0, true, 2},
        {"still-tc.example.org", DNS_MALFORMED, 3, true, 2},
    };
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .rules = bad_rules}, LONG_MS);
    unsigned found = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        b.dns.config.timeout_ms = cases[i].result == DNS_TIMEOUT ? SHORT_MS : LONG_MS;
        struct dns_answer a = bench_ask(&b, cases[i].name, DNS_MX);
        if (a.result != cases[i].result || a.rcode != cases[i].rcode ||
            a.over_tcp != cases[i].tcp || a.tries != cases[i].tries) {
            fail_msg("%s: %s, rcode %d, tcp %d, tries %u", cases[i].name, dns_result_name(a.result),
                     a.rcode, a.over_tcp, a.tries);
        }
        assert_int_equal(a.count > 0, a.result == DNS_ANSWER);
        found |= 1u << a.result;
        dns_answer_free(&a);
    }

    struct dns_answer a = bench_ask(&b, "servfail.example.org", DNS_MX);
    assert_int_equal(a.ede, 9);
    assert_string_equal(a.ede_text, "no keys");
    dns_answer_free(&a);
    a = bench_ask(&b, "referral.example.org", DNS_MX);
    assert_true(a.referral);
    dns_answer_free(&a);
    a = bench_ask(&b, "tcp-close.example.org", DNS_MX);
    assert_true(a.truncated);
    dns_answer_free(&a);
    b.dns.config.timeout_ms = SHORT_MS;
    a = bench_ask(&b, "silent.example.org", DNS_MX);
    assert_string_equal(a.final_name, "silent.example.org");
    assert_int_equal(a.server.port, fake_dns_port(b.fake));
    dns_answer_free(&a);

    /* Nobody there, and nobody to ask. */
    uint16_t port = fake_dns_port(b.fake);
    fake_dns_stop(b.fake);
    b.fake = NULL;
    b.dns.config.servers[0] = loopback(port);
    b.dns.config.timeout_ms = LONG_MS;
    a = bench_ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_UNREACHABLE);
    assert_int_equal(a.tries, 1);
    found |= 1u << a.result;
    dns_answer_free(&a);
    b.dns.config.server_count = 0;
    a = bench_ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_UNREACHABLE);
    assert_int_equal(a.tries, 0);
    dns_answer_free(&a);
    bench_close(&b);

#define X(id, name) found |= (id) == DNS_CANCELLED ? 1u << (id) : 0; /* has a test of its own */
    DNS_RESULT_LIST(X)
#undef X
    assert_int_equal(found, (1u << (DNS_OTHER_RCODE + 1)) - 1);
}

static void test_tcp_refused(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .rules = bad_rules, .no_tcp = true},
               LONG_MS);
    struct dns_answer a = bench_ask(&b, "truncated.example.org", DNS_MX);
    assert_int_equal(a.result, DNS_UNREACHABLE);
    assert_true(a.truncated);
    assert_true(a.over_tcp);
    assert_int_equal(a.rcode, 0);
    dns_answer_free(&a);
    bench_close(&b);
}

/* 51 KB of TXT: cut by the server on its own account, whole over TCP. */
static void test_large_answer(void **state)
{
    (void)state;
    enum { STRINGS = 200 };
    char line[STRINGS * 258 + 64];
    size_t at = (size_t)snprintf(line, sizeof(line), "big.example.org 60 TXT");
    for (int i = 0; i < STRINGS; i++) {
        line[at++] = ' ';
        line[at++] = '"';
        memset(line + at, 'a' + i % 26, 255);
        at += 255;
        line[at++] = '"';
    }
    line[at] = '\0';
    const char *const big_zone[] = {line, NULL};
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = big_zone}, LONG_MS);
    struct dns_answer a = bench_ask(&b, "big.example.org", DNS_TXT);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_true(a.over_tcp);
    assert_false(a.truncated);
    assert_int_equal(a.tries, 2);
    assert_int_equal(a.records[0].u.txt.len, STRINGS * 255);
    assert_int_equal(a.records[0].u.txt.text[STRINGS * 255 - 1], 'a' + (STRINGS - 1) % 26);
    dns_answer_free(&a);
    struct fake_dns_seen log[4];
    assert_int_equal(bench_seen(b.fake, log, 4), 2);
    assert_false(log[0].tcp);
    assert_true(log[1].tcp);
    bench_close(&b);
}

static void test_forged_replies_ignored(void **state)
{
    (void)state;
    static const struct fake_dns_rule rules[] = {
        {"example.org",
         "MX",
         {{.act = FAKE_DNS_WRONG_ID, .more = true},
          {.act = FAKE_DNS_WRONG_QUESTION, .more = true},
          {.act = FAKE_DNS_GARBAGE, .arg = 5, .more = true},
          {.act = FAKE_DNS_GARBAGE, .arg = 2000, .more = true},
          {.act = FAKE_DNS_ANSWER, .more = true},
          {.act = FAKE_DNS_WRONG_ID}}},
        {NULL, NULL, {{.act = FAKE_DNS_END}}},
    };
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .rules = rules}, LONG_MS);
    struct dns_answer a = bench_ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.ignored, 4);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.records[0].u.mx.exchange, "mx1.example.org");
    dns_answer_free(&a);
    bench_close(&b);
}

static void test_server_without_edns(void **state)
{
    (void)state;
    static const struct fake_dns_rule rules[] = {
        {"example.org", "MX", {{.act = FAKE_DNS_OLD}}},
        {"mx1.example.org", "A", {{.act = FAKE_DNS_RCODE, .arg = 4}, {.act = FAKE_DNS_ANSWER}}},
        {NULL, NULL, {{.act = FAKE_DNS_END}}},
    };
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .rules = rules}, LONG_MS);
    struct dns_answer a = bench_ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.tries, 2);
    dns_answer_free(&a);
    a = bench_ask(&b, "mx1.example.org", DNS_A);
    assert_int_equal(a.result, DNS_ANSWER);
    dns_answer_free(&a);
    struct fake_dns_seen log[8];
    assert_int_equal(bench_seen(b.fake, log, 8), 4);
    assert_true(log[0].query.edns && log[2].query.edns);
    assert_false(log[1].query.edns || log[3].query.edns);
    assert_int_equal(log[1].query.flags, 0x0100);
    assert_true(log[0].query.id != log[1].query.id || log[0].port != log[1].port);
    bench_close(&b);
}

static void test_ids_and_ports(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone}, LONG_MS);
    for (int i = 0; i < COUNT; i++) {
        struct dns_answer a = bench_ask(&b, "example.org", DNS_MX);
        assert_int_equal(a.result, DNS_ANSWER);
        dns_answer_free(&a);
    }
    static struct fake_dns_seen log[COUNT];
    assert_int_equal(bench_seen(b.fake, log, COUNT), COUNT);
    unsigned same_id = 0, same_port = 0, next_id = 0;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < i; k++) {
            same_id += log[i].query.id == log[k].query.id;
            same_port += log[i].port == log[k].port;
        }
        next_id += i > 0 && log[i].query.id == (uint16_t)(log[i - 1].query.id + 1);
    }
    /* 780 pairs out of 65536 ids and some 28000 ports. */
    assert_true(same_id < 5);
    assert_true(same_port < 10);
    assert_true(next_id < 3);
    bench_close(&b);
}

/* The server answers nobody until all have asked. */
static void test_concurrent(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .gather = COUNT}, LONG_MS);
    struct dns_question q[COUNT];
    memset(q, 0, sizeof(q));
    for (size_t i = 0; i < COUNT; i++) {
        q[i].name = i % 2 == 0 ? "mx1.example.org" : "nope.example.org";
        q[i].type = i % 4 == 0 ? DNS_AAAA : DNS_A;
    }
    assert_int_equal(dns_ask_all(&b.dns, q, COUNT), ST_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(q[i].answer.result, i % 2 == 0 ? DNS_ANSWER : DNS_NXDOMAIN);
        assert_int_equal(q[i].answer.tries, 1);
        if (i % 2 == 0) {
            assert_int_equal(q[i].answer.records[0].type, q[i].type);
        }
        dns_answer_free(&q[i].answer);
    }
    assert_int_equal(dns_ask_all(&b.dns, NULL, 0), ST_OK);
    bench_close(&b);
}

/* More than may be in flight, of all kinds, some by TCP, some not to be asked at all. */
static void test_many_questions(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static const struct {
        const char *name;
        enum dns_result result;
    } kinds[] = {
        {"example.org", DNS_ANSWER},
        {"nope.example.org", DNS_NXDOMAIN},
        {"truncated.example.org", DNS_NXDOMAIN},
        {"a..b", DNS_BAD_NAME},
        {"servfail.example.org", DNS_SERVFAIL},
        {"tcp-close.example.org", DNS_UNREACHABLE},
    };
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .rules = bad_rules}, LONG_MS);
    struct dns_question *q = calloc(COUNT, sizeof(*q));
    assert_non_null(q);
    for (size_t i = 0; i < COUNT; i++) {
        q[i].name = kinds[i % ARRAY_LEN(kinds)].name;
        q[i].type = DNS_MX;
    }
    assert_int_equal(dns_ask_all(&b.dns, q, COUNT), ST_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(q[i].answer.result, kinds[i % ARRAY_LEN(kinds)].result);
        dns_answer_free(&q[i].answer);
    }
    free(q);
    bench_close(&b);
}

struct canceller {
    struct bench *b;
    size_t after; /* so many queries have reached the server */
};

static void *cancel_later(void *arg)
{
    struct canceller *c = arg;
    fake_dns_await(c->b->fake, c->after);
    cancel_request(&c->b->cancel, CANCEL_POLITE);
    return NULL;
}

static void test_cancel(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t after;
    } cases[] = {{"silent.example.org", 3}, {"tcp-silent.example.org", 6}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        bench_open(&b, &(struct fake_dns_config){.zone = zone, .rules = bad_rules}, LONG_MS);
        struct dns_question q[4];
        memset(q, 0, sizeof(q));
        for (size_t k = 0; k < 3; k++) {
            q[k].name = cases[i].name;
            q[k].type = DNS_MX;
        }
        q[3].name = "a..b"; /* decided before the cancel, and stays so */
        pthread_t thread;
        struct canceller c = {&b, cases[i].after};
        assert_int_equal(pthread_create(&thread, NULL, cancel_later, &c), 0);
        assert_int_equal(dns_ask_all(&b.dns, q, ARRAY_LEN(q)), ST_CANCELLED);
        pthread_join(thread, NULL);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(q[k].answer.result, DNS_CANCELLED);
            assert_int_equal(q[k].answer.rcode, -1);
            dns_answer_free(&q[k].answer);
        }
        assert_int_equal(q[3].answer.result, DNS_BAD_NAME);

        /* The token is still raised: nothing more is asked, let alone waited for. */
        struct dns_answer a;
        assert_int_equal(dns_ask(&b.dns, cases[i].name, DNS_MX, &a), ST_CANCELLED);
        assert_int_equal(a.result, DNS_CANCELLED);
        dns_answer_free(&a);
        cancel_ack(&b.cancel, CANCEL_POLITE);
        a = bench_ask(&b, "example.org", DNS_MX);
        assert_int_equal(a.result, DNS_ANSWER);
        dns_answer_free(&a);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_question_options),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_tcp_refused),
        cmocka_unit_test(test_large_answer),
        cmocka_unit_test(test_forged_replies_ignored),
        cmocka_unit_test(test_server_without_edns),
        cmocka_unit_test(test_ids_and_ports),
        cmocka_unit_test(test_concurrent),
        cmocka_unit_test(test_many_questions),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
