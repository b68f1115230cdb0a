#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "loopback_bench.h"

static struct testcert root, leaf;
static char *dir, *root_file;

static int setup(void **state)
{
    (void)state;
    /* The engine's clock is the system's here. */
    int64_t now = (int64_t)time(NULL);
    const struct testcert_spec ca = {.name = "Test Root",
                                     .ca = true,
                                     .not_before = now - TESTCERT_DAY,
                                     .not_after = now + 60 * TESTCERT_DAY};
    const struct testcert_spec spec = {.name = "127.0.0.1",
                                       .san = "IP:127.0.0.1,IP:::1",
                                       .usage = "serverAuth",
                                       .not_before = now - TESTCERT_DAY,
                                       .not_after = now + 60 * TESTCERT_DAY};
    testcert_make(&root, &ca, NULL);
    testcert_make(&leaf, &spec, &root);
    const struct testcert *roots[] = {&root};
    char *pem = testcert_pem(roots, 1);
    dir = testcert_dir_new();
    root_file = testcert_write(dir, "root.pem", pem);
    free(pem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    testcert_free(&root);
    testcert_free(&leaf);
    free(root_file);
    testcert_dir_remove(dir);
    return 0;
}

static bool has_octet(const struct buf *b, char octet)
{
    return b->len > 0 && memchr(b->p, octet, b->len) != NULL;
}

static void test_silence_that_waits_for_tls(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = FAKE_ON_CONNECT, .then = FAKE_TLS},
        RULES_END,
    };
    const struct fake_smtp_config config = {.rules = rules, .cert = &leaf};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    bench_open_engine(&r, 4, fake_smtp_port(s));
    r.plan.limits.banner = SHORT_MS;
    runner_run(&r);
    fake_smtp_settle(s, 2);
    bench_must_end(&r, "TLS first", CHECK_BANNER, VERDICT_FAIL);
    bench_must_find(&r, "TLS first", "smtp.banner.tls_first");
    assert_string_equal(bench_heard(s, 1), "<TLS>\n");
    runner_close(&r);
    fake_smtp_stop(s);
}

static void test_octets_behind_starttls(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        RULE_OFFER_TLS,
        {.verb = "STARTTLS", .send = "220 Go ahead\r\n250 AUTH PLAIN\r\n"},
        RULES_END,
    };
    const struct fake_smtp_config config = {.rules = rules, .cert = &leaf};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    bench_open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    bench_must_end(&r, "injection", CHECK_STARTTLS, VERDICT_FAIL);
    bench_must_find(&r, "injection", "tls.starttls.injected");
    bench_must_end(&r, "injection", CHECK_CERTIFICATE, VERDICT_SKIPPED);
    assert_true(runner_said(&r, "250 AUTH PLAIN"));
    /* A ClientHello begins with the octet 0x16. */
    const struct buf *all = fake_smtp_heard(s, 0);
    assert_false(has_octet(all, 0x16));
    assert_string_equal(strstr(buf_str(all), "STARTTLS"), "STARTTLS\r\n");
    runner_close(&r);
    fake_smtp_stop(s);
}

static void talk_in_tls(int family)
{
    static const struct fake_smtp_rule rules[] = {RULE_OFFER_TLS, RULES_END};
    static const struct fake_smtp_rule inside[] = {
        {.verb = "EHLO", .send = "250-mx.example.net\r\n250 AUTH PLAIN\r\n", .piece = 3},
        RULES_END,
    };
    const struct fake_smtp_config config = {
        .family = family, .rules = rules, .tls = inside, .cert = &leaf};
    struct fake_smtp *s = fake_smtp_start(&config);
    assert_non_null(s);
    struct runner r;
    bench_open_engine(&r, family, fake_smtp_port(s));
    assert_int_equal(str_set(&r.plan.ca_file, root_file), ST_OK);
    runner_run(&r);
    fake_smtp_settle(s, 1);
    bench_must_end(&r, "TLS", CHECK_STARTTLS, VERDICT_OK);
    bench_must_find(&r, "TLS", "tls.starttls.ok");
    bench_must_end(&r, "TLS", CHECK_CERTIFICATE, VERDICT_OK);
    bench_must_find(&r, "TLS", "tls.certificate.ok");
    const struct facts *f = record_path(&r.record);
    assert_non_null(f);
    assert_string_equal(f->capabilities, "AUTH PLAIN");
    /* What was learnt in clear is forgotten, so it says EHLO again, and QUIT inside as well. */
    const char *tls = strstr(bench_heard(s, 0), "STARTTLS\r\n<TLS>\nEHLO ");
    assert_non_null(tls);
    const char *quit = strstr(tls, "QUIT\r\n");
    assert_non_null(quit);
    assert_string_equal(quit, "QUIT\r\n");
    runner_close(&r);
    fake_smtp_stop(s);
}

static void test_starttls(void **state)
{
    (void)state;
    talk_in_tls(4);
}

/* The same server, and a trust file that holds another root. */
static void test_starttls_without_trust(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {RULE_OFFER_TLS, RULES_END};
    const struct testcert_spec spec = {.name = "Other Root", .ca = true};
    struct testcert other;
    testcert_make(&other, &spec, NULL);
    const struct testcert *others[] = {&other};
    char *pem = testcert_pem(others, 1);
    char *file = testcert_write(dir, "other.pem", pem);
    const struct fake_smtp_config config = {.rules = rules, .cert = &leaf};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    bench_open_engine(&r, 4, fake_smtp_port(s));
    assert_int_equal(str_set(&r.plan.ca_file, file), ST_OK);
    runner_run(&r);
    fake_smtp_settle(s, 1);
    bench_must_end(&r, "no trust", CHECK_STARTTLS, VERDICT_OK);
    bench_must_end(&r, "no trust", CHECK_CERTIFICATE, VERDICT_WARN);
    runner_close(&r);
    fake_smtp_stop(s);
    testcert_free(&other);
    free(pem);
    free(file);
}

static void test_text_for_a_server_hello(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        RULE_OFFER_TLS,
        {.verb = "STARTTLS", .send = "220 Go ahead\r\n", .then = FAKE_LISTEN},
        {.verb = FAKE_ON_OCTETS, .send = "454 4.7.0 TLS not available\r\n", .then = FAKE_STALL},
        RULES_END,
    };
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    bench_open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    bench_must_end(&r, "not TLS", CHECK_STARTTLS, VERDICT_FAIL);
    bench_must_find(&r, "not TLS", "tls.starttls.not_tls");
    assert_true(has_octet(fake_smtp_heard(s, 0), 0x16));
    /* Never on in clear. */
    assert_null(strstr(bench_heard(s, 0), "QUIT"));
    runner_close(&r);
    fake_smtp_stop(s);
}

/* A port that is taken but not listened on cannot become somebody else's in the meantime. */
static void test_refused(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    struct runner r;
    bench_open_engine(&r, 4, ntohs(a.sin_port));
    runner_run(&r);
    bench_must_end(&r, "refused", CHECK_CONNECT, VERDICT_FAIL);
    bench_must_find(&r, "refused", "net.connect.refused");
    bench_must_end(&r, "refused", CHECK_BANNER, VERDICT_SKIPPED);
    assert_int_equal(r.record.steps[CHECK_BANNER].because, CHECK_CONNECT);
    runner_close(&r);
    close(fd);
}

/* With consent, and on a server that would take a message. */
static void test_relay(void **state)
{
    (void)state;
    static const struct fake_smtp_rule one_by_one[] = {
        {.verb = "EHLO", .send = "250-mx.example.net\r\n250 SIZE 52428800\r\n"},
        RULES_END,
    };
    static const struct fake_smtp_rule *const ways[] = {NULL, one_by_one};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const struct fake_smtp_config config = {.rules = ways[i]};
        struct fake_smtp *s = fake_smtp_start(&config);
        struct runner r;
        bench_open_engine(&r, 4, fake_smtp_port(s));
        r.plan.relay_consent = true;
        runner_run(&r);
        fake_smtp_settle(s, 2); /* no STARTTLS, which was looked at twice */
        bench_must_end(&r, "relay", CHECK_RELAY, VERDICT_NOTE);
        bench_must_find(&r, "relay", "smtp.relay.trusted"); /* it is our own machine */
        const char *rcpt = strstr(bench_heard(s, 1), "RCPT TO:<");
        assert_non_null(rcpt);
        assert_non_null(strstr(rcpt, "\r\nRSET\r\n"));
        assert_null(strstr(bench_heard(s, 1), "DATA"));
        assert_null(strstr(bench_heard(s, 1), "BDAT"));
        /* After the last recipient everything is taken back. */
        while (strstr(rcpt + 1, "RCPT TO:<") != NULL) {
            rcpt = strstr(rcpt + 1, "RCPT TO:<");
        }
        assert_string_equal(strchr(rcpt, '\n') + 1, "RSET\r\nQUIT\r\n");
        bench_must_end(&r, "relay", CHECK_SEND, VERDICT_ASK);
        runner_close(&r);
        fake_smtp_stop(s);
    }
}

static void test_421_in_the_relay_test(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = "RCPT", .send = "421 4.3.2 Closing\r\n", .then = FAKE_CLOSE},
        RULES_END,
    };
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    bench_open_engine(&r, 4, fake_smtp_port(s));
    r.plan.relay_consent = true;
    runner_run(&r);
    fake_smtp_settle(s, 1);
    bench_must_end(&r, "421 to RCPT", CHECK_RELAY, VERDICT_INCONCLUSIVE);
    bench_must_find(&r, "421 to RCPT", "smtp.session.shutdown");
    runner_close(&r);
    fake_smtp_stop(s);
}

struct stall {
    struct fake_smtp_rule rules[3];
    enum check_id check;
    enum smtp_wait wait;
    const char *farewell; /* the last thing that the server hears */
    bool quits;
};

static bool is_waiting(const struct runner *r, const void *arg)
{
    const struct stall *t = arg;
    return r->record.running == t->check && r->record.waiting == t->wait;
}

/* Without the cancel, each of these would last longer than the runner has patience. */
static void test_cancel(void **state)
{
    (void)state;
    static const struct stall list[] = {
        {{{.verb = FAKE_ON_CONNECT, .then = FAKE_STALL}}, CHECK_BANNER, WAIT_BANNER, "", false},
        {{{.verb = "EHLO", .then = FAKE_STALL}}, CHECK_EHLO, WAIT_EHLO, "\r\nQUIT\r\n", true},
        {{{.verb = "EHLO", .send = "250-mx.example.net\r\n250-SI", .then = FAKE_STALL}},
         CHECK_EHLO,
         WAIT_EHLO,
         "\r\nQUIT\r\n",
         true},
        {{{.verb = "MAIL", .then = FAKE_STALL}}, CHECK_RELAY, WAIT_MAIL, "\r\nQUIT\r\n", true},
        {{RULE_OFFER_TLS, {.verb = "STARTTLS", .then = FAKE_STALL}},
         CHECK_STARTTLS,
         WAIT_STARTTLS,
         "STARTTLS\r\n",
         false},
        {{RULE_OFFER_TLS, {.verb = "STARTTLS", .send = "220 Go ahead\r\n", .then = FAKE_STALL}},
         CHECK_STARTTLS,
         WAIT_TLS,
         NULL,
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        const struct stall *t = &list[i];
        const struct fake_smtp_config config = {.rules = t->rules};
        struct fake_smtp *s = fake_smtp_start(&config);
        struct runner r;
        bench_open_engine(&r, 4, fake_smtp_port(s));
        r.plan.limits.banner = r.plan.limits.ehlo = r.plan.limits.starttls = r.plan.limits.tls =
            r.plan.limits.mail = 100 * LONG_MS;
        r.plan.limits.quit = SHORT_MS; /* nobody will answer it */
        r.plan.relay_consent = t->check == CHECK_RELAY;
        runner_start(&r);
        runner_until(&r, is_waiting, t);
        engine_cancel(r.engine, CANCEL_POLITE);
        runner_until_done(&r);
        fake_smtp_settle(s, 1);
        bench_must_end(&r, "cancel", t->check, VERDICT_STOPPED);
        bench_must_find(&r, "cancel", "check.stopped");
        assert_true(r.record.cancelled);
        assert_int_equal(r.record.session, SMTP_CLOSED);
        const char *all = bench_heard(s, 0);
        size_t len = t->farewell != NULL ? strlen(t->farewell) : 0;
        assert_true(strlen(all) >= len);
        assert_string_equal(all + strlen(all) - len, t->farewell != NULL ? t->farewell : "");
        assert_int_equal(strstr(all, "QUIT") != NULL, t->quits);
        assert_null(strstr(all, "DATA"));
        runner_close(&r);
        fake_smtp_stop(s);
    }
}

static void test_ipv6(void **state)
{
    (void)state;
    const struct fake_smtp_config config = {.family = 6};
    struct fake_smtp *s = fake_smtp_start(&config);
    if (s == NULL) {
        print_message("SKIP: this machine has no address ::1\n");
        skip();
    }
    struct runner r;
    bench_open_engine(&r, 6, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    bench_must_end(&r, "IPv6", CHECK_CONNECT, VERDICT_OK);
    bench_must_end(&r, "IPv6", CHECK_EHLO, VERDICT_OK);
    assert_true(runner_said(&r, "[::1]:"));
    assert_non_null(strstr(bench_heard(s, 0), "\r\nQUIT\r\n"));
    runner_close(&r);
    fake_smtp_stop(s);
    talk_in_tls(6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_that_waits_for_tls),
        cmocka_unit_test(test_octets_behind_starttls),
        cmocka_unit_test(test_starttls),
        cmocka_unit_test(test_starttls_without_trust),
        cmocka_unit_test(test_text_for_a_server_hello),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_relay),
        cmocka_unit_test(test_421_in_the_relay_test),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_ipv6),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
