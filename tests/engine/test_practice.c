#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "practice_bench.h"

static enum status dial(struct network *n, const char *address, uint16_t port, int limit_s,
                        int *sys, int64_t *took_us)
{
    struct net_conn *c = NULL;
    struct net_address to = bench_address(address, port);
    int64_t start = net_now_us(n);
    enum status st = net_dial(n, &to, NULL, start + limit_s * US_PER_S, NULL, &c, sys);
    *took_us = net_now_us(n) - start;
    assert_true((st == ST_OK) == (c != NULL));
    net_close(c);
    return st;
}

struct port_case {
    uint16_t port;
    enum status status;
    int sys;
    int64_t took_ms;
};

static void test_what_ports_do(void **state)
{
    (void)state;
    struct network *n = bench_open(BENCH_HEAD "host h.example\n  address 192.0.2.10\n"
                                              "  latency 40ms\n  port 25 s\n  port 26 refuse\n"
                                              "  port 27 drop\n  port 28 unreachable\n"
                                              "  port 29 reset\n  port 30 close\nserver s\n",
                                   PRACTICE_INSTANT, 0);
    static const struct port_case cases[] = {
        {25, ST_OK, 0, 40},
        {26, ST_REFUSED, ECONNREFUSED, 40},
        {27, ST_TIMEOUT, 0, 30000},
        {28, ST_UNREACHABLE, EHOSTUNREACH, 40},
        {29, ST_OK, 0, 40},
        {30, ST_OK, 0, 40},
        {99, ST_REFUSED, ECONNREFUSED, 40},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int sys = 0;
        int64_t took = 0;
        assert_int_equal(dial(n, "192.0.2.10", cases[i].port, 30, &sys, &took), cases[i].status);
        assert_int_equal(sys, cases[i].sys);
        assert_int_equal(took, cases[i].took_ms * US_PER_MS);
    }
    int sys = 0;
    int64_t took = 0;
    /* Without a limit of ours, the kernel's own comes. */
    assert_int_equal(dial(n, "192.0.2.10", 27, 3600, &sys, &took), ST_TIMEOUT);
    assert_int_equal(sys, ETIMEDOUT);
    assert_int_equal(took, 127 * US_PER_S);
    /* What the scenario does not know does not exist. */
    assert_int_equal(dial(n, "203.0.113.1", 25, 30, &sys, &took), ST_UNREACHABLE);
    assert_int_equal(took, 0);
    net_network_close(n);
}

static void test_reset_and_close_after_connecting(void **state)
{
    (void)state;
    struct network *n = bench_open(BENCH_HEAD "host h.example\n  address 192.0.2.10\n"
                                              "  port 29 reset\n  port 30 close\n",
                                   PRACTICE_INSTANT, 0);
    struct talk t;
    talk_begin(&t, n, "192.0.2.10", 29);
    assert_int_equal(talk_until_end(&t), ST_RESET);
    assert_int_equal(t.conn->sys, ECONNRESET);
    talk_end(&t);
    talk_begin(&t, n, "192.0.2.10", 30);
    assert_int_equal(talk_until_end(&t), ST_EOF);
    /* Whoever writes to a closed connection gets a reset. */
    talk_send(&t, "EHLO x\r\n");
    struct net_wait_item item = {.conn = t.conn, .want = NET_READ};
    enum status st = ST_EOF;
    for (int i = 0; i < 5 && st == ST_EOF; i++) {
        char byte;
        size_t got;
        assert_int_equal(net_wait(n, &item, 1, net_now_us(n) + US_PER_S, NULL, false), ST_OK);
        st = t.conn->ops->read(t.conn, &byte, 1, &got);
        assert_true(net_wait(n, NULL, 0, net_now_us(n) + 50 * US_PER_MS, NULL, false) ==
                    ST_TIMEOUT);
    }
    assert_int_equal(st, ST_RESET);
    talk_end(&t);
    net_network_close(n);
}

static void test_addresses_of_our_own(void **state)
{
    (void)state;
    struct network *n = bench_open(BENCH_HEAD "me\n  name desk\n  address 198.51.100.7\n"
                                              "  resolver 192.0.2.54\n  resolver 192.0.2.53\n"
                                              "host h.example\n  address 192.0.2.10\n"
                                              "  address 2001:db8::1\n  port 25 s\nserver s\n",
                                   PRACTICE_INSTANT, 0);
    struct net_address a[4];
    struct net_address from;
    struct net_conn *c = NULL;
    char text[NET_ADDRESS_TEXT];
    int sys = 0;
    assert_int_equal(n->ops->resolvers(n, a, ARRAY_LEN(a)), 2);
    net_address_format_port(&a[0], text, sizeof(text));
    assert_string_equal(text, "192.0.2.54:53");
    n->ops->host_name(n, text, sizeof(text));
    assert_string_equal(text, "desk");
    struct net_address to = bench_address("192.0.2.10", 25);
    assert_int_equal(n->ops->source_for(n, &to, &from), ST_OK);
    net_address_format(&from, text, sizeof(text));
    assert_string_equal(text, "198.51.100.7");
    assert_int_equal(n->ops->connect(n, &to, &from, &c, &sys), ST_OK);
    assert_true(net_address_same_host(&c->local, &from));
    assert_true(c->local.port != 0);
    net_close(c);
    /* An address of somebody else, and a family that this machine does not have. */
    struct net_address other = bench_address("198.51.100.8", 0);
    assert_int_equal(n->ops->connect(n, &to, &other, &c, &sys), ST_INVALID);
    to = bench_address("2001:db8::1", 25);
    assert_int_equal(n->ops->source_for(n, &to, &from), ST_UNREACHABLE);
    assert_int_equal(n->ops->connect(n, &to, NULL, &c, &sys), ST_UNREACHABLE);
    assert_int_equal(sys, ENETUNREACH);
    net_network_close(n);
}

static void test_clock_is_the_scenarios(void **state)
{
    (void)state;
    char text[32];
    struct network *n = bench_open(BENCH_HEAD "clock 2030-01-02T03:04:05Z\n", PRACTICE_INSTANT, 0);
    clock_iso8601(net_wall_us(n), text, sizeof(text));
    assert_string_equal(text, "2030-01-02T03:04:05Z");
    int64_t start = net_now_us(n);
    assert_int_equal(net_wait(n, NULL, 0, start + 90 * US_PER_S, NULL, false), ST_TIMEOUT);
    assert_int_equal(net_now_us(n), start + 90 * US_PER_S);
    clock_iso8601(net_wall_us(n), text, sizeof(text));
    assert_string_equal(text, "2030-01-02T03:05:35Z");
    net_network_close(n);
}

/* Everything that crosses the wire in one session, with the time of each piece. */
static void record_session(const char *text, enum practice_pace pace, uint64_t seed,
                           struct buf *out)
{
    struct network *n = bench_open(text, pace, seed);
    struct talk t;
    char random[16];
    static const char *const commands[] = {"EHLO a.example",           "MAIL FROM:<a@b.example>",
                                           "RCPT TO:<x@example.org>",  "DATA",
                                           "Subject: x\r\n\r\ny\r\n.", "QUIT"};
    talk_begin(&t, n, "192.0.2.10", 25);
    net_random(n, random, sizeof(random));
    assert_int_equal(buf_add(out, random, sizeof(random)), ST_OK);
    talk_line(&t);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        assert_int_equal(buf_addf(out, "%lld %s\n", (long long)net_now_us(n), t.line), ST_OK);
        talk_command(&t, commands[i]);
    }
    assert_int_equal(buf_add_str(out, t.line), ST_OK);
    talk_end(&t);
    net_network_close(n);
}

static void test_same_seed_same_bytes(void **state)
{
    (void)state;
    struct buf a, b, c, d;
    buf_init(&a, 65536);
    buf_init(&b, 65536);
    buf_init(&c, 65536);
    buf_init(&d, 65536);
    static const char text[] = BENCH_HOST "  think 3ms\n";
    record_session(text, PRACTICE_INSTANT, 5, &a);
    record_session(text, PRACTICE_INSTANT, 5, &b);
    record_session(text, PRACTICE_INSTANT, 6, &c);
    record_session(text, PRACTICE_PACED, 5, &d);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.p, b.p, a.len);
    assert_int_equal(a.len, c.len);
    assert_memory_not_equal(a.p, c.p, a.len); /* the queue id, among others */
    assert_int_equal(a.len, d.len);
    assert_memory_equal(a.p, d.p, a.len); /* the times as well */
    buf_free(&a);
    buf_free(&b);
    buf_free(&c);
    buf_free(&d);
}

struct caller {
    struct cancel *cancel;
    enum cancel_level level; /* CANCEL_NONE: only wakes */
};

static void *call(void *arg)
{
    struct caller *c = arg;
    if (c->level == CANCEL_NONE) {
        cancel_wake(c->cancel);
    } else {
        cancel_request(c->cancel, c->level);
    }
    return NULL;
}

/* Waits for a banner that never comes, while another thread calls. */
static enum status wait_while_called(enum practice_pace pace, int64_t limit_us,
                                     enum cancel_level level, bool until_wake)
{
    struct network *n = bench_open(BENCH_HOST "  on connect: stall\n", pace, 0);
    struct cancel cancel;
    pthread_t thread;
    struct talk t;
    assert_int_equal(cancel_init(&cancel), ST_OK);
    struct caller caller = {&cancel, level};
    talk_begin(&t, n, "192.0.2.10", 25);
    assert_int_equal(pthread_create(&thread, NULL, call, &caller), 0);
    struct net_wait_item item = {.conn = t.conn, .want = NET_READ};
    int64_t deadline = limit_us == NO_DEADLINE ? NO_DEADLINE : net_now_us(n) + limit_us;
    enum status st = net_wait(n, &item, 1, deadline, &cancel, until_wake);
    assert_int_equal(pthread_join(thread, NULL), 0);
    talk_end(&t);
    cancel_fini(&cancel);
    net_network_close(n);
    return st;
}

/* A minute each, unless the token is honoured: the test would run into its own limit. */
static void test_cancel_cuts_a_paced_wait(void **state)
{
    (void)state;
    int64_t hour = 3600 * US_PER_S;
    assert_int_equal(wait_while_called(PRACTICE_PACED, hour, CANCEL_POLITE, false), ST_CANCELLED);
    assert_int_equal(wait_while_called(PRACTICE_PACED, hour, CANCEL_HARD, true), ST_CANCELLED);
    assert_int_equal(wait_while_called(PRACTICE_PACED, hour, CANCEL_NONE, true), ST_AGAIN);
    assert_int_equal(wait_while_called(PRACTICE_PACED, NO_DEADLINE, CANCEL_NONE, true), ST_AGAIN);
    assert_int_equal(wait_while_called(PRACTICE_PACED, NO_DEADLINE, CANCEL_HARD, false),
                     ST_CANCELLED);
}

/* Where nothing is due, the instant network blocks as well, so that an idle program does not spin.
 */
static void test_instant_wait_without_end_blocks(void **state)
{
    (void)state;
    assert_int_equal(wait_while_called(PRACTICE_INSTANT, NO_DEADLINE, CANCEL_NONE, true), ST_AGAIN);
    assert_int_equal(wait_while_called(PRACTICE_INSTANT, NO_DEADLINE, CANCEL_POLITE, false),
                     ST_CANCELLED);
}

static void test_raised_token_returns_at_once(void **state)
{
    (void)state;
    struct network *n = bench_open(BENCH_HOST, PRACTICE_INSTANT, 0);
    struct cancel cancel;
    struct talk t;
    assert_int_equal(cancel_init(&cancel), ST_OK);
    talk_begin(&t, n, "192.0.2.10", 25);
    int64_t before = net_now_us(n);
    struct net_wait_item item = {.conn = t.conn, .want = NET_READ};
    cancel_wake(&cancel);
    assert_int_equal(net_wait(n, &item, 1, before + US_PER_S, &cancel, true), ST_AGAIN);
    assert_int_equal(net_now_us(n), before);
    cancel_request(&cancel, CANCEL_POLITE);
    assert_int_equal(net_wait(n, &item, 1, before + US_PER_S, &cancel, false), ST_CANCELLED);
    cancel_ack(&cancel, CANCEL_POLITE);
    /* Wakes that nobody waits for are swallowed, and the banner comes. */
    cancel_wake(&cancel);
    assert_int_equal(net_wait(n, &item, 1, before + US_PER_S, &cancel, false), ST_OK);
    assert_int_equal(net_now_us(n), before + 20 * US_PER_MS);
    talk_end(&t);
    cancel_fini(&cancel);
    net_network_close(n);
}

static void test_path_cuts_after_n_octets(void **state)
{
    (void)state;
    static const struct {
        const char *how;
        enum status end;
    } cases[] = {{"reset-at", ST_RESET}, {"close-at", ST_EOF}, {"stall-at", ST_TIMEOUT}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text;
        struct talk t;
        buf_init(&text, 4096);
        assert_int_equal(buf_addf(&text,
                                  BENCH_HEAD "host h.example\n  address 192.0.2.10\n"
                                             "  port 25 s %s 6\nserver s\n",
                                  cases[i].how),
                         ST_OK);
        struct network *n = bench_open(text.p, PRACTICE_INSTANT, 0);
        talk_begin(&t, n, "192.0.2.10", 25);
        char bytes[64];
        size_t got = 0;
        int64_t limit = net_now_us(n) + 60 * US_PER_S;
        assert_int_equal(net_read_some(n, t.conn, bytes, sizeof(bytes), &got, limit, NULL), ST_OK);
        assert_int_equal(got, 6);
        assert_memory_equal(bytes, "220 h.", 6);
        assert_int_equal(net_read_some(n, t.conn, bytes, sizeof(bytes), &got, limit, NULL),
                         cases[i].end);
        talk_end(&t);
        net_network_close(n);
        buf_free(&text);
    }
}

/* A server that reads nothing more: the window fills, and the client has to wait. */
static void test_window_fills(void **state)
{
    (void)state;
    struct network *n =
        bench_open(BENCH_HOST "  on connect: default, stall\n", PRACTICE_INSTANT, 0);
    struct talk t;
    char bytes[8192] = {0};
    size_t total = 0;
    talk_begin(&t, n, "192.0.2.10", 25);
    talk_line(&t);
    enum status st;
    do {
        size_t put = 0;
        st = t.conn->ops->write(t.conn, bytes, sizeof(bytes), &put);
        total += put;
    } while (st == ST_OK && total < (1u << 20));
    assert_int_equal(st, ST_AGAIN);
    assert_true(total < (1u << 20));
    struct net_wait_item item = {.conn = t.conn, .want = NET_WRITE};
    assert_int_equal(net_wait(n, &item, 1, net_now_us(n) + 9 * US_PER_S, NULL, false), ST_TIMEOUT);
    talk_end(&t);
    net_network_close(n);
}

/* Every server of every scenario can be talked to and left, whatever it does. */
static void test_every_scenario_answers(void **state)
{
    (void)state;
    char **names = NULL;
    struct error error = {0};
    static const uint16_t ports[] = {25, 465, 587};
    static const char *const addresses[] = {"192.0.2.10", "192.0.2.30", "2001:db8:2::20"};
    assert_int_equal(practice_names(NULL, &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        struct network *n = NULL;
        struct practice_options options = {.pace = PRACTICE_INSTANT};
        assert_int_equal(practice_open(NULL, *name, &options, &n, NULL, &error), ST_OK);
        for (size_t i = 0; i < ARRAY_LEN(ports) * ARRAY_LEN(addresses); i++) {
            struct net_address to =
                bench_address(addresses[i % ARRAY_LEN(addresses)], ports[i / ARRAY_LEN(addresses)]);
            struct net_conn *c = NULL;
            int sys = 0;
            int64_t limit = net_now_us(n) + 100 * US_PER_S;
            if (net_dial(n, &to, NULL, limit, NULL, &c, &sys) != ST_OK) {
                continue;
            }
            static const char all[] = "EHLO a.example\r\nMAIL FROM:<a@b.example>\r\n"
                                      "RCPT TO:<x@example.org>\r\nRSET\r\nQUIT\r\n";
            char bytes[512];
            size_t got = 0;
            size_t total = 0;
            /* A port that closes at once may not take it all. */
            enum status st = net_write_all(n, c, all, sizeof(all) - 1, limit, NULL);
            assert_true(st == ST_OK || st == ST_RESET);
            while (net_read_some(n, c, bytes, sizeof(bytes), &got, limit, NULL) == ST_OK &&
                   total < (1u << 22)) {
                total += got;
            }
            assert_true(total < (1u << 22));
            net_close(c);
        }
        net_network_close(n);
    }
    practice_names_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_ports_do),
        cmocka_unit_test(test_reset_and_close_after_connecting),
        cmocka_unit_test(test_addresses_of_our_own),
        cmocka_unit_test(test_clock_is_the_scenarios),
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_cancel_cuts_a_paced_wait),
        cmocka_unit_test(test_instant_wait_without_end_blocks),
        cmocka_unit_test(test_raised_token_returns_at_once),
        cmocka_unit_test(test_path_cuts_after_n_octets),
        cmocka_unit_test(test_window_fills),
        cmocka_unit_test(test_every_scenario_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
