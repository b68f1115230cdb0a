/* XCLIENT: what people write, and what goes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xclient.h"

static void assert_line(const char *text, const char *line)
{
    struct buf out;
    struct error error = {.text = ""};
    buf_init(&out, 2000);
    if (xclient_line(text, &out, &error) != ST_OK) {
        fail_msg("%s: %s", text, error.text);
    }
    assert_string_equal(buf_str(&out), line);
    buf_free(&out);
}

static void assert_bad(const char *text, const char *why)
{
    struct buf out;
    struct error error = {.text = ""};
    buf_init(&out, 2000);
    assert_int_equal(xclient_line(text, &out, &error), ST_INVALID);
    if (strstr(error.text, why) == NULL || strchr(error.text, '\x1b') != NULL) {
        fail_msg("%s: %s", text, error.text);
    }
    buf_free(&out);
}

static void test_lines(void **state)
{
    (void)state;
    assert_line("ADDR=192.0.2.1", "XCLIENT ADDR=192.0.2.1");
    assert_line("  name=spike.example   addr=2001:db8::1 ",
                "XCLIENT NAME=spike.example ADDR=IPV6:2001:db8::1");
    assert_line("ADDR=IPV6:2001:0db8:0::1 PORT=4711 PROTO=ESMTP",
                "XCLIENT ADDR=IPV6:2001:db8::1 PORT=4711 PROTO=ESMTP");
    assert_line("NAME=[UNAVAILABLE] HELO=[TEMPUNAVAIL] LOGIN=a=b+c",
                "XCLIENT NAME=[UNAVAILABLE] HELO=[TEMPUNAVAIL] LOGIN=a+3Db+2Bc");
    assert_line("DESTADDR=192.0.2.9 DESTPORT=587 REVERSE_NAME=x.example",
                "XCLIENT DESTADDR=192.0.2.9 DESTPORT=587 REVERSE_NAME=x.example");
}

static void test_mistakes(void **state)
{
    (void)state;
    char text[1000];
    assert_bad("", "needs an attribute");
    assert_bad("   ", "needs an attribute");
    assert_bad("ADDR", "\"ADDR\" is no attribute");
    assert_bad("AD\x1b=1", "is no attribute");
    assert_bad("ADDR=here", "\"here\" cannot stand behind ADDR");
    assert_bad("ADDR=", "cannot stand behind ADDR");
    assert_bad("PORT=65536", "cannot stand behind PORT");
    assert_bad("PORT=-1", "cannot stand behind PORT");
    assert_bad("PROTO=LMTP", "cannot stand behind PROTO");
    assert_bad("HELO=", "cannot stand behind HELO");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "NAME=", 5);
    assert_bad(text, "too long");
}

static void test_offers(void **state)
{
    (void)state;
    static const char lines[] = "250-x\r\n250 XCLIENT NAME ADDR reverse_name\r\n";
    struct caps caps;
    struct reply r;
    size_t used = 0;
    reply_init(&r);
    assert_int_equal(reply_feed(&r, lines, sizeof(lines) - 1, &used), ST_OK);
    caps_parse(&caps, &r, true);
    reply_free(&r);
    struct span line = span_of("XCLIENT ADDR=1 NAME=x REVERSE_NAME=y");
    assert_int_equal(xclient_not_offered(line, &caps).len, 0);
    struct span missing = xclient_not_offered(span_of("XCLIENT ADDR=1 LOGIN=x"), &caps);
    assert_int_equal(missing.len, 5);
    assert_memory_equal(missing.p, "LOGIN", 5);
    caps_clear(&caps);
    assert_int_equal(xclient_not_offered(line, &caps).len, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_offers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
