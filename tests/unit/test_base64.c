#include "base64.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "guarded.h"

static void vectors_of_the_rfc(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"", ""},          {"f", "Zg=="},         {"fo", "Zm8="},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf b;
        buf_init(&b, 100);
        assert_int_equal(base64_encode(&b, pairs[i][0], strlen(pairs[i][0])), ST_OK);
        assert_string_equal(buf_str(&b), pairs[i][1]);
        buf_clear(&b);
        assert_int_equal(base64_decode(&b, pairs[i][1], strlen(pairs[i][1])), ST_OK);
        assert_string_equal(buf_str(&b), pairs[i][0]);
        buf_free(&b);
    }
}

static void every_length_comes_back(void **state)
{
    (void)state;
    unsigned char raw[700];
    for (size_t i = 0; i < sizeof(raw); i++) {
        raw[i] = (unsigned char)(i * 37 + i / 256);
    }
    struct buf text, back;
    buf_init(&text, 2000);
    buf_init(&back, 2000);
    for (size_t len = 0; len <= sizeof(raw); len++) {
        struct guarded g = guarded_copy(raw, len);
        buf_clear(&text);
        buf_clear(&back);
        assert_int_equal(base64_encode(&text, g.p, len), ST_OK);
        assert_int_equal(text.len, (len + 2) / 3 * 4);
        struct guarded t = guarded_copy(buf_str(&text), text.len);
        assert_int_equal(base64_decode(&back, t.p, t.len), ST_OK);
        assert_int_equal(back.len, len);
        if (len > 0) {
            assert_memory_equal(back.p, raw, len);
        }
        guarded_free(&t);
        guarded_free(&g);
    }
    buf_free(&text);
    buf_free(&back);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",      "Zg",      "Zg=",      "Zg==\n",  "\nZg==",   " Zg==",    "Zg== ",     "Z g=",
        "Zh==",   "Zm9=",    "====",     "===",     "=",        "Zg==Zg==", "Zm=v",      "Zm9v\r\n",
        "Zm9-",   "Zm9_",    "Zm9\xff",  "*",       "Zg=a",     "Zm9vZh==", "Zm9v====",  "A===",
        "Zm9v Zm9v", "\t\t\t\t", "-----BEGIN--",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf b;
        buf_init(&b, 100);
        assert_int_equal(buf_add_str(&b, "kept"), ST_OK);
        struct guarded g = guarded_copy(bad[i], strlen(bad[i]));
        assert_int_equal(base64_decode(&b, g.p, g.len), ST_INVALID);
        assert_string_equal(buf_str(&b), "kept");
        guarded_free(&g);
        buf_free(&b);
    }
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(base64_decode(&b, "Zm\0v", 4), ST_INVALID);
    buf_free(&b);
}

static void a_full_buffer_gets_nothing(void **state)
{
    (void)state;
    struct buf b;
    char raw[400];
    memset(raw, 'q', sizeof(raw));
    buf_init(&b, 300);
    assert_int_equal(buf_add_str(&b, "x"), ST_OK);
    assert_int_equal(base64_encode(&b, raw, sizeof(raw)), ST_LIMIT);
    assert_string_equal(buf_str(&b), "x");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_rfc),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_full_buffer_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
