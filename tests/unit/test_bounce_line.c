#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "bounce_line.h"
#include "guarded.h"

struct row {
    const char *line;
    int code;
    const char *enhanced;
    enum reply_stage stage;
    const char *host, *text;
};

static const struct row rows[] = {
    /* replies as they come */
    {"550 5.1.1 no such user", 550, "5.1.1", STAGE_UNKNOWN, "", "no such user"},
    {"  550 no such user", 550, "", STAGE_UNKNOWN, "", "no such user"},
    {"550-5.1.1 one\n550-5.1.1 two\n550 5.1.1 three", 550, "5.1.1", STAGE_UNKNOWN, "",
     "one two three"},
    {"554 554 5.7.0 Header error", 554, "5.7.0", STAGE_UNKNOWN, "", "Header error"},
    {"550", 550, "", STAGE_UNKNOWN, "", ""},
    {"250 ok", 250, "", STAGE_UNKNOWN, "", "ok"},
    {"S: 421 4.7.0 later", 421, "4.7.0", STAGE_UNKNOWN, "", "later"},
    {"<** 550 no", 550, "", STAGE_UNKNOWN, "", "no"},
    {"553 sorry, not here (#5.1.1)", 553, "5.1.1", STAGE_UNKNOWN, "", "sorry, not here (#5.1.1)"},
    {">>> RCPT TO:<a@b.example> <<< 550 no", 550, "", STAGE_RCPT, "", "no"},
    {">>> MAIL FROM:<a@b.example> <<< 250 ok >>> DATA <<< 554 no", 554, "", STAGE_DATA, "", "no"},
    /* Postfix */
    {"to=<x@example.com>, relay=mx.example.com[192.0.2.1]:25, delay=450, dsn=5.1.1, status=bounced "
     "(host mx.example.com[192.0.2.1] said: 550 5.1.1 <x@example.com>: no (in reply to RCPT TO "
     "command))",
     550, "5.1.1", STAGE_RCPT, "mx.example.com", "<x@example.com>: no"},
    {"host mx.example.com[192.0.2.1] said: 550-a 550-b 550 c (in reply to end of DATA command)", 550,
     "", STAGE_DOT, "mx.example.com", "a b c"},
    {"host mx.example.com[192.0.2.1] refused to talk to me: 421 4.7.0 later", 421, "4.7.0",
     STAGE_BANNER, "mx.example.com", "later"},
    {"relay=none, dsn=4.4.1, status=deferred (connect to mx.example.com[192.0.2.1]:25: Connection "
     "timed out)",
     0, "4.4.1", STAGE_CONNECT, "mx.example.com",
     "connect to mx.example.com[192.0.2.1]:25: Connection timed out"},
    {"lost connection with mx.example.com[192.0.2.1] while sending RCPT TO", 0, "", STAGE_RCPT,
     "mx.example.com", "lost connection with mx.example.com[192.0.2.1] while sending RCPT TO"},
    {"NOQUEUE: reject: RCPT from c.example[192.0.2.9]: 554 5.7.1 <a@b.example>: Relay access denied; "
     "from=<c@d.example> to=<a@b.example> proto=ESMTP helo=<c>",
     554, "5.7.1", STAGE_RCPT, "", "<a@b.example>: Relay access denied"},
    /* Exim */
    {"1abc ** x@example.com R=dns T=smtp H=mx.example.com [192.0.2.1]: SMTP error from remote mail "
     "server after RCPT TO:<x@example.com>: 550 5.1.1 no",
     550, "5.1.1", STAGE_RCPT, "", "no"},
    {"SMTP error from remote mail server after end of data: host mx.example.com [192.0.2.1]: 554 no",
     554, "", STAGE_DOT, "mx.example.com", "no"},
    {"H=(x) [192.0.2.9] F=<a@b.example> rejected RCPT <c@d.example>: relay not permitted", 0, "",
     STAGE_RCPT, "", "relay not permitted"},
    {"1abc == x@example.com R=dns T=smtp defer (111): Connection refused", 0, "", STAGE_UNKNOWN, "",
     "Connection refused"},
    {"1abc ** x@example.com: Unrouteable address", 0, "", STAGE_UNKNOWN, "", "Unrouteable address"},
    /* sendmail, Exchange, qmail, Gmail, DSN */
    {"relay=mx.example.com. [192.0.2.1], dsn=5.1.1, stat=User unknown", 0, "5.1.1", STAGE_UNKNOWN,
     "mx.example.com.", "User unknown"},
    {"ruleset=check_rcpt, relay=[192.0.2.9], reject=550 5.7.1 <a@b.example>... Relaying denied", 550,
     "5.7.1", STAGE_RCPT, "", "<a@b.example>... Relaying denied"},
    {"Remote Server returned '550 5.4.1 Recipient address rejected'", 550, "5.4.1", STAGE_UNKNOWN,
     "", "Recipient address rejected"},
    {"Remote server at mx.example.com (192.0.2.1) returned '400 4.4.7 Message delayed'", 400,
     "4.4.7", STAGE_UNKNOWN, "mx.example.com", "Message delayed"},
    {"#550 5.1.1 not found ##", 550, "5.1.1", STAGE_UNKNOWN, "", "not found"},
    {"192.0.2.1 does not like recipient. Remote host said: 550 no Giving up on 192.0.2.1.", 550, "",
     STAGE_RCPT, "", "no"},
    {"returned was: 550 550 5.1.1 user unknown (state 14).", 550, "5.1.1", STAGE_RCPT, "",
     "user unknown (state 14)."},
    {"Diagnostic-Code: smtp; 550 5.2.2 full", 550, "5.2.2", STAGE_UNKNOWN, "", "full"},
    {"Diagnostic-Code: X-Postfix; host not found", 0, "", STAGE_UNKNOWN, "",
     "X-Postfix; host not found"},
    {"5.1.0 - Unknown address error 550-'5.1.1 x: User unknown'", 550, "5.1.1", STAGE_UNKNOWN, "",
     "x: User unknown"},
    {"5.4.7 - Delivery expired", 0, "5.4.7", STAGE_UNKNOWN, "", "- Delivery expired"},
};

static void test_forms(void **state)
{
    (void)state;
    static struct bounce_line line;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        struct guarded g = guarded_copy(r->line, strlen(r->line));
        bounce_line_read((struct span){g.p, g.len}, &line);
        guarded_free(&g);
        bool same = line.code == r->code && strcmp(line.enhanced, r->enhanced) == 0 &&
                    line.stage == r->stage && strcmp(line.host, r->host) == 0 &&
                    line.text_len == strlen(r->text) &&
                    memcmp(line.text, r->text, line.text_len) == 0;
        if (!same) {
            fail_msg("%s: %d \"%s\" %s host \"%s\" text \"%.*s\"", r->line, line.code,
                     line.enhanced, reply_stage_name(line.stage), line.host, (int)line.text_len,
                     line.text);
        }
        assert_int_equal(line.kind, r->code > 0 ? BOUNCE_REPLY : BOUNCE_LOG);
        assert_false(line.cut);
    }
}

/* Numbers that are no codes. */
static void test_nothing_to_find(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "hello world",
        "after 450 seconds",
        "delay=550, size=421",
        "port 587 is closed",
        "5500 people",
        "call 555-1234",
        "version 550.1",
        "192.0.2.550 is no address",
        "a 5.1.1 in the middle",
        "6 5.1.1",
        "5.1.",
        "550x",
        "650 5.1.1 x",
    };
    static struct bounce_line line;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        bounce_line_read(span_of(lines[i]), &line);
        if (line.kind != BOUNCE_NOTHING || line.code != 0) {
            fail_msg("\"%s\" has code %d", lines[i], line.code);
        }
    }
}

static void test_words_alone_are_a_guess(void **state)
{
    (void)state;
    static struct bounce_line line;
    bounce_line_read(span_of("the mailbox is full"), &line);
    struct reply_verdict v = bounce_line_decode(&line);
    assert_int_equal(v.cause->class, CLASS_MAILBOX_FULL);
    assert_int_equal(v.confidence, CONFIDENCE_GUESS);
    bounce_line_read(span_of("550 the mailbox is full"), &line);
    assert_int_equal(bounce_line_decode(&line).confidence, CONFIDENCE_CERTAIN);
    bounce_line_read(span_of("good morning"), &line);
    assert_null(bounce_line_decode(&line).cause);
}

static void test_logs_tell_who_spoke(void **state)
{
    (void)state;
    static struct bounce_line line;
    bounce_line_read(span_of("NOQUEUE: reject: RCPT from a[192.0.2.9]: 450 4.3.2 Service currently "
                             "unavailable; from=<b@c.example>"),
                     &line);
    assert_string_equal(line.vendor->id, "postfix");
    assert_string_equal(bounce_line_decode(&line).cause->id, "reply.postscreen.passed");
}

static void test_long_and_binary_lines(void **state)
{
    (void)state;
    static struct bounce_line line;
    static char text[BOUNCE_LINE_MAX + 100];
    memset(text, 'x', sizeof(text));
    memcpy(text, "550 5.1.1 user unknown ", 23);
    bounce_line_read((struct span){text, BOUNCE_LINE_MAX}, &line);
    assert_false(line.cut);
    bounce_line_read((struct span){text, sizeof(text)}, &line);
    assert_true(line.cut);
    assert_int_equal(line.text_len, sizeof(line.text));
    assert_string_equal(bounce_line_decode(&line).cause->id, "reply.class.unknown-recipient");

    static const char nul[] = "550 5.1.1 user\0unknown\x1b[31m\r\n";
    bounce_line_read((struct span){nul, sizeof(nul) - 1}, &line);
    assert_memory_equal(line.text, "user unknown [31m", line.text_len);
    assert_string_equal(bounce_line_decode(&line).cause->id, "reply.class.unknown-recipient");
}

/* Whatever comes: no crash, no read past the end, and what is found is within its bounds. */
static void test_noise(void **state)
{
    (void)state;
    static struct bounce_line line;
    static const char letters[] = "0123455550 -.:;#'()<>[]=said RCPT to host";
    char noise[400];
    unsigned seed = 7;
    for (int round = 0; round < 5000; round++) {
        seed = seed * 1103515245u + 12345u;
        size_t len = (seed >> 16) % sizeof(noise);
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1103515245u + 12345u;
            noise[i] = round % 2 == 0 ? (char)(seed >> 16)
                                      : letters[(seed >> 16) % (sizeof(letters) - 1)];
        }
        struct guarded g = guarded_copy(noise, len);
        bounce_line_read((struct span){g.p, g.len}, &line);
        guarded_free(&g);
        assert_true(line.text_len <= sizeof(line.text));
        assert_true(line.code == 0 || (line.code >= 200 && line.code <= 599));
        struct reply_verdict v = bounce_line_decode(&line);
        assert_true(v.cause == NULL || v.confidence != CONFIDENCE_CERTAIN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_nothing_to_find),
        cmocka_unit_test(test_words_alone_are_a_guess),
        cmocka_unit_test(test_logs_tell_who_spoke),
        cmocka_unit_test(test_long_and_binary_lines),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests_name("bounce_line", tests, NULL, NULL);
}
