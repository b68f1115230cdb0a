#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "guarded.h"
#include "plan.h"

struct good {
    const char *text, *domain, *shown, *host;
    uint16_t port;
    enum plan_tls tls;
};

static void same_text(const char *text, const char *wanted, const char *got)
{
    if ((wanted == NULL) != (got == NULL) || (wanted != NULL && strcmp(wanted, got) != 0)) {
        fail_msg("%s: wanted %s, got %s", text, wanted != NULL ? wanted : "nothing",
                 got != NULL ? got : "nothing");
    }
}

static void test_good_targets(void **state)
{
    (void)state;
    static const struct good cases[] = {
        {"example.com", "example.com", "example.com", NULL, 0, PLAN_TLS_AUTO},
        {"  Example.COM.\n", "example.com", "example.com", NULL, 0, PLAN_TLS_AUTO},
        {"user@example.com", "example.com", "example.com", NULL, 0, PLAN_TLS_AUTO},
        {"\"odd@local\"@example.com", "example.com", "example.com", NULL, 0, PLAN_TLS_AUTO},
        {"user@[192.0.2.1]", NULL, NULL, "192.0.2.1", 0, PLAN_TLS_AUTO},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example",
         NULL, 0, PLAN_TLS_AUTO},
        {"xn--bcher-kva.example", "xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example",
         NULL, 0, PLAN_TLS_AUTO},
        {"stra\xc3\x9f"
         "e.example",
         "xn--strae-oqa.example",
         "stra\xc3\x9f"
         "e.example",
         NULL, 0, PLAN_TLS_AUTO},
        {"_mail.example.com", "_mail.example.com", "_mail.example.com", NULL, 0, PLAN_TLS_AUTO},
        {"mx.example.com:25", NULL, NULL, "mx.example.com", 25, PLAN_TLS_AUTO},
        {"mx.example.com:2525", NULL, NULL, "mx.example.com", 2525, PLAN_TLS_AUTO},
        {"localhost", NULL, NULL, "localhost", 0, PLAN_TLS_AUTO},
        {"mailhost:587", NULL, NULL, "mailhost", 587, PLAN_TLS_AUTO},
        {"192.0.2.25", NULL, NULL, "192.0.2.25", 0, PLAN_TLS_AUTO},
        {"192.0.2.25:65535", NULL, NULL, "192.0.2.25", 65535, PLAN_TLS_AUTO},
        {"2001:db8::25", NULL, NULL, "2001:db8::25", 0, PLAN_TLS_AUTO},
        {"[2001:db8::25]", NULL, NULL, "2001:db8::25", 0, PLAN_TLS_AUTO},
        {"[2001:db8::25]:465", NULL, NULL, "2001:db8::25", 465, PLAN_TLS_AUTO},
        {"[IPv6:2001:db8::25]:25", NULL, NULL, "2001:db8::25", 25, PLAN_TLS_AUTO},
        {"[192.0.2.1]:26", NULL, NULL, "192.0.2.1", 26, PLAN_TLS_AUTO},
        {"smtp://mx.example.com", NULL, NULL, "mx.example.com", 0, PLAN_TLS_AUTO},
        {"SMTP://mx.example.com/", NULL, NULL, "mx.example.com", 0, PLAN_TLS_AUTO},
        {"smtp://mx.example.com:2525", NULL, NULL, "mx.example.com", 2525, PLAN_TLS_AUTO},
        {"smtps://mx.example.com", NULL, NULL, "mx.example.com", 465, PLAN_TLS_IMPLICIT},
        {"submission://mx.example.com", NULL, NULL, "mx.example.com", 587, PLAN_TLS_STARTTLS},
        {"submissions://[2001:db8::1]:4650", NULL, NULL, "2001:db8::1", 4650, PLAN_TLS_IMPLICIT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct plan p;
        struct error error = {0};
        plan_init(&p);
        if (plan_set_target(&p, cases[i].text, &error) != ST_OK) {
            fail_msg("%s: %s", cases[i].text, error.text);
        }
        same_text(cases[i].text, cases[i].domain, p.domain);
        same_text(cases[i].text, cases[i].shown, p.domain_shown);
        same_text(cases[i].text, cases[i].host, p.host);
        assert_int_equal(p.port, cases[i].port);
        assert_int_equal(p.tls, cases[i].tls);
        assert_non_null(p.input);
        plan_free(&p);
    }
}

struct bad {
    const char *text;
    const char *says; /* part of the sentence */
};

static void test_bad_targets_say_why(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"", "no target"},
        {"   ", "no target"},
        {"exa mple.com", "position 4"},
        {"example\x01.com", "position 8"},
        {"http://example.com", "http"},
        {"ftp://example.com:21", "ftp"},
        {"smtp://user:canary@example.com", "--auth-user"},
        {"smtp://", "names no host"},
        {"smtp://example.com/path", "/path"},
        {"smtp://example.com?x=1", "?x=1"},
        {"@example.com", "before its @"},
        {"user@", "behind its @"},
        {"mx.example.com:", "missing"},
        {"mx.example.com:smtp", "smtp"},
        {"mx.example.com:25x", "25x"},
        {"mx.example.com:0", "Port 0"},
        {"mx.example.com:65536", "65536"},
        {"mx.example.com:99999999999999999999999", "too large"},
        {"192.0.2.300", "no IPv4 address"},
        {"192.0.2", "no IPv4 address"},
        {"1.2.3.4.5", "no IPv4 address"},
        {"[2001:db8::1", "never closed"},
        {"[mx.example.com]", "without brackets"},
        {"[]", "no IP address"},
        {"[192.0.2.1]25", "Behind the bracket"},
        {"2001:db8:::1", "no IPv6 address"},
        {"mx.example.com:25:26", "no IPv6 address"},
        {"example..com", "empty part"},
        {".example.com", "empty part"},
        {"-example.com", "hyphen"},
        {"example-.com", "hyphen"},
        {"exam!ple.com", "position 5"},
        {"example.com/path", "slash"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", "63"},
        {"\xff\xfe.example", "cannot be turned"},
        {"user@192.0.2", "no IPv4 address"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct plan p;
        struct error error = {0};
        plan_init(&p);
        p.port = 4711;
        enum status st = plan_set_target(&p, cases[i].text, &error);
        if (st != ST_INVALID || strstr(error.text, cases[i].says) == NULL) {
            fail_msg("%s: %s: %s", cases[i].text, status_name(st), error.text);
        }
        assert_null(strstr(error.text, "canary"));
        assert_null(p.input);
        assert_null(p.domain);
        assert_null(p.host);
        assert_int_equal(p.port, 4711);
        plan_free(&p);
    }
}

static void test_failure_leaves_the_plan(void **state)
{
    (void)state;
    struct plan p;
    struct error error = {0};
    plan_init(&p);
    assert_int_equal(plan_set_target(&p, "user@example.com", &error), ST_OK);
    assert_int_equal(plan_set_target(&p, "mx:99999", &error), ST_INVALID);
    assert_string_equal(p.input, "user@example.com");
    assert_string_equal(p.domain, "example.com");
    assert_null(p.host);
    /* A host beside the domain keeps it: that is where its mail is looked for. */
    assert_int_equal(plan_set_host(&p, "[2001:db8::5]:2525", &error), ST_OK);
    assert_string_equal(p.domain, "example.com");
    assert_string_equal(p.host, "2001:db8::5");
    assert_int_equal(p.port, 2525);
    assert_int_equal(plan_set_host(&p, "user@example.com", &error), ST_INVALID);
    assert_string_equal(p.host, "2001:db8::5");
    assert_int_equal(plan_set_host(&p, "", &error), ST_INVALID);
    /* The port that was asked for stays when the next target names none. */
    assert_int_equal(plan_set_target(&p, "example.net", &error), ST_OK);
    assert_int_equal(p.port, 2525);
    assert_null(p.host);
    plan_free(&p);
}

/* Every beginning of odd texts, on the edge of a page, so that a byte too far is noticed. */
static void test_no_byte_too_far(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "submissions://[2001:db8::1]:4650/x?y#z",
        "\"a@b\"@[IPv6:2001:db8::1]:25",
        "b\xc3\xbc\xf0\x9f\x98\x80.xn--bcher-kva.example.:65535",
        ":::::@@@@[[[[]]]]....----",
        "1.2.3.4:5:6.7",
        "xn--\xff.xn--zzzzzz999.x",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t n = 0; n <= strlen(texts[i]); n++) {
            char text[128];
            memcpy(text, texts[i], n);
            text[n] = '\0';
            struct guarded g = guarded_copy(text, n + 1);
            struct plan p;
            struct error error = {0};
            plan_init(&p);
            enum status st = plan_set_target(&p, g.p, &error);
            assert_true(st == ST_OK || (st == ST_INVALID && error.text[0] != '\0'));
            assert_true(st != ST_OK || p.domain != NULL || p.host != NULL);
            plan_free(&p);
            guarded_free(&g);
        }
    }
}

static void test_long_targets(void **state)
{
    (void)state;
    char text[3000];
    struct plan p;
    struct error error = {0};
    for (size_t n = 240; n < sizeof(text); n += 7) {
        memset(text, 'a', n);
        for (size_t i = 30; i < n; i += 31) {
            text[i] = '.';
        }
        text[n - 1] = 'b';
        text[n] = '\0';
        plan_init(&p);
        enum status st = plan_set_target(&p, text, &error);
        assert_int_equal(st, n <= 253 ? ST_OK : ST_INVALID);
        plan_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_targets),
        cmocka_unit_test(test_bad_targets_say_why),
        cmocka_unit_test(test_failure_leaves_the_plan),
        cmocka_unit_test(test_no_byte_too_far),
        cmocka_unit_test(test_long_targets),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
