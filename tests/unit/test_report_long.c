#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "report_record.h"

static const char *const names[] = {"text", "markdown", "json"};

static size_t count_lines(const struct buf *out)
{
    size_t count = 0;
    for (const char *p = out->p; (p = memchr(p, '\n', out->len - (size_t)(p - out->p))) != NULL;
         p++) {
        count++;
    }
    return count;
}

static int64_t build_timed(const struct report_run *run, enum report_format format, size_t *lines)
{
    struct buf out;
    buf_init(&out, REPORT_MAX);
    int64_t start = clock_monotonic_us();
    assert_int_equal(report_run_build(run, format, false, &out), ST_OK);
    int64_t end = clock_monotonic_us();
    *lines = count_lines(&out);
    assert_non_null(strstr(out.p + out.len - 200, "250 2.1.0 line number"));
    buf_free(&out);
    return end - start > 0 ? end - start : 1;
}

/* Ten times the lines should take about ten times as long; the figure is printed and judged by
 * people. */
static void a_million_lines_are_written(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {100000, 1000000};
    int64_t took[2][3];
    size_t lines[2][3];
    for (size_t s = 0; s < 2; s++) {
        struct report_run run;
        report_run_init(&run, NULL);
        for (uint32_t n = 1; n <= sizes[s]; n++) {
            char text[64];
            int len = snprintf(text, sizeof(text), "250 2.1.0 line number %u", (unsigned)n);
            add_line(&run.record, n, n, CHECK_SEND, DIR_SERVER, false, 0, text, (size_t)len);
        }
        assert_int_equal(lines_dropped(run.record.lines), 0);
        for (size_t f = 0; f < 3; f++) {
            took[s][f] = build_timed(&run, (enum report_format)f, &lines[s][f]);
        }
        report_run_free(&run);
    }
    for (size_t f = 0; f < 3; f++) {
        assert_int_equal(lines[1][f] - lines[0][f], sizes[1] - sizes[0]);
        printf("%s: 1000000 lines %lld ms, 100000 lines %lld ms, ratio %.1f\n", names[f],
               (long long)took[1][f] / 1000, (long long)took[0][f] / 1000,
               (double)took[1][f] / (double)took[0][f]);
    }
}

/* The middle of an endless transcript is gone: the reports say so, once, where it was. */
static void a_gap_is_told(void **state)
{
    (void)state;
    struct report_run run;
    size_t len = 512u << 10;
    char *text = malloc(len);
    must(text != NULL);
    memset(text, 'x', len);
    report_run_init(&run, NULL);
    for (uint32_t n = 1; n <= 160; n++) {
        add_line(&run.record, n, n, CHECK_SEND, DIR_SERVER, false, 0, text, len);
    }
    uint64_t dropped = lines_dropped(run.record.lines);
    assert_true(dropped > 0);
    static const char sentence[] = "Lines are missing here";
    for (size_t f = 0; f < 2; f++) {
        struct buf out;
        buf_init(&out, REPORT_MAX);
        assert_int_equal(report_run_build(&run, (enum report_format)f, true, &out), ST_OK);
        const char *at = strstr(out.p, sentence);
        assert_non_null(at);
        assert_null(strstr(at + 1, sentence));
        uint32_t gap_start = 0;
        uint32_t gap_end = lines_gap_end(run.record.lines, &gap_start);
        char next[32];
        snprintf(next, sizeof(next), "%6u   0.000 S: xxx", (unsigned)gap_end);
        assert_memory_equal(strchr(at, '\n') + 1, next, strlen(next));
        buf_free(&out);
    }
    struct buf out;
    char expected[64];
    buf_init(&out, REPORT_MAX);
    assert_int_equal(report_run_build(&run, REPORT_JSON, true, &out), ST_OK);
    snprintf(expected, sizeof(expected), "\"lines_dropped\":%llu,", (unsigned long long)dropped);
    assert_non_null(strstr(out.p, expected));
    buf_free(&out);
    report_run_free(&run);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_lines_are_written),
        cmocka_unit_test(a_gap_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
