/* What the test mail is made of, how it travels, and in whose name. */
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
#define ZONE "zone example.org\n  @ MX 10 mx1\n"
#define HOST                                                                                       \
    "host mx1.example.org\n  address 192.0.2.10\n  latency 20ms\n  port 25 mx\n  port 24 mx\n"
#define SERVER "server mx\n  local example.org\n"

static struct world *open_world(const char *server)
{
    char scenario[4096];
    snprintf(scenario, sizeof(scenario), ME ZONE HOST SERVER "%s", server);
    struct world *w = world_open(scenario, "mx1.example.org:25");
    w->plan.send_consent = true;
    assert_int_equal(str_set(&w->plan.to, "anna@example.org"), ST_OK);
    return w;
}

static void run_to_send(struct world *w)
{
    for (int i = 0; i < CHECK_RELAY; i++) {
        world_step(w, (enum check_id)i);
    }
    world_step(w, CHECK_SEND);
}

static void set_message(struct world *w, const char *p, size_t len)
{
    struct buf b;
    buf_init(&b, PLAN_MESSAGE_MAX);
    assert_int_equal(buf_add(&b, p, len), ST_OK);
    plan_take_bytes(&w->plan.message, &b);
    buf_free(&b);
    assert_int_equal(str_set(&w->plan.message_name, "mail.eml"), ST_OK);
}

static void test_a_file_as_it_is(void **state)
{
    (void)state;
    static const char text[] = "Date: x\r\nFrom: a\r\nTo: b\r\nMessage-ID: <1@x>\r\n\r\n.\r\nend";
    struct world *w = open_world("");
    set_message(w, text, sizeof(text) - 1);
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    world_arg(w, "smtp.send.ok", "message_id", "<1@x>");
    assert_int_equal(practice_text_bytes(w->net), sizeof(text) - 1 + 2);
    assert_true(world_log_has(w, "SIZE=54"));
    assert_false(world_told(w, "X-Smtpscope"));
    assert_false(world_told(w, "lacks"));
    assert_true(world_told(w, "mail.eml"));
    world_close(w);
}

static void test_what_a_file_lacks_is_said(void **state)
{
    (void)state;
    char text[3000];
    struct world *w = open_world("  withhold 8BITMIME\n");
    memset(text, 'x', sizeof(text));
    memcpy(text, "Subject: \xc3\xa9\n\nhello\n", 19);
    set_message(w, text, 1500);
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(world_told(w, "not added: Date, From, To, Message-ID"));
    assert_true(world_told(w, "3 line ends that are no CRLF"));
    assert_true(world_told(w, "1 line is longer than 998"));
    assert_true(world_told(w, "octets over 127"));
    assert_false(world_log_has(w, "BODY="));
    world_close(w);
    /* A NUL cannot travel by DATA. */
    w = open_world("");
    set_message(w, "To: x\r\n\r\na\0b", 12);
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_INCONCLUSIVE, "check.internal");
    assert_false(world_log_has(w, "MAIL"));
    world_close(w);
}

static void test_attachment_and_samples(void **state)
{
    (void)state;
    struct buf b;
    struct world *w = open_world("");
    buf_init(&b, 1000);
    assert_int_equal(buf_add_str(&b, "attached"), ST_OK);
    plan_take_bytes(&w->plan.attach, &b);
    buf_free(&b);
    assert_int_equal(str_set(&w->plan.attach_name, "Pr\xc3\xbc"
                                                   "fung.txt"),
                     ST_OK);
    w->plan.sample = SAMPLE_GTUBE;
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(world_told(w, "multipart/mixed"));
    world_close(w);
    w = open_world("");
    w->plan.sample = SAMPLE_EICAR;
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(practice_text_bytes(w->net) > 500);
    world_close(w);
}

static void test_parameters(void **state)
{
    (void)state;
    struct world *w = open_world("");
    assert_int_equal(str_set(&w->plan.mail_params, "RET=HDRS ENVID=abc"), ST_OK);
    assert_int_equal(str_set(&w->plan.rcpt_params, "NOTIFY=SUCCESS,DELAY"), ST_OK);
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(world_log_has(w, " RET=HDRS ENVID=abc\n"));
    assert_true(world_log_has(w, "RCPT TO:<anna@example.org> NOTIFY=SUCCESS,DELAY\n"));
    assert_false(world_told(w, "all the same"));
    world_close(w);
}

/* The wish wins over what we would say ourselves, and over the offer. */
static void test_wrong_parameters_are_sent_all_the_same(void **state)
{
    (void)state;
    struct world *w = open_world("");
    assert_int_equal(str_set(&w->plan.mail_params, "SIZE=99999999 MT-PRIORITY=3"), ST_OK);
    assert_int_equal(str_set(&w->plan.rcpt_params, "NOTIFY=MAYBE"), ST_OK);
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_FAIL, "smtp.send.too_big");
    assert_true(world_log_has(w, "> SIZE=99999999 MT-PRIORITY=3\n"));
    assert_true(world_told(w, "SIZE=99999999 is sent all the same."));
    assert_true(world_told(w, "MT-PRIORITY=3 is sent all the same."));
    assert_true(world_told(w, "NOTIFY=MAYBE is sent all the same."));
    world_close(w);
}

static void test_chunks(void **state)
{
    (void)state;
    struct world *w = open_world("");
    w->plan.chunk = 100;
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(world_log_count(w, "BDAT 100\n") > 3);
    assert_int_equal(world_log_count(w, "LAST\n"), 1);
    assert_false(world_log_has(w, "DATA\n"));
    world_close(w);
    /* Not offered: the old way. */
    w = open_world("  withhold CHUNKING\n");
    w->plan.chunk = 100;
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(world_told(w, "goes by DATA"));
    assert_false(world_log_has(w, "BDAT"));
    world_close(w);
}

static void test_chunks_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *server, *id;
        bool closed;
    } cases[] = {
        {"  on BDAT: reply \"502 5.5.1 what\"\n", "smtp.send.chunking_broken", true},
        {"  on BDAT: reply \"500 5.5.2 what\"\n", "smtp.send.chunking_broken", true},
        {"  on message: reply \"554 5.7.1 looks like spam\"\n", "smtp.send.content_refused", false},
        {"  on message: reply \"451 4.3.0 later\"\n", "smtp.send.deferred", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = open_world(cases[i].server);
        w->plan.chunk = 100000;
        run_to_send(w);
        world_find(w, cases[i].id);
        assert_int_equal(w->c.smtp.state == SMTP_CLOSED, cases[i].closed);
        world_close(w);
    }
}

static void test_binary(void **state)
{
    (void)state;
    struct world *w = open_world("  offer CHUNKING\n  offer BINARYMIME\n  offer 8BITMIME\n");
    set_message(w, "To: x\r\n\r\na\0b\nc", 14);
    assert_int_equal(str_set(&w->plan.mail_params, "BODY=BINARYMIME"), ST_OK);
    w->plan.chunk = 1000;
    run_to_send(w);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_int_equal(practice_text_bytes(w->net), 14);
    world_close(w);
}

static void test_lmtp(void **state)
{
    (void)state;
    struct world *w = open_world("  lmtp\n  withhold CHUNKING\n");
    w->plan.lmtp = true;
    run_to_send(w);
    world_expect(w, CHECK_EHLO, VERDICT_OK, "smtp.ehlo.ok");
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_int_equal(world_log_count(w, "LHLO desk.office.example\n"), 2);
    assert_false(world_log_has(w, "EHLO"));
    world_close(w);
    /* Who does not speak it says so, and HELO is no way out. */
    w = open_world("");
    w->plan.lmtp = true;
    for (int i = 0; i <= CHECK_EHLO; i++) {
        world_step(w, (enum check_id)i);
    }
    world_expect(w, CHECK_EHLO, VERDICT_FAIL, "smtp.ehlo.refused");
    assert_false(world_log_has(w, "HELO desk.office.example\n") && !world_log_has(w, "LHLO"));
    world_close(w);
}

static void test_xclient(void **state)
{
    (void)state;
    struct world *w = open_world("  offer STARTTLS\n  offer XCLIENT ADDR NAME\n"
                                 "  hello \"{host} Hello [{client}]\"\n");
    assert_int_equal(str_set(&w->plan.xclient, "ADDR=203.0.113.77 NAME=a+b"), ST_OK);
    run_to_send(w);
    world_find(w, "smtp.ehlo.xclient");
    assert_true(world_log_has(w, "XCLIENT ADDR=203.0.113.77 NAME=a+2Bb\n"));
    /* Once in a connection, and EHLO behind it and behind TLS. */
    assert_int_equal(world_log_count(w, "XCLIENT"), 1);
    assert_int_equal(world_log_count(w, "EHLO"), 3);
    assert_true(world_told(w, "Hello [203.0.113.77]"));
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    /* On a new connection it is said again. */
    smtp_close(&w->c.smtp, ST_OK);
    world_forget(w);
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_int_equal(world_log_count(w, "XCLIENT"), 2);
    world_close(w);
}

static void test_xclient_under_tls_alone(void **state)
{
    (void)state;
    struct world *w = open_world("  offer STARTTLS\n  offer-tls XCLIENT ADDR NAME\n");
    assert_int_equal(str_set(&w->plan.xclient, "ADDR=203.0.113.77"), ST_OK);
    run_to_send(w);
    world_expect(w, CHECK_EHLO, VERDICT_OK, "smtp.ehlo.ok");
    world_find(w, "smtp.ehlo.xclient");
    assert_true(world_log_has(w, "tls XCLIENT ADDR=203.0.113.77\n"));
    world_close(w);
}

static void test_xclient_that_is_not_wanted(void **state)
{
    (void)state;
    struct world *w = open_world("  offer XCLIENT ADDR\n");
    assert_int_equal(str_set(&w->plan.xclient, "ADDR=203.0.113.77 LOGIN=x"), ST_OK);
    w->plan.tls = PLAN_TLS_NONE;
    run_to_send(w);
    world_find(w, "smtp.ehlo.xclient_refused");
    assert_true(world_told(w, "does not offer the attribute LOGIN"));
    world_close(w);
    w = open_world("  offer SIZE 1000\n");
    assert_int_equal(str_set(&w->plan.xclient, "ADDR=203.0.113.77"), ST_OK);
    w->plan.tls = PLAN_TLS_NONE;
    run_to_send(w);
    world_find(w, "smtp.ehlo.xclient_not_offered");
    assert_false(world_log_has(w, "XCLIENT"));
    world_close(w);
}

static void test_proxy(void **state)
{
    (void)state;
    static const char *const versions[] = {"v1", "v2"};
    static const char *const wishes[] = {"v1:203.0.113.77", "v2:203.0.113.77"};
    for (size_t i = 0; i < 2; i++) {
        char server[200];
        struct error error;
        snprintf(server, sizeof(server), "  proxy %s\n  hello \"{host} Hello [{client}]\"\n",
                 versions[i]);
        struct world *w = open_world(server);
        assert_int_equal(proxy_wish_parse(wishes[i], &w->plan.proxy, &error), ST_OK);
        run_to_send(w);
        world_expect(w, CHECK_BANNER, VERDICT_OK, "smtp.banner.ok");
        world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
        assert_true(world_told(w, "Hello [203.0.113.77]"));
        assert_true(world_log_has(w, i == 0 ? "<proxy v1>" : "<proxy v2>"));
        /* Every connection begins with it. */
        smtp_close(&w->c.smtp, ST_OK);
        world_forget(w);
        world_step(w, CHECK_SEND);
        world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
        world_close(w);
        /* The other version, or none, is not taken. */
        w = open_world(server);
        assert_int_equal(proxy_wish_parse(wishes[1 - i], &w->plan.proxy, &error), ST_OK);
        for (int k = 0; k <= CHECK_BANNER; k++) {
            world_step(w, (enum check_id)k);
        }
        assert_int_equal(w->c.results[CHECK_BANNER], VERDICT_FAIL);
        world_close(w);
    }
}

static void test_proxy_before_tls(void **state)
{
    (void)state;
    struct error error;
    struct world *w = world_open(ME ZONE "host mx1.example.org\n  address 192.0.2.10\n"
                                         "  port 465 mx tls\n" SERVER "  proxy any\n",
                                 "smtps://mx1.example.org");
    assert_int_equal(proxy_wish_parse("v2", &w->plan.proxy, &error), ST_OK);
    for (int k = 0; k <= CHECK_EHLO; k++) {
        world_step(w, (enum check_id)k);
    }
    world_expect(w, CHECK_BANNER, VERDICT_OK, "smtp.banner.ok");
    world_expect(w, CHECK_EHLO, VERDICT_OK, "smtp.ehlo.ok");
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_as_it_is),
        cmocka_unit_test(test_what_a_file_lacks_is_said),
        cmocka_unit_test(test_attachment_and_samples),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_wrong_parameters_are_sent_all_the_same),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_chunks_that_are_refused),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_lmtp),
        cmocka_unit_test(test_xclient),
        cmocka_unit_test(test_xclient_under_tls_alone),
        cmocka_unit_test(test_xclient_that_is_not_wanted),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_proxy_before_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
