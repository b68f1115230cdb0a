#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "serve_bench.h"

#define HEAD "title T\ntarget example.org\nzone example.org\n  @ MX 10 mx1\n"
#define HOST                                                                                       \
    HEAD                                                                                           \
        "host mx1.example.org\n  address 192.0.2.10\n  latency 2ms\n  port 25 s\n  port 27 drop\n" \
        "  port 28 reset\n  port 29 close\n  port 465 s tls\nserver s\n  local example.org\n"

/* What no client sends unless it is taken from it. */
#define PLENTY ((size_t)64 << 20)

static void test_clients_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct serve_bench b;
    struct call one, two;
    serve_begin(&b, HOST "  on VRFY: stall\n", PRACTICE_PACED);
    assert_string_equal(practice_serve_offer(b.server)->host, "mx1.example.org");
    call_begin(&one, &b);
    call_begin(&two, &b);
    assert_int_equal(call_reply(&two), 220);
    assert_string_equal(two.line, "220 mx1.example.org ESMTP Postfix");
    assert_int_equal(call_reply(&one), 220);
    assert_int_equal(call_command(&one, "EHLO one.example"), 250);
    assert_int_equal(call_command(&two, "EHLO two.example"), 250);
    assert_int_equal(call_command(&one, "MAIL FROM:<a@b.example>"), 250);
    call_send(&one, "VRFY x\r\nNOOP\r\n");
    assert_int_equal(call_command(&two, "RCPT TO:<x@example.org>"), 503);
    assert_int_equal(call_command(&two, "QUIT"), 221);
    assert_int_equal(call_until_end(&two), 0);
    assert_false(call_hears(&one, 50));
    call_end(&two);
    serve_stop(&b);
    call_end(&one);
    assert_true(serve_told(&b, "1 connected"));
    assert_true(serve_told(&b, "1 C: VRFY x"));
    assert_false(serve_told(&b, "1 C: NOOP"));
    assert_true(serve_told(&b, "1 stopped"));
    assert_true(serve_told(&b, "2 C: RCPT TO:<x@example.org>"));
    assert_true(serve_told(&b, "2 closed by the server"));
    serve_close(&b);
}

static void test_rules_count_over_connections(void **state)
{
    (void)state;
    static const int codes[] = {451, 451, 250, 250};
    struct serve_bench b;
    struct call c;
    serve_begin(&b, HOST "  on RCPT first 2: reply \"451 4.7.1 Greylisted ({n}), {client}\"\n",
                PRACTICE_INSTANT);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        call_begin(&c, &b);
        assert_int_equal(call_reply(&c), 220);
        assert_int_equal(call_command(&c, "EHLO a.example"), 250);
        assert_int_equal(call_command(&c, "MAIL FROM:<a@b.example>"), 250);
        assert_int_equal(call_command(&c, "RCPT TO:<x@example.org>"), codes[i]);
        if (i == 1) {
            /* Servers see the address of the scenario, not the one of the socket. */
            assert_string_equal(c.line, "451 4.7.1 Greylisted (2), 198.51.100.7");
        }
        call_end(&c);
    }
    serve_close(&b);
}

static void test_ends_and_resets(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        const char *command; /* after the greeting; NULL: it does not come so far */
        int end;
        const char *told;
    } cases[] = {
        {"  on connect: close\n", NULL, 0, "1 closed by the server"},
        {"  on connect: reset\n", NULL, ECONNRESET, "1 reset by the server"},
        {"  on NOOP: close\n", "NOOP\r\n", 0, "1 closed by the server"},
        {"  on NOOP: reset\n", "NOOP\r\n", ECONNRESET, "1 reset by the server"},
        {"  on NOOP: reply \"250 last\", reset\n", "NOOP\r\n", ECONNRESET, "1 reset by the server"},
        {"  on QUIT: reply \"421 gone\"\n", "QUIT\r\n", 0, "1 closed by the server"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct serve_bench b;
        struct call c;
        char scenario[1024];
        snprintf(scenario, sizeof(scenario), "%s%s", HOST, cases[i].rules);
        serve_begin(&b, scenario, PRACTICE_PACED);
        call_begin(&c, &b);
        if (cases[i].command != NULL) {
            assert_int_equal(call_reply(&c), 220);
            call_send(&c, cases[i].command);
        }
        assert_int_equal(call_until_end(&c), cases[i].end);
        call_end(&c);
        serve_stop(&b);
        assert_true(serve_told(&b, cases[i].told));
        serve_close(&b);
    }
}

static void test_ports_that_reset_or_close(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        int end;
    } cases[] = {{28, ECONNRESET}, {29, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct serve_wish wish = {.host = "mx1.example.org", .port = cases[i].port};
        struct serve_bench b;
        struct call c;
        assert_true(net_address_parse("127.0.0.1", &wish.listen));
        serve_begin_at(&b, HOST, PRACTICE_PACED, &wish);
        call_begin(&c, &b);
        assert_int_equal(call_until_end(&c), cases[i].end);
        call_end(&c);
        serve_close(&b);
    }
}

static void test_a_connection_that_breaks_inside_a_reply(void **state)
{
    (void)state;
    static const char *const cuts[] = {"close-at", "reset-at"};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        char scenario[512];
        struct serve_bench b;
        struct call c;
        snprintf(scenario, sizeof(scenario),
                 HEAD "host mx1.example.org\n  address 192.0.2.10\n  latency 2ms\n"
                      "  port 25 s %s 10\nserver s\n",
                 cuts[i]);
        serve_begin(&b, scenario, PRACTICE_PACED);
        call_begin(&c, &b);
        while (c.len < 10) {
            assert_true(call_hears(&c, 60000));
            ssize_t n = recv(c.fd, c.in + c.len, sizeof(c.in) - c.len, 0);
            assert_true(n > 0);
            c.len += (size_t)n;
        }
        assert_memory_equal(c.in, "220 mx1.ex", 10);
        assert_int_equal(call_until_end(&c), i == 0 ? 0 : ECONNRESET);
        call_end(&c);
        serve_close(&b);
    }
}

/* The client's end is no reason to leave answers out. */
static void test_half_close(void **state)
{
    (void)state;
    struct serve_bench b;
    struct call c;
    serve_begin(&b, HOST, PRACTICE_PACED);
    call_begin(&c, &b);
    call_send(&c, "EHLO a.example\r\nNOOP\r\nVRFY x\r\n");
    assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
    assert_int_equal(call_reply(&c), 220);
    assert_int_equal(call_reply(&c), 250);
    assert_int_equal(call_reply(&c), 250);
    assert_int_equal(call_reply(&c), 252);
    assert_int_equal(call_until_end(&c), 0);
    call_end(&c);
    serve_stop(&b);
    assert_true(serve_told(&b, "1 closed by the client"));
    serve_close(&b);
}

/* Bytes behind the server's end are answered as by any host: with a reset. */
static void test_writing_to_a_server_that_closed(void **state)
{
    (void)state;
    struct serve_bench b;
    struct call c;
    int sys = 0;
    socklen_t len = sizeof(sys);
    serve_begin(&b, HOST "  on connect: reply \"421 no\"\n", PRACTICE_PACED);
    call_begin(&c, &b);
    assert_int_equal(call_until_end(&c), 0);
    call_send(&c, "NOOP\r\n");
    struct pollfd fd = {.fd = c.fd, .events = 0};
    assert_int_equal(poll(&fd, 1, 120000), 1); /* only an error can wake it */
    assert_int_equal(getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &sys, &len), 0);
    assert_int_equal(sys, EPIPE); /* what a reset is called behind an end */
    call_end(&c);
    serve_close(&b);
}

/* Sends `piece` again and again without reading, until nobody takes it any more. */
static size_t push(const struct call *c, const char *piece)
{
    size_t sent = 0;
    size_t len = strlen(piece);
    struct pollfd fd = {.fd = c->fd, .events = POLLOUT};
    while (sent < PLENTY && poll(&fd, 1, 1000) == 1 && (fd.revents & POLLERR) == 0) {
        ssize_t n = send(c->fd, piece, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN) {
            break;
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    return sent;
}

/* A server that takes nothing any more makes the client wait, and not us run out of memory; the
 * same when the client does not take the answers. */
static void test_back_pressure(void **state)
{
    (void)state;
    static const char *const rules[] = {"  on VRFY: stall\n", ""};
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        char scenario[1024];
        char piece[6000] = "";
        struct serve_bench b;
        struct call c;
        snprintf(scenario, sizeof(scenario), "%s%s", HOST, rules[i]);
        for (size_t k = 0; k < 1000; k++) {
            memcpy(piece + 6 * k, "NOOP\r\n", 6 - (k == 999));
        }
        serve_begin(&b, scenario, PRACTICE_PACED);
        call_begin(&c, &b);
        assert_int_equal(call_reply(&c), 220);
        call_send(&c, "VRFY x\r\n");
        assert_true(push(&c, piece) < PLENTY);
        /* The others are served meanwhile. */
        struct call other;
        call_begin(&other, &b);
        assert_int_equal(call_reply(&other), 220);
        call_end(&other);
        call_end(&c);
        serve_close(&b);
    }
}

/* And what a server says goes on when its client reads again. */
static void test_a_slow_reader_gets_all(void **state)
{
    (void)state;
    enum { LINES = 100000 };
    struct serve_bench b;
    struct call c;
    serve_begin(&b, HOST "  on HELP: repeat 100000 \"214-line {n}\", reply \"214 over\"\n",
                PRACTICE_PACED);
    call_begin(&c, &b);
    assert_int_equal(call_reply(&c), 220);
    call_send(&c, "HELP\r\n");
    assert_true(call_hears(&c, 60000));
    poll(NULL, 0, 200); /* time for all buffers to fill */
    assert_int_equal(call_reply(&c), 214);
    assert_string_equal(c.line, "214 over");
    assert_int_equal(call_command(&c, "NOOP"), 250);
    call_end(&c);
    serve_close(&b);
}

static void test_a_client_that_resets(void **state)
{
    (void)state;
    struct serve_bench b;
    struct call c;
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    serve_begin(&b, HOST "  on VRFY: stall\n", PRACTICE_PACED);
    call_begin(&c, &b);
    assert_int_equal(call_reply(&c), 220);
    assert_int_equal(call_command(&c, "NOOP"), 250);
    assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    call_end(&c);
    /* Whoever comes later finds all in order. */
    call_begin(&c, &b);
    assert_int_equal(call_reply(&c), 220);
    call_end(&c);
    serve_stop(&b);
    assert_true(serve_told(&b, "1 reset by the client"));
    serve_close(&b);
}

static void test_secrets_are_not_told(void **state)
{
    (void)state;
    static const char *const told[] = {
        "1 C: EHLO a.example", "1 C: AUTH PLAIN <hidden>", "1 C: AUTH LOGIN",
        "1 C: <hidden>",       "1 C: AUTH <hidden>",       "1 C: NOOP",
    };
    struct serve_bench b;
    struct call c;
    serve_begin(&b, HOST "  offer AUTH PLAIN LOGIN\n  user anna geheim\n", PRACTICE_INSTANT);
    call_begin(&c, &b);
    assert_int_equal(call_reply(&c), 220);
    assert_int_equal(call_command(&c, "EHLO a.example"), 250);
    assert_int_equal(call_command(&c, "AUTH PLAIN AGFubmEAd3Jvbmc="), 535);
    assert_int_equal(call_command(&c, "AUTH LOGIN"), 334);
    assert_int_equal(call_command(&c, "YW5uYQ=="), 334);
    assert_int_equal(call_command(&c, "d3Jvbmc="), 535);
    assert_int_equal(call_command(&c, "AUTH CRAM-MD5"), 504);
    assert_int_equal(call_command(&c, "d3Jvbmc="), 500); /* to a server that did not ask */
    assert_int_equal(call_command(&c, "AUTH AGFubmEAd3Jvbmc="), 504);
    assert_int_equal(call_command(&c, "AUTH\tPLAIN AGFubmEAd3Jvbmc="), 500);
    assert_int_equal(call_command(&c, " auth plain AGFubmEAd3Jvbmc="), 500);
    assert_int_equal(call_command(&c, "AUTH=AGFubmEAd3Jvbmc="), 500);
    assert_int_equal(call_command(&c, "NOOP"), 250);
    call_end(&c);
    serve_stop(&b);
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        if (!serve_told(&b, told[i])) {
            fail_msg("%s is not in\n%s", told[i], buf_str(&b.told));
        }
    }
    assert_null(strstr(buf_str(&b.told), "3Jvbmc"));
    assert_null(strstr(buf_str(&b.told), "YW5uYQ"));
    serve_close(&b);
}

static void test_time(void **state)
{
    (void)state;
    struct serve_bench b;
    struct call c;
    serve_begin(&b,
                HEAD "host mx1.example.org\n  address 192.0.2.10\n  latency 80ms\n  port 25 s\n"
                     "server s\n",
                PRACTICE_PACED);
    int64_t start = clock_monotonic_us();
    call_begin(&c, &b);
    assert_int_equal(call_reply(&c), 220);
    /* Connecting takes one round trip in the scenario, and the greeting comes one later. */
    assert_true(clock_monotonic_us() - start >= 160 * US_PER_MS);
    start = clock_monotonic_us();
    assert_int_equal(call_command(&c, "NOOP"), 250);
    assert_true(clock_monotonic_us() - start >= 80 * US_PER_MS);
    call_end(&c);
    serve_close(&b);

    /* What a server waits for is jumped over, its patience with the client is not. */
    serve_begin(&b,
                HOST "  on connect: wait 2h, default\n  on idle 1h: reply \"421 too slow\", close\n"
                     "  on NOOP: wait 3h, default\n",
                PRACTICE_INSTANT);
    call_begin(&c, &b);
    assert_int_equal(call_reply(&c), 220);
    assert_false(call_hears(&c, 300));
    assert_int_equal(call_command(&c, "NOOP"), 250);
    call_end(&c);
    serve_close(&b);
}

static void test_more_clients_than_places(void **state)
{
    (void)state;
    static struct call calls[SERVE_CLIENTS_MAX + 1];
    struct call *last = &calls[SERVE_CLIENTS_MAX];
    struct serve_bench b;
    serve_begin(&b, HOST, PRACTICE_INSTANT);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        call_begin(&calls[i], &b);
    }
    for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++) {
        assert_int_equal(call_reply(&calls[i]), 220);
    }
    assert_false(call_hears(last, 100));
    assert_int_equal(call_command(&calls[7], "QUIT"), 221);
    call_end(&calls[7]);
    assert_int_equal(call_reply(last), 220);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        if (i != 7) {
            call_end(&calls[i]);
        }
    }
    serve_close(&b);
}

static enum status try_open(const char *scenario, const struct serve_wish *wish,
                            struct practice_serve **server, struct network **net,
                            struct error *error)
{
    const struct practice_options options = {.pace = PRACTICE_PACED};
    assert_int_equal(
        practice_open_text("bench.txt", scenario, strlen(scenario), &options, net, NULL, error),
        ST_OK);
    return practice_serve_open(*net, wish, server, error);
}

static void test_what_is_offered(void **state)
{
    (void)state;
    static const char scenario[] =
        HEAD "  @ MX 20 alias\n  alias CNAME mx2\n  plain A 192.0.2.30\n"
             "host mx1.example.org\n  address 192.0.2.10\n  port 25 drop\n  port 587 refuse\n"
             "  port 26 unreachable\n"
             "host mx2.example.org\n  address 192.0.2.20 2001:db8:2::20\n  port 25 s\n"
             "  port 465 s tls\n"
             "host other.example.net\n  address 192.0.2.30\n  hidden\n  port 2525 s\n"
             "server s\n";
    static const struct {
        const char *domain, *host;
        uint16_t port;
        const char *expect; /* address and port, or a piece of the sentence */
    } cases[] = {
        {"example.org", NULL, 25, "192.0.2.20:25"}, /* the first that has a server */
        {"example.org", NULL, 465, "192.0.2.20:465"},
        {"plain.example.org", NULL, 2525, "192.0.2.30:2525"}, /* no MX: its own address */
        {NULL, "mx2.example.org", 0, "192.0.2.20:25"},
        {NULL, "alias.example.org", 0, "192.0.2.20:25"},
        {NULL, "2001:db8:2::20", 465, "[2001:db8:2::20]:465"},
        {NULL, "other.example.net", 0, "192.0.2.30:2525"}, /* the only port that it has */
        {NULL, "mx1.example.org", 25,
         "Port 25 of mx1.example.org drops all packets, which an open socket cannot. The scenario "
         "has: mx2.example.org:25, mx2.example.org:465, other.example.net:2525."},
        {NULL, "mx1.example.org", 26, "unreachable"},
        {NULL, "mx1.example.org", 587, "refuses connections"},
        {NULL, "mx1.example.org", 99, "refuses connections"},
        {"example.org", NULL, 99, "Port 99 of mx1.example.org"},
        {"nowhere.example", NULL, 25, "nowhere.example leads to no server"},
        {NULL, "bad\x1bname..", 25, "leads to no server"},
        {NULL, "192.0.2.99", 25, "192.0.2.99 leads to no server"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct serve_wish wish = {
            .domain = cases[i].domain, .host = cases[i].host, .port = cases[i].port};
        struct practice_serve *server = NULL;
        struct network *net = NULL;
        struct error error = {.text = ""};
        char text[NET_ADDRESS_TEXT];
        assert_true(net_address_parse("127.0.0.1", &wish.listen));
        enum status st = try_open(scenario, &wish, &server, &net, &error);
        if (st == ST_OK) {
            net_address_format_port(&practice_serve_offer(server)->address, text, sizeof(text));
            assert_string_equal(text, cases[i].expect);
        } else if (strstr(error.text, cases[i].expect) == NULL) {
            fail_msg("case %zu: %s", i, error.text);
        }
        practice_serve_close(server);
        net_network_close(net);
    }
}

static void test_addresses_that_cannot_be_used(void **state)
{
    (void)state;
    struct serve_wish wish = {.domain = "example.org", .port = 25};
    struct practice_serve *first = NULL, *second = NULL;
    struct network *net = NULL, *other = NULL;
    struct error error = {.text = ""};
    assert_true(net_address_parse("127.0.0.1", &wish.listen));
    assert_int_equal(try_open(HOST, &wish, &first, &net, &error), ST_OK);
    wish.listen.port = practice_serve_offer(first)->listen.port;
    assert_int_equal(try_open(HOST, &wish, &second, &other, &error), ST_IO);
    assert_null(second);
    assert_non_null(strstr(error.text, "Another program uses 127.0.0.1:"));
    net_network_close(other);
    practice_serve_close(first);
    net_network_close(net);
    assert_true(net_address_parse("192.0.2.77", &wish.listen));
    assert_int_equal(try_open(HOST, &wish, &first, &net, &error), ST_IO);
    assert_string_equal(error.text, "This machine does not have the address 192.0.2.77.");
    net_network_close(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients_do_not_wait_for_each_other),
        cmocka_unit_test(test_rules_count_over_connections),
        cmocka_unit_test(test_ends_and_resets),
        cmocka_unit_test(test_ports_that_reset_or_close),
        cmocka_unit_test(test_a_connection_that_breaks_inside_a_reply),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_writing_to_a_server_that_closed),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_a_slow_reader_gets_all),
        cmocka_unit_test(test_a_client_that_resets),
        cmocka_unit_test(test_secrets_are_not_told),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_more_clients_than_places),
        cmocka_unit_test(test_what_is_offered),
        cmocka_unit_test(test_addresses_that_cannot_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
