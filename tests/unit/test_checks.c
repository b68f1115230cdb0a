#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "check.h"

#define BIT(id) (UINT64_C(1) << (id))

static void test_table_is_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        assert_int_equal(checks[i].id, i);
        assert_non_null(checks[i].run);
        assert_true(checks[i].title[0] != '\0');
        assert_ptr_equal(check_find(checks[i].key), &checks[i]);
        /* A check rests on earlier ones only, so that one pass in order is enough. */
        assert_int_equal(checks[i].needs & ~(BIT(i) - 1), 0);
    }
    assert_null(check_find("dns"));
    assert_null(check_find(""));
}

static void test_mask(void **state)
{
    (void)state;
    uint64_t mask = 0;
    struct error error = {0};
    assert_int_equal(check_mask("dns.mx", &mask, &error), ST_OK);
    assert_int_equal(mask, BIT(CHECK_DNS_MX));
    assert_int_equal(check_mask("smtp.relay, dns.mx ,smtp.relay", &mask, &error), ST_OK);
    assert_int_equal(mask, BIT(CHECK_DNS_MX) | BIT(CHECK_RELAY));
    mask = 77;
    static const struct {
        const char *list, *nearest;
    } bad[] = {
        {"dns.mxx", "dns.mx"},
        {"relay", "smtp.relay"},
        {"starttls", "tls.starttls"},
        {"smtp.baner", "smtp.banner"},
        {"certificat", "tls.certificate"},
        {"dns.mx,aut", "smtp.auth"},
        {"ehlo", "smtp.ehlo"},
        {"SMTP.EHLO", "smtp.ehlo"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(check_mask(bad[i].list, &mask, &error), ST_INVALID);
        if (i + 1 < ARRAY_LEN(bad) && strstr(error.text, bad[i].nearest) == NULL) {
            fail_msg("%s: %s", bad[i].list, error.text);
        }
        assert_int_equal(mask, 77);
    }
    static const char *const empty[] = {"", ",", " ", "dns.mx,,smtp.relay"};
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        assert_int_equal(check_mask(empty[i], &mask, &error), ST_INVALID);
    }
    char lengthy[5000];
    memset(lengthy, 'x', sizeof(lengthy) - 1);
    lengthy[sizeof(lengthy) - 1] = '\0';
    assert_int_equal(check_mask(lengthy, &mask, &error), ST_INVALID);
}

static void test_closure(void **state)
{
    (void)state;
    assert_int_equal(check_closure(0), 0);
    assert_int_equal(check_closure(BIT(CHECK_EHLO)),
                     BIT(CHECK_EHLO) | BIT(CHECK_BANNER) | BIT(CHECK_CONNECT) |
                         BIT(CHECK_DNS_ADDRESS) | BIT(CHECK_DNS_MX));
    assert_int_equal(check_closure(BIT(CHECK_SELF_PTR)),
                     BIT(CHECK_SELF_PTR) | BIT(CHECK_SELF_ADDRESS));
}

static void test_what_blocks(void **state)
{
    (void)state;
    static struct check_context c; /* results alone are read */
    static const struct {
        enum verdict verdict;
        bool blocks;
    } cases[] = {
        {VERDICT_PENDING, true},  {VERDICT_SKIPPED, true}, {VERDICT_ASK, true},
        {VERDICT_OK, false},   {VERDICT_NOTE, false},   {VERDICT_STOPPED, true},
        {VERDICT_WARN, false}, {VERDICT_FAIL, true},    {VERDICT_INCONCLUSIVE, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        c.results[CHECK_EHLO] = cases[i].verdict;
        assert_int_equal(check_blocked_by(&c, &checks[CHECK_STARTTLS]),
                         cases[i].blocks ? CHECK_EHLO : CHECK_NONE);
        c.results[CHECK_SELF_ADDRESS] = cases[i].verdict;
        assert_int_equal(check_blocked_by(&c, &checks[CHECK_SELF_PTR]), CHECK_NONE);
        assert_int_equal(check_blocked_by(&c, &checks[CHECK_DNS_MX]), CHECK_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_in_order),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_closure),
        cmocka_unit_test(test_what_blocks),
    };
    return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
