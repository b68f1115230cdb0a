#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "greeting.h"
#include "guarded.h"
#include "ptr_name.h"
#include "queue_id.h"
#include "software.h"

static void test_generic_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *address;
        bool generic;
    } cases[] = {
        {"mail.example.com", "192.0.2.10", false},
        {"mx1.example.com", "192.0.2.1", false},
        {"mail2.pool.example.com", "192.0.2.1", true},
        {"pool.example.com", "192.0.2.1", false},
        {"mail.dsl.net", "192.0.2.1", false},
        {"192-0-2-10.example.net", "192.0.2.10", true},
        {"ip-192-0-2-10.eu.compute.example.net", "192.0.2.10", true},
        {"10.2.0.192.static.example.net", "192.0.2.10", true},
        {"192-000-002-010.example.net", "192.0.2.10", true},
        {"c0-00-02-0a.example.net", "192.0.2.10", true},
        {"host-c000020a.example.net", "192.0.2.10", true},
        {"srv10.example.net", "192.0.2.10", false},
        {"dyn17.example.net", "192.0.2.10", true},
        {"mail.example.org", "2001:db8::10", false},
        {"2001-db8-0-0-1-2-3-4.example.net", "2001:db8::1:2:3:4", false},
        {"x0001000200030004.example.net", "2001:db8::1:2:3:4", true},
        {".", "192.0.2.10", false},
        {"", "192.0.2.10", false},
        {"example", "192.0.2.10", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net_address a;
        assert_true(net_address_parse(cases[i].address, &a));
        if (ptr_name_is_generic(cases[i].name, &a) != cases[i].generic) {
            fail_msg("%s of %s", cases[i].name, cases[i].address);
        }
    }
    char lengthy[2000];
    for (size_t i = 0; i + 1 < sizeof(lengthy); i++) {
        lengthy[i] = "1a.-"[i % 4];
    }
    lengthy[sizeof(lengthy) - 1] = '\0';
    struct net_address a = {.family = 4, .bytes = {192, 0, 2, 1}};
    (void)ptr_name_is_generic(lengthy, &a);
}

static void test_other_protocols(void **state)
{
    (void)state;
    static const struct {
        const char *first, *protocol;
    } cases[] = {
        {"220 mx.example.com ESMTP Postfix", NULL},
        {"220 ftp.example.com ESMTP", NULL},
        {"220 ftp.example.com FTP server ready", "FTP"},
        {"220-FileZilla Server", "FTP"},
        {"200 news.example.com NNTP server ready", "NNTP"},
        {"554 go away", NULL},
        {"HTTP/1.1 400 Bad Request", "HTTP"},
        {"SSH-2.0-OpenSSH_9.2", "SSH"},
        {"+OK POP3 ready", "POP3"},
        {"* OK IMAP4 ready", "IMAP"},
        {"\x15\x03\x01", "TLS"},
        {"\xff\xfd\x18", "telnet"},
        {"", NULL},
        {"2", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct guarded g = guarded_copy(cases[i].first, strlen(cases[i].first));
        struct span s = {g.p, g.len};
        const char *got = greeting_other_protocol(s);
        if ((got == NULL) != (cases[i].protocol == NULL) ||
            (got != NULL && strcmp(got, cases[i].protocol) != 0)) {
            fail_msg("%s: %s", cases[i].first, got != NULL ? got : "SMTP");
        }
        guarded_free(&g);
    }
}

static void test_masks_and_names(void **state)
{
    (void)state;
    assert_true(greeting_is_masked(span_of("**************************")));
    assert_true(greeting_is_masked(span_of("****2******0**2****0*****00")));
    assert_false(greeting_is_masked(span_of("mx.example.com ESMTP *** welcome ***")));
    assert_false(greeting_is_masked(span_of("mx.example.com ESMTP")));
    assert_false(greeting_is_masked(span_of("")));
    assert_false(greeting_is_masked(span_of("2020 20")));

    assert_true(greeting_has_name(span_of("mx.example.com ESMTP Postfix")));
    assert_true(greeting_has_name(span_of("mx.example.com")));
    assert_true(greeting_has_name(span_of("[192.0.2.1] ESMTP")));
    assert_false(greeting_has_name(span_of("ESMTP ready")));
    assert_false(greeting_has_name(span_of("localhost.localdomain ESMTP")));
    assert_false(greeting_has_name(span_of("192.0.2.1 ESMTP")));
    assert_false(greeting_has_name(span_of("")));
    assert_false(greeting_has_name((struct span){"a.b\0c.d x", 9}));
}

static void test_software(void **state)
{
    (void)state;
    assert_string_equal(software_name(span_of("mx.example.com ESMTP Postfix (Debian/GNU)")),
                        "Postfix");
    assert_string_equal(software_name(span_of("mx.example.com ESMTP Exim 4.96 Mon, 23 Nov")),
                        "Exim");
    assert_string_equal(software_name(span_of("mx.google.com ESMTP a1-2.3 - gsmtp")), "Google");
    assert_string_equal(software_name(span_of("x.mail.protection.outlook.com Microsoft ESMTP MAIL "
                                              "Service ready")),
                        "Microsoft 365");
    assert_string_equal(software_name(span_of("ready")), "");
    assert_string_equal(software_name(span_of("")), "");
}

static void test_queue_ids(void **state)
{
    (void)state;
    static const struct {
        const char *text, *id;
    } cases[] = {
        {"Ok: queued as 4XyZ12AbCd", "4XyZ12AbCd"},
        {"2.0.0 Ok: queued as 3F2A1C0042", "3F2A1C0042"},
        {"OK id=1tEXaB-0000yz-1J", "1tEXaB-0000yz-1J"},
        {"<abc@x> [InternalId=12345678, Hostname=X.prod.outlook.com] Queued mail for delivery",
         "12345678"},
        {"OK  1700000000 d9443c01a7336-1cf8a1b2c3dsi123.45 - gsmtp",
         "d9443c01a7336-1cf8a1b2c3dsi123.45"},
        {"xAN1bC2d012345 Message accepted for delivery", "xAN1bC2d012345"},
        {"4a5b6c7d Message accepted for delivery", "4a5b6c7d"},
        {"ok 1700000000 qp 12345", "12345"},
        {"Message accepted for delivery", NULL},
        {"OK", NULL},
        {"queued as ", NULL},
        {"queued as <>", NULL},
        {"Thank you", NULL},
    };
    char out[QUEUE_ID_MAX];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct guarded g = guarded_copy(cases[i].text, strlen(cases[i].text));
        bool found = queue_id_find((struct span){g.p, g.len}, out);
        if (found != (cases[i].id != NULL) || (found && strcmp(out, cases[i].id) != 0)) {
            fail_msg("%s: %s", cases[i].text, out);
        }
        for (size_t n = 0; n < g.len; n++) {
            (void)queue_id_find((struct span){g.p + n, g.len - n}, out);
        }
        guarded_free(&g);
    }
    char lengthy[1000];
    memset(lengthy, '7', sizeof(lengthy));
    memcpy(lengthy, "queued as ", 10);
    assert_false(queue_id_find((struct span){lengthy, sizeof(lengthy)}, out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generic_names),   cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_masks_and_names), cmocka_unit_test(test_software),
        cmocka_unit_test(test_queue_ids),
    };
    return cmocka_run_group_tests_name("check_words", tests, NULL, NULL);
}
