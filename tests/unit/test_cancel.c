#include "cancel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void wake_is_seen_and_drained(void **state)
{
    (void)state;
    struct wake w;
    assert_int_equal(wake_init(&w), ST_OK);
    assert_false(readable(w.rd));
    wake_call(&w);
    wake_call(&w);
    assert_true(readable(w.rd));
    wake_drain(&w);
    assert_false(readable(w.rd));
    wake_fini(&w);
    assert_int_equal(w.rd, -1);
    wake_fini(&w);
}

static void wake_never_blocks_and_keeps_errno(void **state)
{
    (void)state;
    struct wake w;
    assert_int_equal(wake_init(&w), ST_OK);
    errno = 42;
    for (int i = 0; i < 200000; i++) {
        wake_call(&w);
    }
    assert_int_equal(errno, 42);
    assert_true(readable(w.rd));
    wake_drain(&w);
    assert_false(readable(w.rd));
    wake_fini(&w);
}

static void level_is_raised_and_never_lowered(void **state)
{
    (void)state;
    struct cancel c;
    assert_int_equal(cancel_init(&c), ST_OK);
    assert_int_equal(cancel_level(&c), CANCEL_NONE);
    cancel_wake(&c);
    assert_int_equal(cancel_level(&c), CANCEL_NONE);
    assert_true(readable(c.wake.rd));
    cancel_request(&c, CANCEL_HARD);
    cancel_request(&c, CANCEL_POLITE);
    cancel_request(&c, CANCEL_NONE);
    assert_int_equal(cancel_level(&c), CANCEL_HARD);
    cancel_ack(&c, CANCEL_HARD);
    assert_int_equal(cancel_level(&c), CANCEL_NONE);
    cancel_fini(&c);
}

static void a_second_cancel_survives_the_first_ack(void **state)
{
    (void)state;
    struct cancel c;
    assert_int_equal(cancel_init(&c), ST_OK);
    cancel_request(&c, CANCEL_POLITE);
    enum cancel_level seen = cancel_level(&c);
    cancel_request(&c, CANCEL_HARD);
    cancel_ack(&c, seen);
    assert_int_equal(cancel_level(&c), CANCEL_HARD);
    cancel_fini(&c);
}

static void *request_hard(void *arg)
{
    cancel_request(arg, CANCEL_HARD);
    return NULL;
}

static void another_thread_wakes_the_sleeper(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct cancel c;
        pthread_t thread;
        assert_int_equal(cancel_init(&c), ST_OK);
        assert_int_equal(pthread_create(&thread, NULL, request_hard, &c), 0);
        struct pollfd p = {.fd = c.wake.rd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, -1), 1);
        /* whoever is woken sees the level */
        assert_int_equal(cancel_level(&c), CANCEL_HARD);
        pthread_join(thread, NULL);
        cancel_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wake_is_seen_and_drained),
        cmocka_unit_test(wake_never_blocks_and_keeps_errno),
        cmocka_unit_test(level_is_raised_and_never_lowered),
        cmocka_unit_test(a_second_cancel_survives_the_first_ack),
        cmocka_unit_test(another_thread_wakes_the_sleeper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
