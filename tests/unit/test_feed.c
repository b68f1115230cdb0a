#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"

static uint32_t number;

static void fill(struct feed *f, const char *const *lines, const unsigned *flags)
{
    feed_clear(f);
    number = 10;
    for (size_t i = 0; lines[i] != NULL; i++) {
        assert_int_equal(
            feed_add(f, FEED_LINE, flags != NULL ? flags[i] : 0, lines[i], strlen(lines[i])),
            ST_OK);
    }
    feed_start(f);
}

/* The line that is due goes out. */
static void goes(struct feed *f, const char *want)
{
    const struct feed_item *item = feed_due(f);
    assert_non_null(item);
    assert_string_equal(item->text, want);
    feed_sent(f, number);
}

static bool server(struct feed *f, unsigned flags, const char *text)
{
    struct event *e = event_new_line(1, 1, CHECK_NONE, 0, ++number, DIR_SERVER, false,
                                     (uint8_t)flags, text, strlen(text));
    assert_non_null(e);
    bool changed = feed_event(f, e);
    event_free(e);
    return changed;
}

static void closed(struct feed *f)
{
    struct event *e = event_new(EVENT_SESSION, 1, 1, CHECK_NONE, 0);
    assert_non_null(e);
    e->u.session.state = SMTP_CLOSED;
    (void)feed_event(f, e);
    event_free(e);
}

static void one_after_the_other(void **state)
{
    (void)state;
    struct feed f;
    char text[200];
    feed_init(&f);
    fill(&f, (const char *const[]){"EHLO x", "NOOP", NULL}, NULL);
    goes(&f, "EHLO x");
    assert_null(feed_due(&f));
    assert_false(server(&f, 0, "250-mx.example.org"));
    assert_null(feed_due(&f));
    /* What was not asked for answers nothing. */
    assert_false(server(&f, LINE_ODD, "250 surprise"));
    assert_true(server(&f, 0, "250 8BITMIME"));
    goes(&f, "NOOP");
    assert_true(server(&f, 0, "250 ok"));
    assert_int_equal(f.state, FEED_DONE);
    feed_sentence(&f, text, sizeof(text));
    assert_string_equal(text, "2 lines were sent.");
    feed_clear(&f);
}

static void stops_at_a_refusal(void **state)
{
    (void)state;
    struct feed f;
    char text[200];
    feed_init(&f);
    fill(&f, (const char *const[]){"MAIL FROM:<>", "DATA", "RCPT TO:<secret>", ".", NULL}, NULL);
    goes(&f, "MAIL FROM:<>");
    server(&f, 0, "250 ok");
    goes(&f, "DATA");
    assert_true(server(&f, 0, "503 no recipients"));
    /* The text must not become commands. */
    assert_null(feed_due(&f));
    assert_int_equal(f.state, FEED_REFUSED);
    feed_sentence(&f, text, sizeof(text));
    assert_string_equal(text, "Line 2 of 4 was answered with 503. 2 lines were not sent.");
    feed_clear(&f);
}

static void text_is_not_answered(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    fill(&f, (const char *const[]){"DATA", "Subject: x", "", "..", ".", "QUIT", NULL}, NULL);
    goes(&f, "DATA");
    server(&f, 0, "354 go on");
    goes(&f, "Subject: x");
    goes(&f, "");
    goes(&f, "..");
    goes(&f, ".");
    assert_null(feed_due(&f));
    server(&f, 0, "250 queued");
    goes(&f, "QUIT");
    closed(&f);
    assert_int_equal(f.state, FEED_BROKEN);
    /* After a 334 the next line is an answer, and answered again. */
    fill(&f, (const char *const[]){"AUTH LOGIN", "eA==", "eA==", NULL}, NULL);
    goes(&f, "AUTH LOGIN");
    server(&f, 0, "334 VXNlcm5hbWU6");
    goes(&f, "eA==");
    assert_null(feed_due(&f));
    server(&f, 0, "334 UGFzc3dvcmQ6");
    goes(&f, "eA==");
    server(&f, 0, "535 no");
    assert_int_equal(f.state, FEED_REFUSED);
    feed_clear(&f);
}

static void octets_of_a_chunk(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    fill(&f, (const char *const[]){"BDAT 8 LAST", "ab", "cd", "NOOP", NULL}, NULL);
    goes(&f, "BDAT 8 LAST");
    goes(&f, "ab");
    goes(&f, "cd");
    assert_null(feed_due(&f));
    server(&f, 0, "250 ok");
    goes(&f, "NOOP");
    feed_clear(&f);
    number = 10;
    assert_int_equal(feed_add_chunk(&f, "BDAT 2", 6, "xy", 2), ST_OK);
    assert_int_equal(feed_add_chunk(&f, "BDAT 0 LAST", 11, "", 0), ST_OK);
    feed_start(&f);
    assert_int_equal(feed_due(&f)->data_len, 2);
    goes(&f, "BDAT 2");
    assert_null(feed_due(&f));
    server(&f, 0, "250 ok");
    goes(&f, "BDAT 0 LAST");
    server(&f, 0, "250 ok");
    assert_int_equal(f.state, FEED_DONE);
    feed_clear(&f);
}

/* Probing: a refused recipient is an answer like another, and RSET comes in any case. */
static void tidies_up(void **state)
{
    (void)state;
    static const char *const lines[] = {"MAIL FROM:<>", "RCPT TO:<a>", "RCPT TO:<b>", "RSET", NULL};
    static const unsigned flags[] = {0, FEED_ANY, FEED_ANY, FEED_ALWAYS};
    struct feed f;
    feed_init(&f);
    fill(&f, lines, flags);
    goes(&f, "MAIL FROM:<>");
    server(&f, 0, "250 ok");
    goes(&f, "RCPT TO:<a>");
    server(&f, 0, "550 unknown");
    goes(&f, "RCPT TO:<b>");
    server(&f, 0, "250 ok");
    goes(&f, "RSET");
    server(&f, 0, "250 ok");
    assert_int_equal(f.state, FEED_DONE);
    assert_int_equal(f.asked, 2);
    assert_int_equal(f.taken, 1);
    fill(&f, lines, flags);
    goes(&f, "MAIL FROM:<>");
    server(&f, 0, "530 log in");
    goes(&f, "RSET");
    server(&f, 0, "250 ok");
    assert_null(feed_due(&f));
    assert_int_equal(f.state, FEED_REFUSED);
    assert_int_equal(f.code, 530);
    /* A server that closes is not asked on. */
    fill(&f, lines, flags);
    goes(&f, "MAIL FROM:<>");
    server(&f, 0, "250 ok");
    goes(&f, "RCPT TO:<a>");
    server(&f, 0, "421 bye");
    closed(&f);
    assert_null(feed_due(&f));
    assert_int_equal(f.state, FEED_BROKEN);
    feed_clear(&f);
}

/* After a refusal only: where all went well there is nothing to tidy. */
static void tidies_up_after_a_stop(void **state)
{
    (void)state;
    static const char *const lines[] = {"MAIL FROM:<>", "RCPT TO:<a>", "RSET", NULL};
    static const unsigned flags[] = {0, 0, FEED_TIDY};
    struct feed f;
    char text[200];
    feed_init(&f);
    fill(&f, lines, flags);
    goes(&f, "MAIL FROM:<>");
    server(&f, 0, "250 ok");
    goes(&f, "RCPT TO:<a>");
    server(&f, 0, "250 ok");
    assert_null(feed_due(&f));
    assert_int_equal(f.state, FEED_DONE);
    feed_sentence(&f, text, sizeof(text));
    assert_string_equal(text, "2 lines were sent.");
    fill(&f, lines, flags);
    goes(&f, "MAIL FROM:<>");
    server(&f, 0, "250 ok");
    goes(&f, "RCPT TO:<a>");
    server(&f, 0, "550 no");
    goes(&f, "RSET");
    server(&f, 0, "250 ok");
    assert_int_equal(f.state, FEED_REFUSED);
    feed_sentence(&f, text, sizeof(text));
    assert_string_equal(text, "Line 2 of 2 was answered with 550. ");
    feed_clear(&f);
}

static void stopped_by_the_user(void **state)
{
    (void)state;
    struct feed f;
    char text[200];
    feed_init(&f);
    fill(&f, (const char *const[]){"NOOP", "NOOP", NULL}, NULL);
    goes(&f, "NOOP");
    feed_stop(&f, FEED_STOPPED);
    assert_false(server(&f, 0, "250 ok"));
    assert_null(feed_due(&f));
    feed_sentence(&f, text, sizeof(text));
    assert_string_equal(text, "Stopped at line 1 of 2. 1 line was not sent.");
    feed_clear(&f);
    feed_start(&f);
    assert_false(feed_running(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(stops_at_a_refusal),
        cmocka_unit_test(text_is_not_answered),
        cmocka_unit_test(octets_of_a_chunk),
        cmocka_unit_test(tidies_up),
        cmocka_unit_test(tidies_up_after_a_stop),
        cmocka_unit_test(stopped_by_the_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
