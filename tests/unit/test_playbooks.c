/* The playbooks that come with the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "guided.h"

#define LINE_COLUMNS 66 /* of a pane 80 columns wide, beside its labels */

static struct playbooks *books;

static int load(void **state)
{
    (void)state;
    struct error error = {.text = ""};
    if (playbooks_load(&books, NULL, "en", &guided_known, &error) != ST_OK) {
        print_error("%s\n", error.text);
        return -1;
    }
    return 0;
}

static int unload(void **state)
{
    (void)state;
    playbooks_free(books);
    return 0;
}

static void every_symptom_is_there(void **state)
{
    (void)state;
    static const char *const names[] = {"receive", "submit", "refused", "spam",
                                        "login",   "slow",   "check"};
    assert_int_equal(playbooks_count(books), ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_string_equal(playbooks_at(books, i)->name, names[i]);
    }
}

/* Loading has looked at names already; here it is seen that this looking is real. */
static void names_are_checked(void **state)
{
    (void)state;
    assert_true(guided_known.step("dns.mx"));
    assert_false(guided_known.step("dns"));
    assert_true(guided_known.field("reply"));
    assert_false(guided_known.field("password"));
    assert_true(guided_known.fact("host"));
    assert_false(guided_known.fact("password"));
    assert_true(guided_known.outcome("tls.certificate.exp*"));
    assert_true(guided_known.outcome("tls.certificate"));
    assert_true(guided_known.outcome("reply.*"));
    assert_true(guided_known.outcome("reply.none"));
    assert_false(guided_known.outcome("tls.certificate.fine"));
    assert_false(guided_known.outcome("dns.mx.*.null"));
}

/* A step that asks for consent stands alone, so that the question is about what the guide has announced. */
static void steps_with_risk_stand_alone(void **state)
{
    (void)state;
    for (size_t b = 0; b < playbooks_count(books); b++) {
        const struct playbook *book = playbooks_at(books, b);
        for (size_t i = 0; i < book->count; i++) {
            const struct playbook_node *n = &book->nodes[i];
            for (size_t k = 0; k < n->step_count; k++) {
                if (check_find(n->steps[k])->risk != RISK_SAFE && n->step_count != 1) {
                    fail_msg("%s: [%s]", book->name, n->name);
                }
            }
        }
    }
}

static void fits(const char *book, const char *node, const char *text, size_t most)
{
    for (const char *p = text; p != NULL && *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            fail_msg("%s: [%s]: the English playbooks are plain ASCII", book, node);
        }
    }
    if (text != NULL && most > 0 && strlen(text) > most) {
        fail_msg("%s: [%s]: too long for one line: %s", book, node, text);
    }
}

static void texts_fit(void **state)
{
    (void)state;
    for (size_t b = 0; b < playbooks_count(books); b++) {
        const struct playbook *book = playbooks_at(books, b);
        fits(book->name, "symptom", book->symptom, 40);
        fits(book->name, "about", book->about, 2 * LINE_COLUMNS);
        for (size_t i = 0; i < book->count; i++) {
            const struct playbook_node *n = &book->nodes[i];
            fits(book->name, n->name, n->say, 4 * LINE_COLUMNS);
            fits(book->name, n->name, n->why, 4 * LINE_COLUMNS);
            fits(book->name, n->name, n->question, LINE_COLUMNS);
            fits(book->name, n->name, n->title, LINE_COLUMNS);
            fits(book->name, n->name, n->message, 0);
            for (size_t k = 0; k < n->choice_count; k++) {
                fits(book->name, n->name, n->choices[k].text, LINE_COLUMNS);
            }
            for (size_t k = 0; k < n->rule_count; k++) {
                fits(book->name, n->name, n->rules[k].explain, 2 * LINE_COLUMNS);
            }
            for (size_t k = 0; k < n->todo_count; k++) {
                fits(book->name, n->name, n->todo[k].text, 0);
            }
        }
    }
}

/* Before anything is done it is said what it is for. */
static void what_is_run_has_its_reason(void **state)
{
    (void)state;
    for (size_t b = 0; b < playbooks_count(books); b++) {
        const struct playbook *book = playbooks_at(books, b);
        for (size_t i = 0; i < book->count; i++) {
            if (book->nodes[i].kind == PLAYBOOK_RUN && book->nodes[i].why == NULL) {
                fail_msg("%s: [%s] does not say why", book->name, book->nodes[i].name);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_symptom_is_there),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(steps_with_risk_stand_alone),
        cmocka_unit_test(texts_fit),
        cmocka_unit_test(what_is_run_has_its_reason),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
