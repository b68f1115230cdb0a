#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks_world.h"
#include "reply_decode.h"

#define ME "me\n  name desk.office.example\n  address 198.51.100.7\n"
#define ZONE "zone example.org\n  @ MX 10 mx1\n"
#define HOST                                                                                       \
    "host mx1.example.org\n  address 192.0.2.10\n  latency 20ms\n  port 25 mx\n  port 587 mx\n"
#define SERVER "server mx\n  local example.org\n  mailbox anna\n"

static struct world *open_send(const char *server, const char *target)
{
    char scenario[4096];
    snprintf(scenario, sizeof(scenario), ME ZONE HOST SERVER "%s", server);
    struct world *w = world_open(scenario, target);
    w->plan.send_consent = true;
    assert_int_equal(str_set(&w->plan.to, "anna@example.org"), ST_OK);
    for (int i = 0; i < CHECK_RELAY; i++) {
        world_step(w, (enum check_id)i);
    }
    return w;
}

static void test_sent(void **state)
{
    (void)state;
    struct world *w = open_send("", "example.org");
    int64_t start = net_now_us(w->net);
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    /* MAIL, RCPT and DATA in one flight, the text in the other. */
    assert_in_range(net_now_us(w->net) - start, 40000, 60000);
    world_arg(w, "smtp.send.ok", "recipient", "anna@example.org");
    assert_non_null(w->c.facts.queue_id);
    world_arg(w, "smtp.send.ok", "queue_id", w->c.facts.queue_id);
    world_arg(w, "smtp.send.ok", "message_id", w->c.facts.message_id);
    assert_true(w->c.facts.message_id[0] == '<');
    assert_true(world_log_has(w, "MAIL FROM:<postmaster@desk.office.example> SIZE="));
    assert_true(practice_text_bytes(w->net) > 100);
    assert_true(world_told(w, "X-Smtpscope-Run"));
    assert_int_equal(w->c.smtp.state, SMTP_READY);
    assert_true(w->c.facts.timings[TIMING_DATA].start_us >
                w->c.facts.timings[TIMING_ENVELOPE].start_us);
    world_close(w);
}

static void test_only_what_is_offered(void **state)
{
    (void)state;
    struct world *w = open_send("  offer STARTTLS\n", "example.org");
    assert_int_equal(str_set(&w->plan.from, "me@elsewhere.example"), ST_OK);
    assert_int_equal(str_set(&w->plan.subject, "caf\xc3\xa9"), ST_OK);
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(world_log_has(w, "MAIL FROM:<me@elsewhere.example>"));
    assert_false(world_log_has(w, "SIZE="));
    assert_false(world_log_has(w, "BODY="));
    world_close(w);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *server, *id;
        enum verdict verdict;
    } cases[] = {
        {"  on MAIL: reply \"550 5.7.1 not welcome\"\n", "smtp.send.sender_refused", VERDICT_FAIL},
        {"  on MAIL: reply \"530 5.7.0 Authentication required\"\n", "smtp.send.auth_required",
         VERDICT_FAIL},
        {"  on RCPT: reply \"550 5.7.1 You must authenticate first\"\n", "smtp.send.auth_required",
         VERDICT_FAIL},
        {"  on MAIL: reply \"530 5.7.0 Must issue a STARTTLS command first\"\n",
         "smtp.send.tls_required", VERDICT_FAIL},
        {"  on MAIL: reply \"552 5.3.4 Message size exceeds fixed limit\"\n", "smtp.send.too_big",
         VERDICT_FAIL},
        {"  on MAIL: reply \"451 4.3.0 try later\"\n", "smtp.send.deferred", VERDICT_WARN},
        {"  on RCPT: reply \"550 5.1.1 user unknown\"\n", "smtp.send.recipient_refused",
         VERDICT_FAIL},
        {"  on RCPT: reply \"554 5.7.1 Relay access denied\"\n", "smtp.send.relay_denied",
         VERDICT_FAIL},
        {"  on RCPT: reply \"554 5.7.1 Client host [198.51.100.7] blocked using x.example\"\n",
         "smtp.send.blocked", VERDICT_FAIL},
        {"  on message: reply \"550 5.7.1 your IP has a poor reputation\"\n", "smtp.send.blocked",
         VERDICT_FAIL},
        {"  on RCPT: reply \"454 4.7.1 Relay access denied\"\n", "smtp.send.relay_denied",
         VERDICT_FAIL},
        {"  on RCPT: reply \"450 4.2.0 Greylisted, see help\"\n", "smtp.send.greylisted",
         VERDICT_WARN},
        {"  on RCPT: reply \"450 4.7.1 busy\"\n", "smtp.send.deferred", VERDICT_WARN},
        {"  on RCPT: reply \"550 5.1.8 Sender address rejected: Domain not found\"\n",
         "smtp.send.sender_refused", VERDICT_FAIL},
        {"  on DATA: reply \"554 5.5.0 no\"\n", "smtp.send.data_refused", VERDICT_FAIL},
        {"  on DATA: reply \"451 4.3.0 later\"\n", "smtp.send.deferred", VERDICT_WARN},
        {"  on message: reply \"554 5.7.1 looks like spam\"\n", "smtp.send.content_refused",
         VERDICT_FAIL},
        {"  on message: reply \"452 4.3.1 Insufficient system storage\"\n", "smtp.send.deferred",
         VERDICT_WARN},
        {"  on message: reply \"552 5.3.4 message file too big\"\n", "smtp.send.too_big",
         VERDICT_FAIL},
        {"  on message: close\n", "smtp.send.unsure", VERDICT_INCONCLUSIVE},
        {"  on message: reset\n", "smtp.send.unsure", VERDICT_INCONCLUSIVE},
        {"  on message: stall\n", "smtp.send.no_answer", VERDICT_INCONCLUSIVE},
        {"  on MAIL: reply \"421 4.3.2 going down\", close\n", "smtp.session.shutdown",
         VERDICT_INCONCLUSIVE},
        {"  on MAIL: close\n", "smtp.session.closed", VERDICT_FAIL},
        {"  on RCPT: reply \"550 5.1.1 user unknown\", close\n", "smtp.send.recipient_refused",
         VERDICT_FAIL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
        char server[512];
        size_t k = i / 2;
        snprintf(server, sizeof(server), "%s%s", i % 2 == 0 ? "" : "  withhold PIPELINING\n",
                 cases[k].server);
        print_message("send %zu: %s\n", i, server);
        struct world *w = open_send(server, "example.org");
        world_step(w, CHECK_SEND);
        world_expect(w, CHECK_SEND, cases[k].verdict, cases[k].id);
        assert_null(w->c.facts.queue_id);
        world_close(w);
    }
}

/* The same code at different vendors, whom the greeting gives away, and in different stages. */
static void test_causes(void **state)
{
    (void)state;
    static const struct {
        const char *server, *cause;
        enum reply_basis basis;
        enum confidence confidence;
    } cases[] = {
        {"  on MAIL: reply \"550 5.7.27 no\"\n", "reply.sender.null_mx", BASIS_ENHANCED,
         CONFIDENCE_LIKELY},
        {"  banner \"220 mx.google.com ESMTP x1 - gsmtp\"\n  on MAIL: reply \"550 5.7.27 no\"\n",
         "reply.spf.failed", BASIS_ENHANCED, CONFIDENCE_LIKELY},
        {"  on MAIL: reply \"550 Access denied\"\n", "reply.class.sender-rejected", BASIS_WORDS,
         CONFIDENCE_LIKELY},
        {"  on RCPT: reply \"550 Recipient address rejected\"\n", "reply.class.unknown-recipient",
         BASIS_WORDS, CONFIDENCE_LIKELY},
        {"  on RCPT: reply \"550 hm\"\n", "reply.code.550", BASIS_CODE, CONFIDENCE_GUESS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("cause %zu\n", i);
        struct world *w = open_send(cases[i].server, "example.org");
        world_step(w, CHECK_SEND);
        const struct finding *f = NULL;
        for (size_t k = 0; k < w->finding_count && f == NULL; k++) {
            f = w->findings[k].check == CHECK_SEND ? &w->findings[k].f : NULL;
        }
        assert_non_null(f);
        assert_non_null(f->cause);
        assert_string_equal(f->cause->id, cases[i].cause);
        assert_int_equal(f->class, f->cause->class);
        assert_int_equal(f->basis, cases[i].basis);
        assert_int_equal(f->confidence, cases[i].confidence);
        world_close(w);
    }
}

/* A refused recipient, and a server that wants the text all the same: it gets none. */
static void test_no_text_without_recipient(void **state)
{
    (void)state;
    struct world *w = open_send("  on RCPT: reply \"550 5.1.1 user unknown\"\n"
                                "  on DATA: reply \"354 go on\"\n",
                                "example.org");
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_FAIL, "smtp.send.recipient_refused");
    assert_int_equal(w->c.smtp.state, SMTP_CLOSED);
    assert_int_equal(practice_text_bytes(w->net), 0);
    world_close(w);

    w = open_send("  on RCPT: reply \"550 5.1.1 user unknown\"\n", "example.org");
    world_step(w, CHECK_SEND);
    assert_int_equal(w->c.smtp.state, SMTP_READY);
    assert_true(world_log_has(w, "RSET"));
    world_close(w);
}

static void test_consent(void **state)
{
    (void)state;
    struct world *w = open_send("", "example.org");
    w->plan.send_consent = false;
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_ASK, "check.needs_consent");
    world_forget(w);
    w->plan.send_consent = w->plan.read_only = true;
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_SKIPPED, "check.skipped");
    assert_false(world_log_has(w, "MAIL"));
    assert_int_equal(practice_text_bytes(w->net), 0);
    world_close(w);
}

static void test_beyond_ascii(void **state)
{
    (void)state;
    struct world *w =
        open_send("  offer SMTPUTF8\n  offer 8BITMIME\n  mailbox j\xc3\xbcrgen\n", "example.org");
    assert_int_equal(str_set(&w->plan.to, "j\xc3\xbcrgen@example.org"), ST_OK);
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(world_log_has(w, "BODY=8BITMIME SMTPUTF8"));
    world_close(w);

    w = open_send("  withhold SMTPUTF8\n", "example.org");
    assert_int_equal(str_set(&w->plan.to, "j\xc3\xbcrgen@example.org"), ST_OK);
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_FAIL, "smtp.send.recipient_refused");
    assert_false(world_log_has(w, "MAIL"));
    world_close(w);
}

#define LOGIN                                                                                      \
    "  offer STARTTLS\n  offer-tls AUTH PLAIN\n  user anna@example.org canary-1234\n  require "    \
    "login\n"

/* A server that wants a login gets the one that worked before, also on a new connection. */
static void test_login_first(void **state)
{
    (void)state;
    struct world *w = open_send(LOGIN, "mx1.example.org:587");
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_FAIL, "smtp.send.auth_required");
    world_forget(w);
    assert_int_equal(str_set(&w->plan.auth_user, "anna@example.org"), ST_OK);
    assert_int_equal(secret_set(&w->plan.password, "canary-1234", 11), ST_OK);
    assert_int_equal(redactor_add(&w->redactor, "anna@example.org", &w->plan.password), ST_OK);
    w->plan.auth_wanted = true;
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_OK, "smtp.auth.ok");
    smtp_close(&w->c.smtp, ST_EOF);
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_OK, "smtp.send.ok");
    assert_true(world_log_has(w, "MAIL FROM:<anna@example.org>"));
    assert_false(world_told(w, "canary-1234"));
    world_close(w);
}

/* A second connection that ends at somebody else gets no password, although the first one did. */
static void test_no_login_at_a_stranger(void **state)
{
    (void)state;
    struct world *w = open_send(LOGIN, "mx1.example.org:587");
    assert_int_equal(str_set(&w->plan.auth_user, "anna@example.org"), ST_OK);
    assert_int_equal(str_set(&w->plan.auth_mech, "PLAIN"), ST_OK);
    assert_int_equal(secret_set(&w->plan.password, "canary-1234", 11), ST_OK);
    w->plan.auth_wanted = true;
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_OK, "smtp.auth.ok");
    assert_int_equal(world_log_count(w, "AUTH PLAIN"), 1);
    smtp_close(&w->c.smtp, ST_EOF);
    str_copy(w->c.tls_name, sizeof(w->c.tls_name), "not.example.org");
    world_step(w, CHECK_SEND);
    world_expect(w, CHECK_SEND, VERDICT_FAIL, "smtp.send.auth_required");
    assert_int_equal(world_log_count(w, "AUTH PLAIN"), 1);
    world_close(w);
}

/* Stopped in the middle of the text: the link is cut, and no dot makes a message of the half. */
static void test_cancelled(void **state)
{
    (void)state;
    bool stopped_in_text = false;
    for (unsigned at = 1; at < 30; at++) {
        struct world *w = open_send("", "example.org");
        w->cancel_after = at;
        enum verdict v = world_step(w, CHECK_SEND);
        assert_true(v == VERDICT_STOPPED || v == VERDICT_OK);
        if (v == VERDICT_STOPPED && world_log_has(w, "DATA")) {
            stopped_in_text = true;
        }
        assert_true(w->c.smtp.state != SMTP_TEXT);
        world_close(w);
    }
    assert_true(stopped_in_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sent),        cmocka_unit_test(test_only_what_is_offered),
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_no_text_without_recipient),
        cmocka_unit_test(test_consent),     cmocka_unit_test(test_beyond_ascii),
        cmocka_unit_test(test_login_first), cmocka_unit_test(test_no_login_at_a_stranger),
        cmocka_unit_test(test_cancelled),
    };
    return cmocka_run_group_tests_name("checks_send", tests, NULL, NULL);
}
