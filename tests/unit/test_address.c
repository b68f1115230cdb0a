#include "net.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void literals_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out, *with_port;
        uint8_t family;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", "192.0.2.1:25", 4},
        {"[192.0.2.1]", "192.0.2.1", "192.0.2.1:25", 4},
        {"255.255.255.255", "255.255.255.255", "255.255.255.255:25", 4},
        {"2001:db8::1", "2001:db8::1", "[2001:db8::1]:25", 6},
        {"[2001:DB8:0:0::1]", "2001:db8::1", "[2001:db8::1]:25", 6},
        {"[IPv6:2001:db8::1]", "2001:db8::1", "[2001:db8::1]:25", 6},
        {"[ipV6:::1]", "::1", "[::1]:25", 6},
        {"::", "::", "[::]:25", 6},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:25", 6},
        {"fe80::1%7", "fe80::1%7", "[fe80::1%7]:25", 6},
        {"[fe80::1%4294967295]", "fe80::1%4294967295", "[fe80::1%4294967295]:25", 6},
        {"1111:2222:3333:4444:5555:6666:7777:8888%4294967295",
         "1111:2222:3333:4444:5555:6666:7777:8888%4294967295",
         "[1111:2222:3333:4444:5555:6666:7777:8888%4294967295]:25", 6},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net_address a, b;
        char text[NET_ADDRESS_TEXT];
        assert_true(net_address_parse(cases[i].in, &a));
        assert_int_equal(a.family, cases[i].family);
        assert_int_equal(a.port, 0);
        net_address_format(&a, text, sizeof(text));
        assert_string_equal(text, cases[i].out);
        assert_true(net_address_parse(text, &b));
        assert_true(net_address_same_host(&a, &b));
        a.port = 25;
        net_address_format_port(&a, text, sizeof(text));
        assert_string_equal(text, cases[i].with_port);
    }
}

static void anything_else_is_no_address(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "mx.example.net", "192.0.2", "192.0.2.1.1", "192.0.2.256", "192.0.2.1 ",
        " 192.0.2.1", "192.0.2.1:25", "0300.0.2.1", "0x7f.0.0.1", "2130706433", "1.2.3.4%lo",
        "[192.0.2.1", "192.0.2.1]", "[]", "[", "]", "[IPv6:192.0.2.1]", "IPv6:::1", "[IPv6:]",
        "[IPv4:192.0.2.1]", "2001:db8::1::2", "2001:db8", ":::", "12345::", "g::1", "::1%",
        "::1%no-such-interface", "::1%4294967296", "::1%1x", "::1%-1", "[::1]x", "[[::1]]",
        "\xef\xbc\x91.2.3.4",
        "1111:2222:3333:4444:5555:6666:7777:8888%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct net_address a;
        char text[NET_ADDRESS_TEXT];
        memset(&a, 0xff, sizeof(a));
        if (net_address_parse(bad[i], &a)) {
            print_error("accepted: %s\n", bad[i]);
            fail();
        }
        assert_int_equal(a.family, 0);
        net_address_format(&a, text, sizeof(text));
        assert_string_equal(text, "-");
    }
}

static void zones_may_be_named(void **state)
{
    (void)state;
    struct net_address a;
    unsigned loopback = if_nametoindex("lo");
    if (loopback == 0) {
        skip();
    }
    assert_true(net_address_parse("fe80::1%lo", &a));
    assert_int_equal(a.scope, loopback);
}

static void hosts_are_compared_without_ports(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},   {"192.0.2.1", "192.0.2.2", false},
        {"::1", "::1", true},               {"::1", "::2", false},
        {"fe80::1%1", "fe80::1%2", false},  {"192.0.2.1", "::ffff:192.0.2.1", false},
        {"0.0.0.0", "::", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net_address a, b;
        assert_true(net_address_parse(cases[i].a, &a));
        assert_true(net_address_parse(cases[i].b, &b));
        a.port = 25;
        b.port = 587;
        assert_int_equal(net_address_same_host(&a, &b), cases[i].same);
        assert_int_equal(net_address_same_host(&b, &a), cases[i].same);
    }
    struct net_address none = {0};
    assert_false(net_address_same_host(&none, &none));
}

static void ranges_have_sharp_edges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum net_range range;
    } cases[] = {
        {"0.0.0.0", RANGE_UNSPECIFIED},       {"0.0.0.1", RANGE_RESERVED},
        {"1.0.0.0", RANGE_GLOBAL},            {"9.255.255.255", RANGE_GLOBAL},
        {"10.0.0.0", RANGE_PRIVATE},          {"10.255.255.255", RANGE_PRIVATE},
        {"11.0.0.0", RANGE_GLOBAL},           {"100.63.255.255", RANGE_GLOBAL},
        {"100.64.0.0", RANGE_SHARED},         {"100.127.255.255", RANGE_SHARED},
        {"100.128.0.0", RANGE_GLOBAL},        {"127.0.0.1", RANGE_LOOPBACK},
        {"128.0.0.0", RANGE_GLOBAL},          {"169.254.1.1", RANGE_LINK_LOCAL},
        {"169.253.255.255", RANGE_GLOBAL},    {"172.15.255.255", RANGE_GLOBAL},
        {"172.16.0.0", RANGE_PRIVATE},        {"172.31.255.255", RANGE_PRIVATE},
        {"172.32.0.0", RANGE_GLOBAL},         {"192.0.0.1", RANGE_RESERVED},
        {"192.0.1.0", RANGE_GLOBAL},          {"192.0.2.25", RANGE_DOCUMENTATION},
        {"192.168.1.1", RANGE_PRIVATE},       {"192.169.0.0", RANGE_GLOBAL},
        {"198.17.255.255", RANGE_GLOBAL},     {"198.18.0.0", RANGE_RESERVED},
        {"198.19.255.255", RANGE_RESERVED},   {"198.20.0.0", RANGE_GLOBAL},
        {"198.51.100.7", RANGE_DOCUMENTATION}, {"203.0.113.7", RANGE_DOCUMENTATION},
        {"223.255.255.255", RANGE_GLOBAL},    {"224.0.0.1", RANGE_MULTICAST},
        {"239.255.255.255", RANGE_MULTICAST}, {"240.0.0.0", RANGE_RESERVED},
        {"255.255.255.255", RANGE_RESERVED},  {"::", RANGE_UNSPECIFIED},
        {"::1", RANGE_LOOPBACK},              {"::2", RANGE_RESERVED},
        {"::ffff:10.1.2.3", RANGE_PRIVATE},   {"::ffff:8.8.8.8", RANGE_GLOBAL},
        {"::fffe:10.1.2.3", RANGE_RESERVED},  {"64:ff9b::808:808", RANGE_GLOBAL},
        {"64:ff9b:1::1", RANGE_RESERVED},     {"100::1", RANGE_RESERVED},
        {"1fff:ffff::", RANGE_RESERVED},      {"2001::1", RANGE_RESERVED},
        {"2001:1ff:ffff::", RANGE_RESERVED},  {"2001:200::", RANGE_GLOBAL},
        {"2001:db7:ffff::", RANGE_GLOBAL},    {"2001:db8::1", RANGE_DOCUMENTATION},
        {"2001:db9::", RANGE_GLOBAL},         {"2a00:1450::1", RANGE_GLOBAL},
        {"3ffe:ffff::", RANGE_GLOBAL},        {"3fff::1", RANGE_DOCUMENTATION},
        {"3fff:fff:ffff::", RANGE_DOCUMENTATION}, {"3fff:1000::", RANGE_GLOBAL},
        {"4000::", RANGE_RESERVED},           {"fbff:ffff::", RANGE_RESERVED},
        {"fc00::1", RANGE_UNIQUE_LOCAL},      {"fdff:ffff::1", RANGE_UNIQUE_LOCAL},
        {"fe00::", RANGE_RESERVED},           {"fe80::1", RANGE_LINK_LOCAL},
        {"febf::1", RANGE_LINK_LOCAL},        {"fec0::1", RANGE_RESERVED},
        {"ff02::1", RANGE_MULTICAST},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net_address a;
        assert_true(net_address_parse(cases[i].text, &a));
        if (net_address_range(&a) != cases[i].range) {
            print_error("%s is %s\n", cases[i].text, net_range_name(net_address_range(&a)));
            fail();
        }
    }
    struct net_address none = {0};
    assert_int_equal(net_address_range(&none), RANGE_UNSPECIFIED);
}

static void ranges_have_names(void **state)
{
    (void)state;
    for (int a = RANGE_GLOBAL; a <= RANGE_RESERVED; a++) {
        for (int b = RANGE_GLOBAL; b < a; b++) {
            assert_string_not_equal(net_range_name((enum net_range)a),
                                    net_range_name((enum net_range)b));
        }
    }
    assert_string_equal(net_range_name(RANGE_PRIVATE), "private");
    assert_non_null(net_range_name((enum net_range)77));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_read_and_written),
        cmocka_unit_test(anything_else_is_no_address),
        cmocka_unit_test(zones_may_be_named),
        cmocka_unit_test(hosts_are_compared_without_ports),
        cmocka_unit_test(ranges_have_sharp_edges),
        cmocka_unit_test(ranges_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
