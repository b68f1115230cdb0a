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
#define HOST(port) "host mx1.example.org\n  address 192.0.2.10\n  latency 20ms\n  " port "\n"
#define SERVER "server mx\n  local example.org\n"

static struct world *run_to(const char *server, const char *target, enum check_id last)
{
    char scenario[4096];
    const char *port = strstr(target, ":465") != NULL   ? "port 465 mx tls"
                       : strstr(target, ":587") != NULL ? "port 587 mx"
                                                        : "port 25 mx";
    snprintf(scenario, sizeof(scenario), ME ZONE HOST("%s") SERVER "%s", port, server);
    struct world *w = world_open(scenario, target);
    for (int i = 0; i <= (int)last; i++) {
        world_step(w, (enum check_id)i);
    }
    return w;
}

static void test_encrypted(void **state)
{
    (void)state;
    struct world *w = run_to("  offer STARTTLS\n  offer SIZE 52428800\n  offer-tls AUTH PLAIN\n",
                             "example.org", CHECK_CERTIFICATE);
    world_expect(w, CHECK_STARTTLS, VERDICT_NOTE, "smtp.ehlo.auth_on_25 tls.starttls.ok");
    world_arg(w, "tls.starttls.ok", "version", "TLSv1.3");
    world_expect(w, CHECK_CERTIFICATE, VERDICT_OK, "tls.certificate.ok");
    world_arg(w, "tls.certificate.ok", "name", "mx1.example.org");
    assert_true(w->c.smtp.tls);
    assert_int_equal(w->c.smtp.state, SMTP_READY);
    assert_string_equal(w->c.facts.mode, "starttls");
    assert_true(w->c.facts.tls->verified);
    assert_string_equal(w->c.facts.capabilities, "SIZE 52428800\nAUTH PLAIN");
    assert_true(world_told(w, "Offered only under TLS: AUTH"));
    assert_true(world_told(w, "No longer offered under TLS: STARTTLS"));
    const struct timing_span *t = w->c.facts.timings;
    assert_true(t[TIMING_STARTTLS].length_us >= 20000);
    assert_true(t[TIMING_TLS].start_us >=
                t[TIMING_STARTTLS].start_us + t[TIMING_STARTTLS].length_us);
    assert_true(t[TIMING_EHLO2].start_us >= t[TIMING_TLS].start_us);
    world_close(w);
}

static void test_implicit(void **state)
{
    (void)state;
    struct world *w = run_to("  offer-tls AUTH PLAIN\n", "mx1.example.org:465", CHECK_CERTIFICATE);
    world_expect(w, CHECK_BANNER, VERDICT_OK, "smtp.banner.ok");
    /* Under TLS there is nothing wrong with PLAIN. */
    world_expect(w, CHECK_EHLO, VERDICT_OK, "smtp.ehlo.ok");
    world_expect(w, CHECK_STARTTLS, VERDICT_OK, "tls.starttls.implicit");
    world_arg(w, "tls.starttls.implicit", "port", "465");
    world_expect(w, CHECK_CERTIFICATE, VERDICT_OK, "tls.certificate.ok");
    assert_string_equal(w->c.facts.mode, "implicit");
    assert_false(world_log_has(w, "STARTTLS"));
    world_close(w);

    /* Plain text where TLS should begin. */
    w = world_open(ME ZONE HOST("port 465 mx") SERVER, "mx1.example.org:465");
    for (int i = 0; i <= CHECK_BANNER; i++) {
        world_step(w, (enum check_id)i);
    }
    world_expect(w, CHECK_BANNER, VERDICT_FAIL, "tls.starttls.not_tls");
    assert_true(
        strncmp(finding_arg_get(world_find(w, "tls.starttls.not_tls"), "detail"), "220 ", 4) == 0);
    assert_false(w->c.facts.tls->done);
    world_close(w);
}

struct tls_case {
    const char *server, *target, *starttls, *certificate;
    enum verdict starttls_verdict, certificate_verdict;
};

static void test_not_encrypted(void **state)
{
    (void)state;
    static const struct tls_case cases[] = {
        {"  withhold STARTTLS\n", "example.org", "tls.starttls.not_offered", "check.skipped",
         VERDICT_WARN, VERDICT_SKIPPED},
        {"  withhold STARTTLS\n", "mx1.example.org:587", "tls.starttls.not_offered", "",
         VERDICT_FAIL, VERDICT_PENDING},
        {"  on EHLO: reply \"250-mx1.example.org\" \"250 XXXXXXXA\"\n", "example.org",
         "tls.starttls.masked", "check.skipped", VERDICT_WARN, VERDICT_SKIPPED},
        {"  on STARTTLS: reply \"454 4.7.0 TLS not available due to local problem\"\n",
         "example.org", "tls.starttls.refused_temp", "", VERDICT_FAIL, VERDICT_PENDING},
        {"  on STARTTLS: reply \"502 5.5.1 not implemented\"\n", "example.org",
         "tls.starttls.refused", "", VERDICT_FAIL, VERDICT_PENDING},
        {"  on STARTTLS: reply \"421 4.3.2 going down\", close\n", "example.org",
         "smtp.session.shutdown", "", VERDICT_INCONCLUSIVE, VERDICT_PENDING},
        {"  on STARTTLS: close\n", "example.org", "smtp.session.closed", "", VERDICT_FAIL,
         VERDICT_PENDING},
        {"  on STARTTLS: stall\n", "example.org", "smtp.session.timeout", "", VERDICT_FAIL,
         VERDICT_PENDING},
        {"  on STARTTLS: reply \"220 2.0.0 Ready\" \"250 injected\"\n", "example.org",
         "tls.starttls.injected", "", VERDICT_FAIL, VERDICT_PENDING},
        {"  tls old-protocol\n", "example.org", "tls.starttls.old_version", "tls.certificate.ok",
         VERDICT_WARN, VERDICT_OK},
        {"  tls no-shared-cipher\n", "example.org", "tls.starttls.no_cipher", "", VERDICT_FAIL,
         VERDICT_PENDING},
        {"  tls unknown-name\n", "example.org", "tls.starttls.unknown_name", "", VERDICT_FAIL,
         VERDICT_PENDING},
        {"  tls stall\n", "example.org", "tls.starttls.timeout", "", VERDICT_FAIL, VERDICT_PENDING},
        {"  tls garbage\n", "example.org", "tls.starttls.not_tls", "", VERDICT_FAIL, VERDICT_PENDING},
        {"  tls close\n", "example.org", "tls.starttls.closed", "", VERDICT_FAIL, VERDICT_PENDING},
        {"  tls reset\n", "example.org", "tls.starttls.closed", "", VERDICT_FAIL, VERDICT_PENDING},
        {"  on EHLO tls: reply \"503 5.5.1 no\"\n", "example.org", "tls.starttls.ehlo_failed", "",
         VERDICT_FAIL, VERDICT_PENDING},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("tls %zu: %s", i, cases[i].server);
        struct world *w = run_to(cases[i].server, cases[i].target, CHECK_STARTTLS);
        if (check_blocked_by(&w->c, &checks[CHECK_CERTIFICATE]) == CHECK_NONE) {
            world_step(w, CHECK_CERTIFICATE);
        }
        world_expect(w, CHECK_STARTTLS, cases[i].starttls_verdict, cases[i].starttls);
        world_expect(w, CHECK_CERTIFICATE, cases[i].certificate_verdict, cases[i].certificate);
        world_close(w);
    }
}

/* A client that has no certificate is told so in the handshake, or right behind it (TLS 1.3). */
static void test_client_certificate(void **state)
{
    (void)state;
    struct world *w = run_to("  tls client-certificate\n", "example.org", CHECK_STARTTLS);
    world_expect(w, CHECK_STARTTLS, VERDICT_FAIL, "tls.starttls.client_cert");
    world_close(w);
    w = run_to("  tls client-certificate\n", "mx1.example.org:465", CHECK_BANNER);
    world_expect(w, CHECK_BANNER, VERDICT_FAIL, "tls.starttls.client_cert");
    world_close(w);
}

static void test_demanded(void **state)
{
    (void)state;
    struct world *w = run_to("  withhold STARTTLS\n", "example.org", CHECK_EHLO);
    w->plan.tls = PLAN_TLS_STARTTLS;
    world_step(w, CHECK_STARTTLS);
    world_expect(w, CHECK_STARTTLS, VERDICT_FAIL, "tls.starttls.not_offered");
    world_close(w);

    w = run_to("", "example.org", CHECK_EHLO);
    w->plan.tls = PLAN_TLS_NONE;
    world_step(w, CHECK_STARTTLS);
    world_step(w, CHECK_CERTIFICATE);
    world_expect(w, CHECK_STARTTLS, VERDICT_NOTE, "tls.starttls.off");
    world_expect(w, CHECK_CERTIFICATE, VERDICT_SKIPPED, "check.skipped");
    assert_false(world_log_has(w, "STARTTLS"));
    world_close(w);
}

/* The same certificate weighs differently where programs of people check it. */
static void test_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *server, *ids;
        enum verdict open, strict;
    } cases[] = {
        {"  tls expired\n", "tls.certificate.expired", VERDICT_FAIL, VERDICT_FAIL},
        {"  tls not-yet-valid\n", "tls.certificate.not_yet_valid", VERDICT_FAIL, VERDICT_FAIL},
        {"  tls wrong-name\n", "tls.certificate.wrong_name", VERDICT_WARN, VERDICT_FAIL},
        {"  tls self-signed\n", "tls.certificate.self_signed", VERDICT_WARN, VERDICT_FAIL},
        {"  tls unknown-ca\n", "tls.certificate.untrusted_root", VERDICT_WARN, VERDICT_FAIL},
        {"  tls incomplete-chain\n", "tls.certificate.incomplete_chain", VERDICT_WARN,
         VERDICT_FAIL},
        {"  certificate until 5d\n", "tls.certificate.expires_soon tls.certificate.ok",
         VERDICT_NOTE, VERDICT_NOTE},
        {"  certificate key rsa1024\n", "tls.certificate.weak", VERDICT_WARN, VERDICT_WARN},
        {"  certificate names none\n", "tls.certificate.no_san", VERDICT_WARN, VERDICT_WARN},
        {"  tls tls-1.2\n", "tls.certificate.ok", VERDICT_OK, VERDICT_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("certificate %zu: %s", i, cases[i].server);
        struct world *w = run_to(cases[i].server, "example.org", CHECK_CERTIFICATE);
        world_expect(w, CHECK_CERTIFICATE, cases[i].open, cases[i].ids);
        world_close(w);
        w = run_to(cases[i].server, "mx1.example.org:587", CHECK_CERTIFICATE);
        world_expect(w, CHECK_CERTIFICATE, cases[i].strict, cases[i].ids);
        world_close(w);
    }
}

static void test_certificate_words(void **state)
{
    (void)state;
    struct world *w = run_to("  certificate until 5d\n", "example.org", CHECK_CERTIFICATE);
    world_arg(w, "tls.certificate.expires_soon", "days", "5");
    world_close(w);
    w = run_to("  tls wrong-name\n", "example.org", CHECK_CERTIFICATE);
    world_arg(w, "tls.certificate.wrong_name", "name", "mx1.example.org");
    assert_true(finding_arg_get(world_find(w, "tls.certificate.wrong_name"), "names")[0] != '\0');
    world_close(w);
    w = run_to("  certificate key rsa1024\n", "example.org", CHECK_CERTIFICATE);
    assert_non_null(
        strstr(finding_arg_get(world_find(w, "tls.certificate.weak"), "detail"), "1024"));
    world_close(w);
}

/* Done once more, the step begins in clear again. */
static void test_starttls_again(void **state)
{
    (void)state;
    struct world *w = run_to("", "example.org", CHECK_CERTIFICATE);
    world_forget(w);
    world_step(w, CHECK_STARTTLS);
    world_expect(w, CHECK_STARTTLS, VERDICT_OK, "tls.starttls.ok");
    world_step(w, CHECK_CERTIFICATE);
    world_expect(w, CHECK_CERTIFICATE, VERDICT_OK, "tls.certificate.ok");
    assert_int_equal(world_log_count(w, "STARTTLS"), 2);
    assert_int_equal(world_log_count(w, "<connect>"), 2);
    world_close(w);
}

/* What is opened again is as it was: with TLS where there was TLS, and in clear where it failed. */
static void test_reopen(void **state)
{
    (void)state;
    struct error error = {0};
    struct world *w = run_to("", "example.org", CHECK_CERTIFICATE);
    smtp_close(&w->c.smtp, ST_EOF);
    assert_int_equal(check_reopen(&w->c, &error), ST_OK);
    assert_true(w->c.smtp.tls);
    assert_int_equal(w->c.smtp.state, SMTP_READY);
    world_close(w);

    w = run_to("  tls close\n", "example.org", CHECK_STARTTLS);
    assert_int_equal(w->c.smtp.state, SMTP_CLOSED);
    assert_int_equal(check_reopen(&w->c, &error), ST_OK);
    assert_false(w->c.smtp.tls);
    assert_int_equal(w->c.smtp.state, SMTP_READY);
    world_close(w);

    w = run_to("", "mx1.example.org:465", CHECK_EHLO);
    smtp_close(&w->c.smtp, ST_EOF);
    assert_int_equal(check_reopen(&w->c, &error), ST_OK);
    assert_true(w->c.smtp.tls);
    world_close(w);

    w = run_to("  on connect after 1: reply \"554 5.7.1 enough\"\n", "example.org", CHECK_EHLO);
    smtp_close(&w->c.smtp, ST_EOF);
    assert_int_equal(check_reopen(&w->c, &error), ST_REFUSED);
    assert_string_equal(error.text, "554 5.7.1 enough");
    assert_int_equal(w->c.smtp.state, SMTP_CLOSED);
    world_close(w);
}

/* At whichever line the user stops it: stopped, and nothing hangs or leaks. */
static void test_cancel_anywhere(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 40; at++) {
        struct world *w = world_open(ME ZONE HOST("port 25 mx") SERVER, "example.org");
        w->cancel_after = at;
        enum verdict v = VERDICT_OK;
        for (int i = 0; i <= CHECK_CERTIFICATE && v != VERDICT_STOPPED; i++) {
            v = world_step(w, (enum check_id)i);
        }
        if (w->line_count >= at) {
            assert_true(v == VERDICT_STOPPED || w->c.results[CHECK_CERTIFICATE] != VERDICT_PENDING);
        }
        world_close(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_implicit),
        cmocka_unit_test(test_not_encrypted),
        cmocka_unit_test(test_client_certificate),
        cmocka_unit_test(test_demanded),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_certificate_words),
        cmocka_unit_test(test_starttls_again),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_cancel_anywhere),
    };
    return cmocka_run_group_tests_name("checks_tls", tests, NULL, NULL);
}
