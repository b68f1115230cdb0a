#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base64.h"
#include "practice_bench.h"
#include "sasl.h"

static struct network *open_server(const char *lines, struct talk *t)
{
    struct buf text;
    buf_init(&text, 1u << 20);
    assert_int_equal(buf_addf(&text, "%s%s", BENCH_HOST, lines), ST_OK);
    struct network *n = bench_open(text.p, PRACTICE_INSTANT, 0);
    buf_free(&text);
    talk_begin(t, n, "192.0.2.10", 25);
    return n;
}

static void close_server(struct talk *t)
{
    talk_end(t);
    net_network_close(t->net);
}

struct exchange {
    const char *command; /* NULL: only read */
    const char *answer;  /* the last line of the reply begins with it */
};

static void run_exchanges(struct talk *t, const struct exchange *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].command != NULL) {
            talk_command(t, list[i].command);
        } else {
            talk_reply(t);
        }
        if (strncmp(t->line, list[i].answer, strlen(list[i].answer)) != 0) {
            fail_msg("step %zu: \"%s\" was answered \"%s\", not \"%s\"", i,
                     list[i].command != NULL ? list[i].command : "", t->line, list[i].answer);
        }
    }
}

static void test_a_whole_session(void **state)
{
    (void)state;
    static const struct exchange list[] = {
        {NULL, "220 mx1.example.org ESMTP Postfix"},
        {"MAIL FROM:<a@b.example>", "503 5.5.1"},
        {"EHLO", "501 "},
        {"EHLO desk.example", "250 CHUNKING"},
        {"FOO", "500 5.5.2"},
        {"RCPT TO:<anna@example.org>", "503 5.5.1"},
        {"MAIL FROM:<a@b.example> SIZE=99999999", "552 5.3.4"},
        {"MAIL FROM:<a@b.example> FOO=1", "555 5.5.4"},
        {"MAIL FROM: a@b.example", "501 5.5.4"},
        {"mail from:<a@b.example> BODY=8BITMIME SIZE=1000 SMTPUTF8", "250 2.1.0"},
        {"RSET", "250 2.0.0"},
        {"MAIL FROM:<a@b.example> size=99999999999", "552 5.3.4"},
        {"MAIL FROM:<a@b.example> size=1000 body=8bitmime smtputf8 ret=hdrs", "250 2.1.0"},
        {"MAIL FROM:<a@b.example>", "503 5.5.1 Error: nested"},
        {"DATA", "554 5.5.1"},
        {"RCPT TO:<who@example.net>", "554 5.7.1 <who@example.net>: Relay access denied"},
        {"RCPT TO:<who%example.net@example.org>", "554 5.7.1"},
        {"RCPT TO:<\"who@example.net\"@mx1.example.org>", "554 5.7.1"},
        {"RCPT TO:<nobody@example.org>", "550 5.1.1"},
        {"RCPT TO:<short>", "504 5.5.2"},
        {"rcpt to:<Anna@EXAMPLE.org>", "250 2.1.5"},
        {"RCPT TO:<postmaster>", "250 2.1.5"},
        {"RSET", "250 2.0.0"},
        {"DATA", "503 5.5.1"},
        {"VRFY anna", "252 2.0.0"},
        {"EXPN all", "502 "},
        {"NOOP", "250 2.0.0"},
        {"HELP", "214 "},
        {"AUTH PLAIN", "503 5.5.1"}, /* nobody has a password here */
        {"QUIT", "221 2.0.0"},
    };
    struct talk t;
    struct network *n = open_server("  mailbox anna\n  withhold STARTTLS\n", &t);
    run_exchanges(&t, list, ARRAY_LEN(list));
    assert_int_equal(talk_until_end(&t), ST_EOF);
    const char *log = buf_str(practice_log(n));
    assert_non_null(strstr(log, "1 clear EHLO desk.example\n"));
    assert_non_null(strstr(log, "1 clear rcpt to:<Anna@EXAMPLE.org>\n"));
    assert_int_equal(practice_text_bytes(n), 0);
    close_server(&t);
}

/* All in one segment, and each command split over segments, give the same replies. */
static void test_pipelined_and_split_input(void **state)
{
    (void)state;
    static const char all[] =
        "EHLO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.org>\r\n"
        "DATA\r\n";
    static const char text[] = "Subject: x\r\n\r\n..dot\r\n.\r\r\n.x\r\n.\r\nQUIT\r\n";
    for (int split = 0; split < 2; split++) {
        struct talk t;
        struct network *n = open_server("", &t);
        assert_int_equal(talk_reply(&t), 220);
        for (size_t i = 0; split && all[i] != '\0'; i++) {
            char one[2] = {all[i], '\0'};
            talk_send(&t, one);
        }
        if (!split) {
            talk_send(&t, all);
        }
        assert_int_equal(talk_reply(&t), 250);
        assert_int_equal(talk_reply(&t), 250);
        assert_int_equal(talk_reply(&t), 250);
        assert_int_equal(talk_reply(&t), 354);
        for (size_t i = 0; split && text[i] != '\0'; i++) {
            char one[2] = {text[i], '\0'};
            talk_send(&t, one);
        }
        if (!split) {
            talk_send(&t, text);
        }
        assert_int_equal(talk_reply(&t), 250);
        assert_non_null(strstr(t.line, "queued as "));
        assert_int_equal(talk_reply(&t), 221);
        /* Without the two stuffed dots and the last line. */
        assert_int_equal(practice_text_bytes(n),
                         sizeof("Subject: x\r\n\r\n.dot\r\n\r\r\nx\r\n") - 1);
        close_server(&t);
    }
}

/* False ends of a message are text (RFC 5321 4.1.1.4). */
static void test_only_crlf_dot_crlf_ends_a_message(void **state)
{
    (void)state;
    static const char *const not_ends[] = {"\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r\n.\rx"};
    for (size_t i = 0; i < ARRAY_LEN(not_ends); i++) {
        struct talk t;
        struct network *n = open_server("", &t);
        assert_int_equal(talk_reply(&t), 220);
        assert_int_equal(talk_command(&t, "HELO a"), 250);
        assert_int_equal(talk_command(&t, "MAIL FROM:<>"), 250);
        assert_int_equal(talk_command(&t, "RCPT TO:<x@example.org>"), 250);
        assert_int_equal(talk_command(&t, "DATA"), 354);
        talk_send(&t, "line");
        talk_send(&t, not_ends[i]);
        talk_send(&t, "NOOP\r\n");
        struct net_wait_item item = {.conn = t.conn, .want = NET_READ};
        assert_int_equal(net_wait(n, &item, 1, net_now_us(n) + US_PER_S, NULL, false), ST_TIMEOUT);
        talk_send(&t, "\r\n.\r\n");
        assert_int_equal(talk_reply(&t), 250);
        close_server(&t);
    }
}

static void test_chunks(void **state)
{
    (void)state;
    struct talk t;
    struct network *n = open_server("", &t);
    talk_reply(&t);
    talk_command(&t, "EHLO a");
    assert_int_equal(talk_command(&t, "BDAT 3\r\nabc"), 503);
    assert_int_equal(talk_reply(&t), 500); /* the empty line behind the three octets */
    assert_int_equal(talk_command(&t, "MAIL FROM:<>"), 250);
    assert_int_equal(talk_command(&t, "RCPT TO:<x@example.org>"), 250);
    talk_send(&t, "BDAT 4\r\nab\r\nBDAT 3 LAST\r\nc\r\nQUIT\r\n");
    assert_int_equal(talk_reply(&t), 250);
    assert_int_equal(talk_reply(&t), 250);
    assert_non_null(strstr(t.line, "queued as "));
    assert_int_equal(talk_reply(&t), 221);
    assert_int_equal(practice_text_bytes(n), 7);
    close_server(&t);
}

static void test_conditions(void **state)
{
    (void)state;
    static const char lines[] = "  on RCPT first 1: reply \"451 4.7.1 first {n}\"\n"
                                "  on RCPT after 2: reply \"452 4.5.3 after {n}\"\n"
                                "  on \"noop ?x*\": reply \"299 pattern {command}\"\n"
                                "  on VRFY within 10s: reply \"450 too early\"\n"
                                "  on HELP state start: reply \"214 start\"\n"
                                "  on HELP state rcpt: reply \"214 rcpt\"\n"
                                "  on EXPN session first 1: reply \"250 once a session\"\n";
    static const struct exchange list[] = {
        {NULL, "220"},
        {"HELP", "214 start"},
        {"EHLO a", "250"},
        {"HELP", "214 2.0.0"},
        {"NOOP ax", "299 pattern NOOP ax"},
        {"NOOP x", "250"},
        {"MAIL FROM:<s@b.example>", "250"},
        {"RCPT TO:<x@example.org>", "451 4.7.1 first 1"},
        {"RCPT TO:<x@example.org>", "250"},
        {"HELP", "214 rcpt"},
        {"RCPT TO:<x@example.org>", "452 4.5.3 after"},
        {"VRFY a", "450"},
        {"EXPN a", "250 once"},
        {"EXPN a", "502"},
    };
    struct talk t;
    struct talk second;
    struct network *n = open_server(lines, &t);
    run_exchanges(&t, list, ARRAY_LEN(list));
    assert_int_equal(net_wait(n, NULL, 0, net_now_us(n) + 11 * US_PER_S, NULL, false), ST_TIMEOUT);
    assert_int_equal(talk_command(&t, "VRFY a"), 252);
    talk_begin(&second, n, "2001:db8:2::10", 25);
    assert_int_equal(talk_reply(&second), 220);
    assert_int_equal(talk_command(&second, "EXPN a"), 250);
    assert_int_equal(talk_command(&second, "EXPN a"), 502);
    assert_non_null(strstr(buf_str(practice_log(n)), "2 clear EXPN a\n"));
    talk_end(&second);
    close_server(&t);
}

static void test_families_are_told_apart(void **state)
{
    (void)state;
    struct talk t;
    struct network *n = open_server("  on connect ipv6: reply \"554 no\"\n"
                                    "  hello \"{host} greets {helo} [{client}]\"\n  withhold all\n",
                                    &t);
    struct talk six;
    assert_int_equal(talk_reply(&t), 220);
    assert_int_equal(talk_command(&t, "EHLO me.example"), 250);
    assert_string_equal(t.line, "250 mx1.example.org greets me.example [198.51.100.7]");
    talk_begin(&six, n, "2001:db8:2::10", 25);
    assert_int_equal(talk_reply(&six), 554);
    /* RFC 5321 3.1: after a 554 only QUIT is of use. */
    assert_int_equal(talk_command(&six, "EHLO me.example"), 503);
    assert_int_equal(talk_command(&six, "QUIT"), 221);
    talk_end(&six);
    close_server(&t);
}

/* A rule that answers in place of the server knows the address as well as the server does. */
static void test_rules_name_the_address(void **state)
{
    (void)state;
    static const char lines[] = "  on MAIL first 1: reply \"550 5.1.8 <{address}>\"\n"
                                "  on MAIL: reply \"250 2.1.0 <{address}>\"\n"
                                "  on RCPT: reply \"451 4.7.1 <{sender}> to <{address}>\"\n"
                                "  on NOOP: reply \"250 <{address}>\"\n";
    static const struct exchange list[] = {
        {NULL, "220"},
        {"EHLO a", "250"},
        {"MAIL FROM:<x@shop.example> SIZE=10", "550 5.1.8 <x@shop.example>"},
        {"MAIL FROM:<a@b.example>", "250 2.1.0 <a@b.example>"},
        {"rcpt to:<Anna@example.org>", "451 4.7.1 <a@b.example> to <Anna@example.org>"},
        {"RCPT TO:Anna", "451 4.7.1 <a@b.example> to <>"},
        {"NOOP", "250 <>"},
    };
    struct talk t;
    open_server(lines, &t);
    run_exchanges(&t, list, ARRAY_LEN(list));
    close_server(&t);
}

/* The code that was sent decides, whoever sent it. */
static void test_codes_make_the_state(void **state)
{
    (void)state;
    static const char lines[] = "  on EHLO first 1: reply \"502 no\"\n"
                                "  on MAIL: reply \"250-first\" \"250 second\"\n"
                                "  on \"RCPT TO:<four@*\": reply \"421 4.3.2 going down\"\n"
                                "  on RCPT: reply \"251 2.1.5 will forward\"\n"
                                "  on message over 8: reply \"552 5.3.4 {size} is too big\"\n";
    static const struct exchange list[] = {
        {NULL, "220"},
        {"EHLO a", "502"},
        {"MAIL FROM:<a@b.example>", "250 second"},
        {"RCPT TO:<who@example.net>", "251"},
        {"DATA", "354"},
        {"12345678\r\n.", "552 5.3.4 10 is too big"},
        {"MAIL FROM:<a@b.example>", "250 second"},
        {"RCPT TO:<who@example.net>", "251"},
        {"DATA", "354"},
        {"123\r\n.", "250 2.0.0"},
        {"DATA", "503"},
        {"MAIL FROM:<a@b.example>", "250 second"},
        {"RCPT TO:<four@example.net>", "421"},
    };
    struct talk t;
    open_server(lines, &t);
    run_exchanges(&t, list, ARRAY_LEN(list));
    assert_int_equal(talk_until_end(&t), ST_EOF);
    close_server(&t);
}

static void test_waiting_dripping_splitting(void **state)
{
    (void)state;
    struct talk t;
    struct network *n = open_server("  on connect: wait 20s, default\n"
                                    "  on NOOP: drip 2s, reply \"250 ok\"\n"
                                    "  on HELP: split 1, reply \"214 h\"\n",
                                    &t);
    int64_t start = net_now_us(n);
    assert_int_equal(talk_reply(&t), 220);
    assert_int_equal(net_now_us(n) - start, 20 * US_PER_S + 20 * US_PER_MS);
    start = net_now_us(n);
    assert_int_equal(talk_command(&t, "NOOP"), 250);
    /* Eight octets: seven pauses, and the way there and back. */
    assert_int_equal(net_now_us(n) - start, 7 * 2 * US_PER_S + 20 * US_PER_MS);
    assert_int_equal(talk_command(&t, "NOOP"), 250);
    talk_send(&t, "HELP\r\n");
    for (size_t i = 0; i < 7; i++) {
        char bytes[16];
        size_t got = 0;
        assert_int_equal(
            net_read_some(n, t.conn, bytes, sizeof(bytes), &got, net_now_us(n) + US_PER_S, NULL),
            ST_OK);
        assert_int_equal(got, 1);
        assert_int_equal(bytes[0], "214 h\r\n"[i]);
    }
    close_server(&t);
}

/* More than a window at once: the server waits for its reader, and nothing is lost or repeated. */
static void test_flood_waits_for_the_reader(void **state)
{
    (void)state;
    struct talk t;
    open_server("  on NOOP: repeat 40000 \"250-line {n}\", reply \"250 end\"\n", &t);
    assert_int_equal(talk_reply(&t), 220);
    talk_send(&t, "NOOP\r\n");
    for (int i = 1; i <= 40000; i++) {
        char line[40];
        snprintf(line, sizeof(line), "250-line %d", i);
        assert_string_equal(talk_line(&t), line);
    }
    assert_string_equal(talk_line(&t), "250 end");
    close_server(&t);
}

static void test_ends(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        enum status end;
    } cases[] = {
        {"  on NOOP: send \"250-half\\r\\n25\", close\n", ST_EOF},
        {"  on NOOP: send \"250-half\\r\\n25\", reset\n", ST_RESET},
        {"  on NOOP: send \"250-half\\r\\n25\", stall\n", ST_TIMEOUT},
        {"  on NOOP: ignore\n", ST_TIMEOUT},
        {"  on idle 30s: reply \"421 4.4.2 timeout exceeded\"\n  on NOOP: ignore\n", ST_EOF}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct talk t;
        open_server(cases[i].rule, &t);
        assert_int_equal(talk_reply(&t), 220);
        talk_send(&t, "NOOP\r\n");
        assert_int_equal(talk_until_end(&t), cases[i].end);
        close_server(&t);
    }
}

static void test_line_ends_and_raw_bytes(void **state)
{
    (void)state;
    struct talk t;
    struct network *n =
        open_server("  line-end lf\n"
                    "  on NOOP: send \"250 \\x00\\xff\\e[0m\\u{202e}{{x\\r\\r\\n\"\n",
                    &t);
    char bytes[200];
    size_t got = 0;
    assert_int_equal(
        net_read_some(n, t.conn, bytes, sizeof(bytes), &got, net_now_us(n) + US_PER_S, NULL),
        ST_OK);
    assert_null(memchr(bytes, '\r', got));
    assert_int_equal(bytes[got - 1], '\n');
    talk_send(&t, "NOOP\r\n");
    assert_int_equal(
        net_read_some(n, t.conn, bytes, sizeof(bytes), &got, net_now_us(n) + US_PER_S, NULL),
        ST_OK);
    static const char wanted[] = "250 \0\xff\x1b[0m\xe2\x80\xae{x\r\r\n";
    assert_int_equal(got, sizeof(wanted) - 1);
    assert_memory_equal(bytes, wanted, got);
    close_server(&t);
}

static void test_rule_inside_a_message(void **state)
{
    (void)state;
    struct talk t;
    struct network *n = open_server("  on message at 20: reset\n", &t);
    talk_reply(&t);
    talk_command(&t, "HELO a");
    talk_command(&t, "MAIL FROM:<>");
    talk_command(&t, "RCPT TO:<x@example.org>");
    assert_int_equal(talk_command(&t, "DATA"), 354);
    assert_int_equal(talk_command(&t, "0123456789\r\n."), 250);
    talk_command(&t, "MAIL FROM:<>");
    talk_command(&t, "RCPT TO:<x@example.org>");
    assert_int_equal(talk_command(&t, "DATA"), 354);
    talk_send(&t, "01234567890123456789012345\r\n.\r\n");
    assert_int_equal(talk_until_end(&t), ST_RESET);
    assert_int_equal(practice_text_bytes(n), 12 + 20);
    close_server(&t);
}

/* What is on its way when the client closes is seen by the server. */
static void test_last_words_arrive(void **state)
{
    (void)state;
    struct talk t;
    struct network *n = open_server("", &t);
    talk_reply(&t);
    talk_send(&t, "RSET\r\nQUIT\r\n");
    talk_end(&t);
    assert_non_null(strstr(buf_str(practice_log(n)), "1 clear QUIT\n"));
    net_network_close(n);
}

static void roll(void *ctx, void *p, size_t len)
{
    (void)ctx;
    memset(p, 0x5a, len);
}

/* The client's side of the mechanism, from room smtp, against the server's. */
static int log_in(struct talk *t, enum sasl_mech mech, const char *user, const char *password,
                  bool initial)
{
    struct secret secret = {0};
    struct sasl *s = NULL;
    struct error error = {0};
    assert_int_equal(secret_set(&secret, password, strlen(password)), ST_OK);
    struct sasl_params params = {.mech = mech,
                                 .user = user,
                                 .password = &secret,
                                 .host = "mx1.example.org",
                                 .port = 587,
                                 .random = roll};
    assert_int_equal(sasl_start(&params, &s, &error), ST_OK);
    struct buf line, response, challenge;
    buf_init(&line, 65536);
    buf_init(&response, 65536);
    buf_init(&challenge, 65536);
    bool secret_response;
    assert_int_equal(buf_addf(&line, "AUTH %s", sasl_mech_name(mech)), ST_OK);
    if (initial && sasl_has_initial(s)) {
        assert_int_equal(sasl_step(s, NULL, 0, &response, &secret_response, &error), ST_OK);
        assert_int_equal(buf_add_char(&line, ' '), ST_OK);
        assert_int_equal(base64_encode(&line, response.p, response.len), ST_OK);
    }
    int code = talk_command(t, line.p);
    bool first = !(initial && sasl_has_initial(s));
    while (code == 334) {
        buf_clear(&line);
        buf_clear(&response);
        buf_clear(&challenge);
        assert_int_equal(base64_decode(&challenge, t->line + 4, t->line_len - 4), ST_OK);
        bool ask_initial = first && sasl_has_initial(s);
        first = false;
        assert_int_equal(sasl_step(s, ask_initial ? NULL : buf_str(&challenge),
                                   ask_initial ? 0 : challenge.len, &response, &secret_response,
                                   &error),
                         ST_OK);
        assert_int_equal(base64_encode(&line, buf_str(&response), response.len), ST_OK);
        code = talk_command(t, buf_str(&line));
    }
    if (code == 235) {
        assert_int_equal(sasl_finish(s, &error), ST_OK);
    }
    sasl_free(s);
    secret_free(&secret);
    buf_free(&line);
    buf_free(&response);
    buf_free(&challenge);
    return code;
}

static void test_logins(void **state)
{
    (void)state;
    static const enum sasl_mech mechs[] = {MECH_PLAIN,       MECH_LOGIN,   MECH_CRAM_MD5,
                                           MECH_SCRAM_SHA_1, MECH_XOAUTH2, MECH_SCRAM_SHA_256,
                                           MECH_OAUTHBEARER};
    static const char lines[] =
        "  offer AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER\n"
        "  user anna@example.org \"p=w,d 1\"\n  user carla@example.org tokEN123~\n"
        "  require login\n";
    for (size_t i = 0; i < 2 * ARRAY_LEN(mechs); i++) {
        struct talk t;
        enum sasl_mech mech = mechs[i / 2];
        bool initial = i % 2 == 0;
        struct network *n = open_server(lines, &t);
        talk_reply(&t);
        assert_int_equal(talk_command(&t, "EHLO a"), 250);
        assert_int_equal(talk_command(&t, "MAIL FROM:<a@b.example>"), 530);
        assert_int_equal(log_in(&t, mech, "anna@example.org", "wrong", initial), 535);
        assert_int_equal(log_in(&t, mech, "bernd@example.org", "tokEN123~", initial), 535);
        assert_int_equal(talk_command(&t, "MAIL FROM:<a@b.example>"), 530);
        bool bearer = mech == MECH_XOAUTH2 || mech == MECH_OAUTHBEARER;
        assert_int_equal(bearer ? log_in(&t, mech, "carla@example.org", "tokEN123~", initial)
                                : log_in(&t, mech, "anna@example.org", "p=w,d 1", initial),
                         235);
        assert_int_equal(talk_command(&t, "AUTH PLAIN"), 503);
        assert_int_equal(talk_command(&t, "MAIL FROM:<a@b.example>"), 250);
        assert_int_equal(talk_command(&t, "RCPT TO:<who@example.net>"), 250);
        /* The log is for reading: it has no secrets. */
        const char *log = buf_str(practice_log(n));
        assert_non_null(strstr(log, "<hidden>"));
        assert_null(strstr(log, "cD13LGQgMQ"));
        assert_null(strstr(log, "AUTH LOGIN YW"));
        close_server(&t);
    }
}

static void test_logins_gone_wrong(void **state)
{
    (void)state;
    static const struct exchange list[] = {
        {NULL, "220"},
        {"AUTH PLAIN", "503"},
        {"EHLO a", "250"},
        {"AUTH", "501"},
        {"AUTH NTLM", "504"},
        {"AUTH PLAIN ***", "501"},
        {"AUTH PLAIN =", "501"},
        {"AUTH LOGIN", "334 VXNlcm5hbWU6"},
        {"*", "501 5.7.0"},
        {"AUTH LOGIN YW5uYQ==", "334 UGFzc3dvcmQ6"},
        {"d3Jvbmc=", "535"},
        {"AUTH CRAM-MD5 YW5uYQ==", "501"},
        {"AUTH SCRAM-SHA-256 cD10bHMtdW5pcXVlLCxuPWEscj1i", "501"}, /* p=tls-unique: not offered */
        {"NOOP", "250"},
    };
    struct talk t;
    open_server("  offer AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\n  user anna x\n", &t);
    run_exchanges(&t, list, ARRAY_LEN(list));
    close_server(&t);
    static const struct exchange clear[] = {{NULL, "220"},
                                            {"EHLO a", "250"},
                                            {"AUTH PLAIN", "538"},
                                            {"MAIL FROM:<a@b.example>", "530"}};
    open_server("  user anna x\n  require tls\n", &t);
    run_exchanges(&t, clear, ARRAY_LEN(clear));
    close_server(&t);
    /* A rule may ask and judge by itself. */
    static const struct exchange ruled[] = {{NULL, "220"},
                                            {"EHLO a", "250"},
                                            {"AUTH PLAIN", "334 eyJ9"},
                                            {"", "534 5.7.9"},
                                            {"NOOP", "250"}};
    open_server("  offer AUTH PLAIN\n  on AUTH: reply \"334 eyJ9\"\n"
                "  on login: reply \"534 5.7.9 Application-specific password required\"\n",
                &t);
    run_exchanges(&t, ruled, ARRAY_LEN(ruled));
    close_server(&t);
}

static void test_a_client_that_talks_too_early(void **state)
{
    (void)state;
    static const char lines[] = "  on connect: wait 2s, default\n"
                                "  on anything early: reply \"554 5.5.0 Too early\", close\n";
    struct talk t;
    struct network *n = open_server(lines, &t);
    talk_send(&t, "EHLO a.example\r\n");
    assert_int_equal(talk_reply(&t), 220);
    assert_int_equal(talk_reply(&t), 554);
    assert_int_equal(talk_until_end(&t), ST_EOF);
    close_server(&t);
    /* Who waits for its turn is treated as usual. */
    n = open_server(lines, &t);
    (void)n;
    assert_int_equal(talk_reply(&t), 220);
    assert_int_equal(talk_command(&t, "EHLO a.example"), 250);
    close_server(&t);
}

static void test_commands_that_come_together(void **state)
{
    (void)state;
    struct talk t;
    (void)open_server("  on anything grouped: close\n", &t);
    assert_int_equal(talk_reply(&t), 220);
    assert_int_equal(talk_command(&t, "EHLO a.example"), 250);
    assert_int_equal(talk_command(&t, "MAIL FROM:<a@b.example>"), 250);
    assert_int_equal(talk_command(&t, "RSET"), 250);
    talk_send(&t, "MAIL FROM:<a@b.example>\r\nRCPT TO:<anna@example.org>\r\n");
    assert_int_equal(talk_until_end(&t), ST_EOF);
    close_server(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_session),
        cmocka_unit_test(test_a_client_that_talks_too_early),
        cmocka_unit_test(test_commands_that_come_together),
        cmocka_unit_test(test_pipelined_and_split_input),
        cmocka_unit_test(test_only_crlf_dot_crlf_ends_a_message),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_families_are_told_apart),
        cmocka_unit_test(test_rules_name_the_address),
        cmocka_unit_test(test_codes_make_the_state),
        cmocka_unit_test(test_waiting_dripping_splitting),
        cmocka_unit_test(test_flood_waits_for_the_reader),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_line_ends_and_raw_bytes),
        cmocka_unit_test(test_rule_inside_a_message),
        cmocka_unit_test(test_last_words_arrive),
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_logins_gone_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
