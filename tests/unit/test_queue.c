#include "queue.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <cmocka.h>

struct item {
    struct queue_item head;
    int producer, number;
};

static atomic_int live_items;

static struct item *item_new(int producer, int number, size_t bytes)
{
    struct item *i = calloc(1, sizeof(*i));
    if (i == NULL) {
        abort();
    }
    i->head.bytes = bytes;
    i->producer = producer;
    i->number = number;
    atomic_fetch_add(&live_items, 1);
    return i;
}

static void item_free(struct queue_item *i)
{
    atomic_fetch_sub(&live_items, 1);
    free(i);
}

static bool readable(const struct queue *q)
{
    struct pollfd p = {.fd = queue_fd(q), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static size_t free_list(struct queue_item *list)
{
    size_t n = 0;
    while (list != NULL) {
        struct queue_item *next = list->next;
        item_free(list);
        list = next;
        n++;
    }
    return n;
}

static void comes_out_in_order(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 100, item_free), ST_OK);
    assert_null(queue_drain(&q, 0));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(queue_push(&q, &item_new(0, i, 10)->head), ST_OK);
    }
    struct queue_item *list = queue_drain(&q, 2);
    assert_int_equal(((struct item *)list)->number, 0);
    assert_int_equal(((struct item *)list->next)->number, 1);
    assert_null(list->next->next);
    free_list(list);
    list = queue_drain(&q, 0);
    assert_int_equal(((struct item *)list)->number, 2);
    assert_int_equal(free_list(list), 3);
    queue_fini(&q);
    assert_int_equal(live_items, 0);
}

static void descriptor_tells_whether_there_is_something(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 100, item_free), ST_OK);
    assert_false(readable(&q));
    assert_int_equal(queue_push(&q, &item_new(0, 0, 10)->head), ST_OK);
    assert_int_equal(queue_push(&q, &item_new(0, 1, 10)->head), ST_OK);
    assert_true(readable(&q));
    assert_int_equal(free_list(queue_drain(&q, 1)), 1);
    assert_true(readable(&q));
    assert_int_equal(free_list(queue_drain(&q, 1)), 1);
    assert_false(readable(&q));
    queue_fini(&q);
}

static void full_queue_refuses_to_wait_when_told_so(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 100, item_free), ST_OK);
    /* larger than the queue, but it is empty */
    assert_int_equal(queue_try_push(&q, &item_new(0, 0, 500)->head), ST_OK);
    struct item *more = item_new(0, 1, 1);
    assert_int_equal(queue_try_push(&q, &more->head), ST_AGAIN);
    assert_int_equal(free_list(queue_drain(&q, 0)), 1);
    assert_int_equal(queue_try_push(&q, &more->head), ST_OK);
    struct item *exact = item_new(0, 2, 99);
    assert_int_equal(queue_try_push(&q, &exact->head), ST_OK);
    struct item *free_of_cost = item_new(0, 3, 0);
    assert_int_equal(queue_try_push(&q, &free_of_cost->head), ST_OK);
    struct item *huge = item_new(0, 4, SIZE_MAX);
    assert_int_equal(queue_try_push(&q, &huge->head), ST_AGAIN);
    item_free(&huge->head);
    /* what is left belongs to the queue */
    queue_fini(&q);
    assert_int_equal(live_items, 0);
}

#define PRODUCERS 3
#define ITEMS 4000

struct producer {
    struct queue *q;
    int id;
    pthread_t thread;
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (int i = 0; i < ITEMS; i++) {
        struct item *it = item_new(p->id, i, (size_t)(i % 7) + 1);
        if (queue_push(p->q, &it->head) != ST_OK) {
            item_free(&it->head);
            return p;
        }
    }
    return NULL;
}

static void producers_wait_and_nothing_is_lost(void **state)
{
    (void)state;
    struct queue q;
    struct producer p[PRODUCERS];
    int next[PRODUCERS] = {0};
    int left = PRODUCERS * ITEMS;
    assert_int_equal(queue_init(&q, 40, item_free), ST_OK);
    for (int i = 0; i < PRODUCERS; i++) {
        p[i].q = &q;
        p[i].id = i;
        assert_int_equal(pthread_create(&p[i].thread, NULL, produce, &p[i]), 0);
    }
    for (size_t round = 0; left > 0; round++) {
        struct pollfd fd = {.fd = queue_fd(&q), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, -1), 1);
        size_t bytes = 0;
        struct queue_item *list = queue_drain(&q, round % 5);
        while (list != NULL) {
            struct item *it = (struct item *)list;
            list = list->next;
            bytes += it->head.bytes;
            assert_int_equal(it->number, next[it->producer]);
            next[it->producer]++;
            left--;
            item_free(&it->head);
        }
        assert_true(bytes <= 40);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        void *failed;
        pthread_join(p[i].thread, &failed);
        assert_null(failed);
    }
    assert_null(queue_drain(&q, 0));
    queue_fini(&q);
    assert_int_equal(live_items, 0);
}

static void closing_lets_waiting_producers_go(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct queue q;
        struct producer p = {.q = &q, .id = 0};
        assert_int_equal(queue_init(&q, 10, item_free), ST_OK);
        assert_int_equal(pthread_create(&p.thread, NULL, produce, &p), 0);
        /* Nobody drains: the producer is waiting, or about to. */
        struct pollfd fd = {.fd = queue_fd(&q), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, -1), 1);
        queue_close(&q);
        void *stopped;
        pthread_join(p.thread, &stopped);
        assert_non_null(stopped);
        struct item *late = item_new(0, 0, 1);
        assert_int_equal(queue_push(&q, &late->head), ST_EOF);
        assert_int_equal(queue_try_push(&q, &late->head), ST_EOF);
        item_free(&late->head);
        /* what was in before can still be taken */
        assert_true(free_list(queue_drain(&q, 1)) == 1);
        queue_fini(&q);
        assert_int_equal(live_items, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_in_order),
        cmocka_unit_test(descriptor_tells_whether_there_is_something),
        cmocka_unit_test(full_queue_refuses_to_wait_when_told_so),
        cmocka_unit_test(producers_wait_and_nothing_is_lost),
        cmocka_unit_test(closing_lets_waiting_producers_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
