#include "dns_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"example.org", "example.org"},
        {"Example.ORG.", "Example.ORG"},
        {".", "."},
        {"\\065b.c", "Ab.c"},
        {"a b.c", "a\\032b.c"},
        {"first\\.last.example.org", "first\\.last.example.org"},
        {"\xc3\xa9.example", "\\195\\169.example"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[DNS_NAME_MAX];
        assert_int_equal(dns_name_canonical(cases[i].in, out), ST_OK);
        assert_string_equal(out, cases[i].out);
    }
}

static void test_bad_names(void **state)
{
    (void)state;
    char long_label[80], long_name[400];
    memset(long_label, 'a', 64);
    memcpy(long_label + 64, ".org", sizeof(".org"));
    /* 128 labels of one letter are 257 octets. */
    for (size_t i = 0; i < 128; i++) {
        memcpy(long_name + 2 * i, "a.", 2);
    }
    long_name[256] = '\0';
    const char *const bad[] = {"",   "a..b", ".a",       "\\",      "\\1",
                               "..", "a\\",  long_label, long_name, NULL};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char out[DNS_NAME_MAX] = "x";
        assert_int_equal(dns_name_canonical(bad[i], out), ST_INVALID);
        assert_string_equal(out, "");
    }
    /* The largest that is allowed: 127 labels, 255 octets. */
    long_name[253] = '\0';
    uint8_t wire[DNS_WIRE_NAME_MAX + 1];
    size_t len = 0;
    assert_int_equal(dns_name_encode(long_name, wire, &len), ST_OK);
    assert_int_equal(len, 255);
    char out[DNS_NAME_MAX];
    assert_int_equal(dns_name_canonical(long_name, out), ST_OK);
    assert_string_equal(out, long_name);
    long_label[63] = '\0';
    assert_int_equal(dns_name_encode(long_label, wire, &len), ST_OK);
    assert_int_equal(len, 65);
}

static void test_longest_text(void **state)
{
    (void)state;
    /* Every octet needs four characters: the text must still fit into DNS_NAME_MAX. */
    char name[DNS_NAME_MAX], out[DNS_NAME_MAX];
    size_t at = 0;
    static const int labels[] = {63, 63, 63, 61};
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        for (int k = 0; k < labels[i]; k++) {
            memcpy(name + at, "\\001", 4);
            at += 4;
        }
        name[at++] = '.';
    }
    name[at - 1] = '\0';
    assert_int_equal(dns_name_canonical(name, out), ST_OK);
    assert_string_equal(out, name);
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(dns_name_equal("Example.org", "eXAMPLE.ORG."));
    assert_true(dns_name_equal(".", "."));
    assert_true(dns_name_equal("a\\.", "A\\."));
    assert_true(dns_name_equal("a\\\\.", "a\\\\"));
    assert_false(dns_name_equal("a\\.", "a\\"));
    assert_false(dns_name_equal("example.org", "example.or"));
    assert_false(dns_name_equal("a[.org", "a{.org")); /* differ by 0x20 but are no letters */
    assert_false(dns_name_equal("example.org", "examp1e.org"));
}

static void test_is_host(void **state)
{
    (void)state;
    static const char *const good[] = {"a",        "mx1.example.org", "mx1.example.org.",
                                       "3com.com", "192.0.2.1",       "xn--bcher-kva.example",
                                       "A-B.c"};
    static const char *const bad[] = {
        "",    ".",           "..",    "a..b",    ".a",           "-a.org",  "a-.org",
        "a b", "a\\032b.org", "*.org", "a_b.org", "\xc3\xa9.org", "a.org..", "a\n"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(dns_name_is_host(good[i], false));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(dns_name_is_host(bad[i], false));
    }
    assert_true(dns_name_is_host("_25._tcp.mx.example.org", true));
    assert_false(dns_name_is_host("_25._tcp.mx.example.org", false));

    char name[300];
    memset(name, 'a', sizeof(name));
    name[63] = '\0';
    assert_true(dns_name_is_host(name, false));
    name[63] = 'a';
    name[64] = '\0';
    assert_false(dns_name_is_host(name, false));
    for (size_t i = 1; i < sizeof(name); i += 2) {
        name[i] = '.';
        name[i - 1] = 'a';
    }
    name[253] = '\0';
    assert_true(dns_name_is_host(name, false));
    name[253] = '.';
    name[254] = '\0';
    assert_true(dns_name_is_host(name, false)); /* only the final dot was added */
    name[254] = 'a';
    name[255] = '\0';
    assert_false(dns_name_is_host(name, false));
}

static void test_reverse(void **state)
{
    (void)state;
    struct net_address a = {.family = 4, .bytes = {192, 0, 2, 25}};
    char out[80];
    dns_reverse_name(&a, out, sizeof(out));
    assert_string_equal(out, "25.2.0.192.in-addr.arpa");
    struct net_address b = {
        .family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xaf}};
    dns_reverse_name(&b, out, sizeof(out));
    assert_string_equal(out, "f.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
                             ".ip6.arpa");
    char small[10];
    dns_reverse_name(&b, small, sizeof(small));
    assert_string_equal(small, "f.a.0.0.0");
    struct net_address none = {.family = 0};
    dns_reverse_name(&none, out, sizeof(out));
    assert_string_equal(out, "");
}

static void test_type_names(void **state)
{
    (void)state;
    char out[16];
    dns_type_name(DNS_MX, out, sizeof(out));
    assert_string_equal(out, "MX");
    dns_type_name(DNS_CAA, out, sizeof(out));
    assert_string_equal(out, "CAA");
    dns_type_name(65280, out, sizeof(out));
    assert_string_equal(out, "TYPE65280");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical),    cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_longest_text), cmocka_unit_test(test_equal),
        cmocka_unit_test(test_is_host),      cmocka_unit_test(test_reverse),
        cmocka_unit_test(test_type_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
