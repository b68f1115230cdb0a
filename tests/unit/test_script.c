/* Conversations read back: from our own reports, and from files that people write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"
#include "script.h"

#define KINDS "CTDRH" /* by enum script_kind */

static struct script *read_text(const char *text, size_t len)
{
    struct script *s = NULL;
    struct error error = {.text = ""};
    struct guarded g = guarded_copy(text, len);
    if (script_read("test", g.p, g.len, &s, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    guarded_free(&g);
    return s;
}

/* Every step in a line: kind, expected code, bytes of data, text. */
static void assert_script(const char *text, const char *steps)
{
    struct script *s = read_text(text, strlen(text));
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < s->count; i++) {
        const struct script_step *step = &s->steps[i];
        assert_int_equal(buf_addf(&out, "%c %d ", KINDS[step->kind], step->expect), ST_OK);
        if (step->data != NULL) {
            assert_int_equal(buf_addf(&out, "+%zu ", step->data_len), ST_OK);
        }
        assert_int_equal(buf_add(&out, step->text, step->len), ST_OK);
        assert_int_equal(buf_add_char(&out, '\n'), ST_OK);
    }
    assert_string_equal(buf_str(&out), steps);
    buf_free(&out);
    script_free(s);
}

static void assert_bad(const char *text, const char *why)
{
    struct script *s = NULL;
    struct error error = {.text = ""};
    struct guarded g = guarded_copy(text, strlen(text));
    assert_int_equal(script_read("te\x1bst", g.p, g.len, &s, &error), ST_INVALID);
    assert_null(s);
    if (strstr(error.text, why) == NULL || strchr(error.text, '\x1b') != NULL) {
        fail_msg("<%s> instead of <%s>", error.text, why);
    }
    guarded_free(&g);
}

static void test_plain(void **state)
{
    (void)state;
    assert_script("# a comment\n"
                  "\n"
                  "EHLO client.example\r\n"
                  "expect 250\n"
                  "   STARTTLS\n"
                  "expect 2\n"
                  "raw NOOP\\r\\nNOOP\\n\n"
                  "DATA\n"
                  "Subject: x\n"
                  "\n"
                  "# no comment\n"
                  "expect nothing\n"
                  "..dot\n"
                  ".\n"
                  "expect 25\n"
                  "QUIT",
                  "C 250 EHLO client.example\n"
                  "C 2 STARTTLS\n"
                  "R 0 NOOP\r\nNOOP\n\n"
                  "C 0 DATA\n"
                  "T 0 Subject: x\n"
                  "T 0 \n"
                  "T 0 # no comment\n"
                  "T 0 expect nothing\n"
                  "T 0 ..dot\n"
                  "D 25 .\n"
                  "C 0 QUIT\n");
}

static void test_chunks(void **state)
{
    (void)state;
    assert_script("BDAT 17 LAST\nSubject: x\n\n.\nexpect 250\nBDAT 0\nQUIT\n",
                  "C 250 +17 BDAT 17 LAST\nC 0 +0 BDAT 0\nC 0 QUIT\n");
    assert_bad("BDAT 5\nabcd\n", "line 2: BDAT wants 5 octets more");
    assert_bad("BDAT 10\nabc\n", "5 octets are missing");
    assert_bad("BDAT many\n", "line 1: this is no BDAT");
}

static void test_bad_scripts(void **state)
{
    (void)state;
    char line[SCRIPT_LINE_MAX + 10];
    assert_bad("", "holds no line to send");
    assert_bad("# nothing\n\n", "holds no line to send");
    assert_bad("expect 250\n", "line 1: nothing was sent");
    assert_bad("NOOP\nexpect ok\n", "line 2: expect is followed");
    assert_bad("NOOP\nexpect 2500\n", "line 2: expect is followed");
    assert_bad("NOOP\nexpect 150\n", "line 2: expect is followed");
    assert_bad("raw \\q\n", "line 1: There is no such escape at position 1");
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    assert_bad(line, "line 1: the line is longer");
    struct script *s = NULL;
    struct error error;
    assert_int_equal(script_read("x", "NO\0OP\n", 6, &s, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "NUL"));
}

static void test_needs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned needs;
    } cases[] = {
        {"EHLO x\nQUIT\n", 0},
        {"mail from:<>\n", SCRIPT_ENVELOPE},
        {"RCPT TO:<a@b>\n", SCRIPT_ENVELOPE},
        {"DATA\nx\n.\n", SCRIPT_MESSAGE},
        {"BDAT 3\na\n", SCRIPT_MESSAGE},
        {"AUTH PLAIN\n", SCRIPT_LOGIN},
        {"AUTH PLAIN <hidden 20 bytes>\n", SCRIPT_LOGIN | SCRIPT_GAPS},
        {"VRFY x\n", SCRIPT_ASKING},
        {"raw NOOP\\rMAIL FROM:<>\\n\\0 DATA\\r\\n\n", SCRIPT_ENVELOPE | SCRIPT_MESSAGE},
        /* Nor does it matter where exact bytes were cut, or what stands before the verb. */
        {"raw MA\nraw IL FROM:<>\\r\\n\n", SCRIPT_ENVELOPE},
        {"raw AU\nTH PLAIN eA==\n", SCRIPT_LOGIN},
        /* Text of a message is no command. */
        {"DATA\nAUTH PLAIN\n.\n", SCRIPT_MESSAGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct script *s = read_text(cases[i].text, strlen(cases[i].text));
        assert_int_equal(script_needs(s), cases[i].needs);
        script_free(s);
    }
}

static const char report[] = "smtpscope 1.0.0\n"
                             "\n"
                             "Target         example.org\n"
                             "\n"
                             "TRANSCRIPT\n"
                             "----------\n"
                             "     1   0.001 -- Connecting to 192.0.2.10:25\n"
                             "     1   0.001 C: PROXY TCP4 198.51.100.7 192.0.2.10 49152 25\n"
                             "     1   0.001 c: \\r\\n\\r\\n\\0\\r\\nQUIT\\n\\x21\n"
                             "     2   0.022 S: 220 mx1.example.org ESMTP\n"
                             "     3   0.022 C: EHLO desk.example\n"
                             "     4   0.044 S: 250-mx1.example.org\n"
                             "     5   0.044 S: 250 STARTTLS\n"
                             "     6   0.044 C: STARTTLS\n"
                             "     7   0.066 S: 220 2.0.0 Ready\n"
                             "     8   0.096 == Encrypted with TLSv1.3\n"
                             "     9   0.096 C~ EHLO desk.example\n"
                             "    10   0.118 S~ 250 mx1.example.org\n"
                             "    11   0.118 C~ AUTH LOGIN\n"
                             "    12   0.118 S~ 334 VXNlcm5hbWU6\n"
                             "    13   0.118 -- The server asks: Username:\n"
                             "    14   0.118 C~ <hidden 8 bytes>\n"
                             "    15   0.118 S~ 535 5.7.8 no\n"
                             "    16   0.118 C~ MAIL FROM:<a@desk.example>\n"
                             "    17   0.118 C~ RCPT TO:<b@example.org>\n"
                             "    18   0.118 C~ DATA\n"
                             "    19   0.118 S~ 250 2.1.0 Ok\n"
                             "    20 ! 0.118 S~ 550 5.1.1 unknown\n"
                             "    21   0.118 S~ 354 go\n"
                             "    22   0.118 C~ Subject: x\n"
                             "    23   0.118 C~\n"
                             "    24   0.118 C~ ..\n"
                             "    25  12.118 C~ .\n"
                             "    26  12.118 S~ 250 queued\n"
                             "    27 100.118 c~ NO\\0OP\\n\n"
                             "    28 100.118 C~ QUIT\n";

static const char report_steps[] = "C 250 EHLO desk.example\n"
                                   "C 220 STARTTLS\n"
                                   "C 250 EHLO desk.example\n"
                                   "C 334 AUTH LOGIN\n"
                                   "H 535 <hidden 8 bytes>\n"
                                   "C 250 MAIL FROM:<a@desk.example>\n"
                                   "C 550 RCPT TO:<b@example.org>\n"
                                   "C 354 DATA\n"
                                   "T 0 Subject: x\n"
                                   "T 0 \n"
                                   "T 0 ..\n"
                                   "D 250 .\n";

static void check_report(const char *text)
{
    struct script *s = read_text(text, strlen(text));
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(s->count, 14);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(buf_addf(&out, "%c %d %s\n", KINDS[s->steps[i].kind], s->steps[i].expect,
                                  s->steps[i].text),
                         ST_OK);
    }
    assert_string_equal(buf_str(&out), report_steps);
    assert_int_equal(s->steps[4].verb, VERB_AUTH_LINE);
    assert_int_equal(s->steps[12].kind, SCRIPT_RAW);
    assert_int_equal(s->steps[12].len, 6);
    assert_memory_equal(s->steps[12].text, "NO\0OP\n", 6);
    assert_string_equal(s->steps[13].text, "QUIT");
    assert_false(s->message_cut);
    buf_free(&out);
    script_free(s);
}

static void test_text_report(void **state)
{
    (void)state;
    check_report(report);
}

static void test_markdown_report(void **state)
{
    (void)state;
    char text[8192];
    snprintf(text, sizeof(text), "# smtpscope\n\n| a | b |\n\n```text\n%s```\n", report);
    check_report(text);
}

/* As --tee writes them: without numbers. */
static void test_tee(void **state)
{
    (void)state;
    assert_script("   0.022 S: 220 x\n   0.022 C: NOOP\n! 0.031 S: 550 no\n 112.500 C: QUIT\n",
                  "C 550 NOOP\nC 0 QUIT\n");
}

static void test_json_report(void **state)
{
    (void)state;
    static const char json[] =
        "{\"schema\":\"smtpscope.report/1\",\"transcript\":[\n"
        "{\"n\":1,\"dir\":\"S\",\"text\":\"220 x\"},\n"
        "{\"n\":2,\"dir\":\"C\",\"text\":\"EHLO \\u00e9\"},\n"
        "{\"n\":3,\"dir\":\"S\",\"text\":\"250 y\"},\n"
        "{\"n\":4,\"dir\":\"note\",\"text\":\"C: MAIL FROM:<>\"},\n"
        "{\"n\":5,\"dir\":\"C\",\"text\":\"x\",\"base64\":\"Tk9PUCD/\"},\n"
        "{\"n\":7,\"dir\":\"C\",\"text\":\"QU\\\\tIT\\\\n\",\"raw\":true}]}\n";
    assert_script(json, "C 250 EHLO \xc3\xa9\nC 0 NOOP \xff\nR 0 QU\tIT\n\n");
    assert_bad("{\"transcript\":[{\"n\":3,\"dir\":\"C\",\"text\":\"x\",\"cut\":true}]}",
               "line 3: the line was too long");
    assert_bad("{\"transcript\":[{\"n\":3}]}", "line 1: the transcript holds something");
    assert_bad("{\"transcript\":4}", "no transcript");
    assert_bad("{\"transcript\":", "no valid JSON");
    assert_bad("{\"transcript\":[{\"dir\":\"C\",\"text\":\"x\",\"base64\":\"*\"}]}", "no base64");
    assert_bad("{\"transcript\":[]}", "holds no line to send");
}

static void test_what_a_transcript_lacks(void **state)
{
    (void)state;
    struct script *s = read_text("  0.1 C: DATA\n", 14);
    script_free(s);
    static const char cut[] = "     1   0.000 C: DATA\n     2   0.000 S: 354 go\n"
                              "     3   0.000 C: one\n"
                              "     4   0.000 -- 700 bytes of the message are not shown.\n"
                              "     5   0.000 C: .\n";
    s = read_text(cut, strlen(cut));
    assert_true(s->message_cut);
    script_free(s);
    assert_bad("     1   0.000 C: NOOP x [...]\n", "line 1: the line was too long");
    assert_bad("     1   0.000 C: BDAT 9\n     2   0.000 C: abc\n"
               "     3   0.000 -- 4 bytes of the message are not shown.\n",
               "4 octets are missing");
}

static void test_copies(void **state)
{
    (void)state;
    static const char text[] = "EHLO x\nexpect 250\nBDAT 3\na\nraw a\\0b\n";
    struct script *s = read_text(text, strlen(text));
    struct script *copy = NULL;
    assert_int_equal(script_copy(s, &copy), ST_OK);
    assert_int_equal(copy->count, 3);
    assert_int_equal(copy->steps[0].expect, 250);
    assert_memory_equal(copy->steps[1].data, "a\r\n", 3);
    assert_memory_equal(copy->steps[2].text, "a\0b", 3);
    assert_ptr_not_equal(copy->steps[0].text, s->steps[0].text);
    script_free(s);
    script_free(copy);
    script_free(NULL);
}

/* Any beginning of anything is read or refused, and never more than that. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    for (size_t n = 0; n <= strlen(report); n++) {
        struct script *s = NULL;
        struct error error;
        struct guarded g = guarded_copy(report, n);
        enum status st = script_read("x", g.p, g.len, &s, &error);
        assert_true(st == ST_OK || st == ST_INVALID);
        script_free(s);
        guarded_free(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_bad_scripts),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_text_report),
        cmocka_unit_test(test_markdown_report),
        cmocka_unit_test(test_tee),
        cmocka_unit_test(test_json_report),
        cmocka_unit_test(test_what_a_transcript_lacks),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
