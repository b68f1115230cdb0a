/* Addresses, the test message, and the dot-stuffing that no byte sequence may get round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base64.h"
#include "compose.h"
#include "escape.h"
#include "guarded.h"

static enum status check(const char *address, bool empty_ok, bool utf8, struct error *error)
{
    struct guarded g = guarded_copy(address, strlen(address) + 1);
    enum status st = address_check(g.p, empty_ok, utf8, error);
    guarded_free(&g);
    return st;
}

static void test_good_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a@b",
        "user@example.com",
        "first.last+tag@sub.example.co.uk",
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "\"quoted local\"@example.com",
        "\"a@b\"@example.com",
        "\"a\\\"b\\\\\"@example.com",
        "\"\"@example.com",
        "\"> SIZE=1\"@example.com",
        "user@[192.0.2.1]",
        "user@[IPv6:2001:db8::1]",
        "user@[ipv6:::1]",
        "user@xn--bcher-kva.example",
        "user@1.example",
    };
    struct error error;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(check(good[i], false, false, &error), ST_OK);
        assert_int_equal(check(good[i], true, true, &error), ST_OK);
    }
    assert_int_equal(check("b\xc3\xbc"
                           "cher@b\xc3\xbc"
                           "cher.example",
                           false, true, &error),
                     ST_OK);
    assert_int_equal(check("\"b\xc3\xbc\"@example", false, true, &error), ST_OK);
    assert_int_equal(check("", true, false, &error), ST_OK);
    assert_int_equal(check("", false, false, &error), ST_INVALID);
    assert_string_equal(address_domain("\"a@b\"@c.example"), "c.example");
    assert_null(address_domain("postmaster"));
}

static void test_bad_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *position; /* in the sentence, or NULL when it names none */
    } bad[] = {
        {"user", NULL},
        {"@example.com", NULL},
        {"user@", NULL},
        {"us er@example.com", " 3 "},
        {"us\ter@example.com", " 3 "},
        {"us\r\ner@example.com", " 3 "},
        {"us\ner@example.com", " 3 "},
        {"user@example.com\r\nRCPT TO:<x@y>", " 5 "},
        {"user@example.com\n", " 17 "},
        {"user@exam\rple.com", " 10 "},
        {"user@example.com>", " 17 "},
        {"<user@example.com", " 1 "},
        {"user@example.com> SIZE=5", " 17 "},
        {".user@example.com", " 1 "},
        {"user.@example.com", " 5 "},
        {"us..er@example.com", " 4 "},
        {"user@.example", " 6 "},
        {"user@example.", " 13 "},
        {"user@exa..mple", " 9 "},
        {"user@-example", " 6 "},
        {"user@example-", " 13 "},
        {"user@example-.com", " 13 "},
        {"user@under_score.example", " 11 "},
        {"user@[192.0.2.256]", " 6 "},
        {"user@[192.0.2.1", " 6 "},
        {"user@[2001:db8::1]", " 6 "},
        {"user@[IPv6:192.0.2.1]", " 6 "},
        {"user@[]", " 6 "},
        {"user@[192.0.2.1]x", " 6 "},
        {"\"open@example.com", NULL},
        {"\"open\\\"@example.com", NULL},
        {"\"a\"b@example.com", " 4 "},
        {"\"a\rb\"@example.com", " 3 "},
        {"\"a\x7f\"@example.com", " 3 "},
        {"a\x80@example.com", " 2 "},
        {"b\xc3\xbc@example.com", " 2 "},
        {"a@b\xc3\xbc", " 4 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error error = {.code = ST_OK};
        assert_int_equal(check(bad[i].address, true, false, &error), ST_INVALID);
        assert_int_equal(error.code, ST_INVALID);
        assert_true(error.text[0] != '\0');
        if (bad[i].position != NULL && strstr(error.text, bad[i].position) == NULL) {
            fail_msg("%s: %s", bad[i].address, error.text);
        }
    }
    struct error error;
    assert_int_equal(check("a\xff@b", false, true, &error), ST_INVALID);
    assert_int_equal(check("a\xc2\x85@b", false, true, &error), ST_INVALID);
    assert_int_equal(check("a\xe2\x80@b", false, true, &error), ST_INVALID);
}

static void test_address_lengths(void **state)
{
    (void)state;
    struct error error;
    for (size_t local = 1; local < 70; local++) {
        char text[128];
        memset(text, 'l', local);
        strncpy(text + local, "@d.example", sizeof(text) - local);
        assert_int_equal(check(text, false, false, &error),
                         local <= ADDRESS_LOCAL_MAX ? ST_OK : ST_INVALID);
    }
    for (size_t label = 60; label < 70; label++) {
        char text[128] = "a@";
        memset(text + 2, 'd', label);
        text[2 + label] = '\0';
        assert_int_equal(check(text, false, false, &error), label <= 63 ? ST_OK : ST_INVALID);
    }
    for (size_t len = 250; len < 2000; len += len < 260 ? 1 : 97) {
        char text[2048] = "a@";
        for (size_t i = 2; i < len; i++) {
            text[i] = i % 50 == 0 ? '.' : 'd';
        }
        text[len - 1] = 'd';
        text[len] = '\0';
        assert_int_equal(check(text, false, false, &error),
                         len <= ADDRESS_MAX ? ST_OK : ST_INVALID);
    }
}

/* Takes the wire form apart as a server does: true when it holds one message that ends at the dot.
 */
static bool unstuff(const char *p, size_t len, struct buf *out)
{
    size_t i = 0;
    while (i < len) {
        const char *lf = memchr(p + i, '\n', len - i);
        if (lf == NULL || lf == p || lf[-1] != '\r') {
            return false;
        }
        size_t n = (size_t)(lf - (p + i)) + 1;
        if (memchr(p + i, '\r', n - 2) != NULL || memchr(p + i, '\0', n) != NULL) {
            return false;
        }
        if (p[i] == '.') {
            if (n == 3) {
                return i + n == len;
            }
            assert_int_equal(buf_add(out, p + i + 1, n - 1), ST_OK);
        } else {
            assert_int_equal(buf_add(out, p + i, n), ST_OK);
        }
        i += n;
    }
    return false;
}

/* CRLF, CR and LF are one line end each; the last line has one. Written apart from compose.c. */
static void normalise(const char *p, size_t len, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < len; i++) {
        bool pair = p[i] == '\r' && i + 1 < len && p[i + 1] == '\n';
        if (p[i] == '\r' || p[i] == '\n') {
            assert_int_equal(buf_add_str(out, "\r\n"), ST_OK);
            i += pair ? 1 : 0;
            open = false;
        } else {
            assert_int_equal(buf_add_char(out, p[i]), ST_OK);
            open = true;
        }
    }
    if (open) {
        assert_int_equal(buf_add_str(out, "\r\n"), ST_OK);
    }
}

static void check_stuffing(const char *p, size_t len)
{
    struct buf wire, back, want;
    buf_init(&wire, 1 << 16);
    buf_init(&back, 1 << 16);
    buf_init(&want, 1 << 16);
    struct guarded g = guarded_copy(p, len);
    assert_int_equal(compose_stuff(&wire, g.p, g.len), ST_OK);
    guarded_free(&g);
    assert_int_equal(buf_add_str(&wire, ".\r\n"), ST_OK);
    normalise(p, len, &want);
    assert_true(unstuff(wire.p, wire.len, &back));
    assert_int_equal(back.len, want.len);
    assert_memory_equal(buf_str(&back), buf_str(&want), want.len);
    buf_free(&wire);
    buf_free(&back);
    buf_free(&want);
}

static void test_stuffing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ".",
        "..",
        ".\n",
        "a",
        "a\n",
        "a\r",
        "a\r\n",
        "\r\n.\r\n",
        "\n.\n",
        "\n.\r",
        "\r.\n",
        "\r.\r",
        "\n.\r\n",
        "\r.\r\n",
        "\r\n.\r\r\n",
        "\r\r\n.\r\r\n",
        "\r\n..\r\n",
        ".a\n.b\n..c",
        "\n\n\n",
        "\r\n\r\n",
        "x\r\n.\r\nMAIL FROM:<a@b>\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        check_stuffing(texts[i], strlen(texts[i]));
    }
    /* Every text of up to 7 characters over the alphabet that matters. */
    static const char alphabet[] = {'\r', '\n', '.', 'a'};
    for (size_t len = 1; len <= 7; len++) {
        size_t count = (size_t)1 << (2 * len);
        for (size_t n = 0; n < count; n++) {
            char text[8];
            for (size_t i = 0; i < len; i++) {
                text[i] = alphabet[(n >> (2 * i)) & 3];
            }
            check_stuffing(text, len);
        }
    }
    struct buf out;
    buf_init(&out, 100);
    assert_int_equal(compose_stuff(&out, "a\r\n\0.\r\n", 7), ST_INVALID);
    buf_clear(&out);
    assert_int_equal(compose_stuff(&out, "\0", 1), ST_INVALID);
    buf_free(&out);
    buf_init(&out, 5);
    assert_int_equal(compose_stuff(&out, "....", 4), ST_LIMIT);
    buf_free(&out);
}

struct built {
    struct buf text, id;
    bool eight_bit;
    enum status st;
    struct error error;
};

static struct compose_message sample(void)
{
    return (struct compose_message){
        .from = "probe@test.example",
        .to = "postmaster@example.com",
        .subject = "Test from smtpscope",
        .helo = "probe.example",
        .run_id = "r-1",
        .wall_us = INT64_C(1795435784000000),
        .random = UINT64_C(0x0123456789abcdef),
    };
}

static void build(const struct compose_message *m, struct built *b)
{
    memset(b, 0, sizeof(*b));
    buf_init(&b->text, 1 << 20);
    buf_init(&b->id, 512);
    b->st = compose_build(m, &b->text, &b->id, &b->eight_bit, &b->error);
    if (b->st != ST_OK) {
        return;
    }
    /* What every message has to keep (RFC 5322 2.1.1, 2.3). */
    size_t line = 0;
    for (size_t i = 0; i < b->text.len; i++) {
        char c = b->text.p[i];
        assert_true(c != '\0');
        assert_int_equal(c == '\r', i + 1 < b->text.len && b->text.p[i + 1] == '\n');
        line = c == '\n' ? 0 : line + 1;
        assert_true(line <= 998 + 1);
        assert_true(b->eight_bit || (unsigned char)c < 0x80);
    }
    assert_memory_equal(b->text.p + b->text.len - 2, "\r\n", 2);
}

static void built_free(struct built *b)
{
    buf_free(&b->text);
    buf_free(&b->id);
}

static void assert_line(const struct built *b, const char *line)
{
    char want[1100];
    snprintf(want, sizeof(want), "\r\n%s\r\n", line);
    const char *head = buf_str(&b->text);
    if (strncmp(head, want + 2, strlen(want) - 2) != 0 && strstr(head, want) == NULL) {
        fail_msg("no line \"%s\" in:\n%s", line, head);
    }
}

static void test_message(void **state)
{
    (void)state;
    struct compose_message m = sample();
    struct built b;
    build(&m, &b);
    assert_int_equal(b.st, ST_OK);
    assert_false(b.eight_bit);
    assert_line(&b, "From: <probe@test.example>");
    assert_line(&b, "To: <postmaster@example.com>");
    assert_line(&b, "Subject: Test from smtpscope");
    assert_line(&b, "MIME-Version: 1.0");
    assert_line(&b, "Auto-Submitted: auto-generated");
    assert_line(&b, "X-Smtpscope-Run: r-1");
    assert_line(&b, "Content-Transfer-Encoding: 7bit");
    assert_line(&b, "Date: Mon, 23 Nov 2026 12:09:44 +0000");
    char line[300];
    snprintf(line, sizeof(line), "Message-ID: %s", buf_str(&b.id));
    assert_line(&b, line);
    assert_non_null(strstr(buf_str(&b.id), "0123456789abcdef@probe.example>"));
    assert_non_null(strstr(buf_str(&b.text), "\r\n\r\n"));
    struct built other;
    m.random++;
    build(&m, &other);
    assert_string_not_equal(buf_str(&b.id), buf_str(&other.id));
    built_free(&other);
    built_free(&b);

    m.from = "";
    m.run_id = NULL;
    build(&m, &b);
    assert_int_equal(b.st, ST_OK);
    assert_line(&b, "From: <postmaster@probe.example>");
    assert_null(strstr(buf_str(&b.text), "X-Smtpscope-Run"));
    built_free(&b);

    static const char *const hosts[] = {"[192.0.2.1]", "[IPv6:2001:db8::1]", "mx.example"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        m.helo = hosts[i];
        build(&m, &b);
        assert_non_null(strstr(buf_str(&b.id), hosts[i]));
        built_free(&b);
    }
    static const char *const bad_hosts[] = {"", "a b", "a\r\nX: y", "b\xc3\xbc", "a>", "[x]", NULL};
    for (size_t i = 0; i < ARRAY_LEN(bad_hosts); i++) {
        m.helo = bad_hosts[i];
        build(&m, &b);
        assert_int_equal(b.st, ST_OK);
        assert_non_null(strstr(buf_str(&b.id), "@smtpscope.invalid>"));
        built_free(&b);
    }
}

static void test_injection(void **state)
{
    (void)state;
    static const char *const payloads[] = {"\r\nBcc: <x@y>", "a\rb",     "a\nb",  "\n.\n",
                                           "a\x01",          "\x1b[2J",  "a\x7f", "a\xc2\x9bz",
                                           "bad \xff utf8",  "tab\there"};
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        struct compose_message m = sample();
        struct built b;
        m.subject = payloads[i];
        build(&m, &b);
        assert_int_equal(b.st, ST_INVALID);
        assert_non_null(strstr(b.error.text, "position"));
        built_free(&b);
        m = sample();
        m.run_id = payloads[i];
        build(&m, &b);
        assert_int_equal(b.st, ST_INVALID);
        built_free(&b);
        m = sample();
        m.from = payloads[i];
        build(&m, &b);
        assert_int_equal(b.st, ST_INVALID);
        built_free(&b);
        m = sample();
        m.to = payloads[i];
        build(&m, &b);
        assert_int_equal(b.st, ST_INVALID);
        built_free(&b);
    }
    struct compose_message m = sample();
    struct built b;
    m.to = "";
    build(&m, &b);
    assert_int_equal(b.st, ST_INVALID);
    built_free(&b);
}

/* Decodes the words of an encoded subject and joins them. */
static void decode_subject(const struct built *b, struct buf *out)
{
    const char *p = strstr(buf_str(&b->text), "Subject: ");
    assert_non_null(p);
    p += strlen("Subject: ");
    for (;;) {
        assert_memory_equal(p, "=?UTF-8?B?", 10);
        const char *end = strstr(p + 10, "?=");
        assert_non_null(end);
        assert_true(end + 2 - p <= 75);
        size_t before = out->len;
        assert_int_equal(base64_decode(out, p + 10, (size_t)(end - p - 10)), ST_OK);
        /* No character is torn between two words. */
        for (size_t i = before; i < out->len;) {
            uint32_t code;
            size_t n = utf8_decode(out->p + i, out->len - i, &code);
            assert_true(n > 0);
            i += n;
        }
        p = end + 2;
        if (strncmp(p, "\r\n ", 3) != 0) {
            break;
        }
        p += 3;
    }
    assert_memory_equal(p, "\r\n", 2);
}

static void test_subjects(void **state)
{
    (void)state;
    char words[600];
    for (size_t i = 0; i + 1 < sizeof(words); i++) {
        words[i] = i % 9 == 8 ? ' ' : 'w';
    }
    words[sizeof(words) - 1] = '\0';
    static char wide[601];
    for (size_t i = 0; i + 3 <= 600; i += 3) {
        memcpy(wide + i, "\xe2\x82\xac", 3);
    }
    const char *const encoded[] = {"gr\xc3\xbc\xc3\x9f", " leading", "trailing ",
                                   "=?UTF-8?B?eA==?=",   words,      wide};
    for (size_t i = 0; i < ARRAY_LEN(encoded); i++) {
        struct compose_message m = sample();
        struct built b;
        struct buf text;
        m.subject = encoded[i];
        build(&m, &b);
        assert_int_equal(b.st, ST_OK);
        buf_init(&text, 4096);
        decode_subject(&b, &text);
        assert_string_equal(buf_str(&text), encoded[i]);
        buf_free(&text);
        built_free(&b);
    }
    struct compose_message m = sample();
    struct built b;
    m.subject = NULL;
    build(&m, &b);
    assert_line(&b, "Subject: ");
    built_free(&b);
    char endless[1200];
    memset(endless, 's', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    m.subject = endless;
    build(&m, &b);
    assert_int_equal(b.st, ST_INVALID);
    built_free(&b);
}

/* RFC 2045 6.7, the reading side. */
static void decode_qp(const char *p, struct buf *out)
{
    while (*p != '\0') {
        const char *end = strstr(p, "\r\n");
        assert_non_null(end);
        assert_true(end - p <= 76);
        bool soft = end > p && end[-1] == '=';
        assert_true(end == p || (end[-1] != ' ' && end[-1] != '\t'));
        for (const char *c = p; c < end - (soft ? 1 : 0); c++) {
            if (*c == '=') {
                unsigned byte;
                assert_int_equal(sscanf(c + 1, "%2X", &byte), 1);
                assert_int_equal(buf_add_char(out, (char)byte), ST_OK);
                c += 2;
            } else {
                assert_int_equal(buf_add_char(out, *c), ST_OK);
            }
        }
        if (!soft) {
            assert_int_equal(buf_add_str(out, "\r\n"), ST_OK);
        }
        p = end + 2;
    }
}

static void test_bodies(void **state)
{
    (void)state;
    static char at_limit[1000], over[1001];
    memset(at_limit, 'b', 998);
    memset(over, 'b', 999);
    static const struct {
        const char *body, *encoding;
        bool eight_bit;
    } cases[] = {
        {"plain\n.\nline\rother\r\n", "7bit", false},
        {"", "7bit", false},
        {"gr\xc3\xbc\xc3\x9f\n", "8bit", true},
        {at_limit, "7bit", false},
        {over, "quoted-printable", false},
        {"escape \x1b[2J\n", "quoted-printable", false},
        {"latin \xfc one", "quoted-printable", false},
        {"bad \xfc and trailing blank \nand tab\t\n= sign\n.\n", "quoted-printable", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct compose_message m = sample();
        struct built b;
        char line[80];
        m.body = cases[i].body;
        build(&m, &b);
        assert_int_equal(b.st, ST_OK);
        assert_int_equal(b.eight_bit, cases[i].eight_bit);
        snprintf(line, sizeof(line), "Content-Transfer-Encoding: %s", cases[i].encoding);
        assert_line(&b, line);
        const char *body = strstr(buf_str(&b.text), "\r\n\r\n") + 4;
        struct buf want, got;
        buf_init(&want, 4096);
        buf_init(&got, 4096);
        normalise(cases[i].body, strlen(cases[i].body), &want);
        if (strcmp(cases[i].encoding, "quoted-printable") == 0) {
            decode_qp(body, &got);
        } else {
            assert_int_equal(buf_add_str(&got, body), ST_OK);
        }
        assert_string_equal(buf_str(&got), buf_str(&want));
        buf_free(&want);
        buf_free(&got);
        built_free(&b);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct compose_message m = sample();
    for (size_t max = 0; max < 300; max += 13) {
        struct buf text, id;
        bool eight_bit;
        struct error error = {.code = ST_OK};
        buf_init(&text, max);
        buf_init(&id, 512);
        assert_int_equal(compose_build(&m, &text, &id, &eight_bit, &error), ST_LIMIT);
        assert_int_equal(error.code, ST_LIMIT);
        buf_free(&text);
        buf_free(&id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_addresses),  cmocka_unit_test(test_bad_addresses),
        cmocka_unit_test(test_address_lengths), cmocka_unit_test(test_stuffing),
        cmocka_unit_test(test_message),         cmocka_unit_test(test_injection),
        cmocka_unit_test(test_subjects),        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
