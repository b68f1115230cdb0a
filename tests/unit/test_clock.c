#include "clock.h"

#include <limits.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void deadlines_saturate(void **state)
{
    (void)state;
    assert_true(deadline_in_ms(1000, 5) == 6000);
    assert_true(deadline_in_ms(1000, -5) == 1000);
    assert_true(deadline_in_ms(1000, 0) == 1000);
    assert_true(deadline_in_ms(1000, INT64_MAX) == NO_DEADLINE);
    assert_true(deadline_in_ms(-1000, INT64_MAX) == NO_DEADLINE);
    assert_true(deadline_in_ms(INT64_MAX - 10, 1) == NO_DEADLINE);
    assert_true(deadline_in_ms(0, INT64_MAX / US_PER_MS) <= NO_DEADLINE);
    assert_true(deadline_earlier(3, NO_DEADLINE) == 3);
    assert_true(deadline_earlier(NO_DEADLINE, 3) == 3);
}

static void poll_waits_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(deadline_poll_ms(NO_DEADLINE, 5), -1);
    assert_int_equal(deadline_poll_ms(5000, 5000), 0);
    assert_int_equal(deadline_poll_ms(4000, 5000), 0);
    assert_int_equal(deadline_poll_ms(5001, 5000), 1);
    assert_int_equal(deadline_poll_ms(6000, 5000), 1);
    assert_int_equal(deadline_poll_ms(6001, 5000), 2);
    assert_int_equal(deadline_poll_ms(NO_DEADLINE - 1, INT64_MIN), INT_MAX);
}

static void monotonic_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_monotonic_us();
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_monotonic_us();
        assert_true(now >= last);
        last = now;
    }
    assert_true(clock_wall_us() > INT64_C(1700000000) * US_PER_S);
}

static void times_are_written(void **state)
{
    (void)state;
    char text[40];
    setlocale(LC_ALL, "");
    clock_iso8601(INT64_C(1795435784) * US_PER_S + 999999, text, sizeof(text));
    assert_string_equal(text, "2026-11-23T12:09:44Z");
    clock_rfc5322(INT64_C(1795435784) * US_PER_S, text, sizeof(text));
    assert_string_equal(text, "Mon, 23 Nov 2026 12:09:44 +0000");
    clock_iso8601(0, text, 21);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    clock_iso8601(-1, text, sizeof(text));
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    clock_rfc5322(INT64_C(951782400) * US_PER_S, text, 32);
    assert_string_equal(text, "Tue, 29 Feb 2000 00:00:00 +0000");
    clock_iso8601(INT64_MAX, text, sizeof(text));
    assert_true(strlen(text) > 0);
    clock_iso8601(INT64_MIN, text, sizeof(text));
    assert_true(strlen(text) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_saturate),
        cmocka_unit_test(poll_waits_rounded_up),
        cmocka_unit_test(monotonic_never_goes_back),
        cmocka_unit_test(times_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
