#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "practice_bench.h"
#include "tls.h"

#define DAY_S INT64_C(86400)

static struct network *open_server(const char *lines)
{
    struct buf text;
    buf_init(&text, 65536);
    assert_int_equal(buf_addf(&text, "%s%s", BENCH_HOST, lines), ST_OK);
    struct network *n = bench_open(text.p, PRACTICE_INSTANT, 0);
    buf_free(&text);
    return n;
}

static enum status begin_tls(struct talk *t, const char *name, struct tls_facts *facts)
{
    struct tls_config config = {.name = name, .ca_pem = t->net->ca_pem};
    struct net_conn *layer = NULL;
    struct error error = {0};
    enum status st = tls_client(t->net, t->conn, &config, net_now_us(t->net) + 30 * US_PER_S, NULL,
                                &layer, facts, &error);
    if (st == ST_OK) {
        t->conn = layer;
    }
    return st;
}

static void test_starttls_and_on(void **state)
{
    (void)state;
    struct network *n = open_server("  local example.org\n");
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    struct talk t;
    assert_non_null(facts);
    talk_begin(&t, n, "192.0.2.10", 25);
    assert_int_equal(talk_reply(&t), 220);
    assert_int_equal(talk_command(&t, "STARTTLS now"), 501);
    assert_int_equal(talk_command(&t, "STARTTLS"), 220);
    assert_int_equal(begin_tls(&t, "mx1.example.org", facts), ST_OK);
    assert_true(facts->done && facts->verified);
    assert_string_equal(facts->version, "TLSv1.3");
    assert_int_equal(facts->chain_count, 2);
    assert_string_equal(facts->names[0], "mx1.example.org");
    assert_string_equal(facts->sni, "mx1.example.org");
    /* The hello in clear is forgotten, and TLS is not offered twice. */
    assert_int_equal(talk_command(&t, "MAIL FROM:<a@b.example>"), 503);
    talk_send(&t, "EHLO a.example\r\n");
    do {
        assert_null(strstr(talk_line(&t), "STARTTLS"));
    } while (t.line[3] == '-');
    assert_int_equal(talk_command(&t, "STARTTLS"), 554);
    assert_int_equal(talk_command(&t, "MAIL FROM:<a@b.example>"), 250);
    assert_int_equal(talk_command(&t, "QUIT"), 221);
    assert_int_equal(talk_until_end(&t), ST_EOF);
    assert_non_null(strstr(buf_str(practice_log(n)), "1 clear STARTTLS\n"));
    assert_non_null(strstr(buf_str(practice_log(n)), "1 tls QUIT\n"));
    talk_end(&t);
    net_network_close(n);
    free(facts);
}

static void test_tls_from_the_first_byte(void **state)
{
    (void)state;
    struct network *n = open_server("  user anna secret\n");
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    struct talk t;
    bool auth = false;
    assert_non_null(facts);
    talk_begin(&t, n, "2001:db8:2::10", 465);
    assert_int_equal(begin_tls(&t, "mx1.example.org", facts), ST_OK);
    assert_int_equal(talk_reply(&t), 220);
    talk_send(&t, "EHLO a.example\r\n");
    do {
        auth = auth || strstr(talk_line(&t), "AUTH PLAIN") != NULL;
    } while (t.line[3] == '-');
    assert_true(auth);
    talk_end(&t);
    net_network_close(n);
    free(facts);
}

struct kind_case {
    const char *lines;
    enum status status;
    enum tls_reason reason;
};

static const struct kind_case kinds[] = {
    {"tls good", ST_OK, TLS_REASON_NONE},
    {"tls tls-1.2", ST_OK, TLS_REASON_NONE},
    {"tls expired", ST_OK, TLS_REASON_EXPIRED},
    {"tls not-yet-valid", ST_OK, TLS_REASON_NOT_YET_VALID},
    {"tls wrong-name", ST_OK, TLS_REASON_WRONG_NAME},
    {"tls self-signed", ST_OK, TLS_REASON_SELF_SIGNED},
    {"tls unknown-ca", ST_OK, TLS_REASON_UNTRUSTED_ROOT},
    {"tls incomplete-chain", ST_OK, TLS_REASON_INCOMPLETE_CHAIN},
    {"tls revoked", ST_OK, TLS_REASON_REVOKED},
    {"tls good\n  certificate usage client", ST_OK, TLS_REASON_PURPOSE},
    {"tls good\n  certificate usage server\n  certificate signature good", ST_OK, TLS_REASON_NONE},
    {"tls good\n  certificate signature bad", ST_OK, TLS_REASON_SIGNATURE},
    {"tls good\n  certificate names none", ST_OK, TLS_REASON_NO_SAN},
    {"tls good\n  certificate names *.example.org", ST_OK, TLS_REASON_NONE},
    {"tls good\n  certificate names other.example.org", ST_OK, TLS_REASON_WRONG_NAME},
    {"tls good\n  certificate until -1d", ST_OK, TLS_REASON_EXPIRED},
    {"tls good\n  certificate key rsa1024", ST_OK, TLS_REASON_WEAK},
    {"tls old-protocol", ST_OK, TLS_REASON_NONE},
    {"tls no-common-version", ST_TLS, TLS_REASON_OLD_PROTOCOL},
    {"tls no-shared-cipher", ST_TLS, TLS_REASON_NO_SHARED_CIPHER},
    {"tls unknown-name", ST_TLS, TLS_REASON_UNKNOWN_NAME},
    {"tls garbage", ST_TLS, TLS_REASON_NOT_TLS},
    {"tls close", ST_EOF, TLS_REASON_CLOSED},
    {"tls reset", ST_RESET, TLS_REASON_CLOSED},
    {"tls stall", ST_TIMEOUT, TLS_REASON_TIMEOUT},
};

static void test_every_kind(void **state)
{
    (void)state;
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    assert_non_null(facts);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct buf lines;
        struct talk t;
        buf_init(&lines, 4096);
        assert_int_equal(buf_addf(&lines, "  %s\n", kinds[i].lines), ST_OK);
        struct network *n = open_server(lines.p);
        talk_begin(&t, n, "192.0.2.10", 25);
        assert_int_equal(talk_reply(&t), 220);
        assert_int_equal(talk_command(&t, "STARTTLS"), 220);
        enum status st = begin_tls(&t, "mx1.example.org", facts);
        if (st != kinds[i].status || facts->reason != kinds[i].reason) {
            fail_msg("%s: %s, %s, %s", kinds[i].lines, status_name(st),
                     tls_reason_name(facts->reason), facts->detail);
        }
        if (strcmp(kinds[i].lines, "tls old-protocol") == 0) {
            assert_string_equal(facts->version, "TLSv1");
        }
        assert_true(facts->verified == (kinds[i].reason == TLS_REASON_NONE));
        talk_end(&t);
        net_network_close(n);
        buf_free(&lines);
    }
    free(facts);
}

static void test_dates_follow_the_scenarios_clock(void **state)
{
    (void)state;
    struct network *n = bench_open("clock 2031-06-01T00:00:00Z\n" BENCH_HOST
                                   "  certificate from -10d\n  certificate until 5d\n",
                                   PRACTICE_INSTANT, 0);
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    struct talk t;
    assert_non_null(facts);
    talk_begin(&t, n, "192.0.2.10", 465);
    assert_int_equal(begin_tls(&t, "mx1.example.org", facts), ST_OK);
    assert_true(facts->verified);
    int64_t now = INT64_C(1938038400);
    assert_int_equal(facts->chain[0].not_before, now - 10 * DAY_S);
    assert_int_equal(facts->chain[0].not_after, now + 5 * DAY_S);
    talk_end(&t);
    net_network_close(n);
    free(facts);
}

static void test_client_certificate_is_wanted(void **state)
{
    (void)state;
    struct network *n = open_server("  tls client-certificate\n");
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    struct talk t;
    assert_non_null(facts);
    talk_begin(&t, n, "192.0.2.10", 25);
    talk_reply(&t);
    assert_int_equal(talk_command(&t, "STARTTLS"), 220);
    /* With TLS 1.3 the refusal comes after our side is done. */
    if (begin_tls(&t, "mx1.example.org", facts) == ST_OK) {
        assert_true(facts->client_cert_requested);
        assert_int_not_equal(talk_until_end(&t), ST_OK);
    }
    talk_end(&t);
    net_network_close(n);
    free(facts);
}

/* Commands in clear behind STARTTLS: forgotten by a good server, obeyed by a flawed one
 * (CVE-2011-0411). */
static void test_commands_behind_starttls(void **state)
{
    (void)state;
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    assert_non_null(facts);
    for (int flawed = 0; flawed < 2; flawed++) {
        struct network *n = open_server(flawed ? "  keeps-commands\n" : "  tls good\n");
        struct talk t;
        talk_begin(&t, n, "192.0.2.10", 25);
        talk_reply(&t);
        talk_send(&t, "STARTTLS\r\nVRFY injected\r\n");
        assert_int_equal(talk_reply(&t), 220);
        assert_int_equal(begin_tls(&t, "mx1.example.org", facts), ST_OK);
        assert_int_equal(talk_command(&t, "NOOP"), flawed ? 252 : 250);
        bool seen = strstr(buf_str(practice_log(n)), "tls VRFY injected") != NULL;
        assert_true(seen == (flawed == 1));
        talk_end(&t);
        net_network_close(n);
    }
    free(facts);
}

/* Lines in clear behind the 220 travel in the same segment, where a careless client keeps them. */
static void test_injected_lines_share_the_segment(void **state)
{
    (void)state;
    struct network *n = open_server("  on STARTTLS: reply \"220 go\" \"250 injected\"\n");
    struct talk t;
    char bytes[100];
    size_t got = 0;
    talk_begin(&t, n, "192.0.2.10", 25);
    talk_reply(&t);
    talk_send(&t, "STARTTLS\r\n");
    assert_int_equal(
        net_read_some(n, t.conn, bytes, sizeof(bytes), &got, net_now_us(n) + US_PER_S, NULL),
        ST_OK);
    assert_int_equal(got, strlen("220 go\r\n250 injected\r\n"));
    talk_end(&t);
    net_network_close(n);
}

static void test_hostile_names_in_a_certificate(void **state)
{
    (void)state;
    struct network *n = open_server(
        "  certificate names {host} \"\\e]0;x\\a.example\" \"evil\\x00.example.org\" 192.0.2.10\n"
        "  certificate subject \"\\e[31m\\xff\\r\\n\"\n");
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    struct talk t;
    assert_non_null(facts);
    talk_begin(&t, n, "192.0.2.10", 465);
    assert_int_equal(begin_tls(&t, "mx1.example.org", facts), ST_OK);
    assert_true(facts->verified);
    assert_int_equal(facts->name_total, 4);
    assert_string_equal(facts->names[1], "\033]0;x\a.example");
    talk_end(&t);
    /* The address in it is one, not a text. */
    talk_begin(&t, n, "192.0.2.10", 465);
    assert_int_equal(begin_tls(&t, "192.0.2.10", facts), ST_OK);
    assert_true(facts->verified);
    talk_end(&t);
    net_network_close(n);
    free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starttls_and_on),
        cmocka_unit_test(test_tls_from_the_first_byte),
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_dates_follow_the_scenarios_clock),
        cmocka_unit_test(test_client_certificate_is_wanted),
        cmocka_unit_test(test_commands_behind_starttls),
        cmocka_unit_test(test_injected_lines_share_the_segment),
        cmocka_unit_test(test_hostile_names_in_a_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
