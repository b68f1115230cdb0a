#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "letter.h"

#define LETTER                                                                                     \
    "From: a@example.org\r\nMIME-Version: 1.0\r\nSubject: one\r\n two\r\n"                         \
    "Content-Type: text/plain;\r\n\tcharset=utf-8\r\n\r\nHello\r\n"

static struct textarea area(const char *text)
{
    struct textarea t;
    assert_int_equal(textarea_init(&t), ST_OK);
    assert_int_equal(textarea_set(&t, text, strlen(text)), ST_OK);
    return t;
}

static void assert_text(const struct textarea *t, const char *want)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    assert_int_equal(textarea_text(t, true, &out), ST_OK);
    assert_string_equal(buf_str(&out), want);
    buf_free(&out);
}

static void written(void **state)
{
    (void)state;
    struct textarea t = area("old");
    struct error error = {.text = ""};
    char value[200];
    struct compose_message m = {.from = "a@example.org",
                                .to = "b@example.org",
                                .subject = "Grüße",
                                .helo = "probe.example.net",
                                .run_id = "run",
                                .body = "text\n",
                                .random = 7};
    assert_int_equal(letter_write(&t, &m, &error), ST_OK);
    assert_true(letter_header(&t, "date", value, sizeof(value)));
    assert_true(letter_header(&t, "Message-ID", value, sizeof(value)));
    assert_non_null(strstr(value, "@probe.example.net>"));
    assert_true(letter_header(&t, "TO", value, sizeof(value)));
    assert_string_equal(value, "<b@example.org>");
    assert_true(letter_header(&t, "Subject", value, sizeof(value)));
    assert_false(letter_header(&t, "text", value, sizeof(value)));
    assert_int_equal(t.row, t.count - 1);
    /* What cannot be written leaves what was there. */
    m.to = "no address";
    assert_int_equal(letter_write(&t, &m, &error), ST_INVALID);
    assert_true(letter_header(&t, "Subject", value, sizeof(value)));
    textarea_free(&t);
}

static void headers(void **state)
{
    (void)state;
    struct textarea t = area(LETTER "Subject: in the text\r\n");
    char value[64];
    assert_true(letter_header(&t, "subject", value, sizeof(value)));
    assert_string_equal(value, "one two");
    assert_true(letter_header(&t, "subject", value, 6));
    assert_string_equal(value, "one t");
    assert_false(letter_header(&t, "Reply-To", value, sizeof(value)));
    textarea_free(&t);
    assert_true(letter_has_header("X-A: b", 6));
    assert_false(letter_has_header("Hello: no", 3));
    assert_false(letter_has_header("Hi there: x", 11));
    assert_false(letter_has_header("", 0));
}

static void taken(void **state)
{
    (void)state;
    struct textarea t = area(LETTER);
    assert_int_equal(letter_take(&t, "Other text\n.\n", 13), ST_OK);
    assert_text(&t, "From: a@example.org\r\nMIME-Version: 1.0\r\nSubject: one\r\n two\r\n"
                    "Content-Type: text/plain;\r\n\tcharset=utf-8\r\n\r\nOther text\r\n.\r\n");
    assert_int_equal(letter_take(&t, "To: c\n\nx\n", 9), ST_OK);
    assert_text(&t, "To: c\r\n\r\nx\r\n");
    textarea_free(&t);
    t = area("");
    assert_int_equal(letter_take(&t, "plain\n", 6), ST_OK);
    assert_text(&t, "plain\r\n");
    textarea_free(&t);
}

#define PART(name, base64)                                                                         \
    "--=_smtpscope_0000000000000005\r\nContent-Type: application/octet-stream;\r\n\tname=\"" name  \
    "\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: "                             \
    "attachment;\r\n\tfilename=\"" name "\"\r\n\r\n" base64 "\r\n"
#define FIRST                                                                                      \
    "From: a@example.org\r\nSubject: one\r\n two\r\nMIME-Version: 1.0\r\n"                         \
    "Content-Type: multipart/mixed;\r\n\tboundary=\"=_smtpscope_0000000000000005\"\r\n\r\n"        \
    "--=_smtpscope_0000000000000005\r\nContent-Type: text/plain;\r\n\tcharset=utf-8\r\n\r\n"       \
    "Hello\r\n"

static void attached(void **state)
{
    (void)state;
    struct textarea t = area(LETTER);
    struct mime_part part = {.name = "a.bin", .p = "abc", .len = 3};
    assert_int_equal(letter_attach(&t, &part, 5), ST_OK);
    assert_text(&t, FIRST PART("a.bin", "YWJj") "--=_smtpscope_0000000000000005--\r\n");
    /* The second one joins the first. */
    part.name = "b.bin";
    assert_int_equal(letter_attach(&t, &part, 99), ST_OK);
    assert_text(&t, FIRST PART("a.bin", "YWJj")
                        PART("b.bin", "YWJj") "--=_smtpscope_0000000000000005--\r\n");
    /* What does not fit changes nothing. */
    char *large = calloc(1, TEXTAREA_MAX);
    assert_non_null(large);
    part.p = large;
    part.len = TEXTAREA_MAX;
    size_t bytes = t.bytes;
    assert_int_equal(letter_attach(&t, &part, 99), ST_LIMIT);
    assert_int_equal(t.bytes, bytes);
    free(large);
    textarea_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written),
        cmocka_unit_test(headers),
        cmocka_unit_test(taken),
        cmocka_unit_test(attached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
