#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "plan.h"

static struct plan sample(void)
{
    struct plan p;
    struct error error = {0};
    plan_init(&p);
    assert_int_equal(plan_set_target(&p, "example.com", &error), ST_OK);
    return p;
}

static void must_fail(const struct plan *p, const char *says)
{
    struct error error = {0};
    enum status st = plan_validate(p, &error);
    if (st != ST_INVALID || strstr(error.text, says) == NULL) {
        fail_msg("wanted \"%s\": %s: %s", says, status_name(st), error.text);
    }
}

static void must_pass(const struct plan *p)
{
    struct error error = {0};
    if (plan_validate(p, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
}

static void set(char **slot, const char *text)
{
    assert_int_equal(str_set(slot, text), ST_OK);
}

static void test_copy_is_deep(void **state)
{
    (void)state;
    struct plan p = sample();
    struct plan q;
    char **const slots[] = {&p.host,    &p.helo,      &p.from,     &p.to,        &p.subject,
                            &p.ca_file, &p.cert_file, &p.key_file, &p.auth_user, &p.auth_mech};
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        set(slots[i], "some text");
    }
    assert_int_equal(secret_set(&p.password, "canary", 6), ST_OK);
    p.port = 2525;
    p.relay_consent = true;
    assert_int_equal(plan_copy(&q, &p), ST_OK);
    plan_free(&p);
    assert_string_equal(q.input, "example.com");
    assert_string_equal(q.domain, "example.com");
    assert_string_equal(q.domain_shown, "example.com");
    assert_string_equal(q.host, "some text");
    assert_string_equal(q.helo, "some text");
    assert_string_equal(q.from, "some text");
    assert_string_equal(q.to, "some text");
    assert_string_equal(q.subject, "some text");
    assert_string_equal(q.ca_file, "some text");
    assert_string_equal(q.cert_file, "some text");
    assert_string_equal(q.key_file, "some text");
    assert_string_equal(q.auth_user, "some text");
    assert_string_equal(q.auth_mech, "some text");
    assert_int_equal(q.password.len, 6);
    assert_memory_equal(q.password.p, "canary", 6);
    assert_int_equal(q.port, 2525);
    assert_true(q.relay_consent);
    plan_free(&q);
    assert_null(q.host);
    assert_false(secret_is_set(&q.password));
}

static void test_ports_and_modes(void **state)
{
    (void)state;
    struct plan p = sample();
    assert_int_equal(plan_port(&p), 25);
    assert_int_equal(plan_tls_effective(&p), PLAN_TLS_STARTTLS);
    p.port = 465;
    assert_int_equal(plan_tls_effective(&p), PLAN_TLS_IMPLICIT);
    p.tls = PLAN_TLS_NONE;
    assert_int_equal(plan_tls_effective(&p), PLAN_TLS_NONE);
    p.tls = PLAN_TLS_IMPLICIT;
    p.port = 0;
    assert_int_equal(plan_port(&p), 465);
    assert_string_equal(plan_tls_name(PLAN_TLS_AUTO), "auto");
    assert_string_equal(plan_tls_name(PLAN_TLS_STARTTLS), "starttls");
    assert_string_equal(plan_tls_name(PLAN_TLS_IMPLICIT), "implicit");
    assert_string_equal(plan_tls_name(PLAN_TLS_NONE), "none");
    plan_free(&p);
}

static void test_needs_a_target(void **state)
{
    (void)state;
    struct plan p;
    plan_init(&p);
    must_fail(&p, "no target");
    plan_free(&p);
    p = sample();
    must_pass(&p);
    plan_free(&p);
}

/* What would begin a line of its own never leaves, whichever field it hides in. */
static void test_fields_hold_one_line(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\r\nRSET", "a\nb", "\r", "a\tb", "a\x7f", "\x1b[2J"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct plan p = sample();
        char **const fields[] = {&p.helo, &p.subject, &p.auth_user, &p.from, &p.to};
        for (size_t k = 0; k < ARRAY_LEN(fields); k++) {
            set(fields[k], bad[i]);
            must_fail(&p, "");
            set(fields[k], NULL);
        }
        must_pass(&p);
        plan_free(&p);
    }
    struct plan p = sample();
    set(&p.helo, "two words");
    must_fail(&p, "position 4");
    set(&p.helo, "");
    must_fail(&p, "empty");
    /* An unlawful name may be the very thing that is to be tried out. */
    set(&p.helo, "under_score");
    must_pass(&p);
    plan_free(&p);
}

static void test_contradicting_families(void **state)
{
    (void)state;
    struct error error = {0};
    struct plan p = sample();
    assert_int_equal(plan_set_host(&p, "192.0.2.1", &error), ST_OK);
    p.family = 6;
    must_fail(&p, "only IPv6");
    p.family = 0;
    assert_true(net_address_parse("2001:db8::1", &p.source));
    must_fail(&p, "no connection");
    p.family = 4;
    must_fail(&p, "source");
    assert_true(net_address_parse("192.0.2.9", &p.source));
    must_pass(&p);
    plan_free(&p);
}

static void test_envelope(void **state)
{
    (void)state;
    struct plan p = sample();
    set(&p.from, "no-domain");
    must_fail(&p, "Sender");
    set(&p.from, ""); /* the null sender */
    must_pass(&p);
    set(&p.to, "");
    must_fail(&p, "Recipient");
    set(&p.to, "a@b@c");
    must_fail(&p, "Recipient");
    set(&p.to, NULL);
    p.send_consent = true;
    must_fail(&p, "needs a recipient");
    p.read_only = true;
    must_pass(&p);
    p.read_only = false;
    set(&p.to, "somebody@example.com");
    must_pass(&p);
    plan_free(&p);
}

static void test_login(void **state)
{
    (void)state;
    struct plan p = sample();
    set(&p.auth_mech, "NTLM");
    must_fail(&p, "NTLM");
    set(&p.auth_mech, "PLAIN");
    must_pass(&p);
    p.auth_wanted = true;
    must_fail(&p, "user name");
    set(&p.auth_user, "me");
    must_fail(&p, "password");
    assert_int_equal(secret_set(&p.password, "canary", 6), ST_OK);
    must_pass(&p);
    secret_free(&p.password);
    set(&p.auth_user, NULL);
    set(&p.auth_mech, "EXTERNAL");
    must_pass(&p);
    plan_free(&p);
}

static void test_files_and_limits(void **state)
{
    (void)state;
    struct plan p = sample();
    set(&p.key_file, "key.pem");
    must_fail(&p, "certificate");
    set(&p.cert_file, "cert.pem");
    must_pass(&p);
    p.limits.rcpt = 0;
    must_fail(&p, "limits");
    p.limits = smtp_limits_rfc5321;
    p.deadline_s = -1;
    must_fail(&p, "limits");
    plan_free(&p);
}

static void test_facts(void **state)
{
    (void)state;
    struct facts f;
    struct facts g;
    facts_init(&f, 3);
    assert_int_equal(f.preference, -1);
    for (int i = 0; i < TIMING_COUNT; i++) {
        assert_int_equal(f.timings[i].start_us, -1);
        assert_true(timing_key((enum timing)i)[0] != '\0');
        assert_true(timing_title((enum timing)i)[0] != '\0');
    }
    facts_timing(&f, TIMING_CONNECT, 1000, 1500);
    assert_int_equal(f.timings[TIMING_CONNECT].start_us, 1000);
    assert_int_equal(f.timings[TIMING_CONNECT].length_us, 500);
    facts_timing(&f, TIMING_CONNECT, 1000, 900);
    assert_int_equal(f.timings[TIMING_CONNECT].length_us, 0);
    char **const slots[] = {&f.mx,        &f.ptr,          &f.own_address, &f.own_ptr,   &f.banner,
                            &f.ehlo_name, &f.capabilities, &f.queue_id,    &f.message_id};
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        set(slots[i], "text");
    }
    f.tls = calloc(1, sizeof(*f.tls));
    assert_non_null(f.tls);
    str_copy(f.tls->version, sizeof(f.tls->version), "TLSv1.3");
    assert_int_equal(facts_copy(&g, &f), ST_OK);
    assert_ptr_not_equal(g.tls, f.tls);
    facts_free(&f);
    assert_int_equal(f.path, 3);
    assert_null(f.mx);
    assert_int_equal(g.path, 3);
    assert_string_equal(g.mx, "text");
    assert_string_equal(g.message_id, "text");
    assert_string_equal(g.tls->version, "TLSv1.3");
    facts_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_is_deep),
        cmocka_unit_test(test_ports_and_modes),
        cmocka_unit_test(test_needs_a_target),
        cmocka_unit_test(test_fields_hold_one_line),
        cmocka_unit_test(test_contradicting_families),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_login),
        cmocka_unit_test(test_files_and_limits),
        cmocka_unit_test(test_facts),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
