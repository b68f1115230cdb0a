/* The guided mode's state, on runs made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "guided.h"
#include "report_record.h"

#define BIT(id) (UINT64_C(1) << (id))

struct bench {
    struct guided g;
    struct playbooks *books;
    struct plan plan;
    struct record record;
    struct guide *guide;
};

static void setup(struct bench *b, const char *playbook)
{
    struct error error = {.text = ""};
    memset(b, 0, sizeof(*b));
    assert_int_equal(playbooks_load(&b->books, NULL, "en", &guided_known, &error), ST_OK);
    assert_int_equal(guide_load(&b->guide, NULL, "en", &error), ST_OK);
    assert_int_equal(record_init(&b->record, 1), ST_OK);
    plan_init(&b->plan);
    assert_int_equal(guided_begin(&b->g, playbooks_find(b->books, playbook), &b->plan, &b->record),
                     ST_OK);
}

static void teardown(struct bench *b)
{
    guided_free(&b->g);
    playbooks_free(b->books);
    guide_free(b->guide);
    plan_free(&b->plan);
    record_free(&b->record);
}

static void at(const struct bench *b, const char *node, enum guided_phase phase)
{
    assert_string_equal(guided_node(&b->g)->name, node);
    assert_int_equal(b->g.phase, phase);
}

static void answer(struct bench *b, const char *text)
{
    struct error error = {.text = ""};
    if (guided_answer(&b->g, text, &b->plan, &b->record, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
}

static void refuse(struct bench *b, const char *text, const char *sentence)
{
    struct error error = {.text = ""};
    assert_int_equal(guided_answer(&b->g, text, &b->plan, &b->record, &error), ST_INVALID);
    if (strstr(error.text, sentence) == NULL) {
        fail_msg("says: %s", error.text);
    }
}

static void choose(struct bench *b, size_t choice)
{
    struct error error = {.text = ""};
    assert_int_equal(guided_choose(&b->g, choice, &b->plan, &b->record, &error), ST_OK);
}

static void go(struct bench *b)
{
    struct error error = {.text = ""};
    assert_int_equal(guided_go(&b->g, &b->plan, &b->record, &error), ST_OK);
}

/* As if the engine had begun a run and done these steps. */
static void done(struct bench *b, enum check_id check, enum verdict verdict, const char *id)
{
    b->record.started = true;
    set_step(&b->record, check, verdict, 1000);
    if (id != NULL) {
        add_finding(&b->record, check, id);
    }
}

static void steps_are_wanted_once(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, "receive");
    at(&b, "domain", GUIDED_READY);
    assert_int_equal(guided_wants(&b.g, &b.record), 0);
    refuse(&b, "", "There is no target");
    refuse(&b, "exa mple", "blank");
    assert_null(b.plan.input);
    answer(&b, "example.org");
    assert_string_equal(b.plan.domain, "example.org");
    at(&b, "find", GUIDED_READY);
    assert_true(b.g.fresh);
    uint64_t both = BIT(CHECK_DNS_MX) | BIT(CHECK_DNS_ADDRESS);
    assert_int_equal(guided_wants(&b.g, &b.record), both);
    guided_started(&b.g, both);
    at(&b, "find", GUIDED_BUSY);
    done(&b, CHECK_DNS_MX, VERDICT_OK, "dns.mx.found");
    /* Stopped in between: it can be begun again, and only the rest is wanted. */
    done(&b, CHECK_DNS_ADDRESS, VERDICT_STOPPED, NULL);
    assert_false(guided_rested(&b.g, &b.plan, &b.record));
    at(&b, "find", GUIDED_READY);
    assert_int_equal(guided_wants(&b.g, &b.record), BIT(CHECK_DNS_ADDRESS));
    guided_started(&b.g, BIT(CHECK_DNS_ADDRESS));
    done(&b, CHECK_DNS_ADDRESS, VERDICT_OK, "dns.address.found");
    assert_true(guided_rested(&b.g, &b.plan, &b.record));
    at(&b, "find", GUIDED_OUTCOME);
    go(&b);
    at(&b, "greet", GUIDED_READY);
    /* Back to it: the run knows all of it. */
    assert_true(guided_back(&b.g, &b.plan, &b.record));
    at(&b, "find", GUIDED_READY);
    assert_int_equal(guided_wants(&b.g, &b.record), 0);
    guided_take_known(&b.g, &b.plan, &b.record);
    at(&b, "find", GUIDED_OUTCOME);
    assert_true(guided_back(&b.g, &b.plan, &b.record)); /* from what came of it to what is to be done */
    at(&b, "find", GUIDED_READY);
    /* The same domain again keeps the run, another one does not. */
    assert_true(guided_back(&b.g, &b.plan, &b.record));
    answer(&b, "example.org");
    assert_int_equal(guided_wants(&b.g, &b.record), 0);
    assert_true(guided_back(&b.g, &b.plan, &b.record));
    answer(&b, "example.net");
    assert_int_equal(guided_wants(&b.g, &b.record), both);
    assert_true(guided_back(&b.g, &b.plan, &b.record));
    assert_false(guided_back(&b.g, &b.plan, &b.record));
    teardown(&b);
}

static void a_run_of_somebody_else_begins_anew(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, "check");
    answer(&b, "example.org");
    guided_started(&b.g, guided_wants(&b.g, &b.record));
    guided_restart(&b.g, &b.plan, &b.record);
    at(&b, "domain", GUIDED_READY);
    assert_false(b.g.fresh);
    assert_string_equal(playbook_fact(&b.g.walk, "domain"), "example.org");
    assert_false(guided_rested(&b.g, &b.plan, &b.record));
    teardown(&b);
}

static void a_step_done_twice_is_done_again(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, "login");
    answer(&b, "mail.example.org");
    assert_string_equal(b.plan.input, "submission://mail.example.org");
    assert_int_equal(plan_port(&b.plan), 587);
    b.record.started = true;
    b.g.fresh = false;
    for (int i = 0; i < CHECK_COUNT; i++) {
        done(&b, (enum check_id)i, VERDICT_OK, NULL);
    }
    set_step(&b.record, CHECK_AUTH, VERDICT_FAIL, 1000);
    add_finding(&b.record, CHECK_AUTH, "smtp.auth.wrong");
    for (int i = 0; i < 3; i++) {
        guided_take_known(&b.g, &b.plan, &b.record);
        go(&b);
    }
    at(&b, "wrong", GUIDED_READY);
    for (int i = 1; i < PLAYBOOK_VISITS_MAX; i++) {
        choose(&b, 0);
        at(&b, "login", GUIDED_READY);
        assert_int_equal(guided_wants(&b.g, &b.record), BIT(CHECK_AUTH));
        guided_started(&b.g, BIT(CHECK_AUTH));
        assert_true(guided_rested(&b.g, &b.plan, &b.record));
        go(&b);
        at(&b, "wrong", GUIDED_READY);
    }
    struct error error = {.text = ""};
    assert_int_equal(guided_choose(&b.g, 0, &b.plan, &b.record, &error), ST_LIMIT);
    assert_non_null(strstr(error.text, "5 times"));
    assert_int_equal(guided_choose(&b.g, 7, &b.plan, &b.record, &error), ST_INVALID);
    choose(&b, 2);
    at(&b, "wrong_password", GUIDED_END);
    assert_int_equal(guided_cause_step(&b.g, &b.record), CHECK_AUTH);
    teardown(&b);
}

static void fields_say_what_is_wrong(void **state)
{
    (void)state;
    struct bench b;
    struct buf preset;
    setup(&b, "submit");
    refuse(&b, "", "Name the server");
    refuse(&b, "mail..example.org", "two dots");
    refuse(&b, "mail.example.org:port", "port");
    assert_null(b.plan.input);
    answer(&b, "mail.example.org:465");
    assert_string_equal(b.plan.input, "submissions://mail.example.org:465");
    assert_int_equal(b.plan.tls, PLAN_TLS_IMPLICIT);
    assert_true(guided_back(&b.g, &b.plan, &b.record));
    buf_init(&preset, 1000);
    assert_int_equal(guided_preset(&b.g, &b.plan, &preset), ST_OK);
    assert_string_equal(buf_str(&preset), "submissions://mail.example.org:465");
    answer(&b, buf_str(&preset));
    assert_int_equal(b.plan.port, 465);
    buf_free(&preset);
    teardown(&b);

    setup(&b, "refused");
    choose(&b, 1);
    at(&b, "destination", GUIDED_READY);
    refuse(&b, "anna", "");
    assert_null(b.plan.to);
    answer(&b, "anna@example.org");
    assert_string_equal(b.plan.domain, "example.org");
    assert_string_equal(b.plan.to, "anna@example.org");
    assert_true(b.g.fresh);
    teardown(&b);
}

static void a_refusal_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum reply_class class;
    } cases[] = {
        {"550 5.1.1 <anna@example.org>: Recipient address rejected: User unknown",
         CLASS_UNKNOWN_RECIPIENT},
        {"host mx1.example.org[192.0.2.10] said: 452 4.2.2 The mailbox is full (in reply to RCPT TO)",
         CLASS_MAILBOX_FULL},
        {"<<< 554 5.7.1 <x@example.net>: Relay access denied", CLASS_RELAY_DENIED},
        {"Nov 23 12:00:01 mx postfix/smtp[4711]: 451 4.7.1 Greylisted, try again later",
         CLASS_GREYLISTED},
        {"it did not work", CLASS_NONE},
        {"", CLASS_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reply_verdict reply = guided_reply_read(cases[i].text);
        enum reply_class class = reply.cause != NULL ? reply.cause->class : CLASS_NONE;
        if (class != cases[i].class) {
            fail_msg("%s: %s", cases[i].text, reply_class_name(class));
        }
        assert_true(reply.cause == NULL || guided_known.outcome(reply.cause->id));
    }
    struct bench b;
    setup(&b, "refused");
    choose(&b, 0);
    refuse(&b, "  ", "nothing to read");
    answer(&b, "552 5.2.2 Mailbox full \x1b[2J `");
    at(&b, "reply", GUIDED_OUTCOME);
    go(&b);
    at(&b, "full", GUIDED_END);
    struct report_page page;
    const struct report_options o = {.format = REPORT_TICKET_MARKDOWN,
                                     .plan = &b.plan,
                                     .guide = b.guide,
                                     .english_guide = b.guide};
    assert_int_equal(guided_page(&b.g, &b.record, &o, &page), ST_OK);
    assert_string_equal(page.title, "The other side has no room");
    assert_null(page.finding);
    assert_int_equal(page.who, WHO_SERVER);
    assert_true(page.step_count > 0);
    assert_non_null(strstr(page.message, "552 5.2.2 Mailbox full \\x1b[2J `"));
    report_page_free(&page);
    struct buf out;
    buf_init(&out, REPORT_MAX);
    assert_int_equal(guided_report(&b.g, &b.record, &o, &out), ST_OK);
    assert_non_null(strstr(buf_str(&out), "\n552 5.2.2 Mailbox full \\x1b[2J `\n"));
    assert_null(memchr(out.p, '\x1b', out.len));
    buf_free(&out);
    teardown(&b);
}

/* The page is about the worst of what the end names, and shows its lines. */
static void the_page_has_the_cause(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, "check");
    answer(&b, "example.org");
    b.g.fresh = false;
    done(&b, CHECK_DNS_MX, VERDICT_WARN, "dns.mx.cname");
    done(&b, CHECK_DNS_ADDRESS, VERDICT_FAIL, "dns.address.missing");
    finding_arg(&b.record.findings[1].f, "host", "mx1.example.org");
    finding_evidence(&b.record.findings[1].f, 3);
    add_line(&b.record, 3, 0, CHECK_DNS_ADDRESS, DIR_NOTE, false, LINE_PROBLEM, "A: none", 7);
    guided_take_known(&b.g, &b.plan, &b.record);
    go(&b);
    at(&b, "dns", GUIDED_END);
    assert_int_equal(guided_cause_step(&b.g, &b.record), CHECK_DNS_ADDRESS);
    struct report_page page;
    const struct report_options o = {.format = REPORT_TICKET,
                                     .plan = &b.plan,
                                     .guide = b.guide,
                                     .english_guide = b.guide};
    assert_int_equal(guided_page(&b.g, &b.record, &o, &page), ST_OK);
    assert_string_equal(page.title, "DNS does not lead mail to a server");
    assert_non_null(page.cause);
    assert_ptr_equal(page.finding, &b.record.findings[1].f);
    assert_int_equal(page.who, WHO_DNS);
    assert_non_null(strstr(page.message, "A: none"));
    report_page_free(&page);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_wanted_once),
        cmocka_unit_test(a_run_of_somebody_else_begins_anew),
        cmocka_unit_test(a_step_done_twice_is_done_again),
        cmocka_unit_test(fields_say_what_is_wrong),
        cmocka_unit_test(a_refusal_is_read),
        cmocka_unit_test(the_page_has_the_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
