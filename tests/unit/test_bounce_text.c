#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bounce_text.h"

/* What was taken, one reply a line: "code enhanced host|text". */
struct taken {
    char text[4096];
    size_t len;
};

static void take(void *ctx, struct span shown, const struct bounce_line *line)
{
    struct taken *t = ctx;
    assert_true(shown.len > 0);
    int n = snprintf(t->text + t->len, sizeof(t->text) - t->len, "%d %s %s|%.*s\n", line->code,
                     line->enhanced, line->host, (int)line->text_len, line->text);
    t->len += (size_t)n;
    assert_true(t->len < sizeof(t->text));
}

static void whole(const char *text, const char *wanted)
{
    struct taken t = {.len = 0};
    bounce_text_read(span_of(text), take, &t);
    assert_string_equal(t.text, wanted);
}

static void by_line(const char *const *lines, size_t count, const char *wanted)
{
    struct taken t = {.len = 0};
    struct bounce_reader r;
    bounce_reader_init(&r, take, &t);
    for (size_t i = 0; i < count; i++) {
        bounce_reader_line(&r, span_of(lines[i]));
    }
    bounce_reader_end(&r);
    bounce_reader_free(&r);
    assert_string_equal(t.text, wanted);
}

#define BY_LINE(wanted, ...)                                                                       \
    by_line((const char *const[]){__VA_ARGS__},                                                    \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), wanted)

static const char dsn[] = "This is the mail system at host a.example.\n"
                          "\n"
                          "<x@example.com>: host mx.example.com[192.0.2.1] said: 550 5.1.1 no\n"
                          "\n"
                          "Reporting-MTA: dns; a.example\r\n"
                          "X-Postfix-Queue-ID: 4ABC\r\n"
                          "\n"
                          "Final-Recipient: rfc822; x@example.com\n"
                          "Action: failed\n"
                          "Status: 5.2.1\n"
                          "Remote-MTA: dns; mx.example.com (192.0.2.1, the server for example.com)\n"
                          "Diagnostic-Code: smtp; 550 user\n"
                          "    unknown\n"
                          "Last-Attempt-Date: today\n"
                          "\n"
                          "Final-Recipient: rfc822; y@example.net\n"
                          "Diagnostic-Code: smtp; 552 5.2.2 full\n";

static void test_whole_texts(void **state)
{
    (void)state;
    whole("550 5.1.1 no", "550 5.1.1 |no\n");
    whole("550-5.1.1 a\r\n550-5.1.1 b\r\n550 5.1.1 c\r\n", "550 5.1.1 |a b c\n");
    whole("550-a\n550 b\n550 c\n421 d\n421-e\n550 f\n",
          "550  |a b\n550  |c\n421  |d\n421  |e\n550  |f\n");
    whole("host mx.example.com[192.0.2.1]\n    said: 550 5.1.1 no such\n    user\n",
          "550 5.1.1 mx.example.com|no such     user\n");
    whole("192.0.2.1 does not like recipient.\nRemote host said: 550 no\nGiving up on 192.0.2.1.\n",
          "550  |no\n");
    whole("status=bounced (host a.example[1] said: 550 x)\nnothing\nstatus=deferred (host "
          "b.example[1] said: 450 y)\n",
          "550  a.example|x)\n450  b.example|y)\n");
    whole("", "");
    whole(" \n\t\n", "");
    whole("hello\nworld\n", "0  |hello world\n");
}

static void test_dsn(void **state)
{
    (void)state;
    whole(dsn, "550 5.2.1 mx.example.com|user unknown\n552 5.2.2 |full\n");
}

static void test_lines_alone(void **state)
{
    (void)state;
    /* Each is one, whatever it looks like. */
    BY_LINE("550  |a\n550  |b\n0  |c\n", "550-a", "550 b", " c", "");
    BY_LINE("", "", " ", "\t");
    BY_LINE("550 5.2.1 mx.example.com|a b\n550  |c\n", "Status: 5.2.1",
            "Remote-MTA: dns; mx.example.com", "Diagnostic-Code: smtp; 550 a", "\tb", "550 c");
    /* The reply's own code counts more, and what belongs to another recipient does not count. */
    BY_LINE("550 5.1.1 |a\n550  |b\n", "Status: 5.2.1", "Diagnostic-Code: smtp; 550 5.1.1 a", "",
            "Diagnostic-Code: smtp; 550 b");
    BY_LINE("550  |a\n", "Status: 5.2.1", "", "Diagnostic-Code: smtp; 550 a");
    BY_LINE("550  |a\n", "Status: 5.2.1000000000000000000000",
            "Remote-MTA: dns;", "Diagnostic-Code: smtp; 550 a");
}

static void test_endless_fields_are_bounded(void **state)
{
    (void)state;
    static char line[5000];
    struct taken t = {.len = 0};
    struct bounce_reader r;
    memset(line, 'x', sizeof(line) - 1);
    line[0] = ' ';
    bounce_reader_init(&r, take, &t);
    bounce_reader_line(&r, span_of("Diagnostic-Code: smtp; 550 no"));
    for (int i = 0; i < 100; i++) {
        bounce_reader_line(&r, span_of(line));
    }
    assert_true(r.pending.len <= BOUNCE_LINE_MAX + 1);
    bounce_reader_end(&r);
    assert_memory_equal(t.text, "550  |no xxx", 12);
    assert_true(r.line.cut);
    bounce_reader_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_texts),
        cmocka_unit_test(test_dsn),
        cmocka_unit_test(test_lines_alone),
        cmocka_unit_test(test_endless_fields_are_bounded),
    };
    return cmocka_run_group_tests_name("bounce_text", tests, NULL, NULL);
}
