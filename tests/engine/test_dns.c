#include "dns.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_dns.h"

#define SHORT_MS 60
#define LONG_MS 60000 /* a test that waits for this has failed already: see the limit of ctest */

static const char *const zone[] = {
    "example.org 600 SOA ns.example.org admin.example.org 7 3600 600 86400 60",
    "example.org 300 MX 10 mx1.example.org",
    "example.org 300 MX 20 mx2.example.org",
    "example.org 300 TXT \"v=spf1 \" \"-all\"",
    "mx1.example.org 300 A 192.0.2.1",
    "mx1.example.org 300 AAAA 2001:db8::1",
    "alias.example.org 300 CNAME mx1.example.org",
    "loop1.example.org 300 CNAME loop2.example.org",
    "loop2.example.org 300 CNAME loop1.example.org",
    "null.example.org 300 MX 0 .",
    NULL,
};

struct bench {
    struct network *net;
    struct cancel cancel;
    struct dns dns;
    struct fake_dns *fake;
};

static struct net_address loopback(uint16_t port)
{
    return (struct net_address){.family = 4, .bytes = {127, 0, 0, 1}, .port = port};
}

/* A network, a fake server that obeys these rules, and a dns that asks it. */
static void bench_open(struct bench *b, const struct fake_dns_config *fake, int timeout_ms)
{
    memset(b, 0, sizeof(*b));
    assert_int_equal(net_system_open(&b->net, NULL), ST_OK);
    assert_int_equal(cancel_init(&b->cancel), ST_OK);
    b->fake = fake_dns_start(fake);
    struct dns_config config = {.server_count = 1, .timeout_ms = timeout_ms};
    config.servers[0] = loopback(fake_dns_port(b->fake));
    dns_init(&b->dns, b->net, &b->cancel, &config);
}

static void bench_close(struct bench *b)
{
    fake_dns_stop(b->fake);
    cancel_fini(&b->cancel);
    net_network_close(b->net);
}

static struct dns_answer ask(struct bench *b, const char *name, uint16_t type)
{
    struct dns_answer answer;
    assert_int_equal(dns_ask(&b->dns, name, type, &answer), ST_OK);
    return answer;
}

static size_t seen(struct fake_dns *f, struct fake_dns_seen *out, size_t max)
{
    size_t count = fake_dns_seen(f, out, max);
    assert_true(count <= max);
    return count;
}

static void test_answer(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .authentic = true}, LONG_MS);
    struct dns_answer a = ask(&b, "Example.org.", DNS_MX);
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
    assert_int_equal(seen(b.fake, log, 4), 1);
    assert_true(log[0].query.edns && log[0].query.dnssec_ok);
    assert_int_equal(log[0].query.udp_size, DNS_EDNS_SIZE);
    assert_int_equal(log[0].query.flags, 0x0100); /* RD alone */

    a = ask(&b, "alias.example.org", DNS_A);
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
    assert_int_equal(seen(b.fake, log, 4), 1);
    assert_int_equal(log[0].query.class, DNS_CLASS_CH);
    assert_int_equal(log[0].query.flags, 0x0110);
    bench_close(&b);
}

static const struct fake_dns_rule bad_rules[] = {
    {"servfail.example.org", "MX", {{FAKE_DNS_RCODE, 2, "no keys", 9, false}}},
    {"refused.example.org", "MX", {{.act = FAKE_DNS_RCODE, .arg = 5}}},
    {"notauth.example.org", "MX", {{.act = FAKE_DNS_RCODE, .arg = 9}}},
    {"formerr.example.org", "MX", {{.act = FAKE_DNS_RCODE, .arg = 1}}},
    {"bare.example.org", "MX", {{.act = FAKE_DNS_RCODE_BARE, .arg = 2}}},
    {"cut.example.org", "MX", {{.act = FAKE_DNS_CUT, .arg = 1}}},
    {"pointers.example.org", "MX", {{.act = FAKE_DNS_POINTER_LOOP}}},
    {"referral.example.org", "MX", {{.act = FAKE_DNS_REFERRAL}}},
    {"silent.example.org", "MX", {{.act = FAKE_DNS_SILENCE}}},
    {"wrong-id.example.org", "MX", {{.act = FAKE_DNS_WRONG_ID}}},
    {"garbage.example.org", "MX", {{.act = FAKE_DNS_GARBAGE}}},
    {"tcp-close.example.org", "MX", {{.act = FAKE_DNS_TCP_CLOSE}}},
    {"tcp-reset.example.org", "MX", {{.act = FAKE_DNS_TCP_RESET}}},
    {"tcp-silent.example.org", "MX", {{.act = FAKE_DNS_TCP_SILENCE}}},
    {"tcp-short5.example.org", "MX", {{.act = FAKE_DNS_TCP_SHORT_PREFIX, .arg = 5}}},
    {"tcp-short40.example.org", "MX", {{.act = FAKE_DNS_TCP_SHORT_PREFIX, .arg = 40}}},
    {"tcp-short50.example.org", "MX", {{.act = FAKE_DNS_TCP_SHORT_PREFIX, .arg = 50}}},
    {"tcp-long.example.org", "MX", {{.act = FAKE_DNS_TCP_LONG_PREFIX, .arg = 1}}},
    {"still-tc.example.org", "MX", {{.act = FAKE_DNS_STILL_TC}}},
    {"tcp-drip.example.org", "MX", {{.act = FAKE_DNS_TCP_DRIP}}},
    {"truncated.example.org", "MX", {{.act = FAKE_DNS_TRUNCATE}}},
    {NULL, NULL, {{.act = FAKE_DNS_END}}},
};

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
        {"tcp-silent.example.org", DNS_TIMEOUT, 0, true, 2},
        {"tcp-short5.example.org", DNS_MALFORMED, 0, true, 2},
        {"tcp-short40.example.org", DNS_MALFORMED, 0, true, 2},
        {"tcp-short50.example.org", DNS_MALFORMED, 3, true, 2},
        {"tcp-long.example.org", DNS_MALFORMED, 0, true, 2},
        {"still-tc.example.org", DNS_MALFORMED, 3, true, 2},
    };
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone, .rules = bad_rules}, SHORT_MS);
    unsigned found = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dns_answer a = ask(&b, cases[i].name, DNS_MX);
        if (a.result != cases[i].result || a.rcode != cases[i].rcode ||
            a.over_tcp != cases[i].tcp || a.tries != cases[i].tries) {
            fail_msg("%s: %s, rcode %d, tcp %d, tries %u", cases[i].name, dns_result_name(a.result),
                     a.rcode, a.over_tcp, a.tries);
        }
        assert_int_equal(a.count > 0, a.result == DNS_ANSWER);
        found |= 1u << a.result;
        dns_answer_free(&a);
    }

    struct dns_answer a = ask(&b, "servfail.example.org", DNS_MX);
    assert_int_equal(a.ede, 9);
    assert_string_equal(a.ede_text, "no keys");
    dns_answer_free(&a);
    a = ask(&b, "referral.example.org", DNS_MX);
    assert_true(a.referral);
    dns_answer_free(&a);
    a = ask(&b, "tcp-close.example.org", DNS_MX);
    assert_true(a.truncated);
    dns_answer_free(&a);
    a = ask(&b, "wrong-id.example.org", DNS_MX);
    assert_int_equal(a.ignored, 2);
    assert_string_equal(a.final_name, "wrong-id.example.org");
    assert_int_equal(a.server.port, fake_dns_port(b.fake));
    dns_answer_free(&a);

    /* Nobody there, and nobody to ask. */
    uint16_t port = fake_dns_port(b.fake);
    fake_dns_stop(b.fake);
    b.fake = NULL;
    b.dns.config.servers[0] = loopback(port);
    b.dns.config.timeout_ms = LONG_MS;
    a = ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_UNREACHABLE);
    assert_int_equal(a.tries, 1);
    found |= 1u << a.result;
    dns_answer_free(&a);
    b.dns.config.server_count = 0;
    a = ask(&b, "example.org", DNS_MX);
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
    struct dns_answer a = ask(&b, "truncated.example.org", DNS_MX);
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
    struct dns_answer a = ask(&b, "big.example.org", DNS_TXT);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_true(a.over_tcp);
    assert_false(a.truncated);
    assert_int_equal(a.tries, 2);
    assert_int_equal(a.records[0].u.txt.len, STRINGS * 255);
    assert_int_equal(a.records[0].u.txt.text[STRINGS * 255 - 1], 'a' + (STRINGS - 1) % 26);
    dns_answer_free(&a);
    struct fake_dns_seen log[4];
    assert_int_equal(seen(b.fake, log, 4), 2);
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
    struct dns_answer a = ask(&b, "example.org", DNS_MX);
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
    struct dns_answer a = ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.tries, 2);
    dns_answer_free(&a);
    a = ask(&b, "mx1.example.org", DNS_A);
    assert_int_equal(a.result, DNS_ANSWER);
    dns_answer_free(&a);
    struct fake_dns_seen log[8];
    assert_int_equal(seen(b.fake, log, 8), 4);
    assert_true(log[0].query.edns && log[2].query.edns);
    assert_false(log[1].query.edns || log[3].query.edns);
    assert_int_equal(log[1].query.flags, 0x0100);
    assert_true(log[0].query.id != log[1].query.id || log[0].port != log[1].port);
    bench_close(&b);
}

/* Two servers: which one is asked how often, and whose word is reported. */
static void test_rotation(void **state)
{
    (void)state;
    static const struct fake_dns_step silence = {.act = FAKE_DNS_SILENCE},
                                      answer = {.act = FAKE_DNS_ANSWER},
                                      servfail = {.act = FAKE_DNS_RCODE, .arg = 2},
                                      refused = {.act = FAKE_DNS_RCODE, .arg = 5},
                                      no_tcp = {.act = FAKE_DNS_TCP_CLOSE};
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
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_dns_rule first[] = {{.name = "example.org", .type = "MX"}, {.name = NULL}};
        struct fake_dns_rule second[] = {{.name = "example.org", .type = "MX"}, {.name = NULL}};
        memcpy(first[0].steps, cases[i].first, sizeof(cases[i].first));
        memcpy(second[0].steps, cases[i].second, sizeof(cases[i].second));
        struct bench b;
        bench_open(&b, &(struct fake_dns_config){.zone = zone, .rules = first}, SHORT_MS);
        struct fake_dns *other =
            fake_dns_start(&(struct fake_dns_config){.zone = zone, .rules = second});
        b.dns.config.servers[1] = loopback(fake_dns_port(other));
        b.dns.config.server_count = 2;
        struct dns_answer a = ask(&b, "example.org", DNS_MX);
        struct fake_dns_seen log[8];
        size_t first_seen = seen(b.fake, log, 8), second_seen = seen(other, log, 8);
        uint16_t port = fake_dns_port(cases[i].by == 0 ? b.fake : other);
        if (a.result != cases[i].result || a.server.port != port ||
            first_seen != cases[i].first_seen || second_seen != cases[i].second_seen) {
            fail_msg("case %zu: %s, asked %zu and %zu times", i, dns_result_name(a.result),
                     first_seen, second_seen);
        }
        assert_int_equal(a.tries, first_seen + second_seen);
        dns_answer_free(&a);
        fake_dns_stop(other);
        bench_close(&b);
    }
}

static void test_ids_and_ports(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    struct bench b;
    bench_open(&b, &(struct fake_dns_config){.zone = zone}, LONG_MS);
    for (int i = 0; i < COUNT; i++) {
        struct dns_answer a = ask(&b, "example.org", DNS_MX);
        assert_int_equal(a.result, DNS_ANSWER);
        dns_answer_free(&a);
    }
    static struct fake_dns_seen log[COUNT];
    assert_int_equal(seen(b.fake, log, COUNT), COUNT);
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
        a = ask(&b, "example.org", DNS_MX);
        assert_int_equal(a.result, DNS_ANSWER);
        dns_answer_free(&a);
        bench_close(&b);
    }
}

/*
 * A network that sends what is meant for 192.0.2.53 to a port on this machine, and can be made to
 * misbehave: few descriptors, octets one by one, datagrams without end.
 */
struct crooked {
    struct network base;
    struct network *below;
    uint16_t port;
    bool is_ours; /* 192.0.2.53 is an address of this machine */
    bool drip, noise;
    int open, limit; /* connections; 0: no limit */
    int peak;
    enum status refuse; /* what opening returns, unless ST_OK */
};

struct crooked_conn {
    struct net_conn base;
    struct crooked *net;
    struct net_conn *below;
    bool datagram, rested;
};

static enum status crooked_read(struct net_conn *c, void *p, size_t len, size_t *got)
{
    struct crooked_conn *k = (struct crooked_conn *)c;
    if (k->net->noise) {
        memcpy(p, "noise", 5);
        *got = 5;
        return ST_OK;
    }
    return k->below->ops->read(k->below, p, k->net->drip && !k->datagram ? 1 : len, got);
}

static enum status crooked_write(struct net_conn *c, const void *p, size_t len, size_t *put)
{
    struct crooked_conn *k = (struct crooked_conn *)c;
    *put = 0;
    if (k->net->drip && !k->rested) {
        k->rested = true;
        return ST_AGAIN;
    }
    k->rested = false;
    return k->below->ops->write(k->below, p, k->net->drip && !k->datagram ? 1 : len, put);
}

static struct net_conn *crooked_wait_for(struct net_conn *c, unsigned want, unsigned *below,
                                         bool *ready)
{
    struct crooked_conn *k = (struct crooked_conn *)c;
    *below = want;
    *ready = k->net->noise;
    return k->below;
}

static void crooked_conn_close(struct net_conn *c)
{
    struct crooked_conn *k = (struct crooked_conn *)c;
    k->net->open--;
    net_close(k->below);
    free(k);
}

static const struct net_conn_ops crooked_conn_ops = {
    .read = crooked_read,
    .write = crooked_write,
    .wait_for = crooked_wait_for,
    .close = crooked_conn_close,
};

static struct net_address redirected(const struct crooked *n, const struct net_address *to)
{
    return to->bytes[0] == 192 && to->port == 53 ? loopback(n->port) : *to;
}

static enum status crooked_open(struct crooked *n, const struct net_address *to, bool datagram,
                                struct net_conn **out, int *sys)
{
    *sys = 0;
    if (n->refuse != ST_OK) {
        return n->refuse;
    }
    if (n->limit > 0 && n->open >= n->limit) {
        return ST_LIMIT;
    }
    struct net_address real = redirected(n, to);
    struct crooked_conn *k = calloc(1, sizeof(*k));
    assert_non_null(k);
    enum status st = datagram ? n->below->ops->datagram(n->below, &real, NULL, &k->below, sys)
                              : n->below->ops->connect(n->below, &real, NULL, &k->below, sys);
    assert_int_equal(st, ST_OK);
    k->base.ops = &crooked_conn_ops;
    k->net = n;
    k->datagram = datagram;
    n->open++;
    n->peak = n->open > n->peak ? n->open : n->peak;
    *out = &k->base;
    return ST_OK;
}

static enum status crooked_connect(struct network *n, const struct net_address *to,
                                   const struct net_address *from, struct net_conn **out, int *sys)
{
    assert_null(from);
    return crooked_open((struct crooked *)n, to, false, out, sys);
}

static enum status crooked_datagram(struct network *n, const struct net_address *to,
                                    const struct net_address *from, struct net_conn **out, int *sys)
{
    assert_null(from);
    return crooked_open((struct crooked *)n, to, true, out, sys);
}

static enum status crooked_connect_result(struct network *n, struct net_conn *c)
{
    struct network *below = ((struct crooked *)n)->below;
    return below->ops->connect_result(below, ((struct crooked_conn *)c)->below);
}

static enum status crooked_wait(struct network *n, struct net_wait_item *items, size_t count,
                                int64_t deadline, struct cancel *cancel, bool until_wake)
{
    struct network *below = ((struct crooked *)n)->below;
    return below->ops->wait(below, items, count, deadline, cancel, until_wake);
}

static int64_t crooked_now(struct network *n)
{
    return net_now_us(((struct crooked *)n)->below);
}

static void crooked_random(struct network *n, void *p, size_t len)
{
    net_random(((struct crooked *)n)->below, p, len);
}

static size_t crooked_resolvers(struct network *n, struct net_address *out, size_t max)
{
    (void)n;
    assert_true(max >= 1);
    out[0] = (struct net_address){.family = 4, .bytes = {192, 0, 2, 53}};
    return 1;
}

static enum status crooked_source_for(struct network *n, const struct net_address *to,
                                      struct net_address *out)
{
    *out = *to;
    out->bytes[3] = ((struct crooked *)n)->is_ours ? to->bytes[3] : 99;
    return ST_OK;
}

static const struct network_ops crooked_ops = {
    .now_us = crooked_now,
    .random = crooked_random,
    .connect = crooked_connect,
    .connect_result = crooked_connect_result,
    .datagram = crooked_datagram,
    .wait = crooked_wait,
    .resolvers = crooked_resolvers,
    .source_for = crooked_source_for,
};

static void crooked_open_bench(struct bench *b, struct crooked *n,
                               const struct fake_dns_config *fake)
{
    bench_open(b, fake, LONG_MS);
    memset(n, 0, sizeof(*n));
    n->base.ops = &crooked_ops;
    n->below = b->net;
    n->port = fake_dns_port(b->fake);
    dns_init(&b->dns, &n->base, &b->cancel, &(struct dns_config){.timeout_ms = LONG_MS});
}

static void test_defaults(void **state)
{
    (void)state;
    struct crooked n;
    struct bench b;
    crooked_open_bench(&b, &n, &(struct fake_dns_config){.zone = zone});
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
        ask(&b, "example.org", DNS_MX); /* a source of the other family is left out */
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
        crooked_open_bench(&b, &n,
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
    crooked_open_bench(&b, &n, &(struct fake_dns_config){.zone = zone, .rules = bad_rules});
    n.drip = true;
    struct dns_answer a = ask(&b, "truncated.example.org", DNS_MX);
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
    crooked_open_bench(&b, &n, &(struct fake_dns_config){.zone = zone, .rules = bad_rules});
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
    crooked_open_bench(&b, &n, &(struct fake_dns_config){.zone = zone});
    n.noise = true;
    struct dns_answer a = ask(&b, "example.org", DNS_MX);
    assert_int_equal(a.result, DNS_TIMEOUT);
    assert_int_equal(a.tries, 2);
    assert_int_equal(a.ignored, 512);
    dns_answer_free(&a);
    bench_close(&b);
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
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_ids_and_ports),
        cmocka_unit_test(test_concurrent),
        cmocka_unit_test(test_many_questions),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_authentic),
        cmocka_unit_test(test_octet_by_octet),
        cmocka_unit_test(test_few_descriptors),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
