#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "guide_checks.h"
#include "reply_decode.h"

static void every_cause_has_a_text(void **state)
{
    (void)state;
    struct guide *g = load_english();
    for (size_t i = 0; i < reply_cause_count; i++) {
        if (!guide_has(g, reply_causes[i].id)) {
            fail_msg("the guide has no entry [%s]", reply_causes[i].id);
        }
    }
    guide_free(g);
}

static void causes_are_complete(void **state)
{
    (void)state;
    struct guide *g = load_english();
    for (size_t i = 0; i < reply_cause_count; i++) {
        const struct reply_cause *c = &reply_causes[i];
        struct guide_text t;
        assert_int_equal(guide_cause(g, c, &t), ST_OK);
        check_ascii(c->id, t.title);
        check_ascii(c->id, t.means);
        for (size_t s = 0; s < t.step_count; s++) {
            check_ascii(c->id, t.steps[s].text);
        }
        if (c->class != CLASS_NONE && t.step_count == 0) {
            fail_msg("%s does not say what to do", c->id);
        }
        if (strlen(t.title) > 100) {
            fail_msg("%s: the title is too long for one line", c->id);
        }
        if (c->reference[0] == '\0') {
            fail_msg("%s has no reference", c->id);
        }
        /* Vendors' pages have no form of their own. */
        if (strncmp(c->reference, "RFC ", 4) == 0) {
            check_link(c->id, c->reference, t.link);
        }
        guide_text_free(&t);
    }
    guide_free(g);
}

static void explain(struct finding *f, const char *cause)
{
    struct reply_verdict v = {.cause = reply_cause_find(cause),
                              .confidence = CONFIDENCE_LIKELY,
                              .basis = BASIS_WORDS};
    assert_non_null(v.cause);
    finding_explain(f, &v, true);
}

static void the_cause_adds_its_advice(void **state)
{
    (void)state;
    struct guide *g = load_english();
    struct finding f;
    struct guide_text plain, with;
    finding_init(&f, "smtp.banner.refused");
    assert_int_equal(guide_finding(g, &f, true, &plain), ST_OK);
    explain(&f, "reply.class.missing-ptr");
    assert_int_equal(guide_finding(g, &f, true, &with), ST_OK);
    assert_string_equal(plain.title, with.title);
    assert_true(with.step_count > plain.step_count);
    assert_non_null(strstr(with.steps[0].text, "PTR"));
    assert_memory_equal(with.means, plain.means, strlen(plain.means));
    assert_non_null(strstr(with.means, "name of your address"));
    guide_text_free(&plain);
    guide_text_free(&with);
    finding_free(&f);

    /* What is known already is not watered down. */
    finding_init(&f, "tls.starttls.refused_temp");
    assert_int_equal(guide_finding(g, &f, true, &plain), ST_OK);
    explain(&f, "reply.class.system-error");
    assert_int_equal(guide_finding(g, &f, true, &with), ST_OK);
    assert_int_equal(plain.step_count, with.step_count);
    assert_string_equal(plain.means, with.means);
    guide_text_free(&plain);
    guide_text_free(&with);
    finding_free(&f);

    /* Every combination stays within the limits. */
    for (size_t i = 0; i < finding_kind_count; i++) {
        for (size_t c = 0; c < reply_cause_count && finding_kinds[i].by_cause; c++) {
            finding_init(&f, finding_kinds[i].id);
            explain(&f, reply_causes[c].id);
            assert_int_equal(guide_finding(g, &f, true, &with), ST_OK);
            guide_text_free(&with);
            finding_free(&f);
        }
    }
    guide_free(g);
}

static void it_is_told_what_the_advice_rests_on(void **state)
{
    (void)state;
    char text[256];
    struct finding f;
    finding_init(&f, "smtp.banner.refused");
    guide_basis(&f, text, sizeof(text));
    assert_string_equal(text, "");
    explain(&f, "reply.google.rate");
    guide_basis(&f, text, sizeof(text));
    assert_string_equal(text, "Explained by the words of the reply; likely.");
    f.vendor = reply_vendor_find("google");
    guide_basis(&f, text, sizeof(text));
    assert_string_equal(text, "Explained by the words of the reply (Google); likely.");
    f.basis = BASIS_ENHANCED;
    guide_basis(&f, text, sizeof(text));
    assert_string_equal(text, "Explained by the enhanced code, as Google uses it; likely.");
    f.vendor = NULL;
    guide_basis(&f, text, sizeof(text));
    assert_string_equal(text, "Explained by the enhanced code of the reply; likely.");
    f.basis = BASIS_CODE;
    f.cause_confidence = CONFIDENCE_GUESS;
    guide_basis(&f, text, sizeof(text));
    assert_string_equal(text, "Explained by the code of the reply alone; guess.");
    finding_free(&f);

    /* A finding that tells its own cause says nothing of another. */
    finding_init(&f, "tls.starttls.refused_temp");
    explain(&f, "reply.class.system-error");
    guide_basis(&f, text, sizeof(text));
    assert_string_equal(text, "");
    finding_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cause_has_a_text),
        cmocka_unit_test(causes_are_complete),
        cmocka_unit_test(the_cause_adds_its_advice),
        cmocka_unit_test(it_is_told_what_the_advice_rests_on),
    };
    return cmocka_run_group_tests_name("guide_replies", tests, NULL, NULL);
}
