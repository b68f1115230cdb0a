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
#define ZONE "zone office.example\n  desk A 198.51.100.7\nzone example.org\n  @ MX 10 mx1\n"
#define HOST(port) "host mx1.example.org\n  address 192.0.2.10\n  latency 20ms\n  " port "\n"
#define SERVER "server mx\n  local example.org\n"

/* The steps up to `last`, as the run takes them. */
static void run_to(struct world *w, enum check_id last)
{
    for (int i = 0; i <= (int)last; i++) {
        world_step(w, (enum check_id)i);
    }
}

static struct world *connect_to(const char *scenario, const char *target)
{
    struct world *w = world_open(scenario, target);
    run_to(w, CHECK_CONNECT);
    return w;
}

static void test_connected(void **state)
{
    (void)state;
    struct world *w = connect_to(ME ZONE HOST("port 25 mx") SERVER, "example.org");
    world_expect(w, CHECK_CONNECT, VERDICT_OK, "net.connect.ok");
    world_arg(w, "net.connect.ok", "local", "198.51.100.7");
    world_arg(w, "net.connect.ok", "port", "25");
    assert_int_equal(w->c.smtp.state, SMTP_CONNECTED);
    assert_int_equal(w->c.facts.path, 1);
    assert_true(w->c.facts.connected);
    assert_string_equal(w->c.facts.mx, "mx1.example.org");
    assert_string_equal(w->c.facts.ptr, "mx1.example.org");
    assert_string_equal(w->c.tls_name, "mx1.example.org");
    assert_int_equal(w->c.facts.timings[TIMING_CONNECT].length_us, 20000);
    assert_true(w->c.facts.timings[TIMING_MX].start_us >= 0);
    world_close(w);
}

static void test_connect_failures(void **state)
{
    (void)state;
    static const struct {
        const char *port, *ids;
        enum verdict verdict;
    } cases[] = {
        {"port 25 refuse", "net.connect.refused", VERDICT_FAIL},
        {"port 25 drop", "net.connect.timeout", VERDICT_FAIL},
        {"port 25 reset", "net.connect.reset", VERDICT_FAIL},
        {"port 25 unreachable", "net.connect.unreachable", VERDICT_FAIL},
        {"port 25 aborted", "net.connect.reset", VERDICT_FAIL},
        {"port 25 denied", "net.connect.denied", VERDICT_INCONCLUSIVE},
        {"port 25 exhausted", "net.connect.failed", VERDICT_INCONCLUSIVE},
        {"port 25 drop\n  port 587 mx", "net.connect.blocked_here", VERDICT_FAIL},
        {"port 25 drop\n  port 465 mx", "net.connect.blocked_here", VERDICT_FAIL},
        {"port 25 drop\n  port 587 drop\n  port 465 drop", "net.connect.timeout", VERDICT_FAIL},
        {"port 25 refuse\n  port 587 mx", "net.connect.refused", VERDICT_FAIL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char scenario[2048];
        snprintf(scenario, sizeof(scenario), ME ZONE HOST("%s") SERVER, cases[i].port);
        struct world *w = connect_to(scenario, "example.org");
        /* A reset can also come with the first byte, where the banner is awaited. */
        if (strcmp(cases[i].port, "port 25 reset") == 0 &&
            w->c.results[CHECK_CONNECT] == VERDICT_OK) {
            world_step(w, CHECK_BANNER);
            world_expect(w, CHECK_BANNER, VERDICT_FAIL, "smtp.banner.closed");
        } else {
            world_expect(w, CHECK_CONNECT, cases[i].verdict, cases[i].ids);
        }
        world_close(w);
    }
}

static void test_blocked_names_the_other_port(void **state)
{
    (void)state;
    struct world *w = connect_to(ME ZONE HOST("port 25 drop\n  port 587 mx") SERVER, "example.org");
    world_arg(w, "net.connect.blocked_here", "other", "587");
    world_arg(w, "net.connect.blocked_here", "port", "25");
    assert_int_equal(w->c.smtp.state, SMTP_CLOSED);
    /* The control says nothing and is closed at once. */
    assert_false(world_log_has(w, "EHLO"));
    world_close(w);

    /* No other port is tried when the user asked for this one. */
    w = connect_to(ME ZONE HOST("port 2525 drop\n  port 587 mx") SERVER, "mx1.example.org:2525");
    world_expect(w, CHECK_CONNECT, VERDICT_FAIL, "net.connect.timeout");
    world_close(w);
}

#define TWO                                                                                        \
    ME "zone example.org\n  @ MX 10 mx1\n  @ MX 20 mx2\n"                                          \
       "host mx1.example.org\n  address 192.0.2.10\n  port 25 drop\n"                              \
       "host mx2.example.org\n  address 192.0.2.20\n  port 25 mx\n" SERVER

static void test_next_host(void **state)
{
    (void)state;
    struct world *w = connect_to(TWO, "example.org");
    world_expect(w, CHECK_CONNECT, VERDICT_WARN, "net.connect.fallback");
    world_arg(w, "net.connect.fallback", "host", "mx2.example.org");
    world_arg(w, "net.connect.fallback", "failed", "192.0.2.10");
    assert_int_equal(w->paths, 2);
    assert_int_equal(w->c.facts.path, 2);
    assert_int_equal(w->c.target_index, 1);
    world_close(w);

    w = world_open(TWO, "example.org");
    w->plan.first_path = true;
    run_to(w, CHECK_CONNECT);
    world_expect(w, CHECK_CONNECT, VERDICT_FAIL, "net.connect.timeout");
    assert_int_equal(w->paths, 1);
    world_close(w);
}

static void test_families(void **state)
{
    (void)state;
    /* No IPv6 here: worth a note, since IPv4 does it. */
    struct world *w = connect_to(ME ZONE "host mx1.example.org\n  address 192.0.2.10 2001:db8::10\n"
                                         "  port 25 mx\n" SERVER,
                                 "example.org");
    world_expect(w, CHECK_CONNECT, VERDICT_NOTE, "net.connect.no_family net.connect.ok");
    world_arg(w, "net.connect.no_family", "family", "IPv6");
    world_close(w);

    w = connect_to(ME ZONE "host mx1.example.org\n  address 2001:db8::10\n  port 25 mx\n" SERVER,
                   "example.org");
    world_expect(w, CHECK_CONNECT, VERDICT_INCONCLUSIVE, "net.connect.no_family");
    assert_int_equal(world_find(w, "net.connect.no_family")->side, SIDE_OURS);
    world_close(w);
}

static void test_cancelled_connect(void **state)
{
    (void)state;
    struct world *w = world_open(ME ZONE HOST("port 25 drop") SERVER, "example.org");
    run_to(w, CHECK_SELF_PTR);
    w->cancel_after = 1;
    world_step(w, CHECK_CONNECT);
    world_expect(w, CHECK_CONNECT, VERDICT_STOPPED, "check.stopped");
    world_close(w);
}

struct banner_case {
    const char *server, *ids;
    enum verdict verdict;
};

static void run_server(const struct banner_case *t, enum check_id last)
{
    char scenario[4096];
    snprintf(scenario, sizeof(scenario), ME ZONE HOST("port 25 mx") SERVER "%s", t->server);
    struct world *w = connect_to(scenario, "example.org");
    for (int i = CHECK_BANNER; i <= (int)last; i++) {
        world_step(w, (enum check_id)i);
    }
    world_expect(w, last, t->verdict, t->ids);
    world_close(w);
}

static void test_banners(void **state)
{
    (void)state;
    static const struct banner_case cases[] = {
        {"", "smtp.banner.ok", VERDICT_OK},
        {"  on connect: wait 20s, default\n", "smtp.banner.slow smtp.banner.ok", VERDICT_NOTE},
        {"  on connect: stall\n", "smtp.banner.timeout", VERDICT_FAIL},
        {"  on connect: close\n", "smtp.banner.closed", VERDICT_FAIL},
        {"  on connect: reset\n", "smtp.banner.closed", VERDICT_FAIL},
        {"  on connect: reply \"554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked "
         "using dnsbl.example\", close\n",
         "smtp.banner.refused", VERDICT_FAIL},
        {"  on connect: reply \"421 4.7.0 too many connections\", close\n", "smtp.banner.refused",
         VERDICT_INCONCLUSIVE},
        {"  on connect: reply \"521 mx1.example.org does not accept mail\"\n",
         "smtp.banner.no_mail", VERDICT_FAIL},
        {"  on connect: send \"SSH-2.0-OpenSSH_9.2\\r\\n\"\n", "smtp.banner.not_smtp",
         VERDICT_FAIL},
        {"  on connect: send \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\", close\n",
         "smtp.banner.not_smtp", VERDICT_FAIL},
        {"  on connect: reply \"220 ftp.example.org FTP server ready\"\n", "smtp.banner.not_smtp",
         VERDICT_FAIL},
        {"  banner \"220 ****************************2**\"\n", "smtp.banner.masked", VERDICT_WARN},
        {"  on connect: send \"****************************2**\\r\\n\"\n", "smtp.banner.masked",
         VERDICT_FAIL},
        {"  on connect: send \"hello there\\r\\n\"\n", "smtp.banner.not_smtp", VERDICT_FAIL},
        {"  on connect: send \"hello there\\r\\n\", close\n", "smtp.banner.not_smtp", VERDICT_FAIL},
        {"  on connect: reply \"999 odd\"\n", "smtp.reply.broken", VERDICT_FAIL},
        {"  banner \"220 localhost ESMTP\"\n", "smtp.banner.no_name smtp.banner.ok", VERDICT_NOTE},
        {"  on connect: send \"Welcome!\\r\\n220 mx1.example.org ESMTP\\r\\n\"\n",
         "smtp.banner.text_before", VERDICT_WARN},
        {"  on connect: send \"220 mx1.example.org ESMTP\\r\\n250 too early\\r\\n\"\n",
         "smtp.banner.early", VERDICT_WARN},
        {"  on connect: send \"220-mx1.example.org ESMTP\\n220 ready\\n\"\n", "smtp.reply.bare_lf",
         VERDICT_WARN},
        {"  on connect: reply \"220-mx1.example.org ESMTP\", wait 4s, reply \"220 go\"\n",
         "smtp.banner.ok", VERDICT_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("banner %zu: %s\n", i, cases[i].server);
        run_server(&cases[i], CHECK_BANNER);
    }
}

static void test_banner_facts(void **state)
{
    (void)state;
    struct world *w = connect_to(ME ZONE HOST("port 25 mx") SERVER
                                 "  on connect: reply \"554 5.7.1 blocked using x.example\"\n",
                                 "example.org");
    world_step(w, CHECK_BANNER);
    world_arg(w, "smtp.banner.refused", "code", "554");
    world_arg(w, "smtp.banner.refused", "text", "blocked using x.example");
    assert_int_equal(world_find(w, "smtp.banner.refused")->class, CLASS_BLOCKED_ADDRESS);
    assert_int_equal(world_find(w, "smtp.banner.refused")->who, WHO_CLIENT);
    assert_int_equal(w->c.smtp.state, SMTP_CLOSED);
    assert_true(world_log_has(w, "QUIT"));
    world_close(w);
}

/* A port that waits for a ClientHello is silent, and a few seconds are enough to find out. */
static void test_tls_first(void **state)
{
    (void)state;
    struct world *w = connect_to(ME ZONE HOST("port 2465 mx tls") SERVER, "mx1.example.org:2465");
    world_step(w, CHECK_BANNER);
    world_expect(w, CHECK_BANNER, VERDICT_FAIL, "smtp.banner.tls_first");
    world_arg(w, "smtp.banner.tls_first", "port", "2465");
    world_close(w);

    w = world_open(ME ZONE HOST("port 465 mx tls") SERVER, "mx1.example.org:465");
    w->plan.tls = PLAN_TLS_NONE;
    run_to(w, CHECK_BANNER);
    world_expect(w, CHECK_BANNER, VERDICT_FAIL, "smtp.banner.tls_first");
    world_close(w);

    /* A server that only takes its time is waited for. */
    w = connect_to(ME ZONE HOST("port 2525 mx") SERVER "  on connect first 1: wait 30s, default\n"
                                                       "  on connect: stall\n",
                   "mx1.example.org:2525");
    world_step(w, CHECK_BANNER);
    world_expect(w, CHECK_BANNER, VERDICT_NOTE, "smtp.banner.slow smtp.banner.ok");
    world_close(w);
}

static void test_banner_again(void **state)
{
    (void)state;
    struct world *w = connect_to(ME ZONE HOST("port 25 mx") SERVER, "example.org");
    world_step(w, CHECK_BANNER);
    world_step(w, CHECK_EHLO);
    world_forget(w);
    world_step(w, CHECK_BANNER);
    world_expect(w, CHECK_BANNER, VERDICT_OK, "smtp.banner.ok");
    assert_int_equal(w->c.smtp.state, SMTP_GREETED);
    assert_int_equal(w->paths, 1);
    assert_int_equal(world_log_count(w, "<connect>"), 2);
    world_close(w);
}

static void test_ehlo(void **state)
{
    (void)state;
    static const struct banner_case cases[] = {
        {"", "smtp.ehlo.ok", VERDICT_OK},
        {"  on EHLO: reply \"502 5.5.2 Error: command not recognized\"\n", "smtp.ehlo.helo_only",
         VERDICT_WARN},
        {"  on EHLO: reply \"502 unknown\"\n  on HELO: reply \"502 unknown\"\n",
         "smtp.ehlo.refused", VERDICT_FAIL},
        {"  on EHLO: reply \"501 5.5.4 HELO requires valid address\"\n", "smtp.ehlo.name_rejected",
         VERDICT_FAIL},
        {"  on EHLO: reply \"504 5.5.2 <desk>: Helo command rejected: need fully-qualified "
         "hostname\"\n",
         "smtp.ehlo.name_rejected", VERDICT_FAIL},
        {"  on EHLO: reply \"421 4.3.2 shutting down\", close\n", "smtp.session.shutdown",
         VERDICT_INCONCLUSIVE},
        {"  on EHLO: reply \"451 4.3.0 try later\"\n", "smtp.ehlo.refused", VERDICT_INCONCLUSIVE},
        {"  on EHLO: close\n", "smtp.session.closed", VERDICT_FAIL},
        {"  on EHLO: reset\n", "smtp.session.reset", VERDICT_FAIL},
        {"  on EHLO: stall\n", "smtp.session.timeout", VERDICT_FAIL},
        {"  on EHLO: reply \"250-mx1.example.org\" \"250-SIZE 52428800\" \"250 XXXXXXXA\"\n",
         "smtp.ehlo.masked", VERDICT_WARN},
        {"  on EHLO: reply \"250-mx1.example.org\" \"250 -ODD!\"\n",
         "smtp.ehlo.malformed smtp.ehlo.ok", VERDICT_NOTE},
        {"  offer AUTH PLAIN LOGIN CRAM-MD5\n", "smtp.ehlo.auth_in_clear", VERDICT_WARN},
        {"  offer AUTH CRAM-MD5\n", "smtp.ehlo.ok", VERDICT_OK},
        {"  on EHLO: reply \"250-mx1.example.org\" \"250 AUTH=CRAM-MD5\"\n",
         "smtp.ehlo.auth_old smtp.ehlo.ok", VERDICT_NOTE},
        {"  on EHLO: send \"250-mx1.example.org\\r\\n251 SIZE\\r\\n\"\n", "smtp.reply.code_changed",
         VERDICT_WARN},
        {"  on EHLO: send \"250-mx1.example.org\\r\\n250=SIZE\\r\\n250 DSN\\r\\n\"\n",
         "smtp.reply.bad_separator", VERDICT_WARN},
        {"  on EHLO: send \"250 mx1.example.org\\r\\n250 nobody asked\\r\\n\"\n", "smtp.ehlo.ok",
         VERDICT_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("ehlo %zu: %s\n", i, cases[i].server);
        run_server(&cases[i], CHECK_EHLO);
    }
}

static void test_ehlo_facts(void **state)
{
    (void)state;
    struct world *w = connect_to(ME ZONE HOST("port 25 mx") SERVER "  offer SIZE 52428800\n"
                                                                   "  offer PIPELINING\n",
                                 "example.org");
    world_step(w, CHECK_BANNER);
    world_step(w, CHECK_EHLO);
    assert_string_equal(w->c.facts.ehlo_name, "desk.office.example");
    assert_string_equal(w->c.facts.capabilities, "SIZE 52428800\nPIPELINING");
    assert_true(world_log_has(w, "EHLO desk.office.example"));
    assert_true(w->c.facts.timings[TIMING_EHLO].length_us >= 20000);
    world_close(w);
}

/* The server sees another address than we thought. */
static void test_seen_address(void **state)
{
    (void)state;
    struct world *w = connect_to(ME ZONE HOST("port 25 mx") SERVER
                                 "  hello \"mx1.example.org Hello x [203.0.113.99]\"\n",
                                 "example.org");
    world_step(w, CHECK_BANNER);
    world_step(w, CHECK_EHLO);
    world_expect(w, CHECK_SELF_ADDRESS, VERDICT_WARN, "self.address.found self.address.differs");
    world_arg(w, "self.address.differs", "seen", "203.0.113.99");
    world_expect(w, CHECK_EHLO, VERDICT_OK, "smtp.ehlo.ok");
    world_close(w);
}

/* Behind a translator that no service told of, the server is the one who knows. */
static void test_server_tells_address(void **state)
{
    (void)state;
    struct world *w = connect_to(
        "me\n  name desk\n  address 10.0.0.7\n  seen-as 203.0.113.9\n" ZONE HOST("port 25 mx")
            SERVER "  hello \"mx1.example.org Hello [{client}]\"\n",
        "example.org");
    world_expect(w, CHECK_SELF_ADDRESS, VERDICT_NOTE, "self.address.unknown");
    world_step(w, CHECK_BANNER);
    world_step(w, CHECK_EHLO);
    world_arg(w, "self.address.found", "address", "203.0.113.9");
    world_arg(w, "self.address.found", "source", "server");
    world_close(w);
}

static void test_unasked_reply(void **state)
{
    (void)state;
    struct world *w = connect_to(ME ZONE HOST("port 25 mx") SERVER
                                 "  on EHLO first 1: send \"250-mx1.example.org\\r\\n250 "
                                 "STARTTLS\\r\\n250 nobody asked\\r\\n\"\n",
                                 "example.org");
    world_step(w, CHECK_BANNER);
    world_step(w, CHECK_EHLO);
    world_step(w, CHECK_EHLO);
    assert_string_equal(finding_arg_get(world_find(w, "smtp.reply.unasked"), "text"),
                        "250 nobody asked");
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connected),
        cmocka_unit_test(test_connect_failures),
        cmocka_unit_test(test_blocked_names_the_other_port),
        cmocka_unit_test(test_next_host),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_cancelled_connect),
        cmocka_unit_test(test_banners),
        cmocka_unit_test(test_banner_facts),
        cmocka_unit_test(test_tls_first),
        cmocka_unit_test(test_banner_again),
        cmocka_unit_test(test_ehlo),
        cmocka_unit_test(test_ehlo_facts),
        cmocka_unit_test(test_seen_address),
        cmocka_unit_test(test_server_tells_address),
        cmocka_unit_test(test_unasked_reply),
    };
    return cmocka_run_group_tests_name("checks_path", tests, NULL, NULL);
}
