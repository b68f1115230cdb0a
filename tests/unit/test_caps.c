/* Capabilities: the table of spellings, mechanisms, sizes, masks and repeated addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "caps.h"
#include "guarded.h"

/* Feeds the text in two pieces, cut at `cut`, on guarded pages. */
static void read_caps_cut(struct caps *caps, const char *wire, size_t cut, bool esmtp)
{
    struct reply *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    reply_init(r);
    struct guarded a = guarded_copy(wire, cut);
    struct guarded b = guarded_copy(wire + cut, strlen(wire) - cut);
    size_t used;
    enum status st = reply_feed(r, a.p, a.len, &used);
    if (st == ST_AGAIN) {
        st = reply_feed(r, b.p, b.len, &used);
    }
    assert_int_equal(st, ST_OK);
    for (size_t i = 0; i < r->line_count; i++) {
        r->lines[i].number = (uint32_t)(100 + i);
    }
    /* What was there before must not shine through. */
    memset(caps, 0xa5, sizeof(*caps));
    caps_parse(caps, r, esmtp);
    reply_free(r);
    free(r);
    guarded_free(&a);
    guarded_free(&b);
}

static struct caps *read_caps(const char *wire)
{
    struct caps *caps = malloc(sizeof(*caps));
    struct caps *again = malloc(sizeof(*again));
    assert_true(caps != NULL && again != NULL);
    read_caps_cut(caps, wire, 0, true);
    for (size_t cut = 1; cut <= strlen(wire); cut++) {
        read_caps_cut(again, wire, cut, true);
        assert_memory_equal(caps, again, sizeof(*caps));
    }
    free(again);
    return caps;
}

static void test_usual(void **state)
{
    (void)state;
    struct caps *c = read_caps("250-mx.example Hello probe.example [192.0.2.7], pleased\r\n"
                               "250-PIPELINING\r\n"
                               "250-size 10240000\r\n"
                               "250-STARTTLS\r\n"
                               "250-AUTH PLAIN login Scram-Sha-256\r\n"
                               "250-X-LOCAL one two\r\n"
                               "250 MT-PRIORITY MIXER\r\n");
    assert_true(c->esmtp);
    assert_string_equal(c->greeting_name, "mx.example");
    assert_string_equal(c->greeting_text, "Hello probe.example [192.0.2.7], pleased");
    assert_int_equal(c->count, 6);
    assert_int_equal(c->dropped, 0);
    assert_true(c->has_size);
    assert_int_equal(c->size, 10240000);
    assert_int_equal(c->mech_count, 3);
    assert_string_equal(c->mechs[1], "LOGIN");
    assert_true(caps_has_mech(c, "scram-sha-256"));
    assert_false(caps_has_mech(c, "SCRAM-SHA-256-PLUS"));
    assert_false(c->auth_old_form);
    assert_true(caps_has(c, CAP_STARTTLS));
    assert_false(caps_has(c, CAP_DSN));
    assert_null(caps_find(c, CAP_CHUNKING));
    const struct cap *size = caps_find(c, CAP_SIZE);
    assert_non_null(size);
    assert_string_equal(size->text, "size 10240000");
    assert_int_equal(size->keyword_len, 4);
    assert_int_equal(size->line, 102);
    const struct cap *other = caps_find(c, CAP_OTHER);
    assert_string_equal(other->text, "X-LOCAL one two");
    assert_int_equal(other->keyword_len, 7);
    assert_false(other->bad_syntax);
    assert_true(caps_has(c, CAP_MT_PRIORITY));
    free(c);
}

static void test_helo(void **state)
{
    (void)state;
    struct caps *c = malloc(sizeof(*c));
    assert_non_null(c);
    read_caps_cut(c, "250-old.example\r\n250-STARTTLS\r\n250 SIZE 5\r\n", 0, false);
    assert_false(c->esmtp);
    assert_string_equal(c->greeting_name, "old.example");
    assert_string_equal(c->greeting_text, "");
    assert_int_equal(c->count, 0);
    assert_false(c->has_size);
    free(c);
}

static void test_auth_forms(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        size_t mechs;
        bool old_form, bad;
    } cases[] = {
        {"250 AUTH=LOGIN\r\n", 1, true, false},
        {"250 AUTH=LOGIN PLAIN\r\n", 2, true, false},
        {"250-AUTH=LOGIN\r\n250 AUTH LOGIN PLAIN\r\n", 2, false, false},
        {"250-AUTH LOGIN PLAIN\r\n250 AUTH=LOGIN PLAIN\r\n", 2, false, false},
        {"250-AUTH=LOGIN\r\n250 AUTH=PLAIN\r\n", 2, true, false},
        {"250 AUTH\r\n", 0, false, false},
        {"250 auth  LOGIN   PLAIN \r\n", 2, false, false},
        {"250 AUTH LOGIN LOGIN login\r\n", 1, false, false},
        {"250 AUTH A234567890123456789012345678901234567890 PLAIN\r\n", 1, false, true},
        {"250 AUTH PL\x01IN \x1b[2J LOGIN\r\n", 1, false, true},
        {"250 AUTHOR=X\r\n", 0, false, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char wire[256];
        snprintf(wire, sizeof(wire), "250-mx.example\r\n%s", cases[i].lines);
        struct caps *c = read_caps(wire);
        assert_int_equal(c->mech_count, cases[i].mechs);
        assert_int_equal(c->auth_old_form, cases[i].old_form);
        assert_int_equal(c->list[c->count - 1].bad_syntax, cases[i].bad);
        free(c);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint64_t size;
        bool bad;
    } cases[] = {
        {"SIZE", 0, false},
        {"SIZE 0", 0, false},
        {"SIZE 00052428800", 52428800, false},
        {"SIZE 18446744073709551615", UINT64_MAX, false},
        {"SIZE 18446744073709551616", UINT64_MAX, true},
        {"SIZE 99999999999999999999999999", UINT64_MAX, true},
        {"SIZE 10 20", 10, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char wire[128];
        snprintf(wire, sizeof(wire), "250-mx\r\n250 %s\r\n", cases[i].line);
        struct caps *c = read_caps(wire);
        assert_true(c->has_size);
        assert_true(c->size == cases[i].size);
        assert_int_equal(c->list[0].bad_syntax, cases[i].bad);
        free(c);
    }
    struct caps *c =
        read_caps("250-mx\r\n250-SIZE x1\r\n250-SIZE -1\r\n250-SIZE 7\r\n250 SIZE 8\r\n");
    assert_true(c->has_size);
    assert_int_equal(c->size, 7);
    assert_true(c->list[0].bad_syntax);
    assert_true(c->list[1].bad_syntax);
    free(c);
}

static void test_masks_and_syntax(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool masked, bad;
    } cases[] = {
        {"XXXXXXXA", true, false},
        {"xxxxxxxx", true, false},
        {"********", true, true},
        {"XXXX", true, false},
        {"XXX", false, false},
        {"XXXXAB", false, false},
        {"XCLIENT NAME ADDR", false, false},
        {"XEXCH50", false, false},
        {"XXXXXXXA XXXX", true, false},
        {"-FOO", false, true},
        {"FOO_BAR", false, true},
        {"FOO\tBAR", false, true},
        {"FOO \x1b[31m", false, true},
        {"FOO caf\xc3\xa9", false, true},
        {"", false, true},
        {"  INDENTED x", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char wire[128];
        snprintf(wire, sizeof(wire), "250-mx\r\n250 %s\r\n", cases[i].line);
        struct caps *c = read_caps(wire);
        assert_int_equal(c->count, 1);
        assert_int_equal(c->list[0].masked, cases[i].masked);
        assert_int_equal(c->list[0].bad_syntax, cases[i].bad);
        free(c);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct buf wire;
    buf_init(&wire, 1 << 20);
    assert_int_equal(buf_add_str(&wire, "250-mx\r\n"), ST_OK);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(buf_addf(&wire, "250-AUTH M%d\r\n", i), ST_OK);
    }
    assert_int_equal(buf_add_str(&wire, "250 LAST "), ST_OK);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(buf_add_char(&wire, 'z'), ST_OK);
    }
    assert_int_equal(buf_add_str(&wire, "\r\n"), ST_OK);
    struct caps *c = malloc(sizeof(*c));
    assert_non_null(c);
    read_caps_cut(c, buf_str(&wire), 0, true);
    assert_int_equal(c->count, CAPS_MAX);
    assert_int_equal(c->dropped, 201 - CAPS_MAX);
    assert_int_equal(c->mech_count, CAPS_MECHS_MAX);

    buf_clear(&wire);
    assert_int_equal(buf_add_str(&wire, "250-"), ST_OK);
    for (int i = 0; i < 600; i++) {
        assert_int_equal(buf_add_char(&wire, 'n'), ST_OK);
    }
    assert_int_equal(buf_add_str(&wire, " t\r\n250 "), ST_OK);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(buf_add_char(&wire, 'k'), ST_OK);
    }
    assert_int_equal(buf_add_str(&wire, "\r\n"), ST_OK);
    read_caps_cut(c, buf_str(&wire), 0, true);
    assert_int_equal(strlen(c->greeting_name), sizeof(c->greeting_name) - 1);
    assert_string_equal(c->greeting_text, "t");
    assert_int_equal(strlen(c->list[0].text), CAP_TEXT_MAX - 1);
    assert_int_equal(c->list[0].keyword_len, CAP_TEXT_MAX - 1);
    caps_clear(c);
    assert_int_equal(c->count, 0);
    free(c);
    buf_free(&wire);
}

static void test_odd_replies(void **state)
{
    (void)state;
    struct caps *c =
        read_caps("text first\r\n250-mx.example hi\r\nstray STARTTLS\r\n\r\n250 DSN\r\n");
    assert_string_equal(c->greeting_name, "mx.example");
    assert_int_equal(c->count, 1);
    assert_true(caps_has(c, CAP_DSN));
    assert_false(caps_has(c, CAP_STARTTLS));
    free(c);
    c = read_caps("250\r\n");
    assert_string_equal(c->greeting_name, "");
    assert_int_equal(c->count, 0);
    free(c);
}

static void test_seen_address(void **state)
{
    (void)state;
    static const struct {
        const char *line, *address;
    } cases[] = {
        {"mx.google.example at your service, [192.0.2.1]", "192.0.2.1"},
        {"mx.google.example at your service, [2001:db8::25]", "2001:db8::25"},
        {"mail.example Hello probe.example [IPv6:2001:db8::1], pleased", "2001:db8::1"},
        {"mail.example Hello [198.51.100.9]", "198.51.100.9"},
        {"mail.example Hello probe (may be forged) 203.0.113.5, pleased to meet you",
         "203.0.113.5"},
        {"mail.example Hello (192.0.2.3)", "192.0.2.3"},
        {"mail.example Hello [not an address] [192.0.2.4]", "192.0.2.4"},
        {"mail.example Hello 192.0.2.8 [192.0.2.9]", "192.0.2.9"},
        {"[192.0.2.1] hello there", NULL},
        {"mail.example Hello [192.0.2.1", NULL},
        {"mail.example at 10:20:30, version 8.14.4", NULL},
        {"mail.example", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char wire[256];
        snprintf(wire, sizeof(wire), "250 %s\r\n", cases[i].line);
        struct caps *c = read_caps(wire);
        struct net_address got;
        bool found = caps_seen_address(c, &got);
        assert_int_equal(found, cases[i].address != NULL);
        if (found) {
            char text[NET_ADDRESS_TEXT];
            net_address_format(&got, text, sizeof(text));
            assert_string_equal(text, cases[i].address);
        }
        free(c);
    }
}

static void test_meanings(void **state)
{
    (void)state;
    for (int id = 0; id < CAP_OTHER; id++) {
        assert_string_not_equal(cap_meaning((enum cap_id)id), "");
    }
    assert_string_equal(cap_meaning(CAP_OTHER), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),       cmocka_unit_test(test_helo),
        cmocka_unit_test(test_auth_forms),  cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_masks_and_syntax),
        cmocka_unit_test(test_odd_replies), cmocka_unit_test(test_seen_address),
        cmocka_unit_test(test_meanings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
