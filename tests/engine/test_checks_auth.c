#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks_world.h"

#define PASSWORD "canary-1234"
#define ME "me\n  name desk.office.example\n  address 198.51.100.7\n"
#define HOST                                                                                       \
    "host mail.example.org\n  address 192.0.2.30\n  latency 20ms\n  port 25 mx\n  port 587 mx\n"   \
    "  port 465 mx tls\n"
#define SERVER "server mx\n  local example.org\n  user anna@example.org " PASSWORD "\n"

/* Everything up to the login; `password` NULL: nobody wants to log in. */
static struct world *open_login(const char *server, const char *target, const char *password)
{
    char scenario[4096];
    snprintf(scenario, sizeof(scenario), ME HOST SERVER "%s", server);
    struct world *w = world_open(scenario, target);
    if (password != NULL) {
        assert_int_equal(str_set(&w->plan.auth_user, "anna@example.org"), ST_OK);
        assert_int_equal(secret_set(&w->plan.password, password, strlen(password)), ST_OK);
        assert_int_equal(redactor_add(&w->redactor, "anna@example.org", &w->plan.password), ST_OK);
        w->plan.auth_wanted = true;
    }
    for (int i = 0; i < CHECK_RELAY; i++) {
        world_step(w, (enum check_id)i);
    }
    return w;
}

/* No line and no finding holds the password, in clear or as the mechanisms write it. */
static void close_secretly(struct world *w)
{
    static const char *const traces[] = {
        PASSWORD, "Y2FuYXJ5LTEyMzQ", "NhbmFyeS0xMjM0", "jYW5hcnktMTIzN", "canary%2D1234",
    };
    for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
        assert_false(world_told(w, traces[i]));
        for (size_t k = 0; k < w->finding_count; k++) {
            for (size_t a = 0; a < w->findings[k].f.arg_count; a++) {
                assert_null(strstr(w->findings[k].f.args[a].value, traces[i]));
            }
        }
    }
    world_close(w);
}

static void test_every_mechanism(void **state)
{
    (void)state;
    static const char *const mechs[] = {"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN", "XOAUTH2"};
    for (size_t i = 0; i < ARRAY_LEN(mechs); i++) {
        char server[256];
        snprintf(server, sizeof(server), "  offer STARTTLS\n  offer-tls AUTH %s\n", mechs[i]);
        struct world *w = open_login(server, "mail.example.org:587", PASSWORD);
        assert_int_equal(str_set(&w->plan.auth_mech, mechs[i]), ST_OK);
        world_step(w, CHECK_AUTH);
        world_expect(w, CHECK_AUTH, VERDICT_OK, "smtp.auth.ok");
        world_arg(w, "smtp.auth.ok", "mech", mechs[i]);
        world_arg(w, "smtp.auth.ok", "user", "anna@example.org");
        assert_true(w->c.facts.authenticated);
        assert_true(w->c.smtp.authenticated);
        assert_true(w->c.facts.timings[TIMING_AUTH].length_us > 0);
        close_secretly(w);
    }
}

static void test_wrong_password(void **state)
{
    (void)state;
    static const char *const mechs[] = {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"};
    for (size_t i = 0; i < ARRAY_LEN(mechs); i++) {
        char server[256];
        snprintf(server, sizeof(server), "  offer STARTTLS\n  offer-tls AUTH %s\n", mechs[i]);
        struct world *w = open_login(server, "mail.example.org:587", "not-the-one");
        world_step(w, CHECK_AUTH);
        world_expect(w, CHECK_AUTH, VERDICT_FAIL, "smtp.auth.wrong");
        /* One try, whatever else is offered: accounts are locked after few. */
        assert_int_equal(world_log_count(w, "AUTH"), 1);
        assert_false(w->c.facts.authenticated);
        close_secretly(w);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *reply, *id;
        enum verdict verdict;
    } cases[] = {
        {"535 5.7.8 Error: authentication failed", "smtp.auth.wrong", VERDICT_FAIL},
        {"534 5.7.9 Application-specific password required", "smtp.auth.app_password",
         VERDICT_FAIL},
        {"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the "
         "Tenant",
         "smtp.auth.disabled", VERDICT_FAIL},
        {"550 5.7.30 Basic authentication is not supported for Client Submission",
         "smtp.auth.disabled", VERDICT_FAIL},
        {"525 5.7.13 User account disabled", "smtp.auth.disabled", VERDICT_FAIL},
        {"454 4.7.0 Temporary authentication failure", "smtp.auth.temporary", VERDICT_FAIL},
        {"432 4.7.12 A password transition is needed", "smtp.auth.refused", VERDICT_FAIL},
        {"538 5.7.11 Encryption required for requested authentication mechanism",
         "smtp.auth.needs_tls", VERDICT_FAIL},
        {"530 5.7.0 Must issue a STARTTLS command first", "smtp.auth.needs_tls", VERDICT_FAIL},
        {"504 5.5.4 Unrecognized authentication type", "smtp.auth.refused", VERDICT_FAIL},
        {"501 5.5.2 cannot decode", "smtp.auth.refused", VERDICT_FAIL},
        {"421 4.7.0 Too many failures", "smtp.session.shutdown", VERDICT_INCONCLUSIVE},
        {"334 %%%not-base64%%%", "smtp.auth.protocol", VERDICT_FAIL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char server[512];
        snprintf(server, sizeof(server),
                 "  offer STARTTLS\n  offer-tls AUTH PLAIN\n  on AUTH: reply \"%s\"\n",
                 cases[i].reply);
        print_message("auth %zu: %s\n", i, cases[i].reply);
        struct world *w = open_login(server, "mail.example.org:587", PASSWORD);
        world_step(w, CHECK_AUTH);
        world_expect(w, CHECK_AUTH, cases[i].verdict, cases[i].id);
        close_secretly(w);
    }
}

static void test_token_refused(void **state)
{
    (void)state;
    struct world *w =
        open_login("  offer STARTTLS\n  offer-tls AUTH XOAUTH2\n"
                   "  on AUTH: reply \"535 5.7.8 Username and Password not accepted\"\n",
                   "mail.example.org:587", PASSWORD);
    assert_int_equal(str_set(&w->plan.auth_mech, "XOAUTH2"), ST_OK);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_FAIL, "smtp.auth.oauth");
    close_secretly(w);
}

static void test_broken_links(void **state)
{
    (void)state;
    static const struct {
        const char *action, *id;
    } cases[] = {
        {"close", "smtp.session.closed"},
        {"reset", "smtp.session.reset"},
        {"stall", "smtp.session.timeout"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char server[256];
        snprintf(server, sizeof(server),
                 "  offer STARTTLS\n  offer-tls AUTH PLAIN\n  on AUTH: %s\n", cases[i].action);
        struct world *w = open_login(server, "mail.example.org:587", PASSWORD);
        world_step(w, CHECK_AUTH);
        world_expect(w, CHECK_AUTH, VERDICT_FAIL, cases[i].id);
        close_secretly(w);
    }
}

/* In clear nothing is said of a password, unless the user said so. */
static void test_in_clear(void **state)
{
    (void)state;
    struct world *w =
        open_login("  withhold STARTTLS\n  offer AUTH PLAIN\n", "mail.example.org:587", PASSWORD);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_INCONCLUSIVE, "smtp.auth.no_tls");
    assert_false(world_log_has(w, "AUTH"));
    world_forget(w);
    w->plan.auth_in_clear = true;
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_OK, "smtp.auth.ok");
    close_secretly(w);
}

static void test_not_offered(void **state)
{
    (void)state;
    struct world *w = open_login("  withhold AUTH\n", "mail.example.org:587", PASSWORD);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_FAIL, "smtp.auth.not_offered");
    world_arg(w, "smtp.auth.not_offered", "port", "587");
    close_secretly(w);

    /* Not being able to log in on port 25 is as it should be, when nobody wants to. */
    w = open_login("  withhold AUTH\n", "mail.example.org", NULL);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_ASK, "check.needs_consent");
    close_secretly(w);

    w = open_login("  withhold AUTH\n", "mail.example.org:587", NULL);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_FAIL, "smtp.auth.not_offered");
    close_secretly(w);

    /* Without TLS the offer may be held back. */
    w = open_login("  withhold STARTTLS AUTH\n", "mail.example.org:587", NULL);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_SKIPPED, "check.skipped");
    close_secretly(w);

    w = open_login("  offer-tls AUTH PLAIN\n  offer STARTTLS\n", "mail.example.org:587", NULL);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_ASK, "check.needs_consent");
    assert_false(world_log_has(w, "AUTH"));
    close_secretly(w);
}

static void test_no_common_mechanism(void **state)
{
    (void)state;
    struct world *w = open_login("  offer-tls AUTH NTLM GSSAPI\n  offer STARTTLS\n",
                                 "mail.example.org:587", PASSWORD);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_FAIL, "smtp.auth.no_common");
    world_arg(w, "smtp.auth.no_common", "offered", "NTLM, GSSAPI");
    close_secretly(w);

    w = open_login("  offer-tls AUTH PLAIN\n  offer STARTTLS\n", "mail.example.org:587", PASSWORD);
    assert_int_equal(str_set(&w->plan.auth_mech, "CRAM-MD5"), ST_OK);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_FAIL, "smtp.auth.no_common");
    world_arg(w, "smtp.auth.no_common", "wanted", "CRAM-MD5");
    close_secretly(w);
}

static void test_read_only(void **state)
{
    (void)state;
    struct world *w =
        open_login("  offer-tls AUTH PLAIN\n  offer STARTTLS\n", "mail.example.org:587", PASSWORD);
    w->plan.read_only = true;
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_SKIPPED, "check.skipped");
    assert_false(world_log_has(w, "AUTH"));
    close_secretly(w);
}

static void test_again(void **state)
{
    (void)state;
    struct world *w =
        open_login("  offer-tls AUTH PLAIN\n  offer STARTTLS\n", "mail.example.org:587", PASSWORD);
    world_step(w, CHECK_AUTH);
    world_forget(w);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_OK, "smtp.auth.ok");
    assert_int_equal(world_log_count(w, "<connect>"), 2);
    close_secretly(w);
}

/* The login that a server repeats to us is blanked wherever it is shown. */
static void test_echo(void **state)
{
    (void)state;
    struct world *w = open_login("  offer-tls AUTH PLAIN\n  offer STARTTLS\n"
                                 "  on AUTH: reply \"535 5.7.8 bad password " PASSWORD "\"\n",
                                 "mail.example.org:587", PASSWORD);
    world_step(w, CHECK_AUTH);
    world_expect(w, CHECK_AUTH, VERDICT_FAIL, "smtp.auth.wrong");
    close_secretly(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_mechanism),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_token_refused),
        cmocka_unit_test(test_broken_links),
        cmocka_unit_test(test_in_clear),
        cmocka_unit_test(test_not_offered),
        cmocka_unit_test(test_no_common_mechanism),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_echo),
    };
    return cmocka_run_group_tests_name("checks_auth", tests, NULL, NULL);
}
