#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounce_line.h"
#include "reply_decode.h"

#define SAMPLES_MAX 100000
#define LEAST_PERCENT 95

struct score {
    unsigned right, all;
};

static const char *field(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

static const char *judge(const json_t *o, bool with_status)
{
    static struct bounce_line line;
    const char *reply = field(o, "reply");
    bounce_line_read(span_of(reply), &line);
    struct reply_question q = bounce_line_question(&line);
    enum reply_stage stage = reply_stage_find(field(o, "stage"));
    q.stage = stage != STAGE_UNKNOWN ? stage : q.stage;
    if (with_status && field(o, "status")[0] != '\0') {
        q.enhanced = field(o, "status");
    }
    struct reply_verdict v = reply_decode(&q);
    return v.cause != NULL ? reply_class_name(v.cause->class) : "";
}

static void count(const json_t *o, bool with_status, bool tell, struct score *score)
{
    const char *got = judge(o, with_status);
    bool right = strcmp(got, field(o, "class")) == 0;
    score->all++;
    score->right += right ? 1 : 0;
    if (!right && tell) {
        print_message("  %s, labelled %s: %.100s\n", got, field(o, "class"), field(o, "reply"));
    }
}

static void test_samples(void **state)
{
    (void)state;
    FILE *in = fopen(REPLIES_FILE, "r");
    if (in == NULL) {
        print_message("SKIP: %s is not there\n", REPLIES_FILE);
        skip();
    }
    struct score known = {0}, alone = {0};
    char line[65536];
    while (fgets(line, sizeof(line), in) != NULL && known.all < SAMPLES_MAX) {
        json_error_t error;
        json_t *o = json_loads(line, 0, &error);
        assert_non_null(o);
        count(o, true, true, &known);
        count(o, false, false, &alone);
        json_decref(o);
    }
    fclose(in);
    assert_int_not_equal(known.all, 0);
    print_message("%u of %u = %.1f %%, with what is known of stage and status\n", known.right,
                  known.all, 100.0 * known.right / known.all);
    print_message("%u of %u = %.1f %%, from text and stage alone\n", alone.right, alone.all,
                  100.0 * alone.right / alone.all);
    assert_true(known.right * 100 >= known.all * LEAST_PERCENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
    };
    return cmocka_run_group_tests_name("reply_accuracy", tests, NULL, NULL);
}
