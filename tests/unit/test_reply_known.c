#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounce_line.h"

#define COLUMNS 3
#define LEAST_ROWS 150

/* Cuts the columns off and leaves the reply. */
static char *cut(char *line, char *columns[COLUMNS])
{
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < COLUMNS; i++) {
        columns[i] = line;
        line += strcspn(line, " ");
        if (*line == '\0') {
            fail_msg("replies_known.txt: expected cause, stage, vendor and reply: %s", columns[0]);
        }
        *line++ = '\0';
    }
    return line;
}

static bool is_wanted(const char *wanted, const struct reply_verdict *v)
{
    if (v->cause == NULL) {
        return false;
    }
    if (wanted[0] == '=') {
        return strcmp(wanted + 1, reply_class_name(v->cause->class)) == 0;
    }
    return strcmp(wanted, v->cause->id + strlen("reply.")) == 0;
}

static void test_known_replies(void **state)
{
    (void)state;
    static struct bounce_line line;
    char text[4096];
    unsigned rows = 0, wrong = 0;
    FILE *in = fopen(KNOWN_FILE, "r");
    assert_non_null(in);
    while (fgets(text, sizeof(text), in) != NULL) {
        char *columns[COLUMNS];
        if (text[0] == '#' || text[0] == '\n') {
            continue;
        }
        const char *reply = cut(text, columns);
        bounce_line_read(span_of(reply), &line);
        struct reply_question q = bounce_line_question(&line);
        q.stage = reply_stage_find(columns[1]);
        if (strcmp(columns[1], "-") != 0 && q.stage == STAGE_UNKNOWN) {
            fail_msg("replies_known.txt: no stage %s", columns[1]);
        }
        if (strcmp(columns[2], "-") != 0) {
            q.vendor = reply_vendor_find(columns[2]);
            assert_non_null(q.vendor);
        }
        struct reply_verdict v = reply_decode(&q);
        rows++;
        if (!is_wanted(columns[0], &v)) {
            wrong++;
            print_message("%s, not %s (line %u, %s): %.120s\n",
                          v.cause != NULL ? v.cause->id : "nothing", columns[0], v.rule,
                          v.cause != NULL ? reply_class_name(v.cause->class) : "", reply);
        }
    }
    fclose(in);
    assert_true(rows >= LEAST_ROWS);
    print_message("%u of %u right\n", rows - wrong, rows);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_replies),
    };
    return cmocka_run_group_tests_name("reply_known", tests, NULL, NULL);
}
