/* The ticket: one page as text and as Markdown, compared with tests/unit/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_record.h"
#include "report_ticket.h"

#define GOLDEN_MAX 65536

static void build(const struct report_run *run, enum report_format format, bool ascii,
                  const struct report_ticket *ticket, struct buf *out)
{
    const struct report_options o = {format, ascii, &run->plan, run->guide, run->guide, ticket};
    buf_init(out, REPORT_MAX);
    assert_int_equal(report_build(&run->record, &o, out), ST_OK);
}

/* With UPDATE_GOLDEN in the environment the file is written, for a person to look at. */
static void compare(const char *name, const struct buf *out)
{
    char path[1000], wanted[GOLDEN_MAX];
    bool update = getenv("UPDATE_GOLDEN") != NULL;
    snprintf(path, sizeof(path), "%s/golden/%s", UNIT_SOURCE_DIR, name);
    FILE *f = fopen(path, update ? "w" : "r");
    assert_non_null(f);
    if (update) {
        assert_int_equal(fwrite(out->p, 1, out->len, f), out->len);
        assert_int_equal(fclose(f), 0);
        return;
    }
    size_t n = fread(wanted, 1, sizeof(wanted) - 1, f);
    wanted[n] = '\0';
    fclose(f);
    if (strcmp(wanted, buf_str(out)) != 0) {
        fail_msg("%s differs; it is now:\n%s", path, buf_str(out));
    }
}

static void the_worst_is_told_as_agreed_on(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, "mx1.example.com");
    run.record.demo = true;
    build(&run, REPORT_TICKET, false, NULL, &out);
    compare("ticket.txt", &out);
    buf_free(&out);
    build(&run, REPORT_TICKET_MARKDOWN, false, NULL, &out);
    compare("ticket.md", &out);
    buf_free(&out);
    report_run_free(&run);
}

static void a_page_of_the_guide_is_told_as_agreed_on(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, "mx1.example.com");
    struct report_ticket ticket = {.reply = reply_cause_of_class(CLASS_GREYLISTED),
                                   .pasted = "451 4.7.1 ```` Greylisted " HOSTILE,
                                   .title = "Nothing is broken: wait",
                                   .summary = "The mail comes by itself.",
                                   .message = "your server puts us off.",
                                   .todo = {{WHO_CLIENT, (char *)"Wait, and try again."},
                                            {WHO_SERVER, (char *)"Exempt us."}},
                                   .todo_count = 2,
                                   .names_who = true,
                                   .who = WHO_SERVER};
    build(&run, REPORT_TICKET, true, &ticket, &out);
    compare("ticket-guide.txt", &out);
    for (size_t i = 0; i < out.len; i++) {
        assert_true(out.p[i] == '\n' || (out.p[i] >= 0x20 && out.p[i] < 0x7f));
    }
    buf_free(&out);
    build(&run, REPORT_TICKET_MARKDOWN, true, &ticket, &out);
    compare("ticket-guide.md", &out);
    buf_free(&out);
    report_run_free(&run);
}

/* Nothing was found and nothing is known of the server: that is said, too. */
static void without_trouble_it_says_so(void **state)
{
    (void)state;
    static const enum report_format formats[] = {REPORT_TICKET, REPORT_TICKET_MARKDOWN};
    struct report_run run;
    struct buf out;
    report_run_init(&run, NULL);
    run.record.started = true;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        build(&run, formats[i], false, NULL, &out);
        assert_non_null(strstr(buf_str(&out), "No problem was found"));
        assert_non_null(strstr(buf_str(&out), "Tested        Example.com"));
        assert_null(strstr(buf_str(&out), "This helps"));
        buf_free(&out);
    }
    report_run_free(&run);
}

/* A fence ends nowhere before its end, whatever stands in it. */
static void fences_hold(void **state)
{
    (void)state;
    struct report_run run;
    struct buf out;
    report_run_init(&run, "mx1.example.com");
    struct report_ticket ticket = {0};
    for (size_t i = 0; i < run.record.finding_count; i++) {
        if (strcmp(run.record.findings[i].f.kind->id, "smtp.banner.masked") == 0) {
            ticket.finding = &run.record.findings[i].f; /* its line has backquotes in it */
        }
    }
    assert_non_null(ticket.finding);
    build(&run, REPORT_TICKET_MARKDOWN, false, &ticket, &out);
    size_t fences = 0;
    for (const char *p = buf_str(&out); p != NULL; p = strchr(p, '\n')) {
        p += *p == '\n' ? 1 : 0;
        size_t run_length = strspn(p, "`");
        /* The hostile run has seven. */
        fences += run_length >= 8 ? 1 : 0;
        if (run_length > 2 && run_length < 8) {
            fail_msg("a short fence: %.40s", p);
        }
        if (*p == '\0') {
            break;
        }
    }
    assert_int_equal(fences, 4);
    buf_free(&out);
    report_run_free(&run);
}

static void names_tell_the_format(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool known;
        enum report_format format;
        size_t ending;
    } cases[] = {
        {"a.txt", true, REPORT_TEXT, 3},
        {"a.ticket.txt", true, REPORT_TICKET, 10},
        {"a.TICKET.MD", true, REPORT_TICKET_MARKDOWN, 9},
        {"dir.ticket.md/a.json", true, REPORT_JSON, 4},
        {"ticket.txt", true, REPORT_TEXT, 3}, /* a name of its own, and no ending */
        {"a.ticket", false, REPORT_TEXT, 0},
        {".md", true, REPORT_MARKDOWN, 2},
        {"dir.txt/a", false, REPORT_TEXT, 0},
        {"a.ticket.markdown", true, REPORT_TICKET_MARKDOWN, 15},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum report_format format = REPORT_TEXT;
        size_t ending = report_ending(cases[i].name, &format);
        if (ending != cases[i].ending || format != cases[i].format ||
            report_format_of(cases[i].name, &format) != cases[i].known) {
            fail_msg("%s: %zu, %d", cases[i].name, ending, (int)format);
        }
    }
    assert_string_equal(report_extension(REPORT_TICKET), "ticket.txt");
    assert_string_equal(report_extension(REPORT_TICKET_MARKDOWN), "ticket.md");
    assert_string_equal(report_extension(REPORT_JSON), "json");
    struct report_run run;
    char name[300];
    report_run_init(&run, "mx1.example.com");
    report_file_name(&run.record, &run.plan, REPORT_TICKET, name, sizeof(name));
    assert_string_equal(name, "smtpscope-mx1.example.com-25-20261123T120944Z.ticket.txt");
    report_run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_is_told_as_agreed_on),
        cmocka_unit_test(a_page_of_the_guide_is_told_as_agreed_on),
        cmocka_unit_test(without_trouble_it_says_so),
        cmocka_unit_test(fences_hold),
        cmocka_unit_test(names_tell_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
