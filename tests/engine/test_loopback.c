#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_smtp.h"
#include "runner.h"

#define LOG_MAX ((size_t)64 << 20)
/* For what is answered, or is said to be waited for long: nothing here lasts so long. */
#define LONG_MS 60000
/* For what never comes. */
#define SHORT_MS 300
#define CLOSED_PORT 1 /* nobody listens on tcpmux; a question there is refused at once */

#define EHLO_LINES "250-mx.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 4096\r\n"
#define OFFER_TLS                                                                                  \
    {                                                                                              \
        .verb = "EHLO", .send = "250-mx.example.net\r\n250 STARTTLS\r\n"                           \
    }
#define END                                                                                        \
    {                                                                                              \
        .verb = NULL                                                                               \
    }

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

/* No name server is asked and no limit is met, unless the test wants it. */
static void fill_plan(struct plan *p, int family, uint16_t port)
{
    struct error error = {.text = ""};
    char target[64];
    snprintf(target, sizeof(target), family == 6 ? "[::1]:%u" : "127.0.0.1:%u", port);
    plan_init(p);
    if (plan_set_target(p, target, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    assert_true(net_address_parse("127.0.0.1", &p->dns.servers[0]));
    p->dns.servers[0].port = CLOSED_PORT;
    p->dns.server_count = 1;
    p->dns.timeout_ms = SHORT_MS;
    p->dns.tries = 1;
    p->limits = (struct smtp_limits){LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS,
                                     LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS};
}

/* The unchanged engine on the system's network. */
static void open_engine(struct runner *r, int family, uint16_t port)
{
    struct error error = {.text = ""};
    memset(r, 0, sizeof(*r));
    buf_init(&r->log, LOG_MAX);
    buf_init(&r->text, LOG_MAX);
    fill_plan(&r->plan, family, port);
    if (net_system_open(&r->net, &error) != ST_OK ||
        engine_new(&r->engine, r->net, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
}

static const char *heard(const struct fake_smtp *s, size_t connection)
{
    return buf_str(fake_smtp_heard(s, connection));
}

static bool has_octet(const struct buf *b, char octet)
{
    return b->len > 0 && memchr(b->p, octet, b->len) != NULL;
}

static void must_find(const struct runner *r, const char *name, const char *id)
{
    if (!runner_found(r, id)) {
        fail_msg("%s: %s is missing in:\n%s%s", name, id, buf_str(&r->log), buf_str(&r->text));
    }
}

static void must_end(const struct runner *r, const char *name, enum check_id check,
                     enum verdict verdict)
{
    if (runner_verdict(r, check) != verdict) {
        fail_msg("%s: %s is %s and not %s:\n%s%s", name, checks[check].key,
                 verdict_name(runner_verdict(r, check)), verdict_name(verdict), buf_str(&r->log),
                 buf_str(&r->text));
    }
}

/* One server, one run, and what has to come of it. */
struct dialogue {
    const char *name;
    struct fake_smtp_rule rules[4];
    enum check_id check;
    enum verdict verdict;
    const char *finding;
    const char *said;  /* in a line of the transcript; NULL: any */
    const char *heard; /* the end of what the server heard first; NULL: any */
};

static const struct fake_smtp_rule hang_up[] = {
    {.verb = FAKE_ON_CONNECT, .then = FAKE_CLOSE},
    END,
};

static void expect(const struct dialogue *d, const struct runner *r, const struct fake_smtp *s)
{
    must_end(r, d->name, d->check, d->verdict);
    must_find(r, d->name, d->finding);
    if (d->said != NULL && !runner_said(r, d->said)) {
        fail_msg("%s: \"%s\" is missing in:\n%s", d->name, d->said, buf_str(&r->text));
    }
    const struct buf *all = fake_smtp_heard(s, 0);
    size_t len = d->heard != NULL ? strlen(d->heard) : 0;
    if (len > all->len || (len > 0 && memcmp(all->p + all->len - len, d->heard, len) != 0)) {
        fail_msg("%s: the server heard:\n%s", d->name, buf_str(all));
    }
    assert_int_equal(r->record.session, SMTP_CLOSED);
}

static void hold(const struct dialogue *d)
{
    const struct fake_smtp_config config = {.rules = d->rules, .later = hang_up};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    expect(d, &r, s);
    runner_close(&r);
    fake_smtp_stop(s);
}

static void hold_all(const struct dialogue *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hold(&list[i]);
    }
}

static void test_healthy(void **state)
{
    (void)state;
    const struct fake_smtp_config config = {.rules = NULL};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    must_end(&r, "healthy", CHECK_CONNECT, VERDICT_OK);
    must_end(&r, "healthy", CHECK_BANNER, VERDICT_OK);
    must_end(&r, "healthy", CHECK_EHLO, VERDICT_OK);
    must_end(&r, "healthy", CHECK_STARTTLS, VERDICT_WARN);
    must_end(&r, "healthy", CHECK_RELAY, VERDICT_ASK);
    must_find(&r, "healthy", "net.connect.ok");
    must_find(&r, "healthy", "smtp.banner.ok");
    must_find(&r, "healthy", "smtp.ehlo.ok");
    must_find(&r, "healthy", "tls.starttls.not_offered");
    assert_true(runner_said(&r, "220 mx.example.net ESMTP"));
    assert_true(runner_said(&r, "250 SIZE 1000000"));
    assert_true(runner_said(&r, "221 2.0.0 Bye"));
    /* Nothing but these two commands. */
    const char *all = heard(s, 0);
    assert_int_equal(strncmp(all, "EHLO ", 5), 0);
    const char *second = strchr(all, '\n');
    assert_non_null(second);
    assert_string_equal(second + 1, "QUIT\r\n");
    assert_false(r.record.cancelled);
    runner_close(&r);
    fake_smtp_stop(s);
}

static void test_pieces(void **state)
{
    (void)state;
    static const struct dialogue list[] = {
        {.name = "octet by octet",
         .rules = {{.verb = FAKE_ON_CONNECT,
                    .send = "220 mx.example.net ESMTP\r\n",
                    .piece = 1,
                    .gap_ms = 1},
                   {.verb = "EHLO", .send = EHLO_LINES, .piece = 1, .gap_ms = 1},
                   {.verb = "QUIT",
                    .send = "221 2.0.0 Bye\r\n",
                    .piece = 1,
                    .gap_ms = 1,
                    .then = FAKE_CLOSE}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_OK,
         .finding = "smtp.ehlo.ok",
         .said = "221 2.0.0 Bye",
         .heard = "QUIT\r\n"},
        {.name = "in sevens",
         .rules = {{.verb = "EHLO", .send = EHLO_LINES, .piece = 7}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_OK,
         .finding = "smtp.ehlo.ok",
         .said = "250 SIZE 4096",
         .heard = "QUIT\r\n"},
        {.name = "slow banner",
         .rules = {{.verb = FAKE_ON_CONNECT,
                    .send = "220 mx.example.net ESMTP\r\n",
                    .pause_ms = 2 * SHORT_MS}},
         .check = CHECK_BANNER,
         .verdict = VERDICT_OK,
         .finding = "smtp.banner.ok",
         .heard = "QUIT\r\n"},
    };
    hold_all(list, ARRAY_LEN(list));
}

/* Wherever the network cuts a reply, it is the same reply. */
static void test_split_everywhere(void **state)
{
    (void)state;
    for (unsigned at = 1; at < strlen(EHLO_LINES); at++) {
        const struct fake_smtp_rule rules[] = {
            {.verb = "EHLO", .send = EHLO_LINES, .split = at, .gap_ms = 2}, END};
        const struct fake_smtp_config config = {.rules = rules};
        struct fake_smtp *s = fake_smtp_start(&config);
        struct runner r;
        open_engine(&r, 4, fake_smtp_port(s));
        runner_run(&r);
        fake_smtp_settle(s, 1);
        must_end(&r, "split", CHECK_EHLO, VERDICT_OK);
        const struct facts *f = record_path(&r.record);
        assert_non_null(f);
        assert_string_equal(f->capabilities, "PIPELINING\n8BITMIME\nSIZE 4096");
        assert_string_equal(strrchr(heard(s, 0), 'Q'), "QUIT\r\n");
        runner_close(&r);
        fake_smtp_stop(s);
    }
}

static char overlong[3000 + sizeof("250-\r\n250 SIZE 1\r\n")];
static char one_line[80000];

static void test_odd_replies(void **state)
{
    (void)state;
    snprintf(overlong, sizeof(overlong), "250-%03000d\r\n250 SIZE 1\r\n", 0);
    memset(one_line, 'x', sizeof(one_line) - 1);
    memcpy(one_line, "250-", 4);
    const struct dialogue list[] = {
        {.name = "bare LF",
         .rules = {{.verb = "EHLO", .send = "250-mx.example.net\r\n250-HELP\n250 SIZE 1\n"}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_WARN,
         .finding = "smtp.reply.bare_lf",
         .said = "250 SIZE 1",
         .heard = "QUIT\r\n"},
        {.name = "code changed",
         .rules = {{.verb = "EHLO", .send = "220-mx.example.net\r\n250 SIZE 1\r\n"}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_WARN,
         .finding = "smtp.reply.code_changed",
         .said = "220-mx.example.net",
         .heard = "QUIT\r\n"},
        {.name = "text before the greeting",
         .rules = {{.verb = FAKE_ON_CONNECT,
                    .send = "Hold the line\r\n220 mx.example.net ESMTP\r\n"}},
         .check = CHECK_BANNER,
         .verdict = VERDICT_WARN,
         .finding = "smtp.banner.text_before",
         .said = "Hold the line",
         .heard = "QUIT\r\n"},
        {.name = "long line",
         .rules = {{.verb = "EHLO", .send = overlong}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_NOTE,
         .finding = "smtp.reply.overlong",
         .said = "250 SIZE 1",
         .heard = "QUIT\r\n"},
        {.name = "line without end",
         .rules = {{.verb = "EHLO", .send = one_line, .times = FAKE_FOR_EVER}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.reply.broken",
         .said = "250-xxx"},
        {.name = "EHLO unknown",
         .rules = {{.verb = "EHLO", .send = "502 5.5.2 What?\r\n"}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_WARN,
         .finding = "smtp.ehlo.helo_only",
         .said = "HELO ",
         .heard = "QUIT\r\n"},
        {.name = "another protocol",
         .rules = {{.verb = FAKE_ON_CONNECT,
                    .send = "SSH-2.0-OpenSSH_9.2\r\n",
                    .then = FAKE_STALL}},
         .check = CHECK_BANNER,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.banner.not_smtp",
         .said = "SSH-2.0"},
    };
    hold_all(list, ARRAY_LEN(list));
}

static void test_the_older_hello(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = "EHLO", .send = "502 5.5.2 What?\r\n"},
        END,
    };
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    const char *ehlo = strstr(heard(s, 0), "EHLO ");
    const char *helo = strstr(heard(s, 0), "HELO ");
    assert_true(ehlo != NULL && helo != NULL && ehlo < helo);
    runner_close(&r);
    fake_smtp_stop(s);
}

static void test_a_reply_without_end(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = "EHLO", .send = "250-AND-ONE-MORE\r\n", .times = FAKE_FOR_EVER},
        END,
    };
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    /* The server is let go of: its writing fails. */
    fake_smtp_settle(s, 1);
    must_end(&r, "endless", CHECK_EHLO, VERDICT_FAIL);
    must_find(&r, "endless", "smtp.reply.broken");
    unsigned told = 0;
    struct line line;
    for (uint32_t i = 1; i <= lines_last(r.record.lines); i++) {
        told += lines_get(r.record.lines, i, &line) && line.dir == DIR_SERVER;
    }
    assert_true(told > 1 && told <= REPLY_LINES_MAX + 2); /* the greeting, and one line at most */
    runner_close(&r);
    fake_smtp_stop(s);
}

static void test_endings(void **state)
{
    (void)state;
    static const struct dialogue list[] = {
        {.name = "closed without an octet",
         .rules = {{.verb = FAKE_ON_CONNECT, .then = FAKE_CLOSE}},
         .check = CHECK_BANNER,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.banner.closed"},
        {.name = "half closed without an octet",
         .rules = {{.verb = FAKE_ON_CONNECT, .then = FAKE_HALF_CLOSE}},
         .check = CHECK_BANNER,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.banner.closed"},
        {.name = "reset after EHLO",
         .rules = {{.verb = "EHLO", .then = FAKE_RESET}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.session.reset"},
        {.name = "closed after EHLO",
         .rules = {{.verb = "EHLO", .then = FAKE_CLOSE}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.session.closed"},
        {.name = "closed in the middle of a reply",
         .rules = {{.verb = "EHLO", .send = "250-mx.example.net\r\n250-SI", .then = FAKE_CLOSE}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.session.closed",
         .said = "250-SI"},
        {.name = "half closed in the middle of a reply",
         .rules = {{.verb = "EHLO", .send = "250-mx.example.net\r\n", .then = FAKE_HALF_CLOSE}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.session.closed",
         .said = "250-mx.example.net"},
        {.name = "421 to EHLO",
         .rules = {{.verb = "EHLO", .send = "421 4.3.2 Closing\r\n", .then = FAKE_CLOSE}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_INCONCLUSIVE,
         .finding = "smtp.session.shutdown",
         .said = "421 4.3.2 Closing"},
        {.name = "421 to STARTTLS",
         .rules = {OFFER_TLS,
                   {.verb = "STARTTLS", .send = "421 4.3.2 Closing\r\n", .then = FAKE_CLOSE}},
         .check = CHECK_STARTTLS,
         .verdict = VERDICT_INCONCLUSIVE,
         .finding = "smtp.session.shutdown",
         .said = "421 4.3.2 Closing",
         .heard = "STARTTLS\r\n"},
        {.name = "greeting that refuses",
         .rules = {{.verb = FAKE_ON_CONNECT, .send = "554 5.7.1 Not you\r\n"}},
         .check = CHECK_BANNER,
         .verdict = VERDICT_FAIL,
         .finding = "smtp.banner.refused",
         .heard = "QUIT\r\n"},
    };
    hold_all(list, ARRAY_LEN(list));
}

static void test_the_greeting_never_comes(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = FAKE_ON_CONNECT, .then = FAKE_STALL},
        END,
    };
    const struct fake_smtp_config config = {.rules = rules, .later = hang_up};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    r.plan.limits.banner = SHORT_MS;
    runner_run(&r);
    /* The first one, and a handshake for comparison. */
    fake_smtp_settle(s, 2);
    must_end(&r, "no greeting", CHECK_BANNER, VERDICT_FAIL);
    must_find(&r, "no greeting", "smtp.banner.timeout");
    must_end(&r, "no greeting", CHECK_EHLO, VERDICT_SKIPPED);
    assert_int_equal(r.record.steps[CHECK_EHLO].because, CHECK_BANNER);
    /* RFC 5321 3.1: the client waits for the greeting before it says anything. */
    assert_int_equal(fake_smtp_heard(s, 0)->len, 0);
    runner_close(&r);
    fake_smtp_stop(s);
}

static void test_silence_that_waits_for_tls(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = FAKE_ON_CONNECT, .then = FAKE_TLS},
        END,
    };
    const struct fake_smtp_config config = {.rules = rules, .cert = &leaf};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    r.plan.limits.banner = SHORT_MS;
    runner_run(&r);
    fake_smtp_settle(s, 2);
    must_end(&r, "TLS first", CHECK_BANNER, VERDICT_FAIL);
    must_find(&r, "TLS first", "smtp.banner.tls_first");
    assert_string_equal(heard(s, 1), "<TLS>\n");
    runner_close(&r);
    fake_smtp_stop(s);
}

static void test_octets_behind_starttls(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        OFFER_TLS,
        {.verb = "STARTTLS", .send = "220 Go ahead\r\n250 AUTH PLAIN\r\n"},
        END,
    };
    const struct fake_smtp_config config = {.rules = rules, .cert = &leaf};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    must_end(&r, "injection", CHECK_STARTTLS, VERDICT_FAIL);
    must_find(&r, "injection", "tls.starttls.injected");
    must_end(&r, "injection", CHECK_CERTIFICATE, VERDICT_SKIPPED);
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
    static const struct fake_smtp_rule rules[] = {OFFER_TLS, END};
    static const struct fake_smtp_rule inside[] = {
        {.verb = "EHLO", .send = "250-mx.example.net\r\n250 AUTH PLAIN\r\n", .piece = 3},
        END,
    };
    const struct fake_smtp_config config = {
        .family = family, .rules = rules, .tls = inside, .cert = &leaf};
    struct fake_smtp *s = fake_smtp_start(&config);
    assert_non_null(s);
    struct runner r;
    open_engine(&r, family, fake_smtp_port(s));
    assert_int_equal(str_set(&r.plan.ca_file, root_file), ST_OK);
    runner_run(&r);
    fake_smtp_settle(s, 1);
    must_end(&r, "TLS", CHECK_STARTTLS, VERDICT_OK);
    must_find(&r, "TLS", "tls.starttls.ok");
    must_end(&r, "TLS", CHECK_CERTIFICATE, VERDICT_OK);
    must_find(&r, "TLS", "tls.certificate.ok");
    const struct facts *f = record_path(&r.record);
    assert_non_null(f);
    assert_string_equal(f->capabilities, "AUTH PLAIN");
    /* What was learnt in clear is forgotten, so it says EHLO again, and QUIT inside as well. */
    const char *tls = strstr(heard(s, 0), "STARTTLS\r\n<TLS>\nEHLO ");
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
    static const struct fake_smtp_rule rules[] = {OFFER_TLS, END};
    const struct testcert_spec spec = {.name = "Other Root", .ca = true};
    struct testcert other;
    testcert_make(&other, &spec, NULL);
    const struct testcert *others[] = {&other};
    char *pem = testcert_pem(others, 1);
    char *file = testcert_write(dir, "other.pem", pem);
    const struct fake_smtp_config config = {.rules = rules, .cert = &leaf};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    assert_int_equal(str_set(&r.plan.ca_file, file), ST_OK);
    runner_run(&r);
    fake_smtp_settle(s, 1);
    must_end(&r, "no trust", CHECK_STARTTLS, VERDICT_OK);
    must_end(&r, "no trust", CHECK_CERTIFICATE, VERDICT_WARN);
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
        OFFER_TLS,
        {.verb = "STARTTLS", .send = "220 Go ahead\r\n", .then = FAKE_LISTEN},
        {.verb = FAKE_ON_OCTETS, .send = "454 4.7.0 TLS not available\r\n", .then = FAKE_STALL},
        END,
    };
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    must_end(&r, "not TLS", CHECK_STARTTLS, VERDICT_FAIL);
    must_find(&r, "not TLS", "tls.starttls.not_tls");
    assert_true(has_octet(fake_smtp_heard(s, 0), 0x16));
    /* Never on in clear. */
    assert_null(strstr(heard(s, 0), "QUIT"));
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
    open_engine(&r, 4, ntohs(a.sin_port));
    runner_run(&r);
    must_end(&r, "refused", CHECK_CONNECT, VERDICT_FAIL);
    must_find(&r, "refused", "net.connect.refused");
    must_end(&r, "refused", CHECK_BANNER, VERDICT_SKIPPED);
    assert_int_equal(r.record.steps[CHECK_BANNER].because, CHECK_CONNECT);
    runner_close(&r);
    close(fd);
}

/* With consent, and on a server that would take a message. */
static void test_relay(void **state)
{
    (void)state;
    static const struct fake_smtp_rule one_by_one[] = {
        {.verb = "EHLO", .send = "250-mx.example.net\r\n250 SIZE 1000000\r\n"},
        END,
    };
    static const struct fake_smtp_rule *const ways[] = {NULL, one_by_one};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const struct fake_smtp_config config = {.rules = ways[i]};
        struct fake_smtp *s = fake_smtp_start(&config);
        struct runner r;
        open_engine(&r, 4, fake_smtp_port(s));
        r.plan.relay_consent = true;
        runner_run(&r);
        fake_smtp_settle(s, 1);
        must_end(&r, "relay", CHECK_RELAY, VERDICT_NOTE);
        must_find(&r, "relay", "smtp.relay.trusted"); /* it is our own machine */
        const char *rcpt = strstr(heard(s, 0), "RCPT TO:<");
        assert_non_null(rcpt);
        assert_non_null(strstr(rcpt, "\r\nRSET\r\n"));
        assert_null(strstr(heard(s, 0), "DATA"));
        assert_null(strstr(heard(s, 0), "BDAT"));
        /* After the last recipient everything is taken back. */
        while (strstr(rcpt + 1, "RCPT TO:<") != NULL) {
            rcpt = strstr(rcpt + 1, "RCPT TO:<");
        }
        assert_string_equal(strchr(rcpt, '\n') + 1, "RSET\r\nQUIT\r\n");
        must_end(&r, "relay", CHECK_SEND, VERDICT_ASK);
        runner_close(&r);
        fake_smtp_stop(s);
    }
}

static void test_421_in_the_relay_test(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = "RCPT", .send = "421 4.3.2 Closing\r\n", .then = FAKE_CLOSE},
        END,
    };
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    open_engine(&r, 4, fake_smtp_port(s));
    r.plan.relay_consent = true;
    runner_run(&r);
    fake_smtp_settle(s, 1);
    must_end(&r, "421 to RCPT", CHECK_RELAY, VERDICT_INCONCLUSIVE);
    must_find(&r, "421 to RCPT", "smtp.session.shutdown");
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
        {{OFFER_TLS, {.verb = "STARTTLS", .then = FAKE_STALL}},
         CHECK_STARTTLS,
         WAIT_STARTTLS,
         "STARTTLS\r\n",
         false},
        {{OFFER_TLS, {.verb = "STARTTLS", .send = "220 Go ahead\r\n", .then = FAKE_STALL}},
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
        open_engine(&r, 4, fake_smtp_port(s));
        r.plan.limits.banner = r.plan.limits.ehlo = r.plan.limits.starttls = r.plan.limits.tls =
            r.plan.limits.mail = 100 * LONG_MS;
        r.plan.limits.quit = SHORT_MS; /* nobody will answer it */
        r.plan.relay_consent = t->check == CHECK_RELAY;
        runner_start(&r);
        runner_until(&r, is_waiting, t);
        engine_cancel(r.engine, CANCEL_POLITE);
        runner_until_done(&r);
        fake_smtp_settle(s, 1);
        must_end(&r, "cancel", t->check, VERDICT_STOPPED);
        must_find(&r, "cancel", "check.stopped");
        assert_true(r.record.cancelled);
        assert_int_equal(r.record.session, SMTP_CLOSED);
        const char *all = heard(s, 0);
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
    open_engine(&r, 6, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    must_end(&r, "IPv6", CHECK_CONNECT, VERDICT_OK);
    must_end(&r, "IPv6", CHECK_EHLO, VERDICT_OK);
    assert_true(runner_said(&r, "[::1]:"));
    assert_non_null(strstr(heard(s, 0), "\r\nQUIT\r\n"));
    runner_close(&r);
    fake_smtp_stop(s);
    talk_in_tls(6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_split_everywhere),
        cmocka_unit_test(test_odd_replies),
        cmocka_unit_test(test_the_older_hello),
        cmocka_unit_test(test_a_reply_without_end),
        cmocka_unit_test(test_endings),
        cmocka_unit_test(test_the_greeting_never_comes),
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
