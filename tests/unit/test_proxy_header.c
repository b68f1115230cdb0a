/* The header of the PROXY protocol, written and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"
#include "proxy_header.h"

static struct net_address address(const char *text, uint16_t port)
{
    struct net_address a;
    assert_true(net_address_parse(text, &a));
    a.port = port;
    return a;
}

static void write_header(const char *wish, const char *local, const char *peer, struct buf *out)
{
    struct proxy_wish w;
    struct error error = {.text = ""};
    struct net_address from = address(local, 49152);
    struct net_address to = address(peer, 25);
    assert_int_equal(proxy_wish_parse(wish, &w, &error), ST_OK);
    buf_clear(out);
    if (proxy_header_write(&w, &from, &to, out, &error) != ST_OK) {
        fail_msg("%s: %s", wish, error.text);
    }
}

static void test_version_1(void **state)
{
    (void)state;
    static const struct {
        const char *wish, *local, *peer, *line;
    } cases[] = {
        {"v1", "198.51.100.7", "192.0.2.10", "PROXY TCP4 198.51.100.7 192.0.2.10 49152 25\r\n"},
        {"v1:203.0.113.7", "198.51.100.7", "192.0.2.10",
         "PROXY TCP4 203.0.113.7 192.0.2.10 49152 25\r\n"},
        {"v1:203.0.113.7:4711", "198.51.100.7", "192.0.2.10",
         "PROXY TCP4 203.0.113.7 192.0.2.10 4711 25\r\n"},
        {"v1:[2001:db8::7]:4711", "2001:db8::1", "2001:db8::25",
         "PROXY TCP6 2001:db8::7 2001:db8::25 4711 25\r\n"},
        {"v1:2001:db8::7", "2001:db8::1", "2001:db8::25",
         "PROXY TCP6 2001:db8::7 2001:db8::25 49152 25\r\n"},
        {"v1:unknown", "198.51.100.7", "192.0.2.10", "PROXY UNKNOWN\r\n"},
    };
    struct buf out;
    buf_init(&out, PROXY_HEADER_V1_MAX);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        write_header(cases[i].wish, cases[i].local, cases[i].peer, &out);
        assert_string_equal(buf_str(&out), cases[i].line);
    }
    buf_free(&out);
}

/* What is written of a wish is read as the same one. */
static void test_wishes_are_written(void **state)
{
    (void)state;
    static const char *const texts[] = {"v1",
                                        "v2",
                                        "v1:203.0.113.7",
                                        "v2:203.0.113.7:4711",
                                        "v1:2001:db8::7",
                                        "v2:[2001:db8::7]:4711",
                                        "v1:unknown",
                                        "v2:local"};
    struct proxy_wish wish = {.version = 0};
    struct error error;
    char text[PROXY_WISH_TEXT] = "x";
    proxy_wish_format(&wish, text, sizeof(text));
    assert_string_equal(text, "");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(proxy_wish_parse(texts[i], &wish, &error), ST_OK);
        proxy_wish_format(&wish, text, sizeof(text));
        assert_string_equal(text, texts[i]);
    }
}

/* As in the example of the specification, section 2.2. */
static void test_version_2(void **state)
{
    (void)state;
    static const char four[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\xc0\0\x02\x0a"
                               "\xc0\0\0\x19";
    static const char local[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    struct buf out;
    buf_init(&out, PROXY_HEADER_V2_MAX);
    write_header("v2", "198.51.100.7", "192.0.2.10", &out);
    assert_int_equal(out.len, sizeof(four) - 1);
    assert_memory_equal(out.p, four, sizeof(four) - 1);
    write_header("v2:local", "198.51.100.7", "192.0.2.10", &out);
    assert_int_equal(out.len, sizeof(local) - 1);
    assert_memory_equal(out.p, local, sizeof(local) - 1);
    write_header("v2:[2001:db8::7]:4711", "2001:db8::1", "2001:db8::25", &out);
    assert_int_equal(out.len, PROXY_HEADER_V2_MAX);
    buf_free(&out);
}

/* Cut at every byte, and with something behind it. */
static void test_reading(void **state)
{
    (void)state;
    static const char *const wishes[] = {
        "v1", "v2", "v1:unknown", "v2:local", "v1:203.0.113.7:4711", "v2:203.0.113.7:4711"};
    struct buf out;
    buf_init(&out, 500);
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        struct proxy_header h;
        write_header(wishes[i], "198.51.100.7", "192.0.2.10", &out);
        for (size_t n = 0; n < out.len; n++) {
            struct guarded g = guarded_copy(out.p, n);
            assert_int_equal(proxy_header_read(g.p, n, &h), ST_AGAIN);
            guarded_free(&g);
        }
        size_t len = out.len;
        assert_int_equal(buf_add_str(&out, "EHLO x\r\n"), ST_OK);
        assert_int_equal(proxy_header_read(out.p, out.len, &h), ST_OK);
        assert_int_equal(h.len, len);
        assert_int_equal(h.version, wishes[i][1] - '0');
        assert_int_equal(h.unknown,
                         strchr(wishes[i], 'o') != NULL || strchr(wishes[i], 'u') != NULL);
        if (!h.unknown) {
            assert_int_equal(h.destination.port, 25);
            assert_int_equal(h.source.port, strchr(wishes[i], ':') != NULL ? 4711 : 49152);
        }
    }
    buf_free(&out);
}

static void test_no_header(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "EHLO x\r\n",
        "PROXY TCP4 a b 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n",
        "PROXY UNKNOWN\n",
        "\r\nEHLO\r\n",
    };
    struct proxy_header h;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct guarded g = guarded_copy(bad[i], strlen(bad[i]));
        assert_int_equal(proxy_header_read(g.p, g.len, &h), ST_INVALID);
        guarded_free(&g);
    }
    /* Longer than a line may be, and still without its end. */
    char line[PROXY_HEADER_V1_MAX + 10];
    memset(line, ' ', sizeof(line));
    memcpy(line, "PROXY TCP4 1.2.3.4", 18);
    struct guarded g = guarded_copy(line, sizeof(line));
    assert_int_equal(proxy_header_read(g.p, g.len, &h), ST_INVALID);
    guarded_free(&g);
    static const char kind[] = "\r\n\r\n\0\r\nQUIT\n\x21\x12\0\0";
    assert_int_equal(proxy_header_read(kind, sizeof(kind) - 1, &h), ST_INVALID);
    static const char brief[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x05xxxxx";
    assert_int_equal(proxy_header_read(brief, sizeof(brief) - 1, &h), ST_INVALID);
}

static void test_wishes(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "v",
                                      "v3",
                                      "1",
                                      "v1x",
                                      "v1:",
                                      "v2:here",
                                      "v1:1.2.3.4:x",
                                      "v1:1.2.3.4:65536",
                                      "v2:2001:db8::1:25x"};
    struct proxy_wish w;
    struct error error;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        error.text[0] = '\0';
        assert_int_equal(proxy_wish_parse(bad[i], &w, &error), ST_INVALID);
        assert_true(error.text[0] != '\0');
    }
    struct buf out;
    struct net_address from = address("2001:db8::1", 1);
    struct net_address to = address("2001:db8::2", 25);
    buf_init(&out, 200);
    assert_int_equal(proxy_wish_parse("v1:192.0.2.1", &w, &error), ST_OK);
    assert_int_equal(proxy_header_write(&w, &from, &to, &out, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "IPv4"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_1), cmocka_unit_test(test_wishes_are_written),
        cmocka_unit_test(test_version_2), cmocka_unit_test(test_reading),
        cmocka_unit_test(test_no_header), cmocka_unit_test(test_wishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
