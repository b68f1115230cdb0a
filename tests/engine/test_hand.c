/* The hand-made session: exact bytes, chunks, half an end, a handshake at any time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runner.h"

static const char world[] = "me\n"
                            "    name desk.office.example\n"
                            "    address 198.51.100.7\n"
                            "zone example.org\n"
                            "    @ MX 10 mx1\n"
                            "host mx1.example.org\n"
                            "    address 192.0.2.10\n"
                            "    port 25 mx\n"
                            "    port 465 mx tls\n"
                            "server mx\n"
                            "    local example.org\n"
                            "    mailbox postmaster\n"
                            "    user anna secret-of-anna\n";

static void open_hand(struct runner *r, bool no_greeting)
{
    runner_open_text(r, world, PRACTICE_INSTANT);
    assert_int_equal(no_greeting ? engine_connect(r->engine, &r->plan)
                                 : engine_open(r->engine, &r->plan),
                     ST_OK);
    runner_watch(r);
    runner_until_done(r);
}

/* Sends exact bytes and waits for a line that holds `answer`. */
static void send_raw(struct runner *r, const char *bytes, const char *answer)
{
    runner_expect(r, answer);
    assert_int_equal(engine_raw(r->engine, bytes, strlen(bytes), 0), ST_OK);
    runner_until_expected(r);
}

static bool has_flags(const struct runner *r, const char *text, unsigned flags)
{
    struct line line;
    uint32_t n = lines_search(r->record.lines, UINT32_MAX, true, text);
    return n != 0 && lines_get(r->record.lines, n, &line) && (line.flags & flags) == flags;
}

static void test_connect_only(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, true);
    /* The greeting is told when it comes, and the banner step is still to do. */
    runner_until_text(&r, "220 mx1.example.org");
    runner_until_session(&r, SMTP_GREETED);
    assert_int_equal(runner_verdict(&r, CHECK_CONNECT), VERDICT_OK);
    assert_int_equal(runner_verdict(&r, CHECK_BANNER), VERDICT_PENDING);
    runner_type(&r, "EHLO a.example", "250 ");
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_BANNER), VERDICT_OK);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    runner_close(&r);
}

static void test_early_talk(void **state)
{
    (void)state;
    struct runner r;
    runner_open_text(&r, world, PRACTICE_INSTANT);
    assert_int_equal(engine_connect(r.engine, &r.plan), ST_OK);
    assert_int_equal(engine_raw(r.engine, "EHLO early.example\r\n", 20, 0), ST_OK);
    runner_watch(&r);
    runner_until_done(&r);
    runner_until_text(&r, "CHUNKING");
    runner_until_session(&r, SMTP_READY);
    assert_true(has_flags(&r, "EHLO early.example", LINE_ODD | LINE_MANUAL));
    assert_non_null(strstr(record_path(&r.record)->capabilities, "CHUNKING"));
    runner_close(&r);
}

static void test_pipelined_mail(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, false);
    send_raw(&r, "EHLO a.example\r\n", "250 CHUNKING");
    runner_until_session(&r, SMTP_READY);
    send_raw(&r,
             "MAIL FROM:<a@desk.office.example>\r\nRCPT TO:<postmaster@example.org>\r\n"
             "DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nNOOP\r\n",
             "queued as");
    runner_until_session(&r, SMTP_READY);
    assert_true(practice_text_bytes(r.net) > 0);
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    runner_close(&r);
}

static void test_bare_line_feeds(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, false);
    send_raw(&r, "EHLO a.example\nNOOP\nNO\\OP\r\n", "500 ");
    assert_true(has_flags(&r, "EHLO a.example\\n", LINE_ODD | LINE_MANUAL | LINE_RAW));
    assert_false(has_flags(&r, "500 5.5.2", LINE_ODD));
    /* A step does not trust such a connection. */
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    assert_true(runner_said(&r, "again"));
    runner_close(&r);
}

static void test_a_step_behind_half_a_line(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, false);
    assert_int_equal(engine_raw(r.engine, "QU", 2, 0), ST_OK);
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    assert_null(strstr(buf_str(practice_log(r.net)), "QUEHLO"));
    runner_close(&r);
}

static void test_half_close(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, false);
    assert_int_equal(engine_raw(r.engine, "NOOP\r\nQUIT\r\n", 12, 0), ST_OK);
    assert_int_equal(engine_half_close(r.engine), ST_OK);
    runner_until_text(&r, "221 ");
    runner_until_session(&r, SMTP_CLOSED);
    assert_true(runner_said(&r, "250 2.0.0 Ok"));
    runner_type(&r, "NOOP", "no connection");
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    runner_close(&r);
}

static void test_typing_behind_a_half_close(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, false);
    assert_int_equal(engine_half_close(r.engine), ST_OK);
    runner_until_text(&r, "reading on");
    assert_int_equal(engine_type(r.engine, "NOOP", 4), ST_OK);
    /* The server leaves when it has nothing more to wait for. */
    runner_until_session(&r, SMTP_CLOSED);
    assert_null(strstr(buf_str(practice_log(r.net)), "NOOP"));
    runner_close(&r);
}

static void test_injected_commands(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, false);
    send_raw(&r, "EHLO a.example\r\n", "250 CHUNKING");
    send_raw(&r, "STARTTLS\r\nNOOP\r\n", "220 2.0.0");
    assert_int_equal(engine_handshake(r.engine), ST_OK);
    runner_until_text(&r, "Encrypted with TLSv1");
    runner_type(&r, "EHLO a.example", "AUTH PLAIN");
    assert_true(r.record.session_tls);
    assert_true(record_path(&r.record)->tls->done);
    assert_true(runner_found(&r, "tls.certificate.ok"));
    assert_int_equal(runner_verdict(&r, CHECK_STARTTLS), VERDICT_PENDING);
    runner_close(&r);
}

static void test_tls_first_by_hand(void **state)
{
    (void)state;
    struct runner r;
    struct error error;
    runner_open_text(&r, world, PRACTICE_INSTANT);
    assert_int_equal(plan_set_target(&r.plan, "smtps://mx1.example.org", &error), ST_OK);
    assert_int_equal(engine_connect(r.engine, &r.plan), ST_OK);
    runner_watch(&r);
    runner_until_done(&r);
    assert_int_equal(engine_handshake(r.engine), ST_OK);
    runner_until_text(&r, "220 mx1.example.org");
    runner_until_session(&r, SMTP_GREETED);
    assert_true(r.record.session_tls);
    assert_true(runner_found(&r, "tls.starttls.implicit"));
    runner_close(&r);
}

static void envelope(struct runner *r)
{
    runner_type(r, "EHLO a.example", "250 CHUNKING");
    runner_type(r, "MAIL FROM:<a@desk.office.example>", "250 ");
    runner_type(r, "RCPT TO:<postmaster@example.org>", "250 ");
}

static void test_chunks(void **state)
{
    (void)state;
    static const char first[] = "Subject: x\r\n\r\n.\r\n";
    struct runner r;
    open_hand(&r, false);
    envelope(&r);
    assert_int_equal(engine_type_chunk(r.engine, "BDAT 17", 7, first, 17), ST_OK);
    runner_until_text(&r, "Ok: 17 bytes");
    assert_int_equal(engine_type_chunk(r.engine, "BDAT 0 LAST", 11, "", 0), ST_OK);
    runner_until_text(&r, "queued as");
    runner_until_session(&r, SMTP_READY);
    assert_int_equal(practice_text_bytes(r.net), 17);
    assert_true(has_flags(&r, "Subject: x", LINE_BODY | LINE_MANUAL));
    runner_type(&r, "NOOP", "250 ");
    assert_true(runner_found(&r, "smtp.send.ok"));
    runner_close(&r);
}

/* The octets typed line by line, as a telnet would have them. */
static void test_chunk_by_lines(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, false);
    envelope(&r);
    runner_type(&r, "BDAT 17 LAST", "BDAT 17 LAST");
    runner_until_session(&r, SMTP_TEXT);
    assert_true(r.record.expects_text);
    runner_type(&r, "Subject: much too long for this", "17 octets of the BDAT are left");
    runner_type(&r, "Subject: x", "Subject: x");
    assert_int_equal(engine_type(r.engine, "", 0), ST_OK);
    runner_type(&r, ".", "queued as");
    runner_until_session(&r, SMTP_READY);
    assert_int_equal(practice_text_bytes(r.net), 17);
    runner_close(&r);
}

/* The wrong number on purpose: the session is not trusted any more, but people may go on. */
static void test_a_chunk_that_lies(void **state)
{
    (void)state;
    struct runner r;
    open_hand(&r, false);
    envelope(&r);
    assert_int_equal(engine_type_chunk(r.engine, "BDAT 3", 6, "abcNOOP\r\n", 9), ST_OK);
    runner_until_text(&r, "Ok: 3 bytes");
    runner_until_text(&r, "250 2.0.0 Ok");
    runner_step(&r, CHECK_EHLO, NULL);
    assert_int_equal(runner_verdict(&r, CHECK_EHLO), VERDICT_OK);
    runner_close(&r);
}

static void test_chunks_where_they_are_unknown(void **state)
{
    (void)state;
    char text[2000];
    struct runner r;
    snprintf(text, sizeof(text), "%s    on BDAT: reply \"502 5.5.1 what\"\n", world);
    runner_open_text(&r, text, PRACTICE_INSTANT);
    assert_int_equal(engine_open(r.engine, &r.plan), ST_OK);
    runner_watch(&r);
    runner_until_done(&r);
    envelope(&r);
    runner_type(&r, "BDAT 40 LAST", "502 5.5.1");
    runner_until_text(&r, "40 were not sent");
    runner_until_session(&r, SMTP_RCPT);
    assert_int_equal(engine_type_chunk(r.engine, "BDAT 4 LAST", 11, "ab\r\n", 4), ST_OK);
    runner_type(&r, "NOOP", "250 ");
    assert_true(runner_found(&r, "smtp.send.chunking_broken"));
    runner_close(&r);
}

static void test_limits(void **state)
{
    (void)state;
    struct runner r;
    char *big = calloc(1, ENGINE_CHUNK_MAX + 1);
    assert_non_null(big);
    open_hand(&r, false);
    assert_int_equal(engine_raw(r.engine, big, SMTP_RAW_MAX + 1, 0), ST_LIMIT);
    assert_int_equal(engine_type_chunk(r.engine, "BDAT 1", 6, big, ENGINE_CHUNK_MAX + 1), ST_LIMIT);
    assert_int_equal(engine_type_chunk(r.engine, "NOOP", 4, "a", 1), ST_OK);
    runner_until_text(&r, "Only BDAT takes octets along");
    free(big);
    runner_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_only),
        cmocka_unit_test(test_early_talk),
        cmocka_unit_test(test_pipelined_mail),
        cmocka_unit_test(test_bare_line_feeds),
        cmocka_unit_test(test_a_step_behind_half_a_line),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_typing_behind_a_half_close),
        cmocka_unit_test(test_injected_commands),
        cmocka_unit_test(test_tls_first_by_hand),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_chunk_by_lines),
        cmocka_unit_test(test_a_chunk_that_lies),
        cmocka_unit_test(test_chunks_where_they_are_unknown),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
