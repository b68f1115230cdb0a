#include "sysfiles.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "guarded.h"

static void assert_list(const struct net_address *a, size_t count, const char *expected)
{
    struct buf text;
    buf_init(&text, 1000);
    for (size_t i = 0; i < count; i++) {
        char one[NET_ADDRESS_TEXT];
        net_address_format_port(&a[i], one, sizeof(one));
        assert_int_equal(buf_addf(&text, "%s%s", i > 0 ? " " : "", one), ST_OK);
    }
    assert_string_equal(buf_str(&text), expected);
    buf_free(&text);
}

static const struct {
    const char *text, *expected;
} resolver_cases[] = {
    {"nameserver 192.0.2.53\n", "192.0.2.53:53"},
    {"nameserver 192.0.2.53", "192.0.2.53:53"},
    {"nameserver\t2001:db8::53  # the big one\r\n", "[2001:db8::53]:53"},
    {"nameserver fe80::1%3\nsearch example.net\n", "[fe80::1%3]:53"},
    {"# nameserver 192.0.2.1\n;nameserver 192.0.2.2\n nameserver 192.0.2.3\noptions rotate\n"
     "nameserver 192.0.2.4\n",
     "192.0.2.4:53"},
    {"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
     "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53"},
    {"nameserver ns.example.net\nnameserver [::1]\nnameserver\nnameserver  \n"
     "nameservers 192.0.2.1\nnameserver=192.0.2.1\nnameserver 192.0.2.9\n",
     "192.0.2.9:53"},
    {"", "127.0.0.1:53"},
    {"\n\n\n", "127.0.0.1:53"},
    {"nameserver 1.2.3.4.5\n", "127.0.0.1:53"},
    {"nameserver 11111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "1111111111111111111111111111\n",
     "127.0.0.1:53"},
};

static void resolvers_in_their_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(resolver_cases); i++) {
        struct net_address a[8];
        struct guarded g = guarded_copy(resolver_cases[i].text, strlen(resolver_cases[i].text));
        size_t n = sysfiles_resolvers(g.p, g.len, a, ARRAY_LEN(a));
        assert_list(a, n, resolver_cases[i].expected);
        guarded_free(&g);
    }
    struct net_address one;
    static const char two[] = "nameserver 192.0.2.1\nnameserver 192.0.2.2\n";
    assert_int_equal(sysfiles_resolvers(two, strlen(two), &one, 1), 1);
    assert_int_equal(sysfiles_resolvers(two, strlen(two), &one, 0), 0);
}

static void resolvers_from_any_bytes(void **state)
{
    (void)state;
    static const char text[] = "nameserver 192.0.2.1\nnameserver \0 2\nnameserver 192.0.2.2\xff\n"
                               "nameserver fe80::1%9\n\n#\n";
    for (size_t to = 0; to < sizeof(text); to++) {
        struct net_address a[4];
        struct guarded g = guarded_copy(text, to);
        size_t n = sysfiles_resolvers(g.p, g.len, a, ARRAY_LEN(a));
        assert_true(n >= 1 && n <= SYSFILES_RESOLVERS_MAX);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(a[i].port, 53);
            assert_true(a[i].family == 4 || a[i].family == 6);
        }
        guarded_free(&g);
    }
}

static const char hosts[] = "127.0.0.1 localhost localhost.localdomain\n"
                            "::1\tlocalhost ip6-localhost\n"
                            "# 192.0.2.1 mx.example.net\n"
                            "192.0.2.2 mx.example.net mx # 192.0.2.3 www.example.net\r\n"
                            "  192.0.2.4   MX.Example.NET.  \n"
                            "192.0.2.2 again.example.net mx.example.net\n"
                            "not-an-address mx.example.net\n"
                            "fe80::2%5 mx.example.net\n"
                            "192.0.2.9\n"
                            "192.0.2.10 last";

static void hosts_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"localhost", "127.0.0.1:0 [::1]:0"},
        {"LOCALHOST.", "127.0.0.1:0 [::1]:0"},
        {"mx.example.net", "192.0.2.2:0 192.0.2.4:0 [fe80::2%5]:0"},
        {"mx", "192.0.2.2:0"},
        {"www.example.net", ""},
        {"192.0.2.9", ""},
        {"last", "192.0.2.10:0"},
        {"example.net", ""},
        {"", ""},
        {".", ""},
        {"#", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net_address a[8];
        struct guarded g = guarded_copy(hosts, strlen(hosts));
        size_t n = sysfiles_hosts(g.p, g.len, cases[i].name, a, ARRAY_LEN(a));
        assert_list(a, n, cases[i].expected);
        assert_int_equal(sysfiles_hosts(g.p, g.len, cases[i].name, a, 1), n > 1 ? 1 : n);
        guarded_free(&g);
    }
    char overlong[400];
    struct net_address a;
    memset(overlong, 'x', sizeof(overlong) - 1);
    overlong[sizeof(overlong) - 1] = '\0';
    assert_int_equal(sysfiles_hosts(hosts, strlen(hosts), overlong, &a, 1), 0);
}

static void hosts_cut_anywhere(void **state)
{
    (void)state;
    size_t last = 0;
    for (size_t to = 0; to <= strlen(hosts); to++) {
        struct net_address a[8];
        struct guarded g = guarded_copy(hosts, to);
        size_t n = sysfiles_hosts(g.p, g.len, "mx.example.net", a, ARRAY_LEN(a));
        assert_true(n >= last);
        last = n;
        guarded_free(&g);
    }
    assert_int_equal(last, 3);
}

static void files_are_read_up_to_a_limit(void **state)
{
    (void)state;
    char path[] = "/tmp/smtpscope-sysfiles-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct buf text;
    buf_init(&text, SYSFILES_READ_MAX);
    sysfiles_read(&text, path);
    assert_int_equal(text.len, 0);

    assert_int_equal(write(fd, "nameserver 192.0.2.1", 20), 20);
    sysfiles_read(&text, path);
    assert_string_equal(buf_str(&text), "nameserver 192.0.2.1");
    buf_clear(&text);

    static char line[1000];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\n';
    for (size_t n = 0; n <= SYSFILES_READ_MAX / sizeof(line); n++) {
        assert_int_equal(write(fd, line, sizeof(line)), (ssize_t)sizeof(line));
    }
    sysfiles_read(&text, path);
    assert_true(text.len > SYSFILES_READ_MAX - 2 * sizeof(line) && text.len <= SYSFILES_READ_MAX);
    assert_int_equal(text.p[text.len - 1], '\n');
    buf_free(&text);
    close(fd);
    unlink(path);

    sysfiles_read(&text, path);
    sysfiles_read(&text, "/tmp");
    assert_int_equal(text.len, 0);
    /* a pipe that nobody writes to must not hold us up */
    assert_int_equal(mkfifo(path, 0600), 0);
    sysfiles_read(&text, path);
    assert_int_equal(text.len, 0);
    unlink(path);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolvers_in_their_order),
        cmocka_unit_test(resolvers_from_any_bytes),
        cmocka_unit_test(hosts_are_found),
        cmocka_unit_test(hosts_cut_anywhere),
        cmocka_unit_test(files_are_read_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
