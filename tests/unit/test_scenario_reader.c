#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "embedded.h"
#include "guarded.h"
#include "practice.h"
#include "scenario.h"

extern const struct embedded_file scenario_files[];
extern const size_t scenario_files_count;

#define HEAD "title T\ntarget example.org\n"

static struct scenario *read_good(const char *text)
{
    struct scenario *s = NULL;
    struct error error = {0};
    enum status st = scenario_read("good.txt", text, strlen(text), &s, &error);
    if (st != ST_OK) {
        fail_msg("%s", error.text);
    }
    return s;
}

struct mistake {
    const char *text;
    unsigned line;
    const char *expected;
};

static const struct mistake mistakes[] = {
    {"", 1, "expected a line that begins with title"},
    {"title T\n", 2, "expected a line that begins with target"},
    {"title\n", 1, "expected a text"},
    {"title A\ntitle B\n", 2, "only once"},
    {"# comment\n\ntitel T\n", 3, "found \"titel\""},
    {"  indented\n", 1, "first column"},
    {HEAD "theme\n", 3, "expected a word"},
    {HEAD "theme dns tls\n", 3, "expected the end of the line, found \"tls\""},
    {HEAD "clock yesterday\n", 3, "such as 2026-11-23T12:00:00Z, found \"yesterday\""},
    {HEAD "clock 2026-02-31T12:00:00Z\n", 3, "such as 2026-11-23T12:00:00Z"},
    {HEAD "clock 2026-13-01T12:00:00Z\n", 3, "such as 2026-11-23T12:00:00Z"},
    {HEAD "lesson\n", 3, "expected a number up to 99, found the end of the line"},
    {HEAD "lesson 0\n", 3, "expected a number from 1 to 99, found \"0\""},
    {HEAD "lesson 100\n", 3, "expected a number up to 99"},
    {HEAD "lesson 1 2\n", 3, "expected the end of the line"},
    {HEAD "seed x1\n", 3, "expected a number up to 4294967295, found \"x1\""},
    {HEAD "seed 4294967296\n", 3, "expected a number up to 4294967295"},
    {HEAD "me\n    nmae desk\n", 4, "expected name, address, seen-as, ptr or resolver"},
    {HEAD "me\n    address 192.0.2\n", 4, "IPv4 or IPv6 address, found \"192.0.2\""},
    {HEAD "me\n    resolver 192.0.2.53 latency fast\n", 4, "expected a time such as 20ms"},
    {HEAD "zone\n", 3, "expected a word, found the end of the line"},
    {HEAD "zone a..b\n", 3, "expected a domain name, found \"a..b\""},
    {HEAD "zone example.org singed\n", 3, "expected signed, bogus"},
    {HEAD "zone example.org\n    @ MX mx1\n", 4, "expected a number up to 65535, found \"mx1\""},
    {HEAD "zone example.org\n    @ MX 10\n", 4, "expected a domain name"},
    {HEAD "zone example.org\n    @ MY 10 mx1\n", 4, "expected a record type such as MX"},
    {HEAD "zone example.org\n    mx A 2001:db8::1\n", 4, "IPv4 address for an A record"},
    {HEAD "zone example.org\n    mx AAAA 192.0.2.1\n", 4, "IPv6 address for an AAAA record"},
    {HEAD "zone example.org\n    www.example.net. A 192.0.2.1\n", 4, "in the zone example.org"},
    {HEAD "zone example.org\n    @ TYPE65 abc\n", 4, "pairs of hexadecimal digits"},
    {HEAD "zone example.org\n    @ TXT \"\\q\"\n", 4, "expected \\r \\n"},
    {HEAD "host\n", 3, "expected a domain name"},
    {HEAD "host h.example\n    port 70000 refuse\n", 4, "expected a number up to 65535"},
    {HEAD "host h.example\n    port 25\n", 4, "or the name of a server"},
    {HEAD "host h.example\n    port 25 refuse latency soon\n", 4, "expected a time"},
    {HEAD "host h.example\n    port 25 smtp\n", 4, "there is none called smtp"},
    {HEAD "host h.example\n    port 25 s cut-at 3\nserver s\n", 4, "expected tls, reset-at"},
    {HEAD "server s\nserver s\n", 4, "there is a server with this one"},
    {HEAD "server drop\n", 3, "stands for what a port does"},
    {HEAD "server s\n    baner x\n", 4, "expected a line of a server such as banner"},
    {HEAD "server s\n    banner \"220 x\n", 4, "expected a closing quotation mark"},
    {HEAD "server s\n    banner \"220 {hosst}\"\n", 4, "expected {host} {client}"},
    {HEAD "server s\n    banner \"220 \\x4\"\n", 4, "expected \\r \\n"},
    {HEAD "server s\n    banner \"\\u{110000}\"\n", 4, "expected \\r \\n"},
    {HEAD "server s\n    relay maybe\n", 4, "expected denied or open"},
    {HEAD "server s\n    proxy v3\n", 4, "expected v1, v2 or any, found \"v3\""},
    {HEAD "server s\n    lmtp now\n", 4, "expected the end of the line"},
    {HEAD "server s\n    user anna\n", 4, "expected a word, found the end of the line"},
    {HEAD "server s\n    tls broken\n", 4, "expected a kind of TLS such as good"},
    {HEAD "server s\n    certificate until soon\n", 4, "expected a time such as 20ms"},
    {HEAD "server s\n    certificate usage all\n", 4, "expected server or client"},
    {HEAD "server s\n    certificate signature\n", 4, "expected good or bad, found the end"},
    {HEAD "server s\n    on rcpt: reply \"250 ok\"\n", 4, "a verb in capitals or a pattern"},
    {HEAD "server s\n    on RCPT reply \"250 ok\"\n", 4, "expected a colon, or first"},
    {HEAD "server s\n    on RCPT over 3: close\n", 4, "expected a colon, or first"},
    {HEAD "server s\n    on RCPT first: close\n", 4, "expected a number"},
    {HEAD "server s\n    on RCPT state sleepy: close\n", 4, "expected start, ready, mail or rcpt"},
    {HEAD "server s\n    on RCPT:\n", 4, "expected reply, send, repeat"},
    {HEAD "server s\n    on RCPT: shout\n", 4, "found \"shout\""},
    {HEAD "server s\n    on RCPT: wait 5s close\n", 4, "expected a comma between actions"},
    {HEAD "server s\n    on RCPT: reply\n", 4, "expected a text"},
    {HEAD "server s\n    on RCPT: wait 5s \\\n", 4, "expected another line after the backslash"},
    {HEAD "server s\n\n# two lines are one\n    on RCPT: wait 5s, \\\n    shout\n", 6, "\"shout\""},
};

static void test_mistakes_name_file_line_and_expectation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        const struct mistake *m = &mistakes[i];
        struct scenario *s = NULL;
        struct error error = {0};
        char place[40];
        snprintf(place, sizeof(place), "bad.txt, line %u: ", m->line);
        enum status st = scenario_read("bad.txt", m->text, strlen(m->text), &s, &error);
        if (st != ST_INVALID || strncmp(error.text, place, strlen(place)) != 0 ||
            strstr(error.text, m->expected) == NULL) {
            fail_msg("case %zu: \"%s\" does not say \"%s%s\"", i, error.text, place, m->expected);
        }
        assert_null(s);
    }
}

/* What a file holds goes to the terminal inside the message. */
static void test_messages_are_safe_to_show(void **state)
{
    (void)state;
    struct scenario *s = NULL;
    struct error error = {0};
    static const char text[] = HEAD "the\033[31mme\n";
    assert_int_equal(scenario_read("ba\033d.txt", text, strlen(text), &s, &error), ST_INVALID);
    assert_null(strchr(error.text, '\033'));
    assert_non_null(strstr(error.text, "\\x1b[31mme"));
    assert_non_null(strstr(error.text, "ba\\x1bd.txt"));
    static const char nul[] = "title T\0x\ntarget a\n";
    assert_int_equal(scenario_read("n", nul, sizeof(nul) - 1, &s, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "NUL"));
}

static void test_prose_keeps_its_marks(void **state)
{
    (void)state;
    struct scenario *s = read_good("title  A \"title\" \r\nstory One, two\n   three # four\n"
                                   "hint first\n  line\nhint second\ntarget a.example\n");
    assert_string_equal(s->title, "A \"title\"");
    assert_string_equal(s->story, "One, two three # four");
    assert_string_equal(s->hints, "first line\nsecond");
    assert_string_equal(s->theme, "other");
    assert_string_equal(s->options, "");
    scenario_free(s);
}

static void test_defaults(void **state)
{
    (void)state;
    char text[NET_ADDRESS_TEXT];
    struct scenario *s = read_good(HEAD);
    assert_int_equal(s->me.address_count, 2);
    net_address_format(&s->me.addresses[0], text, sizeof(text));
    assert_string_equal(text, "198.51.100.7");
    assert_int_equal(s->resolver_count, 1);
    assert_int_equal(s->clock_us, INT64_C(1795435200000000));
    scenario_free(s);
}

/* Address and pointer records follow from the hosts, unless the zone says something else. */
static void test_records_follow_from_hosts(void **state)
{
    (void)state;
    struct scenario *s = read_good(HEAD "zone example.org\n  @ MX 10 mx1\n  mx2 A 192.0.2.99\n"
                                        "host mx1.example.org\n  address 192.0.2.10\n"
                                        "host mx2.example.org\n  address 192.0.2.20\n  ptr none\n"
                                        "host hid.example.org\n  address 192.0.2.30\n  hidden\n");
    struct wire_name name;
    unsigned mx2 = 0;
    unsigned hidden = 0;
    unsigned pointers = 0;
    for (size_t i = 0; i < s->record_count; i++) {
        assert_true(wire_name_parse("mx2.example.org", &name));
        if (wire_name_equal(&s->records[i].owner, &name)) {
            assert_memory_equal(s->records[i].rdata, "\xc0\x00\x02\x63", 4);
            mx2++;
        }
        assert_true(wire_name_parse("hid.example.org", &name));
        hidden += wire_name_equal(&s->records[i].owner, &name) ? 1 : 0;
        assert_true(wire_name_parse("2.0.192.in-addr.arpa", &name));
        pointers += wire_name_within(&s->records[i].owner, &name) ? 1 : 0;
    }
    assert_int_equal(mx2, 1);
    assert_int_equal(hidden, 0);
    assert_int_equal(pointers, 2); /* mx1 and hid: a host without a name of its own has said so */
    scenario_free(s);
}

static void test_rule_is_read_whole(void **state)
{
    (void)state;
    struct scenario *s = read_good(
        HEAD
        "server s\n"
        "    on \"RCPT TO:*\" first 3 after 1 within 5min session tls ipv6 state mail: \\\n"
        "        wait 20ms, drip 1s, reply \"450-a\" \"450 b\", repeat 7 every 2s send x, close\n");
    const struct scenario_rule *r = &s->servers[0].rules[0];
    assert_string_equal(r->pattern, "RCPT TO:*");
    assert_false(r->verb);
    assert_true(r->counted_first && r->first == 3 && r->counted_after && r->after == 1);
    assert_true(r->has_within && r->within_us == 300 * US_PER_S);
    assert_true(r->per_session && r->only_tls && !r->only_clear);
    assert_int_equal(r->family, 6);
    assert_int_equal(r->state, RULE_STATE_MAIL);
    static const enum action_kind kinds[] = {ACTION_WAIT, ACTION_DRIP, ACTION_REPLY, ACTION_REPEAT,
                                             ACTION_CLOSE};
    assert_int_equal(r->action_count, ARRAY_LEN(kinds));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_int_equal(r->actions[i].kind, kinds[i]);
    }
    assert_int_equal(r->actions[2].texts.count, 2);
    assert_true(r->actions[3].raw && r->actions[3].count == 7);
    scenario_free(s);
}

static void test_limits(void **state)
{
    (void)state;
    struct scenario *s = NULL;
    struct error error = {0};
    struct buf b;
    buf_init(&b, 4u << 20);
    assert_int_equal(buf_add_str(&b, "title "), ST_OK);
    for (size_t i = 0; i < SCENARIO_LINE_MAX; i++) {
        assert_int_equal(buf_add_char(&b, 'x'), ST_OK);
    }
    assert_int_equal(scenario_read("long", b.p, b.len, &s, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "expected a line of at most"));
    buf_clear(&b);
    assert_int_equal(buf_add_str(&b, HEAD "server s\n"), ST_OK);
    for (size_t i = 0; i <= SCENARIO_LIST_MAX; i++) {
        assert_int_equal(buf_add_str(&b, " local a\n"), ST_OK);
    }
    assert_int_equal(scenario_read("many", b.p, b.len, &s, &error), ST_NOMEM);
    buf_clear(&b);
    assert_int_equal(buf_add_str(&b, HEAD "server s\n local"), ST_OK);
    for (size_t i = 0; i <= SCENARIO_WORDS_MAX; i++) {
        assert_int_equal(buf_add_str(&b, " a"), ST_OK);
    }
    assert_int_equal(scenario_read("words", b.p, b.len, &s, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "words in a line"));
    buf_free(&b);
}

/* Cut everywhere, on a page that ends there: never a crash, and either a scenario or a reason. The
 * files are alike, so that each is cut at every third byte, and three of them at all. */
static void test_every_prefix(void **state)
{
    (void)state;
    for (size_t f = 0; f < scenario_files_count; f++) {
        size_t step = scenario_files[f].len > 3000 ? 7 : 3;
        for (size_t len = f % step; len <= scenario_files[f].len; len += step) {
            struct guarded g = guarded_copy(scenario_files[f].data, len);
            struct scenario *s = NULL;
            struct error error = {0};
            enum status st = scenario_read("cut", g.p, len, &s, &error);
            if (st == ST_OK) {
                assert_non_null(s);
            } else {
                assert_null(s);
                assert_non_null(strstr(error.text, "cut, line "));
            }
            scenario_free(s);
            guarded_free(&g);
        }
    }
}

static void test_all_built_in_scenarios_open(void **state)
{
    (void)state;
    char **names = NULL;
    struct error error = {0};
    size_t count = 0;
    assert_int_equal(practice_names(NULL, &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        struct network *n = NULL;
        struct scenario_info info;
        struct practice_options options = {.pace = PRACTICE_INSTANT};
        if (practice_open(NULL, *name, &options, &n, &info, &error) != ST_OK) {
            fail_msg("%s", error.text);
        }
        assert_string_equal(info.name, *name);
        assert_true(n->demo);
        assert_non_null(strstr(n->ca_pem, "BEGIN CERTIFICATE"));
        assert_true(info.story[0] != '\0' && info.goal[0] != '\0' && info.hints[0] != '\0');
        assert_string_not_equal(info.theme, "other");
        assert_true(info.expect_count > 0); /* that it exists: test_course.c */
        scenario_info_free(&info);
        net_network_close(n);
        count++;
    }
    assert_int_equal(count, scenario_files_count);
    assert_true(count >= 31);
    practice_names_free(names);
}

static void test_names_are_sorted_by_theme(void **state)
{
    (void)state;
    char **names = NULL;
    struct error error = {0};
    char last[300] = "";
    assert_int_equal(practice_names("/nonexistent", &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        struct scenario_info info;
        char key[300];
        assert_int_equal(practice_open(NULL, *name, NULL, NULL, &info, &error), ST_OK);
        snprintf(key, sizeof(key), "%02zu %s", practice_theme_rank(info.theme), info.name);
        assert_true(strcmp(last, key) < 0);
        memcpy(last, key, sizeof(last));
        scenario_info_free(&info);
    }
    practice_names_free(names);
}

static void test_unknown_and_odd_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"no-such-scenario", "../healthy", "", "Healthy", "-x", "a/b"};
    struct practice_options options = {.pace = PRACTICE_INSTANT};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct network *n = NULL;
        struct scenario_info info;
        struct error error = {0};
        assert_int_equal(practice_open("/", bad[i], &options, &n, &info, &error), ST_INVALID);
        assert_null(n);
        assert_true(error.text[0] != '\0');
    }
}

static void test_unknown_name_gets_a_proposal(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(practice_open(NULL, "helthy", NULL, NULL, NULL, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "\"helthy\"; the nearest one is \"healthy\"."));
    assert_int_equal(practice_open(NULL, "no-starttsl", NULL, NULL, NULL, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "\"no-starttls\""));
    assert_int_equal(practice_open(NULL, "zzzzzzzzzzzz", NULL, NULL, NULL, &error), ST_INVALID);
    assert_null(strstr(error.text, "nearest"));
    assert_int_equal(practice_open(NULL, "helthy", NULL, NULL, NULL, NULL), ST_INVALID);
}

static void test_data_directory_wins(void **state)
{
    (void)state;
    char dir[] = "/tmp/smtpscope-test-XXXXXX";
    char path[200];
    char folder[100];
    char **names = NULL;
    bool seen = false;
    struct scenario_info info;
    struct error error = {0};
    assert_non_null(mkdtemp(dir));
    snprintf(folder, sizeof(folder), "%s/scenarios", dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(path, sizeof(path), "%s/healthy.txt", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("title Mine\ntheme aaa\ntarget a.example\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(practice_open(dir, "healthy", NULL, NULL, &info, &error), ST_OK);
    assert_string_equal(info.title, "Mine");
    scenario_info_free(&info);
    assert_int_equal(practice_names(dir, &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        assert_false(seen); /* a theme that nobody knows comes last, and the name only once */
        seen = strcmp(*name, "healthy") == 0;
    }
    assert_true(seen);
    practice_names_free(names);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("title Mine\n\nnonsense\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(practice_open(dir, "healthy", NULL, NULL, &info, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "healthy.txt, line 3: "));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_name_file_line_and_expectation),
        cmocka_unit_test(test_messages_are_safe_to_show),
        cmocka_unit_test(test_prose_keeps_its_marks),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_records_follow_from_hosts),
        cmocka_unit_test(test_rule_is_read_whole),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_all_built_in_scenarios_open),
        cmocka_unit_test(test_names_are_sorted_by_theme),
        cmocka_unit_test(test_unknown_and_odd_names),
        cmocka_unit_test(test_unknown_name_gets_a_proposal),
        cmocka_unit_test(test_data_directory_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
