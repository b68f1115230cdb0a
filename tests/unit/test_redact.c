#include "secret.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base64.h"
#include "guarded.h"

#define USER "ann@example.net"
#define CANARY "Zk9?kanarie/42 \xc3\xa9!"

static void setup(struct redactor *r, const char *user, const char *password)
{
    struct secret s = {0};
    memset(r, 0, sizeof(*r));
    assert_int_equal(secret_set(&s, password, strlen(password)), ST_OK);
    assert_int_equal(redactor_add(r, user, &s), ST_OK);
    secret_free(&s);
}

static struct buf apply(const struct redactor *r, const char *p, size_t len)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    struct guarded g = guarded_copy(p, len);
    assert_int_equal(redactor_apply(r, g.p, g.len, &out), ST_OK);
    guarded_free(&g);
    return out;
}

static void assert_hidden(const struct redactor *r, const char *p, size_t len, const char *leak)
{
    struct buf out = apply(r, p, len);
    assert_non_null(strstr(buf_str(&out), "<hidden "));
    if (leak != NULL && strstr(buf_str(&out), leak) != NULL) {
        print_error("left over: %s in %s\n", leak, buf_str(&out));
        fail();
    }
    buf_free(&out);
}

static void plain_text_is_left_alone(void **state)
{
    (void)state;
    struct redactor r;
    setup(&r, USER, CANARY);
    static const char text[] = "250-AUTH PLAIN LOGIN\r\n\0 with a NUL \xff";
    struct buf out = apply(&r, text, sizeof(text));
    assert_int_equal(out.len, sizeof(text));
    assert_memory_equal(out.p, text, sizeof(text));
    buf_free(&out);
    out = apply(&r, "", 0);
    assert_int_equal(out.len, 0);
    buf_free(&out);
    redactor_free(&r);
    assert_int_equal(r.count, 0);
}

static void the_secret_itself_is_hidden_wherever_it_stands(void **state)
{
    (void)state;
    struct redactor r;
    setup(&r, USER, "opensesame");
    struct buf out = apply(&r, "535 bad password opensesame!", 28);
    assert_string_equal(buf_str(&out), "535 bad password <hidden 10 bytes>!");
    buf_free(&out);
    out = apply(&r, "opensesameopensesame", 20);
    assert_string_equal(buf_str(&out), "<hidden 10 bytes><hidden 10 bytes>");
    buf_free(&out);
    out = apply(&r, "opensesam", 9);
    assert_string_equal(buf_str(&out), "opensesam");
    buf_free(&out);
    redactor_free(&r);
}

static void base64_is_hidden_at_every_offset(void **state)
{
    (void)state;
    struct redactor r;
    setup(&r, USER, CANARY);
    for (size_t before = 0; before < 8; before++) {
        for (size_t after = 0; after < 5; after++) {
            char raw[100];
            size_t len = 0;
            memset(raw, 'x', before);
            len += before;
            memcpy(raw + len, CANARY, strlen(CANARY));
            len += strlen(CANARY);
            memset(raw + len, 'y', after);
            len += after;
            struct buf text;
            buf_init(&text, 1000);
            assert_int_equal(base64_encode(&text, raw, len), ST_OK);
            struct buf out = apply(&r, text.p, text.len);
            const char *mark = strstr(buf_str(&out), "<hidden ");
            assert_non_null(mark);
            /* Every character that holds nothing but bits of the secret, and no other; the
               padding as well where the secret stands alone. */
            size_t hidden = strtoul(mark + 8, NULL, 10);
            size_t first = (before % 3 * 8 + 5) / 6;
            size_t end = (before % 3 + strlen(CANARY)) * 8 / 6;
            if (before % 3 == 0 && after == 0) {
                end = (strlen(CANARY) + 2) / 3 * 4;
            }
            assert_int_equal(hidden, end - first);
            buf_free(&out);
            buf_free(&text);
        }
    }
    redactor_free(&r);
}

static void encode(struct buf *out, const char *raw, size_t len)
{
    buf_init(out, 40000);
    assert_int_equal(base64_encode(out, raw, len), ST_OK);
}

static void sasl_tokens_are_hidden_as_a_whole(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t len;
    } tokens[] = {
#define TOKEN(text) {text, sizeof(text) - 1}
        TOKEN("\0" USER "\0" CANARY),
        TOKEN(USER "\0" USER "\0" CANARY),
        TOKEN(CANARY),
        TOKEN("user=" USER "\1auth=Bearer " CANARY "\1\1"),
        TOKEN("n,a=" USER ",\1auth=Bearer " CANARY "\1\1"),
#undef TOKEN
    };
    struct redactor r;
    setup(&r, USER, CANARY);
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        struct buf token, line;
        encode(&token, tokens[i].p, tokens[i].len);
        buf_init(&line, 1000);
        assert_int_equal(buf_addf(&line, "501 I do not like %s", token.p), ST_OK);
        struct buf out = apply(&r, line.p, line.len);
        char expected[100];
        snprintf(expected, sizeof(expected), "501 I do not like <hidden %zu bytes>", token.len);
        assert_string_equal(buf_str(&out), expected);
        buf_free(&out);
        buf_free(&line);
        buf_free(&token);
    }
    /* with host and port, the secret part goes all the same */
    struct buf token;
    static const char bearer[] =
        "n,a=" USER ",\1host=mx.example.net\1port=587\1auth=Bearer " CANARY "\1\1";
    encode(&token, bearer, sizeof(bearer) - 1);
    assert_hidden(&r, token.p, token.len, NULL);
    buf_free(&token);
    redactor_free(&r);
}

static void hex_and_percent_are_hidden(void **state)
{
    (void)state;
    struct redactor r;
    setup(&r, USER, CANARY);
    char lower[200] = "", upper[200] = "", percent[300] = "", percent_lower[300] = "";
    for (const unsigned char *p = (const unsigned char *)CANARY; *p != '\0'; p++) {
        snprintf(lower + strlen(lower), 3, "%02x", *p);
        snprintf(upper + strlen(upper), 3, "%02X", *p);
        bool plain = *p < 0x80 && isalnum(*p);
        snprintf(percent + strlen(percent), 4, plain ? "%c" : "%%%02X", *p);
        snprintf(percent_lower + strlen(percent_lower), 4, plain ? "%c" : "%%%02x", *p);
    }
    assert_hidden(&r, lower, strlen(lower), "6b616e");
    assert_hidden(&r, upper, strlen(upper), "6B616E");
    assert_hidden(&r, percent, strlen(percent), "kanarie");
    assert_hidden(&r, percent_lower, strlen(percent_lower), "kanarie");
    redactor_free(&r);
}

static void overlapping_needles_leave_no_tail(void **state)
{
    (void)state;
    struct redactor r = {0};
    assert_int_equal(redactor_add_bytes(&r, "abcdef", 6), ST_OK);
    assert_int_equal(redactor_add_bytes(&r, "defghi", 6), ST_OK);
    assert_int_equal(redactor_add_bytes(&r, "hijk", 4), ST_OK);
    assert_int_equal(redactor_add_bytes(&r, "abcd", 4), ST_OK);
    struct buf out = apply(&r, "_abcdefghijk_", 13);
    assert_string_equal(buf_str(&out), "_<hidden 11 bytes>_");
    buf_free(&out);
    redactor_free(&r);
}

static void short_needles_do_not_blank_words(void **state)
{
    (void)state;
    struct redactor r;
    setup(&r, USER, "is");
    struct buf out = apply(&r, "this is it", 10);
    assert_string_equal(buf_str(&out), "this is it");
    buf_free(&out);
    redactor_free(&r);
}

static void limits(void **state)
{
    (void)state;
    struct redactor r = {0};
    for (int i = 0; i < REDACT_MAX_NEEDLES; i++) {
        char needle[20];
        snprintf(needle, sizeof(needle), "needle-%d", i);
        assert_int_equal(redactor_add_bytes(&r, needle, strlen(needle)), ST_OK);
    }
    /* one that is known already costs nothing */
    assert_int_equal(redactor_add_bytes(&r, "needle-0", 8), ST_OK);
    assert_int_equal(redactor_add_bytes(&r, "one more", 8), ST_LIMIT);
    redactor_free(&r);

    /* the longest secret fits in all its forms */
    static char big[SECRET_MAX + 1];
    memset(big, 0x81, SECRET_MAX);
    setup(&r, USER, big);
    struct buf token;
    encode(&token, big, SECRET_MAX);
    assert_hidden(&r, token.p, token.len, "gYGBgYGB");
    buf_free(&token);
    redactor_free(&r);

    struct buf out;
    setup(&r, USER, "opensesame");
    buf_init(&out, 5);
    assert_int_equal(redactor_apply(&r, "opensesame", 10, &out), ST_LIMIT);
    assert_null(strstr(buf_str(&out), "open"));
    buf_free(&out);
    redactor_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_left_alone),
        cmocka_unit_test(the_secret_itself_is_hidden_wherever_it_stands),
        cmocka_unit_test(base64_is_hidden_at_every_offset),
        cmocka_unit_test(sasl_tokens_are_hidden_as_a_whole),
        cmocka_unit_test(hex_and_percent_are_hidden),
        cmocka_unit_test(overlapping_needles_leave_no_tail),
        cmocka_unit_test(short_needles_do_not_blank_words),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
