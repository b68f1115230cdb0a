#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "guarded.h"

static void test_line_is_copied(void **state)
{
    (void)state;
    struct guarded g = guarded_copy("250 a\0b", 7);
    struct event *e =
        event_new_line(3, 2, CHECK_EHLO, 77, 12, DIR_SERVER, true, LINE_ODD, g.p, g.len);
    guarded_free(&g);
    assert_non_null(e);
    assert_int_equal(e->kind, EVENT_LINE);
    assert_int_equal(e->run, 3);
    assert_int_equal(e->path, 2);
    assert_int_equal(e->check, CHECK_EHLO);
    assert_int_equal(e->t_us, 77);
    assert_int_equal(e->u.line.number, 12);
    assert_int_equal(e->u.line.dir, DIR_SERVER);
    assert_true(e->u.line.tls);
    assert_int_equal(e->u.line.flags, LINE_ODD);
    assert_int_equal(e->u.line.len, 7);
    assert_memory_equal(e->u.line.text, "250 a\0b", 8);
    assert_true(e->item.bytes >= sizeof(*e) + 7);
    event_free(e);
}

static void test_empty_line(void **state)
{
    (void)state;
    struct event *e = event_new_line(1, 0, CHECK_NONE, 0, 1, DIR_NOTE, false, 0, NULL, 0);
    assert_non_null(e);
    assert_int_equal(e->u.line.len, 0);
    assert_string_equal(e->u.line.text, "");
    event_free(e);
}

static void push(struct queue *q, struct event *e)
{
    assert_non_null(e);
    assert_int_equal(queue_push(q, &e->item), ST_OK);
}

/* The queue frees what nobody took; the leak checker is the judge of event_free. */
static void test_queue_frees_every_kind(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 1 << 20, event_free_item), ST_OK);
    for (int kind = EVENT_RUN_STARTED; kind <= EVENT_SUSPENDED; kind++) {
        struct event *e = kind == EVENT_LINE
                              ? event_new_line(1, 0, CHECK_NONE, 0, 1, DIR_NOTE, false, 0, "x", 1)
                              : event_new((enum event_kind)kind, 1, 0, CHECK_NONE, 0);
        assert_non_null(e);
        if (kind == EVENT_RUN_STARTED) {
            e->u.started.target = str_dup("example.com");
        } else if (kind == EVENT_FINDING) {
            e->u.finding = calloc(1, sizeof(*e->u.finding));
            assert_non_null(e->u.finding);
            finding_init(e->u.finding, "dns.mx.null");
            finding_arg(e->u.finding, "domain", "example.com");
        } else if (kind == EVENT_FACTS) {
            e->u.facts = calloc(1, sizeof(*e->u.facts));
            assert_non_null(e->u.facts);
            facts_init(e->u.facts, 1);
            e->u.facts->banner = str_dup("220 hello");
        } else if (kind == EVENT_ANSWER) {
            e->u.answer = calloc(1, sizeof(*e->u.answer));
            assert_non_null(e->u.answer);
            e->u.answer->name = str_dup("example.com");
            assert_int_equal(dns_facts_add(e->u.answer, "10 mx1.example.com"), ST_OK);
        }
        push(&q, e);
    }
    struct queue_item *first = queue_drain(&q, 1);
    assert_non_null(first);
    assert_null(first->next);
    event_free_item(first);
    queue_fini(&q);
    event_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_is_copied),
        cmocka_unit_test(test_empty_line),
        cmocka_unit_test(test_queue_frees_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
