#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "loopback_bench.h"

#define EHLO_LINES "250-mx.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 52428800\r\n"

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
    RULES_END,
};

static void expect(const struct dialogue *d, const struct runner *r, const struct fake_smtp *s)
{
    bench_must_end(r, d->name, d->check, d->verdict);
    bench_must_find(r, d->name, d->finding);
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
    bench_open_engine(&r, 4, fake_smtp_port(s));
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
    bench_open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    bench_must_end(&r, "healthy", CHECK_CONNECT, VERDICT_OK);
    bench_must_end(&r, "healthy", CHECK_BANNER, VERDICT_OK);
    bench_must_end(&r, "healthy", CHECK_EHLO, VERDICT_OK);
    bench_must_end(&r, "healthy", CHECK_STARTTLS, VERDICT_WARN);
    bench_must_end(&r, "healthy", CHECK_RELAY, VERDICT_ASK);
    bench_must_find(&r, "healthy", "net.connect.ok");
    bench_must_find(&r, "healthy", "smtp.banner.ok");
    bench_must_find(&r, "healthy", "smtp.ehlo.ok");
    bench_must_find(&r, "healthy", "tls.starttls.not_offered");
    assert_true(runner_said(&r, "220 mx.example.net ESMTP"));
    assert_true(runner_said(&r, "250 SIZE 52428800"));
    assert_true(runner_said(&r, "221 2.0.0 Bye"));
    /* Nothing but these two commands. */
    const char *all = bench_heard(s, 0);
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
         .said = "250 SIZE 52428800",
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
            {.verb = "EHLO", .send = EHLO_LINES, .split = at, .gap_ms = 2}, RULES_END};
        const struct fake_smtp_config config = {.rules = rules};
        struct fake_smtp *s = fake_smtp_start(&config);
        struct runner r;
        bench_open_engine(&r, 4, fake_smtp_port(s));
        runner_run(&r);
        fake_smtp_settle(s, 1);
        bench_must_end(&r, "split", CHECK_EHLO, VERDICT_OK);
        const struct facts *f = record_path(&r.record);
        assert_non_null(f);
        assert_string_equal(f->capabilities, "PIPELINING\n8BITMIME\nSIZE 52428800");
        assert_string_equal(strrchr(bench_heard(s, 0), 'Q'), "QUIT\r\n");
        runner_close(&r);
        fake_smtp_stop(s);
    }
}

static char overlong[3000 + sizeof("250-\r\n250 SIZE 0\r\n")];
static char one_line[80000];

static void test_odd_replies(void **state)
{
    (void)state;
    snprintf(overlong, sizeof(overlong), "250-%03000d\r\n250 SIZE 0\r\n", 0);
    memset(one_line, 'x', sizeof(one_line) - 1);
    memcpy(one_line, "250-", 4);
    const struct dialogue list[] = {
        {.name = "bare LF",
         .rules = {{.verb = "EHLO", .send = "250-mx.example.net\r\n250-HELP\n250 SIZE 0\n"}},
         .check = CHECK_EHLO,
         .verdict = VERDICT_WARN,
         .finding = "smtp.reply.bare_lf",
         .said = "250 SIZE 0",
         .heard = "QUIT\r\n"},
        {.name = "code changed",
         .rules = {{.verb = "EHLO", .send = "220-mx.example.net\r\n250 SIZE 0\r\n"}},
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
         .said = "250 SIZE 0",
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
        RULES_END,
    };
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    bench_open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    fake_smtp_settle(s, 1);
    const char *ehlo = strstr(bench_heard(s, 0), "EHLO ");
    const char *helo = strstr(bench_heard(s, 0), "HELO ");
    assert_true(ehlo != NULL && helo != NULL && ehlo < helo);
    runner_close(&r);
    fake_smtp_stop(s);
}

static void test_a_reply_without_end(void **state)
{
    (void)state;
    static const struct fake_smtp_rule rules[] = {
        {.verb = "EHLO", .send = "250-AND-ONE-MORE\r\n", .times = FAKE_FOR_EVER},
        RULES_END,
    };
    const struct fake_smtp_config config = {.rules = rules};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    bench_open_engine(&r, 4, fake_smtp_port(s));
    runner_run(&r);
    /* The server is let go of: its writing fails. */
    fake_smtp_settle(s, 1);
    bench_must_end(&r, "endless", CHECK_EHLO, VERDICT_FAIL);
    bench_must_find(&r, "endless", "smtp.reply.broken");
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
         .rules = {RULE_OFFER_TLS,
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
        RULES_END,
    };
    const struct fake_smtp_config config = {.rules = rules, .later = hang_up};
    struct fake_smtp *s = fake_smtp_start(&config);
    struct runner r;
    bench_open_engine(&r, 4, fake_smtp_port(s));
    r.plan.limits.banner = SHORT_MS;
    runner_run(&r);
    /* The first one, and a handshake for comparison. */
    fake_smtp_settle(s, 2);
    bench_must_end(&r, "no greeting", CHECK_BANNER, VERDICT_FAIL);
    bench_must_find(&r, "no greeting", "smtp.banner.timeout");
    bench_must_end(&r, "no greeting", CHECK_EHLO, VERDICT_SKIPPED);
    assert_int_equal(r.record.steps[CHECK_EHLO].because, CHECK_BANNER);
    /* RFC 5321 3.1: the client waits for the greeting before it says anything. */
    assert_int_equal(fake_smtp_heard(s, 0)->len, 0);
    runner_close(&r);
    fake_smtp_stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy),          cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_split_everywhere), cmocka_unit_test(test_odd_replies),
        cmocka_unit_test(test_the_older_hello),  cmocka_unit_test(test_a_reply_without_end),
        cmocka_unit_test(test_endings),          cmocka_unit_test(test_the_greeting_never_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
