#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns_name.h"
#include "share_safe.h"

static struct net_address address(const char *text)
{
    struct net_address a;
    if (!net_address_parse(text, &a)) {
        fail_msg("%s is no address", text);
    }
    return a;
}

static int setup(void **state)
{
    struct share_safe *s = NULL;
    struct net_address own = address("85.214.132.7");
    struct net_address own6 = address("2a01:4f8:9:8::7");
    struct net_address resolver = address("85.214.7.134");
    assert_int_equal(share_safe_new(&s), ST_OK);
    assert_int_equal(share_safe_domain(s, "Tannenhof-Werke.de"), ST_OK);
    assert_int_equal(share_safe_own_address(s, &own), ST_OK);
    assert_int_equal(share_safe_own_address(s, &own6), ST_OK);
    assert_int_equal(share_safe_resolver(s, &resolver), ST_OK);
    assert_int_equal(share_safe_host(s, "gw.kontor-mueller.at", SHARE_OWN), ST_OK);
    assert_int_equal(share_safe_host(s, "mail.tannenhof-werke.de", SHARE_SERVER), ST_OK);
    assert_int_equal(share_safe_host(s, "mx7.postdienst.net", SHARE_SERVER), ST_OK);
    assert_int_equal(share_safe_user(s, "friederike@kontor-mueller.at"), ST_OK);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    share_safe_free(*state);
    return 0;
}

static void expect_name(struct share_safe *s, const char *name, const char *example)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(share_safe_name(s, name, &out), ST_OK);
    if (strcmp(buf_str(&out), example) != 0) {
        fail_msg("%s became %s instead of %s", name, buf_str(&out), example);
    }
    buf_free(&out);
}

static void expect_text(struct share_safe *s, const char *text, const char *example)
{
    struct buf out;
    buf_init(&out, SHARE_TEXT_MAX);
    assert_int_equal(share_safe_text(s, text, strlen(text), 0, &out), ST_OK);
    if (strcmp(buf_str(&out), example) != 0) {
        fail_msg("\"%s\" became\n\"%s\" instead of\n\"%s\"", text, buf_str(&out), example);
    }
    buf_free(&out);
}

static void expect_address(struct share_safe *s, const char *text, const char *example)
{
    struct net_address out;
    struct net_address a = address(text);
    char shown[NET_ADDRESS_TEXT];
    assert_int_equal(share_safe_address(s, &a, &out), ST_OK);
    net_address_format(&out, shown, sizeof(shown));
    if (strcmp(shown, example) != 0) {
        fail_msg("%s became %s instead of %s", text, shown, example);
    }
}

static void test_names(void **state)
{
    struct share_safe *s = *state;
    expect_name(s, "tannenhof-werke.de", "example.org");
    expect_name(s, "TANNENHOF-WERKE.DE.", "example.org");
    expect_name(s, "mail.tannenhof-werke.de", "mx1.example.org");
    expect_name(s, "www.tannenhof-werke.de", "host1.example.org");
    expect_name(s, "WWW.Tannenhof-werke.de", "host1.example.org");
    expect_name(s, "gw.kontor-mueller.at", "desk.office.example");
    expect_name(s, "kontor-mueller.at", "office.example");
    expect_name(s, "mx7.postdienst.net", "mx2.org1.example");
    expect_name(s, "nottannenhof-werke.de", "org2.example");
    expect_name(s, "localhost", "localhost");
    expect_name(s, ".", ".");
    expect_name(s, "_dmarc.tannenhof-werke.de", "_dmarc.example.org");
}

/* Whatever a hostile server says, there is an example for it. */
static void test_there_is_always_an_example(void **state)
{
    struct share_safe *s = *state;
    struct buf labels, out;
    char name[64];
    buf_init(&labels, 1024);
    buf_init(&out, 4096);
    expect_name(s, "verein.eu", "org2.example"); /* so that a parent gets the last place */
    for (unsigned i = 0; i < SHARE_NAMES_MAX; i++) {
        snprintf(name, sizeof(name), "host.customer-%u.net", i);
        buf_clear(&out);
        assert_int_equal(share_safe_name(s, name, &out), ST_OK);
        assert_null(strstr(buf_str(&out), "customer"));
    }
    expect_name(s, "host.customer-9999.net", "host0.org0.example");
    teardown(state);
    setup(state);
    while (labels.len < 490) {
        assert_int_equal(buf_add_str(&labels, "z."), ST_OK);
    }
    assert_int_equal(buf_add_str(&labels, "google.com"), ST_OK);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "q%u.google.com", i); /* numbers get long */
        buf_clear(&out);
        assert_int_equal(share_safe_name(*state, name, &out), ST_OK);
    }
    expect_text(*state, buf_str(&labels), "host0.org0.example");
    buf_free(&labels);
    buf_free(&out);
}

/* Who owns what is no more known, and what lies below what still is. */
static void test_names_keep_their_kinship(void **state)
{
    struct share_safe *s = *state;
    expect_name(s, "*.postdienst.net", "*.org1.example");
    expect_name(s, "a.b.postdienst.net", "host1.host2.org1.example");
    expect_name(s, "b.postdienst.net", "host2.org1.example");
    expect_name(s, "b.POSTDIENST.net", "host2.org1.example");
}

/* The software and the filter are known by these ends; the customer stood in front. */
static void test_providers_keep_their_ends(void **state)
{
    struct share_safe *s = *state;
    expect_name(s, "tannenhof-werke-de.mail.protection.outlook.com",
                "host1.mail.protection.outlook.com");
    expect_name(s, "AM0PR01MB1234.eurprd01.prod.outlook.com", "host2.host3.prod.outlook.com");
    expect_name(s, "mx.google.com", "mx.google.com");
    expect_name(s, "aspmx.l.google.com", "aspmx.l.google.com");
    expect_name(s, "zen.spamhaus.org", "zen.spamhaus.org");
    expect_name(s, "7.132.214.85.zen.spamhaus.org", "host4.host5.host6.host7.zen.spamhaus.org");
    expect_text(s, "220 mx.google.com ESMTP a640c23a62f3a-aa678f2c2easi1234567a.567 - gsmtp",
                "220 mx.google.com ESMTP a000a00a00a0a-aa000a0a0aaaa0000000a.000 - gsmtp");
}

/* Names that violate the rules must go on doing so: a verdict may rest on it. */
static void test_odd_names_stay_odd(void **state)
{
    struct share_safe *s = *state;
    static const char *const odd[] = {
        "my_host.tannenhof-werke.de", "-mail.tannenhof-werke.de", "mail-.tannenhof-werke.de",
        "evil\\027]0\\;pwned\\007.tannenhof-werke.de", "a b.tannenhof-werke.de"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct buf out;
        buf_init(&out, 4096);
        assert_int_equal(share_safe_name(s, odd[i], &out), ST_OK);
        assert_false(dns_name_is_host(buf_str(&out), false));
        assert_int_equal(dns_name_is_host(odd[i], true), dns_name_is_host(buf_str(&out), true));
        assert_null(strcasestr(buf_str(&out), "tannenhof"));
        assert_null(strcasestr(buf_str(&out), "pwned"));
        buf_free(&out);
    }
    expect_name(s, "12345.678", "12345.678");
    expect_name(s, "81.2.69.10", "192.0.2.10");
}

static void test_reverse_names(void **state)
{
    struct share_safe *s = *state;
    expect_name(s, "7.132.214.85.in-addr.arpa", "7.100.51.198.in-addr.arpa");
    expect_name(s, "10.69.2.81.IN-ADDR.ARPA", "10.2.0.192.in-addr.arpa");
    struct net_address own = address("2a01:4f8:9:8::7");
    struct net_address example = address("2001:db8:51::7");
    char from[DNS_NAME_MAX], to[DNS_NAME_MAX];
    dns_reverse_name(&own, from, sizeof(from));
    dns_reverse_name(&example, to, sizeof(to));
    expect_name(s, from, to);
}

static void test_addresses(void **state)
{
    struct share_safe *s = *state;
    expect_address(s, "85.214.132.7", "198.51.100.7");
    expect_address(s, "85.214.132.99", "198.51.100.10"); /* beside us */
    expect_address(s, "81.2.69.10", "192.0.2.10");
    expect_address(s, "62.146.7.1", "192.0.2.11");
    expect_address(s, "81.2.69.10", "192.0.2.10");
    expect_address(s, "85.214.7.134", "192.0.2.53");
    expect_address(s, "2a01:4f8:9:8::7", "2001:db8:51::7");
    expect_address(s, "2a01:4f8:9:8::25", "2001:db8:51::10");
    expect_address(s, "2a02:1234::25", "2001:db8:2::10");
    expect_address(s, "::ffff:81.2.69.10", "::ffff:192.0.2.10");
}

/* What range an address is of decides whether mail can be delivered there. */
static void test_ranges_survive(void **state)
{
    struct share_safe *s = *state;
    static const char *const all[] = {
        "127.0.0.1",      "127.9.9.9",  "::1",         "0.0.0.0",    "10.1.2.3",     "172.20.1.9",
        "192.168.178.20", "100.90.1.2", "169.254.7.8", "fe80::1234", "fd12:3456::9", "224.0.0.251",
        "ff02::fb",       "240.1.2.3",  "5f00::1",     "81.2.69.10", "2a02:1234::25"};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct net_address a = address(all[i]);
        struct net_address out;
        assert_int_equal(share_safe_address(s, &a, &out), ST_OK);
        enum net_range range = net_address_range(&a);
        range = range == RANGE_GLOBAL ? RANGE_DOCUMENTATION : range;
        if (net_address_range(&out) != range) {
            fail_msg("%s went to another range", all[i]);
        }
    }
    /* Neighbours stay neighbours, strangers strangers. */
    expect_address(s, "10.1.2.3", "10.0.0.10");
    expect_address(s, "10.1.2.4", "10.0.0.11");
    expect_address(s, "10.1.3.3", "10.0.1.10");
    expect_address(s, "192.168.178.21", "192.168.0.11");
}

static void test_many_addresses(void **state)
{
    struct share_safe *s = *state;
    for (unsigned i = 0; i < 3000; i++) {
        struct net_address a = {.family = 4, .bytes = {81, (uint8_t)(i >> 8), (uint8_t)i, 1}};
        struct net_address out;
        assert_int_equal(share_safe_address(s, &a, &out), ST_OK);
        assert_int_equal(net_address_range(&out), RANGE_DOCUMENTATION);
        assert_memory_not_equal(out.bytes, "\xc6\x33\x64", 3); /* never beside us */
    }
    for (unsigned i = 0; i < 3000; i++) {
        char name[64];
        struct buf out;
        snprintf(name, sizeof(name), "h%u.d%u.net", i, i);
        buf_init(&out, 1024);
        assert_int_equal(share_safe_name(s, name, &out), ST_OK);
        assert_true(dns_name_is_host(buf_str(&out), false));
        assert_null(strstr(buf_str(&out), ".net"));
        buf_free(&out);
    }
}

static void test_texts(void **state)
{
    struct share_safe *s = *state;
    static const struct {
        const char *text, *example;
    } rows[] = {
        {"", ""},
        {"250 2.1.0 Ok", "250 2.1.0 Ok"},
        {"554 5.7.1 <anna@tannenhof-werke.de>: Relay access denied",
         "554 5.7.1 <user-2@example.org>: Relay access denied"},
        {"<Friederike@Kontor-Mueller.AT>, friederike!", "<user-1@office.example>, user-1!"},
        {"friederiken", "friederiken"},
        {"mail.tannenhof-werke.de Hello gw.kontor-mueller.at [85.214.132.7]",
         "mx1.example.org Hello desk.office.example [198.51.100.7]"},
        {"Welcome to Tannenhof-Werke mail", "Welcome to example mail"},
        {"seen from IPv6:2a01:4f8:9:8::7, or [IPv6:2a02:1234::25]:25.",
         "seen from IPv6:2001:db8:51::7, or [IPv6:2001:db8:2::10]:25."},
        {"see http://www.spamhaus.org/query/ip/85.214.132.7.",
         "see http://www.spamhaus.org/query/ip/198.51.100.7."},
        {"at 12:34:56 and 4.7.1 of 15.20.7.1234", "at 12:34:56 and 4.7.1 of 15.20.7.1234"},
        {"postmaster@tannenhof-werke.de, Abuse@other.fr",
         "postmaster@example.org, Abuse@org2.example"},
        {"relay-check%example.net@mail.tannenhof-werke.de",
         "relay-check%example.net@mx1.example.org"},
        {"\"relay-check@example.net\"@mail.tannenhof-werke.de",
         "\"relay-check@example.net\"@mx1.example.org"},
        {"550 5.1.10 RESOLVER.ADR.RecipientNotFound; STOREDRV.Submission",
         "550 5.1.10 RESOLVER.ADR.RecipientNotFound; STOREDRV.Submission"},
        {"250 2.0.0 Ok: queued as 4WxYz01ABc", "250 2.0.0 Ok: queued as 0AaAa00AAa"},
        {"250 OK id=1tEXaB-000123-Ab", "250 OK id=0aAAaA-000000-Aa"},
        {"ok 1700000000 qp 4711", "ok 0000000000 qp 0000"},
        {"SHA256, rfc5321, TLSv1.3, 8BITMIME, XOAUTH2",
         "SHA256, rfc5321, TLSv1.3, 8BITMIME, XOAUTH2"},
        {"xx_tannenhof-werke.de_yy", "xx_example.org_yy"},
        {"ip 85-214-132-7 is listed", "ip 198-51-100-7 is listed"},
        {"Re\xc3\xa9mi\xff@ \xe2\x80\xae.", "Re\xc3\xa9mi\xff@ \xe2\x80\xae."},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect_text(s, rows[i].text, rows[i].example);
    }
}

/* Keywords of EHLO are no names of messages. */
static void test_keywords_stay(void **state)
{
    struct share_safe *s = *state;
    static const char text[] = "X4ABC12DEF0 gw.kontor-mueller.at";
    struct buf out;
    buf_init(&out, 1024);
    assert_int_equal(share_safe_text(s, text, strlen(text), SHARE_KEYWORDS, &out), ST_OK);
    assert_string_equal(buf_str(&out), "X4ABC12DEF0 desk.office.example");
    buf_free(&out);
}

static void test_dynamic_names(void **state)
{
    struct share_safe *s = *state;
    struct net_address own = address("85.214.132.7");
    assert_int_equal(share_safe_dynamic_name(s, "p85-214-132-7.dip.dslnetz.de", &own), ST_OK);
    expect_name(s, "p85-214-132-7.dip.dslnetz.de", "ip-198-51-100-7.dyn.provider.example");
    expect_text(s, "Your DSLNETZ line p85-214-132-7.dip.dslnetz.de is dynamic",
                "Your office line ip-198-51-100-7.dyn.provider.example is dynamic");
}

/* A provider that is itself the one under test is nobody's provider. */
static void test_a_provider_under_test(void **state)
{
    (void)state;
    struct share_safe *s = NULL;
    assert_int_equal(share_safe_new(&s), ST_OK);
    assert_int_equal(share_safe_domain(s, "google.com"), ST_OK);
    expect_name(s, "mx.google.com", "host1.example.org");
    expect_name(s, "abc.mail.protection.outlook.com", "host2.mail.protection.outlook.com");
    share_safe_free(s);
}

static void test_long_texts(void **state)
{
    struct share_safe *s = *state;
    struct buf text, out;
    buf_init(&text, 1 << 20);
    buf_init(&out, SHARE_TEXT_MAX);
    for (size_t i = 0; i < 20000; i++) {
        assert_int_equal(buf_add_str(&text, "a.b@c"), ST_OK);
    }
    assert_int_equal(share_safe_text(s, buf_str(&text), text.len, 0, &out), ST_OK);
    assert_true(out.len > 0);
    buf_free(&text);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_keep_their_kinship, setup, teardown),
        cmocka_unit_test_setup_teardown(test_providers_keep_their_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_names_stay_odd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reverse_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ranges_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keywords_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dynamic_names, setup, teardown),
        cmocka_unit_test(test_a_provider_under_test),
        cmocka_unit_test_setup_teardown(test_long_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_there_is_always_an_example, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
