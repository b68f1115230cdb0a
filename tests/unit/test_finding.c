#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "check.h"
#include "finding.h"

static const char *const check_ids[] = {
#define X(id, name) name,
    CHECK_LIST(X)
#undef X
};

static bool has_prefix(const char *id, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(id, prefix, len) == 0 && id[len] == '.';
}

/* Findings that several checks may report. */
static bool is_shared(const char *id)
{
    return has_prefix(id, "smtp.reply") || has_prefix(id, "smtp.session") ||
           has_prefix(id, "check");
}

static void table_is_sound(void **state)
{
    (void)state;
    assert_true(finding_kind_count > 100);
    for (size_t i = 0; i < finding_kind_count; i++) {
        const struct finding_kind *k = &finding_kinds[i];
        bool known = is_shared(k->id);
        for (size_t c = 0; c < ARRAY_LEN(check_ids); c++) {
            known = known || has_prefix(k->id, check_ids[c]);
        }
        if (!known) {
            fail_msg("%s does not begin with the name of a check", k->id);
        }
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(k->id, finding_kinds[other].id);
        }
        if ((k->verdict == VERDICT_INCONCLUSIVE) != (k->side != SIDE_NONE)) {
            fail_msg("%s: a side belongs to inconclusive results, and only to them", k->id);
        }
        bool bad = k->verdict == VERDICT_FAIL || k->verdict == VERDICT_WARN;
        if (bad && k->who == WHO_NOBODY && strcmp(k->id, "smtp.send.greylisted") != 0) {
            fail_msg("%s blames nobody", k->id);
        }
        if (k->reference[0] != '\0') {
            assert_memory_equal(k->reference, "RFC ", 4);
        }
        assert_ptr_equal(finding_find(k->id), k);
    }
    assert_null(finding_find("dns.mx"));
    assert_null(finding_find(""));
}

static void arguments_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < finding_kind_count; i++) {
        const char *p = finding_kinds[i].args;
        size_t count = 0;
        while (*p != '\0') {
            size_t n = strcspn(p, " ");
            assert_true(n > 0 && n < sizeof(((struct finding_arg *)NULL)->name));
            assert_true(p[n] == '\0' || p[n + 1] != '\0');
            p += n + (p[n] == ' ' ? 1 : 0);
            count++;
        }
        assert_true(count <= FINDING_ARGS_MAX);
    }
}

static void every_check_has_good_news(void **state)
{
    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(check_ids); c++) {
        bool found = false;
        for (size_t i = 0; i < finding_kind_count; i++) {
            found = found || (has_prefix(finding_kinds[i].id, check_ids[c]) &&
                              finding_kinds[i].verdict == VERDICT_OK);
        }
        if (!found) {
            fail_msg("%s has no finding for success", check_ids[c]);
        }
    }
}

static void init_takes_the_defaults(void **state)
{
    (void)state;
    struct finding f;
    finding_init(&f, "dns.mx.timeout");
    assert_int_equal(f.verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(f.who, WHO_NETWORK);
    assert_int_equal(f.side, SIDE_OURS);
    assert_int_equal(f.class, CLASS_NONE);
    assert_int_equal(f.arg_count, 0);
    finding_free(&f);
}

static void arguments_are_kept_and_replaced(void **state)
{
    (void)state;
    struct finding f;
    finding_init(&f, "smtp.banner.refused");
    finding_argf(&f, "code", "%d", 421);
    finding_arg_span(&f, "text", "a\0b", 3);
    assert_string_equal(finding_arg_get(&f, "code"), "421");
    assert_string_equal(finding_arg_get(&f, "text"), "a\\x00b");
    finding_arg(&f, "code", "554");
    assert_string_equal(finding_arg_get(&f, "code"), "554");
    assert_int_equal(f.arg_count, 2);
    finding_arg(&f, "nothing", NULL);
    assert_int_equal(f.arg_count, 2);
    assert_null(finding_arg_get(&f, "nothing"));
    assert_false(f.args[0].word);
    finding_arg_word(&f, "code", "timeout");
    assert_true(f.args[0].word);
    finding_arg(&f, "code", "554");
    assert_false(f.args[0].word);

    struct finding copy;
    assert_int_equal(finding_copy(&copy, &f), ST_OK);
    finding_free(&f);
    assert_string_equal(finding_arg_get(&copy, "text"), "a\\x00b");
    assert_string_equal(copy.kind->id, "smtp.banner.refused");
    finding_free(&copy);
}

static void long_arguments_are_cut_between_characters(void **state)
{
    (void)state;
    struct finding f;
    finding_init(&f, "smtp.banner.ok");
    char text[FINDING_ARG_TEXT_MAX + 64];
    memset(text, 'x', sizeof(text));
    finding_arg_span(&f, "banner", text, sizeof(text));
    assert_int_equal(strlen(finding_arg_get(&f, "banner")), FINDING_ARG_TEXT_MAX);

    /* A character of three bytes lies across the limit. */
    memcpy(text + FINDING_ARG_TEXT_MAX - 1, "\xe2\x82\xac", 3);
    finding_arg_span(&f, "banner", text, sizeof(text));
    assert_int_equal(strlen(finding_arg_get(&f, "banner")), FINDING_ARG_TEXT_MAX - 1);

    /* Bytes that only look like the middle of a character are cut where the limit is. */
    memset(text, '\x80', sizeof(text));
    finding_arg_span(&f, "banner", text, sizeof(text));
    assert_int_equal(strlen(finding_arg_get(&f, "banner")), FINDING_ARG_TEXT_MAX);
    finding_free(&f);
}

static void ceilings_hold(void **state)
{
    (void)state;
    struct finding f;
    finding_init(&f, "smtp.banner.ok");
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        finding_arg(&f, names[i], "1");
    }
    assert_int_equal(f.arg_count, FINDING_ARGS_MAX);
    finding_evidence(&f, 0);
    assert_int_equal(f.evidence_count, 0);
    for (uint32_t n = 1; n < 100; n++) {
        finding_evidence(&f, n);
    }
    assert_int_equal(f.evidence_count, FINDING_EVIDENCE_MAX);
    finding_free(&f);
}

static void names_are_those_of_the_report(void **state)
{
    (void)state;
    assert_string_equal(verdict_name(VERDICT_INCONCLUSIVE), "inconclusive");
    assert_string_equal(verdict_name((enum verdict)99), "inconclusive");
    assert_string_equal(who_name(WHO_THIRD_PARTY), "third-party");
    assert_string_equal(confidence_name(CONFIDENCE_GUESS), "guess");
    assert_string_equal(reply_class_name(CLASS_NETWORK), "network");
    assert_string_equal(reply_class_name(CLASS_NONE), "");
    assert_string_equal(reply_class_name((enum reply_class)99), "");
    assert_null(side_name(SIDE_NONE));
    assert_string_equal(side_name(SIDE_THEIRS), "theirs");
    assert_int_equal(verdict_worse(VERDICT_OK, VERDICT_SKIPPED), VERDICT_OK);
    assert_int_equal(verdict_worse(VERDICT_WARN, VERDICT_FAIL), VERDICT_FAIL);
    assert_int_equal(verdict_worse(VERDICT_INCONCLUSIVE, VERDICT_NOTE), VERDICT_INCONCLUSIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(arguments_fit),
        cmocka_unit_test(every_check_has_good_news),
        cmocka_unit_test(init_takes_the_defaults),
        cmocka_unit_test(arguments_are_kept_and_replaced),
        cmocka_unit_test(long_arguments_are_cut_between_characters),
        cmocka_unit_test(ceilings_hold),
        cmocka_unit_test(names_are_those_of_the_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
