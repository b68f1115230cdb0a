#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "guarded.h"
#include "reply_fold.h"

static void folds(const char *text, const char *wanted)
{
    char out[256];
    struct guarded g = guarded_copy(text, strlen(text));
    size_t len = fold_text((struct span){g.p, g.len}, out, sizeof(out));
    guarded_free(&g);
    assert_string_equal(out, wanted);
    assert_int_equal(len, strlen(wanted));
}

static void test_folding(void **state)
{
    (void)state;
    folds("", " ");
    folds("User UNKNOWN", " user unknown ");
    folds("doesn't--exist.", " doesn t exist ");
    folds("<a.b+c@example.com>: no", " no ");
    folds("to=a@b.example no", " no ");
    folds("a@b,c@d e", " e ");
    folds("Bo\xc3\xaete pleine", " boite pleine ");
    folds("bo\xee" "te", " boite ");                 /* Latin-1 */
    folds("gro\xc3\x9f \xc3\x86", " gross ae ");
    folds("\xc3\x97" "5", " 5 ");                    /* a sign, not a letter */
    folds("\xd0\x9d\xd0\x95\xd0\xa2 \xd0\x81", " \xd0\xbd\xd0\xb5\xd1\x82 \xd1\x91 ");
    folds("\xe9\x82\xae\xe7\xae\xb1\xe3\x80\x82x", " \xe9\x82\xae\xe7\xae\xb1 x ");
    /* An address ends where another script begins. */
    folds("a@b.example\xe4\xb8\x8d", " \xe4\xb8\x8d ");
    folds("\xff\x00\x80", " y ");
    folds("\xf0\x9f\x92\xa9", " \xf0\x9f\x92\xa9 ");
}

static void test_small_buffers(void **state)
{
    (void)state;
    char text[64];
    memset(text, 'a', sizeof(text));
    for (size_t size = 3; size < sizeof(text); size++) {
        char out[64];
        memset(out, '?', sizeof(out));
        size_t len = fold_text((struct span){text, sizeof(text)}, out, size);
        assert_true(len < size);
        assert_int_equal(out[len], '\0');
        assert_int_equal(out[len - 1], ' ');
    }
}

static bool matches(const char *text, const char *words)
{
    char folded[256], pattern[FOLD_WORDS_MAX + 1];
    const char *wrong;
    struct fold_grams grams;
    uint16_t needed[FOLD_GRAMS_KEPT];
    assert_true(fold_pattern_check(words, &wrong));
    str_copy(pattern, sizeof(pattern), words);
    fold_pattern_prepare(pattern);
    size_t len = fold_text(span_of(text), folded, sizeof(folded));
    fold_grams(folded, len, &grams);
    bool found = fold_match(folded, len, pattern);
    bool possible = fold_has_grams(&grams, needed, fold_pattern_grams(pattern, needed));
    assert_true(possible || !found); /* the filter lets everything through that matches */
    return found;
}

static void test_patterns(void **state)
{
    (void)state;
    assert_true(matches("the user is unknown", "user * unknown"));
    assert_true(matches("user unknown", "user * unknown"));
    assert_false(matches("unknown user", "user * unknown"));
    assert_true(matches("greylisted", "greylist"));
    assert_true(matches("antispam", "spam"));
    assert_false(matches("antispam", "_spam"));
    assert_true(matches("no SPAM here", "_spam_"));
    assert_true(matches("SPAM", "_spam_"));
    assert_false(matches("spams", "_spam_"));
    assert_true(matches("[TSS04]", "_tss##_"));
    assert_false(matches("[TSS4]", "_tss##_"));
    assert_true(matches("LPN007_510", "_lpn###_###_"));
    assert_true(matches("a ptr b record", "_ptr * record"));
    assert_true(matches("ptr record", "_ptr * record"));
    assert_true(matches("x1y2", "x#y#"));
    assert_false(matches("", "x"));
    assert_true(matches("quota exceeded", "quota*exceed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folding),
        cmocka_unit_test(test_small_buffers),
        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests_name("reply_fold", tests, NULL, NULL);
}
