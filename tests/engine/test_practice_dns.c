#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dns.h"
#include "practice_bench.h"

static const char zones[] = BENCH_HEAD
    "me\n  name desk.office.example\n  address 198.51.100.7 2001:db8:51::7\n"
    "  resolver 192.0.2.53\n  resolver 192.0.2.54\n"
    "zone example.org ttl 300\n"
    "  @ MX 20 mx2\n  @ 60 MX 10 mx1\n  @ TXT \"v=spf1 mx\" \" -all\" \"\\x00\\xff\"\n"
    "  alias CNAME www\n  www A 192.0.2.80\n  loop CNAME loop2\n  loop2 CNAME loop\n"
    "  far CNAME www.example.net\n"
    "  deep.below.here TXT x\n  *.wild A 192.0.2.90\n  *.wild MX 5 mx1\n"
    "  bad servfail\n  bad2 MX servfail\n  bad2 A 192.0.2.1\n  slow timeout\n  no refused\n"
    "  gone nxdomain\n  empty nodata\n  broken malformed\n  odd wrong-id\n"
    "  big truncated\n  big A 192.0.2.77\n"
    "  quoted MX 10 a\\027b\\.c.example.org\n"
    "zone example.net\n  www A 203.0.113.5\n"
    "zone signed.example signed\n  @ A 192.0.2.60\n"
    "zone bogus.example bogus\n  @ A 192.0.2.61\n"
    "zone down.example servfail\n  @ A 192.0.2.62\n"
    "zone . via 192.0.2.54\n  * A 198.18.0.1\n"
    "host mx1.example.org\n  address 192.0.2.10 2001:db8:2::10\n"
    "host mx2.example.org\n  address 192.0.2.20\n  ptr a.example.org b.example.org\n"
    "host none.example.org\n  address 192.0.2.21\n  ptr none\n"
    "host mute.example.org\n  address 192.0.2.22\n  ptr timeout\n";

struct bench {
    struct network *n;
    struct dns dns;
    struct dns_answer a;
};

static void begin(struct bench *b, const char *text)
{
    static const struct dns_config config = {.timeout_ms = 1000, .tries = 1, .trusted = true};
    b->n = bench_open(text, PRACTICE_INSTANT, 0);
    dns_init(&b->dns, b->n, NULL, &config);
    dns_answer_init(&b->a);
}

static void end(struct bench *b)
{
    dns_answer_free(&b->a);
    net_network_close(b->n);
}

static const struct dns_answer *ask(struct bench *b, const char *name, uint16_t type)
{
    dns_answer_free(&b->a);
    dns_answer_init(&b->a);
    assert_int_equal(dns_ask(&b->dns, name, type, &b->a), ST_OK);
    return &b->a;
}

struct result_case {
    const char *name;
    uint16_t type;
    enum dns_result result;
};

static const struct result_case results[] = {
    {"example.org", DNS_MX, DNS_ANSWER},
    {"EXAMPLE.org", DNS_MX, DNS_ANSWER},
    {"example.org", DNS_AAAA, DNS_NODATA},
    {"below.here.example.org", DNS_A, DNS_NODATA}, /* an empty non-terminal exists */
    {"nothere.example.org", DNS_A, DNS_NXDOMAIN},
    {"mx1.example.org", DNS_A, DNS_ANSWER},
    {"mx1.example.org", DNS_AAAA, DNS_ANSWER},
    {"mx2.example.org", DNS_AAAA, DNS_NODATA},
    {"alias.example.org", DNS_A, DNS_ANSWER},
    {"alias.example.org", DNS_MX, DNS_NODATA},
    {"far.example.org", DNS_A, DNS_ANSWER},
    {"x.wild.example.org", DNS_A, DNS_ANSWER},
    {"a.b.wild.example.org", DNS_MX, DNS_ANSWER},
    {"wild.example.org", DNS_A, DNS_NODATA},
    {"bad.example.org", DNS_A, DNS_SERVFAIL},
    {"bad2.example.org", DNS_MX, DNS_SERVFAIL},
    {"bad2.example.org", DNS_A, DNS_ANSWER},
    {"slow.example.org", DNS_A, DNS_TIMEOUT},
    {"no.example.org", DNS_A, DNS_REFUSED},
    {"gone.example.org", DNS_A, DNS_NXDOMAIN},
    {"empty.example.org", DNS_A, DNS_NODATA},
    {"odd.example.org", DNS_A, DNS_TIMEOUT}, /* a wrong id is no answer */
    {"down.example", DNS_A, DNS_SERVFAIL},
    {"bogus.example", DNS_A, DNS_SERVFAIL},
    {"myip.opendns.com", DNS_A, DNS_NXDOMAIN},
    {"desk.office.example", DNS_A, DNS_ANSWER},
    {"office.example", DNS_SOA, DNS_NODATA},
    {"7.100.51.198.in-addr.arpa", DNS_PTR, DNS_ANSWER},
    {"20.2.0.192.in-addr.arpa", DNS_PTR, DNS_ANSWER},
    {"21.2.0.192.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN},
    {"22.2.0.192.in-addr.arpa", DNS_PTR, DNS_TIMEOUT},
};

static void test_results(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, zones);
    b.dns.config.server_count = 1; /* the second one lies */
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        const struct dns_answer *a = ask(&b, results[i].name, results[i].type);
        if (a->result != results[i].result) {
            fail_msg("%s: %s, not %s", results[i].name, dns_result_name(a->result),
                     dns_result_name(results[i].result));
        }
    }
    assert_int_equal(ask(&b, "loop.example.org", DNS_A)->result, DNS_CNAME_LOOP);
    assert_int_not_equal(ask(&b, "broken.example.org", DNS_A)->result, DNS_ANSWER);
    end(&b);
}

static void test_what_answers_hold(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, zones);
    const struct dns_answer *a = ask(&b, "example.org", DNS_MX);
    assert_int_equal(a->count, 2);
    assert_string_equal(a->records[1].u.mx.exchange, "mx1.example.org");
    assert_int_equal(a->records[0].ttl, 300);
    assert_int_equal(a->records[1].ttl, 60);
    assert_int_equal(a->elapsed_us, 8 * US_PER_MS);
    a = ask(&b, "example.org", DNS_TXT);
    assert_int_equal(a->records[0].u.txt.len, 16);
    assert_memory_equal(a->records[0].u.txt.text, "v=spf1 mx -all\0\xff", 16);
    a = ask(&b, "nothere.example.org", DNS_A);
    assert_non_null(a->authority);
    assert_string_equal(a->authority->owner, "example.org");
    assert_string_equal(a->authority->u.soa.mname, "ns1.example.org");
    a = ask(&b, "far.example.org", DNS_A);
    assert_string_equal(a->final_name, "www.example.net");
    assert_int_equal(a->cnames, 1);
    a = ask(&b, "x.wild.example.org", DNS_A);
    assert_string_equal(a->records[0].owner, "x.wild.example.org");
    a = ask(&b, "20.2.0.192.in-addr.arpa", DNS_PTR);
    assert_int_equal(a->count, 2);
    assert_string_equal(a->records[1].u.name, "b.example.org");
    a = ask(&b, "quoted.example.org", DNS_MX);
    assert_string_equal(a->records[0].u.mx.exchange, "a\\027b\\.c.example.org");
    end(&b);
}

static void test_dnssec(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, zones);
    assert_true(ask(&b, "signed.example", DNS_A)->authentic);
    assert_false(ask(&b, "mx1.example.org", DNS_A)->authentic);
    assert_false(ask(&b, "in.no.zone.invalid", DNS_A)->authentic);
    b.dns.config.server_count = 1;
    const struct dns_answer *a = ask(&b, "bogus.example", DNS_A);
    assert_int_equal(a->ede, 6);
    struct dns_question q = {.name = "bogus.example", .type = DNS_A, .checking_disabled = true};
    dns_answer_init(&q.answer);
    assert_int_equal(dns_ask_all(&b.dns, &q, 1), ST_OK);
    assert_int_equal(q.answer.result, DNS_ANSWER);
    dns_answer_free(&q.answer);
    end(&b);
}

static void test_truncated_answers_come_by_tcp(void **state)
{
    (void)state;
    struct bench b;
    struct buf text;
    begin(&b, zones);
    const struct dns_answer *a = ask(&b, "big.example.org", DNS_A);
    assert_int_equal(a->result, DNS_ANSWER);
    assert_true(a->over_tcp);
    end(&b);
    buf_init(&text, 65536);
    assert_int_equal(buf_add_str(&text, BENCH_HEAD "zone example.org\n"), ST_OK);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(buf_addf(&text, "  @ TXT \"%060d\"\n", i), ST_OK);
    }
    begin(&b, text.p);
    a = ask(&b, "example.org", DNS_TXT);
    assert_int_equal(a->count, 40);
    assert_true(a->over_tcp);
    end(&b);
    buf_free(&text);
}

/* The second resolver makes something out of nothing, as some providers' do. */
static void test_resolvers_may_lie(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, zones);
    struct net_address liar = bench_address("192.0.2.54", 53);
    struct dns_question q = {.name = "no.such.name.invalid", .type = DNS_A};
    assert_int_equal(ask(&b, q.name, DNS_A)->result, DNS_NXDOMAIN);
    dns_answer_init(&q.answer);
    assert_int_equal(dns_ask_server(&b.dns, &liar, &q), ST_OK);
    assert_int_equal(q.answer.result, DNS_ANSWER);
    dns_answer_free(&q.answer);
    end(&b);
}

static void test_faulty_resolvers(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        enum dns_result result;
    } cases[] = {
        {"", DNS_ANSWER},         {"timeout", DNS_TIMEOUT},         {"servfail", DNS_SERVFAIL},
        {"refused", DNS_REFUSED}, {"unreachable", DNS_UNREACHABLE}, {"wrong-id", DNS_TIMEOUT}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text;
        struct bench b;
        buf_init(&text, 4096);
        assert_int_equal(buf_addf(&text,
                                  BENCH_HEAD "me\n  resolver 192.0.2.53 latency 30ms %s\n"
                                             "zone example.org\n  @ A 192.0.2.1\n",
                                  cases[i].fault),
                         ST_OK);
        begin(&b, text.p);
        const struct dns_answer *a = ask(&b, "example.org", DNS_A);
        if (a->result != cases[i].result) {
            fail_msg("%s: %s", cases[i].fault, dns_result_name(a->result));
        }
        end(&b);
        buf_free(&text);
    }
}

/* A question as bytes: the answer repeats id, question and the case of its letters. */
static void test_bytes(void **state)
{
    (void)state;
    static const uint8_t query[] = {0x12, 0x34, 0x01, 0,   0,   1,   0,   0,   0,   0,
                                    0,    0,    7,    'E', 'x', 'a', 'm', 'p', 'L', 'e',
                                    3,    'o',  'r',  'g', 0,   0,   1,   0,   1};
    static const uint8_t wanted[] = {
        0x12, 0x34, 0x81, 0x80, 0,   1, 0, 1, 0, 0, 0,    0,    7,   'E', 'x', 'a', 'm', 'p', 'L',
        'e',  3,    'o',  'r',  'g', 0, 0, 1, 0, 1, 7,    'e',  'x', 'a', 'm', 'p', 'l', 'e', 3,
        'o',  'r',  'g',  0,    0,   1, 0, 1, 0, 0, 0x0e, 0x10, 0,   4,   192, 0,   2,   1};
    struct network *n =
        bench_open(BENCH_HEAD "zone example.org\n  @ A 192.0.2.1\n", PRACTICE_INSTANT, 0);
    struct net_address to = bench_address("192.0.2.53", 53);
    struct net_conn *c = NULL;
    uint8_t bytes[600];
    size_t got = 0;
    int sys = 0;
    assert_int_equal(n->ops->datagram(n, &to, NULL, &c, &sys), ST_OK);
    int64_t limit = net_now_us(n) + US_PER_S;
    assert_int_equal(net_write_all(n, c, query, sizeof(query), limit, NULL), ST_OK);
    assert_int_equal(net_read_some(n, c, bytes, sizeof(bytes), &got, limit, NULL), ST_OK);
    assert_int_equal(got, sizeof(wanted));
    assert_memory_equal(bytes, wanted, got);
    /* Cut at every byte: no answer, and no harm. */
    for (size_t len = 0; len < sizeof(query); len++) {
        assert_int_equal(net_write_all(n, c, query, len, limit, NULL), ST_OK);
    }
    assert_int_equal(net_read_some(n, c, bytes, sizeof(bytes), &got, limit, NULL), ST_TIMEOUT);
    /* A buffer that is too small gets the beginning, and is told. */
    limit = net_now_us(n) + US_PER_S;
    assert_int_equal(net_write_all(n, c, query, sizeof(query), limit, NULL), ST_OK);
    assert_int_equal(net_read_some(n, c, bytes, 10, &got, limit, NULL), ST_LIMIT);
    net_close(c);
    /* Nobody listens at another host's port 53, and other addresses do not exist. */
    to = bench_address("192.0.2.53", 54);
    assert_int_equal(n->ops->datagram(n, &to, NULL, &c, &sys), ST_OK);
    limit = net_now_us(n) + US_PER_S;
    assert_int_equal(net_write_all(n, c, query, sizeof(query), limit, NULL), ST_OK);
    assert_int_equal(net_read_some(n, c, bytes, sizeof(bytes), &got, limit, NULL), ST_REFUSED);
    assert_int_equal(c->sys, ECONNREFUSED);
    net_close(c);
    to = bench_address("208.67.222.222", 53);
    assert_int_equal(n->ops->datagram(n, &to, NULL, &c, &sys), ST_UNREACHABLE);
    assert_int_equal(sys, ENETUNREACH);
    net_network_close(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_what_answers_hold),
        cmocka_unit_test(test_dnssec),
        cmocka_unit_test(test_truncated_answers_come_by_tcp),
        cmocka_unit_test(test_resolvers_may_lie),
        cmocka_unit_test(test_faulty_resolvers),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
